"""One CP-SAT model solved for several objectives in order, the same way on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.model import Model, Term

__all__ = ["INFEASIBLE", "SOLVE_BUDGET", "Solution", "make_solver", "minimise"]

SOLVE_BUDGET = 60.0
"""The most deterministic time of one solve. CP-SAT counts it by operations and not by a clock, so that every machine,
fast or slow, stops at the same answer; a unit takes a second or two."""


@dataclass(frozen=True)
class Solution:
    """What solving a model gave."""

    status: str
    """OPTIMAL, FEASIBLE (the budget ran out), INFEASIBLE, or UNKNOWN (it ran out before anything was found)."""
    values: tuple[int, ...] = ()
    """The value of each objective; empty if nothing was found."""
    bound: float = 0.0
    """What the first objective cannot be below."""
    sizes: dict[str, int] = field(default_factory=dict)
    """The size of every axis and bundle."""
    switch_counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """For each role the devices of each switch model, in the order of the candidate's models."""
    added_counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The same for the devices that growth adds, of the roles that choose among models of limited stock."""
    spent: float = 0.0
    """The deterministic time that it took."""


INFEASIBLE = Solution("INFEASIBLE")
"""What solving a model gives that a bound shows to have no solution."""


def minimise(
    model: Model, expressions: Sequence[cp_model.LinearExprT], budget: float = SOLVE_BUDGET, *, portfolio: bool = False
) -> Solution:
    """Minimise the expressions in order, each among the optima of those before it.

    `budget` limits the deterministic time of each solve; where it ends one after the first, the best so far is the
    answer. With one worker, a fixed seed and that limit, the answer is the same on every machine. `make_solver` says
    what `portfolio` is. Raises FabricError when the solver refuses the model, since sums exceed 64 bits or for a
    mistake in it.
    """
    values: list[int] = []
    sizes, counts, added = dict[str, int](), dict[str, tuple[int, ...]](), dict[str, tuple[int, ...]]()
    bound, proven, spent = 0.0, True, 0.0
    for index, expression in enumerate(expressions):
        if isinstance(expression, int) and values:
            continue
        model.cp.minimize(expression)
        solver = make_solver(budget, portfolio=portfolio)
        status = solver.solve(model.cp)
        spent += solver.response_proto.deterministic_time
        if status == cp_model.MODEL_INVALID:
            raise FabricError(f"{model.candidate}: {_invalid_cause(model)}")
        bound = solver.best_objective_bound if index == 0 else bound
        proven = proven and status == cp_model.OPTIMAL
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            if values:
                break
            return Solution(solver.status_name(status), bound=bound, spent=spent)
        values = [solver.value(each) for each in expressions]
        sizes = {name: solver.value(term) for name, term in model.sizes.items()}
        counts = _read_counts(solver, model.switch_counts)
        added = {role: each for role, each in _read_counts(solver, model.added_counts).items() if any(each)}
        model.cp.add(expression <= values[index])
        _hint(model, solver)
    return Solution("OPTIMAL" if proven else "FEASIBLE", tuple(values), bound, sizes, counts, added, spent)


def _read_counts(solver: cp_model.CpSolver, counts: Mapping[str, tuple[Term, ...]]) -> dict[str, tuple[int, ...]]:
    return {role: tuple(solver.value(each) for each in terms) for role, terms in counts.items()}


def _invalid_cause(model: Model) -> str:
    """Return why the solver refuses a model."""
    cause = model.cp.validate().partition("\n")[0]
    if "overflow" in cause or "kint64max" in cause:
        return "the sums exceed 64 bits; use smaller weights, prices or bounds"
    return f"the solver refuses its model, which is a mistake in fabric or in a family: {cause}"


def make_solver(budget: float = SOLVE_BUDGET, *, portfolio: bool = False) -> cp_model.CpSolver:
    """Return a solver that gives the same answer on every machine, with a limit on its deterministic time.

    With `portfolio` each restart decides in another order. Where sizes may be millions, as without the limits on ports,
    one order can raise a bound by 1 at a time, with a Boolean for every value; to simplify clauses of thousands of
    these takes seconds that deterministic time does not count.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1  # several workers race, and which of equal answers comes first would vary
    solver.parameters.random_seed = 0
    solver.parameters.catch_sigint_signal = False  # it would leave Ctrl-C without Python's handler, and files behind
    solver.parameters.max_deterministic_time = budget
    if portfolio:
        solver.parameters.search_branching = cp_model.PORTFOLIO_SEARCH
    return solver


def _hint(model: Model, solver: cp_model.CpSolver) -> None:
    """Start the next solve from this solution, which is feasible for it."""
    model.cp.clear_hints()
    for term in (*model.sizes.values(), *(flag for flags in model.used.values() for flag in flags)):
        if not isinstance(term, int):
            model.cp.add_hint(term, solver.value(term))
