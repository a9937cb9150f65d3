"""Why this fabric, in sentences that a manager can read: what came second, what binds, what one step more would buy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.objectives import HEADS, SOUGHT, amount, value

__all__ = ["reasons"]

SHOWN = 3
"""The binding limits that are told; the design object has all."""

WORTH = 0.001
"""The share of the objective below which a change is not told."""

TIES = "fewer tiers, then fewer planes, switch models and parallel links, then fuller leaves"


def reasons(design: dict[str, Any]) -> Iterator[str]:
    """Yield the sentences that explain a choice, from its design object."""
    proof = design["optimizer"]
    if proof["binding"] is None:
        return
    yield from _parts(design)
    yield from _second(proof)
    yield from _electricity(design)
    yield from _limits(proof)
    yield from _shorter(proof)


def _parts(design: dict[str, Any]) -> Iterator[str]:
    """Say what the parts of a weighted sum come to."""
    name = design["optimizer"]["objective_name"]
    totals = {
        "cost_usd": design["cost_usd"]["total"],
        "power_w": design["power_w"]["total"],
        "hops_max": design["hops"]["max"],
        "switches": design["switches"]["total"],
        "links": design["links"]["total"],
    }
    words = [word for word in re.findall("[a-z_]+", name) if totals.get(word) is not None]
    if len(words) > 1 and name not in SOUGHT:
        yield f"The weighed sum is of {' and '.join(f'{HEADS.get(w, w)} {value(w, totals[w])}' for w in words)}."


def _second(proof: dict[str, Any]) -> Iterator[str]:
    name, least, runner = proof["objective_name"], proof["objective"], proof["runner_up"]
    if runner and runner[name] == least:
        yield f"The runner-up, {runner['name']}, comes to the same; of equals the one chosen has {TIES}."
    elif runner:
        yield f"The runner-up, {runner['name']}, comes to {_more(name, runner[name], least)}."
    elif proof["status"] == "OPTIMAL":
        yield "Nothing else that the request allows, of another build, comes within a fourth of it."


def _electricity(design: dict[str, Any]) -> Iterator[str]:
    cost, years = design["cost_usd"], design["request"].get("years")
    if cost.get("electricity") and cost["total"]:
        share = cost["electricity"] / cost["total"]
        price = units.money(cost["electricity"])
        yield f"Electricity over {units.number(years)} years is {price}, {share:.1%} of the cost."


def _limits(proof: dict[str, Any]) -> Iterator[str]:
    """Say what loosening a limit would bring, where that is worth telling."""
    name, least = proof["objective_name"], proof["objective"]
    settled = [item for item in proof["binding"] if item["objective"] is not None]
    worth = [item for item in settled if least - item["objective"] >= WORTH * abs(least)]
    told = []
    for item in worth[:SHOWN]:
        loosened = "without it" if item["loosened_to"] is None else f"at {_said(item['loosened_to'])}"
        then = f"{amount(name, item['objective'])}, {_share(item['objective'], least)}"
        told.append(f"{item['limit']} {_said(item['value'])}, {loosened} the least would be {then}")
    if told:
        yield f"What binds: {'; '.join(told)}."
    if unsettled := [item["limit"] for item in proof["binding"] if item["objective"] is None]:
        yield f"Whether {' or '.join(unsettled)} binds was not settled within the limit on work."
    elif not settled:
        yield f"No single limit of the request, relaxed, would lower its {SOUGHT.get(name, name)}."
    if settled and not worth:
        names = ", ".join(item["limit"] for item in settled)
        yield f"What binds ({names}) would, relaxed, save less than {WORTH:.1%} each."


def _shorter(proof: dict[str, Any]) -> Iterator[str]:
    if fewer := proof["fewer_hops"]:
        hops = f"{fewer['hops_max']} switch{'es' if fewer['hops_max'] > 1 else ''}"
        more = _more(proof["objective_name"], fewer["objective"], proof["objective"])
        yield f"Paths of at most {hops} would come to {more}."


def _more(name: str, number: float, least: float) -> str:
    if number == least:
        return f"{amount(name, number)}, the same"
    return f"{amount(name, number)}, {amount(name, number - least)} more ({_share(number, least)})"


def _share(number: float, least: float) -> str:
    return f"{(number - least) / least:+.2%}" if least else f"{number - least:+,.6g}"


def _said(item: Any) -> str:
    """Write a limit's value; the word for all other tiers is `elsewhere`."""
    if isinstance(item, dict):
        if list(item) == ["*"]:
            return _said(item["*"])
        return ", ".join(f"{'elsewhere' if key == '*' else key} {_said(each)}" for key, each in item.items())
    if isinstance(item, list):
        return " or ".join(map(_said, item))
    return units.number(item) if isinstance(item, int | float) else str(item)
