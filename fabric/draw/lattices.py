"""Lattices of switches: small ones drawn whole; of large ones one layer, and a line along every further axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from fabric.draw.canvas import Arc, Box, Label, Mark
from fabric.draw.dragonfly import draw_switch_circle
from fabric.draw.graph_scene import (
    FULL,
    LEFT_HALF,
    MOST_LINES,
    RIGHT_HALF,
    WHOLE,
    GraphFabric,
    GraphScene,
    Point,
    draw_caption,
    draw_card,
    draw_gap,
    draw_link,
    pairs_between,
    sample_values,
    spread_on_line,
)  # fmt: skip
from fabric.draw.palette import BODY_PT, HAIR, INK, PLATES
from fabric.draw.tier_layout import GHOST, Column
from fabric.errors import InputError
from fabric.topology.patterns import Rows
from fabric.topology.topology import PLANE
from fabric.units import count

__all__ = ["draw_lattice"]

MOST, SIDE, HEIGHT = 9, 210.0, 262.0
"""The most rows and columns of a layer that are drawn, and the sizes of a layer and of the scene in points."""

Spots = Mapping[int, Point]


def draw_lattice(graph: GraphFabric) -> GraphScene:
    """Return the whole lattice where it is small, else one layer of it and a line along each further axis.

    The switches of a single line that are all joined stand on a circle. Raises InputError where the topology's drawing
    does not say of every axis whether it goes across or up.
    """
    lattice = Lattice(graph)
    unplaced = [axis for axis in lattice.axes if axis not in (*lattice.across, *lattice.up)]
    if unplaced:
        raise InputError(
            f"family {graph.form.family}: its drawing lays out no axis {', '.join(unplaced)} of its leaves"
        )
    if lattice.joins_all and len(lattice.axes) == 1:
        return draw_switch_circle(graph)
    if graph.count_switches(graph.form.switch_groups[0]) <= WHOLE:
        pairs = [pair for bundle in graph.patterns for pair in graph.joined_pairs(bundle)]
        if len(pairs) <= MOST_LINES:
            return _draw_whole(lattice)
    return _draw_layers(lattice)


@dataclass(frozen=True)
class Lattice:
    """The axes of a lattice of switches, and their numbers in a plane."""

    graph: GraphFabric
    """The fabric."""

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The axes of the switches in the order in which these are numbered, the last fastest."""
        return tuple(axis for axis in self.graph.form.switch_groups[0].axes if axis != PLANE)

    @property
    def across(self) -> tuple[str, ...]:
        """The axes laid out from left to right, the closest first."""
        return tuple(axis for axis in self.graph.form.drawing.across if axis in self.axes)

    @property
    def up(self) -> tuple[str, ...]:
        """The axes laid out upwards, the closest first."""
        return tuple(axis for axis in self.graph.form.drawing.up if axis in self.axes)

    @property
    def joins_all(self) -> bool:
        """Whether all switches of a line are joined to each other."""
        return self.graph.form.drawing.line == "clique"

    @property
    def role(self) -> str:
        return self.graph.form.roles[0]

    def size(self, axis: str | None) -> int:
        """Return the size of an axis; 1 where there is none."""
        return 1 if axis is None else self.graph.sizes[axis]

    def number(self, digits: Mapping[str | None, int]) -> int:
        """Return the number of the switch with these coordinates, 0 on all other axes."""
        number = 0
        for axis in self.axes:
            number = number * self.size(axis) + digits.get(axis, 0)
        return number

    def describe(self, axes: Sequence[str]) -> str:
        """Return the sizes of these axes in words: `x 4 × y 6`."""
        return " × ".join(f"{axis} {count(self.size(axis))}" for axis in axes)

    @cached_property
    def pairs(self) -> list[tuple[str, tuple[Rows, Rows]]]:
        """The colour of each bundle between switches, and the pairs that it joins."""
        return [(self.graph.colour(bundle), bundle.pairs(self.graph.sizes)) for bundle in self.graph.patterns]


