"""The limits that bind: those that, relaxed alone, would let the best fabric be better, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fabric.optimizer.build_model import build_model
from fabric.optimizer.objectives import LIMITS, Objective
from fabric.optimizer.search import comparable
from fabric.optimizer.solve import minimise
from fabric.request import Limits, Spec, even_planes
from fabric.topology.topology import PLANE

__all__ = ["Binding", "Step", "binding", "fewer_hops"]

WORK = 4.0
"""The work spent on each question, in CP-SAT's deterministic time; one that takes more stays unanswered."""


@dataclass(frozen=True)
class Binding:
    """A limit with its value, the value it was relaxed to (None for dropped), and the first objective's least then.

    That is None where it took too much work to find.
    """

    limit: str
    value: Any
    loosened_to: Any
    objective: float | None


@dataclass(frozen=True)
class Step:
    """The least that the first objective comes to when the longest path is to have at most so many switches."""

    hops_max: int
    objective: float


def binding(spec: Spec, aims: Sequence[Objective], least: float) -> tuple[Binding, ...]:
    """Return the limits of `spec` that keep the first of `aims` from being below `least`, the dearest first.

    A ratio and parallel links are doubled, anything else is dropped, and the best is sought over every form. Limits of
    which that took too much work come last.
    """
    found = []
    for limit, value, loosened, relaxed in (*_relaxed_rules(spec), *_relaxed_totals(spec)):
        best, settled = _best(relaxed, aims[0], least)
        if best is not None or not settled:
            found.append(Binding(limit, value, loosened, best))
    return tuple(sorted(found, key=lambda item: math.inf if item.objective is None else item.objective))


def fewer_hops(spec: Spec, aims: Sequence[Objective], hops_max: int) -> Step | None:
    """Return what the first of `aims` comes to with two switches fewer on the longest path; None where none has."""
    fewer = replace(spec, limits=replace(spec.limits, hops=hops_max - 2))
    best = _best(fewer, aims[0], None)[0] if hops_max > 2 else None
    return None if best is None else Step(hops_max - 2, best)


Relaxed = tuple[str, Any, Any, Spec]
"""A limit, its value, what it is relaxed to (None for dropped), and the request so relaxed."""


def _relaxed_totals(spec: Spec) -> Iterator[Relaxed]:
    for name in LIMITS:
        if (most := getattr(spec.limits, name)) is not None:
            limits = Limits(**{**asdict(spec.limits), name: None})
            yield f"limits.{name}", most, None, replace(spec, limits=limits)
    tiers, planes = (1, 2, 3, 4), tuple(even_planes(spec.server.nic_gbps))
    if set(tiers) - set(spec.tiers):
        yield "tiers", list(spec.tiers), None, replace(spec, tiers=tiers)
    if set(planes) - set(spec.planes):
        yield "planes", list(spec.planes), None, replace(spec, planes=planes)


def _relaxed_rules(spec: Spec) -> Iterator[Relaxed]:
    links = spec.limits.parallel_links
    twice = replace(spec.limits, parallel_links=2 * links)
    yield "limits.parallel_links", links, 2 * links, replace(spec, limits=twice)
    ratios = {role: spec.ratio(role) for role in (*spec.oversubscription, "*")}
    doubled = {role: 2 * ratio for role, ratio in ratios.items()}
    yield "oversubscription", _plain(ratios), _plain(doubled), replace(spec, oversubscription=doubled)
    if spec.unit_gpus:
        yield "unit_gpus", spec.unit_gpus, None, replace(spec, unit_gpus=None)
    if any(spec.reserve.values()):
        yield "reserve", dict(spec.reserve), None, replace(spec, reserve={})
    if spec.grow_to_gpus and spec.grow_to_gpus > spec.gpus:
        yield "grow_to_gpus", spec.grow_to_gpus, None, replace(spec, grow_to_gpus=None)
    if any(spec.least_oversubscription.values()):
        least = replace(spec, least_oversubscription={})
        yield "least_oversubscription", _plain(spec.least_oversubscription), None, least
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


def _plain(ratios: Mapping[str, Any]) -> Any:
    numbers = {role: float(ratio) for role, ratio in ratios.items()}
    return numbers["*"] if len(set(numbers.values())) == 1 else {role: numbers[role] for role in numbers if role != "*"}


def _best(spec: Spec, aim: Objective, least: float | None) -> tuple[float | None, bool]:
    """Return the least of `aim` over every form, if it is below `least`, and whether that is settled."""
    best = None if least is None else round(least * aim.scale)
    start = best
    for candidate in comparable(spec, [aim])[0]:
        model = build_model(candidate)
        sought = aim.expression(model)
        if best is not None:
            model.cp.add(sought <= best - 1)
        answer = minimise(model, [sought], WORK)
        best = answer.values[0] if answer.values else best
        if answer.status not in ("OPTIMAL", "INFEASIBLE"):
            return None, False
    return (None if best is None or best == start else best / aim.scale), True
