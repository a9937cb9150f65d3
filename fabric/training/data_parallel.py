"""When the messages of data-parallel ranks run: weights before the first forward passes, gradients after the last ones.

Where the software overlaps them they go bucket by bucket: the weights of the first layers are there first, and the
gradients of the last layers, so that the messages run beside the passes of the other layers and parts of the rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.training.pipeline_order import PipelineOrder
from fabric.training.schedule import PipelineRun

__all__ = ["DataTimes", "Transfers", "gather_weights", "reduce_gradients", "time_beside"]

Seconds = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DataTimes:
    """The seconds of the data-parallel messages of each virtual stage, in the order of virtual stages."""

    gather_s: Seconds
    """All of its weights."""
    reduce_s: Seconds
    """All of its gradients."""
    buckets: NDArray[np.int64]
    """Its buckets (`Chunk.buckets`)."""
    overlapped: bool
    """Whether buckets are sent beside passes."""


@dataclass(frozen=True, eq=False)
class Transfers:
    """When the messages of each virtual stage run."""

    start_s: Seconds
    """The start of each virtual stage's messages."""
    end_s: Seconds
    """Their end."""
    sent_s: Seconds
    """For how long they are sent in between; the rest of the time they wait for buckets."""


def gather_weights(order: PipelineOrder, times: DataTimes, forward_s: Seconds) -> tuple[Transfers, Seconds]:
    """Return when weights are gathered, and when each virtual stage may start its first forward pass.

    `forward_s` has the forward pass of each virtual stage. A rank gathers one virtual stage after another, in their
    order. A pass may start with the first bucket, and its last layer waits for the last one.
    """
    start, end, ready = (np.zeros(order.stages) for _ in range(3))
    for rank in range(order.ranks):
        own = np.flatnonzero(order.stage_ranks == rank)
        end[own] = np.cumsum(times.gather_s[own])
        start[own] = end[own] - times.gather_s[own]
        if times.overlapped:
            share = 1 / times.buckets[own]
            first = start[own] + times.gather_s[own] * share
            ready[own] = np.maximum(first, end[own] - forward_s[own] * (1 - share))
        else:
            ready[own] = end[own].max()
    return Transfers(start, end, times.gather_s), ready


def reduce_gradients(run: PipelineRun, times: DataTimes, backward_s: Seconds) -> Transfers:
    """Return when gradients are reduced: from the last micro-batch's backward pass on, or after all passes.

    `backward_s` has the backward pass of each virtual stage. The last bucket leaves when the pass is done.
    """
    order, last = run.order, run.order.last_backward
    start, end = np.zeros(order.stages), np.zeros(order.stages)
    for rank in range(order.ranks):
        own = np.flatnonzero(order.stage_ranks == rank)
        own = own[np.argsort(last[own])]
        free = 0.0
        for stage in own:
            done = float(run.end_s[last[stage if times.overlapped else own[-1]]])
            if times.overlapped:
                share = 1 / times.buckets[stage]
                start[stage] = max(free, done - backward_s[stage] * (1 - share))
                free = max(start[stage] + times.reduce_s[stage], done + times.reduce_s[stage] * share)
            else:
                start[stage] = max(free, done)
                free = start[stage] + times.reduce_s[stage]
            end[stage] = free
    return Transfers(start, end, times.reduce_s)


def time_beside(run: PipelineRun, transfers: Sequence[Transfers]) -> Seconds:
    """Return for how long messages are sent beside each slot on its rank."""
    order, found = run.order, np.zeros(len(run.start_s))
    bounds = np.searchsorted(order.rank, np.arange(order.ranks + 1))
    for rank in range(order.ranks):
        own = order.stage_ranks == rank
        start, end, sent = (np.concatenate([getattr(each, name)[own] for each in transfers]) for name in NAMES)
        turn, slots = np.argsort(start, kind="stable"), slice(bounds[rank], bounds[rank + 1])
        # Messages of a rank follow each other, so the time for which they have been sent is piecewise linear.
        times = np.stack((start[turn], end[turn]), 1).ravel()
        done = np.cumsum(sent[turn])
        taken = np.stack((done - sent[turn], done), 1).ravel()
        found[slots] = np.interp(run.end_s[slots], times, taken) - np.interp(run.start_s[slots], times, taken)
    return found


NAMES = ("start_s", "end_s", "sent_s")
