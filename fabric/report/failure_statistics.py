"""What failures leave of a collective over many draws, as an object, as tables and lines, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from fabric import units
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent
from fabric.studies.failure_statistics import THRESHOLDS, FailureStatistics

__all__ = ["SCHEMA", "draws_csv", "failures_object", "summarize_failures"]

SCHEMA = "fabric.failures/1"

SHOWN = 2
"""The names of failed parts of a kind that a line has; JSON has all."""


def failures_object(found: FailureStatistics) -> dict[str, Any]:
    """Return the statistics as one plain object (docs/design-json.md)."""
    worst, hours = found.worst, found.hours_between_interruptions
    return {
        "schema": SCHEMA,
        "name": found.name,
        "collective": found.workload.collective,
        "algorithm": found.healthy.algorithm,
        "routing": found.workload.routing.name,
        "placement": found.workload.order.name,
        "size_bytes": found.size_bytes,
        "gpus": found.healthy.gpus,
        "healthy_busbw_GBps": found.healthy.busbw_GBps,
        "draws": found.draws,
        "seed": found.seed,
        "kept": {
            "mean": found.mean,
            "standard_error": found.standard_error,
            **{f"p{percent}": share for percent, share in found.percentiles.items()},
            "worst": float(found.kept[worst]),
        },
        "gpus_lost": {"mean": float(found.gpus_lost.mean()), "most": int(found.gpus_lost.max())},
        "stopped": found.stopped,
        "time_at_least": {f"{share:g}": found.time_at_least(share) for share in THRESHOLDS},
        "worst": {
            "seed": found.seeds[worst],
            "kept": float(found.kept[worst]),
            "gpus_lost": int(found.gpus_lost[worst]),
            "failed": {kind: list(names) for kind, names in found.worst_parts},
        },
        "hours_between_interruptions": {"with_failover": hours[0], "without_failover": hours[1]},
        "kinds": [_kind_object(found, index) for index in range(len(found.kinds))],
    }


def _kind_object(found: FailureStatistics, index: int) -> dict[str, Any]:
    kind, alone = found.kinds[index], found.alone[index]
    gain = next(each for each in found.importance if each.kind == kind.kind)
    month = next((each for each in found.month if each.kind == kind.kind), None)
    rate = kind.rate
    return {
        "kind": kind.kind,
        "parts": kind.parts,
        "failures_per_year": rate and rate.per_year,
        "repair_h": rate and rate.repair_h,
        "repair_assumed": None if rate is None else rate.repair_assumed,
        "source": (rate and rate.source) or None,
        "repair_source": (rate and rate.repair_source) or None,
        "down_expected": kind.expected_down,
        "down_mean": float(found.down[:, index].mean()),
        "gain_without": gain.gain,
        "gain_standard_error": gain.standard_error,
        "gain_expected": gain.expected,
        "one_alone": {"tried": alone.tried, "kept": alone.kept, "stops": alone.stops, "at_nic": alone.at_nic},
        "failures_per_month": month and month.failures,
        "interruptions_per_month": month and month.interruptions,
        "interruptions_per_month_without_failover": month and month.interruptions_without_failover,
    }


def summarize_failures(found: FailureStatistics) -> Summary:
    """Return what `fabric failures` prints."""
    healthy, routing = found.healthy, found.workload.routing.policy.label
    text = (
        f"{found.name}: {found.workload.collective} of {units.size(found.size_bytes)} on"
        f" {units.count_noun(healthy.gpus, 'GPU')} by {healthy.algorithm}, {routing} routing:"
        f" {healthy.busbw_GBps:.1f} GB/s busbw with all parts up."
    )
    month = [_tabulate_month(found)] if found.month else []
    return Summary(
        text, [_tabulate_kept(found), _tabulate_time(found), *month, _tabulate_kinds(found)], [*_lines(found)]
    )


def _tabulate_kept(found: FailureStatistics) -> Table:
    error = found.standard_error
    heads = ("mean", "std. error", *(f"p{percent}" for percent in found.percentiles), "worst")
    values = (found.mean, error, *found.percentiles.values(), float(found.kept[found.worst]))
    return Table(
        f"Share of the bandwidth kept in %, {_name_draws(found)}", heads, [[_percent(each) for each in values]]
    )


def _tabulate_time(found: FailureStatistics) -> Table:
    heads = [*(f">= {100 * share:g} %" for share in THRESHOLDS), "stopped"]
    shares = [*(found.time_at_least(share) for share in THRESHOLDS), found.stopped]
    what = "time" if found.by_rates else "draws"
    return Table(f"Share of {what} in % with at least this bandwidth", heads, [[_percent(each) for each in shares]])


def _tabulate_month(found: FailureStatistics) -> Table:
    heads = ("kind", "parts", "a year", "repair (h)", "down", "fail", "stop", "stop *")
    rates = {each.kind: each for each in found.kinds}
    rows: list[tuple[str, ...]] = []
    for each in found.month:
        kind = rates[each.kind]
        assert kind.rate is not None
        facts = f"{kind.rate.per_year:.2%}", f"{kind.rate.repair_h:g}{'?' if kind.rate.repair_assumed else ''}"
        numbers = (kind.expected_down, each.failures, each.interruptions, each.interruptions_without_failover)
        rows.append((each.kind, units.count(kind.parts), *facts, *map(_short, numbers)))
    totals = np.array(
        [(each.failures, each.interruptions, each.interruptions_without_failover) for each in found.month]
    )
    rows.append(("all", "", "", "", "", *map(_short, totals.sum(axis=0))))
    title = "Parts down at a time; parts that fail in a month, and that stop the job with and (*) without NIC failover"
    return Table(title, heads, rows)


def _tabulate_kinds(found: FailureStatistics) -> Table:
    heads = ("kind", "down", "one alone keeps", "gain", "std. error", "expected")
    index = {each.kind: number for number, each in enumerate(found.kinds)}
    rows = [
        (
            each.kind,
            _short(found.down[:, index[each.kind]].mean()),
            _percent(found.alone[index[each.kind]].kept),
            _percent(each.gain, 3),
            _percent(each.standard_error, 3),
            _percent(each.expected, 3),
        )
        for each in found.importance
    ]
    title = "Gain of the mean in percentage points if no part of a kind failed: in the same draws, and expected"
    return Table(title, heads, rows)


def _percent(share: float | None, digits: int = 2) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f}"


def _short(number: float) -> str:
    """Return a number to three digits: `0.0163`, `1,230`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _lines(found: FailureStatistics) -> Iterator[str]:
    with_failover, without = found.hours_between_interruptions
    if without is not None:
        often = "never" if with_failover is None else f"every {_short(with_failover)} h"
        yield f"The job is stopped {often} on average where NICs fail over, and every {_short(without)} h where not."
    worst = found.worst
    lost = f", {units.count_noun(int(found.gpus_lost[worst]), 'GPU')} lost" if found.gpus_lost[worst] else ""
    down = "; ".join(_name_parts(kind, names) for kind, names in found.worst_parts) or "nothing"
    kept = format_percent(float(found.kept[worst]), ".2f")
    yield f"Worst draw (seed {found.seeds[worst]}): {kept} kept{lost}. Down: {down}."
    if found.gpus_lost.any():
        yield (
            f"GPUs out of service: {_short(found.gpus_lost.mean())} on average, at most"
            f" {units.count(int(found.gpus_lost.max()))}. The bandwidth is that between the others."
        )
    if any(each.rate is not None and each.rate.repair_assumed for each in found.kinds):
        yield "? Repair time assumed, as none is published for this kind; override it by --rate KIND=PER_YEAR:HOURS."


def _name_parts(kind: str, names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{len(names):,} {kind} ({', '.join(names[:SHOWN])}{more})"


def _name_draws(found: FailureStatistics) -> str:
    if found.draws == 1:
        return f"1 draw (seed {found.seed})"
    return f"{found.draws:,} draws (seeds {found.seed} to {found.seeds[-1]})"


def draws_csv(found: FailureStatistics) -> str:
    """Return a row for each draw: its seed, the share kept, the GPUs lost, and the parts of each kind that are down."""
    stream, columns = io.StringIO(), found.columns()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue()
