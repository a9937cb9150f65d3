"""The summary of a design for a terminal 80 columns wide, as plain lines and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric import units
from fabric.report.markdown import choice, models, remains, running, sought
from fabric.report.rationale import reasons
from fabric.studies.study import Study

__all__ = ["Table", "summary"]

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A table as values: its title, its heads and its rows."""


def summary(study: Study, design: dict[str, Any]) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the tables and the closing lines that `fabric design` prints."""
    tables = [_switches(design), _links(study, design), _allreduce(design)]
    if design["expected"]:
        tables.append(_expected(design))
    return choice(study, design), tables, list(_lines(design))


def _switches(design: dict[str, Any]) -> Table:
    over = design["oversubscription"]
    rows = [
        (
            role,
            units.count(row["count"]),
            models(row),
            f"{row['ports_down']}",
            f"{row['ports_up']}",
            f"{row['ports_used']} of {row['radix']}",
            f"{over[role]:.4g}:1" if role in over else "-",
        )
        for role, row in design["switches"]["by_role"].items()
    ]
    return "Switches", ("role", "count", "model", "down", "up", "ports", "ratio"), rows


def _links(study: Study, design: dict[str, Any]) -> Table:
    rows = [
        (
            row.used_for,
            units.count(row.quantity),
            f"{design['links']['per_pair'][row.used_for]:.4g}",
            units.money(row.unit_price_usd),
            units.money(row.price_usd),
        )
        for row in study.bill.of("link")
    ]
    return f"Links of {units.rate(design['link_gbps'])}", ("bundle", "links", "per pair", "each", "in all"), rows


def _allreduce(design: dict[str, Any]) -> Table:
    rows = [
        (
            units.size(row["size_bytes"]),
            row["routing"],
            row["algorithm"],
            units.time(row["time_s"]),
            f"{row['busbw_GBps']:.1f}",
            row["limited_by"],
        )
        for row in design["allreduce"]
        if row["size_bytes"] in (2**20, 2**26, 2**30, 2**34)
    ]
    return "All-reduce", ("size", "routing", "algorithm", "time", "busbw GB/s", "limited by"), rows


def _expected(design: dict[str, Any]) -> Table:
    rows = [
        (
            row["key"],
            units.number(row["published"]),
            units.number(row["designed"]),
            "yes" if row["ok"] else "NO",
        )
        for row in design["expected"]
    ]
    return "Published numbers", ("number", "published", "designed", "met"), rows


def _lines(design: dict[str, Any]) -> Iterator[str]:
    hops, proof, cost = design["hops"], design["optimizer"], design["cost_usd"]
    bisection = units.rate(design["bisection_gbps"])
    yield f"Hops: {hops['max']} at most, {hops['mean']:.3f} on average. Bisection: {bisection}."
    nics = "" if cost["nics"] is None else f", NICs {units.money(cost['nics'])}"
    yield (
        f"Cost: {units.money(cost['total'])} (switches {units.money(cost['switches'])}, links"
        f" {units.money(cost['links'])}{nics}). Power: {units.power(design['power_w']['total'])}."
    )
    yield from running(design)
    yield f"{remains(design['survives'])}."
    gap = "no bound" if proof["gap"] is None else f"gap {proof['gap']:.2%}"
    best = "nothing the request allows is better" if proof["status"] == "OPTIMAL" else gap
    yield f"Sought: {sought(proof)}. Proof: {proof['status']}, {best}."
    if why := " ".join(reasons(design)):
        yield f"Why: {why}"
    for note in design["notes"]:
        yield f"Note: {note}"
