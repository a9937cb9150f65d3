"""The buckets in which data-parallel ranks reduce gradients and gather weights: layers of a virtual stage, joined.

Megatron-Core divides the first virtual stage of the first rank, whose last message nothing hides, into buckets, which
grow with the data-parallel ranks so that latency does not decide how long their rings take. Every other virtual stage
is one bucket (`megatron/core/distributed/distributed_data_parallel.py`, and `disable_bucketing` in
`megatron/training/training.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from fabric.catalog import Software
from fabric.request.parallel import Parallel
from fabric.training.message import Message
from fabric.training.messages import Call
from fabric.training.stages import Stage

__all__ = ["join_layers", "least_bucket"]

LEAST, LEAST_PER_RANK = 40_000_000, 1_000_000
"""The weights of a GPU with which Megatron-Core closes a bucket: the larger of a number, and of one for each
data-parallel rank (`megatron/core/distributed/distributed_data_parallel_config.py`, `bucket_size`)."""


def least_bucket(software: Software, parallel: Parallel) -> float:
    """Return the weights of a GPU with which a bucket is closed: 0 where each layer is sent alone.

    Layers with sharded weights are gathered one by one (arXiv:2304.11277, section 3).
    """
    if parallel.sharding == "zero3" or software.joins_layers is None:
        return 0.0
    return max(LEAST, LEAST_PER_RANK * parallel.dp) if software.joins_layers == "buckets" else math.inf


def join_layers(calls: Iterable[Call], stage: Stage, least: float) -> tuple[Call, ...]:
    """Return what a virtual stage sends, messages about weights joined into buckets of `least` weights or more.

    Buckets have equal sizes, and no layer is divided: there are never more than layers and embeddings. With `least` 0
    nothing is joined.
    """
    if not least:
        return tuple(calls)
    kept, alike = [], dict[Message, list[tuple[int, Call]]]()
    for call in calls:
        if not call.weights:
            kept.append(call)
        elif count := stage.count(call.part):
            alike.setdefault(replace(call.message, size_bytes=0), []).append((count, call))
    return (*kept, *(_join(parts, stage, least) for parts in alike.values()))


def _join(parts: list[tuple[int, Call]], stage: Stage, least: float) -> Call:
    """Return the buckets of all the calls of one kind, each with the number of parts that have it."""
    weights = sum(count * call.weights for count, call in parts)
    size = sum(count * call.message.size_bytes for count, call in parts)
    most = sum(count for count, _ in parts)
    buckets = max(1, min(most, math.ceil(weights / least))) if stage.embedding else 1
    call = parts[0][1]
    return Call(
        replace(call.message, size_bytes=size / buckets), "chunk", call.each, buckets * call.forward,
        buckets * call.backward, weights=weights / buckets,
    )  # fmt: skip
