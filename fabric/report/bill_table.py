"""The bill of materials as a table, its columns and totals once for every file; as CSV and as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.errors import InputError
from fabric.studies.study import Study

__all__ = [
    "BILL_COLUMNS",
    "BILL_KEYS",
    "DANGEROUS",
    "KINDS",
    "BillColumn",
    "Cell",
    "bill_csv",
    "bill_object",
    "check_bill_suffix",
    "csv_text",
    "list_cells",
    "list_totals",
    "parts_object",
    "sum_by_kind",
    "sum_known",
    "totals_object",
    "write_cell",
]

SCHEMA = "fabric.bill/1"

SUFFIXES = (".csv", ".xlsx", ".json")
"""The suffixes of files of a bill."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell of text begins with that a spreadsheet would take for a formula."""

Cell = str | int | float | None


@dataclass(frozen=True)
class BillColumn:
    """A column of the files of a bill."""

    key: str
    """Its name, in files and in JSON."""
    value: Callable[[Bill, BillRow], Cell]
    """Its value in a row of a bill."""
    format: str = ""
    """How a spreadsheet shows its numbers; empty for as they are."""
    digits: int = 2
    """The most decimals of its numbers in CSV."""


MONEY = "#,##0.00"


def _field(key: str, format: str = "") -> BillColumn:
    return BillColumn(key, lambda bill, row: getattr(row, key), format)


def _summed(key: str, format: str = "") -> BillColumn:
    """Return a column that adds up to the total: empty where another row holds the row's share of it."""
    return BillColumn(key, lambda bill, row: getattr(row, key) if row.counted else None, format)


def _is_ordered(row: BillRow) -> bool:
    """Say whether a row is of parts that are bought: a link that is the sum of its parts and a cage are not."""
    return row.counted or row.spares > 0 or row.kind in ("module", "fibre", "cable", "rack")


def _find_discount(bill: Bill, row: BillRow) -> float | None:
    """Return the share that was taken off the price of a row; None where the row has none."""
    if row.unit_price_usd is None or not row.counted:
        return None
    return float(bill.discount.get(row.kind, bill.discount.get("*", 0)))


BILL_COLUMNS = (
    _field("kind"),
    _field("part"),
    _field("used_for"),
    _field("quantity"),
    _field("unit_price_usd", MONEY),
    _summed("price_usd", MONEY),
    _field("unit_power_w"),
    _summed("power_w"),
    _field("note"),
    _field("spares"),
    BillColumn("order", lambda bill, row: row.order if _is_ordered(row) else None),
    BillColumn("order_usd", lambda bill, row: row.order_usd if row.counted or row.spares else None, MONEY),
    BillColumn("discount", _find_discount, "0.00%", digits=6),
    BillColumn("currency", lambda bill, row: bill.currency),
    _field("unit_max_power_w"),
    _summed("max_power_w"),
    _field("length_m"),
    _field("vendor_number"),
    _field("title"),
    _field("price_date"),
    _field("price_source"),
)
"""The columns of the files, those of earlier versions first."""

BILL_KEYS = tuple(column.key for column in BILL_COLUMNS)
"""The keys of a row in files and in JSON."""


def check_bill_suffix(file: str | Path) -> str:
    """Return the suffix of a file of a bill; raises InputError for one that no bill has."""
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{str(file)!r:.200}: a bill is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    return suffix


