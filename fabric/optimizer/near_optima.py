"""Fabrics within 1 % of the optimum that one would rather build: larger pods, fewer parallel links, and the like.

The least cost often has pods of any size, many links between two switches, all NICs of a server on one leaf, or uplinks
that differ where they may, and a fabric that costs hardly more has not. For each of these aims every topology whose
optimum is near is asked for the best that it has within the margin, and for the least cost at which it has that. So an
answer is proven, or said not to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import uneven_bundles
from fabric.frozen import freeze
from fabric.optimizer.balanced_links import count_uneven
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate, list_topologies
from fabric.optimizer.model import Model
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.solve import Solution, minimise
from fabric.optimizer.ties import Tie, blueprint_of, preferred_blueprint
from fabric.request.spec import Spec

__all__ = ["AIMS", "MARGIN", "NearOptimum", "find_near_optima", "within_margin"]

MARGIN = 100
"""A fabric is near where no objective is more than a hundredth above the optimum."""

BUDGET = 2.0
"""The deterministic time of each solve (see `solve.SOLVE_BUDGET`); what takes more is not proven."""


@dataclass(frozen=True)
class NearOptimum:
    """The fabric near the optimum that is best in one aim, if that is better than the optimum."""

    aim: str
    """What is better: a key of `AIMS`."""
    blueprint: Blueprint | None
    """The fabric; None where none was found that is better in this."""
    objectives: Mapping[str, float]
    """Its objectives by key; empty without a fabric."""
    proven: bool
    """Whether it is proven that no near fabric is better in this aim, nor as good for less; False where open."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True)
class _Aim:
    """A quantity of which less is better, though it costs nothing by itself."""

    measure: Callable[[Blueprint, int], int | None]
    """Returns it of a fabric that may grow to a number of servers; None where it is as good as it can be."""
    express: Callable[[Model], cp_model.LinearExprT | None]
    """Returns it in a model; None where the topology has no such quantity."""


def _measure_pod(plan: Blueprint, servers: int) -> int | None:
    sharing = plan.topology.servers_sharing(2)
    full = servers if sharing is None else plan.evaluate(sharing)
    return None if full >= servers else -full


def _express_pod(model: Model) -> cp_model.LinearExprT | None:
    """Return the servers of a pod with their sign turned, no more counting than there can be in the fabric."""
    sharing = model.topology.servers_sharing(2)
    if sharing is None:
        return None
    full, servers = model.product(sharing), model.candidate.spec.grown_servers
    size = model.var(min(model.upper(full), servers), "pod")
    model.cp.add(size <= full)
    return -1 * size


def _measure_parallel(plan: Blueprint, _servers: int) -> int | None:
    return plan.parallel_links if plan.parallel_links > 1 else None


def _express_parallel(model: Model) -> cp_model.LinearExprT | None:
    """Return a count that is no less than the links of any two switches."""
    most = model.var(model.widest, "parallel links", least=0)
    for bundle in model.topology.fabric_bundles:
        links, over = model.pair_links(bundle)
        model.cp.add(links <= model.times(most, over, f"most {bundle.name}"))
    return 1 * most


def _measure_rails(plan: Blueprint, _servers: int) -> int | None:
    never = plan.rails_meet_tier > plan.tiers
    return None if never or plan.server.nics == 1 else -plan.rails_meet_tier


def _express_rails(model: Model) -> cp_model.LinearExprT | None:
    """Return the tier at which rails meet with its sign turned; there are then several rails."""
    topology, rails = model.topology, model.sizes.get("rail", 1)
    if isinstance(rails, int) and rails == 1:
        return None
    model.cp.add(rails >= 2)
    role = topology.rails_meet_at
    return -(topology.roles.index(role) + 1 if role else topology.tiers + 1)


def _measure_evenness(plan: Blueprint, _servers: int) -> int | None:
    return len(uneven_bundles(plan)) or None


