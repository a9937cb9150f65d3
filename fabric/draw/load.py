"""The load of links: tier by tier as a distribution, and uplink by uplink as a heat map, a routing beside another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, Raster, elide, text_width
from fabric.draw.legend import swatch_entry
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, OKABE_ITO, SMALL_PT
from fabric.draw.ramp import load_colours, ramp_bar
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.draw.words import count_devices
from fabric.errors import InputError
from fabric.flow.host_links import bundle_rows
from fabric.flow.link_utilization import link_loads
from fabric.flow.placements import place
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.traffic import phases
from fabric.network.expand import expand
from fabric.topology.topology import title
from fabric.units import count

__all__ = ["Traffic", "lay_out_load", "uplinks"]

STEP, MOST = 0.25, 4.0
"""The width of a bar of the distribution, in loads, and what the last stands for, with all above."""

BARS, HEAT = 92.0, 190.0
LEAVES, UPLINKS = 96, 64
"""The most leaves, and the most links of each, in the heat map."""

INKS = (INK, "#93A1AF", OKABE_ITO[3], OKABE_ITO[2])
"""The routings' colours, none of them one of the heat map's."""

Loads = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """What is laid on the links: an all-reduce by rings between servers, its ranks so placed, by these routings.

    Left out, ranks are placed at random for the load of links, and in order over racks.
    """

    routings: tuple[Routing, ...] = (Routing("ecmp", 2), ADAPTIVE)
    placement: str | None = None
    seed: int = 0


def lay_out_load(blueprint: Blueprint, traffic: Traffic) -> Canvas:
    """Return the loads as a page; raises as `link_loads` does, and InputError where no servers are to be joined."""
    if blueprint.servers < 2:
        raise InputError(f"{blueprint.name}: one server puts nothing on its links; take two or more")
    placement = traffic.placement or "random"
    ranks = place(blueprint, placement, seed=traffic.seed)
    (phase,) = phases(blueprint.server, ranks, "all-reduce", "hierarchical-ring")
    traffic = replace(traffic, routings=tuple(routing.over(blueprint.planes) for routing in traffic.routings))
    loads = [link_loads(blueprint, phase, routing) for routing in traffic.routings]
    parts = [_distributions(blueprint, loads)]
    owner = uplinks(blueprint, loads[0])
    if owner.shape[1]:
        parts.append(_heat(blueprint, traffic, [uplinks(blueprint, each) for each in loads]))
    notes = (
        "The load of a link is what flows at line rate would put on it, over what it carries: above 1 they slow down.",
        "A bar stands for the loads within an eighth of its own.",
        _traffic(placement, traffic.seed, phase.flows),
    )
    entries = [swatch_entry(_said(routing), ink) for ink, routing in zip(INKS, traffic.routings, strict=False)]
    return compose(blueprint, parts, entries, notes, line="load of the links, in both directions")


def _traffic(placement: str, seed: int, flows: int) -> str:
    said = f"{count(flows)} flows of an all-reduce, a ring of all servers for each GPU of a server"
    how = {"random": f"on servers in random order (seed {seed})", "contiguous": "in order"}.get(placement, placement)
    return f"Traffic: {said}, its ranks {how}; all of them are routed."


def _said(routing: Routing) -> str:
    names = {"ecmp": "ECMP", "dmodk": "destination-mod-k", "adaptive": "adaptive", "valiant": "Valiant's"}
    qps = "" if routing.name in ("adaptive",) else f", {routing.qps} queue pair{'s' if routing.qps > 1 else ''}"
    return f"{names[routing.name]} routing{qps}"


def _distributions(blueprint: Blueprint, loads: Sequence[Loads]) -> Part:
    """Draw a panel of bars for each bundle: the share of its links that have so much load."""
    rows = bundle_rows(blueprint)
    across = min(len(rows), 4)
    lines = -(-len(rows) // across)
    width = (WIDTH - 2 * MARGIN + 16) / across
    each = BARS + 64 + 9 * len(loads)
    marks: list[Mark] = []
    for number, (name, (first, end)) in enumerate(rows.items()):
        column = Column(MARGIN + number % across * width, MARGIN + (number % across + 1) * width - 16)
        bottom = (lines - 1 - number // across) * each
        marks += _panel(name, [found[:, first:end].reshape(-1) for found in loads], column, bottom)
    return Part(marks, lines * each - 6)


def _panel(name: str, loads: Sequence[Loads], column: Column, bottom: float) -> list[Mark]:
    bars = [_bars(found) for found in loads]
    foot = bottom + 26 + 9 * len(loads)
    top = foot + BARS
    inner = Column(column.start + 22, column.end)
    step = inner.width / len(bars[0])
    head = elide(name, column.width, BODY_PT, bold=True)
    marks: list[Mark] = [Label(column.start, top + 12, head, BODY_PT, INK, bold=True)]
    said, start = "share of link directions by load", column.start + text_width(head, BODY_PT, bold=True) + 6
    if start + text_width(said, SMALL_PT) <= column.end:
        marks.append(Label(start, top + 12, said, SMALL_PT, GREY))
    for share in (0, 50, 100):
        y = foot + BARS * share / 100
        text = f"{share} %" if share == 100 else str(share)
        marks += [Line(inner.start, y, inner.end, y, HAIR, 0.4)]
        marks += [Label(inner.start - 3, y - 2.4, text, SMALL_PT, GREY, align="right")]
    full = inner.start + step * (1 / STEP + 0.5)
    marks.append(Line(full, foot, full, top, GREY, 0.5, 0.7))
    wide = 0.84 * step / len(bars)
    for side, found in enumerate(bars):
        for number, share in enumerate(found.tolist()):
            x = inner.start + step * number + 0.08 * step + wide * side
            marks += [Box(x, foot, wide, BARS * share, INKS[side], "none", 0, 0)] if share else []
    for load in (0, 1, 2, 3):
        x = inner.start + step * (load / STEP + 0.5)
        marks.append(Label(x, foot - 9, str(load), SMALL_PT, GREY, align="center"))
    marks.append(Label(inner.end, foot - 9, "4+", SMALL_PT, GREY, align="right"))
    for side, found in enumerate(loads):
        y = foot - 19 - 9 * side
        words = f"mean {found.mean():.2f}, most {found.max(initial=0):.2f}"
        marks += [Box(inner.start, y, 5, 5, INKS[side], "none", 0, 0)]
        marks += [Label(inner.start + 9, y, elide(words, inner.width - 9, SMALL_PT), SMALL_PT, GREY)]
    return marks


def _bars(loads: Loads) -> Loads:
    """Return the share of links whose load is nearest to 0, to STEP, to twice that and so on, the last for all above.

    A load halfway between two counts for the upper.
    """
    last = int(MOST / STEP)
    nearest = np.minimum(np.floor(loads / STEP + 0.5 + 1e-9), last).astype(np.int64)
    return np.asarray(np.bincount(nearest, minlength=last + 1) / max(1, len(loads)))


def uplinks(blueprint: Blueprint, loads: Loads) -> Loads:
    """Return the load that leaves each leaf by its links to other switches, shape (leaves, links), by port.

    A leaf that has fewer links than another has numbers missing at the end of its row.
    """
    network, leaf = expand(blueprint), blueprint.topology.switch_groups[0].role
    group = network.group(leaf)
    links = np.flatnonzero(network.bundle >= len(blueprint.topology.host_bundles))
    ends, ports, load = list[Any](), list[Any](), list[Any]()
    for end, port, arcs in (
        (network.lower, network.lower_port, loads[0]),
        (network.upper, network.upper_port, loads[1]),
    ):
        rows = links[(end[links] >= group.first) & (end[links] < group.first + group.count)]
        ends.append(end[rows] - group.first)
        ports.append(port[rows])
        load.append(arcs[rows])
    owner, at, sent = (np.concatenate(part) for part in (ends, ports, load))
    order = np.lexsort((at, owner))
    many = np.bincount(owner.astype(np.int64), minlength=group.count)
    table = np.full((group.count, int(many.max(initial=0))), np.nan)
    owner = owner[order].astype(np.int64)
    table[owner, np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)] = sent[order]
    return table


def _heat(blueprint: Blueprint, traffic: Traffic, tables: Sequence[Loads]) -> Part:
    """Draw the uplinks of some leaves as cells, a leaf in each column, once for each routing."""
    width = (WIDTH - 2 * MARGIN + 16) / len(tables)
    foot = 44.0
    marks: list[Mark] = []
    for number, table in enumerate(tables):
        column = Column(MARGIN + number * width, MARGIN + (number + 1) * width - 16)
        head = elide(_said(traffic.routings[number]), column.width, BODY_PT, bold=True)
        marks.append(Label(column.start, foot + HEAT + 5, head, BODY_PT, INK, bold=True))
        cells = load_colours(table[:LEAVES, :UPLINKS].T[::-1])
        marks.append(Raster(column.start, foot, column.width, HEAT, cells))
        marks.append(Box(column.start, foot, column.width, HEAT, "none", HAIR, 0, 0.5))
    return Part([*marks, *_axes(blueprint, tables[0])], foot + HEAT + 14)


def _axes(blueprint: Blueprint, table: Loads) -> list[Mark]:
    """Say what columns and rows are, and draw the scale of the colours."""
    leaf = title(blueprint.topology.switch_groups[0].role)
    leaves, links = table.shape
    some = (
        f"the first {count_devices(LEAVES, leaf)} of {count(leaves)}"
        if leaves > LEAVES
        else count_devices(leaves, leaf)
    )
    many = (
        f"its first {UPLINKS} links of {count(links)} to switches, by port"
        if links > UPLINKS
        else f"its {count(links)} links to switches, by port"
    )
    words = f"across: {some}; upwards: {many}"
    scale = np.linspace(0, MOST, 81)
    ticks = [(value / MOST, text) for value, text in ((0, "0"), (1, "1: full"), (2, "2"), (3, "3"), (4, "≥ 4"))]
    x = MARGIN + text_width("load", SMALL_PT) + 8
    return [
        Label(MARGIN, 33, elide(words, WIDTH - 2 * MARGIN, SMALL_PT), SMALL_PT, GREY),
        Label(MARGIN, 12, "load", SMALL_PT, GREY),
        *ramp_bar(x, 12, 190, load_colours(scale), ticks),
    ]
