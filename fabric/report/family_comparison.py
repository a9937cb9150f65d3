"""Families held against each other, as JSON, and as a table of a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric import units
from fabric.report.terminal import Table
from fabric.studies.family_comparison import Entry

__all__ = ["contest_document", "contest_summary"]

SCHEMA = "fabric.families/1"


def contest_document(name: str, gpus: int, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what `fabric compare --families --json` prints: a row for each family."""
    return {"schema": SCHEMA, "name": name, "gpus": gpus, "families": [_row(entry) for entry in entries]}


def _row(entry: Entry) -> dict[str, Any]:
    if entry.study is None:
        return {"family": entry.family, "feasible": False, "reason": entry.reason}
    study, plan = entry.study, entry.study.blueprint
    return {
        "family": entry.family,
        "feasible": True,
        "form": plan.topology.text,
        "sizes": {axis: plan.sizes[axis] for axis in plan.topology.axes},
        "planes": plan.planes,
        "switches": plan.switches,
        "links": plan.links_total,
        "modules": study.bill.quantity("module"),
        "cost_usd": study.bill.cost_usd(),
        "hops_max": study.hops.max,
        "hops_mean": study.hops.mean,
        "bisection_gbps": study.bisection_gbps,
        "bisection_share": 2 * study.bisection_gbps / study.injection_gbps,
        "permutation": entry.permutation,
        "allreduce_GBps": entry.allreduce_GBps,
        "alltoall_GBps": entry.alltoall_GBps,
        "proof": study.proof.status,
    }


def contest_summary(name: str, gpus: int, entries: Sequence[Entry]) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the tables and the closing lines that `fabric compare --families` prints."""
    rows = sorted((_row(entry) for entry in entries if entry.study), key=lambda row: row["cost_usd"] or 0)
    text = f"{name}: {units.count(gpus)} GPUs by {len(rows)} families, the cheapest first."
    parts = (
        "Parts",
        ("family", "switches", "links", "modules", "cost", "a GPU"),
        [
            (
                row["family"],
                units.count(row["switches"]),
                units.count(row["links"]),
                units.count(row["modules"]),
                "unknown" if row["cost_usd"] is None else units.money(row["cost_usd"]),
                "unknown" if row["cost_usd"] is None else units.money(row["cost_usd"] / gpus),
            )
            for row in rows
        ],
    )
    carried = (
        "What they carry",
        ("family", "hops (mean)", "bisection", "shift", "all-reduce", "all-to-all"),
        [
            (
                row["family"],
                f"{row['hops_max']} ({row['hops_mean']:.2f})",
                f"{row['bisection_share']:.0%}",
                "-" if row["permutation"] is None else f"{row['permutation']:.0%}",
                *(_busbw(row[key]) for key in ("allreduce_GBps", "alltoall_GBps")),
            )
            for row in rows
        ],
    )
    return text, [parts, carried], [*_lines(entries)]


def _busbw(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    yield (
        "Bisection: the flow between halves over what one half sends. Shift: the mean share of line rate in the"
        " worst of several shifts. Collectives: busbw in GB/s of 1 GiB over all GPUs, by closed forms; the shifts"
        " are explicit flows. All by adaptive routing."
    )
    for entry in entries:
        if entry.study is None:
            yield f"{entry.family}: none. {entry.reason.splitlines()[1].strip() if entry.reason else ''}"
