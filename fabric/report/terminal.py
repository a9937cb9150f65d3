"""The summary of a design for a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric import units
from fabric.report.columns import DesignTable, list_tables, text_table
from fabric.report.design import Design
from fabric.report.growth import describe_growth
from fabric.report.near_optima import describe_near_optima, list_near_optima
from fabric.report.rationale import describe_savings, explain_choice
from fabric.report.sentences import (
    describe_choice,
    describe_electricity,
    describe_failures,
    describe_objective,
    describe_status,
    describe_uplinks,
)
from fabric.report.table import Summary
from fabric.report.text import letter_fabrics

__all__ = ["summarize_design"]

TABLES = ("switches", "links", "stages", "allreduce", "expected", "near")
"""The tables that the terminal shows."""

SIZES = (2**20, 2**26, 2**30, 2**34)
"""The message sizes that the terminal shows, of all that are estimated."""


def summarize_design(design: Design) -> Summary:
    """Return what `fabric design` prints."""
    tables = sorted((_shorten(each) for each in list_tables(design) if each.name in TABLES), key=_place)
    text = "\n".join([describe_choice(design), *describe_savings(design)])
    return Summary(text, [text_table(table, short=True) for table in tables], [*_list_lines(design)])


def _place(table: DesignTable) -> int:
    return TABLES.index(table.name)


def _shorten(table: DesignTable) -> DesignTable:
    """Return a table with the sizes that are shown, and with letters for fabrics, which `_list_lines` explains."""
    if table.name == "allreduce":
        return replace(table, rows=[row for row in table.rows if row.size_bytes in SIZES])
    if table.name != "near":
        return table
    letters, _ = letter_fabrics([row.fabric for row in table.rows])
    by_row = {id(row): letter for row, letter in zip(table.rows, letters, strict=True)}
    columns = [
        replace(each, value=lambda row: by_row[id(row)]) if each.head == "fabric" else each for each in table.columns
    ]
    return replace(table, columns=columns)


def _list_lines(design: Design) -> Iterator[str]:
    yield from letter_fabrics([row.fabric for row in list_near_optima(design)])[1]
    yield from describe_near_optima(design)
    study, cost, money = design.study, design.cost, design.write_money
    bisection = units.rate(study.bisection_gbps)
    yield f"Hops: {study.hops.max} max, {design.hops_mean:.3f} on average. Bisection bandwidth: {bisection}."
    nics = "" if cost.nics is None else f", NICs {money(cost.nics)}"
    parts = f"switches {money(cost.switches)}, links {money(cost.links)}{nics}"
    yield f"Cost: {money(cost.total)} ({parts}). Power: {units.power(design.power_w)}."
    yield from describe_electricity(design)
    yield from describe_growth(design)
    yield from describe_uplinks(design)
    yield describe_failures(design)
    yield f"{describe_objective(design)} {describe_status(design)}"
    if why := " ".join(explain_choice(design)):
        yield f"Rationale: {why}"
    for note in design.notes:
        yield f"Note: {note}"
