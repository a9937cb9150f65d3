"""The search over candidates: each is solved to its own proof, the best is kept, and ties go to the simpler fabric."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fabric.blueprint import Blueprint
from fabric.errors import FabricError
from fabric.optimizer.candidates import Candidate, candidates
from fabric.optimizer.explain import explain
from fabric.optimizer.model import Model, Term
from fabric.optimizer.solve import Answer, Objective, minimise
from fabric.spec import Spec

__all__ = ["Proof", "Runner", "Sized", "size"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Proof:
    """What the solver can say of its answer: `bound` equals `objective` when `status` is OPTIMAL.

    The objective is `cost_usd`, or, where a part has no price, `switches` (the number of them, then of links).
    """

    status: str
    objective_name: str
    objective: float
    bound: float
    wall_s: float
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runner:
    """Another form that would do, and the objective that its best comes to."""

    name: str
    objective: float


@dataclass(frozen=True)
class Sized:
    """The best blueprint of a request with its proof, and what each other form comes to, cheapest first."""

    blueprint: Blueprint
    proof: Proof
    others: tuple[Runner, ...] = ()


@dataclass(frozen=True)
class _Solved:
    candidate: Candidate
    answer: Answer


def size(spec: Spec, progress: Progress = lambda text: None) -> Sized:
    """Size `spec` to the proven cheapest fabric over every allowed form, number of planes and switch model.

    Only fabrics whose every part has a price can be compared by cost. When none of them is feasible, the fewest
    switches and then the fewest links are sought among the rest. Raises Infeasible, naming the limits that bind, when
    no fabric meets the request, and InputError when a pinned axis exists in no allowed form.
    """
    start = time.perf_counter()
    found, rejected = candidates(spec)
    priced = [candidate for candidate in found if not candidate.unpriced]
    rest = [candidate for candidate in found if candidate.unpriced]
    for group, aim in ((priced, COST), (rest, COUNT)):
        solved = list(_solve_all(group, aim, progress))
        feasible = [item for item in solved if item.answer.values]
        unknown = [item for item in solved if item.answer.status == "UNKNOWN"]
        if unknown and not feasible:
            raise FabricError(f"{spec.name}: {unknown[0].candidate} was not settled within the limit on work")
        if feasible:
            best = min(feasible, key=_rank)
            sizes = _canonical(best, aim)
            proof = _proof([*feasible, *unknown], best, aim, time.perf_counter() - start)
            return Sized(_blueprint(best.candidate, sizes), proof, _others(feasible, best, aim))
    raise explain(spec, found, rejected)


@dataclass(frozen=True)
class _Aim:
    """What is minimised, in order, under which name, and how many of the solver's units make one of the name's."""

    name: str
    objectives: tuple[Objective, ...]
    scale: float


COST = _Aim("cost_usd", (Model.cost_cents,), 100.0)
COUNT = _Aim("switches", (Model.switches, Model.links_total), 1.0)


def _solve_all(group: list[Candidate], aim: _Aim, progress: Progress) -> Iterator[_Solved]:
    for candidate in group:
        progress(f"sizing {candidate}")
        yield _Solved(candidate, minimise(Model(candidate), aim.objectives))


def _rank(item: _Solved) -> tuple[int, ...]:
    """Order by the objectives, then towards fewer tiers and fewer planes."""
    return (*item.answer.values, item.candidate.form.tiers, item.candidate.planes)


def _canonical(item: _Solved, aim: _Aim) -> Mapping[str, int]:
    """Return the one solution, of all that are as good, that any solver on any machine would pick.

    Ties go to fewer parallel links, then links, then switches; then to the first model and the smallest size in turn.
    """
    form = item.candidate.form
    models = [partial(_choice, role) for role in form.roles]
    names = [*(bundle.name for bundle in form.fabric_bundles), *form.axes]
    sizes = [partial(_size, name) for name in names]
    simpler = [Model.copies, Model.links_total, Model.switches]
    return minimise(Model(item.candidate), [*aim.objectives, *simpler, *models, *sizes]).sizes


def _choice(role: str, model: Model) -> Term:
    return model.choice[role]


def _size(name: str, model: Model) -> Term:
    return model.sizes[name]


def _blueprint(candidate: Candidate, sizes: Mapping[str, int]) -> Blueprint:
    spec = candidate.spec
    models = {role: candidate.models[role][sizes[f"model {role}"]] for role in candidate.form.roles}
    own = {name: value for name, value in sizes.items() if not name.startswith("model ")}
    return Blueprint(spec.name, candidate.form, own, models, spec.server, spec.gpus, candidate.link_gbps)


def _proof(open_: list[_Solved], best: _Solved, aim: _Aim, wall_s: float) -> Proof:
    """Return the proof: no candidate can be better than the least of their bounds, which are whole numbers."""
    objective = best.answer.values[0]
    bound = min(objective, *(math.ceil(item.answer.bound - 1e-6) for item in open_))
    status = "OPTIMAL" if bound == objective else "FEASIBLE"
    return Proof(status, aim.name, objective / aim.scale, bound / aim.scale, wall_s, best.candidate.unpriced)


def _others(feasible: list[_Solved], best: _Solved, aim: _Aim) -> tuple[Runner, ...]:
    """Return the best of each other candidate, cheapest first."""
    rest = sorted((item for item in feasible if item is not best), key=_rank)
    return tuple(Runner(str(item.candidate), item.answer.values[0] / aim.scale) for item in rest)
