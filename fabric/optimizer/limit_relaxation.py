"""Why a request is infeasible: its smallest set of conflicting limits, each with its nearest feasible value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.errors import Conflict
from fabric.optimizer.allowance import Allowance
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.build_model import build_model, build_within
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.infeasibility import RATE, SPREAD, FeasibilityOracle, has_size
from fabric.optimizer.limit_steps import largest_share, nearest_number
from fabric.optimizer.model import Model, Term
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.optimizer.pods import POD
from fabric.optimizer.port_limits import UPLINKS, port_role
from fabric.optimizer.switch_choice import count_of_model
from fabric.request import Spec
from fabric.topology.topology import PLANE, title

__all__ = ["KEPT", "ConflictSet", "Near", "smallest_conflict"]

KEPT = 3
"""The most candidates that are kept as the nearest."""

FIRST_S = 0.1
"""The work for a first look at each candidate: the values that it finds bound the others, which then take less."""

Expressions = Sequence[cp_model.LinearExprT]


@dataclass(frozen=True)
class Near:
    """A candidate that comes near to the request."""

    candidate: Candidate
    """The candidate."""
    gpus: int
    """The most GPUs that it carries within every other limit, servers where no GPU stands; 0 if it can't be built."""
    proven: bool
    """Whether it is proven that it carries no more."""


@dataclass(frozen=True)
class ConflictSet:
    """Limits that conflict, and the candidates that come nearest."""

    conflict: tuple[Conflict, ...]
    """The limits, each with its nearest feasible value."""
    smallest: bool
    """Whether it is proven that no fewer limits conflict."""
    near: tuple[Near, ...]
    """Up to `KEPT` candidates, those that carry the most GPUs first."""
    others: int | None
    """The candidates that carry no more than the last of these; None where that is not proven of all."""


@dataclass(frozen=True)
class _Least:
    """The least value of a relaxed limit over the fabrics of a candidate."""

    order: Fraction
    """By what it compares with that of another candidate."""
    value: int
    """The value."""
    candidate: Candidate
    """The candidate."""
    proven: bool
    """Whether none is less."""


@dataclass(frozen=True)
class _Nearest:
    """The nearest feasible value of a limit."""

    item: Conflict
    """The limit with that value."""
    least: Sequence[_Least] = ()
    """The candidates nearest to the limit, where it is one that is minimised."""
    others: int | None = None
    """The candidates that are no nearer; None where that is not proven of all."""


def smallest_conflict(spec: Spec, facts: Sequence[str], allowance: Allowance) -> ConflictSet | None:
    """Return a smallest set of the limits of `spec` that conflict, or None where none was found.

    `spec` is known to be infeasible; `facts` are what must be known of every part (see `candidates`). Finding the set
    takes at most half of the allowance, and the nearest values most of the rest.
    """
    oracle = FeasibilityOracle(spec, facts, allowance.take(allowance.left / 2))
    found = oracle.smallest_conflict()
    allowance.put_back(oracle.allowance)
    limits = [limit for limit in oracle.limits if limit in found]
    nearest: dict[str, _Nearest] = {}
    for left, limit in zip(range(len(limits), 0, -1), limits, strict=True):
        oracle.allowance = allowance.take(allowance.left / (left + 1))
        nearest[limit] = _nearest_feasible(oracle, limit)
        allowance.put_back(oracle.allowance)
    if not found:
        return None
    conflict = [each.item for each in nearest.values()]
    oracle.allowance = allowance.take(allowance.left / 2)
    # Where balanced uplinks are enough, the even spread is part of every conflict.
    conflict += [Conflict(SPREAD, "even", "balanced")] if oracle.is_feasible_balanced() else []
    allowance.put_back(oracle.allowance)
    return ConflictSet(tuple(conflict), oracle.decided, *_nearest_candidates(spec, nearest))