def list_cells(bill: Bill) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of each row, under `BILL_KEYS`."""
    for row in bill.rows:
        yield tuple(column.value(bill, row) for column in BILL_COLUMNS)


def list_totals(bill: Bill) -> Iterator[tuple[Cell, ...]]:
    """Yield the last rows of a bill, under `BILL_KEYS`: the total of each kind of parts, and of all.

    Where a part has no price the total is `unknown`, and a last row has the sum of the others.
    """
    used, ordered = sum_by_kind(bill, "price_usd"), sum_by_kind(bill, "order_usd")
    for kind in ordered:
        yield _total_row(bill, KINDS[kind], used.get(kind, 0), ordered[kind])
    facts = {"power_w": _or_unknown(bill.power_w), "max_power_w": _or_unknown(bill.max_power_w)}
    yield _total_row(bill, "all", bill.cost_usd(), bill.order_usd, **facts)
    if bill.unpriced:
        note = f"without {', '.join(bill.unpriced)}"
        yield _total_row(bill, "known parts", sum_known(bill, "price_usd"), sum_known(bill, "order_usd"), note=note)


def _total_row(bill: Bill, name: str, used: float | None, ordered: float | None, **facts: Cell) -> tuple[Cell, ...]:
    sums = {"price_usd": _or_unknown(used), "order_usd": _or_unknown(ordered), "currency": bill.currency}
    cells: Mapping[str, Cell] = {"kind": "total", "part": name, **sums, **facts}
    return tuple(cells.get(key) for key in BILL_KEYS)


def _or_unknown(value: float | None) -> Cell:
    return "unknown" if value is None else value


KINDS = {
    "switch": "switches",
    "link": "links",
    "module": "modules",
    "fibre": "fibres",
    "cable": "copper and active cables",
    "nic": "NICs",
}
"""The kinds of parts with a price, as totals name them."""


def sum_by_kind(bill: Bill, amount: str) -> dict[str, float | None]:
    """Return the sum of `price_usd` or `order_usd` of each kind of parts that has one; None where one is unknown."""
    totals: dict[str, float | None] = {}
    for kind in KINDS:
        amounts = list(_list_amounts(bill, amount, kind))
        known = [each for each in amounts if each is not None]
        if amounts:
            totals[kind] = sum(known) if len(known) == len(amounts) else None
    return totals


def sum_known(bill: Bill, amount: str) -> float:
    """Return the sum of `price_usd` or `order_usd` of the parts with a price."""
    return sum(each for kind in KINDS for each in _list_amounts(bill, amount, kind) if each is not None)


def _list_amounts(bill: Bill, amount: str, kind: str) -> Iterator[float | None]:
    for row in bill.of(kind):
        if row.counted or (row.spares and amount == "order_usd"):
            yield getattr(row, amount)


def bill_csv(bill: Bill, totals: Iterable[tuple[Cell, ...]] = ()) -> str:
    """Return the bill as CSV: one row per part and use, and `totals` below; unknown prices and powers are left empty.

    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    return csv_text(BILL_COLUMNS, (*list_cells(bill), *totals))


def csv_text(columns: Sequence[BillColumn], rows: Iterable[tuple[Cell, ...]]) -> str:
    """Return rows of cells under the keys of their columns as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.key for column in columns)
    for cells in rows:
        writer.writerow(write_cell(cell, column) for cell, column in zip(cells, columns, strict=True))
    return stream.getvalue()


def write_cell(value: Cell, column: BillColumn) -> str:
    """Return a cell as CSV has it: empty for None, and amounts and powers with two decimals or none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    text = f"{value:.{column.digits}f}"
    return text.removesuffix(".00") if column.digits == 2 else text.rstrip("0").rstrip(".")


def bill_object(study: Study) -> dict[str, Any]:
    """Return the bill as one plain object (docs/bill.md)."""
    bill, spec = study.bill, study.spec
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "gpus": bill.gpus,
        "currency": bill.currency,
        "discount": {kind: float(share) for kind, share in spec.discount.items()},
        "spares": {kind: float(share) for kind, share in spec.spares.items()},
        **parts_object(bill),
    }


def parts_object(bill: Bill) -> dict[str, Any]:
    """Return the rows of a bill and their sums as plain values."""
    rows = [
        dict(zip(BILL_KEYS, cells, strict=True)) | {"counted": row.counted}
        for row, cells in zip(bill.rows, list_cells(bill), strict=True)
    ]
    return {"rows": rows, **totals_object(bill)}


def totals_object(bill: Bill) -> dict[str, Any]:
    """Return the sums of a bill as plain values: `totals`, `unpriced` and `power_w`."""
    return {
        "totals": {
            "switches": bill.cost_usd("switch"),
            "links": bill.cost_usd("link"),
            "nics": bill.cost_usd("nic") if bill.of("nic") else None,
            "by_kind": sum_by_kind(bill, "price_usd"),
            "parts": bill.cost_usd(),
            "spares": bill.spares_usd,
            "order": bill.order_usd,
            "known": sum_known(bill, "order_usd"),
        },
        "unpriced": list(bill.unpriced),
        "power_w": {"total": bill.power_w, "maximum": bill.max_power_w},
    }
