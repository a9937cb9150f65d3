"""The search for the least cost on a site: fabrics in the order of a lower bound, each laid out and priced.

What a fabric costs on its floor is known when it is laid out by the rule of its site, and a solver that counts switches
and links cannot minimise that. It can minimise what a fabric costs at least (`site_bound`): so the fabric of the least
bound is laid out, then that of the next, until the bound is no less than the least cost found. Then no other fabric
costs less under that rule.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.optimizer.build_model import build_within
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import COST
from fabric.optimizer.search import Progress, Proof, SizingResult, comparable_candidates
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


@dataclass
class _Search:
    """A search under way: what has been laid out, and what is left."""

    price: Price
    budget: SiteBudget
    best: Blueprint | None = None
    cents: float = math.inf
    laid: list[Blueprint] = field(default_factory=list)
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
        self.links += blueprint.links_total
        try:
            cost = self.price(blueprint)
        except InputError as error:
            self.error = self.error or error
            return
        if cost is not None and round(cost * COST.scale) < self.cents:
            self.best, self.cents = blueprint, round(cost * COST.scale)


def find_cheapest_on_site(
    spec: Spec, first: SizingResult, price: Price, progress: Progress, budget: SiteBudget | None = None
) -> tuple[Blueprint, Proof]:
    """Return the fabric that costs least as it is laid out, with the proof under the rule of its site.

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
    wall_s = time.perf_counter() - start + (first.proof.wall_s or 0)
    return search.best, Proof(
        status, COST.key, value, bound, wall_s, {COST.key: value}, fabrics_laid_out=len(search.laid)
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
        solution = _solve_next(found[number], objectives[number], search)
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


def _solve_next(candidate: Candidate, objective: LinearObjective, search: _Search) -> Solution:
    """Return the fabric of the least bound among those of a candidate that are not laid out and may cost less."""
    most = None if search.best is None else int(search.cents) - 1
    model = build_within(candidate, objective, most, mirrored=True)
    if model is None:
        return Solution("INFEASIBLE")
    for blueprint in _of_candidate(candidate, search.laid):
        model.cp.add_bool_or(flag_differences(model, blueprint))
    solution = minimise(model, [model.total(objective)], max(1.0, search.budget.work - search.spent))
    search.spent += solution.spent
    return solution


def _of_candidate(candidate: Candidate, laid: Iterable[Blueprint]) -> list[Blueprint]:
    """Return the fabrics that are of a candidate: of its topology, planes, servers and rates."""
    return [
        each
        for each in laid
        if each.topology == candidate.topology
        and each.planes == candidate.planes
        and each.server == candidate.spec.server
        and each.rates == candidate.prices.rates
        and dict(each.allowed) == dict(candidate.models)
    ]
