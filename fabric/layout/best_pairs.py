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
    if rows > columns:
        paired, mates = pair_best(gains.T)
        order = np.argsort(mates)
        return mates[order], paired[order]
    # A gain outweighs all distances from the diagonal together.
    costs = np.abs(np.arange(rows)[:, None] - np.arange(columns)) - gains * columns * columns
    # A row needs no more than its best columns, one for each row: the others leave one of them free.
    used = np.unique(np.argpartition(costs, rows - 1, axis=1)[:, :rows])
    square = np.zeros((len(used), len(used)), np.int64)
    square[:rows] = costs[:, used]
    left, right = np.indices(square.shape)
    solver = SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(left.reshape(-1), right.reshape(-1), square.reshape(-1))
    if solver.solve() != solver.OPTIMAL:
        return np.arange(rows), np.arange(rows)
    return np.arange(rows), used[[solver.right_mate(each) for each in range(rows)]]
