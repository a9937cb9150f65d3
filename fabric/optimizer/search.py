"""The search over candidates: each is solved to its own proof, the best is kept, and ties go to the simpler fabric."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fabric.blueprint import Blueprint
from fabric.errors import FabricError, InputError
from fabric.frozen import freeze
from fabric.optimizer.build_model import build_model, floor_of
from fabric.optimizer.candidates import Candidate, Rejected, candidates
from fabric.optimizer.explain import explain
from fabric.optimizer.model import Model
from fabric.optimizer.near_optima import within_margin
from fabric.optimizer.objective import LinearObjective, Objective
from fabric.optimizer.objectives import COST, LINKS, SWITCHES, needed_facts
from fabric.optimizer.side_by_side import Solved, solve_in_order
from fabric.optimizer.ties import Tie, blueprint_of, models_used, plainness, preferred_blueprint
from fabric.request import Spec

__all__ = [
    "Alternative",
    "Progress",
    "Proof",
    "SizingResult",
    "ask_for_fact",
    "comparable_candidates",
    "describe_fabric",
    "size",
    "within_fourth",
]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Proof:
    """What is proven of a design."""

    status: str
    """OPTIMAL, or FEASIBLE where the solve budget ran out before the proof."""
    objective_name: str
    """The key of the first objective: `cost_usd`, or `switches` where a part has no price."""
    objective: float
    """The value of the first objective."""
    bound: float | None
    """What no fabric that the request allows is below: equal to `objective` when `status` is OPTIMAL, but for estimated
    objectives, which are optimised to their tolerance; None for a point of a Pareto front."""
    wall_s: float | None = field(compare=False)
    """The seconds that the search took; None where that is not known any more."""
    objectives: Mapping[str, float]
    """All objectives by key, in the order in which they were minimised."""
    unpriced: tuple[str, ...] = ()
    """The parts without a price, because of which switches and links were minimised instead of cost."""
    fabrics_laid_out: int = 0
    """The fabrics that were laid out and priced, where cost is that on the site; 0 where lengths are not counted."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def gap(self) -> float | None:
        """How far the objective may be above the optimum, as a share of it; 0 when proven, None without a bound."""
        if self.bound is None:
            return None
        return (self.objective - self.bound) / self.objective if self.objective else 0.0


@dataclass(frozen=True)
class Alternative:
    """Another topology that meets the request."""

    name: str
    """The topology in words, with its switch models."""
    objectives: Mapping[str, float]
    """The objectives of its best fabric, by key."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True)
class SizingResult:
    """The best blueprint of a request with its proof."""

    candidate: Candidate
    """The topology chosen, with its number of planes."""
    blueprint: Blueprint
    """The fabric chosen."""
    proof: Proof
    """What is proven of it."""
    objectives: tuple[LinearObjective, ...]
    """What was minimised, in order."""
    alternatives: tuple[Alternative, ...] = ()
    """The other topologies that meet the request, best first."""
    near: tuple[Candidate, ...] = ()
    """The candidates that may have fabrics near the optimum (see `find_near_optima`)."""


def size(
    spec: Spec, objectives: Sequence[LinearObjective] = (), progress: Progress = lambda text: None
) -> SizingResult:
    """Size `spec` to the proven best fabric over every topology, number of planes and switch model allowed.

    The objectives are minimised in order, each among the optima of those before it; by default cost, or, when no fabric
    with a price for every part is feasible, the switches and then the links. Raises Infeasible, naming the limits that
    conflict, when no fabric meets the request, and InputError when a pinned axis exists in no topology allowed, or a
    part's price, power or height is needed and unknown.
    """
    start = time.perf_counter()
    infeasible: list[Candidate] = []
    orders: list[tuple[LinearObjective, ...]] = [tuple(objectives)] if objectives else [(COST,), COUNTS]
    for order in orders:
        found, rejected, unknown = comparable_candidates(spec, order)
        left = [one for one in found if not any(one.is_like(other) for other in infeasible)]
        solved = list(solve_in_order(left, order, within_fourth, progress=lambda one: progress(f"sizing {one}")))
        infeasible += [item.candidate for item in solved if item.solution.status == "INFEASIBLE"]
        feasible = [item for item in solved if item.solution.values]
        if unknown and order is orders[-1] and not feasible:  # what could not be compared may well be feasible
            raise ask_for_fact(spec, unknown[0])
        undecided = [item for item in solved if item.solution.status == "UNKNOWN"]
        if undecided and not feasible:
            raise FabricError(f"{spec.name}: {undecided[0].candidate} was not decided within the solve budget")
        if feasible:
            least = min(item.solution.values for item in feasible)
            tied = [_tie(item, order) for item in feasible if item.solution.values == least]
            chosen, blueprint = preferred_blueprint(tied)
            best = next(item for item in feasible if item.candidate is chosen)
            proof = _proof([*feasible, *undecided], best, order, time.perf_counter() - start)
            others = _alternatives(feasible, best, order)
            return SizingResult(chosen, blueprint, proof, order, others, _near(solved, least[0]))
    raise explain(spec, found, rejected, needed_facts(spec, order))


MARGIN = 4
"""A candidate more than a fourth above the best so far is only proven to be so, not solved: that is far quicker."""

COUNTS = (SWITCHES, LINKS)


def comparable_candidates(
    spec: Spec, objectives: Sequence[Objective]
) -> tuple[list[Candidate], list[Rejected], list[str]]:
    """Return the candidates for which everything is known that the objectives need; the rest are rejected, and why."""
    facts = needed_facts(spec, objectives)
    found, rejected = candidates(spec, facts)
    known, reasons = [], []
    for candidate in found:
        lacks = next((f"no known {fact} of {name}" for fact in facts for name in candidate.unknown(fact)), None)
        if lacks is None:
            known.append(candidate)
        else:
            reasons.append(lacks)
            rejected.append(Rejected(candidate.topology, str(candidate), lacks))
    return known, rejected, reasons


def ask_for_fact(spec: Spec, reason: str) -> InputError:
    """Return the error that asks for a fact of a part, whose `reason` says what is not known of which part."""
    remedy = "give it in the request, or leave out the objectives and limits that count it"
    return InputError(f"{spec.name}: {reason}; {remedy}")


def within_fourth(best: int) -> int:
    """Return the most that the first objective of a candidate may be for it to be an alternative, given the best."""
    return best + best // MARGIN


def _rank(item: Solved) -> tuple[int, ...]:
    """Order by the objectives, then towards fewer tiers and fewer planes."""
    return (*item.solution.values, *plainness(item.candidate))


def _tie(item: Solved, objectives: Sequence[LinearObjective]) -> Tie:
    """Return the candidate's fabrics that are no worse than the one found."""

    def make_model() -> Model:
        model = build_model(item.candidate)
        if floor := floor_of(item.candidate):
            floor.add_to(model, objectives)
        for objective, value in zip(objectives, item.solution.values, strict=True):
            model.cp.add(model.total(objective) <= value)
        return model

    return Tie(item.candidate, blueprint_of(item.candidate, item.solution), make_model)


