"""What is left of a month of training after failures: checkpoints, work that is done again, and restarts.

Interruptions come at random at a constant rate, also while a job restarts (J. T. Daly, "A higher order estimate of the
optimum checkpoint interval for restart dumps", Future Generation Computer Systems 22, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric import units
from fabric.blueprint import Blueprint
from fabric.catalog import HOURS_PER_YEAR, FailureRate
from fabric.errors import InputError
from fabric.flow.parts_at_risk import HOURS_PER_MONTH, find_parts_at_risk
from fabric.presented import Presented

__all__ = ["Goodput", "Interruptions", "Recovery", "find_interruptions", "goodput_of"]

DAYS_PER_YEAR = HOURS_PER_YEAR / 24

DAY_S = 86400.0

MONTH_S = 3600 * HOURS_PER_MONTH

MOST_FAILURES = 20
"""The mean failures within one attempt beyond which a job gets nowhere: of e^20 attempts one succeeds."""

BISECTIONS = 60
"""Halvings of an interval from 0 to 1, to more digits than a number has."""


@dataclass(frozen=True)
class Interruptions:
    """The failures of one kind that stop a job."""

    kind: str
    """The kind of part, or `other`."""
    parts: int | None
    """The parts of the job that may fail; None where they are not counted."""
    per_day: float
    """The mean number of interruptions in a day."""


@dataclass(frozen=True)
class Recovery:
    """How a job saves its state and comes back; raises InputError for times that make no sense."""

    checkpoint_s: float
    """For how long training stands still for a checkpoint; what is written beside it does not count."""
    restart_s: float
    """From a failure until training goes on: until it is noticed, its part replaced, and the last checkpoint loaded."""
    interval_s: float | None = None
    """The seconds of training between two checkpoints; None: those with which most is left."""

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        for name, value in vars(self).items():
            if value is None and name == "interval_s":
                continue
            if not (math.isfinite(value) and value >= 0) or (name == "interval_s" and value == 0):
                raise InputError(f"{name} {value:g}: not a time in seconds; give for example {name}=30")


@dataclass(frozen=True)
class Goodput(Presented):
    """What is left of a job's time."""

    interruptions: tuple[Interruptions, ...]
    """What stops the job, by kind, most often first."""
    recovery: Recovery
    """How it saves its state and comes back, with the interval used; None of a job that needs no checkpoint."""
    effective: float
    """The share of time in which it trains what it keeps."""
    checkpoints: float
    """The share of time for checkpoints."""
    rework: float
    """The share of time for work since the last checkpoint that is lost, with the checkpoints that did not end."""
    restarts: float
    """The share of time for restarts."""
    tokens_per_month: float | None = None
    """The tokens trained and kept in a month of a twelfth of a year; None where a step's are not given."""

    @property
    def per_day(self) -> float:
        """The mean number of interruptions in a day."""
        return math.fsum(each.per_day for each in self.interruptions)

    @property
    def hours_between(self) -> float | None:
        """The mean hours between two interruptions; None where there are none."""
        return 24 / self.per_day if self.per_day else None


def find_interruptions(
    blueprint: Blueprint, rates: Mapping[str, FailureRate], gpus: int | None = None, *, others_per_day: float = 0.0
) -> tuple[Interruptions, ...]:
    """Return what stops a job on `gpus` GPUs of a design, by default all, in proportion to these.

    It stops where a GPU, a NIC or a server fails, and on a fabric of one plane where a leaf or a link between a server
    and its leaf does; elsewhere packets take other paths. `others_per_day` are what no part causes, such as software:
    in Llama 3's 54 days 63 of 419 (arXiv:2407.21783, table 5). Raises InputError as `find_parts_at_risk`.
    """
    share = 1.0 if gpus is None else gpus / blueprint.gpus
    kinds = {"gpu", "nic", "server"}
    if blueprint.planes == 1:
        kinds |= {blueprint.topology.bundles[0].name, "leaf"}
    found = [
        Interruptions(each.kind, round(each.parts * share), each.parts * share * each.rate.per_year / DAYS_PER_YEAR)
        for each in find_parts_at_risk(blueprint, rates).kinds
        if each.kind in kinds and each.rate is not None and each.rate.per_year is not None
    ]
    if others_per_day:
        found.append(Interruptions("other", None, others_per_day))
    return tuple(sorted(found, key=lambda each: -each.per_day))


def goodput_of(
    interruptions: tuple[Interruptions, ...],
    recovery: Recovery,
    *,
    step_s: float | None = None,
    tokens_per_step: float | None = None,
) -> Goodput:
    """Return what is left of a job's time that these interruptions stop.

    With M the mean time between two of them, τ the interval, δ a checkpoint and R a restart, τ of training takes
    M exp(R/M) (exp((τ+δ)/M) - 1) on average (Daly). Checkpoints follow whole steps where `step_s` is given. Raises
    InputError where failures come so often that a job gets nowhere.
    """
    per_day = math.fsum(each.per_day for each in interruptions)
    mean_s = DAY_S / per_day if per_day else math.inf
    interval = recovery.interval_s or max(_best_interval_s(mean_s, recovery.checkpoint_s), step_s or 1.0)
    if step_s is not None and math.isfinite(interval):
        interval = step_s * max(1, round(interval / step_s))
    shares = _shares_of_time(mean_s, interval, recovery)
    kept = None if step_s is None or tokens_per_step is None else shares[0] * MONTH_S / step_s * tokens_per_step
    used = replace(recovery, interval_s=interval if math.isfinite(interval) else None)
    return Goodput(interruptions, used, *shares, kept)


def _shares_of_time(mean_s: float, interval_s: float, recovery: Recovery) -> tuple[float, float, float, float]:
    """Return the shares of time of training that is kept, checkpoints, work done again, and restarts."""
    saved_s = interval_s + recovery.checkpoint_s
    if math.isinf(mean_s):
        return (
            (1.0, 0.0, 0.0, 0.0) if math.isinf(interval_s) else (interval_s / saved_s, 1 - interval_s / saved_s, 0, 0)
        )
    if max(saved_s, recovery.restart_s) > MOST_FAILURES * mean_s:
        raise InputError(
            f"a job that is interrupted every {units.time(mean_s)} gets nowhere with {units.time(interval_s)} between "
            f"checkpoints of {units.time(recovery.checkpoint_s)} and restarts of {units.time(recovery.restart_s)}; "
            "make these shorter"
        )
    attempts_s = mean_s * math.expm1(saved_s / mean_s)
    whole_s = attempts_s * math.exp(recovery.restart_s / mean_s)
    return (
        interval_s / whole_s, recovery.checkpoint_s / whole_s,
        (attempts_s - saved_s) / whole_s, -math.expm1(-recovery.restart_s / mean_s),
    )  # fmt: skip


def _best_interval_s(mean_s: float, checkpoint_s: float) -> float:
    """Return the seconds between checkpoints with which most is left: with x = τ/M, ln(1 - x) + x = -δ/M.

    There the derivative of the mean time is 0. With longer checkpoints than those of MOST_FAILURES a job gets nowhere.
    """
    if math.isinf(mean_s) or not checkpoint_s:
        return mean_s if math.isinf(mean_s) else 0.0
    low, high, wanted = 0.0, 1.0, -min(checkpoint_s / mean_s, MOST_FAILURES)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if math.log1p(-middle) + middle > wanted else (low, middle)
    return mean_s * low
