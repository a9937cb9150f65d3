"""The summary of a design for a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric import units
from fabric.report.columns import DesignTable, list_tables, text_table
from fabric.report.design import Design
from fabric.report.growth import describe_growth
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

__all__ = ["summarize_design"]

TABLES = ("switches", "links", "stages", "allreduce", "expected")
"""The tables that the terminal shows."""

SIZES = (2**20, 2**26, 2**30, 2**34)
"""The message sizes that the terminal shows, of all that are estimated."""


def summarize_design(design: Design) -> Summary:
    """Return what `fabric design` prints."""
    tables = [_shorten(table) for table in list_tables(design) if table.name in TABLES]
    text = "\n".join([describe_choice(design), *describe_savings(design)])
    return Summary(text, [text_table(table, short=True) for table in tables], [*_list_lines(design)])


def _shorten(table: DesignTable) -> DesignTable:
    if table.name != "allreduce":
        return table
    return replace(table, rows=[row for row in table.rows if row.size_bytes in SIZES])


def _list_lines(design: Design) -> Iterator[str]:
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