def _draw_whole(lattice: Lattice) -> GraphScene:
    """Draw every switch and link, the first axis across and the first upwards closest together."""
    graph = lattice.graph
    xs, across = _nest([lattice.size(axis) for axis in lattice.across])
    ys, up = _nest([lattice.size(axis) for axis in lattice.up])
    pitch = min(34.0, (FULL.width - 60) / max(across, 1.0), 200 / max(up, 1.0))
    height = up * pitch + 66
    sizes = f"{lattice.describe(lattice.axes)}, with a line between every two that are joined"
    marks, _ = draw_caption("All switches", sizes, FULL, height)
    spots: dict[int, Point] = {}
    for values in product(*(range(lattice.size(axis)) for axis in lattice.axes)):
        digits = dict(zip(lattice.axes, values, strict=True))
        x, y = (at[tuple(digits[axis] for axis in axes)] for at, axes in ((xs, lattice.across), (ys, lattice.up)))
        spots[len(spots)] = FULL.middle + (x - across / 2) * pitch, 28 + y * pitch
    side = min(18.0, 0.55 * pitch)
    for bundle in graph.patterns:
        ends = [(spots[low], spots[high]) for low, high in graph.joined_pairs(bundle)]
        marks += [_draw_link(*pair, graph.colour(bundle), pitch) for pair in ends]
    for number, spot in spots.items():
        marks += draw_card(spot, (side, min(side, 12.0)), graph.fills[lattice.role], str(number))
    return GraphScene(marks, height, graph.fills, spots=_by_role(lattice, spots), halo=_halo(side))


def _by_role(lattice: Lattice, spots: Spots) -> dict[tuple[str, int], Point]:
    return {(lattice.role, number): spot for number, spot in spots.items()}


def _halo(side: float) -> Point:
    """Return the width and height of a path's highlight behind a card."""
    return side + 5, min(side, 12.0) + 5


def _nest(sizes: Sequence[int]) -> tuple[dict[tuple[int, ...], float], float]:
    """Return the position of each combination of values, in steps of the first axis, and the furthest position."""
    found, step = dict[tuple[int, ...], float]({(): 0.0}), 1.0
    for size in sizes:
        found = {(*digits, value): at + value * step for digits, at in found.items() for value in range(size)}
        step = max(found.values()) + 1.6
    return found, max(found.values())


def _draw_link(start: Point, end: Point, ink: str, pitch: float, *, strong: bool = False) -> Mark:
    """Return a link: straight to a neighbour, else an arc past the switches between, higher for longer links."""
    far = math.dist(start, end)
    if far < 1.2 * pitch:
        return draw_link(start, end, ink, strong=True)
    low, high = sorted((start, end))
    upright = abs(low[0] - high[0]) < 1
    rise = min(0.45 * pitch + 0.035 * far, 24.0) * (1 if upright else -1)
    return Arc(*low, *high, rise, ink, *((0.8, 0.95) if strong else (0.5, 0.7)))


def _draw_layers(lattice: Lattice) -> GraphScene:
    """Draw one layer of two axes, in front of others like it, and beside it one line along each further axis."""
    layer = (next(iter(lattice.across), None), next(iter(lattice.up), None))
    further = [axis for axis in lattice.axes if axis not in layer and lattice.size(axis) > 1]
    marks, spots, halo = _draw_layer(lattice, layer, LEFT_HALF if further else FULL, stacked=bool(further))
    if further:
        rest = "one switch of each layer, all at the same coordinates on the other axes"
        caption, top = draw_caption("Further axes", rest, RIGHT_HALF, HEIGHT)
        marks += caption
        step = min(56.0, (top - 8) / len(further))
        for line, axis in enumerate(further):
            y = (top + step * len(further)) / 2 - step * (line + 0.4)
            marks += _draw_line(lattice, axis, y, step)
    gaps = any(lattice.size(axis) > MOST for axis in lattice.axes)
    where = _by_role(lattice, spots)
    return GraphScene(marks, HEIGHT, lattice.graph.fills, gaps=gaps, stacks=bool(further), spots=where, halo=halo)


