"""What failures cost a collective: the bandwidth that is kept of that of the healthy fabric, over several seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import InputError, is_whole
from fabric.flow.engine_choice import choose_engine
from fabric.flow.engines import FLOWS, Engine
from fabric.flow.estimate import Estimate
from fabric.flow.explicit_flows import Bounds, NoPath
from fabric.flow.failure_words import Failed
from fabric.flow.failures import draw_failures
from fabric.flow.router import router_of
from fabric.flow.workload import (
    Answer,
    Workload,
    answer_by_flows,
    bound_flows,
    lay_flows,
    read_sizes,
    refuse_long_runs,
    refuse_mistaken,
)
from fabric.presented import Presented

__all__ = ["FailureImpact", "Kept", "estimate_impact"]

SEEDS = 8
"""The seeds of an estimate by default."""

FEWEST_SEEDS = 2
"""The least seeds by default where anything is drawn."""

SEEDED_GPUS = 1 << 18
"""The GPUs of all seeds together by default: a large fabric takes fewer seeds."""


@dataclass(frozen=True)
class Kept:
    """What is left of the bandwidth of one size, for each seed."""

    size_bytes: int
    """The size of the collective."""
    healthy: tuple[Estimate, ...]
    """The estimates with all links up."""
    left: tuple[Estimate | None, ...]
    """The estimates after the failures, None where these leave some flow without a path."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of its bandwidth that each seed keeps: the healthy time over that after the failures."""
        pairs = zip(self.healthy, self.left, strict=True)
        return tuple(healthy.time_s / left.time_s if left else 0.0 for healthy, left in pairs)

    @property
    def mean(self) -> float:
        """The share that is kept of the mean bandwidth over the seeds."""
        left = sum(each.algbw_GBps for each in self.left if each)
        return left / sum(each.algbw_GBps for each in self.healthy)

    @property
    def worst(self) -> float:
        """The least share over the seeds."""
        return min(self.shares)


@dataclass(frozen=True, repr=False)
class FailureImpact(Presented):
    """What failures cost a workload.

    Each seed draws the failures, the placement and the hashes anew, and compares the collective after the failures with
    the same one between the same GPUs when all links are up: by the same engine, with the same placement and hashes.
    """

    seeds: tuple[int, ...]
    """The seeds; one where nothing is drawn."""
    failed: tuple[Failed, ...]
    """What fails under the first seed."""
    healthy: tuple[Answer, ...]
    """The answer for each size under the first seed with all links up."""
    kept: tuple[Kept, ...]
    """What is left for each size."""
    answers: tuple[Answer, ...]
    """The answer for each size under the first seed after the failures, as `estimate_workload` has it."""
    bounds: Bounds
    """Upper bounds on the flows of the first seed after the failures, and on the collective."""

    def __repr__(self) -> str:
        words, kept = ", ".join(each.word for each in self.failed), min(each.worst for each in self.kept)
        return (
            f"<FailureImpact of {words}: at least {100 * kept:.1f} % kept, {units.count_noun(len(self.seeds), 'seed')}>"
        )


def estimate_impact(
    blueprint: Blueprint,
    workload: Workload,
    sizes: Sequence[int],
    seeds: int | None = None,
    progress: Callable[[str], object] | None = None,
) -> FailureImpact:
    """Estimate what a workload's failures cost it for each of `sizes`, over `seeds` seeds from its own on.

    By default there are eight seeds, fewer on large fabrics, two where packets are sprayed over a direct network, and
    one where nothing is drawn: named failures, ranks in order and packets that are sprayed. Raises InputError as
    `estimate_workload` does for the first seed; under another, a flow without a path keeps nothing.
    """
    refuse_mistaken(blueprint, workload)
    sizes = read_sizes(sizes)
    if not workload.failures:
        raise InputError("no failures; give one or more, such as leaf:1")
    blueprint = replace(blueprint, library=workload.library.over(blueprint.library))
    engine = choose_engine(blueprint, workload)
    if seeds is not None and not is_whole(seeds, 1):
        raise InputError(f"seeds {seeds!r:.40}: not a positive whole number")
    failed = draw_failures(blueprint, workload.failures, workload.seed)
    count = _count_seeds(blueprint, workload, failed) if seeds is None else int(seeds)
    if engine is FLOWS:
        refuse_long_runs(blueprint, workload, count)
    offsets = range(count)
    flows, lost = lay_flows(blueprint, workload, engine)
    pairs = []
    for offset in offsets:
        if progress is not None and count > 1:
            progress(f"failures, seed {workload.seed + offset}")
        if offset == 0:
            answers = answer_by_flows(flows, workload, sizes, lost)
            pairs.append((answer_by_flows(flows.healthy(), workload, sizes, lost), answers))
        else:
            pairs.append(_estimate_pair(blueprint, _reseed(workload, offset), sizes, engine))
    kept = [
        Kept(
            size,
            tuple(healthy[index].estimate for healthy, _ in pairs),
            tuple(left[index].estimate if left else None for _, left in pairs),
        )
        for index, size in enumerate(sizes)
    ]
    seeds_ = tuple(workload.seed + offset for offset in offsets)
    return FailureImpact(seeds_, failed, pairs[0][0], tuple(kept), answers, bound_flows(flows, answers[-1]))


def _count_seeds(blueprint: Blueprint, workload: Workload, failed: Sequence[Failed]) -> int:
    """Return the number of seeds by default."""
    drawn = workload.order.drawn or not workload.routing.policy.sprays
    if not (drawn or any(each.drawn for each in failed)):
        return 1
    if workload.routing.policy.sprays and router_of(blueprint).links_tried:
        return FEWEST_SEEDS  # the best spread over the paths of a direct network takes seconds
    return max(FEWEST_SEEDS, min(SEEDS, SEEDED_GPUS // (workload.gpus or blueprint.gpus)))


def _reseed(workload: Workload, offset: int) -> Workload:
    routing = replace(workload.routing, seed=workload.routing.seed + offset)
    return replace(workload, seed=workload.seed + offset, routing=routing)


def _estimate_pair(
    blueprint: Blueprint, workload: Workload, sizes: Sequence[int], engine: Engine
) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    """Return the answers with all links up and after the failures, none of these where some flow has no path."""
    try:
        flows, lost = lay_flows(blueprint, workload, engine)
    except NoPath:
        whole, _ = lay_flows(blueprint, replace(workload, failures=()), engine)
        return answer_by_flows(whole, workload, sizes), ()
    healthy = answer_by_flows(flows.healthy(), workload, sizes, lost)
    try:
        return healthy, answer_by_flows(flows, workload, sizes, lost)
    except NoPath:
        return healthy, ()
