"""How many servers of a place send to servers of other places when a collective takes servers in random order."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["Law", "busiest_place", "members", "places_of"]

Numbers = npt.NDArray[np.float64]

Law = tuple[Numbers, Numbers]
"""Values and their probabilities, both of shape (values,)."""

NEVER = 1e-12
"""A probability so small that it is left out."""


def places_of(servers: int, size: int) -> int:
    """Return how many places of `size` servers a number of servers fill, the last perhaps in part."""
    return -(-servers // size)


@lru_cache(maxsize=4096)
def busiest_place(servers: int, size: int, chosen: int, degree: int) -> Law:
    """Return the law of the most servers of any place that send out of it, counted in whole servers.

    Of `servers` in places of `size`, `chosen` take part in random order, each sending to `degree` others. With one it
    is a ring: of m members among n, exactly k are followed by another place's with the probability
    n/k C(m-1, k-1) C(n-m-1, k-1) / C(n, m), that of k runs of m marked beads on a circle of n. More neighbours are as
    many rings side by side, drawn as one of `degree` n beads. Places count as independent but for one, which the others
    settle.
    """
    counts, chances = members(servers, size, chosen)
    law = np.zeros(degree * size + 1)
    for count, chance in zip(counts.tolist(), chances.tolist(), strict=True):
        runs, each = _runs(degree * chosen, degree * int(count))
        law[runs] += chance * each
    within = np.minimum(np.cumsum(law), 1.0) ** max(1, places_of(servers, size) - 1)
    found = np.diff(within, prepend=0.0)
    some = np.flatnonzero(found > NEVER)
    return some / degree, found[some] / found[some].sum()


@lru_cache(maxsize=4096)
def members(servers: int, size: int, chosen: int) -> Law:
    """Return the law of a place's servers that are among the `chosen` of all: hypergeometric."""
    size = min(size, servers)
    if chosen == servers:
        return np.array([size]), np.ones(1)
    least, most = max(0, size + chosen - servers), min(size, chosen)
    counts = np.arange(least, most + 1)
    logs = _log_choose(size, counts) + _log_choose(servers - size, chosen - counts)
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    some = chances > NEVER
    return counts[some], chances[some]


def _runs(beads: int, marked: int) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return the numbers of runs that marked beads form on a circle of beads in random order, with their chances."""
    if not 0 < marked < beads:
        return np.zeros(1, np.int64), np.ones(1)
    runs = np.arange(1, min(marked, beads - marked) + 1)
    logs = _log_choose(marked - 1, runs - 1) + _log_choose(beads - marked - 1, runs - 1) - np.log(runs)
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    return runs, chances


def _log_choose(number: int, some: npt.NDArray[np.int64]) -> Numbers:
    """Return the logarithm of the binomial coefficients of a number over some."""
    return _log_factorial(number) - _log_factorials(some) - _log_factorials(number - some)


def _log_factorial(number: int) -> float:
    return math.lgamma(number + 1)


def _log_factorials(numbers: npt.NDArray[np.int64]) -> Numbers:
    """Return the logarithms of factorials of consecutive numbers, rising or falling."""
    least, most = int(numbers.min()), int(numbers.max())
    logs = _log_factorial(least) + np.concatenate([[0.0], np.cumsum(np.log(np.arange(least + 1, most + 1)))])
    return np.asarray(logs[numbers - least])
