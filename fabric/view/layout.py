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
from fabric.form import PLANE
from fabric.view.stacks import Edges, Rows
from fabric.wired import Wired

__all__ = ["Points", "Standing", "positions"]

LATTICES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "slim-fly": (("column", "half"), ("row",)),
    **dict.fromkeys(("hyperx", "torus", "mesh"), (("x", "z", "v"), ("y", "w", "u"))),
}
"""The axes of switches that stand on a lattice: those that go across and those that go up, the closest first."""

WIDEST, SPACE = 24, 1.3
"""The least nodes of a row before it is broken into several; how far apart nodes stand on a ring, and rings are."""

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
    form = blueprint.form
    if not isinstance(form, Wired) or form.levels or level in ("fabric", "unit"):
        return _in_rows(where, lift=isinstance(form, Wired))
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
    x, y = np.zeros(len(where.role)), np.zeros(len(where.role))
    group, radius = np.zeros(len(where.role), np.int64), -SPACE
    turn, far = np.zeros(len(where.role)), np.zeros(len(where.role))
    for role in reversed(range(1, len(blueprint.form.groups))):
        rows = where.rows(role)
        group[rows] = where.digit(role, "group", rows) if len(np.unique(where.inside)) == 1 else 0
        each = max(1, len(rows) // (int(group[rows].max(initial=0)) + 1))
        radius = max(_ring(each, SPACE), radius + SPACE)
        far[rows], turn[rows] = radius, np.arange(len(rows)) % each / each
    servers, (above, rank) = where.rows(0), where.under
    far[servers], turn[servers], group[servers] = far[above] + SPACE * (rank + 1), turn[above], group[above]
    reach, groups = float(far.max()) + 1, int(group.max()) + 1
    around = np.flatnonzero(~where.inside)
    far[around], turn[around] = max(reach + 1, _ring(len(around), SPACE)), np.arange(len(around)) / max(1, len(around))
    out, centre = _ring(groups, 2 * reach), group / groups
    x[:] = out * np.sin(2 * np.pi * centre) + far * np.sin(2 * np.pi * turn)
    y[:] = out * np.cos(2 * np.pi * centre) + far * np.cos(2 * np.pi * turn)
    return x - x.min(), y - y.min()


def _lattice(blueprint: Blueprint, where: Standing) -> Points:
    """Return switches on a lattice, each in a cell with its planes side by side and its servers below."""
    across, up = LATTICES[blueprint.form.family]
    rows, servers, (above, rank) = where.rows(1), where.rows(0), where.under
    most = int(rank.max(initial=0)) + 1
    columns = math.ceil(math.sqrt(most))
    plane = where.digit(1, PLANE, rows)
    cell = max(columns, int(plane.max()) + 1) + 0.8, 1.8 + -(-most // columns)
    x, y = np.zeros(len(where.role)), np.zeros(len(where.role))
    x[rows] = _nested([where.digit(1, axis, rows) for axis in across]) * cell[0] + plane
    y[rows] = _nested([where.digit(1, axis, rows) for axis in up]) * cell[1] + cell[1]
    x[servers] = x[above] + rank % columns
    y[servers] = y[above] - 1.2 - rank // columns
    y -= y[np.concatenate([rows, servers])].min()
    around, width = np.flatnonzero(~where.inside), float(x.max()) + 1
    if len(around):
        line = max(1, min(len(around), int(width)))
        place = np.arange(len(around))
        x[around] = (place % line + 0.5) * max(width / line, 1.0) - 0.5
        y[around] = y.max() + 3 + place // line
    return x, y


def _nested(digits: Sequence[Rows]) -> Point:
    """Return how many cells along each node stands, the values of the first axis closest together."""
    at, step = np.zeros(len(digits[0])), 1.0
    for values in digits:
        at = at + (values - values.min()) * step
        step = float(at.max()) + 1.6
    return at
