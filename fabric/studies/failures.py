"""Monte-Carlo failures of a design: parts are down at random, and the flow model says what a collective keeps."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fabric.blueprint.hosts import Hosts
from fabric.catalog import FailureRate, failure_rates
from fabric.errors import InputError, is_whole
from fabric.flow import Workload
from fabric.flow.masked_estimates import MaskedEstimates
from fabric.flow.parts_at_risk import KindAtRisk, PartsAtRisk, find_parts_at_risk
from fabric.flow.placements import NO_GPUS
from fabric.flow.workload import place_ranks
from fabric.frozen import FrozenMapping
from fabric.request import Spec
from fabric.studies.failure_statistics import FailureStatistics, KindAlone
from fabric.studies.study import Study, design

__all__ = ["AskedFailures", "count_draws", "run_failures", "simulate_failures"]

MOST_DRAWS = 200
"""The draws by default on a fabric of up to some thousand GPUs."""

FEWEST_DRAWS = 20
"""The least draws by default."""

DRAWN_GPUS = 1 << 20
"""The GPUs of all draws together by default: a large fabric takes fewer draws."""

TRIED_ALONE = 8
"""The parts of each kind that are down alone, one after another."""

FEWER_ALONE, LARGE_GPUS = 3, 1 << 15
"""The same on a fabric of more GPUs than this."""

Rates = Mapping[str, FailureRate | tuple[float, float]]
"""Failure rates by kind: records, or the failures of a part in a year with the hours of a repair."""


@dataclass(frozen=True)
class AskedFailures:
    """What is asked of a simulation of failures; raises InputError for a value that makes no sense."""

    rates: Rates = field(default_factory=dict)
    """Failure rates by kind, which override the catalogue's."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Numbers of parts that are down in every draw. With these no rate of the catalogue is used."""
    draws: int | None = None
    """The number of draws; None for as many as the fabric's size allows, from 20 to 200."""
    size_bytes: int = 2**30
    """The size of the collective."""
    workload: Workload = field(default_factory=Workload)
    """The collective, by default an all-reduce on all GPUs; its placement and hashes are the same in every draw."""
    seed: int = 0
    """The seed of the first draw."""

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        for name, value in (("draws", self.draws), ("size_bytes", self.size_bytes)):
            if value is not None and not is_whole(value, 1):
                raise InputError(f"{name} {value!r:.40}: not a positive whole number")
        if not is_whole(self.seed, 0):
            raise InputError(f"seed {self.seed!r:.40}: not a whole number from 0")
        if self.workload.failures:
            raise InputError("failures of the workload: leave them out; they are drawn by rates or counts")
        kinds: dict[str, object] = {"rates": self.rates, "counts": self.counts}
        for words, mapping in kinds.items():
            if not isinstance(mapping, Mapping):
                raise InputError(f"{words} {mapping!r:.40}: not a mapping of kinds of parts, such as {{'leaf': ...}}")
        given = {kind: _read_rate(kind, rate) for kind, rate in self.rates.items()}
        object.__setattr__(self, "rates", FrozenMapping(given))
        object.__setattr__(self, "counts", FrozenMapping(self.counts))

    @property
    def rates_used(self) -> dict[str, FailureRate]:
        """The rates to draw by: those given over the catalogue's, and alone where counts are given."""
        given: Any = dict(self.rates)  # records since it was made
        return given if self.counts else {**failure_rates(), **given}


