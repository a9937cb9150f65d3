"""A change order as tables, as a plain object and as a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fabric import units
from fabric.atomic_write import write_atomically
from fabric.blueprint.bill_changes import PartChange
from fabric.errors import InputError
from fabric.export.changes import write_changes_csv
from fabric.layout.changes import Changes
from fabric.network import Network
from fabric.report.move_counts import count_moves
from fabric.report.table import Summary, Table
from fabric.studies.change_order import ChangeOrder

__all__ = ["change_order_object", "check_change_suffix", "summarize_change_order", "write_change_order"]

SCHEMA = "fabric.change-order/1"


def summarize_change_order(order: ChangeOrder) -> Summary:
    """Return what `fabric diff` prints: parts, devices and cables that change, with amounts; or no difference."""
    names = f"{order.before.spec.name} -> {order.after.spec.name}"
    if not order.differs:
        cables, devices = order.cables.stay, order.devices.stay
        same = f"{units.count_noun(devices, 'device')} and {units.count_noun(cables, 'cable')}"
        return Summary(f"{names}: no difference ({same}, the same parts at the same prices).", [], [])
    tables = [_tabulate_parts(order), _tabulate_prices(order), _tabulate_devices(order), _tabulate_cables(order)]
    return Summary(f"Change order, {names}.", [table for table in tables if table.rows], list(_list_lines(order)))


def _tabulate_parts(order: ChangeOrder) -> Table:
    currency = order.bills[1].currency
    rows = [
        (
            "buy" if part.quantity > 0 else "return",
            _name_part(part),
            units.count(abs(part.quantity)),
            _write_price(part, currency),
            units.money(_absolute(part.amount_usd), currency) if part.priced else "",
        )
        for part in sorted(order.parts, key=lambda part: part.quantity < 0)
        if part.quantity
    ]
    return Table("Parts", ("action", "part", "quantity", "unit price", "amount"), rows)


def _tabulate_prices(order: ChangeOrder) -> Table:
    currency = order.bills[1].currency
    rows = [
        (_name_part(part), *(units.money(price, currency) for price in (part.before_usd, part.after_usd)))
        for part in order.parts
        if part.before_usd != part.after_usd
    ]
    return Table("Unit prices that change", ("part", "before", "after"), rows)


def _name_part(part: PartChange) -> str:
    return part.part if part.length_m is None else f"{part.part}, {part.length_m:g} m"


def _write_price(part: PartChange, currency: str) -> str:
    if part.priced:
        return units.money(part.unit_price_usd, currency)
    return "" if part.kind == "rack" else "in the link"


def _absolute(amount: float | None) -> float | None:
    return None if amount is None else abs(amount)


def _tabulate_devices(order: ChangeOrder) -> Table:
    found = _count_by_name(order.devices, order, lambda network: [group.role for group in network.groups], _roles)
    return _tabulate("Devices", "role", order.devices, found)


def _tabulate_cables(order: ChangeOrder) -> Table:
    found = _count_by_name(order.cables, order, lambda network: list(network.bundles), lambda network: network.bundle)
    return _tabulate("Cables", "bundle", order.cables, found)


def _roles(network: Network) -> Any:
    return network.role


def _count_by_name(changes: Changes, order: ChangeOrder, names: Any, codes: Any) -> dict[str, list[int]]:
    """Return the changes of each role or bundle by action, under the name that it has after, before where removed."""
    found: dict[str, list[int]] = {}
    networks = order.before.layout.network, order.after.layout.network
    for number, action in enumerate(changes.actions):
        before, after = changes.rows(action)
        network, rows = (networks[0], before) if action == "remove" else (networks[1], after)
        labels = names(network)
        counted = np.bincount(codes(network)[rows], minlength=len(labels))
        for label, count in zip(labels, counted.tolist(), strict=True):
            found.setdefault(label, [0] * len(changes.actions))[number] += count
    return found


def _tabulate(title: str, head: str, changes: Changes, found: dict[str, list[int]]) -> Table:
    rows = [(name, *map(units.count, counts)) for name, counts in found.items() if any(counts)]
    return Table(title, (head, *changes.actions), rows)


def _list_lines(order: ChangeOrder) -> Iterator[str]:
    currency = order.bills[1].currency
    bought, returned = (units.money(each, currency) for each in (order.bought_usd, order.returned_usd))
    yield f"To buy: {bought}. To return: {returned} at the price that was paid."
    whole = [units.money(bill.order_usd, currency) for bill in order.bills]
    yield f"All parts: {whole[0]} before, {whole[1]} after."
    moves = order.ends_moved
    yield (
        f"{units.count_noun(moves, 'cable end')} {'is' if moves == 1 else 'are'} unplugged and put elsewhere; "
        f"{units.count_noun(order.cables.stay, 'cable')} and {units.count_noun(order.devices.stay, 'device')} stay "
        "untouched."
    )
    if order.fewest is not None:
        plan = order.fewest
        gap = "the fewest" if plan.unplugged == plan.bound else f"at least {units.count(plan.bound)}"
        yield (
            f"Where devices may take other names, as in fabric grow: {units.count_noun(plan.unplugged, 'cable end')} "
            f"unplugged ({gap}), {units.count(plan.moved)} of them put elsewhere."
        )


def change_order_object(order: ChangeOrder) -> dict[str, Any]:
    """Return the change order as one plain object (docs/growth.md): parts one by one, devices and cables in counts."""
    return {
        "schema": SCHEMA,
        "before": order.before.spec.name,
        "after": order.after.spec.name,
        "differs": order.differs,
        "currency": order.bills[1].currency,
        "parts": [
            {
                "kind": part.kind,
                "part": part.part,
                "length_m": part.length_m,
                "before": part.before,
                "after": part.after,
                "quantity": part.quantity,
                "before_usd": part.before_usd,
                "after_usd": part.after_usd,
                "amount_usd": part.amount_usd if part.priced else None,
            }
            for part in order.parts
        ],
        "bought_usd": order.bought_usd,
        "returned_usd": order.returned_usd,
        "order_usd": dict(zip(("before", "after"), (bill.order_usd for bill in order.bills), strict=True)),
        "devices": order.devices.counts() | {"stay": order.devices.stay},
        "cables": order.cables.counts() | {"stay": order.cables.stay},
        "cable_ends_moved": order.ends_moved,
        "fewest": None if order.fewest is None else count_moves(order.fewest),
    }


def check_change_suffix(file: str) -> None:
    """Raise InputError for a file of a change order that is not CSV."""
    if Path(file).suffix.lower() != ".csv":
        raise InputError(f"{file}: unknown suffix; write changes.csv")


def write_change_order(order: ChangeOrder, file: str | os.PathLike[str]) -> Path:
    """Write every change to a CSV file, whole or not at all.

    Raises InputError for another suffix, and FabricError saying what the system refused.
    """
    check_change_suffix(os.fspath(file))
    target = Path(file)

    def make(temporary: Path) -> list[str]:
        wirings = order.before.wiring, order.after.wiring
        write_changes_csv(temporary / target.name, wirings, order.parts, order.devices, order.models, order.cables)
        return [target.name]

    return write_atomically(target.parent, make)[0]
