"""The bill of materials as a table, once for every file and the terminal; as CSV, as a workbook and as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from fabric import units
from fabric.blueprint.bill import Bill, BillRow
from fabric.errors import InputError
from fabric.report.table import Summary, Table
from fabric.request import Spec
from fabric.studies.study import Study

__all__ = ["BILL_COLUMNS", "bill_csv", "bill_object", "check_bill_suffix", "save_workbook", "summarize_bill"]

SCHEMA = "fabric.bill/1"

SUFFIXES = (".csv", ".xlsx", ".json")
"""The suffixes of files of a bill."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What a cell of text begins with that a spreadsheet would take for a formula."""

Cell = str | int | float | None


@dataclass(frozen=True)
class BillColumn:
    """A column of the files of a bill."""

    key: str
    """Its name, in files and in JSON."""
    value: Callable[[BillRow], Cell]
    """Its value in a row."""
    money: bool = False
    """Whether it holds amounts."""


BILL_COLUMNS = (
    BillColumn("kind", lambda row: row.kind),
    BillColumn("part", lambda row: row.part),
    BillColumn("used_for", lambda row: row.used_for),
    BillColumn("quantity", lambda row: row.quantity),
    BillColumn("unit_price_usd", lambda row: row.unit_price_usd, money=True),
    BillColumn("price_usd", lambda row: row.price_usd, money=True),
    BillColumn("unit_power_w", lambda row: row.unit_power_w),
    BillColumn("power_w", lambda row: row.power_w),
    BillColumn("note", lambda row: row.note),
    BillColumn("spares", lambda row: row.spares),
    BillColumn("order", lambda row: row.order),
    BillColumn("length_m", lambda row: row.length_m),
    BillColumn("vendor_number", lambda row: row.vendor_number),
    BillColumn("title", lambda row: row.title),
    BillColumn("price_date", lambda row: row.price_date),
    BillColumn("price_source", lambda row: row.price_source),
)
"""The columns of the files, those of earlier versions first."""


def check_bill_suffix(file: str | Path) -> str:
    """Return the suffix of a file of a bill; raises InputError for one that no bill has."""
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{str(file)!r:.200}: a bill is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    return suffix


