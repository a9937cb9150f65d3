"""The choice among fabrics that are equally good: the plainest, so that every machine gives the same answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of, uneven_bundles
from fabric.catalog import Switch
from fabric.optimizer.balanced_links import count_uneven
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import links, switch_models, switches
from fabric.optimizer.solve import Solution, minimise
from fabric.optimizer.switch_choice import pair_counts

__all__ = ["Tie", "blueprint_of", "flag_differences", "models_used", "plainness", "preferred_blueprint"]


@dataclass(frozen=True)
class Tie:
    """A candidate among whose best fabrics one is to be preferred."""

    candidate: Candidate
    """The candidate."""
    blueprint: Blueprint
    """One of its best fabrics."""
    make_model: Callable[[], Model]
    """Returns a new model that allows its best fabrics only."""


def preferred_blueprint(tied: Sequence[Tie]) -> tuple[Candidate, Blueprint]:
    """Return the candidate and blueprint to prefer among fabrics that are equally good.

    Of fewest tiers and then planes, the one of fewer switch models, uneven bundles, parallel links, links and switches;
    then the one whose places hold more servers, from the leaf up, as more of the traffic stays below; then the first.
    """
    least = min(plainness(tie.candidate) for tie in tied)
    first, *rest = (tie for tie in tied if plainness(tie.candidate) == least)
    best = first.candidate, _preferred(first)
    for tie in rest:
        other = _preferred_within(tie, _complexity(best[1]))
        if other is not None and _complexity(other) < _complexity(best[1]):
            best = tie.candidate, other
    return best


def _preferred(tie: Tie) -> Blueprint:
    """Return the preferred of a candidate's best fabrics, which mostly is the only one."""
    if _is_only(tie.make_model(), tie.blueprint):
        return tie.blueprint
    return blueprint_of(tie.candidate, _solve_ties(tie.make_model()))


def _preferred_within(tie: Tie, most: Sequence[int]) -> Blueprint | None:
    """Return the preferred of a candidate's best fabrics of at most a complexity; None where there is none.

    Where everything costs nothing, all candidates tie: one solve rules out each that is more complex.
    """
    model = tie.make_model()
    _bound_complexity(model, most)
    solution = _solve_ties(model)
    return blueprint_of(tie.candidate, solution) if solution.values else None


def _bound_complexity(model: Model, most: Sequence[int]) -> None:
    """Bound what fabrics are first compared by, in lexicographic order: one is less after equal ones, or all are equal.

    `most` may go on with what the model does not count.
    """
    counts = [each(model) for each in _COUNTED]
    cases = []
    for equal in range(len(counts) + 1):
        cases.append(model.var(1, "no more complex", least=0))
        for index, (count, value) in enumerate(zip(counts[: equal + 1], most, strict=False)):
            model.cp.add(count <= value - (index == equal)).only_enforce_if(cases[-1])
    model.cp.add_bool_or(cases)


def _is_only(model: Model, blueprint: Blueprint) -> bool:
    """Return whether it is proven that the model allows `blueprint` and nothing else: one solve instead of many."""
    other = model.var(1, "another fabric", least=0)
    model.cp.add_bool_or([~other, *flag_differences(model, blueprint)])
    solution = minimise(model, [-1 * other])
    return solution.status == "OPTIMAL" and solution.values == (0,)


def flag_differences(model: Model, blueprint: Blueprint) -> list[cp_model.IntVar]:
    """Return flags each of which is 1 only where the model's fabric has another size or count than a blueprint."""
    known = [*((term, blueprint.sizes[name]) for name, term in model.sizes.items()), *pair_counts(model, blueprint)]
    flags = []
    for term, value in known:
        if not isinstance(term, int):
            flags.append(model.var(1, "differs", least=0))
            model.cp.add(term != value).only_enforce_if(flags[-1])
    return flags


def _solve_ties(model: Model) -> Solution:
    """Return the one solution of `model`, of all that it allows, that any solver on any machine would pick.

    Fewer switch models, uneven bundles, parallel links, links and switches; then the first model and the least size in
    turn. Where models mix, those that come first in the candidate's order are used most.
    """
    topology = model.topology
    chosen = [sum(index * flag for index, flag in enumerate(model.used[role])) for role in topology.roles]
    names = [*(name for bundle in topology.fabric_bundles for name in bundle.size_names), *topology.axes]
    mixed = [role for role in topology.roles if model.candidate.mixes(role)]
    mixes = [each[role] for each in (model.switch_counts, model.added_counts) for role in mixed]
    most = [-1 * count for each in mixes for count in each[:-1]]
    counts = [each(model) for each in _COUNTED if each is not count_uneven or topology.balanced_bundles]
    return minimise(model, [*counts, *chosen, *(model.sizes[name] for name in names), *most])


def _parallel_links(model: Model) -> cp_model.LinearExprT:
    """Return the sum of the parallel links over the bundles between switches."""
    return sum(model.sizes[bundle.name] for bundle in model.topology.fabric_bundles)


_COUNTED = (switch_models, count_uneven, _parallel_links, links, switches)
"""What fabrics are compared by, as their model counts it; `_complexity` is the same of a blueprint, and goes on."""


def plainness(candidate: Candidate) -> tuple[int, int]:
    """Return the tiers and planes of a candidate, of which fewer are preferred."""
    return candidate.topology.tiers, candidate.planes


def _complexity(blueprint: Blueprint) -> tuple[int, ...]:
    models = len({model.name for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)})
    parallel = sum(blueprint.sizes[bundle.name] for bundle in blueprint.topology.fabric_bundles)
    fullness = (-servers for servers in metrics_of(blueprint).peers())
    uneven = len(uneven_bundles(blueprint))
    return models, uneven, parallel, blueprint.links_total, blueprint.switches, *fullness


def blueprint_of(candidate: Candidate, solution: Solution) -> Blueprint:
    """Return a solution of the candidate's model as a blueprint."""
    spec = candidate.spec
    used = {role: models_used(candidate, role, solution.switch_counts[role]) for role in candidate.topology.roles}
    models = {role: max(pairs, key=lambda pair: pair[1])[0] for role, pairs in used.items()}
    return Blueprint(
        name=spec.name,
        topology=candidate.topology,
        sizes=solution.sizes,
        models=models,
        server=spec.server,
        kinds={kind.name: kind.server for kind in spec.kinds},
        gpus=spec.gpus,
        link_gbps=candidate.link_gbps,
        rates=candidate.prices.rates,
        mixes={role: pairs for role, pairs in used.items() if len(pairs) > 1},
        growth={role: models_used(candidate, role, counts) for role, counts in solution.added_counts.items()},
        allowed=candidate.models,
        appliances=spec.appliances,
        constants=spec.constants,
        library=spec.library,
    )


def models_used(candidate: Candidate, role: str, counts: Sequence[int]) -> tuple[tuple[Switch, int], ...]:
    """Return the switch models in use in a role, with the devices of each."""
    return tuple((model, count) for model, count in zip(candidate.models[role], counts, strict=True) if count)
