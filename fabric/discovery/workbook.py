"""Read the cells of an Excel workbook as text, and refuse archives that unpack beyond reason or have entities."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from fabric.discovery.source import Source

__all__ = ["is_workbook", "read_sheets"]

MOST_BYTES = 1 << 28
"""The most bytes of a part of a workbook once it is unpacked."""

MOST_COLUMNS = 16384

_REFERENCE = re.compile("([A-Z]{1,3})([0-9]{1,7})")


def is_workbook(source: Source) -> bool:
    """Say whether a file is an archive with a workbook of Excel in it."""
    if not source.data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return b"xl/" in source.data


def read_sheets(source: Source) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
    """Yield each worksheet: its name in the archive, and its rows with their numbers from 1 and cells as text.

    Raises InputError where the workbook is cut, packed beyond reason, or has entities of its own.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            names = archive.namelist()
            shared = _shared_texts(source, archive) if "xl/sharedStrings.xml" in names else []
            sheets = [name for name in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
            for name in sorted(sheets, key=lambda each: (len(each), each)):
                yield name.rsplit("/", 1)[1].removesuffix(".xml"), _sheet_rows(source, archive, name, shared)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise source.error(f"a workbook that cannot be unpacked: {error}; save it again") from None


def _part(source: Source, archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > MOST_BYTES:
        raise source.error(f"{name} unpacks to {size:,} bytes; at most {MOST_BYTES:,} are read")
    with archive.open(name) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise source.error(f"{name} unpacks to more than {MOST_BYTES:,} bytes")
    return data


class _Walker:
    """What the tags of a part mean, called by the parser; tags have no namespace."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""

    def text(self, data: str) -> None:
        """Take text."""

    def end(self, tag: str) -> None:
        """End an element."""


def _walk(source: Source, name: str, data: bytes, walker: _Walker) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: Any) -> None:
        raise source.error(f"{name} has a document type or entities, which no workbook needs")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: walker.start(tag.rsplit(" ", 1)[-1], attributes)
    parser.EndElementHandler = lambda tag: walker.end(tag.rsplit(" ", 1)[-1])
    parser.CharacterDataHandler = walker.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise source.error(f"{name} is no XML: {error}; save the workbook again") from None


class _SharedTexts(_Walker):
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._inside = self._phonetic = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:  # noqa: ARG002
        if tag == "si":
            self.texts.append("")
        self._phonetic = self._phonetic or tag == "rPh"
        self._inside = tag == "t" and not self._phonetic

    def text(self, data: str) -> None:
        if self._inside and self.texts:
            self.texts[-1] += data

    def end(self, tag: str) -> None:
        self._inside = False
        if tag == "rPh":
            self._phonetic = False


def _shared_texts(source: Source, archive: zipfile.ZipFile) -> list[str]:
    walker = _SharedTexts()
    _walk(source, "xl/sharedStrings.xml", _part(source, archive, "xl/sharedStrings.xml"), walker)
    return walker.texts


class _Sheet(_Walker):
    def __init__(self, shared: list[str]) -> None:
        self.rows: list[tuple[int, list[str]]] = []
        self._shared = shared
        self._kind = self._value = ""
        self._column = 0
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            digits = attributes.get("r", "")
            self.rows.append((int(digits) if digits.isdigit() and len(digits) < 8 else len(self.rows) + 1, []))
        elif tag == "c" and self.rows:
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _number(found[1]) if found else len(self.rows[-1][1])
            self._kind, self._value = attributes.get("t", "n"), ""
        self._inside = tag in ("v", "t")

    def text(self, data: str) -> None:
        if self._inside:
            self._value += data

    def end(self, tag: str) -> None:
        self._inside = False
        if tag == "c" and self.rows and self._column < MOST_COLUMNS:
            cells = self.rows[-1][1]
            cells.extend([""] * (self._column + 1 - len(cells)))
            cells[self._column] = self._cell()

    def _cell(self) -> str:
        value = self._value.strip()
        if self._kind == "s":
            return self._shared[int(value)] if value.isdigit() and int(value) < len(self._shared) else ""
        return value.removesuffix(".0") if self._kind == "n" else value


def _number(letters: str) -> int:
    """Return the column of its letters, from 0: A is 0, Z 25, AA 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _sheet_rows(source: Source, archive: zipfile.ZipFile, name: str, shared: list[str]) -> list[tuple[int, list[str]]]:
    walker = _Sheet(shared)
    _walk(source, name, _part(source, archive, name), walker)
    return walker.rows