def _nearest_candidates(spec: Spec, nearest: dict[str, _Nearest]) -> tuple[tuple[Near, ...], int | None]:
    """Return the candidates that carry the most GPUs, and how many others carry no more.

    Where the number of GPUs is no part of the conflict, or another limit excludes any number, the nearest are those of
    the other limits.
    """
    carried = nearest.get("gpus")
    if carried and carried.least:
        near = [Near(each.candidate, -each.value * (spec.server.gpus or 1), each.proven) for each in carried.least]
        return tuple(near), carried.others
    first = dict.fromkeys(id(each.least[0].candidate) for each in nearest.values() if each.least)
    by_id = {id(each.least[0].candidate): each.least[0].candidate for each in nearest.values() if each.least}
    return tuple(Near(by_id[one], 0, proven=True) for one in first)[:KEPT], None


def _nearest_feasible(oracle: FeasibilityOracle, limit: str) -> _Nearest:
    """Return the nearest value of a limit with which the request is feasible, others unchanged."""
    value = oracle.limits[limit]
    if limit in ("tiers", "planes", RATE, f"pinned.{PLANE}"):
        number, decided = nearest_number(oracle, limit)
        return _Nearest(Conflict(limit, value, number, settled=decided))
    if limit == "least_oversubscription" or limit.startswith("survive"):
        share, decided = largest_share(oracle, limit)
        return _Nearest(Conflict(limit, value, share, settled=decided))
    role, axis = port_role(limit), _axis(oracle.candidates[0], limit)
    group = [oracle.candidates[index] for index in oracle.breaks_only(limit)]
    chosen = [each for each in group if (not axis or has_size(each, axis)) and (role is None or _has_role(each, role))]
    if limit == POD:
        chosen = [each for each in chosen if each.topology.servers_sharing(2) is not None]
    least, others = _least_excess(oracle.allowance, chosen, limit)
    nearest = _request_value(oracle.spec, limit, least[0].value) if least else None
    if role is not None:
        candidate = next(
            one for one in (*(each.candidate for each in least), *chosen, *oracle.candidates) if _has_role(one, role)
        )
        value = _most_ports(candidate, role, uplinks=limit.startswith(UPLINKS))
        limit = _name_ports(candidate, role, limit)
    settled = others is not None and (not least or least[0].proven)
    return _Nearest(Conflict(limit, value, nearest, settled=settled), least, others)


def _name_ports(candidate: Candidate, role: str, limit: str) -> str:
    """Return what a limit on ports is called, with the rate at which they count where it does not follow."""
    if limit.startswith(UPLINKS):
        return f"uplinks of the {title(role)}"
    spec = candidate.spec
    rates = {spec.plane_gbps(planes) for planes in spec.planes}
    rate = f" at {candidate.counted_gbps(role or candidate.topology.roles[0])}G"
    if not role:
        return f"ports{rate}"
    return f"ports of the {title(role)}{rate if len(rates) > 1 or candidate.counts_whole_ports else ''}"


def _axis(candidate: Candidate, limit: str) -> str:
    """Return the axis or bundle whose size the limit is, if it is one."""
    if kind := limit.partition("per_unit.")[2]:
        return candidate.topology.group(kind).axes[-1]
    return candidate.topology.unit_axis if limit == "unit_gpus" else limit.partition("pinned.")[2]


def _objective(limit: str) -> LinearObjective | None:
    """Return the objective that the limit bounds, if it is a limit on a total."""
    return LIMIT_OBJECTIVES.get(limit.partition("limits.")[2])


