"""Families compared on one request, as JSON and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent, write_place
from fabric.request import Spec
from fabric.studies.family_comparison import FamilyResult

__all__ = ["families_object", "family_line", "line_heads", "summarize_families"]

SCHEMA = "fabric.families/1"


def families_object(spec: Spec, results: Sequence[FamilyResult]) -> dict[str, Any]:
    """Return what `fabric compare --families --json` prints: a row for each family."""
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "currency": spec.currency,
        "gpus": spec.gpus,
        "families": [_family_object(result) for result in results],
    }


def _family_object(result: FamilyResult) -> dict[str, Any]:
    if result.study is None:
        return {"family": result.family, "feasible": False, "reason": result.reason}
    study, plan = result.study, result.study.blueprint
    return {
        "family": result.family,
        "feasible": True,
        "form": plan.topology.text,
        "sizes": {axis: plan.sizes[axis] for axis in plan.topology.axes},
        "size": plan.topology.size_label,
        "tiers": plan.tiers,
        "planes": plan.planes,
        "pod_gpus": plan.pod_gpus,
        "unit_gpus": plan.unit_gpus,
        "switches": plan.switches,
        "links": plan.links_total,
        "modules": study.bill.quantity("module"),
        "cost_usd": study.bill.cost_usd(),
        "hops_max": study.hops.max,
        "hops_mean": study.hops.mean,
        "bisection_gbps": study.bisection_gbps,
        "bisection_share": 2 * study.bisection_gbps / study.injection_gbps,
        "permutation": result.permutation,
        "allreduce_GBps": result.allreduce_GBps,
        "alltoall_GBps": result.alltoall_GBps,
        "proof": study.proof.status,
    }


LINE = "{:15} {:12} {:>9} {:>10} {:>16} {:>10}"
"""The columns of a line of its own for each family, printed before the others are known."""


def line_heads() -> str:
    """Return the heads of the lines of `family_line`."""
    return LINE.format("family", "size", "switches", "links", "cost", "all-reduce")


def family_line(spec: Spec, result: FamilyResult) -> str:
    """Return a family's result on a line, its all-reduce as busbw in GB/s."""
    if result.study is None:
        return f"{result.family:15} infeasible"
    row = _family_object(result)
    cost = units.money(row["cost_usd"], spec.currency)
    counts = units.count(row["switches"]), units.count(row["links"])
    return LINE.format(row["family"], row["size"], *counts, cost, _write_busbw(row["allreduce_GBps"]))


def summarize_families(spec: Spec, results: Sequence[FamilyResult]) -> Summary:
    """Return what `fabric compare --families` prints."""
    rows = [_family_object(result) for result in results if result.study]
    rows.sort(key=lambda row: row["cost_usd"] or 0)
    number = units.count_noun(len(rows), "feasible family", "feasible families")
    order = ", cheapest first" if len(rows) > 1 else ""
    text = f"{spec.name}: {units.count_ends(spec.gpus, spec.servers)}; {number}{order}."
    tables = [_tabulate_sizes(rows), _tabulate_parts(spec, rows), _tabulate_performance(rows)]
    return Summary(text, tables, [*_list_other_planes(spec, rows), *_list_lines(results)])


def _tabulate_sizes(rows: Sequence[dict[str, Any]]) -> Table:
    cells = [
        (
            row["family"],
            row["size"],
            str(row["planes"]),
            write_place(row["pod_gpus"]),
            write_place(row["unit_gpus"]),
        )
        for row in rows
    ]
    return Table("Sizes", ("family", "size", "planes", "GPUs per pod", "GPUs per unit"), cells)


def _list_other_planes(spec: Spec, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Say which families are on more planes than the request allows, so that they differ in more than the family."""
    if others := [row["family"] for row in rows if row["planes"] not in spec.planes]:
        allowed = " or ".join(map(str, spec.planes))
        yield f"On other planes than the {allowed} of the request, by their own definition: {', '.join(others)}."


def _tabulate_parts(spec: Spec, rows: Sequence[dict[str, Any]]) -> Table:
    cells = [
        (
            row["family"],
            units.count(row["switches"]),
            units.count(row["links"]),
            units.count(row["modules"]),
            units.money(row["cost_usd"], spec.currency),
            _write_cost_per_gpu(spec, row["cost_usd"]),
        )
        for row in rows
    ]
    return Table("Parts", ("family", "switches", "links", "modules", "cost", "per GPU"), cells)


def _write_cost_per_gpu(spec: Spec, cost_usd: float | None) -> str:
    if not spec.gpus:
        return "-"
    return units.money(None if cost_usd is None else cost_usd / spec.gpus, spec.currency)


def _tabulate_performance(rows: Sequence[dict[str, Any]]) -> Table:
    cells = [
        (
            row["family"],
            f"{row['hops_max']} ({row['hops_mean']:.2f})",
            format_percent(row["bisection_share"], ".0f"),
            "-" if row["permutation"] is None else format_percent(row["permutation"], ".0f"),
            *(_write_busbw(row[key]) for key in ("allreduce_GBps", "alltoall_GBps")),
        )
        for row in rows
    ]
    heads = ("family", "hops (mean)", "bisection", "shift", "all-reduce", "all-to-all")
    return Table("Performance", heads, cells)


def _write_busbw(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _list_lines(results: Sequence[FamilyResult]) -> Iterator[str]:
    yield (
        "Bisection: bandwidth between halves of the servers, relative to the injection bandwidth of one half. Shift:"
        " mean share of line rate under the worst of several shift permutations (explicit flows). All-reduce and"
        " all-to-all: busbw in GB/s at 1 GiB over all GPUs (closed form). All with adaptive routing."
    )
    infeasible: dict[str, list[str]] = {}
    for result in results:
        if result.study is None:
            text, *reasons = result.reason.splitlines()
            infeasible.setdefault((reasons or [text])[0].strip(), []).append(result.family)
    for reason, families in infeasible.items():
        yield f"Infeasible: {', '.join(families)}: {reason}"
