"""The curves of a page as numbers: busbw by message size and by cluster size, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.errors import FabricError
from fabric.flow import usual_routings
from fabric.flow.routings import ROUTINGS
from fabric.report.design import Design
from fabric.report.text import name_topology
from fabric.studies.pareto import pareto
from fabric.studies.scaling import scale
from fabric.studies.study import Study

__all__ = ["front_curve", "scale_curve", "size_curve"]

Curve = dict[str, Any]
"""A chart: `title`, labels of the axes `x` and `y`, values of x with their texts, and series by name."""

FRONT = "cost,hops,allreduce"

COMPLETE = f"`fabric optimize --pareto {FRONT}` computes all of it"

BUDGET = 3.0
"""The solve budget of a page's front, in CP-SAT's deterministic time: some seconds."""


def size_curve(design: Design) -> Curve:
    """Return the bus bandwidth of an all-reduce by its size under each routing."""
    rows = design.allreduce
    sizes = sorted({row.size_bytes for row in rows})
    series = {
        routing: [row.busbw_GBps for row in rows if row.routing == routing]
        for routing in dict.fromkeys(row.routing for row in rows)
    }
    if design.allreduce_in_network:
        series["in switches"] = [row.busbw_GBps for row in design.allreduce_in_network]
    return _make_curve("size", "All-reduce by message size", "message size", sizes, [*map(units.size, sizes)], series)


def scale_curve(study: Study) -> Curve:
    """Return the bus bandwidth of an all-reduce of 1 GiB for clusters up to twice the size, or why there is none.

    The sizes are the design's own, twice it, and a half, a quarter, a 16th, a 64th and a 256th of it, of more than one
    server.
    """
    if study.spec.kinds:
        return _empty_curve("scale", "All-reduce of 1 GiB by cluster size", "Unlike servers have no other sizes.")
    own = study.spec.gpus
    gpus = sorted({2 * own, *(max(own >> step, 1) for step in (0, 1, 2, 4, 6, 8))})
    kept = [number for number in gpus if number > study.spec.server.gpus]
    if own <= study.spec.server.gpus:
        return _empty_curve("scale", "All-reduce of 1 GiB by cluster size", "One server needs no fabric.")
    request = {key: value for key, value in study.spec.request.items() if key not in ("expected", "grow_to_gpus")}
    try:
        routings = [name for name in usual_routings(study.blueprint) if ROUTINGS[name].closed_form]
        scaling = scale(request, kept, algorithms=("best",), routings=routings)
    except FabricError as error:
        return _empty_curve("scale", "All-reduce of 1 GiB by cluster size", str(error).splitlines()[0])
    there = [one.spec.gpus for one in scaling.studies]
    texts = [f"{units.count(one.spec.gpus)} GPUs, {name_topology(one.blueprint)}" for one in scaling.studies]
    series = {
        curve.routing: [each.busbw_GBps for each in curve.estimates]
        for curve in sorted(scaling.curves, key=lambda curve: curve.routing)
    }
    return _make_curve("scale", "All-reduce of 1 GiB by cluster size", "GPUs", there, texts, series)


def front_curve(study: Study) -> Curve:
    """Return cost and all-reduce time of each design of the Pareto front, or why there is none."""
    title = "Pareto front over cost, hops and all-reduce time"
    request = {key: value for key, value in study.spec.request.items() if key != "expected"}
    try:
        front = pareto(request, FRONT, budget=BUDGET)
    except FabricError as error:
        return _empty_curve("front", title, str(error).splitlines()[0])
    points = sorted(
        (one["cost_usd"], one["allreduce_s"], one["hops_max"], name_topology(each.blueprint))
        for one, each in zip(front.values, front.studies, strict=True)
    )
    complete = front.status == "OPTIMAL"
    if len(points) < 2:
        best = "The design is optimal in all three objectives."
        return _empty_curve("front", title, best if complete else f"Solve budget exhausted; {COMPLETE}.")
    texts = [f"{units.money(cost, study.spec.currency)}, {hops:g} hops, {kind}" for cost, _, hops, kind in points]
    curve = _make_curve("front", title, "cost", [cost for cost, *_ in points], texts, {"all-reduce": [
        1e3 * seconds for _, seconds, *_ in points
    ]})  # fmt: skip
    note = "" if complete else f"Solve budget exhausted; others may be missing. {COMPLETE}."
    return {
        **curve,
        "y": "ms for 1 GiB",
        "log": False,
        "points": True,
        "note": note,
        "sign": units.money_sign(study.spec.currency),
    }


def _make_curve(
    key: str, title: str, x: str, values: Sequence[float], texts: Sequence[str], series: dict[str, list[float]]
) -> Curve:
    rounded = {name: [round(value, 3) for value in each] for name, each in series.items()}
    return {
        "key": key, "title": title, "x": x, "y": "busbw, GB/s", "values": list(values), "texts": list(texts),
        "series": rounded, "log": True, "points": False, "why": "", "note": "",
    }  # fmt: skip


def _empty_curve(key: str, title: str, why: str) -> Curve:
    return {**_make_curve(key, title, "", [], [], {}), "why": why}
