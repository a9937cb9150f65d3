"""One step of a run, put together: the passes of every rank, and the messages beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabric.training.chunk import Chunk, MessageTimes
from fabric.training.data_parallel import DataTimes, Transfers, gather_weights, reduce_gradients, time_beside
from fabric.training.message import Message
from fabric.training.overlap import contend, stretch
from fabric.training.passes import Overlap, Passes, passes_of, sent_beside
from fabric.training.pipeline_order import PipelineOrder, order_of
from fabric.training.schedule import PipelineRun, PipelineTimes, simulate

__all__ = ["Step", "StepRun"]

Columns = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StepRun:
    """When everything of a step runs."""

    pipeline: PipelineRun
    """The passes of every rank."""
    gather: Transfers
    """The gathering of weights of every virtual stage."""
    reduce: Transfers
    """The reduction of gradients of every virtual stage."""
    waits_s: Columns
    """How much of a forward and of a backward pass of each virtual stage is messages, shape (2, virtual stages)."""
    update_s: float
    """The update of weights, which follows."""

    @property
    def step_s(self) -> float:
        """The seconds of the step: gradients have a norm over all ranks, so the update waits for the last of them."""
        return max(self.pipeline.pipeline_s, float(self.reduce.end_s.max())) + self.update_s


@dataclass(frozen=True, eq=False)
class Step:
    """What a step consists of, before messages have times."""

    overlap: Overlap
    """Which messages run beside computation, and how the model is divided."""
    chunks: tuple[Chunk, ...]
    """The unlike parts of the model that ranks have."""
    parts: tuple[int, ...]
    """Which of them each part of the model is, in order."""
    micro_batches: int
    """The micro-batches of each data-parallel rank."""
    update_s: float
    """The update of weights on the rank that has most."""

    @classmethod
    def of(cls, overlap: Overlap, parts: Sequence[Chunk], batch: int, update_s: float) -> Step:
        """Return a step of `batch` sequences of a model with these parts, in order."""
        unlike = tuple(dict.fromkeys(parts))
        numbers = {chunk: number for number, chunk in enumerate(unlike)}
        micro_batches = batch // (overlap.parallel.dp * overlap.parallel.micro_batch)
        return cls(overlap, unlike, tuple(numbers[each] for each in parts), micro_batches, update_s)

    @cached_property
    def order(self) -> PipelineOrder:
        """The order in which ranks compute; raises InputError where the schedule has none."""
        parallel = self.overlap.parallel
        return order_of(parallel.schedule, parallel.pp, parallel.vp, self.micro_batches)

    @cached_property
    def compute_s(self) -> Columns:
        """The seconds for which each rank computes in a step, without the update, shape (ranks,)."""
        each = np.array([chunk.compute.total_s for chunk in self.chunks])[self._kinds]
        order = self.order
        share = len(self.parts) / order.stages  # with DualPipe half of the micro-batches go each way
        found = np.zeros(order.ranks)
        np.add.at(found, order.stage_ranks, each * self.micro_batches * share)
        return found

    def compute_of(self, rank: int) -> dict[str, float]:
        """Return the seconds for which a rank computes in a step, by part, without the update."""
        share, found = self.micro_batches * len(self.parts) / self.order.stages, dict[str, float]()
        for kind in self._kinds[self.order.stage_ranks == rank]:
            for passes in self.chunks[kind].compute.passes:
                for part, part_s in passes.items():
                    found[part] = found.get(part, 0.0) + share * part_s
        return found

    def calls_of(self, rank: int) -> dict[Message, float]:
        """Return how often a rank sends each message in a step."""
        share, found = len(self.parts) / self.order.stages, dict[Message, float]()
        for kind in self._kinds[self.order.stage_ranks == rank]:
            chunk = self.chunks[kind]
            for call in chunk.calls:
                often = share * self.micro_batches if call.each == "micro-batch" else 1
                # The calls at a boundary are those of all virtual stages of a rank.
                parts = 1 / self.overlap.parallel.vp if call.part == "boundary" else chunk.stage.count(call.part)
                calls = often * parts * (call.forward + call.backward)
                found[call.message] = found.get(call.message, 0.0) + calls
        return found

    @property
    def _kinds(self) -> NDArray[np.int64]:
        """Which of the unlike parts each virtual stage is."""
        return np.array(self.parts)[self.order.model_stages]

    def run(self, messages: MessageTimes) -> StepRun:
        """Return the step with messages of these times."""
        order, passes = self.order, [passes_of(each, self.overlap, messages) for each in self.chunks]
        forward, backward, weight, saved = np.array(
            [(each.forward_s, each.backward_s, each.weight_s, each.joint_saved_s) for each in passes]
        )[[*self.parts]].T
        blocking = not self.overlap.software.overlaps_pp
        times = PipelineTimes(forward, backward, weight, self._send_s(passes, messages), saved, blocking)
        data, slower = self._data_times(passes, messages)
        stages = order.model_stages
        gather, ready = gather_weights(order, data, forward[stages])
        pipeline = simulate(order, times, ready)
        reduce = reduce_gradients(pipeline, data, (backward + weight)[stages])
        if data.overlapped and reduce.end_s.any():
            # Messages slow down the passes beside them, which is when they run if passes take as long as alone.
            longer = time_beside(pipeline, (gather, reduce)) * self._of_slots(slower)
            pipeline = simulate(order, times, ready, longer)
            reduce = reduce_gradients(pipeline, data, (backward + weight)[stages])
        waits = np.array([(each.forward_waits_s, each.backward_waits_s) for each in passes])[self._kinds].T
        return StepRun(pipeline, gather, reduce, waits, self.update_s)

    def _of_slots(self, stages: Columns) -> Columns:
        """Return for each slot what holds for the passes of its virtual stage, of a slot with several the most.

        `stages` are values of forward and of backward passes, shape (2, virtual stages).
        """
        order, found = self.order, np.zeros(len(self.order.rank))
        for column, values in ((order.forward, stages[0]), (order.backward, stages[1]), (order.weight, stages[1])):
            found = np.maximum(found, np.where(column >= 0, values[column // order.micro_batches], 0.0))
        return found

    def _send_s(self, passes: list[Passes], messages: MessageTimes) -> float:
        """Return the seconds of a transfer to the next stage, which shares links with what other stages send."""
        found = [0.0]
        for chunk, each in zip(self.chunks, passes, strict=True):
            duty = (each.forward_duty + each.backward_duty) / 2
            for message in chunk.messages_between():
                others = [
                    *chunk.messages("EP", messages, backward=False),
                    *chunk.messages("CP", messages, backward=False),
                ]
                slowed = max((messages.beside(message, other) for other in others), default=1.0) if duty else 1.0
                found.append(contend(messages.seconds(message), slowed, stretch(duty, slowed)))
        return max(found)

    def _data_times(self, passes: list[Passes], messages: MessageTimes) -> tuple[DataTimes, Columns]:
        """Return the data-parallel messages of every virtual stage, and by which share passes beside them take longer.

        Shares are those of forward and of backward passes, shape (2, virtual stages). Messages occupy multiprocessors
        too.
        """
        table = np.array(
            [
                [
                    sent_beside(chunk, messages, each.backward_duty if way else each.forward_duty, "step", backward=way)
                    for way in (False, True)
                ]
                for chunk, each in zip(self.chunks, passes, strict=True)
            ]
        )[self._kinds]
        buckets = np.array([chunk.buckets for chunk in self.chunks])[self._kinds]
        data = DataTimes(table[:, 0, 0], table[:, 1, 0], buckets, self.overlap.software.overlaps_dp)
        return data, table[:, :, 1].T + self.overlap.occupied
