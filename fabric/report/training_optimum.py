"""The cheapest fabric that keeps a training step within a slowdown, as a document and for a terminal."""

from __future__ import annotations

from typing import Any

from fabric import units
from fabric.report.describe import describe
from fabric.report.design_json import design_object
from fabric.report.table import Summary, Table
from fabric.report.terminal import summarize_design
from fabric.report.text import format_percent
from fabric.report.training import step_object
from fabric.studies.training_optimum import TrainingOptimum, TriedFabric

__all__ = ["SCHEMA", "optimum_object", "summarize_optimum"]

SCHEMA = "fabric.training-optimum/1"

SHOWN = 12
"""The fabrics that failed which the terminal lists; JSON has all."""


def optimum_object(found: TrainingOptimum) -> dict[str, Any]:
    """Return an optimum as one plain object (docs/design-json.md)."""
    price = found.run.gpu_hour_usd
    return {
        "schema": SCHEMA,
        "design": design_object(describe(found.study)),
        "slowdown": found.slowdown,
        "slower": found.slower,
        "saved_usd": found.saved_usd,
        "reference_usd": found.reference_usd,
        "step": step_object(found.step),
        "reference": step_object(found.reference),
        "usd_per_trillion_tokens": found.step.usd_per_trillion_tokens(price),
        "reference_usd_per_trillion_tokens": found.reference.usd_per_trillion_tokens(price),
        "failed": [{**_counts(each), "cost_usd": each.cost_usd, "step_s": each.step_s} for each in found.failed],
    }


def _counts(tried: TriedFabric) -> dict[str, Any]:
    plan = tried.blueprint
    return {"tiers": plan.tiers, "planes": plan.planes, "switches": plan.switches, "links": plan.links_total}


def summarize_optimum(found: TrainingOptimum) -> Summary:
    """Return what the terminal shows: the design, and what the step takes on it and on cheaper ones."""
    text, tables, lines = summarize_design(describe(found.study))
    proof = "proven the cheapest" if found.study.proof.status == "OPTIMAL" else "the cheapest found within the budget"
    step, reference, price = found.step, found.reference, found.run.gpu_hour_usd
    slower = f"{format_percent(found.slower, '.2f')} more than" if round(found.slower, 4) > 0 else "no more than the"
    saved = f"{units.money(found.saved_usd)} less" if found.saved_usd else "as much"
    said = (
        f"A step of {step.model} takes {units.time(step.step_s)} under {found.routing} routing, {slower}"
        f" {units.time(reference.step_s)} on the cheapest fabric of full bandwidth. That one costs"
        f" {units.money(found.reference_usd)}; this one costs {saved}, and is {proof} within a slowdown of"
        f" {format_percent(found.slowdown)}."
    )
    more = []
    if price is not None:
        cost, other = (each.usd_per_trillion_tokens(price) for each in (step, reference))
        more = [f"A trillion tokens cost {units.money(cost)} of GPU time, and {units.money(other)} at full bandwidth."]
    return Summary(text, [*tables, *_list_failed(found)], [*lines, said, *more])


def _list_failed(found: TrainingOptimum) -> list[Table]:
    """Return the last of the cheaper fabrics that are too slow, those of one cost and step once."""
    rows = dict[tuple[str, ...], None]()
    for each in found.failed:
        slower = each.step_s / found.reference.step_s - 1
        values = units.money(each.cost_usd), units.time(each.step_s), f"+{format_percent(slower, '.2f')}"
        rows[(*values, units.count(each.blueprint.switches), units.count(each.blueprint.links_total))] = None
    heads = ("cost", "step", "slower", "switches", "links")
    return [Table("Cheaper fabrics that are too slow", heads, [*rows][-SHOWN:])] if rows else []
