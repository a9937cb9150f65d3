"""The sum of the ways from each position of a large floor to the nearest others, without one for every pair.

The sum of the n least of some numbers d is the most that n t - sum max(0, t - d) is for any t, by linear duality. A way
is one across the rows and one along them, which depends on the places along the rows alone; so for each t what a row
adds comes from a table by place along the rows and length left over. Between the lengths of the table it is taken to be
linear, which is too much, since the sum is convex: the result is a bound from below, and close.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.layout.floor_metric import FloorMetric

__all__ = ["sum_nearest"]

Rows = npt.NDArray[np.int64]
Metres = npt.NDArray[np.float64]

STEP_M = 0.3
"""The distance of the lengths of the table."""

LENGTHS = 24
"""How many values of t are tried."""

LEAST_PITCH_M = 1e-6
"""The least distance between two racks of a row for which only a part of the row is looked at."""

CHUNK = 20_000
"""The positions whose own rows are corrected at a time."""


def sum_nearest(floor: FloorMetric, number: int, seeds: Rows) -> Metres:
    """Return a bound on the sum of the ways to the nearest `number` others of each position, shape (positions,).

    `seeds` are positions spread over the floor, whose farthest of these ways say which t to try.
    """
    far = np.concatenate([ways[:, -1] for _, ways in floor.nearest(seeds, number, np.inf)])
    lengths = np.linspace(far.min() * 0.95, far.max(), LENGTHS)
    found = np.zeros(floor.positions)
    spare = _sum_spare(floor, lengths)
    for first in range(0, floor.positions, CHUNK):
        which = np.arange(first, min(first + CHUNK, floor.positions))
        _correct_rows(floor, which, lengths, spare)
        # A position is the nearest to itself.
        found[which] = ((number + 1) * lengths - spare[which]).max(axis=1)
    return np.maximum(found, 0)


def _sum_spare(floor: FloorMetric, lengths: Metres) -> Metres:
    """Return what is left of each length after the ways to all positions by cross trays, shape (positions, lengths)."""
    rows, row = np.unique(floor.y_m, return_inverse=True)
    places = len(floor.turns_m)
    held = np.bincount(row * places + floor.column, minlength=len(rows) * places).reshape(len(rows), places)
    kinds, kind = np.unique(held, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    steps = int(lengths.max() / STEP_M) + 2
    table = np.stack([_tabulate(floor.turns_m, each, steps) for each in kinds])
    sums = np.empty((len(rows), len(lengths), places))
    # Of rows beyond the greatest length nothing is left.
    near = np.searchsorted(rows, rows - lengths.max()), np.searchsorted(rows, rows + lengths.max(), side="right")
    for number, (y, first, last) in enumerate(zip(rows, *near, strict=True)):
        left = np.maximum(lengths - np.abs(rows[first:last] - y)[:, None], 0) / STEP_M
        at, held_by = left.astype(np.int64), kind[first:last, None]
        share = (left - at)[:, :, None]
        sums[number] = ((1 - share) * table[held_by, at] + share * table[held_by, at + 1]).sum(axis=0)
    return np.ascontiguousarray(sums[row, :, floor.column])


def _tabulate(turns_m: Metres, held: Rows, steps: int) -> Metres:
    """Return what is left of each length of the table after the ways to the positions of a row.

    `held` are the positions at each place along the rows; the shape is (steps, places).
    """
    places = len(turns_m)
    bins = np.minimum(np.ceil(turns_m / STEP_M).astype(np.int64), steps)
    cells = (np.arange(places)[:, None] * (steps + 1) + bins).reshape(-1)
    weights = np.broadcast_to(held.astype(np.float64), turns_m.shape)
    counted, summed = (
        np.bincount(cells, each.reshape(-1), places * (steps + 1)).reshape(places, -1)[:, :steps].cumsum(axis=1)
        for each in (weights, weights * turns_m)
    )
    return np.asarray((np.arange(steps) * STEP_M * counted - summed).T)


def _correct_rows(floor: FloorMetric, which: Rows, lengths: Metres, spare: Metres) -> None:
    """Add, for positions of one row, by how much the way along it is shorter than that by a cross tray.

    Further along the row than the greatest length nothing is left by either.
    """
    racks = int((floor.last - floor.first)[which].max())
    apart = np.diff(floor.x_m)[np.diff(floor.first) == 0]
    near = min(racks - 1, int(lengths.max() / max(float(apart.min()), LEAST_PITCH_M)) + 1) if len(apart) else 0
    for offset in range(-near, near + 1):
        other = which + offset
        here = which[(floor.first[which] <= other) & (other < floor.last[which])]
        other = here + offset
        turned = floor.turns_m[floor.column[here], floor.column[other]]
        straight = np.abs(floor.x_m[here] - floor.x_m[other])
        spare[here] += np.maximum(lengths - straight[:, None], 0) - np.maximum(lengths - turned[:, None], 0)
