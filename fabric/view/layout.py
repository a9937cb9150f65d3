"""Where the nodes of a view stand: in rows by tiers, in rings by groups, or on a lattice; no two closer than 1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE
from fabric.view.stacks import Edges, Rows

__all__ = ["Points", "Standing", "positions"]

LATTICES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "slim-fly": (("column", "half"), ("row",)),
    **dict.fromkeys(("hyperx", "torus", "mesh"), (("x", "z", "v"), ("y", "w", "u"))),
}
"""The axes of switches that stand on a lattice: those that go across and those that go up, the closest first."""

WIDEST, SPACE, NEXT = 24, 1.5, 0.7
"""The least nodes of a row before it is broken into several; how far apart switches stand on a ring, and rings are; and
servers on two rings in turn."""

Point = npt.NDArray[np.float64]
Points = tuple[Point, Point]


@dataclass(frozen=True, eq=False)
class Standing:
    """What positions follow from: each node's role, whether it is of the place, its digits, and the edges.

    `digits` are those of each node, or of each role as columns.
    """

    role: npt.NDArray[Any]
    inside: npt.NDArray[np.bool_]
    digits: Sequence[Mapping[str, Any]]
    edges: Edges

    def digit(self, role: int, axis: str, rows: Rows) -> Rows:
        """Return the nodes' values on an axis, 0 where they have none; `rows` are all inner ones of the role."""
        if isinstance(next(iter(self.digits[role].values()), None), np.ndarray):
            return np.asarray(self.digits[role].get(axis, np.zeros(len(rows), np.int64)))
        return np.array([self.digits[row].get(axis, 0) for row in rows.tolist()], np.int64)

    def rows(self, role: int, *, inside: bool = True) -> Rows:
        """Return the nodes of a role that are of the place, or those that are not."""
        return np.flatnonzero((self.role == role) & (self.inside == inside))

    @cached_property
    def under(self) -> tuple[Rows, Rows]:
        """The first switch above each server node, and the place of the server among those below that switch."""
        servers = self.rows(0)
        low, first = np.unique(self.edges.lower, return_index=True)
        above = self.edges.upper[first[np.searchsorted(low, servers)]]
        order = np.argsort(above, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(above[order]) != 0))
        rank = np.empty(len(servers), np.int64)
        rank[order] = np.arange(len(servers)) - np.repeat(starts, np.diff(np.append(starts, len(servers))))
        return above, rank


def positions(blueprint: Blueprint, level: str, where: Standing) -> Points:
    """Return x and y of every node: servers at the bottom where there are tiers, and else around their switches."""
    form = blueprint.topology
    if not isinstance(form, GraphForm) or form.routing.nic_levels or level in ("fabric", "unit"):
        return _in_rows(where, lift=isinstance(form, GraphForm))
    place = _lattice if form.family in LATTICES else _rings
    return place(blueprint, where)