def _proof(contenders: Sequence[Solved], best: Solved, objectives: Sequence[LinearObjective], wall_s: float) -> Proof:
    """Return the proof: no candidate can be better than the least of their bounds, which are whole numbers."""
    value, scale = best.solution.values[0], objectives[0].scale
    bounds = [math.ceil(item.solution.bound - 1e-6) for item in contenders]
    bound = min(value, *bounds)
    rivals = [item for item, least in zip(contenders, bounds, strict=True) if least <= value]
    decided = all(item.solution.status == "OPTIMAL" for item in rivals)
    status = "OPTIMAL" if bound == value and decided else "FEASIBLE"
    unpriced = best.candidate.unknown("price") if objectives == COUNTS else ()
    values = _values(best, objectives)
    return Proof(status, objectives[0].key, value / scale, bound / scale, wall_s, values, unpriced)


def _alternatives(
    feasible: Sequence[Solved], best: Solved, objectives: Sequence[LinearObjective]
) -> tuple[Alternative, ...]:
    """Return every other candidate that was worth solving with its objectives, best first."""
    most = within_fourth(best.solution.values[0])
    rest = sorted((item for item in feasible if item is not best and item.solution.values[0] <= most), key=_rank)
    return tuple(Alternative(_describe(item.candidate, _used_models(item)), _values(item, objectives)) for item in rest)


def _near(solved: Sequence[Solved], optimum: int) -> tuple[Candidate, ...]:
    """Return the candidates that are not shown to be above the optimum by more than the margin."""
    cap = within_margin(optimum)
    return tuple(
        item.candidate
        for item in solved
        if item.solution.status != "INFEASIBLE" and math.ceil(item.solution.bound - 1e-6) <= cap
    )


def describe_fabric(candidate: Candidate, blueprint: Blueprint) -> str:
    """Return a candidate in words, with the switch models of one of its fabrics."""
    roles = blueprint.topology.roles
    return _describe(candidate, (model.name for role in roles for model, _ in blueprint.model_counts(role)))


def _describe(candidate: Candidate, models: Iterable[str]) -> str:
    return f"{candidate}, of {' and '.join(dict.fromkeys(models))}"


def _used_models(item: Solved) -> Iterator[str]:
    counts = item.solution.switch_counts
    return (model.name for role in counts for model, _ in models_used(item.candidate, role, counts[role]))


def _values(item: Solved, objectives: Sequence[LinearObjective]) -> dict[str, float]:
    """Return the objectives of a solution by key."""
    pairs = zip(objectives, item.solution.values, strict=True)
    return {objective.key: value / objective.scale for objective, value in pairs}
