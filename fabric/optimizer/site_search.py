"""The search for the least cost on a site: fabrics in the order of a lower bound, each laid out and priced.

What a fabric costs on its floor is known when it is laid out by the rule of its site, and a solver that counts switches
and links cannot minimise that. It can minimise what a fabric costs at least (`site_bound`): so the fabric of the least
bound is laid out, then that of the next, until the bound is no less than the least cost found. Then no other fabric
costs less under that rule.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.optimizer.build_model import build_within
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import COST
from fabric.optimizer.search import (
    Alternative,
    Progress,
    Proof,
    SizingResult,
    comparable_candidates,
    describe_fabric,
    within_fourth,
)
from fabric.optimizer.site_bound import bound_site_cost
from fabric.optimizer.solve import SOLVE_BUDGET, Solution, minimise
from fabric.optimizer.ties import blueprint_of, flag_differences
from fabric.request import Spec

__all__ = ["SiteBudget", "find_cheapest_on_site"]

Price = Callable[[Blueprint], float | None]
"""Lays a fabric out and returns its cost in USD, None where a part has no price; raises InputError where it can't."""


@dataclass(frozen=True)
class SiteBudget:
    """How much work a search may take; it is counted and not timed, so that answers are the same everywhere."""

    fabrics: int = 120
    """The most fabrics that are laid out."""
    links: int = 4_000_000
    """The most links that they have together, about."""
    work: float = SOLVE_BUDGET
    """The most deterministic time of the solver."""
    failures: int = 20
    """The most fabrics that are tried while none of them can be laid out with a price for every part."""
    runners_up: int = 5
    """The most fabrics of other topologies that are laid out to name the best of these."""


@dataclass
class _Search:
    """A search under way: what has been laid out, and what is left."""

    price: Price
    budget: SiteBudget
    best: Blueprint | None = None
    cents: float = math.inf
    laid: list[Blueprint] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    """What each of these costs in cents; infinite for one that cannot be laid out."""
    links: int = 0
    spent: float = 0.0
    error: InputError | None = None

    @property
    def exhausted(self) -> bool:
        budget, failing = self.budget, self.best is None and len(self.laid) >= self.budget.failures
        over = self.spent >= budget.work or self.links >= budget.links or len(self.laid) >= budget.fabrics
        return over or failing

    def lay_out(self, blueprint: Blueprint) -> None:
        """Lay a fabric out, unless it has been, and keep it if it is the cheapest."""
        if blueprint in self.laid:
            return
        self.laid.append(blueprint)
        self.costs.append(math.inf)
        self.links += blueprint.links_total
        try:
            cost = self.price(blueprint)
        except InputError as error:
            self.error = self.error or error
            return
        if cost is not None:
            self.costs[-1] = round(cost * COST.scale)
            if self.costs[-1] < self.cents:
                self.best, self.cents = blueprint, self.costs[-1]

    def best_of(self, candidate: Candidate) -> tuple[float, Blueprint | None]:
        """Return the least cost in cents of the fabrics of a candidate that were laid out, and that fabric."""
        costs = [(cost, number) for cost, number in zip(self.costs, range(len(self.laid)), strict=True)
                 if _is_of(candidate, self.laid[number])]  # fmt: skip
        least = min(costs, default=(math.inf, -1))
        return least[0], self.laid[least[1]] if least[0] < math.inf else None


def find_cheapest_on_site(
    spec: Spec, first: SizingResult, price: Price, progress: Progress, budget: SiteBudget | None = None
) -> tuple[Blueprint, Proof, tuple[Alternative, ...]]:
    """Return the fabric that costs least as it is laid out, with the proof under the rule of its site, and others.

    Those are the cheapest fabrics of other topologies that were laid out, within 25 % of it, the cheapest first.

    `first` is the cheapest fabric without its layout. Raises InputError where none can be laid out, as for the first of
    them, and where none has a price for every part.
    """
    start, search = time.perf_counter(), _Search(price, budget or SiteBudget())
    progress(f"laying out {first.blueprint}")
    search.lay_out(first.blueprint)
    if search.cents <= math.ceil((first.proof.bound or 0) * COST.scale - 1e-6) and not _may_be_cheaper(spec):
        bound = search.cents
    else:
        bound = _search(spec, search, progress)
    if search.best is None:
        raise search.error or InputError(f"{spec.name}: no fabric has a price for every part that its site needs")
    value, bound = search.cents / COST.scale, min(bound, search.cents) / COST.scale
    status = "OPTIMAL" if bound >= value else "FEASIBLE"
    others = _find_runners_up(spec, search, progress)
    wall_s = time.perf_counter() - start + (first.proof.wall_s or 0)
    proof = Proof(status, COST.key, value, bound, wall_s, {COST.key: value}, fabrics_laid_out=len(search.laid))
    return search.best, proof, others


