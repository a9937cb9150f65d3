"""The search over candidates: each is solved to its own proof, the best is kept, and ties go to the simpler fabric."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.catalog import Switch
from fabric.errors import FabricError, InputError
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate, Rejected, candidates
from fabric.optimizer.explain import explain
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import OBJECTIVES, Objective, copies, links, models, needs, switches
from fabric.optimizer.solve import Answer, minimise
from fabric.request import Spec

__all__ = ["Progress", "Proof", "Runner", "Sized", "blueprint_of", "comparable", "preferred", "size"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Proof:
    """What the solver can say of its answer: `bound` equals `objective` when `status` is OPTIMAL.

    A time or a mean is sought to a fiftieth, and `bound` that much below it; of a point of a front it is None.
    `objective` is that of the first of `objectives`, all named with their values in the order they were minimised:
    `cost_usd`, or, where a part has no price, `switches` and then `links`. `unpriced` names such parts.
    """

    status: str
    objective_name: str
    objective: float
    bound: float | None
    wall_s: float
    objectives: Mapping[str, float]
    unpriced: tuple[str, ...] = ()

    @property
    def gap(self) -> float | None:
        """How far the objective may be above the best, as a share of it; 0 when proven, None without a bound."""
        if self.bound is None:
            return None
        return (self.objective - self.bound) / self.objective if self.objective else 0.0


@dataclass(frozen=True)
class Runner:
    """Another form that would do, and what the objectives of its best come to."""

    name: str
    objectives: Mapping[str, float]


@dataclass(frozen=True)
class Sized:
    """The best blueprint of a request with its proof, and what each other form comes to, best first."""

    candidate: Candidate
    blueprint: Blueprint
    proof: Proof
    aims: tuple[Objective, ...]
    others: tuple[Runner, ...] = ()


@dataclass(frozen=True)
class _Solved:
    candidate: Candidate
    answer: Answer


def size(spec: Spec, objectives: Sequence[Objective] = (), progress: Progress = lambda text: None) -> Sized:
    """Size `spec` to the proven best fabric over every allowed form, number of planes and switch model.

    The objectives are minimised in order, each among the optima of those before it. Without any, the cost is; and when
    no fabric whose every part has a price will do, the fewest switches and then the fewest links are sought instead.
    Raises Infeasible, naming the limits that bind, when no fabric meets the request, and InputError when a pinned axis
    exists in no allowed form, or a part's price, power or height is needed and unknown.
    """
    start = time.perf_counter()
    for aim in [tuple(objectives)] if objectives else [COST, COUNT]:
        found, rejected, unknown = comparable(spec, aim)
        if unknown and not found and objectives:
            raise InputError(f"{spec.name}: {unknown[0]}; give it in the request, or leave it out of what is sought")
        solved = list(_solve_all(found, aim, progress))
        feasible = [item for item in solved if item.answer.values]
        unsettled = [item for item in solved if item.answer.status == "UNKNOWN"]
        if unsettled and not feasible:
            raise FabricError(f"{spec.name}: {unsettled[0].candidate} was not settled within the limit on work")
        if feasible:
            least = min(item.answer.values for item in feasible)
            tied = [(item.candidate, _as_good(item, aim)) for item in feasible if item.answer.values == least]
            chosen, blueprint = preferred(tied)
            best = next(item for item in feasible if item.candidate is chosen)
            proof = _proof([*feasible, *unsettled], best, aim, time.perf_counter() - start)
            return Sized(best.candidate, blueprint, proof, tuple(aim), _others(feasible, best, aim))
    raise explain(spec, found, rejected, needs(spec, aim))


SLACK = 4
"""A candidate more than a fourth above the best so far is only shown to be so, not solved: that is far quicker."""

COST = (OBJECTIVES["cost"],)
COUNT = (OBJECTIVES["switches"], OBJECTIVES["links"])


def comparable(spec: Spec, aim: Sequence[Objective]) -> tuple[list[Candidate], list[Rejected], list[str]]:
    """Return the candidates of whose every part all is known that the aim needs; the rest are rejected, and why."""
    facts = needs(spec, aim)
    found, rejected = candidates(spec, facts)
    known, reasons = [], []
    for candidate in found:
        lacks = next((f"no known {fact} of {name}" for fact in facts for name in candidate.unknown(fact)), None)
        if lacks is None:
            known.append(candidate)
        else:
            reasons.append(lacks)
            rejected.append(Rejected(str(candidate), lacks))
    return known, rejected, reasons


def _solve_all(group: Iterable[Candidate], aim: Sequence[Objective], progress: Progress) -> Iterator[_Solved]:
    best: int | None = None
    for candidate in sorted(group, key=lambda candidate: candidate.topology.tiers):
        progress(f"sizing {candidate}")
        model = build_model(candidate)
        if best is not None:
            model.cp.add(aim[0].expression(model) <= best + best // SLACK)
        answer = minimise(model, [objective.expression(model) for objective in aim])
        best = min(answer.values[0], best if best is not None else answer.values[0]) if answer.values else best
        yield _Solved(candidate, answer)


def _rank(item: _Solved) -> tuple[int, ...]:
    """Order by the objectives, then towards fewer tiers and fewer planes."""
    return (*item.answer.values, *_plainness(item.candidate))


def canonical(model: Model) -> Answer:
    """Return the one solution of `model`, of all that it allows, that any solver on any machine would pick.

    Fewer models, parallel links, links and switches; then the first model and the least size in turn. Where models mix,
    those of a lower place in the candidate's order are used most.
    """
    form = model.topology
    chosen = [sum(place * flag for place, flag in enumerate(model.used[role])) for role in form.roles]
    sizes = [model.sizes[name] for name in (*(bundle.name for bundle in form.fabric_bundles), *form.axes)]
    mixed = [role for role in form.roles if model.candidate.mixes(role)]
    most = [-1 * count for role in mixed for count in model.boxes[role][:-1]]
    first = [each(model) for each in (models, copies, links, switches)]
    return minimise(model, [*first, *chosen, *sizes, *most])


def preferred(tied: Sequence[tuple[Candidate, Model]]) -> tuple[Candidate, Blueprint]:
    """Return the candidate and blueprint to prefer among those whose models allow equally good fabrics only.

    Of fewest tiers and then planes, the one of fewer models, parallel links, links and switches; then that whose places
    hold more servers, from the leaf up, since more of the traffic stays below; then the first.
    """
    least = min(_plainness(candidate) for candidate, _ in tied)
    plainest = [(candidate, model) for candidate, model in tied if _plainness(candidate) == least]
    found = [(candidate, blueprint_of(candidate, canonical(model))) for candidate, model in plainest]
    return min(found, key=lambda pair: _complexity(pair[1]))


def _plainness(candidate: Candidate) -> tuple[int, int]:
    return candidate.topology.tiers, candidate.planes


def _complexity(blueprint: Blueprint) -> tuple[int, ...]:
    models = len({model.name for role in blueprint.topology.roles for model, _ in blueprint.boxes(role)})
    parallel = sum(blueprint.sizes[bundle.name] for bundle in blueprint.topology.fabric_bundles)
    return (
        models,
        parallel,
        blueprint.links_total,
        blueprint.switches,
        *(-size for size in metrics_of(blueprint).peers()),
    )


def _as_good(item: _Solved, aim: Sequence[Objective]) -> Model:
    """Return the candidate's model with nothing left in it that is worse than what was found."""
    model = build_model(item.candidate)
    for objective, value in zip(aim, item.answer.values, strict=True):
        model.cp.add(objective.expression(model) <= value)
    return model


