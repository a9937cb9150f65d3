"""Read lists of cables as text: our own `cables.csv`, point-to-point sheets, the links of SONiC, cables of NetBox."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from fabric.discovery.discovery import Note
from fabric.discovery.end_columns import EndColumns, EndRow, find_columns, findings_of_rows, read_row
from fabric.discovery.findings import Findings
from fabric.discovery.source import Source

__all__ = ["is_cable_list", "read_cable_list"]

DELIMITERS = ",;\t|"

HEAD_LINES = 60
"""The lines in which the heads must stand."""


def is_cable_list(source: Source) -> bool:
    """Say whether one of the first lines has the heads of two devices and their ports."""
    return source.is_text and _find_heads(source) is not None


def _find_heads(source: Source) -> tuple[int, str, EndColumns, int] | None:
    """Return the line of the heads, from 0, the delimiter, the columns and how many there are; None where none is."""
    head = source.encoded[: 1 << 16].decode("utf-8", "replace").splitlines()[:HEAD_LINES]
    for number, line in enumerate(head):
        for delimiter in DELIMITERS:
            if delimiter not in line:
                continue
            cells = next(csv.reader([line.lstrip("# ")], delimiter=delimiter), [])
            if columns := find_columns(cells):
                return number, delimiter, columns, len(cells)
    return None


def read_cable_list(source: Source) -> Findings:
    """Return the cables of a list. Raises InputError with the line where a row breaks off or is not readable."""
    found = _find_heads(source)
    assert found is not None
    findings = findings_of_rows(_rows(source, *found))
    findings.notes += _note_cut(source, *found[1:])
    return findings


def _note_cut(source: Source, delimiter: str, columns: EndColumns, width: int) -> Iterator[Note]:
    """Yield a note where the last row has all its columns and no end of line, so that its last cell may be cut."""
    if source.encoded.endswith((b"\n", b"\r")):
        return
    cells = next(csv.reader([source.encoded.rpartition(b"\n")[2].decode()], delimiter=delimiter), [])
    number = source.encoded.count(b"\n") + 1
    if len(cells) == width and columns.last == width - 1:
        text = f"the last row has no end of line: its last cell, {cells[-1]!r:.40}, may be cut; save the whole file"
        yield Note(f"{source.name}:{number}", text)


def _rows(source: Source, head: int, delimiter: str, columns: EndColumns, width: int) -> Iterator[EndRow]:
    # Line by line, so that millions of rows do not stand in memory; any end of line is one.
    lines = io.TextIOWrapper(io.BytesIO(source.encoded), "utf-8", newline=None)
    for _ in range(head + 1):
        next(lines)
    last = source.encoded.count(b"\n") - head
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise source.error(f"not readable as CSV: {error}", head + 1 + reader.line_num) from None
        if cells is None:
            return
        line = head + 1 + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < width and reader.line_num == last and not source.encoded.endswith(b"\n"):
            raise source.error(f"the row breaks off after {len(cells)} of {width} columns", line)
        yield read_row(columns, cells, f"{source.name}:{line}", line)
