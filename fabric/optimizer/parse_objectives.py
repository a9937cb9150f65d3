"""The words of `--objective` and `--pareto`: names in order of importance, or weights."""

from __future__ import annotations

import math
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.errors import InputError, nearest
from fabric.optimizer.flow_objectives import MEASURES, measures
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import OBJECTIVES, Objective
from fabric.optimizer.pareto_search import Aim

__all__ = ["WORDS", "parse_objectives"]

WORDS = (*OBJECTIVES, *MEASURES)
"""The names that may be asked for."""

FINE, MOST = 10**6, 10**12
"""The largest denominator of a weight, and the largest weight; a sum beyond the solver's 64 bits is refused there."""


def parse_objectives(text: str, size_bytes: int = 2**30, routing: str = "adaptive") -> tuple[Aim, ...]:
    """Return what `text` asks for: `cost,hops` in that order, or `cost=1,hops=50000` as one weighted sum.

    `allreduce` is the time of an all-reduce of `size_bytes` under `routing`. Raises InputError for unknown names, names
    said twice, weights that are no positive numbers or given to a time or a mean, and a mixture of both ways.
    """
    if not isinstance(text, str):
        raise InputError(f"objective {text!r:.80} is no text; write for example 'cost,hops'")
    words = [word.strip() for word in text.split(",")]
    names = [word.partition("=")[0].strip() for word in words]
    for name in names:
        if name not in WORDS:
            raise InputError(f"objective '{text[:200]}': no objective '{name[:50]}'{nearest(name[:50], WORDS)}")
        if names.count(name) > 1:
            raise InputError(f"objective '{text[:200]}': '{name}' stands twice")
    weighted = ["=" in word for word in words]
    aims: dict[str, Aim] = {**OBJECTIVES, **measures(size_bytes, routing)}
    if not any(weighted):
        return tuple(aims[name] for name in names)
    if not all(weighted):
        raise InputError(f"objective '{text[:200]}': give every name a weight, as in cost=1,hops=50000, or none")
    for name in names:
        if name in MEASURES:
            raise InputError(f"objective '{text[:200]}': {name} takes no weight; write names in order, as {name},cost")
    return (_weighted([(OBJECTIVES[name], _weight(word)) for name, word in zip(names, words, strict=True)]),)


def _weight(word: str) -> Fraction:
    value = word.partition("=")[2].strip()
    try:
        weight = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"objective '{word[:50]}': '{value[:50]}' is no number; write for example hops=50000"
        ) from None
    if not 0 < weight <= MOST or weight.denominator > FINE:
        raise InputError(
            f"objective '{word[:50]}': a weight is above 0 and at most {MOST:,}, with six digits behind the point"
        )
    return weight


def _weighted(parts: list[tuple[Objective, Fraction]]) -> Objective:
    """Return the weighted sum as one objective in whole units: each part's own units divide a common one."""
    each = [weight / objective.scale for objective, weight in parts]
    scale = math.lcm(*(weight.denominator for weight in each))

    def expression(model: Model) -> cp_model.LinearExprT:
        terms = [
            int(weight * scale) * objective.expression(model)
            for (objective, _), weight in zip(parts, each, strict=True)
        ]
        return sum(terms)

    name = " + ".join(f"{float(weight):,.12g} {objective.name}" for objective, weight in parts)
    needs, asks = (tuple(word for item, _ in parts for word in getattr(item, key)) for key in ("needs", "asks"))
    return Objective(name, expression, scale, needs, asks)