def simulate_failures(  # noqa: PLR0913
    source: Study | str | os.PathLike[str] | Mapping[str, Any] | Spec,
    *,
    rates: Rates | None = None,
    counts: Mapping[str, int] | None = None,
    draws: int | None = None,
    size_bytes: int = 2**30,
    workload: Workload | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> FailureStatistics:
    """Return what a collective keeps of its bandwidth when parts of a design are down, over many draws.

    `source` is a study, or a request as `design` takes it. In each draw every part is down with the share of time that
    its rate and repair time make, independently of all others. Draw i depends on `seed` + i alone. The other words are
    those of `AskedFailures`. Raises InputError for these, as `find_parts_at_risk` does and for a fabric without GPUs,
    and TooLarge where its network is.
    """
    rates = {} if rates is None else rates
    counts = {} if counts is None else counts
    asked = AskedFailures(rates, counts, draws, size_bytes, workload or Workload(), seed)
    study = source if isinstance(source, Study) else design(source, progress=progress)
    return run_failures(study, asked, progress)


def run_failures(
    study: Study, asked: AskedFailures, progress: Callable[[str], None] | None = None
) -> FailureStatistics:
    """Return what is asked of failures of a design; raises InputError and TooLarge as `simulate_failures` does."""
    plan, say = study.blueprint, progress or (lambda text: None)
    if not plan.gpus:
        raise InputError(f"{plan.name}: {NO_GPUS}")
    draws = count_draws(plan.gpus, asked.draws)
    risk = find_parts_at_risk(plan, asked.rates_used, asked.counts)
    estimates = MaskedEstimates.of(plan, asked.workload, asked.size_bytes)
    estimates.refuse_long_runs(_expect_estimates(risk, draws))
    columns = _draw_all(risk, estimates, range(asked.seed, asked.seed + draws), say)
    alone = []
    for kind in risk.kinds:
        say(f"one {kind.kind} down alone")
        alone.append(_try_alone(risk, estimates, kind, asked.seed))
    found = FailureStatistics(
        study.spec.name, asked.workload, asked.size_bytes, estimates.healthy, risk.kinds, asked.seed,
        *columns, tuple(alone), (),
    )  # fmt: skip
    worst = risk.draw(found.seeds[found.worst])
    names = tuple((kind, tuple(each.names())) for kind, each in worst.items())
    return replace(found, worst_parts=names)


def count_draws(gpus: int, asked: int | None = None) -> int:
    """Return the number of draws: what is asked for, or as many as a fabric of this number of GPUs allows."""
    return asked or max(FEWEST_DRAWS, min(MOST_DRAWS, DRAWN_GPUS // max(1, gpus)))


def _read_rate(kind: str, rate: FailureRate | tuple[float, float]) -> FailureRate:
    if isinstance(rate, FailureRate):
        return rate
    numbers: Any = rate if isinstance(rate, tuple | list) and len(rate) == 2 else (None, None)
    if not all(_is_number(each) and 0 <= each < math.inf for each in numbers):
        raise InputError(
            f"failure rate of {kind} {rate!r:.60}: not failures a year and hours to repair, such as (0.01, 24)"
        )
    per_year, repair_h = map(float, numbers)
    return FailureRate(kind, per_year, repair_h)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _expect_estimates(risk: PartsAtRisk, draws: int) -> float:
    """Return how many masks are estimated on average: of draws with failures, again without each kind, and alone."""
    none = [kind.none_down for kind in risk.kinds]
    each_draw = 1 - math.prod(none) + sum(1 - share for share in none)
    return draws * each_draw + sum(min(kind.parts, _count_alone(risk)) for kind in risk.kinds)


def _count_alone(risk: PartsAtRisk) -> int:
    return TRIED_ALONE if risk.parts.blueprint.gpus <= LARGE_GPUS else FEWER_ALONE


def _draw_all(
    risk: PartsAtRisk, estimates: MaskedEstimates, seeds: range, say: Callable[[str], object]
) -> tuple[Any, Any, Any, Any]:
    """Return the columns of all draws: parts down, share kept, GPUs lost, and share kept without each kind."""
    shape = (len(seeds), len(risk.kinds))
    down, lost = np.zeros(shape, np.int64), np.zeros(shape[0], np.int64)
    kept, without = np.ones(shape[0]), np.ones(shape)
    for row, seed in enumerate(seeds):
        say(f"failures, draw {row + 1:,} of {shape[0]:,}")
        failed = risk.draw(seed)
        kept[row], lost[row] = estimates.keep(risk.links_up(failed))
        without[row] = kept[row]
        for column, kind in enumerate(risk.kinds):
            if kind.kind in failed:
                down[row, column] = len(failed[kind.kind].numbers)
                without[row, column] = estimates.keep(risk.links_up(failed, kind.kind)).share
    return down, kept, lost, without


def _try_alone(risk: PartsAtRisk, estimates: MaskedEstimates, kind: KindAtRisk, seed: int) -> KindAlone:
    """Return what one part of a kind costs alone: of each of a few parts, or of some that are drawn.

    Parts that take down a link of the job's servers are counted, and drawn apart from the others (stratified): of a job
    on a sixteenth of the GPUs a few parts drawn from all would mostly be elsewhere, and show that nothing stops it.
    """
    near = risk.find_parts(kind.kind, _find_nics(estimates)[risk.nic_of_links])
    groups = [group for group in (np.flatnonzero(near), np.flatnonzero(~near)) if group.size]
    most = _count_alone(risk)
    tried, shares = 0, np.zeros(2)
    for index, group in enumerate(groups):
        others = sum(map(len, groups[index + 1 :]))
        number = max(most - tried - others, math.ceil((most - tried) / (len(groups) - index)))
        left = [estimates.keep(each.up) for each in risk.draw_alone(kind, seed, group, number)]
        values = [(each.share, each.stopped or each.gpus_lost > 0) for each in left]
        shares += np.mean(values, axis=0) * len(group) / kind.parts
        tried += len(left)
    return KindAlone(tried, float(shares[0]), float(shares[1]), float(near.mean()))


def _find_nics(estimates: MaskedEstimates) -> Any:
    """Return which NICs are in servers of the job, shape (NICs,)."""
    blueprint, work = estimates.blueprint, estimates.workload
    hosts = Hosts.of(blueprint)
    gpus = place_ranks(blueprint, work)
    servers = np.zeros(blueprint.servers, bool)
    servers[hosts.server_of_gpu(gpus)] = True
    return servers[hosts.server_of_nic(np.arange(blueprint.nics))]
