"""The bill of materials as `fabric bill` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fabric import units
from fabric.blueprint.bill import bill as bill_of
from fabric.blueprint.bill_rows import LINKS, Bill, BillRow
from fabric.blueprint.prices import prices_of
from fabric.layout.layout import Layout
from fabric.layout.site_bill import power_of_racks
from fabric.report.bill_table import KINDS, sum_by_kind, sum_known
from fabric.report.link_parts import parts_at_typical_power, parts_of_unknown_power
from fabric.report.table import Summary, Table
from fabric.studies.study import Study

__all__ = ["list_parts", "list_power", "list_sums", "summarize_bill", "tabulate_parts"]

SECTIONS = {"Switches": ("switch",), "Link parts": LINKS, "NICs": ("nic",)}
"""The tables of a bill, with the kinds of rows of each."""


def summarize_bill(study: Study) -> Summary:
    """Return what `fabric bill` prints."""
    bill = study.bill
    servers = f" in {units.count_noun(study.blueprint.servers, 'server')}" if bill.gpus else ""
    size = f"{units.count_ends(bill.gpus, study.blueprint.servers)}{servers}"
    title = f"Bill of materials of {study.spec.name}: {size}; amounts in {bill.currency}."
    sections = {name: _list_shown(bill, kinds) for name, kinds in SECTIONS.items()}
    tables = [_make_table(name, rows, bill.currency) for name, rows in sections.items() if rows]
    if racks := bill.of("rack"):
        tables.append(_tabulate_racks(study.layout, racks))
    lines = (*list_sums(bill), *_list_site(study), *list_power([study], bill), *list_parts(bill))
    return Summary(title, tables, list(lines))


def _tabulate_racks(layout: Layout, rows: Sequence[BillRow]) -> Table:
    cells = []
    for row in rows:
        drawn = power_of_racks(layout, row.used_for)
        power = (units.known_power(watts, drawn.known) for watts in (drawn.most_w, drawn.total_w))
        cells.append((row.part, row.used_for, units.count(row.quantity), *power))
    return Table("Racks", ("part", "used for", "quantity", "most in one", "in all"), cells)


def tabulate_parts(name: str, bill: Bill) -> Table:
    """Return all parts of a bill to order as one table."""
    return _make_table(name, _list_shown(bill, [kind for kinds in SECTIONS.values() for kind in kinds]), bill.currency)


def _list_shown(bill: Bill, kinds: Sequence[str]) -> list[BillRow]:
    """Return the rows of some kinds; a link that is the sum of its parts is none to order."""
    return [row for row in bill.of(*kinds) if row.kind != "link" or row.counted or row.spares]


def _make_table(name: str, rows: Sequence[BillRow], currency: str) -> Table:
    spared, long = any(row.spares for row in rows), any(row.length_m for row in rows)
    numbers = ("quantity", *(("spares",) if spared else ()), *(("order",) if spared and not long else ()))
    heads = ("part", "used for", *(("length",) if long else ()), *numbers, "unit price", "total")
    return Table(name, heads, [_make_cells(row, currency, spared=spared, long=long) for row in rows])


def _make_cells(row: BillRow, currency: str, *, spared: bool, long: bool) -> tuple[str, ...]:
    numbers = (row.quantity, row.spares, row.order)[: 1 + spared + (spared and not long)]
    length = (f"{row.length_m:g} m" if row.length_m else "",) if long else ()
    priced = row.counted or row.spares
    amounts = [_write_amount(each, currency) for each in (row.unit_price_usd, row.order_usd)]
    return row.part, row.used_for, *length, *map(units.count, numbers), *(amounts if priced else ("in the link", ""))


def _write_amount(amount: float | None, currency: str) -> str:
    """Return an amount under a title that names the currency, where its three letters would make cells too wide."""
    text = units.money(amount, currency)
    return text if currency == "USD" else text.removeprefix(units.money_sign(currency))


def list_sums(bill: Bill) -> Iterator[str]:
    """Yield the sums of a bill, and which parts have no price."""
    money = partial(units.money, currency=bill.currency)
    parts = [f"{KINDS[kind]} {money(total)}" for kind, total in sum_by_kind(bill, "order_usd").items()]
    yield f"Total: {money(bill.order_usd)} ({', '.join(parts)})."
    if bill.unpriced:
        yield f"No price: {', '.join(bill.unpriced)}. Known parts: {money(sum_known(bill, 'order_usd'))}."
    if bill.spares_usd != 0:
        yield f"Spare parts: {money(bill.spares_usd)} of it; without them {money(bill.cost_usd())}."
    if bill.discount:
        each = ", ".join(f"{float(100 * share):.12g} %{_name_kind(kind)}" for kind, share in bill.discount.items())
        yield f"Prices are after the discount of the request: {each}."
    if (bill.rounding_usd or 0) > 0:
        yield f"Whole modules and cables cost {money(bill.rounding_usd)} more than the links' shares of them."


def _list_site(study: Study) -> Iterator[str]:
    """Yield what the lengths on the site are, and how far parts that reach change the cost of the design."""
    if not study.bill.of("rack"):
        return
    wiring = study.wiring
    yield f"Fibres and cables are by length as sold, {wiring.total_m / 1000:,.1f} km in all."
    if wiring.unsold:
        yield f"Sold lengths not known, usual ones assumed: {', '.join(wiring.unsold)}."
    chosen, cost = bill_of(study.blueprint, prices_of(study.spec, study.blueprint)).cost_usd(), study.bill.cost_usd()
    if None not in (chosen, cost) and cost != chosen:
        amounts = [units.money(each, study.bill.currency) for each in (cost, chosen)]
        yield f"With parts that reach on the site it costs {amounts[0]}; the design was chosen at {amounts[1]}."


def list_power(studies: Sequence[Study], bill: Bill) -> Iterator[str]:
    """Say the typical and the maximum power of all fabrics, and of which parts the one or the other is not known."""
    at_typical = dict.fromkeys(part for study in studies for part in parts_at_typical_power(study))
    if bill.power_w is None and bill.max_power_w is None:
        unknown = dict.fromkeys(part for study in studies for part in parts_of_unknown_power(study))
        yield f"Power without servers: unknown; no figure for {', '.join(unknown)}."
        return
    most = units.power(bill.max_power_w)
    most += f", at the typical power of {', '.join(at_typical)}, whose maximum is not known" if at_typical else ""
    yield f"Power without servers: {units.power(bill.power_w)} typical, maximum {most}."


def _name_kind(kind: str) -> str:
    return "" if kind == "*" else f" on each {kind}"


def list_parts(bill: Bill) -> Iterator[str]:
    """Yield the vendor numbers, and the date of each price that counts, or who said it."""
    if numbers := dict.fromkeys((row.part, row.vendor_number) for row in bill.rows if row.vendor_number):
        yield f"Vendor numbers: {', '.join(map(' '.join, numbers))}."
    priced = [row for row in bill.rows if row.counted and row.unit_price_usd is not None]
    if dates := dict.fromkeys((row.part, row.price_date or row.price_source) for row in priced):
        yield f"Prices are of: {', '.join(map(' '.join, dates))}. Files and --json have their sources."
