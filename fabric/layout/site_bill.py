"""The bill of materials of a laid-out fabric: fibres and cables by length as sold, and the racks of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.bill import bill
from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.layout.layout import Layout
from fabric.layout.wiring import Wiring
from fabric.request.site import KINDS

__all__ = ["bill_on_site", "power_of_racks"]


def bill_on_site(blueprint: Blueprint, wiring: Wiring) -> Bill:
    """Return the bill of materials of a blueprint whose cables are those of `wiring`.

    Parts are those that reach the longest link of each bundle. Racks have no price.
    """
    found = bill(blueprint, wiring.prices, wiring.count_lengths())
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
        note = "draw at most {} each, {} in all".format(*map(units.power, drawn)) if drawn else "power not known"
        yield BillRow("rack", f"rack, {offered.units}U{limit}", kind, count, note=note, counted=False)


def power_of_racks(layout: Layout, kind: str) -> tuple[float, float] | None:
    """Return the most power in one rack of a kind, and of all of them, in W; None where a model's is not known."""
    drawn = layout.rack_w[layout.holds_servers == (kind == "server")]
    return None if layout.unknown_power else (float(drawn.max(initial=0)), float(drawn.sum()))
