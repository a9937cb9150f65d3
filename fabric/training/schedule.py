"""When each rank of a pipeline computes, and for how long it waits: by simulation, and in closed form.

The simulation starts each slot of the order when its rank, its input and its gradient are there, so it counts unlike
stages, transfers that nothing hides and what each rank waits for. Closed forms are those of the schedules' papers, of
equal stages and free transfers; the tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.training.pipeline_order import PipelineOrder

__all__ = ["PipelineRun", "PipelineTimes", "ideal_bubble_s", "simulate"]

Seconds = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PipelineTimes:
    """The seconds of one micro-batch in each part of the model, and between two parts."""

    forward_s: Seconds
    """The forward pass of each part, in the order of the model."""
    backward_s: Seconds
    """The gradients of each part's inputs and, unless `weight_s` has them, of its weights."""
    weight_s: Seconds | float = 0.0
    """The gradients of each part's weights, which zero-bubble schedules may compute later."""
    send_s: Seconds | float = 0.0
    """The transfer of activations from each part to the next, and of gradients back."""
    joint_saved_s: Seconds | float = 0.0
    """What is saved of each part where a forward and a backward pass run together and hide each other's messages."""
    blocking: bool = False
    """Whether a rank waits until what it sends has arrived; otherwise it goes on."""


@dataclass(frozen=True, eq=False)
class PipelineRun:
    """A step of a pipeline: when every slot of its order runs."""

    order: PipelineOrder
    """The slots, by rank."""
    start_s: Seconds
    """When each slot starts."""
    end_s: Seconds
    """When its computation ends; a rank that waits for its own transfers starts its next slot later."""

    @property
    def pipeline_s(self) -> float:
        """The seconds from the first slot's start to the last one's end."""
        return float(self.end_s.max())

    @property
    def busy_s(self) -> Seconds:
        """The seconds for which each rank computes."""
        busy = np.zeros(self.order.ranks)
        np.add.at(busy, self.order.rank, self.end_s - self.start_s)
        return busy


def simulate(
    order: PipelineOrder, times: PipelineTimes, ready_s: Seconds | float = 0.0, longer_s: Seconds | float = 0.0
) -> PipelineRun:
    """Return when each slot runs: as soon as its rank is free and its input and gradient have arrived.

    No virtual stage begins its first forward pass before its `ready_s`, when its weights are there, and each slot takes
    by its `longer_s` longer than the times say.
    """
    count = order.micro_batches
    stage = {kind: np.where(column >= 0, column // count, -1) for kind, column in _kinds(order).items()}
    part = np.append(order.model_stages, -1)  # the last element belongs to the index -1, of slots without a pass

    def per_slot(kind: str, seconds: Seconds | float) -> Seconds:
        found: Seconds = np.append(_each_part(order, seconds), 0.0)[part[stage[kind]]]
        return found

    duration = per_slot("forward", times.forward_s) + per_slot("backward", times.backward_s)
    duration += per_slot("weight", times.weight_s)
    joint = (order.forward >= 0) & (order.backward >= 0)
    duration -= np.where(joint, per_slot("forward", times.joint_saved_s), 0.0)
    duration += longer_s

    # A transfer is that of the part before it, forwards and back.
    sends = np.append(_sends(order, times), 0.0)
    previous = np.append(order.previous, -1)
    arrives = np.stack((sends[previous[stage["forward"]]], sends[stage["backward"]]))
    leaves = sends[stage["forward"]] + sends[previous[stage["backward"]]]
    held = leaves if times.blocking else np.zeros_like(leaves)
    delays = np.zeros_like(arrives) if times.blocking else arrives
    earliest = np.zeros(len(duration))
    earliest[order.first_forward] = ready_s
    return _run(order, duration, held, delays, earliest)


def _kinds(order: PipelineOrder) -> dict[str, NDArray[np.int64]]:
    return {"forward": order.forward, "backward": order.backward, "weight": order.weight}


def _sends(order: PipelineOrder, times: PipelineTimes) -> Seconds:
    """Return the seconds from each virtual stage to the following one; 0 from the last, and within a rank."""
    following = np.append(order.previous[1:] >= 0, False)
    elsewhere = following & (np.roll(order.stage_ranks, -1) != order.stage_ranks)
    return np.where(elsewhere, _each_part(order, times.send_s)[order.model_stages], 0.0)


def _each_part(order: PipelineOrder, seconds: Seconds | float) -> Seconds:
    """Return the seconds of each part of the model, of all the same where a number is given."""
    return np.broadcast_to(np.asarray(seconds, float), (int(order.model_stages.max()) + 1,))


def _run(order: PipelineOrder, duration: Seconds, held: Seconds, delays: Seconds, earliest: Seconds) -> PipelineRun:
    """Return the run, level by level: the slots of a level depend on those of earlier levels only."""
    sequence = order.sequence
    before, lag = order.before[:, sequence], np.vstack((np.zeros(len(sequence)), delays))[:, sequence]
    earliest, taken = earliest[sequence], (duration + held)[sequence]
    start, free = np.zeros(len(duration)), np.zeros(len(duration) + 1)  # the last is of the index -1: no slot
    first = 0
    for last in order.level_ends:
        level = slice(first, last)
        begin = np.maximum((free[before[:, level]] + lag[:, level]).max(axis=0), earliest[level])
        start[sequence[level]] = begin
        free[sequence[level]] = begin + taken[level]
        first = last
    return PipelineRun(order, start, start + duration)


def ideal_bubble_s(
    order: PipelineOrder, forward_s: float, backward_s: float, weight_s: float, joint_saved_s: float = 0.0
) -> float:
    """Return the seconds for which each rank waits in a step, with equal stages and free transfers.

    All are of a rank's whole part of the model, and `backward_s` is of inputs alone. Sources: arXiv:2104.04473, section
    2.2, for 1F1B and interleaved; table 2 of arXiv:2412.19437 for zero-bubble (ZB1P) and DualPipe.
    """
    ranks, whole = order.ranks, backward_s + weight_s
    if order.schedule == "zero-bubble":
        return (ranks - 1) * (forward_s + whole - 2 * weight_s)
    if order.schedule == "dualpipe":
        return (ranks / 2 - 1) * (forward_s + whole - joint_saved_s + whole - 3 * weight_s)
    return (ranks - 1) * (forward_s + whole) * ranks / order.stages
