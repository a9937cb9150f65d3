"""Why this fabric: what came second, which limits bind, and what one step more would buy, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.report.objectives import SOUGHT, amount

__all__ = ["reasons"]

SHOWN = 3
"""The binding limits that are told; the design object has all."""


def reasons(proof: dict[str, Any]) -> Iterator[str]:
    """Yield the sentences that explain a choice, from the `optimizer` part of its design object."""
    if proof["binding"] is None:
        return
    name, least = proof["objective_name"], proof["objective"]
    runner = proof["runner_up"]
    if runner:
        yield f"The runner-up, {runner['name']}, comes to {_more(name, runner[name], least)}."
    elif proof["status"] == "OPTIMAL":
        yield "No other form that the request allows comes within a fourth of it."
    for item in proof["binding"][:SHOWN]:
        loosened = "without it" if item["loosened_to"] is None else f"at {_said(item['loosened_to'])}"
        then = f"{amount(name, item['objective'])}, {_share(item['objective'], least)}"
        yield f"What binds: {item['limit']} {_said(item['value'])}; {loosened} the least would be {then}."
    if not proof["binding"]:
        yield f"No single limit of the request, loosened, would lower its {SOUGHT.get(name, name)}."
    fewer = proof["fewer_hops"]
    if fewer:
        hops = f"{fewer['hops_max']} switch{'es' if fewer['hops_max'] > 1 else ''}"
        yield f"Paths of at most {hops} would come to {_more(name, fewer['objective'], least)}."


def _more(name: str, value: float, least: float) -> str:
    if value == least:
        return f"{amount(name, value)}, the same"
    return f"{amount(name, value)}, {amount(name, value - least)} more ({_share(value, least)})"


def _share(value: float, least: float) -> str:
    return f"{(value - least) / least:+.2%}" if least else f"{value - least:+,.6g}"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " or ".join(map(_said, value))
    return units.number(value) if isinstance(value, int | float) else str(value)
