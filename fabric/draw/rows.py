"""Where the devices of a view stand in rows: units and pods in columns, what is above or around in rows of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.graph_scene import sample_values
from fabric.draw.path import digits_of
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.topology.topology import PLANE
from fabric.view import View

__all__ = ["HIGH", "PAD", "ROWS", "DeviceView", "Digits", "Spot", "placed", "rows_of", "spots_of"]

ROW = 64
"""The most cards of a row."""

ROWS = Column(100.0, WIDTH - MARGIN - 4)
PITCH, HIGH, PAD = 78.0, 15.0, 5.0

Digits = Mapping[str, int]


@dataclass(frozen=True)
class DeviceView:
    """A node of a view that is drawn: where it stands, and what its name says of it.

    `away` are the coordinates on which it differs from the place that is drawn, and `among` the nodes of its row,
    drawn or not.
    """

    number: int
    role: str
    fixed: Digits
    others: Digits
    multiplicity: int
    inside: bool
    away: tuple[tuple[str, int], ...] = ()
    among: int = 1


@dataclass(frozen=True)
class Spot:
    """A card in place, around its middle."""

    seen: DeviceView
    x: float
    y: float
    width: float


def rows_of(blueprint: Blueprint, view: View, place: Digits) -> list[list[DeviceView]]:
    """Return what is drawn row by row: the place by roles from the servers up, then what is above or around it."""
    rows: dict[tuple[bool, int], list[DeviceView]] = {}
    around = not blueprint.topology.layered
    for number, (name, role) in enumerate(zip(view.names, view.role.tolist(), strict=True)):
        word, fixed, others = digits_of(name)
        where = fixed
        if around and role == 0 and place:
            where = dict(place)
        inside = all(where.get(axis) == value for axis, value in place.items()) and not others
        apart = [(axis, value) for axis, value in fixed.items() if place.get(axis, value) != value]
        away = tuple(apart) if around and not inside else ()
        seen = DeviceView(number, word, fixed, others, int(view.multiplicity[number]), inside, away)
        rows.setdefault((around and not inside, role), []).append(seen)
    ordered = [row for _, row in sorted(rows.items(), key=lambda item: item[0])]
    return [[replace(row[place_], among=len(row)) for place_ in sample_values(len(row), ROW)] for row in ordered]


def spots_of(rows: Sequence[Sequence[DeviceView]]) -> list[list[Spot]]:
    """Return every row's cards in place: evenly, with gaps where an outer coordinate turns or some are left out."""
    found = []
    for number, row in enumerate(rows):
        steps = [0.0]
        for left, right in pairwise(row):
            steps.append(steps[-1] + _step(left, right))
        pitch = min(44.0 if number == 0 else 34.0, ROWS.width / (steps[-1] + 1))
        first = ROWS.middle - pitch * steps[-1] / 2
        width = min(0.8 * pitch, 30.0)
        y = 3 * PAD + 18 + HIGH / 2 + PITCH * number
        found.append([Spot(seen, first + pitch * step, y, width) for seen, step in zip(row, steps, strict=True)])
    return found


def _step(left: DeviceView, right: DeviceView) -> float:
    if right.number > left.number + 1:
        return 2.2
    outer = list(left.fixed)[:-1]
    return 1.5 if any(left.fixed[axis] != right.fixed.get(axis) for axis in outer if axis != PLANE) else 1.0


def placed(blueprint: Blueprint, rows: Sequence[Sequence[Spot]]) -> list[list[Spot]]:
    """Return the rows with every pod, then every unit, in the column of its widest row."""
    form, found = blueprint.topology, [list(row) for row in rows]
    for depth in range(1, len(form.server.axes)):
        axes = form.server.axes[:depth]
        having = [number for number, row in enumerate(found) if all(axis in row[0].seen.fixed for axis in axes)]
        if len(having) < 2:
            continue
        widest = max(having, key=lambda number: found[number][-1].x - found[number][0].x)
        columns: dict[tuple[int, ...], list[Spot]] = {}
        for number in having:
            for spot in found[number]:
                columns.setdefault(tuple(spot.seen.fixed[axis] for axis in axes), []).append(spot)
        if all(any(spot in found[widest] for spot in spots) for spots in columns.values()):
            for number in having:
                found[number] = _in_columns(found[number], found[widest], axes)
    return found


def _in_columns(row: Sequence[Spot], anchor: Sequence[Spot], axes: Sequence[str]) -> list[Spot]:
    """Return a row, those of one place amid the width that the place takes in the anchor row, closer if they must."""
    if row is anchor:
        return list(row)
    places: dict[tuple[int, ...], list[Spot]] = {}
    for spot in row:
        places.setdefault(tuple(spot.seen.fixed[axis] for axis in axes), []).append(spot)
    found: list[Spot] = []
    for values, spots in places.items():
        there = [spot for spot in anchor if tuple(spot.seen.fixed[axis] for axis in axes) == values]
        left, right = there[0].x - there[0].width / 2, there[-1].x + there[-1].width / 2
        own = spots[-1].x - spots[0].x + spots[0].width
        share = min(1.0, (right - left) / own)
        middle, centre = (left + right) / 2, (spots[0].x + spots[-1].x) / 2
        found += [replace(spot, x=middle + share * (spot.x - centre), width=share * spot.width) for spot in spots]
    least = min(spot.width for spot in found)
    return [replace(spot, width=least) for spot in found]
