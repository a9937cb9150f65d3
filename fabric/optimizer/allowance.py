"""The work that an explanation may take, counted and not timed, so that it is the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.model import Model
from fabric.optimizer.solve import INFEASIBLE, Solution, minimise

__all__ = ["Aims", "Allowance"]

MODEL_S, UNIT_S = 0.004, 0.7
"""The seconds that a core takes at most, about, for a small model and for a unit of deterministic time."""

Aims = Callable[[Model], Sequence[cp_model.LinearExprT]]
"""Returns what to minimise, in order."""


class Allowance:
    """Seconds of work, about, for a number of solves.

    Attributes:
        left: The seconds that are left.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def take(self, seconds: float) -> Allowance:
        """Return a part of what is left, of at most some seconds; `put_back` returns what it leaves."""
        part = Allowance(max(0.0, min(seconds, self.left)))
        self.left -= part.left
        return part

    def put_back(self, part: Allowance) -> None:
        """Add what a part left; where its last solve took more than there was, subtract that."""
        self.left += part.left

    def solve(self, build: Callable[[], Model | None], aims: Aims, most_s: float) -> Solution:
        """Build a model and minimise within `most_s` and what is left; a model that is None is infeasible.

        The status is UNKNOWN where nothing is left, or where the solver refuses the model.
        """
        if self.left <= 0:
            return Solution("UNKNOWN")
        budget = min(most_s, self.left) / UNIT_S
        try:
            model = build()
            solution = minimise(model, aims(model), budget, portfolio=True) if model else INFEASIBLE
        except FabricError:
            solution = Solution("UNKNOWN")
        self.left -= MODEL_S + UNIT_S * solution.spent
        return solution
