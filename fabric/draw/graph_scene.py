"""The parts of a picture of a graph topology: the switches drawn, their positions, and the links between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Dot, Label, Line, Mark, text_width, wrap
from fabric.draw.palette import ACCENT, BODY_PT, GREY, INK, SMALL_PT, ink_on, line_colour, rail_colour, role_fills
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.patterns import Rows
from fabric.topology.topology import PLANE, Group

__all__ = [
    "FULL", "LEAD", "LEFT_HALF", "MOST_LINES", "RIGHT_HALF", "WHOLE", "GraphFabric", "GraphScene", "draw_caption",
    "draw_card", "draw_gap", "draw_link", "draw_number", "pairs_between", "sample_values", "spread_on_circle",
    "spread_on_line",
]  # fmt: skip

FULL = Column(MARGIN, WIDTH - MARGIN)
LEFT_HALF, RIGHT_HALF = Column(MARGIN, WIDTH / 2 - 10), Column(WIDTH / 2 + 10, WIDTH - MARGIN)

WHOLE, MOST_LINES = 64, 1500
"""The most switches of a plane, and the most links between them, that are drawn one by one."""

LEAD = 9.0

GROUP = "group"
"""The role under which a scene keeps the positions of whole groups."""

Point = tuple[float, float]


@dataclass(frozen=True)
class GraphScene:
    """The natural layout of a graph topology as marks, with what its legend and a highlighted path need."""

    marks: Sequence[Mark]
    """The marks, from 0 up to `height`."""
    height: float
    """The height in points."""
    cards: dict[str, str] = field(default_factory=dict)
    """The colours of the cards by what they stand for."""
    gaps: bool = False
    """Whether devices are left out."""
    stacks: bool = False
    """Whether something repeated is drawn once."""
    spots: Mapping[tuple[str, int], Point] = field(default_factory=dict)
    """The positions of the devices drawn, by role and number in a plane; servers stand below theirs."""
    halo: Point = (25.0, 17.0)
    """The width and height of a path's highlight behind a switch."""
    host: Point = (0.0, 0.0)
    """The width and height of a server."""


@dataclass(frozen=True)
class GraphFabric:
    """A blueprint of a graph form, as its scenes read it."""

    blueprint: Blueprint
    """The blueprint."""
    form: GraphForm
    """Its topology."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of its axes and bundles."""
        return self.blueprint.sizes

    @property
    def patterns(self) -> tuple[PatternBundle, ...]:
        """The bundles between switches."""
        return tuple(bundle for bundle in self.form.bundles if bundle not in self.form.host_patterns)

    @property
    def fills(self) -> dict[str, str]:
        """The fill of the cards of each switch role."""
        return role_fills(self.form.roles)

    def colour(self, bundle: PatternBundle) -> str:
        """Return the colour of a bundle's links; those of servers have one only where NICs have several levels."""
        coloured = self.form.bundles if self.form.routing.nic_levels else self.patterns
        return line_colour(rail_colour(coloured.index(bundle))) if bundle in coloured else ACCENT

    def count_switches(self, group: Group) -> int:
        """Return the devices of a group of switches in one plane."""
        return math.prod(self.sizes[axis] for axis in group.axes if axis != PLANE)

    def joined_pairs(self, bundle: PatternBundle, chosen: int | None = None) -> list[tuple[int, int]]:
        """Return every two devices of one plane that the bundle joins, once each; only those of `chosen` if given."""
        ends = np.stack(bundle.pairs(self.sizes), axis=1)
        if chosen is not None:
            ends = ends[(ends == chosen).any(axis=1)]
        ends = np.unique(ends, axis=0)
        return [(low, high) for low, high in ends.tolist()]


def pairs_between(pairs: tuple[Rows, Rows], lows: Sequence[int], highs: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs whose lower device is one of `lows` and whose upper is one of `highs`, once each, in order."""
    low, high = pairs
    kept = np.isin(low, np.asarray(lows, np.int64)) & np.isin(high, np.asarray(highs, np.int64))
    return sorted(set(zip(low[kept].tolist(), high[kept].tolist(), strict=True)))


def sample_values(size: int, most: int) -> tuple[int, ...]:
    """Return the values of an axis that are drawn: all if there are few, else the first few and the last."""
    return tuple(range(size)) if size <= most else (*range(most - 1), size - 1)


def _slots(values: Sequence[int]) -> list[int]:
    """Return a slot for each value in order, leaving one free where values are left out."""
    slots = [0]
    for left, right in pairwise(values):
        slots.append(slots[-1] + 1 + (right > left + 1))
    return slots


def spread_on_line(values: Sequence[int], start: float, end: float, widest: float) -> dict[int, float]:
    """Return the positions of values on a line: evenly around its middle, at most `widest` apart."""
    slots = _slots(values)
    pitch = min(widest, (end - start) / (slots[-1] + 1))
    first = (start + end - pitch * slots[-1]) / 2
    return {value: first + pitch * slot for value, slot in zip(values, slots, strict=True)}


def spread_on_circle(values: Sequence[int], centre: Point, radius: float) -> dict[int, Point]:
    """Return the positions of values on a circle, evenly, clockwise from its top."""
    slots = _slots(values)
    turns = [2 * math.pi * slot / (slots[-1] + 1) for slot in slots]
    x, y = centre
    return {
        value: (x + radius * math.sin(turn), y + radius * math.cos(turn))
        for value, turn in zip(values, turns, strict=True)
    }


def draw_link(start: Point, end: Point, colour: str, *, strong: bool = False) -> Line:
    """Return a link as a straight line, `strong` where it is one of few."""
    return Line(*start, *end, colour, 0.8 if strong else 0.5, 0.95 if strong else 0.5)


def draw_card(centre: Point, size: Point, fill: str, text: str = "") -> Iterator[Mark]:
    """Yield a device, or a group of devices, with its text where that fits."""
    (x, y), (width, height) = centre, size
    yield Box(x - width / 2, y - height / 2, width, height, fill, INK, min(2.0, width / 5), 0.4)
    yield from draw_number(centre, size, text, ink_on(fill))


def draw_number(centre: Point, size: Point, text: str, ink: str) -> Iterator[Mark]:
    """Yield `text` in the middle of a card where it fits."""
    if text and text_width(text, SMALL_PT) <= size[0] - 1.2 and size[1] >= 8:
        yield Label(centre[0], centre[1] - 2.4, text, SMALL_PT, ink, align="center")


def draw_gap(left: Point, right: Point) -> list[Mark]:
    """Return three dots between two points, where values are left out."""
    (x0, y0), (x1, y1) = left, right
    x, y, far = (x0 + x1) / 2, (y0 + y1) / 2, math.hypot(x1 - x0, y1 - y0) or 1.0
    return [Dot(x + by * (x1 - x0) / far, y + by * (y1 - y0) / far, 0.8, GREY) for by in (-3, 0, 3)]


def draw_caption(heading: str, rest: str, column: Column, top: float) -> tuple[list[Mark], float]:
    """Return a heading and the words under it, downward from `top`, and where they end."""
    lines = wrap(rest, column.width, SMALL_PT)
    marks: list[Mark] = [Label(column.start, top - 7, wrap(heading, column.width, BODY_PT)[0], BODY_PT, INK, bold=True)]
    marks += [Label(column.start, top - 7 - LEAD * index, line, SMALL_PT, GREY) for index, line in enumerate(lines, 1)]
    return marks, top - LEAD * (len(lines) + 1) - 2
