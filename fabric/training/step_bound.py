"""A time that no step of a layout of a model can beat, so that a search need not time every one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabric.blueprint import Blueprint
from fabric.catalog import Model
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.router import summarize
from fabric.request.parallel import Parallel
from fabric.training.buckets import join_layers, least_bucket
from fabric.training.chunk import Chunk, MessageTimes
from fabric.training.compute import LayerTimes, part_times, stage_times
from fabric.training.kernels import Kernels, kernels_of
from fabric.training.message import Message
from fabric.training.message_views import MessageView
from fabric.training.messages import Call, messages_of
from fabric.training.network_time import NetworkTime
from fabric.training.passes import Overlap, passes_of
from fabric.training.prepared_step import accelerator_of, bytes_of
from fabric.training.ranks import gpus_of_server
from fabric.training.stages import Stage, divide_into_chunks

__all__ = ["StepBound"]

Seconds = NDArray[np.float64]

_NOTHING = LayerTimes({}, {}, {}, {})
"""No computation."""


@dataclass(frozen=True, eq=False)
class StepBound:
    """The bounds of a model's layouts on one fabric."""

    blueprint: Blueprint
    """The fabric."""
    model: Model
    """The model, whose `sequence` the run has."""
    batch: int
    """The sequences of a step, over all GPUs."""
    precision: str
    """The precision of the layers' matrix products."""
    software: str
    """The name of the training framework."""

    def spread_s(self, parallel: Parallel) -> float:
        """Return a time that no step of a layout beats, nor one with a smaller `dp`: computation, spread evenly.

        The slowest of GPUs is taken for those of one data-parallel rank, so that fewer of these are never faster.
        """
        alone, gpus = _without_ranks(parallel), parallel.gpus // parallel.dp
        whole = Stage(self.model.dense_count, self.model.moe_count, logits=True, predicted=self.model.predicted_tokens)
        kernels = replace(self._kernels(parallel), gpus=1 << (gpus.bit_length() - 1))
        micro_batches = self.batch // (parallel.dp * parallel.micro_batch)
        return micro_batches * self._compute(kernels, alone, whole).total_s / parallel.pp

    def bound_s(self, parallel: Parallel, *, ideal: bool = False) -> float:
        """Return a time that no step of a layout beats on this fabric.

        A rank starts when the parts of the model before its own are through with the first micro-batch, and its weights
        are there; after its last backward pass, beside which it may reduce gradients, those parts have theirs. Messages
        take as long as their bytes do on NVLink, or through the NICs of a server; with `ideal`, those of data-parallel
        ranks take what they would on an ideal network, latency and all. Of DualPipe, which hides messages in both
        directions, computation alone counts.
        """
        forward, backward, weight = self._passes(parallel).T
        both = backward + weight
        micro_batches = self.batch // (parallel.dp * parallel.micro_batch)
        work = micro_batches * (forward + both).reshape(parallel.vp, parallel.pp).sum(axis=0)
        if parallel.schedule == "dualpipe":  # each rank has half of the micro-batches of two parts
            return float((work + work[::-1]).max() / 2)
        first, last = forward[: parallel.pp], both[: parallel.pp]
        # While the parts before it compute the last gradients, a rank may compute those of weights left for later.
        passed = np.zeros(parallel.pp) if parallel.schedule == "zero-bubble" else last
        times = self._ideal_times(parallel) if ideal else self._least_times(parallel)
        gather, reduce, overlapped = self._data_s(parallel, times)
        fill = np.maximum(_sum_before(first), gather - first * overlapped)
        drain = np.maximum(_sum_before(passed), reduce - last * overlapped)
        return float((fill + work + drain).max())

    def _passes(self, parallel: Parallel) -> Seconds:
        """Return the seconds of each part's passes of a micro-batch: forward, inputs' and weights' gradients."""
        found = {stage: self._pass_s(parallel, stage) for stage in self._unlike(parallel)[1]}
        return np.array([found[stage] for stage in self._unlike(parallel)[0]])

    def _unlike(self, parallel: Parallel) -> tuple[tuple[Stage, ...], frozenset[Stage]]:
        """Return the parts of the model, and the unlike ones of them."""
        key = parallel.pp, parallel.vp
        if key not in self._parts:
            stages = divide_into_chunks(self.model, parallel)
            self._parts[key] = stages, frozenset(stages)
        return self._parts[key]

    def _pass_s(self, parallel: Parallel, stage: Stage) -> tuple[float, float, float]:
        # Of fewer GPUs the slowest is less slow: those of the power of two below stand for all up to the next one.
        gpus, used = 1 << (parallel.gpus.bit_length() - 1), self._used(parallel)
        alone = _without_ranks(parallel)
        key = parallel if parallel.sharding == "zero3" and parallel.pp == 1 else alone
        where = (key, stage, gpus, used, parallel.schedule == "dualpipe")
        if where not in self._found:
            kernels = replace(self._kernels(parallel), gpus=gpus)
            calls = () if parallel.schedule == "dualpipe" else self._calls(key)
            chunk = Chunk(stage, self._compute(kernels, alone, stage), calls)
            overlap = Overlap(kernels.software, key, kernels.occupied)
            found = passes_of(chunk, overlap, self._least_times(parallel))
            self._found[where] = found.forward_s, found.backward_s, found.weight_s
        return self._found[where]

    def _compute(self, kernels: Kernels, parallel: Parallel, stage: Stage) -> LayerTimes:
        """Return the times of a part of the model."""
        where = kernels.gpus, parallel
        if where not in self._layers:
            self._layers[where] = part_times(kernels, self.model, parallel)
        return stage_times(stage, self._layers[where])

    def _data_s(self, parallel: Parallel, times: MessageTimes) -> tuple[Seconds, Seconds, bool]:
        """Return the seconds in which each rank gathers weights before its first pass, and reduces after its last one.

        Where these run beside passes they are those of a rank's first part alone, whose passes are the first and the
        last ones.
        """
        overlapped = self._kernels(parallel).software.overlaps_dp
        stages, unlike = self._unlike(parallel)
        each = {stage: self._sum_data(parallel, stage, times) for stage in unlike}
        every = np.array([each[stage] for stage in stages]).reshape(parallel.vp, parallel.pp, 2)
        gather, reduce = (every[0] if overlapped else every.sum(axis=0)).T
        return gather, reduce, overlapped

    def _sum_data(self, parallel: Parallel, stage: Stage, times: MessageTimes) -> tuple[float, float]:
        """Return the seconds of a part's data-parallel messages of a step: weights gathered, and gradients reduced."""
        # These messages are the same for any number of data-parallel ranks with the same buckets.
        least = least_bucket(self._kernels(parallel).software, parallel)
        key = replace(parallel, dp=1, vp=1, schedule="1f1b"), stage, least
        if key not in self._data_calls:
            found = Chunk(stage, _NOTHING, join_layers(self._calls(parallel), stage, least)).of("DP", "step")
            self._data_calls[key] = tuple((each.message, n * each.forward, n * each.backward) for n, each in found)
        found_s = [(times.seconds(message), *often) for message, *often in self._data_calls[key]]
        return sum(s * forward for s, forward, _ in found_s), sum(s * backward for s, _, backward in found_s)

    def _calls(self, parallel: Parallel) -> tuple[Call, ...]:
        """Return what a step sends, which is the same for any number of data-parallel ranks and of stages over one."""
        key = replace(parallel, dp=1, pp=min(parallel.pp, 2), schedule="1f1b")
        if key not in self._sent:
            self._sent[key] = messages_of(self.model, key, sent=bytes_of(self._kernels(parallel).software))
        return self._sent[key]

    def _kernels(self, parallel: Parallel) -> Kernels:
        if parallel.recompute not in self._kinds:
            accelerator = accelerator_of(self.blueprint)
            self._kinds[parallel.recompute] = kernels_of(accelerator, self.precision, self.software, parallel)
        return self._kinds[parallel.recompute]

    def _ideal_times(self, parallel: Parallel) -> MessageTimes:
        """Return the times of messages on an ideal network."""
        return MessageView(NetworkTime.of(self.blueprint, parallel)).on_ideal_network()

    def _used(self, parallel: Parallel) -> int:
        """Return the GPUs of each server that a run has."""
        key = parallel.gpus, parallel.tp
        if key not in self._server_gpus:
            self._server_gpus[key] = gpus_of_server(self.blueprint, parallel)
        return self._server_gpus[key]

    def _least_times(self, parallel: Parallel) -> MessageTimes:
        """Return the least times of messages."""
        server = self._summary.server
        return _LeastTimes(
            _degrees(parallel),
            _inside(parallel, server.gpus),
            self._used(parallel) / (server.nics * self._summary.planes * self._summary.link_gbps / 8e-9),
            1e9 * (server.nvlink_GBps or math.inf),
        )

    @cached_property
    def _summary(self) -> FabricSummary:
        return summarize(self.blueprint)

    @cached_property
    def _parts(self) -> dict[tuple[int, int], tuple[tuple[Stage, ...], frozenset[Stage]]]:
        return {}

    @cached_property
    def _server_gpus(self) -> dict[tuple[int, int], int]:
        return {}

    @cached_property
    def _data_calls(self) -> dict[tuple[Parallel, Stage, float], tuple[tuple[Message, float, float], ...]]:
        return {}

    @cached_property
    def _sent(self) -> dict[Parallel, tuple[Call, ...]]:
        return {}

    @cached_property
    def _kinds(self) -> dict[str, Kernels]:
        return {}

    @cached_property
    def _layers(self) -> dict[tuple[int, Parallel], Mapping[str, LayerTimes]]:
        return {}

    @cached_property
    def _found(self) -> dict[tuple[object, ...], tuple[float, float, float]]:
        return {}