def _express_evenness(model: Model) -> cp_model.LinearExprT | None:
    return count_uneven(model) if model.topology.balanced_bundles else None


RAILS = "rails that meet later"
"""An aim of requests that allow a family which keeps rails apart."""

AIMS: Mapping[str, _Aim] = {
    "larger pods": _Aim(_measure_pod, _express_pod),
    "fewer parallel links": _Aim(_measure_parallel, _express_parallel),
    RAILS: _Aim(_measure_rails, _express_rails),
    "more even uplinks": _Aim(_measure_evenness, _express_evenness),
}
"""What one would rather have, in words."""


def within_margin(value: int) -> int:
    """Return the most that an objective may be for a fabric to be near, in the solver's units."""
    return value + abs(value) // MARGIN


def find_near_optima(
    chosen: Blueprint, objectives: Sequence[LinearObjective], optimum: Sequence[int], near: Sequence[Candidate]
) -> tuple[NearOptimum, ...]:
    """Return for each aim in which `chosen` might be better the near fabric that is best in it.

    `near` are the candidates that may have a fabric within the margin of the `optimum`, which is in the solver's units.
    There is none where no objective leaves room, as one in hops alone does not.
    """
    if all(within_margin(value) == value for value in optimum):
        return ()
    caps = [(objective, within_margin(value)) for objective, value in zip(objectives, optimum, strict=True)]
    found = []
    for name, aim in AIMS.items():
        own = aim.measure(chosen, near[0].spec.grown_servers) if near else None
        if own is not None and (name != RAILS or _may_have_rails(near[0].spec)):
            found.append(_find_best(name, aim, own, caps, near))
    return tuple(found)


def _may_have_rails(spec: Spec) -> bool:
    """Say whether a topology that the request allows keeps rails apart."""
    return any("rail" in form.rail_axes for form in list_topologies(spec))


Caps = Sequence[tuple[LinearObjective, int]]
"""The objectives, each with the most that it may be."""


def _find_best(name: str, aim: _Aim, own: int, caps: Caps, near: Sequence[Candidate]) -> NearOptimum:
    """Return the near fabric that is best in an aim, in which the optimum is `own`."""
    best: tuple[tuple[int, ...], Candidate, Solution] | None = None
    proven = True
    for candidate in near:
        most = own - 1 if best is None else best[0][0]
        model = _near_model(candidate, aim, caps, most)
        if model is None:
            continue
        solution = minimise(model[0], model[1], BUDGET)
        proven = proven and solution.status in ("OPTIMAL", "INFEASIBLE")
        if solution.values and (best is None or solution.values < best[0]):
            best = solution.values, candidate, solution
    if best is None:
        return NearOptimum(name, None, {}, proven)
    values, candidate, solution = best
    limits = [(objective, value) for (objective, _), value in zip(caps, values[1:], strict=True)]

    def make_model() -> Model:
        made = _near_model(candidate, aim, limits, values[0])
        assert made is not None, "it was made before"
        return made[0]

    _, blueprint = preferred_blueprint([Tie(candidate, blueprint_of(candidate, solution), make_model)])
    return NearOptimum(name, blueprint, {objective.key: value / objective.scale for objective, value in limits}, proven)


def _near_model(
    candidate: Candidate, aim: _Aim, caps: Caps, most: int
) -> tuple[Model, list[cp_model.LinearExprT]] | None:
    """Return the candidate's model with at most so much of an aim, and what to minimise; None where it has no such."""
    model = build_model(candidate)
    quantity = aim.express(model)
    if quantity is None or (isinstance(quantity, int) and quantity > most):
        return None
    totals = [model.total(objective) for objective, _ in caps]
    for total, (_, cap) in zip(totals, caps, strict=True):
        model.cp.add(total <= cap)
    if not isinstance(quantity, int):
        model.cp.add(quantity <= most)
    return model, [quantity, *totals]
