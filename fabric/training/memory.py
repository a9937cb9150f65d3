"""What a training run holds in the memory of a GPU, by part."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fabric.catalog import Accelerator, Model, training_efficiency
from fabric.presented import Presented
from fabric.request.parallel import SHARDINGS, Parallel
from fabric.training.activations import kept_of, most_in_flight
from fabric.training.model_run import ModelRun
from fabric.training.stages import Stage, divide
from fabric.training.weights import PARTS, PartWeights, weights_of_stage, weights_on_gpu

__all__ = ["Memory", "memory_of", "updated_weights"]

GIB = 2**30

OUTSIDE_GIB = 2.0
"""What CUDA's context and the buffers of collectives take beside the framework's own memory: 1 to 3 GiB, assumed."""

WEIGHT_BYTES = 2
"""The bytes of a weight that matrix products read; FP8 and FP4 runs keep BF16, or two layouts of one byte."""

OPTIMIZER_BYTES = 12
"""Adam: the weight, its momentum and its variance in FP32 (arXiv:1910.02054, section 3.1)."""


@dataclass(frozen=True)
class Memory(Presented):
    """What the GPU that needs most memory holds."""

    stage: int
    """The stage of the pipeline whose GPUs need most, from 0."""
    weights_gib: float
    """Weights."""
    gradients_gib: float
    """Gradients."""
    optimizer_gib: float
    """The optimizer's states, with its own copy of the weights."""
    activations_gib: float
    """What forward passes keep for backward passes, of as many micro-batches as are in flight, and the logits."""
    buffers_gib: float
    """Weights gathered from other ranks and gradients before they are reduced (zero3), CUDA's context, and buffers of
    collectives."""
    hbm_gib: float
    """The memory of the GPU."""

    @property
    def total_gib(self) -> float:
        """All of it."""
        parts = (each.name for each in fields(self) if each.name not in ("stage", "hbm_gib"))
        return float(sum(getattr(self, name) for name in parts))

    @property
    def missing_gib(self) -> float:
        """What is missing; 0 where it fits."""
        return max(self.total_gib - self.hbm_gib, 0.0)


def memory_of(run: ModelRun, accelerator: Accelerator) -> Memory:
    """Return what the GPU of a run that needs most memory holds, at the moment when it holds most.

    Model states are those of arXiv:1910.02054, section 5, with gradients in the bytes in which the run's software sums
    them, and activations those of `kept_of`. Raises InputError where layers do not divide.
    """
    model, parallel, kept = run.model, run.parallel, kept_of(run)
    stages, parts = divide(model, parallel), weights_on_gpu(model, parallel)
    micro_batches = max(run.batch // (parallel.dp * parallel.micro_batch), 1)
    gradient = training_efficiency().software[run.software].gradient_bytes

    def of(rank: int) -> Memory:
        own = _stages_of(rank, stages, parallel)
        weights, gradients, states, buffers = _states(own, parts, parallel, gradient)
        flights = most_in_flight(parallel, micro_batches, rank)
        activations = max(kept.stage_bytes(stage, model, flights) for stage in own)
        return Memory(
            stage=rank,
            weights_gib=weights / GIB,
            gradients_gib=gradients / GIB,
            optimizer_gib=states / GIB,
            activations_gib=activations / GIB,
            buffers_gib=buffers / GIB,
            hbm_gib=accelerator.hbm_gib,
        )

    return max(map(of, range(parallel.pp)), key=lambda each: each.total_gib)


def _states(
    stages: list[Stage], weights: PartWeights, parallel: Parallel, gradient: int
) -> tuple[float, float, float, float]:  # fmt: skip
    """Return the bytes of weights, gradients, optimizer states and buffers of a GPU with these stages."""
    whole, shard = _held_weights(stages, weights, parallel)
    level = SHARDINGS.index(parallel.sharding)
    held = WEIGHT_BYTES * (shard if level > 2 else whole)
    # With zero2 all micro-batches of a pipeline add to whole gradients, which are reduced at the end of the step.
    gradients = gradient * (shard if level > 2 or (level > 1 and parallel.pp == 1) else whole)
    states = OPTIMIZER_BYTES * (shard if level > 0 else whole)
    buffers = OUTSIDE_GIB * GIB
    if level > 2 and parallel.pp > 1:
        # All micro-batches of a step use the weights gathered once, and add to gradients that are reduced at its end.
        buffers += (WEIGHT_BYTES + gradient) * whole
    elif level > 2:
        # A layer computes while the next one's weights are gathered and the last one's gradients are reduced.
        largest = max(sum(weights[part]) for stage in stages for part in PARTS if stage.count(part))
        buffers += (2 * WEIGHT_BYTES + gradient) * largest
    return held, gradients, states, buffers


def updated_weights(model: Model, parallel: Parallel) -> float:
    """Return the weights that the GPU updates that updates most: those of whose optimizer's states it has its share."""
    stages, weights = divide(model, parallel), weights_on_gpu(model, parallel)
    held = (_held_weights(_stages_of(rank, stages, parallel), weights, parallel) for rank in range(parallel.pp))
    return max(whole if parallel.sharding == "none" else shard for whole, shard in held)


def _stages_of(rank: int, stages: tuple[Stage, ...], parallel: Parallel) -> list[Stage]:
    """Return the stages of a rank of the pipeline: with DualPipe two, the i-th from either end."""
    return [stages[rank], stages[parallel.pp - 1 - rank]] if parallel.schedule == "dualpipe" else [stages[rank]]


def _held_weights(stages: list[Stage], weights: PartWeights, parallel: Parallel) -> tuple[float, float]:
    """Return the weights that a GPU with these stages computes with, and its share of those that are shared out."""
    each = [weights_of_stage(stage, weights) for stage in stages]
    dense, experts = (sum(kind) for kind in zip(*each, strict=True))
    shards = _shards(parallel.cp * parallel.dp, parallel), _shards(parallel.expert_copies, parallel)
    return dense + experts, dense / shards[0] + experts / shards[1]


def _shards(ranks: int, parallel: Parallel) -> int:
    return min(ranks, parallel.shard_group or ranks)
