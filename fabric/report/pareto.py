"""A Pareto front as a document, a table and the rows of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.report.describe import describe_json
from fabric.report.notes import LENGTHS_LEFT_OUT, list_unpriced
from fabric.report.objectives import heading_of, label_of, tolerance_of, write_amount, write_value
from fabric.report.table import Summary, Table
from fabric.report.text import (
    format_percent,
    format_ranges,
    join_words,
    letter_fabrics,
    name_switches,
    name_topology,
    write_place,
)
from fabric.request.site import Site
from fabric.studies.pareto import Pareto

__all__ = ["SCHEMA", "describe_point", "front_object", "pareto_csv", "summarize_front"]

SCHEMA = "fabric.pareto/1"

MOVED = (
    "explicit flows estimate direct networks, and differ from the closed form of the search: others may be missing or"
    " better than some of these"
)
"""Why a front may not be complete although the search ended."""

PLACES = ("GPUs per pod", "GPUs per unit")
"""The heads of the columns on the size of a full pod and a full unit."""


def front_object(front: Pareto, *, timed: bool = True) -> dict[str, Any]:
    """Return the front as one plain object (docs/design-json.md)."""
    points = [
        {**values, "design": describe_json(study, timed=timed)}
        for study, values in zip(front.studies, front.values, strict=True)
    ]
    wall_s = round(front.wall_s, 3) if timed else None
    return {
        "schema": SCHEMA,
        "name": front.spec.name,
        "currency": front.spec.currency,
        "objectives": list(front.names),
        "status": front.status,
        "proven": len(front.proven),
        "wall_s": wall_s,
        "front": points,
    }


def summarize_front(front: Pareto) -> Summary:
    """Return what `fabric optimize --pareto` prints."""
    labels = join_words([label_of(name) for name in front.names])
    text = f"{front.spec.name}: Pareto front over {labels}: {units.count_noun(len(front.studies), 'design')}."
    heads = ("", *map(heading_of, front.names), "fabric", *PLACES, "switches by tier")
    letters, legend = letter_fabrics([_describe_topology(study.blueprint) for study in front.studies])
    rows = []
    for number, (study, values, letter) in enumerate(zip(front.studies, front.values, letters, strict=True), 1):
        plan = study.blueprint
        counts = "+".join(units.count(plan.devices(role)) for role in plan.topology.roles)
        cells = (write_value(name, value, front.spec.currency) for name, value in values.items())
        places = map(write_place, (plan.pod_gpus, plan.unit_gpus))
        rows.append((str(number), *cells, letter, *places, counts))
    lines = [*legend, *(_list_steps(front) if len(front.studies) > 1 else ()), *_list_proof(front)]
    return Summary(text, [Table("", heads, rows)], lines)


def _describe_topology(plan: Blueprint) -> str:
    """Return a topology in words, with the switch models of its tiers from the leaf up."""
    names = [plan.models[role].name for role in plan.topology.roles]
    models = names[0] if len(set(names)) == 1 else " + ".join(names)
    return f"{name_topology(plan)}; {models}"


def _list_proof(front: Pareto) -> Iterator[str]:
    """Yield whether the front is complete, and what was not considered."""
    status = "complete" if front.status == "OPTIMAL" else MOVED if front.moved else _explain_budget(front)
    yield f"Status: {front.status} ({status})."
    if front.spec.site != Site():
        yield f"{LENGTHS_LEFT_OUT} not part of the front; `--objective cost` alone counts them."
    if unpriced := dict.fromkeys(name for study in front.studies for name in list_unpriced(study)):
        yield f"Not considered (no price): {', '.join(unpriced)}."
    tolerances = {name: text for name in front.names if (text := tolerance_of(name))}
    for tolerance in dict.fromkeys(tolerances.values()):
        labels = [label_of(name) for name, text in tolerances.items() if text == tolerance]
        yield f"Differences under {tolerance} in {join_words(labels)} are ignored."


def _explain_budget(front: Pareto) -> str:
    missing = "others may be missing or better than some of these"
    if not front.proven:
        return f"solve budget exhausted: {missing}"
    return f"solve budget exhausted: rows {format_ranges([1 + index for index in front.proven])} proven; {missing}"


def _list_steps(front: Pareto) -> Iterator[str]:
    """Yield what the step from the first design to the best in each other objective costs and buys."""
    first, base = front.names[0], front.values[0]
    write = partial(write_amount, currency=front.spec.currency)
    for name in front.names[1:]:
        best = min(front.values, key=lambda values: (values[name], values[first]))
        if best[name] < base[name]:
            more = best[first] - base[first]
            yield (
                f"{heading_of(name)}: from {write(name, base[name])} to {write(name, best[name])} for"
                f" {write(first, more)} more ({format_percent(more / base[first], '+.1f')})."
            )


def pareto_csv(front: Pareto) -> str:
    """Return the front as CSV: the objectives in exact numbers, and what each fabric is made of."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    made = [describe_point(study.blueprint) for study in front.studies]
    writer.writerow([*front.names, *made[0]])
    for values, facts in zip(front.values, made, strict=True):
        cells = ("" if fact is None else fact for fact in facts.values())
        writer.writerow([*(f"{number:.10g}" for number in values.values()), *cells])
    return stream.getvalue()


def describe_point(plan: Blueprint) -> dict[str, Any]:
    """Return what a fabric of a front is made of, by the names of columns; None where it has no such thing."""
    return {
        "family": plan.topology.family,
        "rails_meet": plan.topology.rails_meet_at if plan.rails > 1 else None,
        "tiers": plan.tiers,
        "planes": plan.planes,
        "pod_gpus": plan.pod_gpus,
        "unit_gpus": plan.unit_gpus,
        "link_gbps": plan.link_gbps,
        "switch_models": name_switches(plan),
        "links_total": plan.links_total,
        "sizes": " ".join(f"{axis}={plan.sizes[axis]}" for axis in plan.topology.axes),
    }
