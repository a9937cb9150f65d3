"""Why this fabric: what changes of the request would save, what came second, and what shorter paths would cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.blueprint.appliances import name_appliances
from fabric.optimizer import BindingLimit
from fabric.report.design import Design
from fabric.report.objectives import heading_of, is_objective, write_amount, write_value
from fabric.report.text import format_percent

__all__ = ["describe_savings", "explain_choice"]

SHOWN = 3
"""The binding limits that are shown; the design object has all."""

WORTH = 0.001
"""The share of the objective below which a change is not shown."""

TIES = "fewer tiers, then fewer planes, switch models and parallel links, then fuller leaves"


def describe_savings(design: Design) -> Iterator[str]:
    """Yield what changing one limit of the request would save, the most first; nothing where that is not worth it."""
    if worth := _worth_showing(design):
        yield f"Savings near the request: {'; '.join(_write_saving(design, *pair) for pair in worth[:SHOWN])}."


def _worth_showing(design: Design) -> list[tuple[BindingLimit, float]]:
    """Return the binding limits with the optimum of each where that is much better."""
    best = design.proof.objective
    decided = [(item, item.objective) for item in design.study.binding or () if item.objective is not None]
    return [(item, value) for item, value in decided if best - value >= WORTH * abs(best)]


def _write_saving(design: Design, item: BindingLimit, value: float) -> str:
    unit = " native ports per pair" if item.limit == "limits.parallel_links" else ""
    own, loosened = f"{_write_limit(item.value)}{unit}", item.loosened_to
    changed = f"{item.limit} {_write_limit(loosened)} instead of {own}" if loosened else f"without {item.limit} {own}"
    full = "" if item.nonblocking is None else f", at 1:1 still {_write_less(design, item.nonblocking)}"
    return f"{changed}: {_write_less(design, value)}{full}"


def _write_less(design: Design, value: float) -> str:
    """Return how much less a value is than the optimum."""
    best = design.proof.objective
    return f"{_write_objective(design, best - value)} ({_write_change(value, best)})"


def explain_choice(design: Design) -> Iterator[str]:
    """Yield the sentences that explain a choice; of one by the cost on a site its runner-up, of a Pareto front none."""
    if design.study.binding is None:
        yield from _explain_runner_up(design) if design.proof.fabrics_laid_out else ()
        return
    yield from _explain_weights(design)
    yield from _explain_runner_up(design)
    yield from _explain_electricity(design)
    yield from _explain_limits(design, design.study.binding)
    yield from _explain_hops(design)


def _explain_weights(design: Design) -> Iterator[str]:
    """Yield what the parts of a weighted sum are."""
    name = design.proof.objective_name
    totals = {
        "cost_usd": design.cost.total,
        "power_w": design.power_w,
        "max_power_w": design.bill.max_power_w,
        "hops_max": design.study.hops.max,
        "switches": design.switches_total,
        "links": design.links_total,
    }
    known = {word: total for word in re.findall("[a-z_]+", name) if (total := totals.get(word)) is not None}
    if len(known) > 1 and not is_objective(name):
        parts = ", ".join(
            f"{heading_of(word)} {write_value(word, total, design.spec.currency)}" for word, total in known.items()
        )
        yield f"Weighted objective: {parts}."


def _explain_runner_up(design: Design) -> Iterator[str]:
    proof, others = design.proof, design.study.others
    best = proof.objective
    if others:
        value = others[0].objectives[proof.objective_name]
        if proof.fabrics_laid_out:
            increase = _write_increase(design, value)
            yield f"The runner-up of those laid out on the site is {others[0].name}, at {increase}."
        elif value == best:
            yield f"The runner-up, {others[0].name}, ties; the tie was broken by {TIES}."
        else:
            yield f"The runner-up is {others[0].name}, at {_write_increase(design, value)}."
    elif proof.status == "OPTIMAL" and not proof.fabrics_laid_out:
        yield "No alternative topology is within 25 % of this optimum."


def _explain_electricity(design: Design) -> Iterator[str]:
    cost = design.cost
    if cost.electricity and cost.total:
        share, years = format_percent(cost.electricity / cost.total, ".1f"), design.spec.request["years"]
        yield (
            f"Electricity over {units.count_noun(years, 'year')}: {design.write_money(cost.electricity)},"
            f" {share} of the cost."
        )


def _explain_limits(design: Design, binding: tuple[BindingLimit, ...]) -> Iterator[str]:
    """Yield which limits bind only a little, or not at all; `describe_savings` has the others."""
    decided = [item for item in binding if item.objective is not None]
    if open_ := [item.limit for item in binding if item.objective is None]:
        yield f"Not determined within the solve budget: whether {' or '.join(open_)} binds."
    elif not decided:
        yield "No limit binds: relaxing any one of them would not improve the optimum."
    if decided and not _worth_showing(design):
        limits = ", ".join(item.limit for item in decided)
        yield f"Relaxing any one of {limits} saves under {format_percent(WORTH)}."


def _explain_hops(design: Design) -> Iterator[str]:
    if fewer := design.study.fewer_hops:
        limit = units.count_noun(fewer.hops_max, "hop")
        more = _write_increase(design, fewer.objective)
        yield f"With paths limited to {limit}, the optimum is {more}."


def _write_increase(design: Design, value: float) -> str:
    best, text = design.proof.objective, _write_objective(design, value)
    if value == best:
        return f"{text}, the same"
    return f"{text}, {_write_objective(design, value - best)} more ({_write_change(value, best)})"


def _write_objective(design: Design, value: float) -> str:
    return write_amount(design.proof.objective_name, value, design.spec.currency)


def _write_change(value: float, best: float) -> str:
    return format_percent((value - best) / best, "+.2f") if best else f"{value - best:+,.6g}"


def _write_limit(value: Any) -> str:
    """Write a limit's value; the key for all other tiers is `elsewhere`."""
    match value:
        case {"*": each, **rest} if not rest:
            return _write_limit(each)
        case dict():
            return ", ".join(
                f"{'elsewhere' if key == '*' else key} {_write_limit(each)}" for key, each in value.items()
            )
        case [{"ports": _}, *_]:
            return name_appliances(value)
        case list():
            return " or ".join(map(_write_limit, value))
        case int() | float():
            return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)
