"""One row of each table, so that the sums of the columns hold their limits and one of them is the least."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.errors import FabricError
from fabric.optimizer.solve import solver_of

__all__ = ["cheapest_together"]

UNITS = 1000
"""The whole units of a number: the rows are read to a thousandth."""


def cheapest_together(
    tables: Sequence[Sequence[Sequence[float]]], limits: Sequence[float | None], column: int = 0
) -> list[int] | None:
    """Return the place of the row chosen in each table, for the least sum of `column`; None when no choice will do.

    Raises FabricError when that is not settled within the limit on work.
    """
    model = cp_model.CpModel()
    chosen = [[model.new_bool_var(f"{place} {row}") for row in range(len(table))] for place, table in enumerate(tables)]
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
    solver = solver_of()
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status != cp_model.OPTIMAL:
        raise FabricError("the choice among the fabrics of the cluster was not settled within the limit on work")
    return [next(row for row, flag in enumerate(flags) if solver.value(flag)) for flags in chosen]
