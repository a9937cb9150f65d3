"""Lattices of switches: few drawn whole, sheet beside sheet; of many one sheet, and a line on every further axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Bend, Box, Label, Mark
from fabric.draw.dragonfly import circle_of_switches
from fabric.draw.graph_scene import (
    FULL,
    LEFT_HALF,
    MOST_LINES,
    RIGHT_HALF,
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
    line_up,
    link,
    plain_pairs,
    size_of,
    wires_of,
)  # fmt: skip
from fabric.draw.palette import BODY_PT, HAIR, INK, PLATES
from fabric.draw.tier_layout import GHOST, Column
from fabric.topology.graph_form import PatternBundle
from fabric.topology.topology import PLANE
from fabric.units import count

__all__ = ["lattice"]

MOST, SIDE, HEIGHT = 9, 210.0, 262.0


def lattice(blueprint: Blueprint) -> GraphScene:
    """Return the whole lattice where it is small, else one sheet of it and a line on each further axis.

    Of one axis on which all are joined the switches stand on a circle.
    """
    group = blueprint.topology.switch_groups[0]
    if blueprint.topology.family == "hyperx" and len(_axes(blueprint)) == 1:
        return circle_of_switches(blueprint)
    if size_of(blueprint, group) <= WHOLE:
        pairs = {wire: plain_pairs(blueprint, wire) for wire in wires_of(blueprint)}
        if sum(map(len, pairs.values())) <= MOST_LINES:
            return _whole(blueprint, pairs)
    return _sheet(blueprint)


def _axes(blueprint: Blueprint) -> list[str]:
    return [axis for axis in blueprint.topology.switch_groups[0].axes if axis != PLANE]


def _whole(blueprint: Blueprint, pairs: dict[PatternBundle, list[tuple[int, int]]]) -> GraphScene:
    """Draw every switch and link: x, z and v across, y, w and u up, the first of each closest together."""
    axes = _axes(blueprint)
    sizes = [blueprint.sizes[axis] for axis in axes]
    xs, across = _nested(sizes[0::2])
    ys, up = _nested(sizes[1::2])
    pitch = min(34.0, (FULL.width - 60) / max(across, 1.0), 200 / max(up, 1.0))
    height = up * pitch + 66
    marks, _ = caption(
        "All switches", f"{_product(blueprint, axes)}, and a line for every two that are joined", FULL, height
    )
    spots: list[Point] = []
    for number in range(math.prod(sizes)):
        digits = _digits(number, sizes)
        x, y = xs[tuple(digits[0::2])], ys[tuple(digits[1::2])]
        spots.append((FULL.middle + (x - across / 2) * pitch, 28 + y * pitch))
    side = min(18.0, 0.55 * pitch)
    for wire, joined in pairs.items():
        ends = [(spots[low], spots[high]) for low, high in joined]
        marks += [_link(*pair, colour(blueprint, wire), pitch) for pair in ends]
    for number, at in enumerate(spots):
        marks += card(at, (side, min(side, 12.0)), fills(blueprint)["leaf"], str(number))
    where = {("leaf", number): spot for number, spot in enumerate(spots)}
    return GraphScene(marks, height, fills(blueprint), spots=where, halo=(side + 5, min(side, 12.0) + 5))


def _product(blueprint: Blueprint, axes: Sequence[str]) -> str:
    return " × ".join(f"{axis} {count(blueprint.sizes[axis])}" for axis in axes)


def _nested(sizes: Sequence[int]) -> tuple[dict[tuple[int, ...], float], float]:
    """Return how far along, in steps of the first axis, each combination of values stands, and the furthest."""
    found, step = dict[tuple[int, ...], float]({(): 0.0}), 1.0
    for size in sizes:
        found = {(*digits, value): at + value * step for digits, at in found.items() for value in range(size)}
        step = max(found.values()) + 1.6
    return found, max(found.values())


def _digits(number: int, sizes: Sequence[int]) -> list[int]:
    found = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        found.append(digit)
    return found[::-1]


def _link(start: Point, end: Point, ink: str, pitch: float, *, strong: bool = False) -> Mark:
    """Return a link: straight to the next place, and bent past all others between, the further the more."""
    far = math.dist(start, end)
    if far < 1.2 * pitch:
        return link(start, end, ink, strong=True)
    low, high = sorted((start, end))
    upright = abs(low[0] - high[0]) < 1
    swerve = min(0.45 * pitch + 0.035 * far, 24.0) * (1 if upright else -1)
    return Bend(*low, *high, swerve, ink, *((0.8, 0.95) if strong else (0.5, 0.7)))


def _sheet(blueprint: Blueprint) -> GraphScene:
    """Draw one sheet of x and y, before others like it, and beside it one line on each further axis."""
    axes = _axes(blueprint)
    more = [axis for axis in axes[2:] if blueprint.sizes[axis] > 1]
    column = LEFT_HALF if more else FULL
    marks, where, halo = _one_sheet(blueprint, axes[:2], column, stacked=bool(more))
    if more:
        rest = "one switch of each sheet, all at the same place on the other axes"
        words, top = caption("Further axes", rest, RIGHT_HALF, HEIGHT)
        marks += words
        step = min(56.0, (top - 8) / len(more))
        for place, axis in enumerate(more):
            y = (top + step * len(more)) / 2 - step * (place + 0.4)
            marks += _line_of(blueprint, axis, wires_of(blueprint)[axes.index(axis)], y, step)
    gaps = any(blueprint.sizes[axis] > MOST for axis in axes)
    return GraphScene(marks, HEIGHT, fills(blueprint), gaps=gaps, stacks=bool(more), spots=where, halo=halo)


def _one_sheet(
    blueprint: Blueprint, axes: Sequence[str], column: Column, *, stacked: bool
) -> tuple[list[Mark], dict[tuple[str, int], Point], Point]:
    """Draw the first and last rows and columns of a sheet, and the links between those that are drawn.

    Return with it where they stand, and how wide and high a path shows behind them.
    """
    sizes = [blueprint.sizes[axis] for axis in axes] + [1] * (2 - len(axes))
    rest = "all drawn" if max(sizes) <= MOST else "first and last of each axis"
    if blueprint.topology.family == "hyperx":
        rest += "; every switch is joined to all others of its row and of its column, drawn of one row and one column"
    sheets = size_of(blueprint, blueprint.topology.switch_groups[0]) // math.prod(sizes)
    head = f"Sheet × {count(sheets)}: {_product(blueprint, axes)}" if stacked else _product(blueprint, axes)
    marks, top = caption(head, rest, column, HEIGHT)
    box = min(SIDE, top - 10)
    x0, y0 = column.middle - box / 2, top - box - 8
    for by in (2 * GHOST, GHOST, 0.0) if stacked else (0.0,):
        marks.append(Box(x0 + by, y0 + by, box, box, PLATES[0], HAIR, 5, 0.6))
    xs = line_up(few(sizes[0], MOST), x0 + 24, x0 + box - 24, 54.0)
    ys = line_up(few(sizes[1], MOST), y0 + 24, y0 + box - 24, 54.0)
    below = size_of(blueprint, blueprint.topology.switch_groups[0]) // sizes[0]
    step = below // sizes[1]
    spots = {x * below + y * step: (xs[x], ys[y]) for x in xs for y in ys}
    pitch = (xs.get(1, 30.0) - xs[0], ys.get(1, 30.0) - ys[0])
    for place, wire in enumerate(wires_of(blueprint)[: len(axes)]):
        marks += _sheet_links(blueprint, wire, spots, pitch[place])
    side = min(18.0, 0.55 * min(abs(gap) for gap in pitch))
    for x, y in spots.values():
        marks += card((x, y), (side, min(side, 12.0)), fills(blueprint)["leaf"])
    marks += _left_out(list(xs.values()), list(ys.values()), sizes)
    return marks, {("leaf", number): spot for number, spot in spots.items()}, (side + 5, min(side, 12.0) + 5)


def _left_out(xs: list[float], ys: list[float], sizes: Sequence[int]) -> list[Mark]:
    marks: list[Mark] = []
    if sizes[0] > MOST:
        marks += [mark for y in ys for mark in dots((xs[-2], y), (xs[-1], y))]
    if sizes[1] > MOST:
        marks += [mark for x in xs for mark in dots((x, ys[-2]), (x, ys[-1]))]
    return marks


def _sheet_links(blueprint: Blueprint, wire: PatternBundle, spots: dict[int, Point], pitch: float) -> list[Mark]:
    """Draw the links of one axis; those past other switches only on the first line, but of tori on all."""
    numbers = list(spots)
    first = spots[0]
    marks = []
    for low, high in between(wire.pairs(blueprint.sizes), numbers, numbers):
        start, end = spots[low], spots[high]
        edge = start[0] == end[0] == first[0] or start[1] == end[1] == first[1]
        if edge or blueprint.topology.family != "hyperx":
            marks.append(_link(start, end, colour(blueprint, wire), pitch, strong=edge))
    return marks


def _line_of(blueprint: Blueprint, axis: str, wire: PatternBundle, y: float, step: float) -> list[Mark]:
    """Draw one line of switches on a further axis, and the links between them."""
    size, group = blueprint.sizes[axis], blueprint.topology.switch_groups[0]
    head = f"{axis} × {count(size)}"
    marks: list[Mark] = [Label(RIGHT_HALF.start, y - 2.5, head, BODY_PT, INK, bold=True)]
    xs = line_up(few(size, MOST), RIGHT_HALF.start + 44, RIGHT_HALF.end, 30.0)
    inner = math.prod(blueprint.sizes[name] for name in _axes(blueprint)[_axes(blueprint).index(axis) + 1 :])
    assert size_of(blueprint, group) % (inner * size) == 0
    spots = {value * inner: (x, y) for value, x in xs.items()}
    pitch = xs.get(1, 30.0) - xs[0]
    numbers = list(spots)
    for low, high in between(wire.pairs(blueprint.sizes), numbers, numbers):
        mark = _link(spots[low], spots[high], colour(blueprint, wire), pitch, strong=True)
        marks.append(mark)
    for value, x in xs.items():
        marks += card((x, y), (min(14.0, 0.6 * pitch), min(12.0, 0.4 * step)), fills(blueprint)["leaf"], str(value))
    if size > MOST:
        marks += dots(spots[numbers[-2]], spots[numbers[-1]])
    return marks