def _find_runners_up(spec: Spec, search: _Search, progress: Progress) -> tuple[Alternative, ...]:
    """Return the best fabric of each other topology that was laid out, after laying out the likeliest of them.

    They are taken in the order of their bounds, until the bound is no less than the least of their costs.
    """
    assert search.best is not None
    found, _, _ = comparable_candidates(spec, (COST,))
    others = [each for each in found if not _is_of(each, search.best)]
    most = within_fourth(int(search.cents))
    queue: list[tuple[float, int, Solution]] = []

    def push(number: int) -> None:
        least = min((search.best_of(each)[0] for each in others), default=math.inf)
        solution = _solve_next(others[number], bound_site_cost(others[number]), search, min(most, least - 1))
        if solution.values:
            heappush(queue, (math.ceil(solution.bound - 1e-6), number, solution))

    for number in range(len(others)):
        push(number)
    for _ in range(search.budget.runners_up):
        if not queue or search.exhausted or queue[0][0] >= min(search.best_of(each)[0] for each in others):
            break
        _, number, solution = heappop(queue)
        progress(f"laying out {others[number]}")
        search.lay_out(blueprint_of(others[number], solution))
        push(number)
    costs = [(search.best_of(each)[0], number) for number, each in enumerate(others)]
    return tuple(
        Alternative(describe_fabric(others[number], blueprint), {COST.key: cost / COST.scale})
        for cost, number in sorted(costs)
        if cost <= most and (blueprint := search.best_of(others[number])[1])
    )


def _may_be_cheaper(spec: Spec) -> bool:
    """Say whether links may cost less on the site than the request's parts do."""
    found, _, _ = comparable_candidates(spec, (COST,))
    return any(
        math.floor(100 * price) < (candidate.prices.link_cents(bundle.name) or 0)
        for candidate in found
        for bundle in candidate.topology.bundles
        for _, price in candidate.prices.list_reaches(bundle.name)[:1]
    )


def _search(spec: Spec, search: _Search, progress: Progress) -> float:
    """Lay fabrics out in the order of their bounds; return what all that are left cost at least, in cents."""
    found, _, _ = comparable_candidates(spec, (COST,))
    objectives = [bound_site_cost(candidate) for candidate in found]
    queue: list[tuple[float, int]] = []
    solved: dict[int, Solution] = {}

    def push(number: int) -> None:
        solution = _solve_next(found[number], objectives[number], search, search.cents - 1)
        if solution.status != "INFEASIBLE":
            solved[number] = solution
            heappush(queue, (math.ceil(solution.bound - 1e-6), number))

    for number in sorted(range(len(found)), key=lambda each: len(found[each].topology.size_names)):
        progress(f"bounding {found[number]}")
        push(number)
    while queue and queue[0][0] < search.cents and not search.exhausted:
        _, number = queue[0]
        if not solved[number].values:
            break  # what is left of this one is not decided within the budget
        heappop(queue)
        blueprint = blueprint_of(found[number], solved[number])
        progress(f"laying out fabric {len(search.laid) + 1}: {found[number]}")
        search.lay_out(blueprint)
        push(number)
    return min((bound for bound, _ in queue), default=math.inf)


def _solve_next(candidate: Candidate, objective: LinearObjective, search: _Search, most: float) -> Solution:
    """Return the fabric of the least bound among those of a candidate that are not laid out and may cost `most`."""
    model = build_within(candidate, objective, None if most == math.inf else int(most), mirrored=True)
    if model is None:
        return Solution("INFEASIBLE")
    for blueprint in (each for each in search.laid if _is_of(candidate, each)):
        model.cp.add_bool_or(flag_differences(model, blueprint))
    solution = minimise(model, [model.total(objective)], max(1.0, search.budget.work - search.spent))
    search.spent += solution.spent
    return solution


def _is_of(candidate: Candidate, blueprint: Blueprint) -> bool:
    """Say whether a fabric is of a candidate: of its topology, planes, servers and rates."""
    return (
        blueprint.topology == candidate.topology
        and blueprint.planes == candidate.planes
        and blueprint.server == candidate.spec.server
        and blueprint.rates == candidate.prices.rates
        and dict(blueprint.allowed) == dict(candidate.models)
    )
