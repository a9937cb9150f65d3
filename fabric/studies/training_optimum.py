"""The cheapest fabric on which a training step takes little longer than on one of full bandwidth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import Infeasible, InputError
from fabric.optimizer import OBJECTIVES, LinearObjective, Requirement, SizingResult, find_cheapest_passing, size
from fabric.presented import Presented
from fabric.request import Spec
from fabric.request.limits import LIMITS
from fabric.request.parallel import Parallel
from fabric.request.request_keys import RequestKeys, list_request_keys
from fabric.studies.study import Source, Study, read_source
from fabric.studies.training import AskedTraining, complete_on, train_on
from fabric.training.counted_network import CountedNetwork
from fabric.training.message import Message
from fabric.training.message_views import MessageView
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import prepare_step
from fabric.training.step import TrainingStep
from fabric.training.step_run import Step

__all__ = ["TrainingOptimum", "TriedFabric", "optimize_training"]

LARGEST_SLOWDOWN = 10.0
"""The most that a step may be asked to be slower, as a share: beyond, no fabric is worth training on."""


SPARE = 1 / 1024
"""The ratio of a tier with so much room that it limits nothing."""

PRECISE = 1.02
"""How many times as large as the least ratio that is too narrow the one found may be."""

MOST_SIZES = 2048
"""The most sizes of places, in servers, of which it is known what leaves them."""

SAME = 1e-9
"""Shares that differ relatively by less than this are equal."""


@dataclass(frozen=True)
class TriedFabric:
    """A fabric on which a step was timed."""

    blueprint: Blueprint
    """The fabric."""
    cost_usd: float
    """What its switches and links cost."""
    step_s: float
    """The seconds of a step."""


@dataclass(frozen=True, eq=False, repr=False)
class TrainingOptimum(Presented):
    """The cheapest fabric that keeps the step of a run within a slowdown."""

    study: Study
    """The request with that fabric."""
    run: AskedTraining
    """The run."""
    routing: str
    """The routing under which steps are timed."""
    slowdown: float
    """The most by which the step may be longer, as a share of the reference."""
    step: TrainingStep
    """A step on it."""
    reference: TrainingStep
    """A step on the cheapest fabric of full bandwidth (1:1) with adaptive routing."""
    reference_usd: float
    """What that fabric costs."""
    failed: tuple[TriedFabric, ...] = field(repr=False)
    """The fabrics that cost less and were too slow, in the order of cost."""

    def __repr__(self) -> str:
        return (
            f"<TrainingOptimum {self.study.spec.name}: a step of {self.step.model} in {self.step.step_s:.4g} s,"
            f" {self.slower:+.2%} on full bandwidth's>"
        )

    @property
    def slower(self) -> float:
        """By which share the step is longer than the reference."""
        return self.step.step_s / self.reference.step_s - 1

    @property
    def saved_usd(self) -> float:
        """What the fabric costs less than one of full bandwidth."""
        return self.reference_usd - self.study.proof.objective

    @property
    def limited_by(self) -> str:
        """What keeps the cost up: `slowdown`, or `request` where the cheapest fabric that it allows is fast enough."""
        return "slowdown" if self.failed else "request"


@dataclass(frozen=True)
class _LeastTimes:
    """The times of messages that share NICs alone with those beside them, and not the links above."""

    view: MessageView
    """The times of messages."""

    def seconds(self, message: Message) -> float:
        """Return the seconds of one call of a message."""
        return self.view.seconds(message)

    def beside(self, message: Message, other: Message) -> float:
        """Return how many times as long a message takes at least while another one is sent all the while."""
        alone = self.seconds(message)
        return max(1.0, self.view.network.ideal(message, [other]).total_s / alone) if alone else 1.0


@dataclass(frozen=True, eq=False)
class _Timer:
    """Times the step of a run on fabrics of the same servers."""

    step: Step
    """The step."""
    parallel: Parallel
    """How the model is divided."""
    sent: dict[tuple[Any, ...], npt.NDArray[np.float64] | None] = field(default_factory=dict)
    """What messages send out of the fullest place of each size, by message and sets of rails."""

    @classmethod
    def of(cls, blueprint: Blueprint, run: AskedTraining) -> _Timer:
        """Return the timer of a run; raises InputError for what can't run on such servers."""
        return cls(prepare_step(blueprint, run).step, run.parallel)

    @cached_property
    def messages(self) -> list[Message]:
        """One message of each collective and group."""
        found = {
            (call.message.collective, call.message.group): call.message
            for chunk in self.step.chunks
            for call in chunk.calls
        }
        return [*found.values()]

    def step_s(self, network: NetworkTime) -> float:
        """Return the seconds of a step."""
        return self.step.run(MessageView(network)).step_s

    def least_s(self, network: NetworkTime) -> float:
        """Return the least seconds of a step: messages that are sent at the same time share NICs alone."""
        return self.step.run(_LeastTimes(MessageView(network))).step_s

    def list_needs(self, blueprint: Blueprint, routing: str, most: float) -> Iterator[Requirement]:
        """Yield what a fabric of the topology of one that failed needs for a step of at most `most` seconds.

        A tier alone must not make the step longer, with room to spare on all others and one switch on every path. Where
        the fullest place of another size sends at least the share a of what each message sends out of this one's, a
        ratio is no better there than a times as large a one here. ECMP collides by the number of places, too: for other
        sizes the needs are those of sprayed packets, and its own for this one.
        """
        for name in dict.fromkeys(("adaptive", routing)):
            network = NetworkTime.of(blueprint, self.parallel, name)
            if not isinstance(network.network, CountedNetwork):
                return
            summary = network.network.summary
            for tier, (servers, ratio) in enumerate(zip(summary.peers, summary.ratios, strict=True), 1):
                fails = self._least_failing(network, tier, ratio, most)
                if fails is None:
                    continue
                if name == "adaptive":
                    yield from self._needs_of_sizes(network, tier, servers, fails)
                else:
                    yield Requirement(tier, fails, (servers,))

    def _least_failing(self, network: NetworkTime, tier: int, ratio: float, most: float) -> float | None:
        """Return about the least ratio of a tier at which steps are too long; None where `ratio` is not the cause."""
        tiers = len(network.network.summary.ratios)

        def fails(value: float) -> bool:
            ratios = tuple(value if each == tier else SPARE for each in range(1, tiers + 1))
            return self.least_s(network.at_ratios(ratios)) > most

        if not fails(ratio):
            return None
        low, high = SPARE, ratio
        while high > low * PRECISE:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if fails(middle) else (middle, high)
        return high

    def _needs_of_sizes(self, network: NetworkTime, tier: int, servers: int, fails: float) -> Iterator[Requirement]:
        """Yield the ratios that places of every size must be below, as `fails` is for those of `servers` servers."""
        every = -(-self.parallel.gpus // network.run.blueprint.server.gpus)
        sizes = np.union1d(np.arange(1, min(every, MOST_SIZES) + 1), [servers])
        least = np.full(len(sizes), np.inf)
        for message in filter(network.crosses, self.messages):
            sent = self._sent_of_sizes(network, message, tier, sizes)
            if sent is None:
                yield Requirement(tier, fails, (servers,))
                return
            least = np.minimum(least, _relate_sizes(sent, sizes == servers))
        # Sizes of about the same need go together, by the largest of theirs.
        needs = np.divide(fails, least, out=np.full(len(sizes), np.inf), where=least > 0)
        steps = np.ceil(np.log(needs[np.isfinite(needs)]) / math.log(PRECISE) - SAME)
        for step in np.unique(steps):
            alike = sizes[np.isfinite(needs)][steps == step]
            yield Requirement(tier, PRECISE ** float(step), tuple(int(each) for each in alike))

    def _sent_of_sizes(
        self, network: NetworkTime, message: Message, tier: int, sizes: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64] | None:
        sets = network.network.summary.unmet_rails[tier - 1]
        key = message.collective, message.group, sets, tuple(sizes[-1:]), len(sizes)
        if key not in self.sent:
            self.sent[key] = network.fullest(message, tier, [int(each) for each in sizes])
        return self.sent[key]


def _relate_sizes(sent: npt.NDArray[np.float64], own: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return how many times as much as out of places of one's own size at least leaves those of each, shape (sizes,).

    `sent` is what `NetworkTime.fullest` returns, and `own` says which size is one's own. A pipeline waits at every
    boundary: where the one that has most in all, most first, has as many times what any has of one's own size, it is as
    much slower at least.
    """
    if sent.ndim == 1:
        return np.asarray(np.divide(sent, sent[own], out=np.full(len(sent), np.inf), where=sent[own] > 0), np.float64)
    most = sent[own, 1]
    found = np.divide(sent[:, 0], most, out=np.full(sent[:, 0].shape, np.inf), where=most > 0).min(axis=1)
    return np.asarray(np.where(own, 1.0 if most.any() else np.inf, found))


@list_request_keys
def optimize_training(
    source: Source | Spec | None = None,
    train: Any = None,
    *,
    slowdown: float = 0.02,
    routing: str = "adaptive",
    progress: Callable[[str], None] | None = None,
    **request: Unpack[RequestKeys],
) -> TrainingOptimum:
    """Return the cheapest fabric on which the step of a run is at most `slowdown` longer than at full bandwidth.

    `train` is a file, or a mapping, of a model with `parallel` and `batch` (`fabric.request.model_file.TrainingKeys`),
    on all GPUs of the request where it does not say on how many.
    The reference is the cheapest fabric of the same servers that is not oversubscribed, with adaptive routing. Designs
    are timed in the order of cost under `routing`, and the first that passes is proven to be the cheapest. Raises as
    `design` does, and InputError for a run that is incomplete or can't run, and where no fabric is fast enough.
    """
    say = progress or (lambda text: None)
    spec = read_source(source, request)
    if train is None:
        raise InputError("no run to train; name the file of a model with its `parallel` and `batch`")
    run = AskedTraining.read(train)
    if isinstance(slowdown, bool | str) or not 0 <= slowdown <= LARGEST_SLOWDOWN:
        raise InputError(f"slowdown {slowdown!r:.40}: not a share from 0 to {LARGEST_SLOWDOWN:g}; write 0.02 for 2 %")
    say("sizing the fabric of full bandwidth")
    reference, fallback = _size_reference(spec, say)
    run = complete_on(reference.blueprint, run)
    timer = _Timer.of(reference.blueprint, run)

    def time_on(blueprint: Blueprint, name: str = routing) -> float:
        return timer.step_s(NetworkTime.of(blueprint, run.parallel, name))

    best_s = time_on(reference.blueprint, "adaptive")
    most = best_s * (1 + slowdown)
    times = dict[int, float]()

    def judge(blueprint: Blueprint) -> list[Requirement] | None:
        times[len(times)] = step_s = time_on(blueprint)
        return None if step_s <= most else [*timer.list_needs(blueprint, routing, most)]

    passes = fallback is not None and time_on(fallback.blueprint) <= most
    found = find_cheapest_passing(spec, judge, fallback if passes else None, say)
    if found is None:
        raise InputError(
            f"{spec.name}: under {routing} routing no fabric that the request allows has a step of {run.model.name} of"
            f" at most {most:.4g} s; the fastest of {len(times):,} tried takes {min(times.values()):.4g} s, a slowdown"
            f" of {min(times.values()) / best_s - 1:.2%}"
        )
    study = Study(spec, found.blueprint, found.proof)
    return TrainingOptimum(
        study, run, routing, slowdown,
        step=train_on(study, run, routing=routing),
        reference=train_on(Study(spec, reference.blueprint, reference.proof), run),
        reference_usd=reference.proof.objective,
        failed=tuple(TriedFabric(plan, cost, times[number]) for number, (cost, plan) in enumerate(found.failed)),
    )  # fmt: skip


def _size_reference(spec: Spec, say: Callable[[str], None]) -> tuple[SizingResult, SizingResult | None]:
    """Return the cheapest fabric of full bandwidth, without limits where none is within them, and if it is, again."""
    cost = OBJECTIVES["cost"]
    assert isinstance(cost, LinearObjective), "it is a built-in one"
    full = replace(spec, oversubscription={}, least_oversubscription={})
    try:
        found = size(full, (cost,), say)
    except Infeasible:
        limits = spec.limits
        for key, limit in LIMITS.items():
            limits = limits.without(key) if limit.objective else limits
        return size(replace(full, limits=limits, pinned={}, survive={}), (cost,), say), None
    return found, found
