"""A Pareto front as a document, a table and the rows of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.design_json import document, left_out
from fabric.report.objectives import ESTIMATED, HEADS, SOUGHT, amount, value
from fabric.report.terminal import Table
from fabric.studies.study import Pareto, Study

__all__ = ["SCHEMA", "front_document", "front_summary", "pareto_csv"]

SCHEMA = "fabric.pareto/1"


def front_document(front: Pareto, *, timed: bool = True) -> dict[str, Any]:
    """Return the front as one plain object (docs/design-json.md)."""
    points = [
        {**values, "design": document(study, timed=timed)}
        for study, values in zip(front.studies, front.values, strict=True)
    ]
    wall_s = round(front.wall_s, 3) if timed else None
    return {
        "schema": SCHEMA,
        "name": front.spec.name,
        "objectives": list(front.names),
        "status": front.status,
        "proven": len(front.proven),
        "wall_s": wall_s,
        "front": points,
    }


def front_summary(front: Pareto) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the table and the closing lines that `fabric optimize --pareto` prints."""
    first, count = front.names[0], len(front.studies)
    number = "1 fabric" if count == 1 else f"{count} fabrics"
    text = f"{front.spec.name}: {number} that nothing allowed beats in all of {_in_words(front)}."
    heads = ("", *(HEADS.get(name, name) for name in front.names), "tiers", "planes", "by tier")
    rows = []
    for place, (study, values) in enumerate(zip(front.studies, front.values, strict=True), 1):
        plan = study.blueprint
        counts = "+".join(units.count(plan.devices(role)) for role in plan.topology.roles)
        sought = (value(name, number) for name, number in values.items())
        rows.append((str(place), *sought, str(plan.tiers), str(plan.planes), counts))
    lines = [*_forms(front), *(_steps(front, first) if count > 1 else ()), _proof(front)]
    return text, [("", heads, rows)], lines


def _forms(front: Pareto) -> Iterator[str]:
    """Say which rows are which form, and which switch models stand in its tiers from the leaf up."""
    found: dict[str, list[int]] = {}
    for place, study in enumerate(front.studies, 1):
        names = [study.blueprint.models[role].name for role in study.blueprint.topology.roles]
        models = names[0] if len(set(names)) == 1 else " + ".join(names)
        found.setdefault(f"{shape(study)}{_meets(study)}, of {models}", []).append(place)
    for text, places in found.items():
        yield f"{'Rows' if len(places) > 1 else 'Row'} {_ranges(places)}: {text}."


def _ranges(places: list[int]) -> str:
    """Write ascending numbers shortly: 1-3, 5."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def pareto_csv(front: Pareto) -> str:
    """Return the front as CSV: the objectives in exact numbers, and what each fabric is made of."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        [*front.names, "family", "rails_meet", "tiers", "planes", "link_gbps", "switch_models", "links_total", "sizes"]
    )
    for study, values in zip(front.studies, front.values, strict=True):
        plan = study.blueprint
        sizes = " ".join(f"{axis}={plan.sizes[axis]}" for axis in plan.topology.axes)
        meets = plan.topology.rails_meet_at if plan.rails > 1 else ""
        row = [plan.topology.family, meets, plan.tiers, plan.planes, plan.link_gbps, _switches(study), plan.links_total]
        writer.writerow([*(f"{number:.10g}" for number in values.values()), *row, sizes])
    return stream.getvalue()


def _in_words(front: Pareto) -> str:
    *most, last = (SOUGHT.get(name, name) for name in front.names)
    return f"{', '.join(most)} and {last}"


def shape(study: Study) -> str:
    """Return a fabric in a few words: family, tiers, planes."""
    plan = study.blueprint
    planes = f", {plan.planes} planes" if plan.planes > 1 else ""
    return f"{plan.topology.family}, {plan.tiers} tier{'s'[: plan.tiers > 1]}{planes}"


def _meets(study: Study) -> str:
    plan = study.blueprint
    return (
        f", rails meeting at the {plan.topology.rails_meet_at}"
        if plan.rails > 1 and plan.topology.rails_meet_at
        else ""
    )


def _switches(study: Study) -> str:
    plan = study.blueprint
    boxes = (box for role in plan.topology.roles for box in plan.boxes(role))
    return " + ".join(f"{units.count(count)} {model.name}" for model, count in boxes)


def _proof(front: Pareto) -> str:
    proven = "nothing is missing" if front.status == "OPTIMAL" else _unproven(front)
    unpriced = dict.fromkeys(name for study in front.studies for name in left_out(study))
    proven += f", but {', '.join(unpriced)} had no known price and was left out" if unpriced else ""
    steps = [SOUGHT[name] for name in front.names if name in ESTIMATED]
    equal = f" Less than 2 % of {' and of '.join(steps)} is no difference." if steps else ""
    return f"Proof: {front.status}, {proven}.{equal}"


def _unproven(front: Pareto) -> str:
    """Say from where on the limit on work leaves others unseen."""
    told = "others may be missing, and may beat some of these"
    if not front.proven:
        return f"the limit on work came first: {told}"
    rows = _ranges([1 + place for place in front.proven])
    return f"the limit on work came first: rows {rows} are proven, beside them {told}"


def _steps(front: Pareto, first: str) -> Iterator[str]:
    """Say what the step from the first fabric to the best in each other objective costs and buys."""
    base = front.values[0]
    for name in front.names[1:]:
        best = min(front.values, key=lambda values: (values[name], values[first]))
        if best[name] < base[name]:
            more = best[first] - base[first]
            yield (
                f"{HEADS.get(name, name)}: from {amount(name, base[name])} to {amount(name, best[name])} for"
                f" {amount(first, more)} more ({more / base[first]:.1%})."
            )
