"""What a sweep found, in a few lines: the points of each status, the ranges of measured numbers, and messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.sweeps import SweepTable
from fabric.sweeps.columns import STATUSES
from fabric.sweeps.front import ON_FRONT

__all__ = ["summarize_points", "summarize_sweep"]

SHOWN = 20
"""The points that a notebook shows."""


def summarize_sweep(table: SweepTable) -> Summary:
    """Return what `fabric sweep` prints."""
    statuses = [(status, units.count(number), STATUSES[status]) for status, number in table.statuses.items()]
    tables = [Table("", ("status", "points", "what it means"), statuses)]
    if ranges := list(_list_ranges(table)):
        shown = 4 if any(row[-1] != "0" for row in ranges) else 3  # a column of zeros would take room from the names
        heads = ("column", "least (point)", "greatest (point)", "missing")
        tables.append(Table("Ranges", heads[:shown], [row[:shown] for row in ranges]))
    front = (
        [f"Pareto front: {units.count_noun(sum(map(bool, table[ON_FRONT])), 'point')}."]
        if ON_FRONT in table.names
        else []
    )
    return Summary("", tables, [*_list_messages(table), *front])


def _list_messages(table: SweepTable) -> Iterator[str]:
    """Yield how many points have a message, such as why a measure is missing, and the first of them."""
    said = [(point, text) for point, text in enumerate(table["message"]) if text]
    if said:
        point, text = said[0]
        yield f"Points with a message: {len(said):,} of {len(table):,}; the first, of point {point}, is: {text}."


def summarize_points(table: SweepTable) -> Summary:
    """Return what a notebook shows of a sweep: the first points, without their messages."""
    names = [name for name in table.names if name != "message"]
    rows = [[_write_cell(row[name]) for name in names] for row in table.arrow.slice(0, SHOWN).to_pylist()]
    more = f"; the first {SHOWN} are shown" if len(table) > SHOWN else ""
    title = f"{units.count_noun(len(table), 'point')}: {table.describe_status()}{more}"
    return Summary("", [Table(title, names, rows)], [])


def _write_cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _list_ranges(table: SweepTable) -> Iterator[tuple[str, ...]]:
    """Yield for each measured column of numbers its least and its greatest value, the points of them, and the gaps."""
    first = table.names.index("message") + 1
    for name in table.names[first:]:
        known = [(value, point) for point, value in enumerate(table[name]) if value is not None]
        if not known or not all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in known):
            continue
        least, greatest = min(known), max(known, key=lambda each: (each[0], -each[1]))
        ends = (f"{_write(value)} ({point})" for value, point in (least, greatest))
        yield (name, *ends, units.count(len(table) - len(known)))


def _write(value: Any) -> str:
    return units.count(value) if isinstance(value, int) else f"{value:,.5g}"
