"""The measure `failures`: what an all-reduce keeps of its bandwidth over random failures, and those of a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.catalog import FailureRate
from fabric.errors import InputError, is_whole
from fabric.flow import ROUTINGS, Routing, Workload
from fabric.request import Spec
from fabric.studies.failure_statistics import PERCENTILES
from fabric.studies.failures import AskedFailures, count_draws, run_failures
from fabric.studies.study import Study
from fabric.sweeps.measure import Measure, MeasureColumn, Setting
from fabric.sweeps.read_settings import read_algorithm, read_routing, read_size
from fabric.topology.families import family

__all__ = ["FAILURES", "KEPT"]

KEPT = {percent: f"failures_kept_p{percent}" for percent in PERCENTILES}
"""The columns of the percentiles of the share of bandwidth kept, by percentile."""

DOWN_PER_GPU = 3e-4
"""The failures at a time for each GPU of the catalogue's rates, roughly: how many draws have any."""


def read_draws(value: Any) -> int | None:
    """Return a number of draws, or None for as many as the fabric's size allows."""
    if value is not None and not is_whole(value, 1):
        raise InputError(f"{value!r:.40} is not a positive whole number of draws")
    return None if value is None else int(value)


def read_seed(value: Any) -> int:
    """Return a seed; raises InputError for anything but a whole number from 0."""
    if not is_whole(value, 0):
        raise InputError(f"{value!r:.40} is not a whole number from 0")
    return int(value)


def read_share(value: Any) -> float:
    """Return a share above 0 and at most 1; raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise InputError(f"{value!r:.40} is not a share above 0 and at most 1, such as 0.95")
    return float(value)


def read_rates(value: Any) -> dict[str, dict[str, float]] | None:
    """Return failure rates by kind in plain form; raises InputError unless each has `per_year` and `repair_h`."""
    if value is None:
        return None
    keys = {"per_year", "repair_h"}
    if not isinstance(value, Mapping) or not all(
        isinstance(each, Mapping) and {*each} == keys for each in value.values()
    ):
        raise InputError("is not a mapping of rates; write for example {leaf: {per_year: 0.01, repair_h: 24}}")
    AskedFailures({kind: (each["per_year"], each["repair_h"]) for kind, each in value.items()})
    return {str(kind): {key: float(number) for key, number in each.items()} for kind, each in value.items()}


def read_counts(value: Any) -> dict[str, int] | None:
    """Return numbers of failed parts by kind; raises InputError for anything but whole numbers from 0."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError("is not a mapping of numbers of failed parts; write for example {link: 3, leaf: 1}")
    for kind, number in value.items():
        if not is_whole(number, 0):
            raise InputError(f"{kind!s:.40}: {number!r:.40} is not a whole number from 0")
    return {str(kind): int(number) for kind, number in value.items()}


def _ask(settings: Mapping[str, Any]) -> AskedFailures:
    rates = {
        kind: FailureRate(kind, each["per_year"], each["repair_h"]) for kind, each in (settings["rates"] or {}).items()
    }
    work = Workload(algorithm=settings["algorithm"], routing=Routing(settings["routing"]))
    return AskedFailures(rates, settings["counts"] or {}, settings["draws"], settings["size"], work, settings["seed"])


def _measure_failures(study: Study, settings: Mapping[str, Any]) -> Sequence[Any]:
    found = run_failures(study, _ask(settings))
    month, first = found.month, max(found.importance, key=lambda each: each.expected)
    rated = found.by_rates
    return (
        found.mean,
        found.standard_error,
        *found.percentiles.values(),
        float(found.kept[found.worst]),
        found.time_at_least(settings["threshold"]),
        found.stopped,
        float(found.gpus_lost.mean()),
        sum(each.failures for each in month) if rated else None,
        sum(each.interruptions for each in month) if rated else None,
        sum(each.interruptions_without_failover for each in month) if rated else None,
        first.kind if first.expected > 0 else None,
        found.draws,
    )


def _estimate_work(spec: Spec, settings: Mapping[str, Any]) -> float:
    """Return the seconds of a simulation: of the draws with any failure, one estimate and one for each kind down."""
    down = DOWN_PER_GPU * spec.gpus if not settings["counts"] else sum(settings["counts"].values())
    each = 0.005 + 8e-6 * spec.gpus
    if ROUTINGS[settings["routing"]].sprays and any(not family(name).layered for name in spec.families):
        each = 0.03 * spec.gpus  # the best spread over the paths of a direct network
    return each * (8 + count_draws(spec.gpus, settings["draws"]) * min(1.0, down) * (1 + min(5.0, down)))


FAILURES = Measure(
    "failures",
    "what an all-reduce keeps of its bandwidth over random failures (docs/failures.md)",
    (
        MeasureColumn("failures_kept_mean", "number", "the mean share of the bandwidth that is kept"),
        MeasureColumn("failures_kept_standard_error", "number", "the standard error of the mean"),
        *(
            MeasureColumn(name, "number", f"the share of the bandwidth that {100 - percent} % of draws reach or exceed")
            for percent, name in KEPT.items()
        ),
        MeasureColumn("failures_kept_worst", "number", "the share kept in the worst draw"),
        MeasureColumn("failures_time_at_threshold", "number", "the share of time with at least the threshold"),
        MeasureColumn("failures_time_stopped", "number", "the share of time in which a flow has no path"),
        MeasureColumn("failures_gpus_lost", "number", "the GPUs out of service on average"),
        MeasureColumn("failures_per_month", "number", "the parts that fail in a month; missing with counts"),
        MeasureColumn("failures_interruptions_per_month", "number", "those that stop the job if NICs fail over"),
        MeasureColumn("failures_interruptions_without_failover", "number", "those that stop it if they do not"),
        MeasureColumn("failures_costliest_kind", "text", "the kind of part whose failures cost most, as expected"),
        MeasureColumn("failures_draws_made", "whole", "the draws"),
    ),
    _measure_failures,
    (
        Setting("size", MeasureColumn("failures_size_bytes", "whole", "the message size"), 2**30, read_size),
        Setting("routing", MeasureColumn("failures_routing", "text", "the routing"), "adaptive", read_routing),
        Setting(
            "algorithm",
            MeasureColumn("failures_algorithm", "text", "the algorithm asked for; missing: the library's choice"),
            None,
            read_algorithm,
        ),
        Setting("draws", MeasureColumn("failures_draws", "whole", "the draws asked for"), None, read_draws),
        Setting("seed", MeasureColumn("failures_seed", "whole", "the seed of the first draw"), 0, read_seed),
        Setting("threshold", MeasureColumn("failures_threshold", "number", "the share of bandwidth"), 0.95, read_share),
        Setting(
            "rates", MeasureColumn("failures_rates", "text", "rates that override the catalogue's"), None, read_rates
        ),
        Setting(
            "counts", MeasureColumn("failures_counts", "text", "numbers of parts that are down"), None, read_counts
        ),
    ),
    _estimate_work,
)
