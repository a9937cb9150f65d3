"""How many hashed sub-flows the busiest of many links carries."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["Law", "expected_greatest", "poisson_law", "thrown_law"]

Numbers = npt.NDArray[np.float64]

Law = tuple[Numbers, Numbers]
"""Consecutive counts, and the probability that no link carries more, both of shape (counts,)."""


@lru_cache(maxsize=4096)
def poisson_law(mean: float, links: float) -> Law:
    """Return the law of the most of `links` links that each carry a number by Poisson's law of this mean."""
    spread = math.sqrt(mean)
    least = max(0, math.floor(mean - 8 * spread))
    counts = np.arange(least, math.ceil(mean + 12 * spread) + 40)
    logs = np.concatenate(
        [[least * math.log(mean) - mean - math.lgamma(least + 1)], math.log(mean) - np.log(counts[1:])]
    )
    chances = np.exp(np.cumsum(logs))
    # P(more than k), summed from its smallest terms so that it keeps its precision.
    more = np.minimum(np.append(np.cumsum(chances[::-1])[::-1][1:], 0.0), 1 - 1e-15)
    return counts.astype(np.float64), np.exp(max(1.0, links) * np.log1p(-more))


@lru_cache(maxsize=4096)
def thrown_law(balls: int, boxes: int, times: float) -> Law:
    """Return the law of the most balls in any box, of this many thrown at random into boxes, `times` over.

    Of all ways, balls! times the coefficient of x^balls in (sum of x^j / j! over j <= k)^boxes leave none with more.
    """
    counts = np.arange(math.ceil(balls / boxes), balls + 1)
    found = []
    for count in counts.tolist():
        found.append(_share_of_ways(balls, boxes, count))
        if found[-1] > 1 - 1e-12:
            break
    return counts[: len(found)].astype(np.float64), np.minimum(found, 1.0) ** times


def _share_of_ways(balls: int, boxes: int, most: int) -> float:
    """Return the probability that no box gets more than `most`, by squaring the generating function."""
    mean = balls / boxes
    each = np.exp(np.array([j * math.log(mean) - mean - math.lgamma(j + 1) for j in range(most + 1)]))
    power, result, left = each, np.ones(1), boxes
    while left:
        if left % 2:
            result = np.convolve(result, power)[: balls + 1]
        power, left = np.convolve(power, power)[: balls + 1], left // 2
    of_all = math.exp(balls * math.log(balls) - balls - math.lgamma(balls + 1))
    return float(result[balls]) / of_all if len(result) > balls else 0.0


def expected_greatest(laws: Iterable[tuple[Law, float]]) -> float:
    """Return the expected greatest of independent laws' counts, each over a number of its own, but at least 1."""
    scaled = [(counts / unit, within) for (counts, within), unit in laws]
    if not scaled:
        return 1.0
    every = np.unique(np.concatenate([np.ones(1), *(values[values > 1] for values, _ in scaled)]))
    within = np.ones(len(every))
    for values, chances in scaled:
        row = np.searchsorted(values, every * (1 + 1e-12), side="right") - 1
        within *= np.where(row < 0, 0.0, chances[row])
    return 1.0 + float((1 - within[:-1]) @ np.diff(every))
