"""One CP-SAT model solved for several objectives in order, the same way on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.model import Model

__all__ = ["Answer", "minimise", "solver_of"]

DETERMINISTIC_LIMIT = 60.0
"""CP-SAT's deterministic time for one solve: some seconds, the same amount of work on every machine."""


@dataclass(frozen=True)
class Answer:
    """What solving gave: the value of each objective and every size, empty if none was found; `bound` of the first one.

    `boxes` are the devices of each role by model, in the order of the candidate's models; `work` is what it took, in
    CP-SAT's deterministic time.
    The status is OPTIMAL, FEASIBLE (the limit on work came first), INFEASIBLE, or UNKNOWN (it came before any answer).
    """

    status: str
    values: tuple[int, ...] = ()
    bound: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    work: float = 0.0


def minimise(model: Model, expressions: Sequence[cp_model.LinearExprT], work: float = DETERMINISTIC_LIMIT) -> Answer:
    """Minimise the expressions in order, each among the optima of those before it.

    `work` limits each solve, in CP-SAT's deterministic time; when it ends one after the first, the best so far is the
    answer. With one worker, a fixed seed and that limit, the answer is the same on every machine.
    """
    values: list[int] = []
    sizes, boxes = dict[str, int](), dict[str, tuple[int, ...]]()
    bound, proven, spent = 0.0, True, 0.0
    for place, expression in enumerate(expressions):
        if isinstance(expression, int) and values:
            continue
        model.cp.minimize(expression)
        solver = solver_of(work)
        status = solver.solve(model.cp)
        spent += solver.response_proto.deterministic_time
        if status == cp_model.MODEL_INVALID:
            raise FabricError(f"{model.candidate}: the sums exceed 64 bits; use smaller weights, prices or bounds")
        bound = solver.best_objective_bound if place == 0 else bound
        proven = proven and status == cp_model.OPTIMAL
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            if values:
                break
            return Answer(solver.status_name(status), bound=bound, work=spent)
        values = [solver.value(each) for each in expressions]
        sizes = {name: solver.value(term) for name, term in model.sizes.items()}
        boxes = {role: tuple(solver.value(count) for count in counts) for role, counts in model.boxes.items()}
        model.cp.add(expression <= values[place])
        _hint(model, solver)
    return Answer("OPTIMAL" if proven else "FEASIBLE", tuple(values), bound, sizes, boxes, spent)


def solver_of(work: float = DETERMINISTIC_LIMIT) -> cp_model.CpSolver:
    """Return a solver that gives the same answer on every machine, with a limit on its deterministic time."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.catch_sigint_signal = False  # it would leave Ctrl-C without Python's handler, and files behind
    solver.parameters.max_deterministic_time = work
    return solver


def _hint(model: Model, solver: cp_model.CpSolver) -> None:
    model.cp.clear_hints()
    for term in (*model.sizes.values(), *(flag for flags in model.used.values() for flag in flags)):
        if not isinstance(term, int):
            model.cp.add_hint(term, solver.value(term))
