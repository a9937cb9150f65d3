"""Positions of the nodes of a view: in rows by tiers, on rings by groups, or on a lattice; no two closer than 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.registry import Registry
from fabric.topology.topology import PLANE
from fabric.view.nodes import Edges, Rows

__all__ = ["LAYOUTS", "Layout", "NodeTable", "Points", "positions"]

WIDEST, SPACE, NEXT = 24, 1.5, 0.7
"""The fewest nodes of a row that is broken into several; the distance between switches on a ring, and between rings;
and the distance between servers, which alternate between two rings."""

Point = npt.NDArray[np.float64]
Points = tuple[Point, Point]


@dataclass(frozen=True, eq=False)
class NodeTable:
    """What positions follow from."""

    role: npt.NDArray[Any]
    """The role of each node, shape (nodes,), counted from the servers up."""
    inside: npt.NDArray[np.bool_]
    """Whether each node belongs to the pod or unit shown, shape (nodes,)."""
    digits: Mapping[str, Rows]
    """The value of each node on every axis, shape (nodes,), 0 where it has none."""
    edges: Edges
    """The edges of the view."""

    def digit(self, axis: str, rows: Rows) -> Rows:
        """Return the values of these nodes on an axis, 0 where they have none."""
        return self.digits[axis][rows] if axis in self.digits else np.zeros(len(rows), np.int64)

    def rows(self, role: int, *, inside: bool = True) -> Rows:
        """Return the nodes of a role that belong to the place shown, or those that do not."""
        return np.flatnonzero((self.role == role) & (self.inside == inside))

    @cached_property
    def leaf_and_rank(self) -> tuple[Rows, Rows]:
        """The first switch above each server node, and the rank of the server among those below that switch."""
        servers = self.rows(0)
        low, first = np.unique(self.edges.lower, return_index=True)
        above = self.edges.upper[first[np.searchsorted(low, servers)]]
        order = np.argsort(above, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(above[order]) != 0))
        rank = np.empty(len(servers), np.int64)
        rank[order] = np.arange(len(servers)) - np.repeat(starts, np.diff(np.append(starts, len(servers))))
        return above, rank


def positions(blueprint: Blueprint, level: str, table: NodeTable) -> Points:
    """Return x and y of every node, by the topology's natural layout; in rows by groups and for a single unit."""
    layout = LAYOUTS.get_record(blueprint.topology.drawing.layout)
    return (place_in_rows if level in ("fabric", "unit") else layout.place)(blueprint, table)


