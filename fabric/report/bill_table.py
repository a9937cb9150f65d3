"""The bill of materials as a table, once for every file and the terminal; as CSV, as a workbook and as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fabric import units
from fabric.blueprint.bill import Bill, BillRow
from fabric.errors import InputError
from fabric.report.table import Summary, Table
from fabric.request import Spec
from fabric.studies.study import Study

__all__ = [
    "BILL_COLUMNS",
    "BILL_KEYS",
    "DANGEROUS",
    "Cell",
    "bill_csv",
    "bill_object",
    "check_bill_suffix",
    "list_cells",
    "summarize_bill",
    "write_cell",
]

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


BILL_KEYS = (*(column.key for column in BILL_COLUMNS), "currency")
"""The keys of a row in files and in JSON."""


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
    writer.writerow(BILL_KEYS)
    for cells in list_cells(bill):
        writer.writerow(map(write_cell, cells))
    return stream.getvalue()


def list_cells(bill: Bill) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of each row, under `BILL_KEYS`."""
    for row in bill.rows:
        yield (*(column.value(row) for column in BILL_COLUMNS), bill.currency)


def write_cell(value: Cell) -> str:
    """Return a cell as CSV has it: empty for None, and amounts and powers with two digits or none."""
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
        "currency": spec.currency,
        "discount": {kind: float(share) for kind, share in spec.discount.items()},
        "spares": {kind: float(share) for kind, share in spec.spares.items()},
        "rows": [
            dict(zip(BILL_KEYS, cells, strict=True)) | {"counted": row.counted}
            for row, cells in zip(bill.rows, list_cells(bill), strict=True)
        ],
        "totals": {
            "switches": bill.cost_usd("switch"),
            "links": bill.cost_usd("link"),
            "nics": bill.cost_usd("nic") if bill.of("nic") else None,
            "by_kind": _sum_by_kind(bill),
            "parts": bill.cost_usd(),
            "spares": bill.spares_usd,
            "order": bill.order_usd,
        },
        "unpriced": list(bill.unpriced),
        "power_w": {"total": bill.power_w, "maximum": study.max_power_w},
    }


def summarize_bill(study: Study) -> Summary:
    """Return what `fabric bill` prints."""
    bill = study.bill
    size = f"{bill.gpus:,} GPUs in {study.blueprint.servers:,} servers"
    title = f"Bill of materials of {study.spec.name}: {size}; amounts in {bill.currency}."
    rows = [row for row in bill.rows if row.kind not in ("cage", "link") or row.counted]
    spared, money = any(row.spares for row in rows), partial(_write_amount, currency=bill.currency)
    heads = ("kind", "part", "used for", "quantity", *(("spares",) if spared else ()), "unit price", "total")
    cells = [
        (
            row.kind,
            row.part,
            row.used_for,
            units.count(row.quantity),
            *((units.count(row.spares),) if spared else ()),
            money(row.unit_price_usd) if row.counted else "in link",
            money(row.price_usd) if row.counted else "",
        )
        for row in rows
    ]
    return Summary(title, [Table("", heads, cells)], _list_lines(study.spec, bill))


def _write_amount(amount: float | None, currency: str) -> str:
    """Return an amount under a title that names the currency, where its three letters would make cells too wide."""
    text = units.money(amount, currency)
    return text if currency == "USD" else text.removeprefix(units.money_sign(currency))


def _list_lines(spec: Spec, bill: Bill) -> list[str]:
    money = partial(units.money, currency=bill.currency)
    parts = [f"{KINDS[kind]} {money(total)}" for kind, total in _sum_by_kind(bill).items()]
    parts += [f"spare parts {money(bill.spares_usd)}"] if bill.spares_usd != 0 else []
    lines = [f"Total: {money(bill.order_usd)} ({', '.join(parts)})."]
    if spec.discount:
        each = ", ".join(f"{100 * float(share):.4g} %{_name_kind(kind)}" for kind, share in spec.discount.items())
        lines.append(f"Prices are after the discount of the request: {each}.")
    if numbers := dict.fromkeys((row.part, row.vendor_number) for row in bill.rows if row.vendor_number):
        lines.append(f"Vendor numbers: {', '.join(f'{part} {number}' for part, number in numbers)}.")
    if bill.unpriced:
        known = sum(row.price_usd or 0 for row in bill.rows if row.counted)
        lines.append(f"No price: {', '.join(bill.unpriced)}. Known parts: {money(known)}.")
    if bill.rounding_usd:
        lines.append(f"Whole modules and cables cost {money(bill.rounding_usd)} more than the links' shares of them.")
    dates = ", ".join(f"{name} {when}" for name, when in _price_dates(bill))
    return [*lines, *([f"Prices are of: {dates}. Files and --json have their sources."] if dates else [])]


KINDS = {
    "switch": "switches",
    "link": "links",
    "nic": "NICs",
    "module": "modules",
    "fibre": "fibres",
    "cable": "copper and active cables",
}
"""The kinds of parts with a price, as totals name them."""


def _sum_by_kind(bill: Bill) -> dict[str, float | None]:
    """Return the price of each kind of parts whose price counts; None where one is not known."""
    totals: dict[str, float | None] = {}
    for kind in KINDS:
        prices = [row.price_usd for row in bill.of(kind) if row.counted]
        known = [price for price in prices if price is not None]
        if prices:
            totals[kind] = sum(known) if len(known) == len(prices) else None
    return totals


def _name_kind(kind: str) -> str:
    return "" if kind == "*" else f" on each {kind}"


def _price_dates(bill: Bill) -> list[tuple[str, str]]:
    """Return the date of each price that counts, or who said it."""
    priced = [row for row in bill.rows if row.counted and row.unit_price_usd is not None]
    return list(dict.fromkeys((row.part, row.price_date or row.price_source) for row in priced))
