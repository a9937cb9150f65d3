"""The best design in other objectives than cost, and the Pareto front over several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Unpack

from fabric.errors import InputError
from fabric.optimizer import Front, LinearObjective, Point, Proof, find_front, parse_objectives, report_front
from fabric.presented import Plotted, Tabular
from fabric.request import Spec
from fabric.request.request_keys import RequestKeys, list_request_keys
from fabric.request.site import Site
from fabric.studies.site_optimum import optimize_on_site
from fabric.studies.study import Source, Study, read_source, size_request
from fabric.units import count_noun

__all__ = ["Pareto", "optimize", "pareto"]


@list_request_keys
def optimize(
    source: Source | Spec | None = None,
    objective: str = "cost",
    *,
    size_bytes: int = 2**30,
    routing: str = "adaptive",
    progress: Callable[[str], None] | None = None,
    **request: Unpack[RequestKeys],
) -> Study:
    """Design the fabric that is best in `objective`: names in order (`cost,hops`) or weights (`cost=1,hops=50000`).

    The names are those of `fabric.optimizer.OBJECTIVES`. Those computed by the flow model, for an all-reduce of
    `size_bytes` under `routing`, take no weight, and the answer is optimal to within their tolerance. For `cost` alone,
    of a request with a `site`, cables are counted by length and their parts by reach, as they are laid out. Raises as
    `design` does, and InputError for an objective that needs a price, a power or a height that is not known, or a key
    that the request leaves out.
    """
    objectives = parse_objectives(objective, size_bytes, routing)
    linear = [each for each in objectives if isinstance(each, LinearObjective)]
    spec = read_source(source, request)
    if [each.name for each in objectives] == ["cost"] and spec.site != Site():
        return optimize_on_site(spec, progress or (lambda text: None))
    if len(linear) == len(objectives):
        return size_request(spec, linear, progress, {})
    found = find_front(spec, objectives, progress or (lambda text: None))
    # The first of a linear objective stays the first whatever the times of the others are.
    some = found.points[:1] if isinstance(objectives[0], LinearObjective) else found.points
    best = report_front(replace(found, points=some), progress or (lambda text: None))
    first = _study_point(spec, best, best.points[0])
    return replace(first, proof=replace(first.proof, bound=_lower_bound(found, best)))


def _lower_bound(found: Front, best: Front) -> float | None:
    """Return what no fabric is below in the first objective: of an estimated one, the least within its tolerance.

    `found` are the points as the search has them, `best` as reports do.
    """
    objective = found.objectives[0]
    least = best.values(best.points[0])[objective.key]
    if isinstance(objective, LinearObjective):
        return least if found.points[0].proven else None
    return least / (1 + objective.tolerance) if best.status == "OPTIMAL" else None


@dataclass(frozen=True, repr=False)
class Pareto(Plotted, Tabular):
    """The Pareto front over several objectives: the designs that no other is as good as in all of them.

    Times and means that differ by less than 2 % count as equal.
    """

    spec: Spec
    """The request."""
    names: tuple[str, ...]
    """The objectives as keys of results, such as `cost_usd`."""
    studies: tuple[Study, ...]
    """The designs, the best in the first objective first."""
    status: str
    """OPTIMAL when the front is complete; FEASIBLE when others may be missing.

    So they may when the solve budget was exhausted, and where times `moved`. Of a FEASIBLE front only the studies whose
    own proof is OPTIMAL are proven to be on the complete one.
    """
    wall_s: float = field(compare=False)
    """The time that it took, in seconds."""
    moved: bool = False
    """Whether times of direct networks by explicit flows are beyond the tolerance of those that the search was by."""

    def __repr__(self) -> str:
        return f"<Pareto {self.spec.name}: {count_noun(len(self.studies), 'design')} over {', '.join(self.names)}>"

    @property
    def proven(self) -> tuple[int, ...]:
        """The indices of the studies that are proven to be on the complete front."""
        return tuple(index for index, study in enumerate(self.studies) if study.proof.status == "OPTIMAL")

    @property
    def values(self) -> tuple[Mapping[str, float], ...]:
        """The value of each objective, by its key, for every study."""
        return tuple(study.proof.objectives for study in self.studies)


@list_request_keys
def pareto(
    source: Source | Spec | None = None,
    objectives: str = "cost,hops,allreduce",
    *,
    size_bytes: int = 2**30,
    routing: str = "adaptive",
    budget: float | None = None,
    progress: Callable[[str], None] | None = None,
    **request: Unpack[RequestKeys],
) -> Pareto:
    """Return the Pareto front over `objectives`, two or more names as `optimize` takes them; raises as it does.

    `budget` is the solve budget, in CP-SAT's deterministic time; when it is exhausted the status is FEASIBLE.
    """
    parsed = parse_objectives(objectives, size_bytes, routing)
    if len(parsed) < 2 or "=" in objectives:
        raise InputError(f"pareto '{objectives[:200]}': a front needs two names or more, without weights: cost,hops")
    spec = read_source(source, request)
    show = progress or (lambda text: None)
    found = report_front(find_front(spec, parsed, show, budget), show)
    studies = tuple(_study_point(spec, found, point) for point in found.points)
    names = tuple(objective.key for objective in parsed)
    return Pareto(spec, names, studies, found.status, found.wall_s, found.moved)


def _study_point(spec: Spec, found: Front, point: Point) -> Study:
    values = found.values(point)
    name, value = next(iter(values.items()))
    status = "OPTIMAL" if point.proven else "FEASIBLE"
    return Study(spec, point.blueprint, Proof(status, name, value, None, found.wall_s, values))