@dataclass(frozen=True)
class _LeastTimes:
    """The least times of messages: those of their bytes at the line rate of what they need."""

    degrees: Mapping[str, int]
    """The ranks along each axis that groups run over."""
    inside: Mapping[str, int]
    """Those that one server has at most."""
    byte_s: float
    """The seconds in which a server sends a byte of each of its GPUs through its NICs."""
    nvlink: float
    """The bytes that a GPU sends over NVLink in a second."""

    def seconds(self, message: Message, /) -> float:
        """Return the least seconds of one call of a message.

        A group of d ranks, n of them in a server, sends 1 - n/d of its bytes out of each server by any algorithm;
        inside a server 1 - 1/d of them go over NVLink.
        """
        ranks = math.prod(self.degrees[axis] for axis in message.group)
        local, size = min(ranks, math.prod(self.inside[axis] for axis in message.group)), message.size_bytes
        if message.collective in ("send", "send-recv"):
            return size / self.nvlink if local > 1 or ranks == 1 else size * self.byte_s
        if ranks == local:
            return size * (1 - 1 / ranks) / self.nvlink
        crossing = size * (1 - local / ranks) * self.byte_s
        if message.collective != "all-to-all":
            return crossing / local
        # A token whose servers are limited goes to each once for all of its experts there.
        return crossing * min(1.0, message.servers(math.ceil(ranks / local)) / message.copies)

    def beside(self, message: Message, other: Message, /) -> float:  # noqa: ARG002
        """Return 1: no message is slowed down by another one."""
        return 1.0


