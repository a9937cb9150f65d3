"""A comparison for a terminal 80 columns wide, as plain tables and lines."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fabric import units
from fabric.report.comparison import Comparison, Row
from fabric.report.terminal import Table

__all__ = ["side_by_side", "written"]

BESIDE = 2
"""The designs that stand beside the first in one table: what 80 columns hold."""


HEAD = 18
"""The width of a head; a longer name is broken, at a hyphen where it has one."""


def side_by_side(comparison: Comparison, names: Sequence[str], *, differences: bool) -> tuple[list[Table], list[str]]:
    """Return the tables and the closing lines that `fabric compare` prints; `names` head the designs.

    Every table repeats the first design. A row in which the designs of a table differ begins with `*`. Only rows in
    which any designs differ are told when `differences`.
    """
    rows = comparison.differences if differences else comparison.rows
    tables = [_table(rows, names, places) for places in _places(len(names))] if rows else []
    return tables, list(_lines(comparison, names, rows))


def _places(designs: int) -> Iterator[list[int]]:
    for first in range(1, designs, BESIDE):
        yield [0, *range(first, min(first + BESIDE, designs))]


def _table(rows: Sequence[Row], names: Sequence[str], places: Sequence[int]) -> Table:
    heads = ("  quantity", *(textwrap.fill(names[place], HEAD) for place in places))
    return "", heads, [_cells(row, [row.values[place] for place in places]) for row in rows]


def _cells(row: Row, values: Sequence[Any]) -> list[str]:
    mark = "*" if any(value != values[0] for value in values) else " "
    texts = [written(value, row.unit) + _change(values[0], value) for value in values]
    return [f"{mark} {row.label}", *texts]


def written(value: Any, unit: str) -> str:
    """Return a value of a row as text, by the row's unit."""
    if value is None:
        return "unknown" if unit in ("usd", "w", "U") else "-"
    return WRITERS[unit](value)


def _money(usd: float) -> str:
    """Write dollars, from a million on in millions, so that a sum leaves room for its change."""
    if usd < 1e6:
        return units.money(usd)
    return f"${usd / 1e6:,.{2 if usd < 1e8 else 1}f} M"


WRITERS: Mapping[str, Callable[[Any], str]] = {
    "text": str,
    "count": units.count,
    "number": "{:.3f}".format,
    "ratio": "{:.4g}:1".format,
    "gbps": units.rate,
    "GBps": "{:,.1f} GB/s".format,
    "s": units.time,
    "usd": _money,
    "w": units.power,
    "U": units.count,
}


def _change(base: Any, value: Any) -> str:
    """Return ` +12%`, how far a number is from that of the first design; nothing where that can't be said."""
    numbers = isinstance(base, int | float) and isinstance(value, int | float)
    if not numbers or not base or value == base:
        return ""
    percent = 100 * (value / base - 1)
    if abs(percent) < 0.01:
        return " +<0.01%" if percent > 0 else " -<0.01%"
    digits = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 0.1 else 2
    return f" {percent:+,.{digits}f}%"


def _lines(comparison: Comparison, names: Sequence[str], shown: Sequence[Row]) -> Iterator[str]:
    count, all_ = len(comparison.differences), len(comparison.rows)
    if count:
        yield f"{count} of {all_} quantities differ (*); per cent: against {names[0]}."
    else:
        yield f"The designs are alike in all {all_} quantities."
    if any(row.unit == "s" for row in shown):
        yield "Time and busbw: an all-reduce of 1 GiB over all GPUs, by routing."
