"""The best assignment of devices to places, solved exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_CELLS", "pair_best"]

Ints = npt.NDArray[np.int64]

MOST_CELLS = 40_000
"""The most pairs of devices and places for which the best assignment is solved."""


def pair_best(gains: Ints) -> tuple[Ints, Ints]:
    """Return the rows and columns that are paired so that their gains, of shape (rows, columns), are greatest in all.

    All of the fewer are paired. Of equal gains those near the diagonal are taken, so that what can stay in order does.
    """
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    rows, columns = gains.shape
    size = max(rows, columns)
    left, right = np.indices((size, size))
    costs = np.abs(left - right)
    # A gain outweighs all distances from the diagonal together.
    costs[:rows, :columns] -= gains * size * size
    solver = SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(left.reshape(-1), right.reshape(-1), costs.reshape(-1))
    if solver.solve() != solver.OPTIMAL:
        least = np.arange(min(rows, columns))
        return least, least
    mates = np.array([solver.right_mate(each) for each in range(rows)], np.int64)
    paired = np.flatnonzero(mates < columns)
    return paired, mates[paired]
