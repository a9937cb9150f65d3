"""For each limit of a conflict, the nearest value that would make the request feasible, all others kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from ortools.sat.python import cp_model

from fabric.errors import Conflict, FabricError
from fabric.optimizer.build_model import build_model, switches_of_model
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.infeasibility import FeasibilityOracle, has, share
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import LIMITS, OBJECTIVES
from fabric.optimizer.solve import minimise
from fabric.request import Spec
from fabric.topology.topology import PLANE

__all__ = ["nearest"]

FINE = 1000
"""Shares and least ratios are told to the thousandth."""

Expressions = Sequence[cp_model.LinearExprT]


def nearest(question: FeasibilityOracle, limit: str) -> Conflict:
    """Return the limit with its value and the nearest one that is enough if all others stay as they are."""
    within = [place for place, against in enumerate(question.against) if against <= {limit}]
    value = question.limits[limit]
    if limit in ("tiers", "planes", f"pinned.{PLANE}"):
        number, settled = _nearest_choice(question, limit, within)
        return Conflict(limit, value, number, settled=settled)
    if limit == "least_oversubscription" or limit.startswith("survive"):
        share_, settled = _nearest_share(question, limit, within)
        return Conflict(limit, value, share_, settled=settled)
    if limit == "available" and len(value) > 1:
        return Conflict(limit, value, None, settled=False)
    axis = _axis(question.candidates[0], limit)
    chosen = [one for one in (question.candidates[place] for place in within) if not axis or has(one, axis)]
    least, settled = _least(chosen, limit)
    if limit == "ports":
        candidate = least[1] if least else (chosen or question.candidates)[0]
        limit, value = f"ports at {candidate.link_gbps}G", _most_ports(candidate)
    return Conflict(limit, value, _said(question.spec, limit, least[0]) if least else None, settled=settled)


def _nearest_choice(question: FeasibilityOracle, limit: str, within: Iterable[int]) -> tuple[int | None, bool]:
    """Return the nearest number of tiers or planes that is enough, and whether that is settled."""
    asked = question.limits[limit]
    asked = asked if isinstance(asked, tuple) else (asked,)
    numbers: dict[int, list[int]] = {}
    for place in within:
        candidate = question.candidates[place]
        number = candidate.topology.tiers if limit == "tiers" else candidate.planes
        numbers.setdefault(number, []).append(place)
    rest = frozenset(question.limits) - {limit}
    for number in sorted(numbers, key=lambda number: (min(abs(number - each) for each in asked), number)):
        answers = [question.feasible(place, rest) for place in numbers[number]]
        if True in answers:
            return number, True
        if None in answers:
            return None, False
    return None, True


def _nearest_share(question: FeasibilityOracle, limit: str, within: Sequence[int]) -> tuple[float | None, bool]:
    """Return the largest thousandth below what is asked that is enough for a share or a least ratio, if it is settled.

    Less is always looser, so halving finds it; a ratio that differs by tier stays unsettled.
    """
    asked = question.limits[limit]
    if isinstance(asked, dict):
        return None, False
    least, most = 0, ceil(FINE * asked) - 1
    if _relaxed(question, limit, within, 0) is not True:
        return None, True
    while least < most:
        middle = (least + most + 1) // 2
        answer = _relaxed(question, limit, within, middle)
        if answer is None:
            return None, False
        least, most = (middle, most) if answer else (least, middle - 1)
    return least / FINE, True


def _relaxed(question: FeasibilityOracle, limit: str, within: Iterable[int], thousandths: int) -> bool | None:
    """Say whether a candidate is feasible when the limit asks for so many thousandths; None if that is not known."""
    spec, share = question.spec, Fraction(thousandths, FINE)
    if limit == "least_oversubscription":
        relaxed = replace(spec, least_oversubscription=dict.fromkeys(spec.least_oversubscription, share))
    else:
        relaxed = replace(spec, survive={**spec.survive, limit.partition(".")[2]: share})
    answers = {question.ask(replace(question.candidates[place], spec=relaxed), frozenset()) for place in within}
    return True if True in answers else None if None in answers else False


def _axis(candidate: Candidate, limit: str) -> str:
    """Return the axis or bundle of which the limit is the size, if it is one."""
    return candidate.topology.unit_axis if limit == "unit_gpus" else limit.partition("pinned.")[2]


def _least(group: Sequence[Candidate], limit: str) -> tuple[tuple[int, Candidate] | None, bool]:
    """Return the least of what the limit would have to be over the candidates, and whether that is settled.

    What should be large counts below zero; a pin counts as its size. Ports are compared by their share of those there.
    """
    best: tuple[Fraction, int, Candidate] | None = None
    for candidate in group:
        unit = _most_ports(candidate) if limit == "ports" else 1
        try:
            model = build_model(candidate, [limit])
            expressions = _expressions(model, limit)
            if best:
                model.cp.add(expressions[0] <= ceil(best[0] * unit) - 1)
            answer = minimise(model, expressions, share(group))
        except FabricError:
            return None, False
        if answer.status == "OPTIMAL":
            best = Fraction(answer.values[0], unit), answer.values[-1], candidate
        elif answer.status != "INFEASIBLE":
            return None, False
    return (best[1:] if best else None), True


def _expressions(model: Model, limit: str) -> Expressions:
    """Return what to minimise, and last what the limit would then be."""
    if limit.partition(".")[2] in LIMITS:
        return [OBJECTIVES[LIMITS[limit.partition(".")[2]]].expression(model)]
    spec, axis = model.candidate.spec, _axis(model.candidate, limit)
    if limit == "available":
        (name,) = spec.available
        return [switches_of_model(model, name)]
    if not axis:
        sign = -1 if limit in ("gpus", "grow_to_gpus", "reserve") else 1
        return [sign * model.excess]
    asked = spec.pinned[axis] if limit.startswith("pinned") else spec.unit_servers or 0
    apart = model.var(asked + model.upper(model.sizes[axis]), "apart", least=0)
    model.cp.add(apart >= model.sizes[axis] - asked)
    model.cp.add(apart >= asked - model.sizes[axis])
    return [1 * apart, 1 * model.sizes[axis]]


def _said(spec: Spec, limit: str, least: int) -> int | float:
    """Return what was minimised in the request's own words."""
    if limit in ("gpus", "grow_to_gpus"):
        return min(-least * spec.server.gpus, spec.gpus if limit == "gpus" else spec.grow_to_gpus or 0)
    if limit == "unit_gpus":
        return least * spec.server.gpus
    if limit == "oversubscription":
        return least / 100
    scale: int = OBJECTIVES[LIMITS[limit.partition(".")[2]]].scale if limit.partition(".")[2] in LIMITS else 1
    return abs(least) if scale == 1 else least / scale


def _most_ports(candidate: Candidate) -> int:
    return max(max(candidate.radix(role)) for role in candidate.topology.roles)
