"""The limits that bind: those that, relaxed alone, would make the optimum better, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import needed_facts
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.side_by_side import solve_in_order
from fabric.request import Spec, even_planes
from fabric.topology.families import family
from fabric.topology.topology import PLANE

__all__ = ["BindingLimit", "FewerHops", "find_binding_limits", "find_fewer_hops"]

BUDGET = 4.0
"""The deterministic time of each solve (see `solve.SOLVE_BUDGET`); what takes more stays undecided."""


@dataclass(frozen=True)
class BindingLimit:
    """A limit of the request without which the optimum would be better."""

    limit: str
    """Its key: `limits.cost_usd`."""
    value: Any
    """Its value."""
    loosened_to: Any
    """The value it was relaxed to, of tiers and planes those of the optimum then; None where it was dropped."""
    objective: float | None
    """The optimum of the first objective then; None where it was not determined within the solve budget."""
    nonblocking: float | None = None
    """Of tiers and planes, where the request is oversubscribed: the optimum then at 1:1; None where that is no better
    than the optimum of the request."""


@dataclass(frozen=True)
class FewerHops:
    """What a shorter longest path costs."""

    hops_max: int
    """The most switches on a path."""
    objective: float
    """The optimum of the first objective then."""


def find_binding_limits(spec: Spec, objectives: Sequence[LinearObjective], optimum: float) -> tuple[BindingLimit, ...]:
    """Return the limits that keep the first objective from being below `optimum`, the one that costs most first.

    A ratio and parallel links are doubled, anything else is dropped, and the search is over every topology. Limits for
    which that was not determined within the solve budget come last.
    """
    objective, found, searches = objectives[0], [], [*_relaxed_rules(spec), *_relaxed_totals(spec)]
    known = comparable_candidates(spec, [objective])[0]
    for limit, value, loosened, relaxed in searches:
        better = _improve(_candidates_of(relaxed, objective, spec, known), objective, optimum)
        if limit in KINDS and better.candidate:
            full = _improve_nonblocking(relaxed, objective, optimum)
            found.append(BindingLimit(limit, value, KINDS[limit](better.candidate), better.value, full))
        elif better.value is not None or not better.decided:
            found.append(BindingLimit(limit, value, loosened, better.value))
    return tuple(sorted(found, key=lambda item: math.inf if item.objective is None else item.objective))


def find_fewer_hops(spec: Spec, objectives: Sequence[LinearObjective], hops_max: int) -> FewerHops | None:
    """Return the optimum of the first objective with two hops fewer on the longest path; None where none has them."""
    fewer = replace(spec, limits=replace(spec.limits, hops=hops_max - 2))
    found = comparable_candidates(fewer, objectives[:1])[0] if hops_max > 2 else []
    best = _improve(found, objectives[0], None).value
    return None if best is None else FewerHops(hops_max - 2, best)


KINDS: Mapping[str, Callable[[Candidate], int]] = {
    "tiers": lambda candidate: candidate.topology.tiers,
    "planes": lambda candidate: candidate.planes,
}
"""The limits that a topology as such keeps to, each with its value of one."""

Relaxed = tuple[str, Any, Any, Spec]
"""A limit, its value, what it is relaxed to (None for dropped), and the request so relaxed."""


def _relaxed_totals(spec: Spec) -> Iterator[Relaxed]:
    for key, most in spec.limits.on_objectives.items():
        yield f"limits.{key}", most, None, replace(spec, limits=spec.limits.without(key))
    tiers, planes = (1, 2, 3, 4), even_planes(spec.server.nic_gbps)
    if set(tiers) - set(spec.tiers):
        yield "tiers", list(spec.tiers), None, replace(spec, tiers=tiers)
    if others := tuple(number for number in planes if number not in spec.planes):
        # On the planes allowed nothing is better than the optimum, so only the others are searched.
        yield "planes", list(spec.planes), None, replace(spec, planes=others)


def _relaxed_rules(spec: Spec) -> Iterator[Relaxed]:
    links = spec.limits.parallel_links
    twice = replace(spec.limits, parallel_links=2 * links)
    yield "limits.parallel_links", links, 2 * links, replace(spec, limits=twice)
    ratios = {role: spec.ratio(role) for role in (*spec.oversubscription, "*")}
    doubled = {role: 2 * ratio for role, ratio in ratios.items()}
    yield "oversubscription", _plain_ratios(ratios), _plain_ratios(doubled), replace(spec, oversubscription=doubled)
    yield from _relaxed_places(spec)
    if any(spec.reserve.values()):
        yield "reserve", dict(spec.reserve), None, replace(spec, reserve={})
    if spec.appliances:
        yield "appliances", [each.keys for each in spec.appliances], None, replace(spec, appliances=())
    if spec.grow_to_gpus and spec.grow_to_gpus > spec.gpus:
        yield *spec.growth, None, spec.without_growth()
    if any(spec.least_oversubscription.values()):
        least = replace(spec, least_oversubscription={})
        yield "least_oversubscription", _plain_ratios(spec.least_oversubscription), None, least
    for role, share in spec.survive.items():
        rest = {name: value for name, value in spec.survive.items() if name != role}
        yield f"survive.{role}", float(share), None, replace(spec, survive=rest)
    for name, count in spec.available.items():
        others = {model: most for model, most in spec.available.items() if model != name}
        yield f"available.{name}", count, None, replace(spec, available=others)
    for axis, size in spec.pinned.items():
        if axis != PLANE:
            left = {name: value for name, value in spec.pinned.items() if name != axis}
            yield f"pinned.{axis}", size, None, replace(spec, pinned=left)


def _relaxed_places(spec: Spec) -> Iterator[Relaxed]:
    tiered = tuple(name for name in spec.families if any(form.balanced() != form for form in family(name).forms))
    if spec.uplink_spread == "even" and tiered:
        # Other families have one spread only, and nothing better than the optimum.
        yield "uplink_spread", "even", "balanced", replace(spec, uplink_spread="balanced", families=tiered)
    if spec.unit_gpus:
        yield "unit_gpus", spec.unit_gpus, None, replace(spec, unit_gpus=None)
    for kind in spec.kinds:
        if kind.per_unit:
            loose = tuple(replace(each, per_unit=None) if each == kind else each for each in spec.kinds)
            yield f"per_unit.{kind.name}", kind.per_unit, None, replace(spec, kinds=loose)
    if spec.pod_gpus:
        yield "pod_gpus", spec.pod_gpus.keys, None, replace(spec, pod_gpus=None)


def _plain_ratios(ratios: Mapping[str, Any]) -> Any:
    """Return the ratio as one number where all tiers have the same, else by role."""
    numbers = {role: float(ratio) for role, ratio in ratios.items()}
    if "*" in numbers and len(set(numbers.values())) == 1:
        return numbers["*"]
    return {role: number for role, number in numbers.items() if role != "*"}


@dataclass(frozen=True)
class _Better:
    """The optimum of a relaxed request."""

    value: float | None
    """Its value; None where it is not below that of the request, or not decided."""
    candidate: Candidate | None
    """Its topology with its planes."""
    decided: bool
    """Whether it was determined within the solve budget."""


BOUNDS = ("oversubscription", "least_oversubscription", "reserve", "limits")
"""The fields of a request that bound the sizes of candidates; the candidates themselves do not depend on them."""


def _candidates_of(
    relaxed: Spec, objective: LinearObjective, spec: Spec, known: Sequence[Candidate]
) -> Sequence[Candidate]:
    """Return the candidates of a relaxed request: those `known` of `spec`, if it differs in bounds on sizes alone."""
    alike = replace(relaxed, **{key: getattr(spec, key) for key in BOUNDS}) == spec
    if alike and needed_facts(relaxed, [objective]) == needed_facts(spec, [objective]):
        return [candidate.with_spec(relaxed) for candidate in known]
    return comparable_candidates(relaxed, [objective])[0]


def _improve(found: Sequence[Candidate], objective: LinearObjective, optimum: float | None) -> _Better:
    """Return the optimum over candidates, if it is below `optimum`."""
    least = None if optimum is None else round(optimum * objective.scale)
    chosen: Candidate | None = None
    for item in solve_in_order(found, [objective], lambda best: best - 1, least, BUDGET):
        if item.solution.status not in ("OPTIMAL", "INFEASIBLE"):
            return _Better(None, None, decided=False)
        if item.solution.values and (least is None or item.solution.values[0] < least):
            (least,), chosen = item.solution.values, item.candidate
    return _Better(None if least is None or not chosen else least / objective.scale, chosen, decided=True)


def _improve_nonblocking(spec: Spec, objective: LinearObjective, optimum: float) -> float | None:
    """Return the optimum without oversubscription, where the request has some and that is below `optimum` all the same.

    A fabric that is better in both is what an architect would want to hear of first.
    """
    if max(spec.oversubscription.values(), default=Fraction(1)) <= 1:
        return None
    full = replace(spec, oversubscription={"*": Fraction(1)}, least_oversubscription={})
    return _improve(comparable_candidates(full, [objective])[0], objective, optimum).value
