"""What failures leave of a collective over many draws: means, percentiles, which kind matters most, and a month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.flow import Estimate, Workload
from fabric.flow.parts_at_risk import HOURS_PER_MONTH, KindAtRisk
from fabric.frozen_columns import FrozenColumns
from fabric.presented import Plotted

__all__ = ["PERCENTILES", "THRESHOLDS", "FailureStatistics", "Importance", "KindAlone", "Month"]

PERCENTILES = (1, 5, 50, 95, 99)
"""The percentiles of the bandwidth kept: below the first is what one draw in a hundred leaves."""

THRESHOLDS = (1.0, 0.99, 0.95, 0.9, 0.75, 0.5)
"""The shares of bandwidth whose availability is listed."""

SAME = 1e-9
"""Shares that differ by less than this are equal."""


@dataclass(frozen=True)
class KindAlone:
    """What one failed part of a kind costs when nothing else is down, over the parts tried."""

    tried: int
    """The parts tried: all where they are few, otherwise drawn, those at the job's servers apart from the others."""
    kept: float
    """The mean share of the bandwidth that is kept."""
    stops: float
    """The share of the parts whose failure leaves a flow without a path or takes GPUs from the job."""
    at_nic: float
    """The share of the parts whose failure takes a NIC's link down: without failover between NICs the job stops."""


@dataclass(frozen=True)
class Importance:
    """What one kind of part costs, by the same draws without its failures."""

    kind: str
    """The kind."""
    gain: float
    """How much larger the mean share kept would be if no part of this kind ever failed."""
    standard_error: float | None
    """The standard error of the gain, over the paired draws; None for a single draw."""
    expected: float
    """The gain to expect if each part down took the same share of what the others leave: 1 - exp(-n c).

    Here n is the mean number down, by a Poisson law, and c what one costs alone; where failures are rare it is their
    product. It counts kinds of which too few fail for the draws to show it.
    """


@dataclass(frozen=True)
class Month:
    """What one kind of part does in a month."""

    kind: str
    """The kind."""
    failures: float
    """The mean number of failures."""
    interruptions: float
    """Those of them that stop the job, which loses GPUs or a path, where NICs fail over to each other."""
    interruptions_without_failover: float
    """Those that stop it where any NIC that loses a link does."""


@dataclass(frozen=True, eq=False, repr=False)
class FailureStatistics(FrozenColumns, Plotted):
    """A collective under failures that are drawn anew many times, each draw a moment of the fabric's life.

    Column arrays have one row a draw, and where they have a second axis one entry for each of `kinds`.
    """

    name: str
    """The name of the design."""
    workload: Workload
    """The collective, its placement and routing, which are the same in every draw."""
    size_bytes: int
    """The size of the collective."""
    healthy: Estimate
    """The estimate with all parts up."""
    kinds: tuple[KindAtRisk, ...]
    """The kinds of parts that may be down."""
    seed: int
    """The seed of the first draw; the others follow."""
    down: npt.NDArray[np.int64]
    """The parts of each kind that are down, shape (draws, kinds)."""
    kept: npt.NDArray[np.float64]
    """The share of the healthy bandwidth between the GPUs in service, 0 where a flow has no path, shape (draws,)."""
    gpus_lost: npt.NDArray[np.int64]
    """The GPUs in servers that are down or cut off, without which the collective runs, shape (draws,)."""
    kept_without: npt.NDArray[np.float64]
    """The share kept when all of a draw but one kind is down, shape (draws, kinds)."""
    alone: tuple[KindAlone, ...]
    """What one failure of each kind costs alone."""
    worst_parts: tuple[tuple[str, tuple[str, ...]], ...]
    """The names of what is down in the worst draw, by kind."""

    def __repr__(self) -> str:
        return f"<FailureStatistics {self.name}: {self.draws:,} draws keep {self.mean:.2%} on average>"

    @property
    def draws(self) -> int:
        """The number of draws."""
        return len(self.kept)

    @property
    def seeds(self) -> range:
        """The seed of each draw."""
        return range(self.seed, self.seed + self.draws)

    @property
    def by_rates(self) -> bool:
        """Whether all failures are drawn by rates, so that shares of draws are shares of time."""
        return all(each.rate is not None for each in self.kinds)

    @property
    def mean(self) -> float:
        """The mean share kept."""
        return float(self.kept.mean())

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None for a single draw."""
        return _standard_error(self.kept)

    @property
    def percentiles(self) -> dict[int, float]:
        """The percentiles of the share kept, each a draw's value: the least that this many per cent do not exceed."""
        found = np.percentile(self.kept, PERCENTILES, method="inverted_cdf")
        return dict(zip(PERCENTILES, found.tolist(), strict=True))

    @cached_property
    def worst(self) -> int:
        """The index of the worst draw: the least kept, of equal ones the most GPUs lost, then the first."""
        return int(np.lexsort((-self.gpus_lost, self.kept))[0])

    @property
    def stopped(self) -> float:
        """The share of draws in which some flow has no path, so that the collective stops."""
        return float((self.kept == 0).mean())

    def time_at_least(self, share: float) -> float:
        """Return the share of draws that keep at least this share of the bandwidth.

        Where failures are drawn by rates that is a share of time. Raises InputError for a share that is not above 0 and
        at most 1.
        """
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InputError(f"share {share!r:.40}: not above 0 and at most 1, such as 0.95")
        return float((self.kept >= share - SAME).mean())

    @property
    def importance(self) -> tuple[Importance, ...]:
        """What each kind costs, the largest first; kinds whose failures hide each other each gain less than both."""
        gains = self.kept_without - self.kept[:, None]
        found = [
            Importance(
                each.kind,
                float(gain.mean()),
                _standard_error(gain),
                # expm1 keeps the digits of rare failures, and 0.0 - 0.0 is 0.0, where a negation gives -0.0.
                0.0 - math.expm1(each.expected_down * (alone.kept - 1)),
            )
            for each, gain, alone in zip(self.kinds, gains.T, self.alone, strict=True)
        ]
        return tuple(sorted(found, key=lambda each: (-each.gain, -each.expected)))

    @property
    def month(self) -> tuple[Month, ...]:
        """The failures and interruptions of a month, by the kinds that have a rate."""
        return tuple(
            Month(each.kind, number, number * alone.stops, number * max(alone.stops, alone.at_nic))
            for each, alone in zip(self.kinds, self.alone, strict=True)
            if (number := each.failures_per_month) is not None
        )

    @property
    def hours_between_interruptions(self) -> tuple[float | None, float | None]:
        """The mean hours between two failures that stop the job, with and without failover between NICs.

        None where no failure of the kinds that have a rate stops it.
        """
        month = self.month
        each = (
            sum(kind.interruptions for kind in month),
            sum(kind.interruptions_without_failover for kind in month),
        )
        with_failover, without = (HOURS_PER_MONTH / number if number else None for number in each)
        return with_failover, without

    def columns(self) -> dict[str, list[Any]]:
        """Return one row a draw as columns: the seed, the share kept, the GPUs lost, and the parts down by kind."""
        down = {f"{each.kind}_down": self.down[:, index].tolist() for index, each in enumerate(self.kinds)}
        return {"seed": [*self.seeds], "kept": self.kept.tolist(), "gpus_lost": self.gpus_lost.tolist(), **down}


def _standard_error(values: npt.NDArray[np.float64]) -> float | None:
    """Return the standard error of the mean of independent draws; None for one."""
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
