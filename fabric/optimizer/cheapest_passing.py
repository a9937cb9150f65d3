"""The search for the cheapest fabric that passes a test which no solver knows, such as the time of a training step.

Fabrics are tried in the order of their cost, and the first that passes is the cheapest. Where one fails, so do all of
its topology with as many servers below each tier whose links up are as few, and whose paths and switches are as slow:
these are left out, and those that do not meet what the test says that a fabric needs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from ortools.sat.python import cp_model

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import FabricError
from fabric.flow import summarize
from fabric.optimizer.build_model import build_within, floor_of
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.feature import MILLION, Feature
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import COST, needed_facts
from fabric.optimizer.search import Progress, Proof, SizingResult, ask_for_fact, comparable_candidates
from fabric.optimizer.solve import SOLVE_BUDGET, Solution, minimise
from fabric.optimizer.ties import blueprint_of, flag_differences
from fabric.request import Spec

__all__ = ["Judge", "Passing", "PassingBudget", "Requirement", "find_cheapest_passing"]

FEWER_IS_BETTER = ("hops", "switch_ps", "paths", "turn ", "ratio ")
"""What makes a fabric no slower when it is less, servers together being the same: features, by how they begin."""


@dataclass(frozen=True)
class Requirement:
    """What a fabric needs to pass, of the topology and planes of one that failed."""

    tier: int
    """The tier, from the leaf up."""
    ratio: float
    """What the bandwidth that servers send over that up from the tier must be below."""
    servers: tuple[int, ...]
    """The numbers of servers below the tier for which it holds."""


Judge = Callable[[Blueprint], Sequence[Requirement] | None]
"""Returns None for a fabric that passes, and for another what those that pass need, where that is known."""


@dataclass(frozen=True)
class PassingBudget:
    """How much work a search may take; it is counted and not timed, so that answers are the same everywhere."""

    fabrics: int = 400
    """The most fabrics that are tried."""
    work: float = 4 * SOLVE_BUDGET
    """The most deterministic time of the solver."""


@dataclass(frozen=True)
class Passing:
    """The cheapest fabric that passes."""

    blueprint: Blueprint
    """The fabric."""
    proof: Proof
    """What is proven of it: FEASIBLE where the budget ended before any passed."""
    failed: tuple[tuple[float, Blueprint], ...]
    """The fabrics that were tried before it and fail, each with its cost in USD, in the order of cost."""


@dataclass
class _Search:
    """A search under way."""

    judge: Judge
    budget: PassingBudget
    failed: dict[int, list[Blueprint]] = field(default_factory=dict)
    needs: dict[int, dict[tuple[int, int], float]] = field(default_factory=dict)
    """The ratio that each candidate's fabrics must be below, by tier and servers below it."""
    tried: list[tuple[float, Blueprint]] = field(default_factory=list)
    spent: float = 0.0

    @property
    def exhausted(self) -> bool:
        return self.spent >= self.budget.work or len(self.tried) >= self.budget.fabrics


def find_cheapest_passing(
    spec: Spec,
    judge: Judge,
    fallback: SizingResult | None = None,
    progress: Progress = lambda text: None,
    budget: PassingBudget | None = None,
) -> Passing | None:
    """Return the cheapest fabric of `spec` that passes; None where none does.

    When the `budget` ends it is `fallback`, the cheapest of those that are known to pass. `judge` must not fail a
    fabric that has as many servers below each tier as one that passes, no fewer links up, and no slower paths and
    switches. Raises Infeasible where no fabric meets the request, InputError where a part has no price, and FabricError
    where the budget ends without a fallback.
    """
    start = time.perf_counter()
    found, rejected, unknown = comparable_candidates(spec, (COST,))
    if unknown:
        raise ask_for_fact(spec, unknown[0])
    search = _Search(judge, budget or PassingBudget())
    best, cents, bound = _run(found, search, progress)
    if best is None and bound == math.inf:
        if not search.tried:
            raise explain(spec, found, rejected, needed_facts(spec, (COST,)))
        return None
    if best is None:
        if fallback is None:
            raise FabricError(
                f"{spec.name}: none of the {len(search.tried):,} cheapest fabrics passes, and the budget ends"
            )
        best, cents = fallback.blueprint, round(fallback.proof.objective * COST.scale)
    value = cents / COST.scale
    proof = Proof(
        "OPTIMAL" if bound >= cents else "FEASIBLE", COST.key, value, min(bound, cents) / COST.scale,
        time.perf_counter() - start, {COST.key: value},
    )  # fmt: skip
    return Passing(best, proof, tuple(search.tried))


