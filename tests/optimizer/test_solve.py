"""One model solved for several objectives in order, and the work that it took."""

from __future__ import annotations

import pytest
from ortools.sat.python import cp_model

import fabric
from fabric.optimizer.build_model import build_model
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import make_solver, minimise


def test_the_time_spent_is_that_of_every_solve_each_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets are kept by the deterministic time that CP-SAT counts, which adds up over the objectives."""
    solvers: list[cp_model.CpSolver] = []

    def record(budget: float, *, portfolio: bool) -> cp_model.CpSolver:
        solvers.append(make_solver(budget, portfolio=portfolio))
        return solvers[-1]

    monkeypatch.setattr("fabric.optimizer.solve.make_solver", record)
    spec = fabric.read({"gpus": 4096, "server": "hgx-h100", "switches": "sn5600", "family": "fat-tree", "tiers": 2})
    (candidate,) = comparable_candidates(spec, ())[0]
    model = build_model(candidate)
    links = [model.links(bundle) for bundle in candidate.topology.fabric_bundles]
    solution = minimise(model, [sum(links), model.path_switches()], budget=7)
    assert (solution.status, solution.values, solution.bound) == ("OPTIMAL", (4096, 3), 4096)
    assert [solver.parameters.max_deterministic_time for solver in solvers] == [7, 7]
    assert solution.spent == sum(solver.response_proto.deterministic_time for solver in solvers) > 0
