"""How sprayed packets spread over paths: the fluid limit, in which no packet would gain by another path.

With ever smaller packets, moving them from loaded paths to less loaded ones ends in the maximum concurrent flow (F.
Shahrokhi and D. Matula 1990, doi 10.1145/77600.77620): the split of all demands over paths that leaves the fullest arc
least full. Prices of arcs that grow with their utilization lead there: of a few more paths drawn each demand keeps the
cheapest, and moves from dear paths to cheap ones by multiplicative weights (S. Arora, E. Hazan and S. Kale 2012, doi
10.4086/toc.2012.v008a006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Draw", "Splits", "search_seconds", "split_over_paths"]

DRAWS, LEAST_DRAWS, MOST_DRAWS = 1 << 20, 6, 1 << 10
"""The paths drawn for all demands together, and the fewest and the most for each of them."""

LEAST_PATHS, MOST_PATHS = 4, 32
"""The fewest and the most paths over which a demand is split."""

STEPS, LAST_STEPS = 20, 200
"""The steps of the shares after each further path, and at the end."""

SECONDS_PER_DRAW, SECONDS_PER_MOVE = 3.5e-6, 77e-9
"""What drawing a path takes, and a step of the share of one: measured on a HyperX of 2,048 servers."""

PATIENCE, GAIN = 8, 1e-3
"""The search ends once as many further paths have made the fullest arc less full by less than this part."""

DULL, SHARP = 10.0, 80.0
"""How sharply prices tell the fullest arc from others, at first and at last: an arc that is less full by one part in as
many is e times cheaper."""

SAME = 1e-4
"""The price of an arc that is nearly empty over that of the fullest, so that of cheap paths the shortest is taken."""

CALM = 0.1
"""The least price of a demand's paths over the mean of all demands' that makes it move at full pace."""

RARE = 1e-9
"""The least share of a path that may grow again."""

Rows = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Rates = npt.NDArray[np.float64]

Draw = Callable[[Rows], tuple[Rows, Mask]]
"""Returns the paths of some numbers for each demand: their arcs, shape (numbers, demands, hops), padded with the number
of arcs, and which of them there are not, shape (numbers, demands)."""


@dataclass(frozen=True, eq=False)
class Splits:
    """How demands are split over paths."""

    arcs: Rows
    """The arcs of each path, shape (demands, paths, hops); the number of arcs pads short ones."""
    shares: Rates
    """The share of its demand that each path carries, shape (demands, paths); 0 where a demand has no path."""

    @property
    def lost(self) -> Mask:
        """Which demands have no path, shape (demands,)."""
        return np.asarray(self.shares.max(axis=1, initial=0.0) == 0)

    def loads(self, demand: Rates, arcs: int) -> Rates:
        """Return what all demands together put on each of `arcs` arcs, in the unit of the demands."""
        carried = np.repeat((self.shares * demand[:, None]).reshape(-1), self.arcs.shape[2])
        return np.asarray(np.bincount(self.arcs.reshape(-1), carried, arcs + 1)[:arcs], np.float64)

    def with_path(self, arcs: Rows, share: Rates, most: int, padding: int) -> Splits:
        """Return them with one more path that carries `share` of each demand; of `most` paths the rarest gives way."""
        hops = max(self.arcs.shape[2], arcs.shape[1])
        every, new = (_pad(each, hops, padding) for each in (self.arcs, arcs))
        shares = self.shares * (1 - share)[:, None]
        if every.shape[1] < most:
            return Splits(np.concatenate([every, new[:, None]], 1), np.concatenate([shares, share[:, None]], 1))
        rows = np.flatnonzero(share)
        rarest = shares[rows].argmin(axis=1)
        every = every.copy()
        every[rows, rarest], shares[rows, rarest] = new[rows], share[rows]
        total = shares.sum(axis=1, keepdims=True)
        return Splits(every, np.divide(shares, total, out=shares, where=total > 0))


def split_over_paths(draw: Draw, demand: Rates, capacity: Rates) -> Splits:
    """Return the splits of `demand`, shape (demands,), that leave the fullest of the arcs of a `capacity` least full.

    Where the arcs have room for all demands, any split that fits will do. For up to some thousand demands the fullest
    arc is within about 2 % of the linear program's; with more of them each has fewer paths, and loses more.
    """
    draws, most, rounds = _plan_search(len(demand))
    splits = best = Splits(np.zeros((len(demand), 0, 0), np.int32), np.zeros((len(demand), 0)))
    prices, history = np.ones(len(capacity)), [(len(demand), np.inf)]
    for number in range(rounds):
        numbers = np.arange(number * draws // rounds, (number + 1) * draws // rounds)
        arcs, found = _cheapest(draw, numbers, prices)
        share = np.where(splits.lost, 1.0, 1 / min(number + 1, most)) * found
        splits = splits.with_path(arcs, share, most, len(capacity))
        sharpness = DULL * (SHARP / DULL) ** (number / rounds)
        splits, prices, fullest = _even_out(splits, demand, capacity, sharpness, STEPS)
        reached = int(splits.lost.sum()), fullest
        best = splits if reached < history[-1] else best
        history.append(min(reached, history[-1]))
        if _settled(history):
            break
    return _even_out(best, demand, capacity, SHARP, LAST_STEPS)[0]


def search_seconds(demands: int) -> float:
    """Return about how many seconds of a core the search of some demands takes that does not settle before its end."""
    draws, most, rounds = _plan_search(demands)
    return demands * (draws * SECONDS_PER_DRAW + (rounds * STEPS / 2 + LAST_STEPS) * most * SECONDS_PER_MOVE)


def _plan_search(demands: int) -> tuple[int, int, int]:
    """Return the paths drawn for each of some demands, the most that it keeps, and the rounds of the search."""
    draws = min(MOST_DRAWS, max(LEAST_DRAWS, DRAWS // max(1, demands)))
    most = min(MOST_PATHS, max(LEAST_PATHS, draws // 3))
    return draws, most, min(draws, most * 3 // 2)


def _settled(history: list[tuple[int, float]]) -> bool:
    """Say whether further paths are of no use, from the demands lost and the fullest arc after each."""
    (lost, fullest), (lost_before, before) = history[-1], history[max(0, len(history) - 1 - PATIENCE)]
    return (not lost and fullest <= 1) or (lost == lost_before and fullest >= (1 - GAIN) * before)


def _cheapest(draw: Draw, numbers: Rows, prices: Rates) -> tuple[Rows, Mask]:
    """Return the cheapest of the paths of these numbers of each demand, and which demands have one."""
    arcs, missing = draw(numbers)
    cost = np.where(missing, np.inf, np.append(prices, 0.0)[arcs].sum(axis=2))
    choice, demand = cost.argmin(axis=0), np.arange(cost.shape[1])
    return arcs[choice, demand], cost[choice, demand] < np.inf


def _even_out(
    splits: Splits, demand: Rates, capacity: Rates, sharpness: float, steps: int
) -> tuple[Splits, Rates, float]:
    """Return the best splits over the same paths of some `steps`, the prices of arcs, and how full the fullest is."""
    arcs = splits.arcs.astype(np.intp)  # numpy would convert any other numbers anew at every step
    shares, best, least, prices = splits.shares, splits.shares, np.inf, np.zeros(len(capacity))
    for _ in range(steps):
        utilization = Splits(arcs, shares).loads(demand, len(capacity)) / capacity
        fullest = float(utilization.max(initial=0.0))
        if fullest < least:
            best, least = shares, fullest
        if fullest <= 1:
            break
        # The price is the gradient of a soft maximum of utilizations, for a unit of load.
        weights = np.exp(sharpness * (utilization / fullest - 1))
        prices = weights / weights.sum() / capacity
        cost = np.append(prices, 0.0)[arcs].sum(axis=2) * demand[:, None]
        mean = (cost * shares).sum(axis=1, keepdims=True)
        dearer = (cost - mean) / (mean + CALM * fullest / len(demand))
        shares = np.maximum(shares, RARE * (shares.sum(axis=1, keepdims=True) > 0))
        shares = shares * np.exp(-np.clip(dearer / sharpness, -1, 1))
        total = shares.sum(axis=1, keepdims=True)
        shares = np.divide(shares, total, out=shares, where=total > 0)
    return replace(splits, shares=best), prices / max(prices.max(initial=0.0), RARE) + SAME, least


def _pad(arcs: Rows, hops: int, padding: int) -> Rows:
    """Return arcs, shape (..., hops), with as many hops as asked for, the last of them `padding`."""
    width = [(0, 0)] * (arcs.ndim - 1) + [(0, hops - arcs.shape[-1])]
    return np.pad(arcs, width, constant_values=padding) if hops > arcs.shape[-1] else arcs
