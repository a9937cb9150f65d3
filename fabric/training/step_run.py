"""One step of a run, put together: the passes of every rank, and the messages beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabric.training.data_parallel import DataTimes, Transfers, gather_weights, reduce_gradients, time_beside
from fabric.training.message import Message
from fabric.training.overlap import contend, stretch
from fabric.training.passes import Chunk, Overlap, Passes, Seconds, passes_of
from fabric.training.pipeline_order import PipelineOrder, order_of
from fabric.training.schedule import PipelineRun, PipelineTimes, simulate

__all__ = ["Beside", "Step", "StepRun"]

Columns = NDArray[np.float64]

Beside = Callable[[Message, Message], float]
"""Returns how many times as long a message takes while another one is sent all the while."""


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
            compute = self.chunks[kind].compute
            for passes in (compute.forward_s, compute.backward_s, compute.weight_s, compute.recompute_s):
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
                parts = 1 / self.overlap.parallel.vp if call.part == "boundary" else chunk.count(call.part)
                calls = often * parts * (call.forward + call.backward)
                found[call.message] = found.get(call.message, 0.0) + calls
        return found

    @property
    def _kinds(self) -> NDArray[np.int64]:
        """Which of the unlike parts each virtual stage is."""
        return np.array(self.parts)[self.order.model_stages]

    def run(self, seconds: Seconds, beside: Beside) -> StepRun:
        """Return the step with messages that take what `seconds` and `beside` say."""
        order, passes = self.order, [passes_of(each, self.overlap, seconds) for each in self.chunks]
        forward, backward, weight, saved = np.array(
            [(each.forward_s, each.backward_s, each.weight_s, each.joint_saved_s) for each in passes]
        )[[*self.parts]].T
        blocking = not self.overlap.software.overlaps_pp
        times = PipelineTimes(forward, backward, weight, self._send_s(seconds), saved, blocking)
        data, slower = self._data_times(passes, seconds, beside)
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

    def _send_s(self, seconds: Seconds) -> float:
        calls = {call.message for chunk in self.chunks for call in chunk.calls if call.message.cause == "PP"}
        return max((seconds(message) for message in calls), default=0.0)

    def _data_times(self, passes: list[Passes], seconds: Seconds, beside: Beside) -> tuple[DataTimes, Columns]:
        """Return the data-parallel messages of every virtual stage, and by which share passes beside them take longer.

        Shares are those of forward and of backward passes, shape (2, virtual stages).
        """
        table = np.array(
            [
                [self._once(chunk, each, seconds, beside, backward=way) for way in (False, True)]
                for chunk, each in zip(self.chunks, passes, strict=True)
            ]
        )[self._kinds]
        buckets = np.array([max(1, chunk.stage.layers) for chunk in self.chunks])[self._kinds]
        data = DataTimes(table[:, 0, 0], table[:, 1, 0], buckets, self.overlap.software.overlaps_dp)
        return data, table[:, :, 1].T

    def _once(
        self, chunk: Chunk, passes: Passes, seconds: Seconds, beside: Beside, *, backward: bool
    ) -> tuple[float, float]:
        """Return the seconds of a part's data-parallel messages of a step, and by which share they slow its passes.

        They occupy multiprocessors, and where the passes send messages on the same links, both take longer.
        """
        duty = passes.backward_duty if backward else passes.forward_duty
        sent = {
            call.message: count * (call.backward if backward else call.forward) * seconds(call.message)
            for count, call in chunk.of("DP", "step")
        }
        alone, other = sum(sent.values()), self._busiest(chunk, seconds, backward=backward)
        if other is None or not alone or not self.overlap.software.overlaps_dp:
            return alone, self.overlap.occupied
        slowed = beside(other, max(sent, key=lambda each: sent[each]))
        duty = stretch(duty, slowed)
        taken = sum(contend(each, beside(message, other), duty) for message, each in sent.items() if each)
        return taken, self.overlap.occupied + duty * (1 - 1 / slowed)

    @staticmethod
    def _busiest(chunk: Chunk, seconds: Seconds, *, backward: bool) -> Message | None:
        """Return the message of experts or of a ring that a pass spends most time on; None where it sends none."""
        found: dict[Message, float] = {}
        for cause in ("EP", "CP"):
            for count, call in chunk.of(cause):
                often = count * (call.backward if backward else call.forward)
                found[call.message] = found.get(call.message, 0.0) + often * seconds(call.message)
        best = max(found, key=lambda each: found[each], default=None)
        return best if best is not None and found[best] else None
