"""A table of published fabrics held against designs, as JSON, and as a table of a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.terminal import Table
from fabric.studies.published_tables import Cell, Holding, Row

__all__ = ["published_document", "published_summary"]

SCHEMA = "fabric.published/1"

LABELS = {
    "links": "switch links",
    "cost_musd": "cost (M$)",
    "cost_per_endpoint_kusd": "per endpoint (k$)",
    "radix": "ports used",
    "copper": "copper links",
    "fibre": "fibres",
    "modules": "optical modules",
    "nic_ports": "NIC ports a GPU",
    "hops_max": "hops at most",
}
"""What cells are called whose names don't say it."""


def published_document(holding: Holding) -> dict[str, Any]:
    """Return what `fabric compare --table --json` prints: the rows of the table with their cells."""
    words = holding.table.words
    return {
        "schema": SCHEMA,
        "name": holding.table.name,
        "title": words.title,
        "source": words.source,
        "rows": [_row(row) for row in holding.rows],
        **{verdict: holding.count(verdict) for verdict in ("agrees", "explained", "differs")},
    }


def _row(row: Row) -> dict[str, Any]:
    cells = [
        {
            "cell": cell.name,
            "published": cell.published,
            "ours": cell.ours,
            "within": cell.within,
            "formula": cell.formula,
            "verdict": cell.verdict,
            "why": cell.why,
        }
        for cell in row.cells
    ]
    return {"name": row.words.name, **_fabric(row), "note": row.words.note, "cells": cells}


def _fabric(row: Row) -> dict[str, Any]:
    if row.study is None:
        return {"feasible": False, "reason": row.reason}
    plan = row.study.blueprint
    sizes = {axis: plan.sizes[axis] for axis in plan.topology.axes}
    return {"feasible": True, "family": plan.topology.family, "form": plan.topology.text, "sizes": sizes}


def published_summary(holding: Holding) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the table and the closing lines that `fabric compare --table` prints."""
    words = holding.table.words
    heads = ("fabric", "cell", "published", "ours", "verdict")
    rows = [cells for row in holding.rows for cells in _lines_of(row)]
    return f"{words.title}. Source: {words.source}.", [("", heads, rows)], list(_closing(holding))


def _lines_of(row: Row) -> Iterator[tuple[str, ...]]:
    """Yield a line for each cell, the first with the fabric's name."""
    for place, cell in enumerate(row.cells):
        numbers = units.number(cell.published), _written(cell.ours)
        yield ("" if place else row.words.name, _label(cell), *numbers, _verdict(cell))


def _label(cell: Cell) -> str:
    return LABELS.get(cell.name, cell.name)


def _written(number: float | None) -> str:
    """Write a count in full, and a cost with four digits."""
    if number is None or number == int(number):
        return "none" if number is None else units.count(number)
    return units.count(number) if number >= 1000 else f"{number:.4g}"


def _verdict(cell: Cell) -> str:
    """Return the verdict with how far ours is off, where that shows; what nothing explains stands out."""
    word = cell.verdict.upper() if cell.verdict == "differs" else cell.verdict
    off = cell.change is not None and abs(cell.change) >= 0.0005
    return f"{word} ({100 * (cell.change or 0):+.1f} %)" if off else word


def _closing(holding: Holding) -> Iterator[str]:
    for row in holding.rows:
        yield from (f"{row.words.name}: {line}." for line in _said(row))
    total = len(holding.cells)
    yield (
        f"{total} cells: {holding.count('agrees')} agree, {holding.count('explained')} differ as explained,"
        f" {holding.count('differs')} without explanation."
    )


def _said(row: Row) -> Iterator[str]:
    """Yield what is to be said of a row: its note, why it has no design, its differences and its formula."""
    if row.words.note:
        yield row.words.note
    if row.study is None:
        yield " ".join(row.reason.split())
    for item in row.words.differs:
        off = [_label(cell) for cell in row.cells if cell.name in item.cells and cell.verdict != "agrees"]
        if off:
            yield f"{', '.join(off)}: {item.why}"
    if formula := [cell for cell in row.cells if cell.formula is not None]:
        sizes = ", ".join(f"{name} {size}" for name, size in row.words.formula.items())
        cells = ", ".join(f"{_label(cell)} {_written(cell.formula)}" for cell in formula)
        yield f"by the formula at {sizes}: {cells}"
