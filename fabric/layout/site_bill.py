"""The bill of materials of a laid-out fabric: fibres and cables by length as sold, and the racks of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.bill import bill
from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.layout.layout import Layout
from fabric.layout.wired_parts import count_wired_parts
from fabric.layout.wiring import Wiring
from fabric.request.site import KINDS

__all__ = ["RackPower", "bill_on_site", "power_of_racks"]


def bill_on_site(blueprint: Blueprint, wiring: Wiring) -> Bill:
    """Return the bill of materials of a blueprint whose cables are those of `wiring`.

    Parts are those of its cables, modules those of the cages in use. Racks have no price.
    """
    found = bill(blueprint, wiring.prices, count_wired_parts(blueprint, wiring))
    return replace(found, rows=(*found.rows, *_list_racks(blueprint, wiring.layout)))


def _list_racks(blueprint: Blueprint, layout: Layout) -> Iterator[BillRow]:
    """Yield the racks of each kind; a server that is a rack itself brings its own."""
    for kind in KINDS:
        racks = layout.holds_servers == (kind == "server")
        count, offered = int(racks.sum()), layout.site.racks[kind]
        if not count or (kind == "server" and blueprint.server.trays > 1):
            continue
        limit = f", {offered.most_kw:g} kW" if offered.most_kw is not None else ""
        drawn = power_of_racks(layout, kind)
        total = units.known_power(drawn.total_w, drawn.known)
        note = f"draw at most {units.power(drawn.most_w)} each, {total} in all" if drawn.known else f"power: {total}"
        yield BillRow("rack", f"rack, {offered.units}U{limit}", kind, count, note=note, counted=False)


class RackPower(NamedTuple):
    """The power of the racks of a kind, in W."""

    most_w: float
    """The most known power in one rack."""
    total_w: float
    """The known power of all racks."""
    known: bool
    """Whether the power of every device in them is known."""


def power_of_racks(layout: Layout, kind: str) -> RackPower:
    """Return the power of the racks of a kind, as far as it is known."""
    racks = layout.holds_servers == (kind == "server")
    drawn, known = layout.rack_w[racks], bool(layout.power_known[racks].all())
    return RackPower(float(drawn.max(initial=0)), float(drawn.sum()), known)
