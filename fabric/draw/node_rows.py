"""The rows of a view drawn device by device: units and pods in columns, what is above or around in rows of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.graph_scene import sample_values
from fabric.draw.path import parse_name
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.topology.topology import PLANE
from fabric.view import View

__all__ = ["HIGH", "PAD", "ROWS", "Digits", "DrawnNode", "NodeCard", "align_places", "node_rows", "spread_rows"]

MOST = 64
"""The most cards of a row."""

ROWS = Column(100.0, WIDTH - MARGIN - 4)
PITCH, HIGH, PAD = 78.0, 15.0, 5.0

Digits = Mapping[str, int]


@dataclass(frozen=True)
class DrawnNode:
    """A node of a view that is drawn."""

    number: int
    """Its row in the view."""
    role: str
    """The role of its devices."""
    fixed: Digits
    """The coordinates on which its devices agree."""
    others: Digits
    """The coordinates that none of its devices has."""
    multiplicity: int
    """The number of its devices."""
    inside: bool
    """Whether it belongs to the place that is drawn."""
    away: tuple[tuple[str, int], ...] = ()
    """The coordinates on which it differs from the place that is drawn."""
    row_size: int = 1
    """The nodes of its row, drawn or not."""


@dataclass(frozen=True)
class NodeCard:
    """The card of a node, around its middle."""

    node: DrawnNode
    """The node."""
    x: float
    """The middle of the card, in points."""
    y: float
    """The middle of the card."""
    width: float
    """The width of the card."""


def node_rows(blueprint: Blueprint, view: View, location: Digits) -> list[list[DrawnNode]]:
    """Return the nodes that are drawn, row by row: the place by roles from the servers up, then what surrounds it.

    In topologies with tiers what is above the place stands in the row of its tier.
    """
    rows: dict[tuple[bool, int], list[DrawnNode]] = {}
    surrounded = not blueprint.topology.layered
    for number, (name, role) in enumerate(zip(view.names, view.role.tolist(), strict=True)):
        role_name, fixed, others = parse_name(name)
        where = dict(location) if surrounded and role == 0 and location else fixed
        inside = all(where.get(axis) == value for axis, value in location.items()) and not others
        away = tuple((axis, value) for axis, value in fixed.items() if location.get(axis, value) != value)
        outside = surrounded and not inside
        multiplicity = int(view.multiplicity[number])
        node = DrawnNode(number, role_name, fixed, others, multiplicity, inside, away if outside else ())
        rows.setdefault((outside, role), []).append(node)
    ordered = [row for _, row in sorted(rows.items(), key=lambda item: item[0])]
    return [[replace(row[index], row_size=len(row)) for index in sample_values(len(row), MOST)] for row in ordered]


def spread_rows(rows: Sequence[Sequence[DrawnNode]]) -> list[list[NodeCard]]:
    """Return the cards of every row: evenly, with gaps where an outer coordinate changes or nodes are left out."""
    spread = []
    for number, row in enumerate(rows):
        steps = [0.0]
        for left, right in pairwise(row):
            steps.append(steps[-1] + _step(left, right))
        pitch = min(44.0 if number == 0 else 34.0, ROWS.width / (steps[-1] + 1))
        first = ROWS.middle - pitch * steps[-1] / 2
        width = min(0.8 * pitch, 30.0)
        y = 3 * PAD + 18 + HIGH / 2 + PITCH * number
        spread.append([NodeCard(node, first + pitch * step, y, width) for node, step in zip(row, steps, strict=True)])
    return spread


def _step(left: DrawnNode, right: DrawnNode) -> float:
    """Return the distance of two neighbours in a row, in pitches."""
    if right.number > left.number + 1:
        return 2.2
    outer = list(left.fixed)[:-1]
    return 1.5 if any(left.fixed[axis] != right.fixed.get(axis) for axis in outer if axis != PLANE) else 1.0


def align_places(blueprint: Blueprint, rows: Sequence[Sequence[NodeCard]]) -> list[list[NodeCard]]:
    """Return the rows with every pod, then every unit, in the column of its widest row."""
    placement, aligned = blueprint.topology.server.axes, [list(row) for row in rows]
    for depth in range(1, len(placement)):
        axes = placement[:depth]
        having = [number for number, row in enumerate(aligned) if all(axis in row[0].node.fixed for axis in axes)]
        if len(having) < 2:
            continue
        widest = max(having, key=lambda number: aligned[number][-1].x - aligned[number][0].x)
        columns: dict[tuple[int, ...], list[NodeCard]] = {}
        for number in having:
            for card in aligned[number]:
                columns.setdefault(tuple(card.node.fixed[axis] for axis in axes), []).append(card)
        if all(any(card in aligned[widest] for card in cards) for cards in columns.values()):
            for number in having:
                aligned[number] = _align_row(aligned[number], aligned[widest], axes)
    return aligned


def _align_row(row: Sequence[NodeCard], anchor: Sequence[NodeCard], axes: Sequence[str]) -> list[NodeCard]:
    """Return a row with the cards of a place in the middle of the place's width in the anchor row, closer if needed."""
    if row is anchor:
        return list(row)
    places: dict[tuple[int, ...], list[NodeCard]] = {}
    for card in row:
        places.setdefault(tuple(card.node.fixed[axis] for axis in axes), []).append(card)
    aligned: list[NodeCard] = []
    for values, cards in places.items():
        column = [card for card in anchor if tuple(card.node.fixed[axis] for axis in axes) == values]
        left, right = column[0].x - column[0].width / 2, column[-1].x + column[-1].width / 2
        own = cards[-1].x - cards[0].x + cards[0].width
        share = min(1.0, (right - left) / own)
        middle, centre = (left + right) / 2, (cards[0].x + cards[-1].x) / 2
        aligned += [replace(card, x=middle + share * (card.x - centre), width=share * card.width) for card in cards]
    least = min(card.width for card in aligned)
    return [replace(card, width=least) for card in aligned]
