"""Published tables compared with designs, as JSON and as a table of a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.studies.published_tables import CheckedTable, PublishedCell, PublishedRow

__all__ = ["published_object", "summarize_published"]

SCHEMA = "fabric.published/1"

LABELS = {
    "links": "switch links",
    "cost_musd": "cost ($M)",
    "cost_per_endpoint_kusd": "per endpoint ($k)",
    "radix": "ports used",
    "copper": "copper links",
    "fibre": "fibres",
    "modules": "optical modules",
    "nic_ports": "NIC ports/GPU",
    "hops_max": "max hops",
}
"""The labels of cells whose names do not say it."""


def published_object(table: CheckedTable) -> dict[str, Any]:
    """Return what `fabric compare --table --json` prints: the rows of the table with their cells."""
    fields = table.source.fields
    return {
        "schema": SCHEMA,
        "name": table.source.name,
        "title": fields.title,
        "source": fields.source,
        "rows": [_row_object(row) for row in table.rows],
        **{verdict: table.count(verdict) for verdict in ("agrees", "explained", "differs")},
    }


def _row_object(row: PublishedRow) -> dict[str, Any]:
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
    return {"name": row.fields.name, **_fabric_object(row), "note": row.fields.note, "cells": cells}


def _fabric_object(row: PublishedRow) -> dict[str, Any]:
    if row.study is None:
        return {"feasible": False, "reason": row.reason}
    plan = row.study.blueprint
    sizes = {axis: plan.sizes[axis] for axis in plan.topology.axes}
    return {"feasible": True, "family": plan.topology.family, "form": plan.topology.text, "sizes": sizes}


def summarize_published(table: CheckedTable) -> Summary:
    """Return what `fabric compare --table` prints."""
    fields = table.source.fields
    heads = ("fabric", "cell", "published", "ours", "verdict")
    rows = [cells for row in table.rows for cells in _make_rows(row)]
    return Summary(f"{fields.title}. Source: {fields.source}.", [Table("", heads, rows)], [*_list_lines(table)])


def _make_rows(row: PublishedRow) -> Iterator[tuple[str, ...]]:
    """Yield a line for each cell, the first with the fabric's name."""
    for index, cell in enumerate(row.cells):
        numbers = units.number(cell.published), _write_number(cell.ours)
        yield ("" if index else row.fields.name, _label_of(cell), *numbers, _write_verdict(cell))


def _label_of(cell: PublishedCell) -> str:
    return LABELS.get(cell.name, cell.name)


def _write_number(number: float | None) -> str:
    """Write a count in full, and a cost with four digits."""
    if number is None or number == int(number):
        return "none" if number is None else units.count(number)
    return units.count(number) if number >= 1000 else f"{number:.4g}"


def _write_verdict(cell: PublishedCell) -> str:
    """Return the verdict with how far ours is off, where that shows; an unexplained difference is in capitals."""
    word = cell.verdict.upper() if cell.verdict == "differs" else cell.verdict
    off = cell.change is not None and abs(cell.change) >= 0.0005
    return f"{word} ({100 * (cell.change or 0):+.1f} %)" if off else word


def _list_lines(table: CheckedTable) -> Iterator[str]:
    for row in table.rows:
        yield from (f"{row.fields.name}: {line}." for line in _list_remarks(row))
    total = len(table.cells)
    yield (
        f"{total} cells: {table.count('agrees')} agree, {table.count('explained')} explained,"
        f" {table.count('differs')} unexplained."
    )


def _list_remarks(row: PublishedRow) -> Iterator[str]:
    """Yield the remarks on a row: its note, why it has no design, its differences and its formula."""
    if row.fields.note:
        yield row.fields.note
    if row.study is None:
        yield " ".join(row.reason.split())
    for item in row.fields.differs:
        off = [_label_of(cell) for cell in row.cells if cell.name in item.cells and cell.verdict != "agrees"]
        if off:
            yield f"{', '.join(off)}: {item.why}"
    if formula := [cell for cell in row.cells if cell.formula is not None]:
        sizes = ", ".join(f"{name} {size}" for name, size in row.fields.formula.items())
        cells = ", ".join(f"{_label_of(cell)} {_write_number(cell.formula)}" for cell in formula)
        yield f"formula at {sizes}: {cells}"
