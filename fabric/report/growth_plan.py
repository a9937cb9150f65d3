"""The steps of growth as tables, as a plain object and as work orders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fabric import units
from fabric.atomic_write import write_atomically
from fabric.blueprint.bill_changes import sum_amounts
from fabric.errors import InputError
from fabric.export.work_orders import write_work_orders
from fabric.report.move_counts import count_moves
from fabric.report.table import Summary, Table
from fabric.report.text import name_topology
from fabric.studies.growth_plan import GrowthStep

__all__ = ["check_order_suffix", "growth_plan_object", "summarize_growth_plan", "write_growth_plan"]

SCHEMA = "fabric.growth/1"


def summarize_growth_plan(steps: Sequence[GrowthStep]) -> Summary:
    """Return what `fabric grow` prints: the designs, what each step costs, and what it moves."""
    first = steps[0].before
    text = (
        f"{first.spec.name}: growth from {units.count(first.spec.gpus)} GPUs in {units.count_noun(len(steps), 'step')}."
    )
    parts = [_tabulate_parts(number, step) for number, step in enumerate(steps, 1)]
    return Summary(text, [_tabulate_moves(steps), *parts], list(_list_lines(steps)))


def _tabulate_moves(steps: Sequence[GrowthStep]) -> Table:
    rows = []
    for number, step in enumerate(steps, 1):
        moves = step.moves
        counts = (step.after.spec.gpus, moves.kept, moves.moved, moves.removed, moves.added, moves.bound)
        rows.append((str(number), *map(units.count, counts)))
    return Table("Cables", ("step", "GPUs", "stay", "moved", "removed", "new", "bound"), rows)


def _tabulate_parts(number: int, step: GrowthStep) -> Table:
    currency = step.after.spec.currency
    rows = [
        (
            "buy" if part.quantity > 0 else "free",
            part.part,
            units.count(abs(part.quantity)),
            units.money(abs(part.amount_usd), currency) if part.priced and part.amount_usd is not None else "",
        )
        for part in sorted(step.parts, key=lambda part: part.quantity < 0)
        if part.quantity
    ]
    return Table(f"Parts of step {number}", ("action", "part", "quantity", "amount"), rows)


def _list_lines(steps: Sequence[GrowthStep]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        moves, cost = step.moves, sum_amounts([part for part in step.parts if part.quantity > 0])
        money = units.money(cost, step.after.spec.currency)
        fewest = moves.unplugged == moves.bound
        gap = "proven to be the fewest" if fewest else f"where the bound is {units.count(moves.bound)}"
        yield (
            f"Step {number}, to {name_topology(step.after.blueprint)}: {money} to buy; "
            f"{units.count_noun(moves.unplugged, 'cable end')} unplugged, {gap}."
        )
    yield "The bound holds for these designs, whichever device becomes which; each design is the best for its own size."


def growth_plan_object(steps: Sequence[GrowthStep]) -> dict[str, Any]:
    """Return the steps as one plain object (docs/growth.md)."""
    return {
        "schema": SCHEMA,
        "name": steps[0].before.spec.name,
        "gpus": steps[0].before.spec.gpus,
        "steps": [
            {
                "gpus": step.after.spec.gpus,
                "fabric": name_topology(step.after.blueprint),
                "buy_usd": sum_amounts([part for part in step.parts if part.quantity > 0]),
                "parts": [
                    {"kind": part.kind, "part": part.part, "quantity": part.quantity, "amount_usd": part.amount_usd}
                    for part in step.parts
                    if part.quantity
                ],
                **count_moves(step.moves),
            }
            for step in steps
        ],
    }


def check_order_suffix(file: str) -> None:
    """Raise InputError for a file of work orders that is not CSV."""
    if Path(file).suffix.lower() != ".csv":
        raise InputError(f"{file}: unknown suffix; write orders.csv")


def write_growth_plan(steps: Sequence[GrowthStep], file: str | os.PathLike[str]) -> Path:
    """Write the work orders of all steps to a CSV file, whole or not at all; raises InputError for another suffix."""
    check_order_suffix(os.fspath(file))
    target = Path(file)

    def make(temporary: Path) -> list[str]:
        write_work_orders(temporary / target.name, [step.moves for step in steps])
        return [target.name]

    return write_atomically(target.parent, make)[0]
