"""Chains of cables: one from a server to its leaf, one on to a spine, and so on up, as ways from rack to rack.

The cables into a rack are joined with those out of it in equal shares, each with all of them; what one side has more is
left over. By the triangle inequality the cables of a chain are together no shorter than the way between its ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["RackCables", "join_chain", "list_splits"]

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

CHUNK = 2_000_000
"""The cells that are summed at a time."""

LEFT_OVER = 1e-6
"""The share of a cable that is no longer counted as left over."""


@dataclass(frozen=True)
class RackCables:
    """The cables, or shares of cables, between pairs of racks; columns of shape (pairs,)."""

    low: Rows
    """The rack at the lower end."""
    high: Rows
    """The rack at the upper end."""
    cables: Numbers
    """How many."""

    @classmethod
    def between(cls, low: npt.NDArray[np.integer], high: npt.NDArray[np.integer], racks: int) -> RackCables:
        """Return the cables between pairs of racks, given the racks at both ends of each."""
        pairs, cables = np.unique(low.astype(np.int64) * racks + high, return_counts=True)
        return cls(pairs // racks, pairs % racks, cables.astype(np.float64))


def list_splits(bundles: int) -> list[list[tuple[int, int]]]:
    """Return every way to cut a chain of bundles into parts, each its first and its last bundle, excluded."""
    found = []
    for cuts in range(1 << max(0, bundles - 1)):
        bounds = [0, *(place + 1 for place in range(bundles - 1) if cuts >> place & 1), bundles]
        found.append(list(pairwise(bounds)))
    return found


def join_chain(bundles: Sequence[RackCables], racks: int) -> tuple[RackCables, list[RackCables]]:
    """Return the chains of cables from the lowest racks to the highest, and what is left over of each bundle."""
    # Of what enters a rack from below and what leaves it upwards, the larger sets the share that each cable gives.
    shares = []
    for below, above in pairwise(bundles):
        into = np.bincount(below.high, below.cables, racks)
        out = np.bincount(above.low, above.cables, racks)
        shares.append(1 / np.maximum(np.maximum(into, out), 1e-12))
    up = [np.ones(racks)]
    for below, share in zip(bundles, shares, strict=False):
        up.append(np.bincount(below.high, below.cables * up[-1][below.low], racks) * share)
    down = [np.ones(racks)]
    for above, share in zip(reversed(bundles), reversed(shares), strict=False):
        down.append(np.bincount(above.low, above.cables * down[-1][above.high], racks) * share)
    left = [
        _keep(each, each.cables * (1 - below[each.low] * above[each.high]))
        for each, below, above in zip(bundles, up, reversed(down), strict=True)
    ]
    joined = bundles[-1]
    for below, share in zip(reversed(bundles[:-1]), reversed(shares), strict=True):
        joined = _multiply(below, share, joined)
    return joined, left


def _keep(bundle: RackCables, cables: Numbers) -> RackCables:
    """Return the pairs of a bundle of which more than rounding is left."""
    kept = cables > LEFT_OVER * bundle.cables
    return RackCables(bundle.low[kept], bundle.high[kept], cables[kept])


def _multiply(below: RackCables, share: Numbers, above: RackCables) -> RackCables:
    """Return the chains of cables below and above, joined at their middle racks with these shares."""
    middle, ends = np.unique(above.low), np.unique(above.high)
    table = np.zeros((len(middle) + 1, len(ends)))  # the last row is of racks that nothing leaves
    table[np.searchsorted(middle, above.low), np.searchsorted(ends, above.high)] = above.cables
    at = np.searchsorted(middle, below.high)
    there = np.append(middle, -1)[at] == below.high
    order = np.flatnonzero(there)[np.argsort(below.low[there], kind="stable")]
    low, weight = below.low[order], (below.cables * share[below.high])[order]
    lows, start = np.unique(low, return_index=True)
    found = [
        np.add.reduceat(table[at[order[first:last]]] * weight[first:last, None], start[one:other] - first)
        for one, other, first, last in _chunks(start, len(low), len(ends))
    ]
    total = np.concatenate(found) if found else np.zeros((0, len(ends)))
    row, column = np.nonzero(total)
    return RackCables(lows[row], ends[column], total[row, column])


def _chunks(start: Rows, pairs: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the first and the last group of pairs, excluded, of parts of few cells, and the pairs of each."""
    ends, one = np.append(start, pairs), 0
    while one < len(start):
        other = int(np.searchsorted(ends, ends[one] + max(1, CHUNK // max(1, width)), side="right")) - 1
        other = min(max(other, one + 1), len(start))
        yield one, other, int(ends[one]), int(ends[other])
        one = other
