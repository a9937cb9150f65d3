"""A file of a discovery tool: its bytes, its text whatever tool saved it, and its JSON documents."""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from functools import cached_property
from pathlib import Path
from typing import Any

from fabric.errors import InputError, Mistake, unreadable
from fabric.request.document import quoted
from fabric.request.plain_text import refuse_dash
from fabric.resources import Work, refuse_excess
from fabric.units import size

__all__ = ["Source", "read_source"]

BYTES_PER_BYTE = 10.0
"""The bytes of memory that a reader takes for each byte at most, as measured: 8 of text, 10 of JSON."""

SECONDS_PER_BYTE = 1e-7
"""The time that a reader takes for each byte, as measured: 0.6e-7 of ibnetdiscover's text, 1.7e-7 of JSON."""

MOST_CONTROL = 0.001
"""The share of control characters from which a file is not text."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_CONTROL = bytes({*range(32)} - {*b"\t\n\r\f\x1b"})

_JSON_START = re.compile(r"^[ \t]*[\[{]", re.MULTILINE)

_JSON_NEXT = re.compile(r"(?<=[\]}])\s*[\[{]")

_JSON_HEAD = re.compile(rb"^[ \t]*(?:\{|\[)[ \t\r]*(?:$|[\[{\"\]}])", re.MULTILINE)

HEAD_BYTES = 1 << 16
"""The bytes at the start in which a JSON document must begin."""

_PROMPT = re.compile(r"^\W*(?:[\w.-]+@)?(?P<host>[A-Za-z][\w.-]*)(?::[^\n#$>]*)?\S*\s*[#$>]\s*\S", re.MULTILINE)


class Source:
    """A file, read once. Its parts are made when they are first asked for."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = quoted(name)
        """The file as messages name it."""
        self.data = data
        """Its bytes."""

    @property
    def file_name(self) -> str:
        """The name of the file without folders, which may have the host that it comes from."""
        return Path(self.name).name

    def error(self, text: str, line: int = 0) -> InputError:
        """Return the error of a line, from 1, or of the file."""
        return InputError([Mistake(f"{self.name}:{line}" if line else self.name, text)])

    @cached_property
    def is_text(self) -> bool:
        """Whether the file is text and not of some binary format."""
        body = self.encoded
        controls = len(body) - len(body.translate(None, _CONTROL))
        return controls <= MOST_CONTROL * len(body)

    @cached_property
    def encoded(self) -> bytes:
        """The text in UTF-8, with no byte-order mark; bytes that are not UTF-8 become the replacement character."""
        for mark, encoding in _MARKS:
            if self.data.startswith(mark):
                body = self.data[len(mark) :]
                if encoding == "utf-8":
                    break
                return body.decode(encoding, "replace").encode()
        else:
            body = self.data
        if body.isascii():
            return body
        return body.decode("utf-8", "replace").encode()

    @cached_property
    def text(self) -> str:
        """The text."""
        return self.encoded.decode()

    @cached_property
    def documents(self) -> list[Any]:
        """The JSON documents in the text, one after another; what stands between them, such as prompts, is left out.

        Empty where there is none. Raises InputError with the line where a document breaks off or is too deep.
        """
        text, at = self.text, 0
        found: list[Any] = []
        decoder = json.JSONDecoder(parse_int=_whole, parse_constant=_refuse_constant)
        while start := _JSON_NEXT.match(text, at) or _JSON_START.search(text, at):
            begin = start.end() - 1
            try:
                value, at = decoder.raw_decode(text, begin)
            except RecursionError:
                raise self.error("nested too deeply to be a list of neighbours", _line(text, begin)) from None
            except json.JSONDecodeError as error:
                if not found and error.pos <= begin + 1:
                    at = start.end()  # a shell prompt such as [root@host ~]#
                    continue
                what = "breaks off here" if error.pos >= len(text.rstrip()) else f"is no JSON here: {error.msg}"
                raise self.error(f"{what}; save the whole output of the tool", error.lineno) from None
            except ValueError as error:
                raise self.error(f"is no JSON: {error}", _line(text, begin)) from None
            found.append(value)
        return found

    @cached_property
    def json_documents(self) -> list[Any]:
        """The JSON documents; none where the file is not text or no line near its start begins one."""
        if not self.is_text or not _JSON_HEAD.search(self.encoded[:HEAD_BYTES]):
            return []
        return self.documents

    @property
    def prompt_host(self) -> str:
        """The host in a shell prompt before the first document, such as `user@leaf01:~$ lldpcli`; else empty."""
        start = _JSON_START.search(self.text)
        head = self.text[: start.start()] if start else self.text[:2000]
        found = _PROMPT.search(head)
        return found["host"] if found else ""


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"the number {digits[:20]}... is too large")
    return int(digits)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def read_source(path: str | os.PathLike[str]) -> Source:
    """Return a file. Raises InputError where it cannot be read or is empty, and TooLarge where it is too large."""
    name = quoted(os.fsdecode(path))
    refuse_dash(name)
    data = _read_bytes(path, name)
    if not data.strip():
        raise InputError([Mistake(name, "is empty")])
    return Source(os.fsdecode(path), data)


def _read_bytes(path: str | os.PathLike[str], name: str) -> bytes:
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from None
    if not stat.S_ISREG(status.st_mode):
        found = "a directory; name the files in it" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise InputError([Mistake(name, f"is {found}")])
    work = Work(status.st_size * BYTES_PER_BYTE, status.st_size * SECONDS_PER_BYTE)
    refuse_excess(f"{name}: {size(status.st_size)}", work, "give the files of fewer switches at a time")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(name, error) from None
