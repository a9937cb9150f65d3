"""The cheapest fabric that keeps a training step within a slowdown, as a document and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.describe import describe
from fabric.report.design_json import design_object
from fabric.report.gpu_hour import list_cost_rows, list_costs
from fabric.report.table import Summary, Table, tabulate_side_by_side
from fabric.report.terminal import summarize_design
from fabric.report.text import format_percent, join_words
from fabric.report.training import step_object
from fabric.request import Spec
from fabric.studies.training_optimum import TrainingOptimum, TriedFabric

__all__ = ["SCHEMA", "optimum_object", "summarize_optimum"]

SCHEMA = "fabric.training-optimum/1"

SHOWN = 12
"""The fabrics that failed which the terminal lists; JSON has all."""


def optimum_object(found: TrainingOptimum, *, timed: bool = True) -> dict[str, Any]:
    """Return an optimum as one plain object (docs/design-json.md); unless `timed`, without the time of the search."""
    return {
        "schema": SCHEMA,
        "design": design_object(describe(found.study), timed=timed),
        "slowdown": found.slowdown,
        "slower": found.slower,
        "saved_usd": found.saved_usd,
        "limited_by": found.limited_by,
        "reference_usd": found.reference_usd,
        "step": step_object(found.step),
        "reference": step_object(found.reference),
        "usd_per_trillion_tokens": found.step.usd_per_trillion_tokens(),
        "reference_usd_per_trillion_tokens": found.reference.usd_per_trillion_tokens(),
        "failed": [{**_counts(each), "cost_usd": each.cost_usd, "step_s": each.step_s} for each in found.failed],
    }


def _counts(tried: TriedFabric) -> dict[str, Any]:
    plan = tried.blueprint
    return {"tiers": plan.tiers, "planes": plan.planes, "switches": plan.switches, "links": plan.links_total}


def summarize_optimum(found: TrainingOptimum) -> Summary:
    """Return what the terminal shows: the design, and what the step takes on it and on cheaper ones."""
    text, tables, lines = summarize_design(describe(found.study))
    proof = "proven the cheapest" if found.study.proof.status == "OPTIMAL" else "the cheapest found within the budget"
    step, reference, currency = found.step, found.reference, found.study.spec.currency
    slower = f"{format_percent(found.slower, '.2f')} more than" if round(found.slower, 4) > 0 else "no more than the"
    saved = f"{units.money(found.saved_usd, currency)} less" if found.saved_usd else "as much"
    said = (
        f"A step of {step.model} takes {units.time(step.step_s)} under {found.routing} routing, {slower}"
        f" {units.time(reference.step_s)} on the cheapest fabric of full bandwidth. That one costs"
        f" {units.money(found.reference_usd, currency)}; this one costs {saved}, and is {proof} within a slowdown of"
        f" {format_percent(found.slowdown)}."
    )
    rows = list_cost_rows([step, reference])
    costs = tabulate_side_by_side(("this one", "full bandwidth"), rows) if rows else []
    return Summary(
        text,
        [*tables, *_list_failed(found), *costs],
        [*lines, said, *_describe_search(found), *list_costs(step), *_compare_costs(found)],
    )


def _describe_search(found: TrainingOptimum) -> Iterator[str]:
    """Yield among which fabrics the cheapest was looked for, and whether it is these that keep the cost up."""
    allowed = _describe_ratios(found.study.spec)
    yield f"Searched: all fabrics that the request allows, with an `oversubscription` of {allowed}."
    if found.limited_by == "request" and found.study.blueprint.tiers > 1:
        yield (
            "Note: The cheapest of these is fast enough, so it is the request and not the slowdown that keeps the cost"
            " up; with a larger `oversubscription` fabrics with fewer links up are tried too."
        )


def _describe_ratios(spec: Spec) -> str:
    """Return how far fabrics of a request may be oversubscribed, by tier where that differs."""
    roles = list(dict.fromkeys([*spec.oversubscription, *spec.least_oversubscription])) or ["*"]
    words = {role: _describe_ratio(float(spec.least_ratio(role)), float(spec.ratio(role))) for role in roles}
    return join_words([text if role == "*" else f"{text} ({role})" for role, text in words.items()])


def _describe_ratio(least: float, most: float) -> str:
    if most in (least, 1):
        return f"{most:.4g}:1"
    return f"{least:.4g}:1 to {most:.4g}:1" if least else f"at most {most:.4g}:1"


def _compare_costs(found: TrainingOptimum) -> Iterator[str]:
    """Yield what tokens cost at full bandwidth, and whether the cheaper fabric pays for the slower step."""
    here, there = (each.usd_per_trillion_tokens() for each in (found.step, found.reference))
    if here is None or there is None:
        return
    other = units.money(there, found.reference.gpu_hour.currency)
    text = f"At full bandwidth a trillion tokens cost {other}"
    if here <= there:
        yield f"{text}."
    elif found.step.gpu_hour.given_usd is not None:
        yield f"{text}: the price of a GPU-hour is the same on both, and the step is longer here."
    else:
        yield f"{text}: what the longer step costs in GPUs is more than what the fabric saves."


def _list_failed(found: TrainingOptimum) -> list[Table]:
    """Return the last of the cheaper fabrics that are too slow, those of one cost and step once."""
    rows, currency = dict[tuple[str, ...], None](), found.study.spec.currency
    for each in found.failed:
        slower = each.step_s / found.reference.step_s - 1
        values = units.money(each.cost_usd, currency), units.time(each.step_s), f"+{format_percent(slower, '.2f')}"
        rows[(*values, units.count(each.blueprint.switches), units.count(each.blueprint.links_total))] = None
    heads = ("cost", "step", "slower", "switches", "links")
    return [Table("Cheaper fabrics that are too slow", heads, [*rows][-SHOWN:])] if rows else []
