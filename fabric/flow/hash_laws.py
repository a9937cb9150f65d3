"""How many hashed sub-flows the busiest of many links carries."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["Law", "expected_greatest", "poisson_law", "shared_law", "thrown_law"]

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
    counts, alone, found = np.arange(math.ceil(balls / boxes), balls + 1), _poisson_chances(balls, boxes), list[float]()
    for count in counts.tolist():
        found.append(_share_of_ways(balls, boxes, alone[: count + 1]))
        if found[-1] > 1 - 1e-12:
            break
    return counts[: len(found)].astype(np.float64), np.minimum(found, 1.0) ** times


def _poisson_chances(balls: int, boxes: int) -> Numbers:
    """Return the chances of 0, 1, ... all balls by Poisson's law of their mean in a box."""
    mean = balls / boxes
    logs = np.array([j * math.log(mean) - mean - math.lgamma(j + 1) for j in range(balls + 1)])
    return np.asarray(np.exp(logs), np.float64)


def _share_of_ways(balls: int, boxes: int, each: Numbers) -> float:
    """Return the chance of an event by `each`, Poisson's chances of 0, 1, ... balls in a box that the event allows.

    It is that of all boxes together with as many balls, by squaring the generating function of one.
    """
    power, result, left = each, np.ones(1), boxes
    while left:
        if left % 2:
            result = np.convolve(result, power)[: balls + 1]
        power, left = np.convolve(power, power)[: balls + 1], left // 2
    of_all = math.exp(balls * math.log(balls) - balls - math.lgamma(balls + 1))
    return float(result[balls]) / of_all if len(result) > balls else 0.0


@lru_cache(maxsize=4096)
def shared_law(own: int, balls: int, boxes: int) -> Law:
    """Return the law of the most balls in any box that has one of the first `own` of `balls` thrown at random.

    The first are thrown as in `thrown_law`. How many of the others are in a box follows the binomial law of `balls -
    own` trials with a chance of 1 in `boxes`, and boxes are taken to be independent of each other.
    """
    if boxes == 1:
        return np.array([float(balls)]), np.ones(1)
    others = balls - own
    fewer = np.concatenate([np.zeros(own), _chances_of(others, 1 / boxes)])
    alone = _poisson_chances(own, boxes)
    counts, found = np.arange(-(-own // boxes), balls + 1), list[float]()
    for count in counts.tolist():
        most = min(own, count)
        # At most `count` balls are in a box with j of its own where at most count - j others are.
        with_others = fewer[np.minimum(own + count - np.arange(most + 1), len(fewer) - 1)]
        with_others[0] = 1.0
        found.append(_share_of_ways(own, boxes, alone[: most + 1] * with_others))
        if found[-1] > 1 - 1e-12:
            break
    return counts[: len(found)].astype(np.float64), np.minimum(found, 1.0)


def _chances_of(trials: int, chance: float) -> Numbers:
    """Return the chances that of as many trials at most 0, 1, ... succeed, to where none succeed more often."""
    mean = trials * chance
    counts = np.arange(min(trials, math.ceil(mean + 12 * math.sqrt(mean)) + 40) + 1)
    steps = np.log((trials - counts[:-1]) / counts[1:] * (chance / (1 - chance)))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    each = np.exp(logs - logs.max())
    return np.asarray(np.cumsum(each) / each.sum(), np.float64)


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
