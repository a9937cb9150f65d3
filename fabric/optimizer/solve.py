"""One CP-SAT model solved for several objectives in order, the same way on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.model import Model, Term

__all__ = ["Answer", "Objective", "minimise"]

Objective = Callable[[Model], cp_model.LinearExprT]

DETERMINISTIC_LIMIT = 60.0
"""CP-SAT's deterministic time for one solve: some seconds, the same amount of work on every machine."""


@dataclass(frozen=True)
class Answer:
    """What solving gave: the value of each objective and every size, empty if none was found; `bound` of the first one.

    The status is OPTIMAL, FEASIBLE (the limit on work came first), INFEASIBLE, or UNKNOWN (it came before any answer).
    """

    status: str
    values: tuple[int, ...] = ()
    bound: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)


def minimise(model: Model, objectives: Sequence[Objective], work: float = DETERMINISTIC_LIMIT) -> Answer:
    """Minimise the objectives in order, each among the optima of those before it.

    `work` limits each solve, in CP-SAT's deterministic time. With one worker, a fixed seed and that limit, the answer
    is the same on every machine.
    """
    statuses: list[object] = []
    values: list[int] = []
    bound, sizes = 0.0, dict[str, int]()
    for place, objective in enumerate(objectives):
        expression = objective(model)
        if isinstance(expression, int) and values:
            values.append(expression)
            continue
        model.cp.minimize(expression)
        solver = _solver(work)
        status = solver.solve(model.cp)
        if status == cp_model.MODEL_INVALID:
            raise FabricError(f"{model.candidate}: the sums exceed 64 bits; use smaller weights, prices or bounds")
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Answer(solver.status_name(status), bound=solver.best_objective_bound)
        statuses.append(status)
        values.append(solver.value(expression))
        bound = solver.best_objective_bound if place == 0 else bound
        sizes = _read(model, solver)
        model.cp.add(expression <= values[-1])
        _hint(model, solver)
    proven = all(status == cp_model.OPTIMAL for status in statuses)
    return Answer("OPTIMAL" if proven else "FEASIBLE", tuple(values), bound, sizes)


def _solver(work: float) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.catch_sigint_signal = False  # it would leave Ctrl-C without Python's handler, and files behind
    solver.parameters.max_deterministic_time = work
    return solver


def _read(model: Model, solver: cp_model.CpSolver) -> dict[str, int]:
    terms: dict[str, Term] = model.sizes | {f"model {role}": term for role, term in model.choice.items()}
    return {name: solver.value(term) for name, term in terms.items()}


def _hint(model: Model, solver: cp_model.CpSolver) -> None:
    model.cp.clear_hints()
    for term in (*model.sizes.values(), *model.choice.values()):
        if not isinstance(term, int):
            model.cp.add_hint(term, solver.value(term))
