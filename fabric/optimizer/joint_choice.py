"""One row of each of several tables, so that the sums of the columns keep to their limits and one sum is least."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.solve import make_solver

__all__ = ["cheapest_combination"]

UNITS = 1000
"""The solver's whole units of a number: rows count to a thousandth."""


def cheapest_combination(
    tables: Sequence[Sequence[Sequence[float]]], limits: Sequence[float | None], column: int = 0
) -> list[int] | None:
    """Return the index of the row to take from each table, for the least sum of `column`; None if no choice will do.

    `tables[i][j][k]` is column `k` of row `j` of table `i`; `limits[k]` bounds the sum of column `k`. Raises
    FabricError when that is not decided within the solve budget.
    """
    model = cp_model.CpModel()
    chosen = [[model.new_bool_var(f"{index} {row}") for row in range(len(table))] for index, table in enumerate(tables)]
    for flags in chosen:
        model.add_exactly_one(flags)
    sums = [
        sum(
            round(UNITS * row[each]) * flag
            for table, flags in zip(tables, chosen, strict=True)
            for row, flag in zip(table, flags, strict=True)
        )
        for each in range(len(limits))
    ]
    for total, limit in zip(sums, limits, strict=True):
        if limit is not None:
            model.add(total <= math.floor(UNITS * Fraction(str(limit))))
    model.minimize(sums[column])
    solver = make_solver()
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status != cp_model.OPTIMAL:
        raise FabricError("the choice among the fabrics of the cluster was not decided within the solve budget")
    return [next(row for row, flag in enumerate(flags) if solver.value(flag)) for flags in chosen]
