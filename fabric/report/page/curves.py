"""The curves of a page as numbers: busbw against size and against scale, and the front of the trade-off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.errors import FabricError
from fabric.studies.scaling import scale
from fabric.studies.study import Study, pareto

__all__ = ["front_curve", "scale_curve", "size_curve"]

Curve = dict[str, Any]
"""A chart: `title`, the `x` and `y` axes' words, values of x with their texts, and series by name, None for none."""

FRONT = "cost,hops,allreduce"

ASK = f"fabric optimize --pareto {FRONT} has all"

WORK = 3.0
"""The work that a page's front may take, in CP-SAT's deterministic time: some seconds."""


def size_curve(design: dict[str, Any]) -> Curve:
    """Return the bus bandwidth of an all-reduce against its size under each routing."""
    rows = design["allreduce"]
    sizes = sorted({row["size_bytes"] for row in rows})
    series = {
        routing: [row["busbw_GBps"] for row in rows if row["routing"] == routing]
        for routing in dict.fromkeys(row["routing"] for row in rows)
    }
    return _curve("size", "All-reduce against message size", "message size", sizes, [*map(units.size, sizes)], series)


def scale_curve(study: Study) -> Curve:
    """Return the bus bandwidth of an all-reduce of 1 GiB as the machine grows to twice its size, or why there is none.

    The sizes are the design's own, twice it, and a half, a quarter, a 16th, a 64th and a 256th of it, of more than one
    server.
    """
    own = study.spec.gpus
    gpus = sorted({2 * own, *(max(own >> step, 1) for step in (0, 1, 2, 4, 6, 8))})
    kept = [number for number in gpus if number > study.spec.server.gpus]
    if own <= study.spec.server.gpus:
        return _none("scale", "All-reduce of 1 GiB against scale", "one server needs no fabric")
    request = {key: value for key, value in study.spec.request.items() if key not in ("expected", "grow_to_gpus")}
    try:
        scaling = scale(request, kept, algorithms=("best",))
    except FabricError as error:
        return _none("scale", "All-reduce of 1 GiB against scale", str(error).splitlines()[0])
    there = [one.spec.gpus for one in scaling.studies]
    series = {
        curve.routing: [each.busbw_GBps for each in curve.estimates]
        for curve in sorted(scaling.curves, key=lambda curve: curve.routing)
    }
    return _curve(
        "scale", "All-reduce of 1 GiB against scale", "GPUs", there, [f"{units.count(n)} GPUs" for n in there], series
    )


def front_curve(study: Study) -> Curve:
    """Return cost against the time of an all-reduce, for each fabric that no other beats, or why there is none."""
    title = "What nothing beats in cost, hops and all-reduce time"
    request = {key: value for key, value in study.spec.request.items() if key != "expected"}
    try:
        front = pareto(request, FRONT, work=WORK)
    except FabricError as error:
        return _none("front", title, str(error).splitlines()[0])
    points = sorted((one["cost_usd"], one["allreduce_s"], one["hops_max"]) for one in front.values)
    whole = front.status == "OPTIMAL"
    if len(points) < 2:
        best = "one fabric is best in all of them: the one designed"
        return _none("front", title, best if whole else f"not settled within some seconds; {ASK}")
    texts = [f"{units.money(cost)}, {hops:g} hops" for cost, _, hops in points]
    curve = _curve("front", title, "cost", [cost for cost, *_ in points], texts, {"all-reduce": [
        1e3 * seconds for _, seconds, _ in points
    ]})  # fmt: skip
    note = "" if whole else f"The first that were found; others may be missing: {ASK}."
    return {**curve, "y": "ms for 1 GiB", "log": False, "points": True, "note": note}


def _curve(
    key: str, title: str, x: str, values: Sequence[float], texts: Sequence[str], series: dict[str, list[float]]
) -> Curve:
    rounded = {name: [round(value, 3) for value in each] for name, each in series.items()}
    return {
        "key": key, "title": title, "x": x, "y": "busbw, GB/s", "values": list(values), "texts": list(texts),
        "series": rounded, "log": True, "points": False, "why": "", "note": "",
    }  # fmt: skip


def _none(key: str, title: str, why: str) -> Curve:
    return {**_curve(key, title, "", [], [], {}), "why": why}