def _least_excess(allowance: Allowance, group: Sequence[Candidate], limit: str) -> tuple[list[_Least], int | None]:
    """Return the least value of the relaxed limit, of each of the nearest candidates, and how many others have no less.

    Of GPUs that is up to `KEPT` candidates, of others one. The number is None where that is not proven of all others.
    Of a limit that had better be large the value is negative; a pinned size counts as its distance. Ports compare as
    shares of the candidate's own.
    """
    kept = KEPT if limit == "gpus" else 1
    least: list[_Least] = []
    waiting = list(group)
    for most_s in (FIRST_S, math.inf):
        undecided: list[Candidate] = []
        for candidate in waiting:
            bound = least[kept - 1].order if len(least) >= kept else None
            found, proven = _improve(allowance, candidate, limit, bound, most_s)
            if found:
                least = [each for each in least if each.candidate is not candidate]
                least = sorted([*least, found], key=lambda each: each.order)[:kept]
            elif proven:
                least = [replace(each, proven=True) if each.candidate is candidate else each for each in least]
            if not proven:
                undecided.append(candidate)
        waiting = undecided
    known = {id(each.candidate) for each in least}
    unproven = [candidate for candidate in waiting if id(candidate) not in known]
    return least, None if unproven else len(group) - len(least)


def _improve(
    allowance: Allowance, candidate: Candidate, limit: str, bound: Fraction | None, most_s: float
) -> tuple[_Least | None, bool]:
    """Return the candidate's least value of the relaxed limit if it is below `bound`, and whether that is proven."""
    role, objective = port_role(limit), _objective(limit)
    unit = 1 if role is None else _most_ports(candidate, role, uplinks=limit.startswith(UPLINKS))
    most = None if bound is None else math.ceil(bound * unit) - 1

    def build() -> Model | None:
        return build_within(candidate, objective, most, [limit]) if objective else build_model(candidate, [limit])

    def aims(model: Model) -> Expressions:
        expressions = _expressions(model, limit)
        if most is not None:
            model.cp.add(expressions[0] <= most)
        return expressions

    solution = allowance.solve(build, aims, most_s)
    proven = solution.status in ("OPTIMAL", "INFEASIBLE")
    if not solution.values:
        return None, proven
    return _Least(Fraction(solution.values[0], unit), solution.values[-1], candidate, proven), proven


def _expressions(model: Model, limit: str) -> Expressions:
    """Return what to minimise, and last what the value of the limit is then."""
    if objective := _objective(limit):
        return [model.total(objective)]
    spec, axis = model.candidate.spec, _axis(model.candidate, limit)
    if limit.startswith("available."):
        return [count_of_model(model, limit.partition(".")[2])]
    if limit == POD and spec.pod_gpus:
        least, most = spec.pod_gpus.servers(spec.server.gpus)
        return _distance(model, model.excess, least, most)
    if not axis:
        sign = -1 if limit in ("gpus", "grow_to_gpus", "reserve", APPLIANCES) else 1
        return [sign * model.excess]
    per_unit = {f"per_unit.{kind.name}": kind.per_unit for kind in spec.kinds}
    asked = spec.pinned[axis] if limit.startswith("pinned") else per_unit.get(limit) or spec.unit_servers or 0
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
    if spec.kinds and limit == "grow_to_gpus":
        (_, gpus), last = spec.growth, spec.kinds[-1]
        return (spec.grow_to_gpus or 0) - gpus + min(-least * last.server.gpus, gpus)
    if limit in ("gpus", "grow_to_gpus"):
        asked = (spec.gpus or spec.servers) if limit == "gpus" else spec.grow_to_gpus or 0
        return min(-least * (spec.server.gpus or 1), asked)
    if limit in ("unit_gpus", POD):
        return least * spec.server.gpus
    if limit == "oversubscription":
        return least / 100
    objective = _objective(limit)
    return least / objective.scale if objective and objective.scale > 1 else abs(least)


def _has_role(candidate: Candidate, role: str) -> bool:
    return not role or role in candidate.topology.roles


def _most_ports(candidate: Candidate, role: str, *, uplinks: bool) -> int:
    """Return the most ports, or uplinks, of a switch that the role may have; of any role where it is empty."""
    roles = (each for each in candidate.topology.roles if role in ("", each))
    return max(max(candidate.counted_ports(each, uplinks=uplinks)) for each in roles)
