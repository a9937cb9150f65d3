"""Server-centric fabrics by levels: servers at the bottom, switches above, a sample of every axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from fabric.draw.canvas import Box, Label, Mark, elide, text_width
from fabric.draw.graph_scene import (
    FULL,
    MOST_LINES,
    WHOLE,
    GraphFabric,
    GraphScene,
    Point,
    draw_caption,
    draw_card,
    draw_gap,
    draw_link,
    draw_number,
    pairs_between,
    sample_values,
)  # fmt: skip
from fabric.draw.palette import ACCENT, BODY_PT, GREY, INK, SMALL_PT, WHITE
from fabric.draw.sampling import Card, Step, step_between
from fabric.draw.tier_layout import Column
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE, Group, title

__all__ = ["draw_levels"]

ROWS = Column(118.0, FULL.end - 18)
PITCH, SWITCH, SERVER = 66.0, 14.0, 20.0
WEIGHTS: dict[Step, float] = {"next": 1.0, "turn": 1.5, "gap": 2.1}
MOST_SERVERS, MOST_SWITCHES = 16, 36
"""The most servers that are drawn of a large fabric, and the most switches of a row."""

Shown = Mapping[str, Sequence[int]]


def draw_levels(graph: GraphFabric) -> GraphScene:
    """Return the servers and every level of switches, with the same sample of each axis, and all links between them."""
    form = graph.form
    servers = (*form.groups[1].axes, "slot")
    shown, whole = _sample_axes(graph, servers)
    height = PITCH * len(form.groups) + 8
    rest = (
        "with a line between all that are joined"
        if whole
        else "with the links between those drawn: the first and last of each axis"
    )
    marks, _ = draw_caption("All servers and switches" if whole else "Servers and switches", rest, FULL, height)
    spots = {
        group: _spread_row(graph, group.axes, shown, 20 + PITCH * (index + 1)) for index, group in _number_groups(form)
    }
    hosts = _spread_row(graph, servers, shown, 20)
    ports = _port_spots(graph, hosts, shown["nic"])
    marks += _draw_links(graph, form, spots, ports)
    marks += _draw_servers(hosts, ports) + _draw_row_label(form.server, servers, 20)
    for index, group in _number_groups(form):
        marks += _draw_switches(graph, group, spots[group])
        marks += _draw_row_label(group, group.axes, 20 + PITCH * (index + 1))
    groups = [(servers, hosts), *((group.axes, spots[group]) for group in form.switch_groups)]
    marks += [mark for axes, at in groups for mark in _draw_gaps(graph, axes, at)]
    where = {(group.role, number): spot for group, at in spots.items() for number, spot in at.items()}
    where |= {("server", number): (x, y + SERVER / 2) for number, (x, y) in hosts.items()}
    halo = min(20.0, *map(_card_width, spots.values())) + 6, SWITCH + 6
    host = min(36.0, _card_width(hosts)), SERVER
    return GraphScene(marks, height, graph.fills, gaps=not whole, spots=where, halo=halo, host=host)


def _number_groups(form: GraphForm) -> list[tuple[int, Group]]:
    return list(enumerate(form.switch_groups))


def _sample_axes(graph: GraphFabric, servers: Sequence[str]) -> tuple[Shown, bool]:
    """Return the values of every axis that are drawn, and whether these are all values."""
    form, sizes = graph.form, graph.sizes
    groups = [group.axes for group in form.switch_groups]
    names = dict.fromkeys([*servers, "nic", *(axis for axes in groups for axis in axes)])
    lines = sum(map(graph.blueprint.links, form.bundles))
    switches = sum(graph.count_switches(group) for group in form.switch_groups)
    if switches <= WHOLE and lines <= MOST_LINES and sizes["server"] <= 2 * MOST_SERVERS:
        return {axis: range(sizes[axis]) for axis in names}, True
    for most in (4, 3, 2):
        shown = {axis: sample_values(sizes[axis], most) for axis in names}
        number = max(math.prod(len(shown[axis]) for axis in axes) for axes in groups)
        if number <= MOST_SWITCHES and math.prod(len(shown[axis]) for axis in servers) <= MOST_SERVERS:
            break
    return shown, False


def _cards_by_number(graph: GraphFabric, axes: Sequence[str], shown: Shown) -> dict[int, Card]:
    """Return the devices that are drawn by their numbers, with their coordinates."""
    found = {}
    for values in product(*(shown[axis] for axis in axes)):
        number = 0
        for axis, value in zip(axes, values, strict=True):
            number = number * graph.sizes[axis] + value
        found[number] = Card(dict(zip(axes, values, strict=True)), 1)
    return found


def _spread_row(graph: GraphFabric, axes: Sequence[str], shown: Shown, y: float) -> dict[int, Point]:
    """Return the positions of a row's devices by their numbers, those with the same outer coordinates together."""
    cards = _cards_by_number(graph, axes, shown)
    if axes[-1] == "slot":
        cards = {number: draw_card for number, draw_card in cards.items() if number < graph.blueprint.servers}
    places = [0.0]
    for left, right in pairwise(cards.values()):
        places.append(places[-1] + WEIGHTS[step_between(left, right)])
    pitch = min(52.0 if axes[-1] == "slot" else 26.0, ROWS.width / (places[-1] + 1))
    first = ROWS.middle - pitch * places[-1] / 2
    return {number: (first + pitch * index, y) for number, index in zip(cards, places, strict=True)}


