"""The load of links: for each bundle as a distribution, and for each uplink as a heat map, routing by routing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, Raster, elide, text_width
from fabric.draw.legend import swatch_entry
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, OKABE_ITO, SMALL_PT
from fabric.draw.ramp import draw_ramp, load_colours
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.draw.traffic import Traffic, describe_placement, ring_phase
from fabric.draw.words import count_devices
from fabric.errors import InputError
from fabric.flow.failures import fail
from fabric.flow.host_links import bundle_rows
from fabric.flow.link_utilization import link_loads
from fabric.flow.routings import ROUTINGS, Routing
from fabric.network.expand import expand
from fabric.topology.topology import title
from fabric.units import count, count_noun

__all__ = ["lay_out_load", "load_shares", "uplink_loads"]

STEP, MOST = 0.25, 4.0
"""The width of a bar of the distribution, in loads, and the load of the last bar, which includes all above it."""

BARS, HEAT = 92.0, 190.0
LEAVES, UPLINKS = 96, 64
"""The most leaves in the heat map, and the most links of each."""

INKS = (INK, "#93A1AF", OKABE_ITO[3], OKABE_ITO[2])
"""The colours of the routings, none of which the heat map uses."""

Loads = npt.NDArray[np.float64]


def lay_out_load(blueprint: Blueprint, traffic: Traffic) -> Canvas:
    """Return the loads as a page; raises as `link_loads` does, and InputError for a single server."""
    if blueprint.servers < 2:
        raise InputError(f"{blueprint.name}: a single server puts no load on its links; ask for two or more")
    placement = traffic.placement or "random"
    up = fail(blueprint, traffic.failures, traffic.seed) if traffic.failures else None
    phase = ring_phase(blueprint, placement, traffic.seed, up)
    routings = [routing.over(blueprint.planes) for routing in traffic.routings]
    loads = [link_loads(blueprint, phase, routing, up) for routing in routings]
    if up is not None:
        loads = [np.where(up, each, np.nan) for each in loads]
    parts = [_draw_distributions(blueprint, loads)]
    uplinks = [uplink_loads(blueprint, each) for each in loads]
    if uplinks[0].shape[1]:
        parts.append(_draw_heat_maps(blueprint, routings, uplinks))
    notes = (
        "Load: the traffic of flows at line rate over the capacity of the link; above 1 the flows slow down.",
        "A bar counts the loads within 0.125 of its own.",
        _traffic_note(placement, traffic.seed, phase.flows),
        *([_failure_note(traffic, up)] if up is not None else []),
    )
    entries = [swatch_entry(_routing_title(routing), ink) for ink, routing in zip(INKS, routings, strict=False)]
    return compose(blueprint, parts, entries, notes, line="Load of the links, both directions")


def _traffic_note(placement: str, seed: int, flows: int) -> str:
    rings = f"{count(flows)} flows of an all-reduce, in one ring of all servers for each GPU of a server"
    return f"Traffic: {rings}, with ranks {describe_placement(placement, seed)}; every flow is routed."


def _failure_note(traffic: Traffic, up: npt.NDArray[np.bool_]) -> str:
    links = count_noun(int((~up).sum()), "link")
    what = f"After {', '.join(traffic.failures)} (seed {traffic.seed})"
    return f"{what}: {links} down, left out of the bars and grey among the cells."


def _routing_title(routing: Routing) -> str:
    policy = ROUTINGS[routing.name]
    queue_pairs = "" if policy.sprays else f", {count_noun(routing.qps, 'queue pair')}"
    return f"{policy.label[:1].upper()}{policy.label[1:]} routing{queue_pairs}"


def _draw_distributions(blueprint: Blueprint, loads: Sequence[Loads]) -> Part:
    """Draw a panel of bars for each bundle: the share of its links by their load."""
    rows = bundle_rows(blueprint)
    across = min(len(rows), 4)
    lines = -(-len(rows) // across)
    width = (WIDTH - 2 * MARGIN + 16) / across
    each = BARS + 64 + 9 * len(loads)
    marks: list[Mark] = []
    for number, (name, (first, end)) in enumerate(rows.items()):
        column = Column(MARGIN + number % across * width, MARGIN + (number % across + 1) * width - 16)
        bottom = (lines - 1 - number // across) * each
        panel = [found[:, first:end].reshape(-1) for found in loads]
        marks += _draw_panel(name, [found[~np.isnan(found)] for found in panel], column, bottom)
    return Part(marks, lines * each - 6)


def _draw_panel(name: str, loads: Sequence[Loads], column: Column, bottom: float) -> list[Mark]:
    bars = [load_shares(found) for found in loads]
    foot = bottom + 26 + 9 * len(loads)
    top = foot + BARS
    inner = Column(column.start + 22, column.end)
    step = inner.width / len(bars[0])
    heading = elide(name, column.width, BODY_PT, bold=True)
    marks: list[Mark] = [Label(column.start, top + 12, heading, BODY_PT, INK, bold=True)]
    words, start = "share of link directions by load", column.start + text_width(heading, BODY_PT, bold=True) + 6
    if start + text_width(words, SMALL_PT) <= column.end:
        marks.append(Label(start, top + 12, words, SMALL_PT, GREY))
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
        words = f"mean {found.mean():.2f}, max {found.max(initial=0):.2f}" if found.size else "all links down"
        marks += [Box(inner.start, y, 5, 5, INKS[side], "none", 0, 0)]
        marks += [Label(inner.start + 9, y, elide(words, inner.width - 9, SMALL_PT), SMALL_PT, GREY)]
    return marks


def load_shares(loads: Loads) -> Loads:
    """Return the share of links whose load is nearest to 0, STEP, 2 STEP and so on, the last with all above.

    A load halfway between two counts for the upper.
    """
    last = int(MOST / STEP)
    nearest = np.minimum(np.floor(loads / STEP + 0.5 + 1e-9), last).astype(np.int64)
    return np.asarray(np.bincount(nearest, minlength=last + 1) / max(1, len(loads)))


def uplink_loads(blueprint: Blueprint, loads: Loads) -> Loads:
    """Return the load that leaves each leaf by its links to other switches, shape (leaves, links), in port order.

    The rows of leaves with fewer links than others end in NaN.
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


