"""A file that lists failures, one a line, with comments, read with the place of every line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fabric.errors import InputError, Mistake
from fabric.request.document import quoted
from fabric.request.plain_text import read_plain_text

__all__ = ["list_failures"]

MAX_BYTES = 2**26
"""The largest list that is read, in bytes: every link of a fabric of 100,000 GPUs by name."""

WHAT = "a list of failures has one a line, such as leaf[block=0,rail=3], and comments after #"

SMALLER = "name devices or whole kinds instead of single links"

_COMMENT = re.compile(r"(?:^|\s)#.*")


def list_failures(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each failure with the place that messages name; `@FILE` stands for the lines of a file.

    One text alone is one failure. A comment starts with `#` at the start of a line or after a space: `#` within a word
    numbers a link. Raises InputError for what is not text, and for a file that is not readable or lists none.
    """
    listed = words if isinstance(words, Iterable) and not isinstance(words, str) else [words]
    for word in listed:
        if not isinstance(word, str):
            raise InputError([Mistake("failures", f"{word!r:.60} is not text; write for example 'leaf:1'")])
        if word.startswith("@"):
            yield from _read_lines(word[1:])
        else:
            yield f"failure '{word:.200}'", word


def _read_lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield the failure of each line of a file that has one, with its place."""
    found = False
    for number, line in enumerate(read_plain_text(path, MAX_BYTES, WHAT, SMALLER).splitlines(), 1):
        if text := _COMMENT.sub("", line).strip():
            found = True
            yield f"{quoted(path)}:{number}: failure {quoted(text)}", text
    if not found:
        raise InputError([Mistake(quoted(path), f"lists no failure; {WHAT}")])
