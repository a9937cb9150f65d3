"""What failures cost a collective, as a table, as lines and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric import units
from fabric.draw.words import count_devices
from fabric.flow import Estimate, FailureImpact
from fabric.flow.failure_words import Failed
from fabric.report.table import Table
from fabric.report.text import format_percent

__all__ = ["failed_objects", "impact_objects", "list_failed", "list_parts", "tabulate_impact"]

SHOWN = 3
"""The names of failed parts that a line has; JSON has all."""

LISTED = 8
"""The failures that have a line each."""


def failed_objects(failed: Sequence[Failed]) -> list[dict[str, Any]]:
    """Return what `failed`, with every name."""
    return [{"failure": each.word, "drawn": each.drawn, "names": each.names()} for each in failed]


def impact_objects(impact: FailureImpact) -> Iterator[dict[str, Any]]:
    """Yield for each size the healthy fabric under the first seed, and the share that all seeds keep."""
    for healthy, kept in zip(impact.healthy, impact.kept, strict=True):
        yield {
            "healthy": {
                "algorithm": healthy.estimate.algorithm,
                "time_s": healthy.estimate.time_s,
                "busbw_GBps": healthy.estimate.busbw_GBps,
                "share_of_line_rate": {"mean": healthy.mean, "min": healthy.min},
            },
            "share_kept": {
                "mean": kept.mean,
                "worst": kept.worst,
                "seeds": list(impact.seeds),
                "by_seed": list(kept.shares),
            },
        }


def tabulate_impact(impact: FailureImpact, routing: str) -> Table:
    """Return the bandwidth of every size with all links up and after the failures, with the share kept."""
    heads = ("size", "healthy GB/s", "after failures", "kept: mean", "kept: worst")
    rows = [
        (
            units.size(each.size_bytes),
            f"{_mean_busbw(each.healthy):,.1f}",
            f"{_mean_busbw(each.left):,.1f}",
            format_percent(each.mean, ".1f"),
            format_percent(each.worst, ".1f"),
        )
        for each in impact.kept
    ]
    return Table(f"{routing} routing: busbw healthy and after the failures, {_name_seeds(impact)}", heads, rows)


def list_failed(impact: FailureImpact) -> Iterator[str]:
    """Yield what failed under the first seed, with the first names, and how many seeds were left without a path."""
    yield from list_parts(impact.failed, impact.seeds[0])
    if cut := sum(left is None for left in impact.kept[0].left):
        yield (
            f"Under {cut} of {len(impact.seeds)} seeds the failures leave some flow without a path: the collective"
            " never ends, and keeps nothing."
        )


def list_parts(failed: Sequence[Failed], seed: int) -> Iterator[str]:
    """Yield what `failed` under a seed, with the first names."""
    for each in failed[:LISTED]:
        names, count = each.names(SHOWN), len(each.numbers)
        more = f" and {count - len(names):,} more" if count > len(names) else ""
        drawn = f", drawn by seed {seed}" if each.drawn else ""
        yield f"{each.word} takes down {_count(each)}{drawn}: {', '.join(names) or 'none'}{more}."
    if len(failed) > LISTED:
        yield f"{len(failed) - LISTED:,} more failures are listed in JSON (--json)."


def _count(failed: Failed) -> str:
    """Return how many parts fail: `3 links`, `1 leaf`."""
    if failed.devices is None:
        return units.count_noun(len(failed.numbers), "link")
    if failed.devices.role in ("nic", "gpu"):
        return units.count_noun(len(failed.numbers), failed.devices.role.upper())
    return count_devices(len(failed.numbers), failed.devices.role)


def _mean_busbw(found: Sequence[Estimate | None]) -> float:
    return sum(each.busbw_GBps for each in found if each) / len(found)


def _name_seeds(impact: FailureImpact) -> str:
    """Return over which seeds the means are."""
    first, last = impact.seeds[0], impact.seeds[-1]
    if first == last:
        return f"seed {first}"
    return f"{len(impact.seeds)} seeds ({first} to {last})"
