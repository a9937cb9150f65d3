"""The least way of cables that are counted at one of their ends, whatever positions of a floor the racks take.

Of a rack at a position, the rack to which most cables lead is at best at the nearest other position, the next at
the second nearest, and so on: so each position has a least sum. Racks stand at distinct positions, and so together need
no less than the least sums of as many.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.layout.floor_metric import FloorMetric
from fabric.layout.nearest_sums import sum_nearest
from fabric.layout.rack_contents import count_before

__all__ = ["bound_stars"]

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

MOST_CLASSES = 4
"""The most kinds of racks, by the cables to their others, whose sums are computed."""

FEW_CELLS = 2.5e7
"""The ways up to which all between positions near each other are computed: below a second of one core."""

SEEDS = 24
"""The positions, spread over the floor, that say how far the nearest others are."""

LEVELS = 6
"""The most different numbers of cables of a kind of rack that are kept separate on a large floor."""


def bound_stars(floor: FloorMetric, hub: Rows, other: Rows, cables: Numbers) -> float:
    """Return the least way in metres of cables between racks, each counted at its `hub`, columns of shape (pairs,)."""
    apart = (hub != other) & (cables > 0)
    return sum(_sum_least(floor, weights, racks) for racks, weights in _classes(hub[apart], cables[apart]))


def _classes(hub: Rows, cables: Numbers) -> Iterator[tuple[int, Numbers]]:
    """Yield numbers of like racks, and the cables to each of their others, descending, that all of these have."""
    if not len(hub):
        return
    order = np.lexsort((-cables, hub))
    hub, cables = hub[order], cables[order]
    _, start, degree = np.unique(hub, return_index=True, return_counts=True)
    totals = np.round(np.add.reduceat(cables, start), 6)
    by_sum = np.lexsort((degree, totals))
    differs = (np.diff(totals[by_sum], prepend=0) != 0) | (np.diff(degree[by_sum], prepend=0) != 0)
    kind = np.empty(len(degree), np.int64)
    kind[by_sum] = np.cumsum(differs) - 1
    # Of too many kinds, those of like sums are taken together: a bound for what all of them have is one for each.
    classes = kind * min(MOST_CLASSES, int(kind.max()) + 1) // (int(kind.max()) + 1)
    place, which = count_before(hub), np.repeat(classes, degree)
    for each in np.unique(classes):
        mine, size = which == each, int((classes == each).sum())
        full = int(degree[classes == each].min())
        inside = np.flatnonzero(mine)[place[mine] < full]
        yield size, cables[inside].reshape(size, full).min(axis=0)


def _sum_least(floor: FloorMetric, weights: Numbers, racks: int) -> float:
    """Return a bound on the sum of the least sums of `racks` positions; `weights` are cables, descending."""
    weights = weights[: floor.positions - 1]
    seeds = np.unique(np.linspace(0, floor.positions - 1, SEEDS).astype(np.int64))
    reach = max(float(ways[:, -1].max()) for _, ways in floor.nearest(seeds, len(weights), np.inf))
    least = np.zeros(floor.positions)
    if floor.count_ways(reach) < FEW_CELLS:
        for rows, ways in floor.nearest(np.arange(floor.positions), len(weights), reach):
            least[rows] = ways @ weights
    else:
        # Each level counts what all of its cables have: levels end where most would be lost otherwise.
        drops = -np.diff(weights, append=0) * np.arange(1, len(weights) + 1)
        drops[-1] = np.inf
        ends = np.sort(np.argsort(-drops, kind="stable")[: min(LEVELS, int((drops > 0).sum()))])
        for end, more in zip(ends, -np.diff(weights[ends], append=0), strict=True):
            least += more * sum_nearest(floor, int(end) + 1, seeds)
    return float(np.sort(least)[:racks].sum())