def blueprint_of(candidate: Candidate, answer: Answer) -> Blueprint:
    """Return the blueprint that an answer says."""
    spec = candidate.spec
    used = {role: _used(candidate, role, answer.boxes[role]) for role in candidate.topology.roles}
    models = {role: max(boxes, key=lambda box: box[1])[0] for role, boxes in used.items()}
    mixes = {role: boxes for role, boxes in used.items() if len(boxes) > 1}
    return Blueprint(
        spec.name, candidate.topology, answer.sizes, models, spec.server, spec.gpus, candidate.link_gbps, mixes
    )


def _used(candidate: Candidate, role: str, counts: Sequence[int]) -> tuple[tuple[Switch, int], ...]:
    return tuple((model, count) for model, count in zip(candidate.models[role], counts, strict=True) if count)


def _proof(open_: Sequence[_Solved], best: _Solved, aim: Sequence[Objective], wall_s: float) -> Proof:
    """Return the proof: no candidate can be better than the least of their bounds, which are whole numbers."""
    value, scale = best.answer.values[0], aim[0].scale
    bounds = [math.ceil(item.answer.bound - 1e-6) for item in open_]
    bound = min(value, *bounds)
    rivals = [item for item, least in zip(open_, bounds, strict=True) if least <= value]
    settled = all(item.answer.status == "OPTIMAL" for item in rivals)
    status = "OPTIMAL" if bound == value and settled else "FEASIBLE"
    unpriced = best.candidate.unknown("price") if aim == COUNT else ()
    return Proof(status, aim[0].name, value / scale, bound / scale, wall_s, _valued(best, aim), unpriced)


def _others(feasible: Sequence[_Solved], best: _Solved, aim: Sequence[Objective]) -> tuple[Runner, ...]:
    """Return what each other candidate comes to, best first."""
    rest = sorted((item for item in feasible if item is not best), key=_rank)
    return tuple(Runner(_named(item), _valued(item, aim)) for item in rest)


def _named(item: _Solved) -> str:
    """Name a candidate by its form and the switch models that it would be of."""
    used = (box for role, counts in item.answer.boxes.items() for box in _used(item.candidate, role, counts))
    return f"{item.candidate}, of {' and '.join(dict.fromkeys(model.name for model, _ in used))}"


def _valued(item: _Solved, aim: Sequence[Objective]) -> dict[str, float]:
    return {objective.name: value / objective.scale for objective, value in zip(aim, item.answer.values, strict=True)}
