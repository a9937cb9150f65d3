"""What a GPU-hour and the tokens trained in it cost, as a document and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.text import join_words
from fabric.training.gpu_hour import GpuHour
from fabric.training.step import TrainingStep

__all__ = ["gpu_hour_object", "list_cost_notes", "list_cost_rows", "list_costs"]


def gpu_hour_object(hour: GpuHour) -> dict[str, Any]:
    """Return the price of a GPU-hour as one plain object (docs/design-json.md)."""
    parts = {name: getattr(hour, name) for name in ("usd", "servers_hour_usd", "fabric_hour_usd")}
    return {**asdict(hour), "missing": list(hour.missing), **parts}


def list_costs(step: TrainingStep) -> Iterator[str]:
    """Yield the sentences on what tokens cost, and on what the price of a GPU-hour is made of or lacks."""
    yield from _list_missing([step.gpu_hour])
    hour, cost = step.gpu_hour, step.usd_per_trillion_tokens()
    if cost is None:
        return
    yield f"A trillion tokens cost {units.money(cost, hour.currency)}, at {_hourly(hour, hour.usd)} for a GPU-hour."
    if hour.given_usd is None:
        yield (
            f"Of that price servers are {_hourly(hour, hour.servers_hour_usd)}"
            f" ({units.money(hour.servers_usd, hour.currency)} in all) and the fabric"
            f" {_hourly(hour, hour.fabric_hour_usd)} ({units.money(hour.fabric_usd, hour.currency)}),"
            f" {_describe_life([hour])}."
        )


def list_cost_notes(steps: Sequence[TrainingStep]) -> Iterator[str]:
    """Yield what the rows of `list_cost_rows` stand for, and what is missing where they are unknown."""
    hours = [step.gpu_hour for step in steps]
    if any(hour.fabric_hour_usd is not None for hour in hours):
        yield f"GPU-hour: what servers and fabric cost to buy, {_describe_life(hours)}."
    yield from _list_missing(hours)


def _list_missing(hours: Sequence[GpuHour]) -> Iterator[str]:
    """Yield what would have to be known for a price, each lack once."""
    for missing in dict.fromkeys(hour.missing for hour in hours if hour.missing):
        yield f"What tokens cost is not known without {join_words(missing)}, or `gpu_hour_usd`."


def _describe_life(hours: Sequence[GpuHour]) -> str:
    """Return over how long what is bought is written off, and what is not in the price."""
    years = dict.fromkeys(f"{hour.years:.10g}" for hour in hours if hour.years is not None)
    life = f"{join_words([*years])} {'year' if [*years] == ['1'] else 'years'}"
    return f"over {life} in which all GPUs are in use; electricity, buildings and people are not in it"


def _hourly(hour: GpuHour, amount: float | None) -> str:
    """Return an amount for an hour, to a tenth of a cent: fabrics often differ by less than a cent."""
    return units.money(None) if amount is None else f"{units.money_sign(hour.currency)}{amount:,.3f}"


def list_cost_rows(steps: Sequence[TrainingStep]) -> dict[str, list[str]]:
    """Return what tokens cost on several fabrics side by side, by the label of the row; none where no price is known.

    Where a price is made of parts, these have rows too.
    """
    hours = [step.gpu_hour for step in steps]
    rows = dict[str, list[str]]()
    if any(hour.fabric_hour_usd is not None for hour in hours):
        rows = {
            "GPU-hour": [_hourly(hour, hour.usd) for hour in hours],
            "of it servers": [_hourly(hour, hour.servers_hour_usd) for hour in hours],
            "of it the network": [_hourly(hour, hour.fabric_hour_usd) for hour in hours],
        }
    costs = [step.usd_per_trillion_tokens() for step in steps]
    if any(cost is not None for cost in costs):
        rows["10^12 tokens"] = [units.money(cost, hour.currency) for cost, hour in zip(costs, hours, strict=True)]
    return rows