def _without_ranks(parallel: Parallel) -> Parallel:
    """Return a layout with all that the time of a part's computation depends on, and nothing else."""
    return replace(parallel, dp=1, pp=1, vp=1, schedule="1f1b", sharding="none", shard_group=None)


def _sum_before(values: Seconds) -> Seconds:
    """Return the sum of the values before each one."""
    return np.concatenate(([0.0], np.cumsum(values)[:-1]))


def _degrees(parallel: Parallel) -> dict[str, int]:
    """Return the ranks along each axis that groups run over."""
    shards = parallel.shard_group or parallel.cp * parallel.dp
    return {
        "tp": parallel.tp, "cp": parallel.cp, "dp": parallel.dp, "pp": parallel.pp, "etp": parallel.etp,
        "ep": parallel.ep, "edp": max(parallel.expert_copies, 1), "shard": shards,
        "replica": max(parallel.cp * parallel.dp // shards, 1),
    }  # fmt: skip


def _inside(parallel: Parallel, size: int) -> dict[str, int]:
    """Return the most ranks along each axis that one server of `size` GPUs has."""
    degrees = _degrees(parallel)
    outer = ("pp", "dp") if parallel.order == "tp-cp-pp-dp" else ("dp", "pp")
    found: dict[str, int] = {}
    for axes in (("tp", "cp", *outer), ("etp", "ep", "edp"), ("tp", "shard", "replica")):
        before = 1
        for axis in axes:
            found.setdefault(axis, min(degrees[axis], max(1, math.ceil(size / before))))
            before *= degrees[axis]
    return found
