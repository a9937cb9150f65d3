"""The whole line in one place: a request is read, sized, priced and, when asked, laid out and estimated."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import Bill, bill
from fabric.blueprint.metrics import Hops, bisection_gbps, hops, injection_gbps, metrics_of
from fabric.blueprint.prices import Prices
from fabric.errors import InputError
from fabric.flow import Estimate, allreduce
from fabric.flow.paths import shortest_path
from fabric.network import Network
from fabric.network.expand import expand
from fabric.optimizer import (
    OBJECTIVES,
    Alternative,
    BindingLimit,
    BreakEven,
    FewerHops,
    Front,
    LinearObjective,
    Point,
    Proof,
    find_binding_limits,
    find_break_evens,
    find_fewer_hops,
    find_front,
    parse_objectives,
    size,
)
from fabric.request import Spec
from fabric.request.resolve import read_spec
from fabric.topology.families import known_names
from fabric.view import View, view_of

__all__ = ["Pareto", "Study", "design", "optimize", "pareto", "read"]


@dataclass(frozen=True)
class Study:
    """A request and the fabric that answers it; what is not asked for is not computed."""

    spec: Spec
    blueprint: Blueprint
    proof: Proof
    others: tuple[Alternative, ...] = ()
    objectives: tuple[LinearObjective, ...] = ()

    @cached_property
    def binding(self) -> tuple[BindingLimit, ...] | None:
        """The limits that bind (see `fabric.optimizer.binding`); None for a point of a front, where it is not asked."""
        return find_binding_limits(self.spec, self.objectives, self.proof.objective) if self.objectives else None

    def sensitivity(self, progress: Callable[[str], None] = lambda text: None) -> tuple[BreakEven, ...]:
        """Return which price, moved by how much, would change the choice; raises InputError unless cost decided it."""
        if not self.objectives or self.objectives[0] != OBJECTIVES["cost"]:
            raise InputError(
                f"{self.spec.name}: sensitivity is of the cheapest fabric; seek cost first, unweighted, with all prices"
            )
        return find_break_evens(self.spec, self.blueprint, progress)

    @cached_property
    def fewer_hops(self) -> FewerHops | None:
        """What two switches fewer on the longest path would cost, where that can be had."""
        asked = self.objectives and OBJECTIVES["hops"].key not in self.proof.objectives
        return find_fewer_hops(self.spec, self.objectives, self.hops.max) if asked else None

    @cached_property
    def network(self) -> Network:
        """The fabric laid out link by link; raises TooLarge when it would not fit in memory."""
        return expand(self.blueprint)

    @cached_property
    def bill(self) -> Bill:
        """The bill of materials."""
        return bill(self.blueprint, Prices(self.spec, self.blueprint.link_gbps))

    @cached_property
    def hops(self) -> Hops:
        """The switches on a path between GPUs of different servers."""
        return hops(self.blueprint)

    @cached_property
    def survives(self) -> dict[str, Fraction]:
        """The share of throughput that remains without any one switch of a role, or without a plane."""
        return metrics_of(self.blueprint).survives()

    @cached_property
    def bisection_gbps(self) -> int:
        """The greatest flow from the first half of the servers to the second, in Gb/s, one direction."""
        return bisection_gbps(self.blueprint)

    @cached_property
    def injection_gbps(self) -> int:
        """The bandwidth of all server links together, in Gb/s, one direction."""
        return injection_gbps(self.blueprint)

    def view(self, level: str = "fabric", *, pod: int = 0, unit: int = 0) -> View:
        """Return what is seen of the fabric at a level: `fabric`, `pod`, `unit` or `device` (see `fabric.view`)."""
        return view_of(self.blueprint, level, pod=pod, unit=unit)

    def path(self, source: int, target: int) -> tuple[str, ...]:
        """Return the devices on a shortest path between two GPUs, by name (see `fabric.paths`)."""
        return shortest_path(self.blueprint, source, target)

    def allreduce(self, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None) -> Estimate:
        """Estimate an all-reduce of `size_bytes` over all GPUs (see `fabric.flow.estimate`)."""
        return allreduce(self.blueprint, size_bytes, routing, algorithm)


def read(source: str | os.PathLike[str] | Mapping[str, Any] | None = None, **request: Any) -> Spec:
    """Read a request: the name of a shipped design, a file, or a mapping, with keyword arguments in its own words.

    Raises InputError with every mistake found.
    """
    return read_spec(source, request, names=known_names())


def design(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Study:
    """Design the fabric that `source` asks for (see `read`), proven cheapest among those that the request allows.

    `progress` is told in a few words what is being worked on. Raises InputError for a request that is ill-formed and
    Infeasible, with the limits that bind, for one that no fabric meets.
    """
    return _studied(source, (), progress, request)


def optimize(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec | None = None,
    objective: str = "cost",
    *,
    size_bytes: int = 2**30,
    routing: str = "adaptive",
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Study:
    """Design the fabric that is best in `objective`: names in order (`cost,hops`) or weights (`cost=1,hops=50000`).

    The names are those of `fabric.optimizer.OBJECTIVES`. Those computed by the flow model, for an all-reduce of
    `size_bytes` under `routing`, take no weight, and the answer is optimal to within their tolerance. Raises as
    `design` does, and InputError for an objective that needs a price, a power or a height that is not known, or a key
    that the request leaves out.
    """
    objectives = parse_objectives(objective, size_bytes, routing)
    linear = [each for each in objectives if isinstance(each, LinearObjective)]
    if len(linear) == len(objectives):
        return _studied(source, linear, progress, request)
    spec = _spec(source, request)
    found = find_front(spec, objectives, progress or (lambda text: None))
    first = _of_point(spec, found, found.points[0])
    return replace(first, proof=replace(first.proof, bound=_bound(found)))


def _bound(found: Front) -> float | None:
    """Return what no fabric is below in the first objective: of an estimated one, the least within its tolerance."""
    objective = found.objectives[0]
    least = found.values(found.points[0])[objective.key]
    if isinstance(objective, LinearObjective):
        return least if found.points[0].proven else None
    return least / (1 + objective.tolerance) if found.status == "OPTIMAL" else None


@dataclass(frozen=True)
class Pareto:
    """The fabrics that nothing allowed beats in all of several objectives, the best in the first one first.

    `names` are the objectives as keys of results (`cost_usd`), `values` what each study comes to in them; `status` is
    OPTIMAL when nothing is missing. When it is FEASIBLE, others may be missing, and only the studies whose own proof is
    OPTIMAL are sure to be of the whole front. Times and means that differ by less than 2 % count as equal.
    """

    spec: Spec
    names: tuple[str, ...]
    studies: tuple[Study, ...]
    status: str
    wall_s: float

    @property
    def proven(self) -> tuple[int, ...]:
        """The places of the studies that are sure to be of the whole front."""
        return tuple(place for place, study in enumerate(self.studies) if study.proof.status == "OPTIMAL")

    @property
    def values(self) -> tuple[Mapping[str, float], ...]:
        return tuple(study.proof.objectives for study in self.studies)


def pareto(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec | None = None,
    objectives: str = "cost,hops,allreduce",
    *,
    size_bytes: int = 2**30,
    routing: str = "adaptive",
    work: float | None = None,
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Pareto:
    """Return the Pareto front over `objectives`, two or more names as `optimize` takes them; raises as it does.

    `work` limits the search, in CP-SAT's deterministic time; where it ends first the status is FEASIBLE.
    """
    parsed = parse_objectives(objectives, size_bytes, routing)
    if len(parsed) < 2 or "=" in objectives:
        raise InputError(f"pareto '{objectives[:200]}': a front needs two names or more, without weights: cost,hops")
    spec = _spec(source, request)
    found = find_front(spec, parsed, progress or (lambda text: None), work)
    studies = tuple(_of_point(spec, found, point) for point in found.points)
    return Pareto(spec, tuple(objective.key for objective in parsed), studies, found.status, found.wall_s)


def _of_point(spec: Spec, found: Front, point: Point) -> Study:
    values = found.values(point)
    name, value = next(iter(values.items()))
    status = "OPTIMAL" if point.proven else "FEASIBLE"
    return Study(spec, point.blueprint, Proof(status, name, value, None, found.wall_s, values))


def _studied(
    source: Any, objectives: Sequence[LinearObjective], progress: Callable[[str], None] | None, request: Any
) -> Study:
    spec = _spec(source, request)
    sized = size(spec, objectives, progress or (lambda text: None))
    return Study(spec, sized.blueprint, sized.proof, sized.alternatives, sized.objectives)


def _spec(source: Any, request: dict[str, Any]) -> Spec:
    if isinstance(source, Spec) and request:
        keys = ", ".join(map(str, request))
        raise InputError(f"{keys}: a Spec is already read and takes no more words; give the name, file or mapping")
    return source if isinstance(source, Spec) else read(source, **request)
