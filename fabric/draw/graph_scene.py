"""The parts of a picture of switches joined by wires: which are drawn, where they stand, and what is between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Dot, Label, Line, Mark, text_width, wrap
from fabric.draw.palette import ACCENT, BODY_PT, GREY, INK, SMALL_PT, ink_on, lane_colour, line_colour
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.patterns import Rows
from fabric.topology.topology import PLANE, Group

__all__ = [
    "FULL",
    "LEAD",
    "LEFT_HALF",
    "MOST_LINES",
    "RIGHT_HALF",
    "WHOLE",
    "GraphScene",
    "between",
    "caption",
    "card",
    "colour",
    "dots",
    "few",
    "fills",
    "line_up",
    "link",
    "number_in",
    "plain_pairs",
    "ring",
    "size_of",
    "wires_of",
]  # fmt: skip

FULL = Column(MARGIN, WIDTH - MARGIN)
LEFT_HALF, RIGHT_HALF = Column(MARGIN, WIDTH / 2 - 10), Column(WIDTH / 2 + 10, WIDTH - MARGIN)

WHOLE, MOST_LINES = 64, 1500
"""The most switches of a plane, and the most links between them, that are drawn one by one."""

LEAD = 9.0

GROUP = "group"
"""The role under which a scene says where whole groups stand."""

Point = tuple[float, float]


@dataclass(frozen=True)
class GraphScene:
    """Marks from 0 up to `height`, with what the key must tell: cards by colour, values left out, stacks of places.

    `spots` say where switches stand, by role and number in a plane, and `halo` how wide and high a path shows behind
    them; servers, `host` wide and high, stand below their spots.
    """

    marks: Sequence[Mark]
    height: float
    cards: dict[str, str] = field(default_factory=dict)
    gaps: bool = False
    stacks: bool = False
    spots: Mapping[tuple[str, int], Point] = field(default_factory=dict)
    halo: Point = (25.0, 17.0)
    host: Point = (0.0, 0.0)


def wires_of(blueprint: Blueprint) -> tuple[PatternBundle, ...]:
    """Return the wires between switches."""
    assert isinstance(blueprint.topology, GraphForm)
    return tuple(wire for wire in blueprint.topology.bundles if wire not in blueprint.topology.host_patterns)


def colour(blueprint: Blueprint, wire: PatternBundle) -> str:
    """Return the colour of a wire: that of no lane for servers' links, but where these are of several levels."""
    form = blueprint.topology
    assert isinstance(form, GraphForm)
    told = form.bundles if form.routing.nic_levels else wires_of(blueprint)
    return line_colour(lane_colour(told.index(wire))) if wire in told else ACCENT


def fills(blueprint: Blueprint) -> dict[str, str]:
    """Return the fill of the cards of each role of switches."""
    shades = (ACCENT, INK, GREY, "#93A1AF")
    return dict(zip(blueprint.topology.roles, shades, strict=False))


def size_of(blueprint: Blueprint, group: Group) -> int:
    """Return the devices of a group of switches in one plane."""
    return math.prod(blueprint.sizes[axis] for axis in group.axes if axis != PLANE)


def plain_pairs(blueprint: Blueprint, wire: PatternBundle) -> list[tuple[int, int]]:
    """Return every two devices of one plane that the wire joins, once each."""
    ends = np.unique(np.stack(wire.pairs(blueprint.sizes), axis=1), axis=0)
    return [(low, high) for low, high in ends.tolist()]


def between(pairs: tuple[Rows, Rows], lows: Sequence[int], highs: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs whose lower device is one of `lows` and whose upper is one of `highs`, once each, in order."""
    low, high = pairs
    kept = np.isin(low, np.asarray(lows, np.int64)) & np.isin(high, np.asarray(highs, np.int64))
    return sorted(set(zip(low[kept].tolist(), high[kept].tolist(), strict=True)))


def few(size: int, most: int) -> tuple[int, ...]:
    """Return the values of an axis that are drawn: all when they are few, else the first few and the last."""
    return tuple(range(size)) if size <= most else (*range(most - 1), size - 1)


def _slots(values: Sequence[int]) -> list[int]:
    """Return the slots of values in order: one is left free where some are left out."""
    slots = [0]
    for left, right in pairwise(values):
        slots.append(slots[-1] + 1 + (right > left + 1))
    return slots


def line_up(values: Sequence[int], start: float, end: float, widest: float) -> dict[int, float]:
    """Return where values stand on a line: evenly, in its middle, at most `widest` apart."""
    slots = _slots(values)
    pitch = min(widest, (end - start) / (slots[-1] + 1))
    first = (start + end - pitch * slots[-1]) / 2
    return {value: first + pitch * slot for value, slot in zip(values, slots, strict=True)}


def ring(values: Sequence[int], centre: Point, radius: float) -> dict[int, Point]:
    """Return where values stand on a circle, evenly, clockwise from its top."""
    slots = _slots(values)
    turns = [2 * math.pi * slot / (slots[-1] + 1) for slot in slots]
    x, y = centre
    return {
        value: (x + radius * math.sin(turn), y + radius * math.cos(turn))
        for value, turn in zip(values, turns, strict=True)
    }


def link(start: Point, end: Point, colour: str, *, strong: bool = False) -> Line:
    """Return a link as a straight line, strong where it is one of a few."""
    return Line(*start, *end, colour, 0.8 if strong else 0.5, 0.95 if strong else 0.5)


def card(centre: Point, size: Point, fill: str, text: str = "") -> Iterator[Mark]:
    """Yield a device, or a group of them, with what is written on it if it fits."""
    (x, y), (width, height) = centre, size
    yield Box(x - width / 2, y - height / 2, width, height, fill, INK, min(2.0, width / 5), 0.4)
    yield from number_in(centre, size, text, ink_on(fill))


def number_in(centre: Point, size: Point, text: str, ink: str) -> Iterator[Mark]:
    """Yield `text` in the middle of a card, if it fits there."""
    if text and text_width(text, SMALL_PT) <= size[0] - 1.2 and size[1] >= 8:
        yield Label(centre[0], centre[1] - 2.4, text, SMALL_PT, ink, align="center")


def dots(left: Point, right: Point) -> list[Mark]:
    """Return three dots between two places: values are left out."""
    (x0, y0), (x1, y1) = left, right
    x, y, far = (x0 + x1) / 2, (y0 + y1) / 2, math.hypot(x1 - x0, y1 - y0) or 1.0
    return [Dot(x + by * (x1 - x0) / far, y + by * (y1 - y0) / far, 0.8, GREY) for by in (-3, 0, 3)]


def caption(head: str, rest: str, column: Column, top: float) -> tuple[list[Mark], float]:
    """Return a head and words under it, downward from `top`, and where they end."""
    lines = wrap(rest, column.width, SMALL_PT)
    marks: list[Mark] = [Label(column.start, top - 7, wrap(head, column.width, BODY_PT)[0], BODY_PT, INK, bold=True)]
    marks += [Label(column.start, top - 7 - LEAD * place, line, SMALL_PT, GREY) for place, line in enumerate(lines, 1)]
    return marks, top - LEAD * (len(lines) + 1) - 2
