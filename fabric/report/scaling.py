"""A collective against scale as a document and as a table, with a sentence for every place where a curve bends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.terminal import Table
from fabric.studies.scaling import BEST, Bend, Curve, Scaling
from fabric.studies.study import Study

__all__ = ["SCHEMA", "scale_document", "scale_picture", "scale_summary"]

SCHEMA = "fabric.scale/1"

REASONS = {
    "latency": "its steps one after another take longer than its bytes",
    "collisions": "flows hashed onto one uplink share it, and all wait for the slowest",
    "NVLink": "NVLink inside the servers is what is full",
    "NIC": "the NICs are what is full",
    "oversubscription": "the tiers above carry less than the servers send",
    "detours": "what has no room on the shortest ways goes by longer ones, which load two links instead of one",
}
"""What each limit of an estimate means for a curve."""


def scale_document(scaling: Scaling) -> dict[str, Any]:
    """Return the curves as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": scaling.name,
        "size_bytes": scaling.size_bytes,
        "designs": [_design(study) for study in scaling.studies],
        "curves": [
            {
                "algorithm": curve.algorithm,
                "routing": curve.routing,
                "results": [asdict(estimate) for estimate in curve.estimates],
                "bends": [asdict(bend) for bend in curve.bends],
            }
            for curve in scaling.curves
        ],
        "infeasible": [{"gpus": gpus, "reason": reason} for gpus, reason in scaling.infeasible.items()],
    }


def _design(study: Study) -> dict[str, Any]:
    plan = study.blueprint
    keys = {"gpus": plan.gpus, "family": plan.topology.family, "tiers": plan.tiers, "planes": plan.planes}
    return {**keys, "switches": plan.switches, "links": plan.links_total, "hops_max": study.hops.max}


def scale_summary(scaling: Scaling) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the table and the closing lines that `fabric scale` prints."""
    text = f"{scaling.name}: all-reduce of {units.size(scaling.size_bytes)}, busbw in GB/s, as the machine grows."
    heads = ("GPUs", "tiers", "planes", *(_name(curve) for curve in scaling.curves))
    rows = [
        (
            units.count(study.blueprint.gpus),
            str(study.blueprint.tiers),
            str(study.blueprint.planes),
            *(f"{curve.estimates[place].busbw_GBps:.1f}" for curve in scaling.curves),
        )
        for place, study in enumerate(scaling.studies)
    ]
    return text, [("", heads, rows)], [*_bends(scaling), *_left_out(scaling)]


Points = list[tuple[int, float]]


def scale_picture(scaling: Scaling) -> tuple[dict[str, Points], dict[str, Points], dict[int, str]]:
    """Return what `draw.draw_scale` draws: the curves, their bends, and what the fabric is from each size on."""
    lines = {_name(each): [(one.gpus, one.busbw_GBps) for one in each.estimates] for each in scaling.curves}
    bends = {_name(each): [(one.gpus, one.busbw_GBps) for one in each.bends] for each in scaling.curves}
    steps: dict[int, str] = {}
    for study in scaling.studies:
        if not steps or list(steps.values())[-1] != _step(study):
            steps[study.blueprint.gpus] = _step(study)
    return lines, bends, steps


def _name(curve: Curve) -> str:
    """Return what a curve is called: `ring, ecmp`."""
    return f"{curve.algorithm}, {curve.routing}"


def _used(curve: Curve) -> str:
    """Return which algorithms were the best, in their order."""
    names = dict.fromkeys(estimate.algorithm for estimate in curve.estimates)
    return f" ({', then '.join(names)})" if curve.algorithm == BEST else ""


def _step(study: Study) -> str:
    """Return the tiers and planes of a design: `3 tiers, 2 planes`."""
    plan = study.blueprint
    planes = f", {plan.planes} planes" if plan.planes > 1 else ""
    return f"{plan.tiers} tier{'s'[: plan.tiers > 1]}{planes}"


def _bends(scaling: Scaling) -> Iterator[str]:
    for curve in scaling.curves:
        first, name = curve.estimates[0], _name(curve)
        bends = "; ".join(map(_bend, curve.bends)) or _straight(curve)
        yield f"{name}{_used(curve)}: {first.busbw_GBps:.3g} GB/s at {first.gpus:,} GPUs ({first.limited_by}); {bends}."


def _straight(curve: Curve) -> str:
    """Say of a curve without bends how far it goes."""
    last = curve.estimates[-1]
    return f"without a bend to {last.busbw_GBps:.3g} at {last.gpus:,}" if len(curve.estimates) > 1 else "one size alone"


def _bend(bend: Bend) -> str:
    if bend.what == "half":
        return f"below half of its best at {bend.gpus:,} ({bend.busbw_GBps:.3g} GB/s)"
    return f"from {bend.gpus:,} limited by {bend.limited_by}: {REASONS.get(bend.limited_by, 'see docs/glossary.md')}"


def _left_out(scaling: Scaling) -> Iterator[str]:
    for gpus, reason in scaling.infeasible.items():
        yield f"No design at {gpus:,} GPUs: {reason.splitlines()[0]}"