def place_in_rows(blueprint: Blueprint, table: NodeTable) -> Points:
    """Return rows by roles, long ones broken; in topologies without tiers what surrounds a place stands above it."""
    nodes = len(table.role)
    above = 0 if blueprint.topology.layered else ~table.inside * (int(table.role.max()) + 1)
    row = table.role.astype(np.int64) + above
    widest = max(WIDEST, math.ceil(math.sqrt(6 * nodes)))
    width = float(min(widest, np.bincount(row).max()))
    x, y, top = np.zeros(nodes), np.zeros(nodes), 0.0
    for tier in np.unique(row):
        rows = np.flatnonzero(row == tier)
        lines = -(-len(rows) // widest)
        each = -(-len(rows) // lines)
        line, rank = np.divmod(np.arange(len(rows)), each)
        here = np.minimum(each, len(rows) - line * each)
        # A line that is not full keeps the pitch of the others, from the left.
        pitch = width / (here if lines == 1 else each)
        x[rows], y[rows] = (rank + 0.5) * pitch - 0.5, top + lines - 1 - line
        top += lines - 1 + max(2.0, 0.12 * width)
    return x, y


def _ring_radius(number: int, apart: float) -> float:
    """Return the radius of the ring on which `number` nodes stand `apart` from each other."""
    return apart / (2 * math.sin(math.pi / number)) if number > 1 else 0.0


def place_on_rings(blueprint: Blueprint, table: NodeTable) -> Points:
    """Return every group's switches on rings, the top role innermost, servers outside their leaves, groups in a ring.

    What does not belong to a pod stands on a ring around it.
    """
    nodes = len(table.role)
    group, turn, far = np.zeros(nodes, np.int64), np.zeros(nodes), np.zeros(nodes)
    radius = -SPACE
    for role in reversed(range(1, len(blueprint.topology.groups))):
        rows = table.rows(role)
        group[rows] = table.digit("group", rows) if table.inside.all() else 0
        each = max(1, len(rows) // (int(group[rows].max(initial=0)) + 1))
        radius = max(_ring_radius(each, SPACE), radius + SPACE)
        far[rows], turn[rows] = radius, np.arange(len(rows)) % each / each
    _place_servers(table, group, turn, far)
    reach, groups = float(far.max()) + 1, int(group.max()) + 1
    around = np.flatnonzero(~table.inside)
    half = 0.5 / max(1, len(table.rows(1)))
    turn[around] = np.arange(len(around)) / max(1, len(around)) + half
    far[around] = max(reach + 1, _ring_radius(len(around), SPACE))
    out, centre = _ring_radius(groups, 2 * reach), group / groups
    x = out * np.sin(2 * np.pi * centre) + far * np.sin(2 * np.pi * turn)
    y = out * np.cos(2 * np.pi * centre) + far * np.cos(2 * np.pi * turn)
    return x - x.min(), y - y.min()


def _place_servers(table: NodeTable, group: Rows, turn: Point, far: Point) -> None:
    """Set the servers on two rings around the leaves, each leaf's in its sector, alternately near and far."""
    leaves, servers, (above, rank) = table.rows(1), table.rows(0), table.leaf_and_rank
    planes = int(table.digit(PLANE, leaves).max(initial=0)) + 1
    number, most = len(leaves) // (int(group.max()) + 1), int(rank.max(initial=0)) + 1
    # An even number of ranks puts neighbours of two leaves on different rings; a single rank needs no second ring.
    most += most % 2 if most > 1 else 0
    inner = float(far[leaves].max())
    ring = max(inner + SPACE, _ring_radius(max(1, number // planes) * most, NEXT if most > 1 else 2 * NEXT))
    far[leaves] += ring - SPACE - inner
    sector = planes / number
    group[servers] = group[above]
    turn[servers] = turn[above] + sector * ((rank + 0.5) / most - 0.5 / planes)
    far[servers] = ring + NEXT * 1.6 * (rank % 2)


def place_on_lattice(blueprint: Blueprint, table: NodeTable) -> Points:
    """Return switches on a lattice, each in a cell with its planes side by side and its servers below.

    Its lines are bowed, so that a link that passes other switches runs beside them.
    """
    drawing = blueprint.topology.drawing
    rows, servers, (above, rank) = table.rows(1), table.rows(0), table.leaf_and_rank
    most = int(rank.max(initial=0)) + 1
    columns = math.ceil(math.sqrt(most))
    plane = table.digit(PLANE, rows)
    along, over = ([table.digit(axis, rows) for axis in axes] for axes in (drawing.across, drawing.up))
    (sag, slope), (lean, tilt) = _bow(along), _bow(over)
    cell = max(columns, int(plane.max()) + 1) + 0.8 + tilt, 1.8 + -(-most // columns) + slope
    x, y = np.zeros(len(table.role)), np.zeros(len(table.role))
    x[rows], y[rows] = _nested(along) * cell[0] + lean + plane, _nested(over) * cell[1] + sag
    x[servers] = x[above] + rank % columns
    y[servers] = y[above] - 1.2 - rank // columns
    inside = np.concatenate([rows, servers])
    x, y = x - x[inside].min(), y - y[inside].min()
    around = np.flatnonzero(~table.inside)
    if len(around):
        width = max(float(x[inside].max()) + 1, min(len(around), WIDEST))
        line = min(len(around), int(width))
        rank = np.arange(len(around))
        x[around] = (rank % line + 0.5) * width / line - 0.5
        y[around] = y[inside].max() + max(3.0, 0.12 * width) + rank // line
    return x, y


def _nested(digits: Sequence[Rows]) -> Point:
    """Return each node's position along nested axes in cells, the values of the first axis closest together."""
    at, step = np.zeros(len(digits[0])), 1.0
    for values in digits:
        at = at + (values - values.min()) * step
        step = float(at.max()) + 1.6
    return at


def _bow(digits: Sequence[Rows]) -> tuple[Point, float]:
    """Return how far lines of these axes bow at each node, and the most between two neighbours."""
    offset, most = np.zeros(len(digits[0])), 0.0
    for values in digits:
        middle = (values.min() + values.max()) / 2
        bend = min(0.45, 4.0 / max(1.0, 2 * middle))
        offset = offset + bend * (values - middle) ** 2
        most += bend * 2 * float(values.max() - middle)
    return offset, most


@dataclass(frozen=True)
class Layout:
    """A layout of the nodes of a view: that of the whole, device by device, and of a pod."""

    name: str
    """The word by which `Drawing.layout` asks for it."""
    place: Callable[[Blueprint, NodeTable], Points]
    """Returns x and y of every node, upward from 0, no two closer than 1."""


LAYOUTS = Registry("layout", "layouts", Layout, lambda: (
    Layout("tiers", place_in_rows),
    Layout("levels", place_in_rows),
    Layout("circle", place_on_rings),
    Layout("groups", place_on_rings),
    Layout("halves", place_on_lattice),
    Layout("lattice", place_on_lattice),
))  # fmt: skip
"""The layouts of views by name."""