def _card_width(spots: Mapping[int, Point]) -> float:
    """Return the width of a row's cards, with room for dots between those that are not neighbours."""
    apart = [(high - low, right[0] - left[0]) for (low, left), (high, right) in pairwise(spots.items())]
    return min((far * 0.82 if by == 1 else min(far * 0.82, far - 11) for by, far in apart), default=36.0)


def _port_spots(graph: GraphFabric, hosts: Mapping[int, Point], nics: Sequence[int]) -> dict[int, Point]:
    """Return the positions of the NICs of the servers drawn, by their numbers, on top of their servers."""
    width = min(36.0, _card_width(hosts))
    pitch = width / len(nics)
    return {
        server * graph.sizes["nic"] + nic: (x - width / 2 + pitch * (index + 0.5), y + SERVER / 2)
        for server, (x, y) in hosts.items()
        for index, nic in enumerate(nics)
    }


def _draw_links(
    graph: GraphFabric, form: GraphForm, spots: Mapping[Group, Mapping[int, Point]], ports: Mapping[int, Point]
) -> list[Mark]:
    """Draw the links between the devices drawn, the longest first."""
    marks: list[Mark] = []
    for bundle in reversed(form.bundles):
        uppers = spots[bundle.upper]
        if bundle in form.host_patterns:
            switch = bundle.pairs(graph.sizes)[1]
            joined = [(nic, int(switch[nic])) for nic in ports if int(switch[nic]) in uppers]
            lowers = ports
        else:
            lowers = spots[bundle.lower]
            joined = pairs_between(bundle.pairs(graph.sizes), list(lowers), list(uppers))
        marks += [draw_link(lowers[low], uppers[high], graph.colour(bundle)) for low, high in joined]
    return marks


def _draw_servers(hosts: Mapping[int, Point], ports: Mapping[int, Point]) -> list[Mark]:
    """Draw the servers with their NICs."""
    wide, marks = min(36.0, _card_width(hosts)), list[Mark]()
    fit = _numbers_fit(hosts, wide)
    each = wide * len(hosts) / max(len(ports), 1)
    for number, (x, y) in hosts.items():
        marks.append(Box(x - wide / 2, y - SERVER / 2, wide, SERVER, WHITE, ACCENT, 2, 0.6))
        marks += draw_number((x, y - 3), (wide, 10.0), str(number) if fit else "", INK)
    side = min(3.4, 0.8 * each)
    marks += [Box(x - side / 2, y - 3.4, side, 3.4, GREY, INK, 0, 0.3) for x, y in ports.values()]
    return marks


def _draw_switches(graph: GraphFabric, group: Group, spots: Mapping[int, Point]) -> list[Mark]:
    size = (min(20.0, _card_width(spots)), SWITCH)
    fill, fit = graph.fills[group.role], _numbers_fit(spots, size[0])
    return [mark for number, at in spots.items() for mark in draw_card(at, size, fill, str(number) if fit else "")]


def _numbers_fit(spots: Mapping[int, Point], width: float) -> bool:
    """Say whether the numbers of all cards of a row fit."""
    return all(text_width(str(number), SMALL_PT) <= width - 1.2 for number in spots)


def _draw_row_label(group: Group, axes: Sequence[str], y: float) -> list[Mark]:
    """Name a row at the left, with the axes that number its devices under it."""
    width = ROWS.start - FULL.start - 20
    heading = title(group.role).capitalize()
    digits = ", ".join(title(axis) for axis in axes if axis != PLANE)
    return [
        Label(FULL.start, y + 1.5, elide(heading, width, BODY_PT, bold=True), BODY_PT, INK, bold=True),
        Label(FULL.start, y - 7.5, elide(digits, width, SMALL_PT), SMALL_PT, GREY),
    ]


def _draw_gaps(graph: GraphFabric, axes: Sequence[str], spots: Mapping[int, Point]) -> list[Mark]:
    """Draw dots where values of the last axis are left out."""
    marks: list[Mark] = []
    for (low, left), (high, right) in pairwise(spots.items()):
        size = graph.sizes[axes[-1]]
        if high - low > 1 and low // size == high // size:
            marks += draw_gap(left, right)
    return marks
