"""The bill of materials: switches, links, modules, cables and cages, with their cost and power."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

from fabric.blueprint import Blueprint
from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.blueprint.composition import Composition, has_modules
from fabric.blueprint.part_counts import LinkUse, PartCounts, count_parts, list_link_uses
from fabric.blueprint.physical import Joint, Modules
from fabric.blueprint.prices import SHARES, Prices
from fabric.catalog import LinkPart, Switch, optics, switches
from fabric.request import Spec

__all__ = ["bill", "priced_bill"]

REQUEST = "the request"
"""The source of prices that the request gives without naming one."""


def bill(blueprint: Blueprint, prices: Prices, counts: PartCounts | None = None) -> Bill:
    """Return the bill of materials of `blueprint`.

    `counts` are the parts of its links as they were laid out; by default those of the blueprint alone.
    """
    counts = counts or count_parts(blueprint, prices)
    rows = [
        *_list_switches(blueprint, prices),
        *_list_links(counts.links, prices, whole=False),
        *_list_nics(blueprint, prices),
        *_list_modules(counts.modules),
        *_list_joints(counts.joints),
    ]
    spared = (replace(row, spares=ceil(row.quantity * _spare_share(row, prices.spec))) for row in rows)
    spec, rows = prices.spec, [*spared, *_list_cages(blueprint)]
    found = Bill(blueprint.gpus, tuple(rows), currency=spec.currency, discount=spec.discount)
    return replace(found, electricity_usd=_sum_electricity(found.powered, prices))


def _spare_share(row: BillRow, spec: Spec) -> Fraction:
    """Return the share of spare parts of a row; of parts within a link's price, only if asked for by kind."""
    return spec.spares.get(row.kind, spec.spares.get("*", Fraction(0)) if row.counted else Fraction(0))


def priced_bill(blueprint: Blueprint, prices: Prices) -> Bill:
    """Return the rows that carry prices; they need counts only, so sizes that can't be built have them too."""
    rows = (
        *_list_switches(blueprint, prices),
        *_list_links(list_link_uses(blueprint, prices), prices, whole=True),
        *_list_nics(blueprint, prices),
    )
    return Bill(blueprint.gpus, rows, currency=prices.spec.currency)


def _sum_electricity(rows: Iterable[BillRow], prices: Prices) -> float | None:
    """Return what rows cost to run, from whole `SHARES` of a dollar for each part; None where one is not known."""
    total = 0
    for row in rows:
        each = prices.electricity(row.unit_power_w)
        if each is None:
            return None
        total += row.quantity * each
    return total / SHARES


def _list_switches(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    for role in blueprint.topology.roles:
        for model, count in blueprint.model_counts(role):
            cents = prices.switch_cents(model)
            priced = cents is not None
            yield BillRow(
                kind="switch",
                part=model.name,
                used_for=role,
                quantity=count,
                unit_price_usd=None if cents is None else cents / 100,
                unit_power_w=model.power_w,
                unit_max_power_w=model.peak_power_w,
                note=f"price of {model.price_date}" if model.price_date and priced else "",
                title=model.title,
                vendor_number=model.vendor_number,
                price_date=model.price_date if priced else "",
                price_source=_name_source(model, switches()) if priced else "",
            )


def _list_links(links: Iterable[LinkUse], prices: Prices, *, whole: bool) -> Iterator[BillRow]:
    """Yield the links of each use; with `whole` all of their price, even where modules and fibres would hold it."""
    for each in links:
        bundle, found = each.bundle, each.found
        cents, power = prices.cents_of(bundle, found), prices.power_of(found)
        own = prices.spec.link_price(bundle) is not None
        one = own or found is None or found.kind == "link"
        part = found.joint if found and one and not own else None
        asked = own or (part is not None and _is_requested(part))
        note = [f"price from {REQUEST}"] * asked + (_describe_price(own, found) if one else ["sum of its parts"])
        yield BillRow(
            kind="link",
            part=part.name if part else f"{prices.rate(bundle)}G link",
            used_for=each.used_for,
            quantity=each.links,
            unit_price_usd=None if cents is None else cents / 100,
            unit_power_w=power[0],
            unit_max_power_w=power[1],
            note=", ".join(note),
            counted=whole or one,
            title=part.title if part else "",
            vendor_number=part.vendor_number if part else "",
            length_m=found.length_m if found and one and not own else None,
            price_date=part.price_date if part else "",
            price_source=REQUEST if own else _name_source(part, optics()) if part else "",
        )


def _name_source(part: Switch | LinkPart, listed: Container[str]) -> str:
    """Return where the price of a part is from: that of a listed part without a date is the request's."""
    return (part.source if part.price_date or part.name not in listed else "") or REQUEST


def _describe_price(own: bool, found: Composition | None) -> list[str]:
    """Return what the price of a whole link includes."""
    if own:
        return []
    return ["both modules and the fibre" if has_modules(found) else "with both ends"]


def _list_nics(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    """Yield all NICs of the servers, where the request gives their price."""
    if prices.spec.nic_usd is not None:
        for role, server in blueprint.servers_by_role.items():
            yield BillRow(
                kind="nic",
                part=f"{server.card_gbps}G NIC",
                used_for=role,
                quantity=blueprint.devices(role) * server.cards_total,
                unit_price_usd=prices.nic_cents / 100,
                note=f"price from {REQUEST}",
                price_source=REQUEST,
            )


def _list_modules(modules: Iterable[Modules]) -> Iterator[BillRow]:
    """Yield one module for each cage in use; in a cage of several ports it carries as many links."""
    found = Counter[BillRow]()
    for each in modules:
        links = f"{each.links} x " if each.links > 1 else ""
        row = BillRow("module", f"{links}{each.gbps}G module", each.role, 0)
        found[_make_row(row, each.part)] += each.count
    return (replace(row, quantity=count) for row, count in found.items())


def _list_joints(joints: Iterable[tuple[Joint, float]]) -> Iterator[BillRow]:
    """Yield the fibres and cables, by length where lengths are known."""
    for each, metres in joints:
        name = each.kind if each.tails == 1 else f"{each.kind} splitter to {each.tails}"
        row = BillRow(each.kind, name, each.used_for or each.bundle, each.count, length_m=metres or None)
        yield _make_row(row, each.part)


def _is_requested(part: LinkPart) -> bool:
    """Say whether the price of a part is the request's: the catalogue dates its own."""
    return not part.price_date or part.name not in optics()


def _make_row(row: BillRow, part: LinkPart | None) -> BillRow:
    """Return the row of a part; one that comes within the price of a whole link keeps the plain name it has."""
    if part is None:
        return replace(row, note="within the link's price", counted=False)
    length = part.round_up(row.length_m) if row.length_m else None
    price = part.price_at(length)
    notes = [f"price from {REQUEST}"] * (price is not None and _is_requested(part))
    notes += ["without its metres"] * (length is None and part.price_usd_per_m is not None)
    return replace(
        row,
        part=part.name,
        unit_price_usd=price,
        unit_power_w=part.power_w,
        unit_max_power_w=part.peak_power_w,
        note=", ".join(notes),
        title=part.title,
        vendor_number=part.vendor_number,
        length_m=length,
        price_date=part.price_date if price is not None else "",
        price_source=_name_source(part, optics()) if price is not None else "",
    )


def _list_cages(blueprint: Blueprint) -> Iterator[BillRow]:
    """Yield all cages of the switches, used or not."""
    for role in blueprint.topology.roles:
        for model, count in blueprint.model_counts(role):
            cages = (model.cages or model.ports) * count
            yield BillRow("cage", model.name, role, cages, note="part of the switch", counted=False)
