"""The bill of materials as an Excel workbook."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fabric.report.bill_table import BILL_COLUMNS, BILL_KEYS, DANGEROUS, Cell, list_cells, list_totals
from fabric.report.cluster_bill import CLUSTER_BILL_KEYS, list_cluster_cells
from fabric.studies.multi_fabric import Cluster
from fabric.studies.study import Study

__all__ = ["save_cluster_workbook", "save_workbook"]

FORMATS = {column.key: column.format for column in BILL_COLUMNS if column.format}
"""How numbers are shown, by the head of their column."""

WIDEST = 60
"""The width of the widest column, in characters."""


def save_workbook(study: Study, file: Path) -> None:
    """Write the bill as an Excel workbook, to `file`: the sheets Bill, with totals, Sources of prices, and Request.

    Text is stored as text, so that no cell is a formula, and the same bill gives the same bytes.
    """
    sheets = {
        "Bill": [BILL_KEYS, *list_cells(study.bill), *list_totals(study.bill)],
        "Sources": [SOURCE_KEYS, *_list_sources(study)],
        "Request": [("key", "value"), *_list_keys(study.spec.request)],
    }
    _save_sheets(sheets, file)


def save_cluster_workbook(cluster: Cluster, file: Path) -> None:
    """Write the bill of a cluster as `save_workbook` does that of a fabric, with the requests of all its fabrics."""
    studies = cluster.fabrics
    sources = dict.fromkeys(row for study in studies.values() for row in _list_sources(study))
    keys = ((name, *row) for name, study in studies.items() for row in _list_keys(study.spec.request))
    sheets = {
        "Bill": [CLUSTER_BILL_KEYS, *list_cluster_cells(cluster)],
        "Sources": [SOURCE_KEYS, *sources],
        "Requests": [("fabric", "key", "value"), *keys],
    }
    _save_sheets(sheets, file)


def _save_sheets(sheets: Mapping[str, Sequence[Sequence[Cell]]], file: Path) -> None:
    """Save sheets by their titles as a workbook."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        _add_sheet(book, title, rows)
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)
    _save_same_bytes(book, file)


SOURCE_KEYS = ("part", "unit_price_usd", "currency", "price_date", "price_source")
"""The columns of the sheet of sources."""


def _list_sources(study: Study) -> list[tuple[Cell, ...]]:
    """Return where the price of each part comes from, each once, and then the sources that the request names."""
    at = [BILL_KEYS.index(key) for key in SOURCE_KEYS]
    rows = zip(study.bill.rows, list_cells(study.bill), strict=True)
    prices = (tuple(cells[index] for index in at) for row, cells in rows if row.counted)
    return [*dict.fromkeys(prices), *(("the request", None, None, None, source) for source in study.spec.sources)]


def _list_keys(request: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    """Yield the keys of a request with their values, lists and mappings as in a JSON or YAML file."""
    for key, value in request.items():
        if value not in (None, {}, [], ""):
            yield key, value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def _add_sheet(book: Any, title: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Add a sheet, its first row a head that stays in view."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    for row in rows:
        _append(sheet, row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for index, column in enumerate(zip(*rows, strict=True)):
        letter = get_column_letter(index + 1)
        sheet.column_dimensions[letter].width = min(WIDEST, max(map(_count_characters, column)) + 2)
        for cell in sheet[letter][1:] if column[0] in FORMATS else ():
            cell.number_format = FORMATS[column[0]]


def _count_characters(cell: Cell) -> int:
    """Return the width of a cell, a number with its decimals and commas."""
    return len(f"{cell:,.2f}" if isinstance(cell, float) else str(cell or ""))


def _append(sheet: Any, values: Sequence[Cell]) -> None:
    """Append a row to a sheet, text as text even where it looks like a formula."""
    sheet.append([None if value == "" else value for value in values])
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            cell.data_type = "s"
            cell.quotePrefix = cell.value.startswith(DANGEROUS)


def _save_same_bytes(book: Any, file: Path) -> None:
    """Save a workbook with the members of its archive in a fixed order, at a fixed time."""
    with ZipFile(_write_archive(book)) as made, ZipFile(file, "w", ZIP_DEFLATED) as fixed:
        for name in sorted(made.namelist()):
            fixed.writestr(ZipInfo(name), made.read(name), ZIP_DEFLATED)


def _write_archive(book: Any) -> io.BytesIO:
    """Write a workbook as its `save` does, but with sheets in memory: no signal or full disk leaves a file behind."""
    from openpyxl.worksheet._writer import WorksheetWriter
    from openpyxl.writer.excel import ExcelWriter

    stream = io.BytesIO()
    archive = ZipFile(stream, "w", ZIP_DEFLATED)

    class MemoryWriter(ExcelWriter):
        def write_worksheet(self, ws: Any) -> None:
            sheet = io.BytesIO()
            writer: Any = WorksheetWriter(ws, sheet)
            writer.write()
            ws._drawing, ws._rels = None, writer._rels
            archive.writestr(ws.path[1:], sheet.getvalue())
            self.manifest.append(ws)

    MemoryWriter(book, archive).save()
    return stream
