"""A collective by scale as a document and as a table, with a sentence on every bend of a curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.library_lines import note_library
from fabric.report.notes import note_unknown_nvlink
from fabric.report.table import Summary, Table
from fabric.report.text import letter_fabrics, name_fabric, name_size, name_topology, write_place
from fabric.studies.scaling import BEST, Bend, Curve, Scaling
from fabric.studies.study import Study

__all__ = ["SCHEMA", "list_scaling_curves", "scaling_object", "summarize_scaling"]

SCHEMA = "fabric.scale/1"

REASONS = {
    "latency": "the latency of its sequential steps exceeds the time to send its bytes",
    "collisions": "flows hashed onto one uplink share it, and the collective waits for the slowest",
    "NVLink": "NVLink inside the servers is saturated",
    "NIC": "the NICs are saturated",
    "channels": "the channels of the library carry no more; more of them would",
    "oversubscription": "the upper tiers carry less than the servers inject",
    "detours": "traffic beyond what the shortest paths carry takes longer ones, which load two links instead of one",
}
"""What each limit of an estimate means for a curve."""


def scaling_object(scaling: Scaling) -> dict[str, Any]:
    """Return the curves as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": scaling.name,
        "size_bytes": scaling.size_bytes,
        "designs": [_design_object(study) for study in scaling.studies],
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


def _design_object(study: Study) -> dict[str, Any]:
    plan = study.blueprint
    keys: dict[str, Any] = {
        "gpus": plan.gpus,
        "family": plan.topology.family,
        "tiers": plan.tiers,
        "planes": plan.planes,
    }
    keys["rails_meet"] = plan.topology.rails_meet_at if plan.rails > 1 else None
    keys |= {"pod_gpus": plan.pod_gpus, "unit_gpus": plan.unit_gpus}
    return {**keys, "switches": plan.switches, "links": plan.links_total, "hops_max": study.hops.max}


def summarize_scaling(scaling: Scaling) -> Summary:
    """Return what `fabric scale` prints."""
    text = f"{scaling.name}: busbw of a {units.size(scaling.size_bytes)} all-reduce in GB/s, by cluster size."
    heads = ("GPUs", "fabric", "GPUs per pod", "GPUs per unit", *(_name_curve(curve) for curve in scaling.curves))
    plans = [study.blueprint for study in scaling.studies]
    letters, legend = letter_fabrics([*map(name_topology, plans)])
    rows = [
        (
            units.count(plan.gpus),
            letter,
            *map(write_place, (plan.pod_gpus, plan.unit_gpus)),
            *(f"{curve.estimates[index].busbw_GBps:,.1f}" for curve in scaling.curves),
        )
        for index, (plan, letter) in enumerate(zip(plans, letters, strict=True))
    ]
    assumed = dict.fromkeys(note for plan in plans[-1:] for note in note_library(plan))
    unknown = dict.fromkeys(note for study in scaling.studies for note in note_unknown_nvlink(study.blueprint.server))
    return Summary(
        text, [Table("", heads, rows)], [*legend, *_list_bends(scaling), *_list_infeasible(scaling), *assumed, *unknown]
    )


Points = list[tuple[int, float]]


def list_scaling_curves(scaling: Scaling) -> tuple[dict[str, Points], dict[str, Points], dict[int, str]]:
    """Return what `draw.draw_scale` draws: the curves, their bends, and what the fabric is from each size on."""
    lines = {_name_curve(each): [(one.gpus, one.busbw_GBps) for one in each.estimates] for each in scaling.curves}
    bends = {_name_curve(each): [(one.gpus, one.busbw_GBps) for one in each.bends] for each in scaling.curves}
    plans = [study.blueprint for study in scaling.studies]
    name = name_size if len({plan.topology.family for plan in plans}) == 1 else name_fabric
    steps: dict[int, str] = {}
    for plan in plans:
        if not steps or list(steps.values())[-1] != name(plan):
            steps[plan.gpus] = name(plan)
    return lines, bends, steps


def _name_curve(curve: Curve) -> str:
    """Return what a curve is called: `ring, ecmp`."""
    return f"{curve.algorithm}, {curve.routing}"


def _list_algorithms(curve: Curve) -> str:
    """Return which algorithms were the best, in their order."""
    names = dict.fromkeys(estimate.algorithm for estimate in curve.estimates)
    return f" ({', then '.join(names)})" if curve.algorithm == BEST else ""


def _list_bends(scaling: Scaling) -> Iterator[str]:
    for curve in scaling.curves:
        first, name = curve.estimates[0], f"{_name_curve(curve)}{_list_algorithms(curve)}"
        bends = "; ".join(map(_describe_bend, curve.bends)) or _describe_straight(curve)
        yield f"{name}: {first.busbw_GBps:.3g} GB/s at {first.gpus:,} GPUs (limited by {first.limited_by}); {bends}."


def _describe_straight(curve: Curve) -> str:
    """Return how far a curve without bends goes."""
    last = curve.estimates[-1]
    return f"no bend up to {last.gpus:,} GPUs ({last.busbw_GBps:.3g} GB/s)" if len(curve.estimates) > 1 else "one size"


def _describe_bend(bend: Bend) -> str:
    if bend.what == "half":
        return f"drops below 50 % of its peak at {bend.gpus:,} GPUs ({bend.busbw_GBps:.3g} GB/s)"
    reason = REASONS.get(bend.limited_by, "see docs/glossary.md")
    return f"limited by {bend.limited_by} from {bend.gpus:,} GPUs on: {reason}"


def _list_infeasible(scaling: Scaling) -> Iterator[str]:
    for gpus, reason in scaling.infeasible.items():
        yield f"No design at {gpus:,} GPUs: {reason.splitlines()[0]}"
