"""The text of `--objective` and `--pareto`: names in order of importance, or weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from fabric.errors import InputError, nearest
from fabric.optimizer.objective import FlowObjective, LinearObjective, Objective
from fabric.optimizer.objectives import OBJECTIVES

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from fabric.optimizer.model import Model

__all__ = ["parse_objectives"]

LARGEST_DENOMINATOR, LARGEST_WEIGHT = 10**6, 10**12
"""Bounds on weights; a sum that still exceeds the solver's 64 bits is refused when it is solved."""


def parse_objectives(text: str, size_bytes: int = 2**30, routing: str = "adaptive") -> tuple[Objective, ...]:
    """Return the objectives of `text`: `cost,hops` in that order, or `cost=1,hops=50000` as one weighted sum.

    Flow objectives are for an all-reduce of `size_bytes` under `routing`. Raises InputError for unknown and duplicate
    names, for weights that are not positive numbers or not of linear objectives, and for names with and without weight.
    """
    if not isinstance(text, str):
        raise InputError(f"objective {text!r:.80} is not a text; write for example 'cost,hops'")
    words = [word.strip() for word in text.split(",")]
    names = [word.partition("=")[0].strip() for word in words]
    for name in names:
        if name not in OBJECTIVES:
            raise InputError(f"objective '{text[:200]}': no objective '{name[:50]}'{nearest(name[:50], OBJECTIVES)}")
        if names.count(name) > 1:
            raise InputError(f"objective '{text[:200]}': duplicate name '{name}'")
    weighted = ["=" in word for word in words]
    if not any(weighted):
        return tuple(_with_message(OBJECTIVES[name], size_bytes, routing) for name in names)
    if not all(weighted):
        raise InputError(f"objective '{text[:200]}': give every name a weight, as in cost=1,hops=50000, or none")
    parts = []
    for name, word in zip(names, words, strict=True):
        objective = OBJECTIVES[name]
        if not isinstance(objective, LinearObjective):
            raise InputError(f"objective '{text[:200]}': {name} takes no weight; write names in order, as {name},cost")
        parts.append((objective, _parse_weight(word)))
    return (_weighted_sum(parts),)


def _with_message(objective: Objective, size_bytes: int, routing: str) -> Objective:
    """Return the objective for an all-reduce of a size under a routing."""
    if not isinstance(objective, FlowObjective):
        return objective
    return replace(objective, size_bytes=size_bytes, routing=routing)


def _parse_weight(word: str) -> Fraction:
    value = word.partition("=")[2].strip()
    try:
        weight = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"objective '{word[:50]}': '{value[:50]}' is not a number; write for example hops=50000"
        ) from None
    if not 0 < weight <= LARGEST_WEIGHT or weight.denominator > LARGEST_DENOMINATOR:
        raise InputError(
            f"objective '{word[:50]}': a weight is above 0 and at most {LARGEST_WEIGHT:,}, with at most six decimals"
        )
    return weight


@dataclass(frozen=True)
class _WeightedSum:
    """The expression of a weighted sum: an object and not a function within one, so that it can be pickled."""

    terms: tuple[tuple[LinearObjective, int], ...]
    """The objectives, each with its factor."""

    def __call__(self, model: Model) -> cp_model.LinearExprT:
        return sum(factor * model.total(objective) for objective, factor in self.terms)


def _weighted_sum(parts: list[tuple[LinearObjective, Fraction]]) -> LinearObjective:
    """Return the weighted sum as one objective in whole units: each part's own units divide a common one."""
    each = [weight / objective.scale for objective, weight in parts]
    scale = math.lcm(*(weight.denominator for weight in each))
    terms = tuple((objective, int(weight * scale)) for (objective, _), weight in zip(parts, each, strict=True))
    text = " + ".join(f"{float(weight):,.12g} {objective.key}" for objective, weight in parts)
    return LinearObjective(
        name="weighted_sum",
        key=text,
        label=text,
        heading="weighted sum",
        description="a weighted sum of objectives",
        needs=tuple(fact for objective, _ in parts for fact in objective.needs),
        request_keys=tuple(key for objective, _ in parts for key in objective.request_keys),
        scale=scale,
        expression=_WeightedSum(terms),
        adds_up=all(objective.adds_up for objective, _ in parts),
    )
