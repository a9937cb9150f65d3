"""What every rank of a pipeline does during a step, as spans of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.training.data_parallel import Transfers
from fabric.training.step_run import StepRun

__all__ = ["KINDS", "MESSAGES", "Timeline", "list_spans"]

KINDS = (
    "forward pass", "backward pass", "gradients of weights", "forward and backward pass",
    "gathering weights", "reducing gradients", "update of weights",
)  # fmt: skip
"""The kinds of spans."""

FORWARD, BACKWARD, WEIGHTS, BOTH, GATHER, REDUCE, UPDATE = range(len(KINDS))

MESSAGES = (GATHER, REDUCE)
"""The kinds of spans that are messages beside computation."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """The spans of a step, in columns of one length."""

    step_s: float
    """The seconds of the step."""
    ranks: int
    """The ranks of the pipeline."""
    rank: NDArray[np.int64]
    """The rank of each span."""
    kind: NDArray[np.int64]
    """Its kind, an index of KINDS."""
    part: NDArray[np.int64]
    """The part of the model that it is of; -1 for all of the rank's parts."""
    micro_batch: NDArray[np.int64]
    """Its micro-batch; -1 for all."""
    start_s: NDArray[np.float64]
    """When it starts."""
    end_s: NDArray[np.float64]
    """When it ends."""
    waits_s: NDArray[np.float64]
    """How much of it is messages of tensor, context or expert parallel ranks that nothing hides."""


def list_spans(run: StepRun) -> Timeline:
    """Return the spans of a step: the passes of every rank, its messages of data-parallel ranks, and its update."""
    order, pipeline = run.pipeline.order, run.pipeline
    forward, backward, weight = order.forward >= 0, order.backward >= 0, order.weight >= 0
    kind = np.select([forward & backward, forward, backward, weight], [BOTH, FORWARD, BACKWARD, WEIGHTS])
    passes = np.select([forward, backward, weight], [order.forward, order.backward, order.weight])
    stage = passes // order.micro_batches
    waits = np.where(forward, run.waits_s[0, stage], 0.0) + np.where(
        backward, run.waits_s[1, np.maximum(order.backward, 0) // order.micro_batches], 0.0
    )
    spans = [
        np.stack(
            (
                order.rank,
                kind,
                order.model_stages[stage],
                passes % order.micro_batches,
                pipeline.start_s,
                pipeline.end_s,
                waits,
            )
        ),
        _spans_of_transfers(run, run.gather, GATHER),
        _spans_of_transfers(run, run.reduce, REDUCE),
    ]
    if run.update_s:
        rank, none, some = np.arange(order.ranks), np.full(order.ranks, -1), np.ones(order.ranks)
        begin = (run.step_s - run.update_s) * some
        spans.append(np.stack((rank, UPDATE * some, none, none, begin, run.step_s * some, 0 * some)))
    columns = np.concatenate(spans, axis=1)
    columns[6] = np.minimum(columns[6], columns[5] - columns[4])
    numbers = columns[:4].astype(np.int64)
    return Timeline(run.step_s, order.ranks, *numbers, *columns[4:])


def _spans_of_transfers(run: StepRun, transfers: Transfers, kind: int) -> NDArray[np.float64]:
    """Return the spans of the messages of every virtual stage that has any, as columns."""
    order = run.pipeline.order
    some = np.flatnonzero(transfers.end_s > transfers.start_s)
    none, same = np.full(len(some), -1.0), np.ones(len(some))
    return np.stack((
        order.stage_ranks[some], kind * same, order.model_stages[some], none,
        transfers.start_s[some], transfers.end_s[some], 0 * same,
    ))  # fmt: skip
