"""Why a request is infeasible: its smallest set of conflicting limits, each with its nearest feasible value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from ortools.sat.python import cp_model

from fabric.errors import Conflict, FabricError
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.infeasibility import RATE, FeasibilityOracle, budget_per_candidate, has_size
from fabric.optimizer.model import Model, Term
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.optimizer.pods import POD
from fabric.optimizer.port_limits import port_role
from fabric.optimizer.solve import minimise
from fabric.optimizer.switch_choice import count_of_model
from fabric.request import Spec
from fabric.topology.topology import PLANE, title

__all__ = ["ConflictSet", "nearest_feasible", "smallest_conflict"]

THOUSAND = 1000
"""Shares and least ratios are determined to the thousandth."""

Expressions = Sequence[cp_model.LinearExprT]


@dataclass(frozen=True)
class ConflictSet:
    """Limits that conflict."""

    conflict: tuple[Conflict, ...]
    """The limits, each with its nearest feasible value."""
    smallest: bool
    """Whether it is proven that no fewer limits conflict."""


def smallest_conflict(spec: Spec, facts: Sequence[str]) -> ConflictSet | None:
    """Return a smallest set of the limits of `spec` that conflict, or None where none was found.

    `spec` is known to be infeasible; `facts` are what must be known of every part (see `candidates`).
    """
    oracle = FeasibilityOracle(spec, facts)
    found = oracle.smallest_conflict()
    if not found:
        return None
    return ConflictSet(
        tuple(nearest_feasible(oracle, limit) for limit in oracle.limits if limit in found), oracle.decided
    )


def nearest_feasible(oracle: FeasibilityOracle, limit: str) -> Conflict:
    """Return the limit with its value and the nearest value with which the request is feasible, others unchanged."""
    within = [index for index, broken in enumerate(oracle.broken) if broken <= {limit}]
    value = oracle.limits[limit]
    if limit in ("tiers", "planes", RATE, f"pinned.{PLANE}"):
        number, decided = _nearest_number(oracle, limit, within)
        return Conflict(limit, value, number, settled=decided)
    if limit == "least_oversubscription" or limit.startswith("survive"):
        share, decided = _largest_share(oracle, limit, within)
        return Conflict(limit, value, share, settled=decided)
    if limit == "available" and len(value) > 1:
        return Conflict(limit, value, None, settled=False)
    axis = _axis(oracle.candidates[0], limit)
    chosen = [one for one in (oracle.candidates[index] for index in within) if not axis or has_size(one, axis)]
    if limit == POD:
        chosen = [one for one in chosen if one.topology.servers_sharing(2) is not None]
    least, decided = _least_excess(chosen, limit)
    role = port_role(limit)
    if role is not None:
        candidate = least[1] if least else next(one for one in (*chosen, *oracle.candidates) if _has_role(one, role))
        limit, value = _name_ports(oracle.spec, role, candidate.link_gbps), _most_ports(candidate, role)
    return Conflict(limit, value, _request_value(oracle.spec, limit, least[0]) if least else None, settled=decided)


def _name_ports(spec: Spec, role: str, gbps: int) -> str:
    """Return what a limit on ports is called, with the rate where that is open."""
    rates = {spec.plane_gbps(planes) for planes in spec.planes}
    return f"ports of the {title(role)}{f' at {gbps}G' if len(rates) > 1 else ''}" if role else f"ports at {gbps}G"


def _nearest_number(oracle: FeasibilityOracle, limit: str, within: Iterable[int]) -> tuple[int | None, bool]:
    """Return the nearest feasible number of tiers or planes, or rate of links, and whether that is decided."""
    value = oracle.limits[limit]
    asked = value if isinstance(value, tuple) else (value,)
    numbers: dict[int, list[int]] = {}
    for index in within:
        candidate = oracle.candidates[index]
        number = {"tiers": candidate.topology.tiers, RATE: candidate.link_gbps}.get(limit, candidate.planes)
        numbers.setdefault(number, []).append(index)
    rest = frozenset(oracle.limits) - {limit}
    for number in sorted(numbers, key=lambda number: (min(abs(number - each) for each in asked), number)):
        answers = [oracle.is_feasible(index, rest) for index in numbers[number]]
        if True in answers:
            return number, True
        if None in answers:
            return None, False
    return None, True


def _largest_share(oracle: FeasibilityOracle, limit: str, within: Sequence[int]) -> tuple[float | None, bool]:
    """Return the largest feasible share or least ratio in thousandths below the one asked for, and whether decided.

    A smaller one is always looser, so bisection finds it; a ratio that differs by tier stays undecided.
    """
    asked = oracle.limits[limit]
    if isinstance(asked, dict):
        return None, False
    least, most = 0, ceil(THOUSAND * asked) - 1
    if _feasible_with(oracle, limit, within, 0) is not True:
        return None, True
    while least < most:
        middle = (least + most + 1) // 2
        answer = _feasible_with(oracle, limit, within, middle)
        if answer is None:
            return None, False
        least, most = (middle, most) if answer else (least, middle - 1)
    return least / THOUSAND, True


def _feasible_with(oracle: FeasibilityOracle, limit: str, within: Iterable[int], thousandths: int) -> bool | None:
    """Return whether a candidate is feasible with the limit at this many thousandths; None if not decided."""
    spec, share = oracle.spec, Fraction(thousandths, THOUSAND)
    if limit == "least_oversubscription":
        relaxed = replace(spec, least_oversubscription=dict.fromkeys(spec.least_oversubscription, share))
    else:
        relaxed = replace(spec, survive={**spec.survive, limit.partition(".")[2]: share})
    answers = {oracle.solve(oracle.candidates[index].with_spec(relaxed), frozenset()) for index in within}
    return True if True in answers else None if None in answers else False


def _axis(candidate: Candidate, limit: str) -> str:
    """Return the axis or bundle whose size the limit is, if it is one."""
    return candidate.topology.unit_axis if limit == "unit_gpus" else limit.partition("pinned.")[2]


def _objective(limit: str) -> LinearObjective | None:
    """Return the objective that the limit bounds, if it is a limit on a total."""
    return LIMIT_OBJECTIVES.get(limit.partition("limits.")[2])


def _least_excess(group: Sequence[Candidate], limit: str) -> tuple[tuple[int, Candidate] | None, bool]:
    """Return the least value of the relaxed limit over the candidates, with its candidate, and whether decided.

    Of a limit that had better be large the value is negative; a pinned size counts as its distance. Ports compare as
    shares of the candidate's own.
    """
    best: tuple[Fraction, int, Candidate] | None = None
    for candidate in group:
        role = port_role(limit)
        if role is not None and not _has_role(candidate, role):
            continue
        unit = 1 if role is None else _most_ports(candidate, role)
        try:
            model = build_model(candidate, [limit])
            expressions = _expressions(model, limit)
            if best:
                model.cp.add(expressions[0] <= ceil(best[0] * unit) - 1)
            solution = minimise(model, expressions, budget_per_candidate(group))
        except FabricError:
            return None, False
        if solution.status == "OPTIMAL":
            best = Fraction(solution.values[0], unit), solution.values[-1], candidate
        elif solution.status != "INFEASIBLE":
            return None, False
    return (best[1:] if best else None), True


def _expressions(model: Model, limit: str) -> Expressions:
    """Return what to minimise, and last what the value of the limit is then."""
    if objective := _objective(limit):
        return [model.total(objective)]
    spec, axis = model.candidate.spec, _axis(model.candidate, limit)
    if limit == "available":
        (name,) = spec.available
        return [count_of_model(model, name)]
    if limit == POD and spec.pod_gpus:
        least, most = spec.pod_gpus.servers(spec.server.gpus)
        return _distance(model, model.excess, least, most)
    if not axis:
        sign = -1 if limit in ("gpus", "grow_to_gpus", "reserve", APPLIANCES) else 1
        return [sign * model.excess]
    asked = spec.pinned[axis] if limit.startswith("pinned") else spec.unit_servers or 0
    return _distance(model, model.sizes[axis], asked, asked)


def _distance(model: Model, size: Term, least: int, most: int | None) -> Expressions:
    """Return how far a size is from a range, and the size."""
    distance = model.var(least + model.upper(size), "distance", least=0)
    model.cp.add(distance >= least - size)
    if most is not None:
        model.cp.add(distance >= size - most)
    return [1 * distance, 1 * size]


def _request_value(spec: Spec, limit: str, least: int) -> int | float:
    """Return what was minimised in the unit of the request's key."""
    if limit in ("gpus", "grow_to_gpus"):
        return min(-least * spec.server.gpus, spec.gpus if limit == "gpus" else spec.grow_to_gpus or 0)
    if limit in ("unit_gpus", POD):
        return least * spec.server.gpus
    if limit == "oversubscription":
        return least / 100
    objective = _objective(limit)
    return least / objective.scale if objective and objective.scale > 1 else abs(least)


def _has_role(candidate: Candidate, role: str) -> bool:
    return not role or role in candidate.topology.roles


def _most_ports(candidate: Candidate, role: str) -> int:
    """Return the most ports of a switch that the role may have; of any role where it is empty."""
    return max(max(candidate.radix(each)) for each in candidate.topology.roles if role in ("", each))