def _run(found: list[Candidate], search: _Search, progress: Progress) -> tuple[Blueprint | None, int, float]:
    """Try fabrics in the order of cost; return the first that passes, its cost, and what the others cost at least."""
    queue: list[tuple[float, int]] = []
    for number, candidate in enumerate(found):
        floor = floor_of(candidate)
        if floor is None or floor.has_room:
            queue.append((floor.least_total(COST) or 0.0 if floor else 0.0, number))
    heapify(queue)
    solved: dict[int, Solution] = {}
    while queue and not search.exhausted:
        bound, number = heappop(queue)
        solution = solved.pop(number, None)
        if solution is None:
            progress(f"{units.count_noun(len(search.tried), 'fabric')} tried; next of {found[number]}")
            solution = _solve_next(found[number], search, number)
            if solution.status == "INFEASIBLE":
                continue
            solved[number] = solution
            heappush(queue, (max(bound, math.ceil(solution.bound - 1e-6)), number))
            continue
        if not solution.values:
            heappush(queue, (bound, number))
            break  # what is left of this one is not decided within the budget
        blueprint, cents = blueprint_of(found[number], solution), solution.values[0]
        needs = search.judge(blueprint)
        if needs is None:
            least = min((each for each, _ in queue), default=math.inf)
            return blueprint, cents, min(least, math.ceil(solution.bound - 1e-6))
        search.tried.append((cents / COST.scale, blueprint))
        search.failed.setdefault(number, []).append(blueprint)
        known = search.needs.setdefault(number, {})
        for need in needs:
            for key in ((need.tier, servers) for servers in need.servers):
                known[key] = min(need.ratio, known.get(key, math.inf))
        heappush(queue, (bound, number))
    return None, 0, min((each for each, _ in queue), default=math.inf)


def _solve_next(candidate: Candidate, search: _Search, number: int) -> Solution:
    """Return the cheapest fabric of a candidate that none that failed rules out."""
    model = build_within(candidate, COST, None)
    if model is None:
        return Solution("INFEASIBLE")
    features = model.features()
    for blueprint in search.failed.get(number, ()):
        model.cp.add_bool_or([*_flag_better(model, features, blueprint)])
    alike: dict[tuple[int, float], list[int]] = {}
    for (tier, servers), ratio in search.needs.get(number, {}).items():
        alike.setdefault((tier, ratio), []).append(servers)
    for (tier, ratio), sizes in alike.items():
        model.cp.add_bool_or([*_flag_met(model, features, Requirement(tier, ratio, tuple(sizes)))])
    solution = minimise(model, [model.total(COST)], max(1.0, search.budget.work - search.spent))
    search.spent += solution.spent
    return solution


def _flag_better(model: Model, features: Mapping[str, Feature], failed: Blueprint) -> Iterator[cp_model.IntVar]:
    """Yield flags each of which is 1 only where a fabric may pass though one of its topology failed.

    It has other servers together, or more links up from some tier, or faster paths or switches. On a direct network,
    whose links depend on more, it is any other.
    """
    if not failed.topology.ratios_are_cuts:
        yield from flag_differences(model, failed)
        return
    values = _values_of(failed)
    for name, feature in features.items():
        flag = model.var(1, f"better {name}", least=0)
        if name.startswith(FEWER_IS_BETTER):
            if values[name] - 1 < feature.least and feature.limits is None:
                continue
            for limit in feature.at_most(values[name] - 1):
                model.cp.add(limit).only_enforce_if(flag)
        elif feature.expression is not None:
            model.cp.add(feature.expression != values[name]).only_enforce_if(flag)
        else:
            continue
        yield flag


def _flag_met(model: Model, features: Mapping[str, Feature], need: Requirement) -> Iterator[cp_model.IntVar]:
    """Yield flags one of which is 1 where a fabric meets a need: it has other servers together, or the links up."""
    others = features[f"peers {need.tier}"].expression
    if others is not None:
        elsewhere = cp_model.Domain.from_values([-each for each in need.servers]).complement()
        flag = model.var(1, "other places", least=0)
        model.cp.add_linear_expression_in_domain(others, elsewhere).only_enforce_if(flag)
        yield flag
    flag = model.var(1, f"ratio {need.tier}", least=0)
    for limit in features[f"ratio {need.tier}"].at_most(math.ceil(MILLION * need.ratio) - 1):
        model.cp.add(limit).only_enforce_if(flag)
    yield flag


def _values_of(blueprint: Blueprint) -> Mapping[str, int]:
    """Return the features of a Clos (see `fabric.optimizer.clos_features`), bandwidth to spare counted too."""
    summary = summarize(blueprint)
    found = {"hops": summary.hops, "switch_ps": round(1000 * summary.switch_ns), "paths": int(summary.several_paths)}
    found["leaf_nics"] = summary.leaf_nics
    found |= {f"turn {tier}": hops for tier, hops in enumerate(summary.hop_steps, 1)}
    places = zip(summary.peers, summary.unmet_rails, summary.ratios, strict=True)
    for tier, (peers, unmet, ratio) in enumerate(places, 1):
        found |= {f"peers {tier}": -peers, f"unmet rails {tier}": unmet}
        found[f"ratio {tier}"] = math.ceil(MILLION * ratio - 1e-6)
    return found