def bill_csv(bill: Bill) -> str:
    """Return the bill as CSV: one row per part and use, unknown prices and powers left empty.

    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.key for column in BILL_COLUMNS)
    for row in bill.rows:
        writer.writerow(_write_cell(column.value(row)) for column in BILL_COLUMNS)
    return stream.getvalue()


def _write_cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    return f"{value:.2f}".removesuffix(".00")


def bill_object(study: Study) -> dict[str, Any]:
    """Return the bill as one plain object (docs/bill.md)."""
    bill, spec = study.bill, study.spec
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "gpus": bill.gpus,
        "currency": "USD",
        "discount": {kind: float(share) for kind, share in spec.discount.items()},
        "spares": {kind: float(share) for kind, share in spec.spares.items()},
        "rows": [
            {column.key: column.value(row) for column in BILL_COLUMNS} | {"counted": row.counted} for row in bill.rows
        ],
        "totals": {
            "switches": bill.cost_usd("switch"),
            "links": bill.cost_usd("link"),
            "nics": bill.cost_usd("nic") if bill.of("nic") else None,
            "parts": bill.cost_usd(),
            "spares": bill.spares_usd,
            "order": bill.order_usd,
        },
        "unpriced": list(bill.unpriced),
        "power_w": {"total": bill.power_w, "maximum": study.max_power_w},
    }


def _row_object(row: BillRow) -> dict[str, Any]:
    return {column.key: column.value(row) for column in BILL_COLUMNS} | {"counted": row.counted}


def save_workbook(study: Study, file: Path) -> None:
    """Write the bill as an Excel workbook: the sheet Bill with all rows and totals, and the sheet Request.

    Text is stored as text, so that no cell is a formula, and the same bill gives the same bytes.
    """
    from datetime import datetime

    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Bill"
    for row in _sheet_rows(study):
        _append(sheet, row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for letter, column in zip(_letters(len(BILL_COLUMNS)), BILL_COLUMNS, strict=True):
        texts = [_write_cell(column.value(row)) for row in study.bill.rows]
        sheet.column_dimensions[letter].width = min(60, max(map(len, (column.key, *texts))) + 2)
        for cell in sheet[letter][1:] if column.money else ():
            cell.number_format = "#,##0.00"
    facts = book.create_sheet("Request")
    for key, value in study.spec.request.items():
        if value not in (None, {}, [], ""):
            _append(facts, (key, str(value)))
    book.properties.created = book.properties.modified = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    _save_same_bytes(book, file)


def _sheet_rows(study: Study) -> list[Sequence[Cell]]:
    bill, at = study.bill, [column.key for column in BILL_COLUMNS].index("price_usd")
    rows: list[Sequence[Cell]] = [tuple(column.key for column in BILL_COLUMNS)]
    rows += [tuple(column.value(row) for column in BILL_COLUMNS) for row in bill.rows]
    for name, total in (("total", bill.cost_usd()), ("spare parts", bill.spares_usd), ("total order", bill.order_usd)):
        cells: list[Cell] = [None] * len(BILL_COLUMNS)
        cells[0], cells[at] = name, "unknown" if total is None else total
        rows.append(tuple(cells))
    return rows


def _append(sheet: Any, values: Sequence[Cell]) -> None:
    """Append a row to a sheet, text as text even where it looks like a formula."""
    sheet.append([None if value == "" else value for value in values])
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            cell.data_type = "s"
            cell.quotePrefix = cell.value.startswith(DANGEROUS)


def _letters(number: int) -> list[str]:
    from openpyxl.utils import get_column_letter

    return [get_column_letter(index + 1) for index in range(number)]


def _save_same_bytes(book: Any, file: Path) -> None:
    """Save a workbook with fixed times: its own, and those of the members of its archive."""
    import re
    import zipfile

    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in sorted(made.namelist()):
            data = made.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", data)
            fixed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def summarize_bill(study: Study) -> Summary:
    """Return what `fabric bill` prints."""
    bill = study.bill
    title = f"Bill of materials of {study.spec.name}: {bill.gpus:,} GPUs in {study.blueprint.servers:,} servers."
    rows = [row for row in bill.rows if row.kind not in ("cage", "link") or row.counted]
    spared = any(row.spares for row in rows)
    heads = ("kind", "part", "used for", "quantity", *(("spares",) if spared else ()), "unit price", "total")
    cells = [
        (
            row.kind,
            row.part,
            row.used_for,
            units.count(row.quantity),
            *((units.count(row.spares),) if spared else ()),
            units.money(row.unit_price_usd) if row.counted else "in link",
            units.money(row.price_usd) if row.counted else "",
        )
        for row in rows
    ]
    return Summary(title, [Table("", heads, cells)], _list_lines(study.spec, bill))


def _list_lines(spec: Spec, bill: Bill) -> list[str]:
    parts = [f"switches {units.money(bill.cost_usd('switch'))}", f"links {units.money(bill.cost_usd('link'))}"]
    parts += [f"NICs {units.money(bill.cost_usd('nic'))}"] if bill.of("nic") else []
    parts += [f"spare parts {units.money(bill.spares_usd)}"] if bill.spares_usd != 0 else []
    lines = [f"Total: {units.money(bill.order_usd)} ({', '.join(parts)}), in USD."]
    if spec.discount:
        each = ", ".join(f"{100 * float(share):.4g} %{_name_kind(kind)}" for kind, share in spec.discount.items())
        lines.append(f"Prices are after the discount of the request: {each}.")
    if bill.unpriced:
        known = sum(row.price_usd or 0 for row in bill.rows if row.counted)
        lines.append(f"No price: {', '.join(bill.unpriced)}. Known parts: {units.money(known)}.")
    if bill.rounding_usd:
        lines.append(
            f"Whole modules and cables cost {units.money(bill.rounding_usd)} more than the links' shares of them."
        )
    dates = ", ".join(f"{name} {when}" for name, when in _price_dates(bill))
    return [*lines, *([f"Prices are of: {dates}. Files and --json have their sources."] if dates else [])]


def _name_kind(kind: str) -> str:
    return "" if kind == "*" else f" on each {kind}"


def _price_dates(bill: Bill) -> list[tuple[str, str]]:
    """Return the date of each price that counts, or who said it."""
    priced = [row for row in bill.rows if row.counted and row.unit_price_usd is not None]
    return list(dict.fromkeys((row.part, row.price_date or row.price_source) for row in priced))