def _in_rows(where: Standing, *, lift: bool) -> Points:
    """Return rows by roles, long ones broken; with `lift`, what is not of the place stands above all that is."""
    nodes = len(where.role)
    row = where.role.astype(np.int64) + (~where.inside * (int(where.role.max()) + 1) if lift else 0)
    widest = max(WIDEST, math.ceil(math.sqrt(6 * nodes)))
    width = float(min(widest, np.bincount(row).max()))
    x, y, top = np.zeros(nodes), np.zeros(nodes), 0.0
    for tier in np.unique(row):
        rows = np.flatnonzero(row == tier)
        lines = -(-len(rows) // widest)
        each = -(-len(rows) // lines)
        line, place = np.divmod(np.arange(len(rows)), each)
        here = np.minimum(each, len(rows) - line * each)
        # A line that is not full keeps the pitch of the others, from the left.
        pitch = width / (here if lines == 1 else each)
        x[rows], y[rows] = (place + 0.5) * pitch - 0.5, top + lines - 1 - line
        top += lines - 1 + max(2.0, 0.12 * width)
    return x, y


def _ring(number: int, apart: float) -> float:
    """Return the radius of the ring on which so many stand this far apart."""
    return apart / (2 * math.sin(math.pi / number)) if number > 1 else 0.0


def _rings(blueprint: Blueprint, where: Standing) -> Points:
    """Return every group's switches on rings, the top role inmost, servers outward of their leaves, groups in a ring.

    What is not of a pod stands on a ring around it.
    """
    nodes = len(where.role)
    group, turn, far = np.zeros(nodes, np.int64), np.zeros(nodes), np.zeros(nodes)
    radius = -SPACE
    for role in reversed(range(1, len(blueprint.topology.groups))):
        rows = where.rows(role)
        group[rows] = where.digit(role, "group", rows) if where.inside.all() else 0
        each = max(1, len(rows) // (int(group[rows].max(initial=0)) + 1))
        radius = max(_ring(each, SPACE), radius + SPACE)
        far[rows], turn[rows] = radius, np.arange(len(rows)) % each / each
    _outward(where, group, turn, far)
    reach, groups = float(far.max()) + 1, int(group.max()) + 1
    around = np.flatnonzero(~where.inside)
    half = 0.5 / max(1, len(where.rows(1)))
    turn[around] = np.arange(len(around)) / max(1, len(around)) + half
    far[around] = max(reach + 1, _ring(len(around), SPACE))
    out, centre = _ring(groups, 2 * reach), group / groups
    x = out * np.sin(2 * np.pi * centre) + far * np.sin(2 * np.pi * turn)
    y = out * np.cos(2 * np.pi * centre) + far * np.cos(2 * np.pi * turn)
    return x - x.min(), y - y.min()


def _outward(where: Standing, group: Rows, turn: Point, far: Point) -> None:
    """Set the servers on two rings around the leaves, each leaf's in its sector, near and far in turn."""
    leaves, servers, (above, rank) = where.rows(1), where.rows(0), where.under
    planes = int(where.digit(1, PLANE, leaves).max(initial=0)) + 1
    number, most = len(leaves) // (int(group.max()) + 1), int(rank.max(initial=0)) + 1
    # An even number of places, so that those of two leaves that meet are on different rings; but one needs no other.
    most += most % 2 if most > 1 else 0
    inner = float(far[leaves].max())
    ring = max(inner + SPACE, _ring(max(1, number // planes) * most, NEXT if most > 1 else 2 * NEXT))
    far[leaves] += ring - SPACE - inner
    sector = planes / number
    group[servers] = group[above]
    turn[servers] = turn[above] + sector * ((rank + 0.5) / most - 0.5 / planes)
    far[servers] = ring + NEXT * 1.6 * (rank % 2)


def _lattice(blueprint: Blueprint, where: Standing) -> Points:
    """Return switches on a lattice, each in a cell with its planes side by side and its servers below.

    Its lines are bowed, so that a link past other switches is seen beside them.
    """
    across, up = LATTICES[blueprint.topology.family]
    rows, servers, (above, rank) = where.rows(1), where.rows(0), where.under
    most = int(rank.max(initial=0)) + 1
    columns = math.ceil(math.sqrt(most))
    plane = where.digit(1, PLANE, rows)
    along, over = ([where.digit(1, axis, rows) for axis in axes] for axes in (across, up))
    (sag, slope), (lean, tilt) = _bow(along), _bow(over)
    cell = max(columns, int(plane.max()) + 1) + 0.8 + tilt, 1.8 + -(-most // columns) + slope
    x, y = np.zeros(len(where.role)), np.zeros(len(where.role))
    x[rows], y[rows] = _nested(along) * cell[0] + lean + plane, _nested(over) * cell[1] + sag
    x[servers] = x[above] + rank % columns
    y[servers] = y[above] - 1.2 - rank // columns
    inside = np.concatenate([rows, servers])
    x, y = x - x[inside].min(), y - y[inside].min()
    around = np.flatnonzero(~where.inside)
    if len(around):
        width = max(float(x[inside].max()) + 1, min(len(around), WIDEST))
        line = min(len(around), int(width))
        place = np.arange(len(around))
        x[around] = (place % line + 0.5) * width / line - 0.5
        y[around] = y[inside].max() + max(3.0, 0.12 * width) + place // line
    return x, y


def _nested(digits: Sequence[Rows]) -> Point:
    """Return how many cells along each node stands, the values of the first axis closest together."""
    at, step = np.zeros(len(digits[0])), 1.0
    for values in digits:
        at = at + (values - values.min()) * step
        step = float(at.max()) + 1.6
    return at


def _bow(digits: Sequence[Rows]) -> tuple[Point, float]:
    """Return how far lines of these axes swerve at each node, and the most between two that follow each other."""
    swerve, most = np.zeros(len(digits[0])), 0.0
    for values in digits:
        middle = (values.min() + values.max()) / 2
        bend = min(0.45, 4.0 / max(1.0, 2 * middle))
        swerve = swerve + bend * (values - middle) ** 2
        most += bend * 2 * float(values.max() - middle)
    return swerve, most