def _draw_heat_maps(blueprint: Blueprint, routings: Sequence[Routing], tables: Sequence[Loads]) -> Part:
    """Draw the uplinks of some leaves as cells, one leaf per column, for each routing."""
    width = (WIDTH - 2 * MARGIN + 16) / len(tables)
    foot = 44.0
    marks: list[Mark] = []
    for number, table in enumerate(tables):
        column = Column(MARGIN + number * width, MARGIN + (number + 1) * width - 16)
        heading = elide(_routing_title(routings[number]), column.width, BODY_PT, bold=True)
        marks.append(Label(column.start, foot + HEAT + 5, heading, BODY_PT, INK, bold=True))
        cells = load_colours(table[:LEAVES, :UPLINKS].T[::-1])
        marks.append(Raster(column.start, foot, column.width, HEAT, cells))
        marks.append(Box(column.start, foot, column.width, HEAT, "none", HAIR, 0, 0.5))
    return Part([*marks, *_describe_axes(blueprint, tables[0])], foot + HEAT + 14)


def _describe_axes(blueprint: Blueprint, table: Loads) -> list[Mark]:
    """Describe columns and rows, and draw the scale of the colours."""
    leaf = title(blueprint.topology.switch_groups[0].role)
    leaves, links = table.shape
    some = f"the first {LEAVES} of {count_devices(leaves, leaf)}" if leaves > LEAVES else count_devices(leaves, leaf)
    many = (
        f"the first {UPLINKS} of each leaf's {count(links)} links to switches, by port"
        if links > UPLINKS
        else f"each leaf's {count(links)} links to switches, by port"
    )
    words = f"Columns: {some}; rows: {many}"
    scale = np.linspace(0, MOST, 81)
    ticks = [(value / MOST, text) for value, text in ((0, "0"), (1, "1 (full)"), (2, "2"), (3, "3"), (4, "≥ 4"))]
    x = MARGIN + text_width("load", SMALL_PT) + 8
    return [
        Label(MARGIN, 33, elide(words, WIDTH - 2 * MARGIN, SMALL_PT), SMALL_PT, GREY),
        Label(MARGIN, 12, "load", SMALL_PT, GREY),
        *draw_ramp(x, 12, 190, load_colours(scale), ticks),
    ]
