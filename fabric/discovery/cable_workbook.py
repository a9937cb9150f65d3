"""Read the cables in a workbook: HPE's cabling sheets (SHCD), point-to-point sheets and our own `cables.xlsx`."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.discovery.end_columns import EndRow, find_columns, findings_of_rows, read_row
from fabric.discovery.findings import Findings
from fabric.discovery.source import Source
from fabric.discovery.workbook import is_workbook, read_sheets

__all__ = ["is_cable_workbook", "read_cable_workbook"]

HEAD_ROWS = 60
"""The rows in which the heads of a sheet must stand."""


def is_cable_workbook(source: Source) -> bool:
    """Say whether a file is a workbook."""
    return is_workbook(source)


def read_cable_workbook(source: Source) -> Findings:
    """Return the cables of all sheets that have the heads of two ends. Raises InputError where none has."""
    rows = list(_rows(source))
    if not rows:
        raise source.error(
            "no sheet has cables: no row has heads such as A-Node, A-Port, Z-Node, Z-Port or Source, Port, Destination,"
            " Port"
        )
    return findings_of_rows(rows)


def _rows(source: Source) -> Iterator[EndRow]:
    for sheet, rows in read_sheets(source):
        heads = ((place, find_columns(cells)) for place, (_, cells) in enumerate(rows[:HEAD_ROWS]))
        found = next(((place, columns) for place, columns in heads if columns), None)
        if found is None:
            continue
        place, columns = found
        for number, cells in rows[place + 1 :]:
            if any(cell.strip() for cell in cells):
                yield read_row(columns, cells, f"{source.name} ({sheet}, row {number})", number)
