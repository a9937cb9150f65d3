"""What a GPU-hour and the tokens trained in it cost, as a document and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.table import Table
from fabric.report.text import join_words
from fabric.training.gpu_hour import GpuHour
from fabric.training.step import TrainingStep

__all__ = ["gpu_hour_object", "list_costs", "list_missing", "tabulate_costs"]


def gpu_hour_object(hour: GpuHour) -> dict[str, Any]:
    """Return the price of a GPU-hour as one plain object (docs/design-json.md)."""
    parts = {name: getattr(hour, name) for name in ("usd", "servers_hour_usd", "fabric_hour_usd")}
    return {**asdict(hour), "missing": list(hour.missing), **parts}


def list_missing(step: TrainingStep) -> Iterator[str]:
    """Yield why it is not known what tokens cost, where it is not."""
    if step.gpu_hour.missing:
        yield f"What tokens cost is not known without {join_words(step.gpu_hour.missing)}, or `gpu_hour_usd`."


def list_costs(step: TrainingStep) -> Iterator[str]:
    """Yield the sentences on what tokens cost, and on what the price of a GPU-hour is made of or lacks."""
    yield from list_missing(step)
    hour, cost = step.gpu_hour, step.usd_per_trillion_tokens()
    if cost is None:
        return
    yield f"A trillion tokens cost {units.money(cost, hour.currency)}, at {_hourly(hour, hour.usd)} for a GPU-hour."
    if hour.given_usd is None:
        yield (
            f"Of that price servers are {_hourly(hour, hour.servers_hour_usd)}"
            f" ({units.money(hour.servers_usd, hour.currency)} in all) and the fabric"
            f" {_hourly(hour, hour.fabric_hour_usd)} ({units.money(hour.fabric_usd, hour.currency)}), over"
            f" {units.count_noun(hour.years or 0, 'year')} in which all GPUs are in use; electricity, buildings and"
            " people are not in it."
        )


def _hourly(hour: GpuHour, amount: float | None) -> str:
    """Return an amount for an hour, to a tenth of a cent: fabrics often differ by less than a cent."""
    return units.money(None) if amount is None else f"{units.money_sign(hour.currency)}{amount:,.3f}"


def tabulate_costs(named: Sequence[tuple[str, TrainingStep]]) -> list[Table]:
    """Return the table of what a GPU-hour on several fabrics is made of and what tokens cost, a row for each.

    Without a price that is made of parts there is none.
    """
    if all(step.gpu_hour.servers_usd is None for _, step in named):
        return []
    heads = ("fabric", "servers", "network", "GPU-hour", "10^12 tokens")
    rows = []
    for name, step in named:
        hour = step.gpu_hour
        parts = (_hourly(hour, each) for each in (hour.servers_hour_usd, hour.fabric_hour_usd, hour.usd))
        rows.append((name, *parts, units.money(step.usd_per_trillion_tokens(), hour.currency)))
    years = join_words([f"{each:g}" for each in dict.fromkeys(step.gpu_hour.years for _, step in named) if each])
    return [Table(f"A GPU-hour, over {years} years", heads, rows)]