def _draw_layer(
    lattice: Lattice, layer: tuple[str | None, str | None], column: Column, *, stacked: bool
) -> tuple[list[Mark], Spots, Point]:
    """Draw the first and last rows and columns of a layer, and the links between the switches drawn.

    Return with it their positions, and the width and height of a path's highlight.
    """
    sizes = [lattice.size(axis) for axis in layer]
    marks, top = draw_caption(*_describe_layer(lattice, layer, sizes, stacked=stacked), column, HEIGHT)
    box = min(SIDE, top - 10)
    x0, y0 = column.middle - box / 2, top - box - 8
    for by in (2 * GHOST, GHOST, 0.0) if stacked else (0.0,):
        marks.append(Box(x0 + by, y0 + by, box, box, PLATES[0], HAIR, 5, 0.6))
    xs = spread_on_line(sample_values(sizes[0], MOST), x0 + 24, x0 + box - 24, 54.0)
    ys = spread_on_line(sample_values(sizes[1], MOST), y0 + 24, y0 + box - 24, 54.0)
    spots = {lattice.number({layer[0]: x, layer[1]: y}): (xs[x], ys[y]) for x in xs for y in ys}
    pitches = (xs.get(1, 30.0) - xs[0], ys.get(1, 30.0) - ys[0])
    marks += _draw_layer_links(lattice, spots, pitches)
    side = min(18.0, 0.55 * min(map(abs, pitches)))
    for spot in spots.values():
        marks += draw_card(spot, (side, min(side, 12.0)), lattice.graph.fills[lattice.role])
    return [*marks, *_draw_gaps(list(xs.values()), list(ys.values()), sizes)], spots, _halo(side)


def _describe_layer(
    lattice: Lattice, layer: tuple[str | None, str | None], sizes: Sequence[int], *, stacked: bool
) -> tuple[str, str]:
    """Return the heading of a layer and the words under it."""
    rest = "all drawn" if max(sizes) <= MOST else "first and last of each axis"
    if lattice.joins_all:
        rest += "; every switch is joined to all others of its row and column, drawn for one row and one column"
    layers = lattice.graph.count_switches(lattice.graph.form.switch_groups[0]) // math.prod(sizes)
    words = lattice.describe([axis for axis in layer if axis is not None])
    return (f"Layer × {count(layers)}: {words}" if stacked else words), rest


def _draw_gaps(xs: list[float], ys: list[float], sizes: Sequence[int]) -> list[Mark]:
    """Draw dots where rows or columns are left out."""
    marks: list[Mark] = []
    if sizes[0] > MOST:
        marks += [mark for y in ys for mark in draw_gap((xs[-2], y), (xs[-1], y))]
    if sizes[1] > MOST:
        marks += [mark for x in xs for mark in draw_gap((x, ys[-2]), (x, ys[-1]))]
    return marks


def _draw_layer_links(lattice: Lattice, spots: Spots, pitches: tuple[float, float]) -> list[Mark]:
    """Draw the links of a layer; where all switches of a line are joined, only those of the first row and column."""
    numbers, first = list(spots), spots[0]
    marks = []
    for colour, pairs in lattice.pairs:
        for low, high in pairs_between(pairs, numbers, numbers):
            start, end = spots[low], spots[high]
            edge = start[0] == end[0] == first[0] or start[1] == end[1] == first[1]
            if edge or not lattice.joins_all:
                marks.append(_draw_link(start, end, colour, pitches[start[1] != end[1]], strong=edge))
    return marks


def _draw_line(lattice: Lattice, axis: str, y: float, step: float) -> list[Mark]:
    """Draw one line of switches along a further axis, and the links between them."""
    size = lattice.size(axis)
    heading = f"{axis} × {count(size)}"
    marks: list[Mark] = [Label(RIGHT_HALF.start, y - 2.5, heading, BODY_PT, INK, bold=True)]
    xs = spread_on_line(sample_values(size, MOST), RIGHT_HALF.start + 44, RIGHT_HALF.end, 30.0)
    spots = {lattice.number({axis: value}): (x, y) for value, x in xs.items()}
    pitch, numbers = xs.get(1, 30.0) - xs[0], list(spots)
    for colour, pairs in lattice.pairs:
        for low, high in pairs_between(pairs, numbers, numbers):
            marks.append(_draw_link(spots[low], spots[high], colour, pitch, strong=True))
    for value, x in xs.items():
        card = min(14.0, 0.6 * pitch), min(12.0, 0.4 * step)
        marks += draw_card((x, y), card, lattice.graph.fills[lattice.role], str(value))
    return marks + (draw_gap(spots[numbers[-2]], spots[numbers[-1]]) if size > MOST else [])
