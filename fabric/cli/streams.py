"""The terminal and the standard streams: their width, what they can't encode, and text laid out for them."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any, TextIO

__all__ = ["can_encode", "discard_output", "is_terminal", "lay_out_record", "prepare_streams", "wrap_lines"]

_fill = partial(textwrap.fill, break_long_words=False, break_on_hyphens=False)


def prepare_streams() -> None:
    """Ignore a terminal size that is not a sensible number, and write what a stream can't encode as escapes."""
    for name in ("COLUMNS", "LINES"):
        if not re.fullmatch("[1-9][0-9]{1,3}", os.environ.get(name, "80")):
            del os.environ[name]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Discard what stdout still buffers, which Python would otherwise fail to write when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def can_encode(text: str) -> bool:
    """Return whether stdout can encode all of a text; nothing encodes a lone surrogate."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal; a stream that was closed before the start is None."""
    return stream is not None and stream.isatty()


def wrap_lines(text: str) -> str:
    """Wrap each line to the terminal, with continuation lines indented; for a file or pipe, return it unchanged."""
    if not is_terminal(sys.stderr):
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_fill(line, width, subsequent_indent="    ") for line in text.splitlines())


def lay_out_record(heads: Sequence[str], row: Sequence[Any]) -> str:
    """Return a row as text: its first value, and below it the others, each after its heading; no word is broken.

    The values of a list follow their heading, each on a line of its own.
    """
    width = shutil.get_terminal_size().columns
    fill = partial(_fill, width=width)
    lines = [str(row[0])]
    for head, value in zip(heads[1:], row[1:], strict=True):
        if isinstance(value, list):
            lines += [f"  {head}:", *(fill(item, initial_indent="    ", subsequent_indent="      ") for item in value)]
        else:
            lines.append(fill(f"{head}: {value}", initial_indent="  ", subsequent_indent="    "))
    return "\n".join(lines)
