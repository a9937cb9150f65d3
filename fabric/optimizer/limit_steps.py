"""The nearest feasible value of limits that are tried step by step: numbers of tiers and planes, rates, and shares."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from fabric.optimizer.infeasibility import RATE, FeasibilityOracle

__all__ = ["largest_share", "nearest_number"]

THOUSAND = 1000
"""Shares and least ratios are determined to the thousandth."""


def nearest_number(oracle: FeasibilityOracle, limit: str) -> tuple[int | None, bool]:
    """Return the nearest feasible number of tiers or planes, or rate of links, and whether that is decided."""
    value = oracle.limits[limit]
    asked = value if isinstance(value, tuple) else (value,)
    numbers: dict[int, list[int]] = {}
    for index in oracle.breaks_only(limit):
        candidate = oracle.candidates[index]
        number = {"tiers": candidate.topology.tiers, RATE: candidate.link_gbps}.get(limit, candidate.planes)
        numbers.setdefault(number, []).append(index)
    rest = frozenset(oracle.limits) - {limit}
    for number in sorted(numbers, key=lambda number: (min(abs(number - each) for each in asked), number)):
        answer = _any(oracle.is_feasible(index, rest) for index in numbers[number])
        if answer is not False:
            return (number, True) if answer else (None, False)
    return None, True


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Return True as soon as an answer is; else None where some is not known."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def largest_share(oracle: FeasibilityOracle, limit: str) -> tuple[float | None, bool]:
    """Return the largest feasible share or least ratio in thousandths below the one asked for, and whether decided.

    A smaller one is always looser, so bisection finds it, for each candidate that can do better than those before it; a
    ratio that differs by tier stays undecided.
    """
    asked = oracle.limits[limit]
    if isinstance(asked, dict):
        return None, False
    best, decided = -1, True
    for index in oracle.breaks_only(limit):
        least, most = best, math.ceil(THOUSAND * asked) - 1
        middle = least + 1
        while least < most:
            answer = _feasible_with(oracle, limit, index, middle)
            decided = decided and answer is not None
            # The first that is no better is left at once, and an undecided one where it is.
            least, most = (middle, most) if answer else (least, middle - 1 if answer is False else least)
            middle = (least + most + 1) // 2
        best = least
    return (best / THOUSAND if best >= 0 else None), decided


def _feasible_with(oracle: FeasibilityOracle, limit: str, index: int, thousandths: int) -> bool | None:
    """Return whether a candidate is feasible with the limit at this many thousandths; None if not decided."""
    spec, share = oracle.spec, Fraction(thousandths, THOUSAND)
    if limit == "least_oversubscription":
        relaxed = replace(spec, least_oversubscription=dict.fromkeys(spec.least_oversubscription, share))
    else:
        relaxed = replace(spec, survive={**spec.survive, limit.partition(".")[2]: share})
    return oracle.solve(oracle.candidates[index].with_spec(relaxed), frozenset())
