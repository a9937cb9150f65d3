"""Server-centric fabrics by levels: servers at the bottom, switches above, the first and last of each digit drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Label, Mark, elide, text_width
from fabric.draw.graph_scene import (
    FULL,
    MOST_LINES,
    WHOLE,
    GraphScene,
    Point,
    between,
    caption,
    card,
    colour,
    dots,
    few,
    fills,
    link,
    number_in,
    size_of,
)  # fmt: skip
from fabric.draw.palette import ACCENT, BODY_PT, GREY, INK, SMALL_PT, WHITE
from fabric.draw.sampling import Card, Step, step
from fabric.draw.tier_layout import Column
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE, Group, title

__all__ = ["levels"]

ROWS = Column(118.0, FULL.end - 18)
PITCH, SWITCH, SERVER = 66.0, 14.0, 20.0
WEIGHTS: dict[Step, float] = {"next": 1.0, "turn": 1.5, "gap": 2.1}
MOST_SERVERS, MOST_SWITCHES = 16, 36
"""The most servers drawn of a large fabric, and the most switches of a row."""

Shown = Mapping[str, Sequence[int]]


def levels(blueprint: Blueprint) -> GraphScene:
    """Return the servers and every level of switches, the sample of a digit the same in all, and all links between."""
    form = blueprint.topology
    assert isinstance(form, GraphForm)
    servers = (*form.groups[1].axes, "slot")
    shown, whole = _sample(blueprint, servers)
    height = PITCH * len(form.groups) + 8
    rest = (
        "and a line for all that are joined"
        if whole
        else "and the links between those that are drawn: the first and last of each digit"
    )
    marks, _ = caption("All servers and switches" if whole else "Servers and switches", rest, FULL, height)
    spots = {group: _row(blueprint, group.axes, shown, 20 + PITCH * (place + 1)) for place, group in _rows(form)}
    hosts = _row(blueprint, servers, shown, 20)
    ports = _ports(blueprint, hosts, shown["nic"])
    marks += _links(blueprint, form, spots, ports)
    marks += _servers(hosts, ports) + _named(form.server, servers, 20)
    for place, group in _rows(form):
        marks += _switches(blueprint, group, spots[group])
        marks += _named(group, group.axes, 20 + PITCH * (place + 1))
    groups = [(servers, hosts), *((group.axes, spots[group]) for group in form.switch_groups)]
    marks += [mark for axes, at in groups for mark in _gaps(blueprint, axes, at)]
    where = {(group.role, number): spot for group, at in spots.items() for number, spot in at.items()}
    where |= {("server", number): (x, y + SERVER / 2) for number, (x, y) in hosts.items()}
    halo = min(20.0, *map(_width, spots.values())) + 6, SWITCH + 6
    host = min(36.0, _width(hosts)), SERVER
    return GraphScene(marks, height, fills(blueprint), gaps=not whole, spots=where, halo=halo, host=host)


def _rows(form: GraphForm) -> list[tuple[int, Group]]:
    return list(enumerate(form.switch_groups))


def _sample(blueprint: Blueprint, servers: Sequence[str]) -> tuple[Shown, bool]:
    """Return the values that are drawn of every axis, and whether these are all."""
    form, sizes = blueprint.topology, blueprint.sizes
    groups = [group.axes for group in form.switch_groups]
    names = dict.fromkeys([*servers, "nic", *(axis for axes in groups for axis in axes)])
    lines = sum(map(blueprint.links, form.bundles))
    switches = sum(size_of(blueprint, group) for group in form.switch_groups)
    if switches <= WHOLE and lines <= MOST_LINES and sizes["server"] <= 2 * MOST_SERVERS:
        return {axis: range(sizes[axis]) for axis in names}, True
    for most in (4, 3, 2):
        shown = {axis: few(sizes[axis], most) for axis in names}
        number = max(math.prod(len(shown[axis]) for axis in axes) for axes in groups)
        if number <= MOST_SWITCHES and math.prod(len(shown[axis]) for axis in servers) <= MOST_SERVERS:
            break
    return shown, False


def _numbered(blueprint: Blueprint, axes: Sequence[str], shown: Shown) -> dict[int, Card]:
    """Return the devices that are drawn by their numbers, with their digits."""
    found = {}
    for values in product(*(shown[axis] for axis in axes)):
        number = 0
        for axis, value in zip(axes, values, strict=True):
            number = number * blueprint.sizes[axis] + value
        found[number] = Card(dict(zip(axes, values, strict=True)), 1)
    return found


def _row(blueprint: Blueprint, axes: Sequence[str], shown: Shown, y: float) -> dict[int, Point]:
    """Return where the devices of a row stand by their numbers, those with the same outer digits together."""
    cards = _numbered(blueprint, axes, shown)
    if axes[-1] == "slot":
        cards = {number: card for number, card in cards.items() if number < blueprint.servers}
    places = [0.0]
    for left, right in pairwise(cards.values()):
        places.append(places[-1] + WEIGHTS[step(left, right)])
    pitch = min(52.0 if axes[-1] == "slot" else 26.0, ROWS.width / (places[-1] + 1))
    first = ROWS.middle - pitch * places[-1] / 2
    return {number: (first + pitch * place, y) for number, place in zip(cards, places, strict=True)}


def _width(spots: Mapping[int, Point]) -> float:
    """Return the width of a row's cards, with room for dots between those that don't follow each other."""
    apart = [(high - low, right[0] - left[0]) for (low, left), (high, right) in pairwise(spots.items())]
    return min((far * 0.82 if by == 1 else min(far * 0.82, far - 11) for by, far in apart), default=36.0)


def _ports(blueprint: Blueprint, hosts: Mapping[int, Point], nics: Sequence[int]) -> dict[int, Point]:
    """Return where the NICs of the servers that are drawn stand, by their numbers, on top of their servers."""
    width = min(36.0, _width(hosts))
    pitch = width / len(nics)
    return {
        server * blueprint.sizes["nic"] + nic: (x - width / 2 + pitch * (place + 0.5), y + SERVER / 2)
        for server, (x, y) in hosts.items()
        for place, nic in enumerate(nics)
    }


def _links(
    blueprint: Blueprint, form: GraphForm, spots: Mapping[Group, Mapping[int, Point]], ports: Mapping[int, Point]
) -> list[Mark]:
    """Draw the links between what is drawn, the longest first."""
    marks: list[Mark] = []
    for wire in reversed(form.bundles):
        uppers = spots[wire.upper]
        if wire in form.host_patterns:
            switch = wire.pairs(blueprint.sizes)[1]
            joined = [(nic, int(switch[nic])) for nic in ports if int(switch[nic]) in uppers]
            lowers = ports
        else:
            lowers = spots[wire.lower]
            joined = between(wire.pairs(blueprint.sizes), list(lowers), list(uppers))
        marks += [link(lowers[low], uppers[high], colour(blueprint, wire)) for low, high in joined]
    return marks


def _servers(hosts: Mapping[int, Point], ports: Mapping[int, Point]) -> list[Mark]:
    """Draw the servers with their NICs."""
    wide, marks = min(36.0, _width(hosts)), list[Mark]()
    told = _told(hosts, wide)
    each = wide * len(hosts) / max(len(ports), 1)
    for number, (x, y) in hosts.items():
        marks.append(Box(x - wide / 2, y - SERVER / 2, wide, SERVER, WHITE, ACCENT, 2, 0.6))
        marks += number_in((x, y - 3), (wide, 10.0), str(number) if told else "", INK)
    side = min(3.4, 0.8 * each)
    marks += [Box(x - side / 2, y - 3.4, side, 3.4, GREY, INK, 0, 0.3) for x, y in ports.values()]
    return marks


def _switches(blueprint: Blueprint, group: Group, spots: Mapping[int, Point]) -> list[Mark]:
    size = (min(20.0, _width(spots)), SWITCH)
    fill, told = fills(blueprint)[group.role], _told(spots, size[0])
    return [mark for number, at in spots.items() for mark in card(at, size, fill, str(number) if told else "")]


def _told(spots: Mapping[int, Point], width: float) -> bool:
    """Tell whether the numbers of all cards of a row fit."""
    return all(text_width(str(number), SMALL_PT) <= width - 1.2 for number in spots)


def _named(group: Group, axes: Sequence[str], y: float) -> list[Mark]:
    """Name a row at the left, with the digits that number its devices under it."""
    width = ROWS.start - FULL.start - 20
    head = title(group.role).capitalize()
    digits = ", ".join(title(axis) for axis in axes if axis != PLANE)
    return [
        Label(FULL.start, y + 1.5, elide(head, width, BODY_PT, bold=True), BODY_PT, INK, bold=True),
        Label(FULL.start, y - 7.5, elide(digits, width, SMALL_PT), SMALL_PT, GREY),
    ]


def _gaps(blueprint: Blueprint, axes: Sequence[str], spots: Mapping[int, Point]) -> list[Mark]:
    """Draw dots where values of the last digit are left out."""
    marks: list[Mark] = []
    for (low, left), (high, right) in pairwise(spots.items()):
        size = blueprint.sizes[axes[-1]]
        if high - low > 1 and low // size == high // size:
            marks += dots(left, right)
    return marks
