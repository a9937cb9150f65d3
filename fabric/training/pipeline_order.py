"""In which order the ranks of a pipeline compute: the forward and backward passes of every micro-batch, by schedule.

A rank has one virtual stage, v where the pipeline is interleaved, and with DualPipe two, one on the way from each end.
Each pass of a micro-batch through a virtual stage has a number, stage times micro-batches plus micro-batch, and each
rank goes through slots: one has a forward pass, a backward pass, the gradients of its weights, or several at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from fabric.errors import InputError
from fabric.request.parallel import SCHEDULES
from fabric.training.dual_pipe import dual_slots

__all__ = ["PipelineOrder", "order_of"]

Indices = NDArray[np.int64]

NONE = -1
"""No pass, in a slot that has none of a kind; no stage, before the first and after the last."""


@dataclass(frozen=True, eq=False)
class PipelineOrder:
    """The slots of all ranks of a pipeline, those of the first rank first, each rank's in its order."""

    schedule: str
    """The schedule, one of SCHEDULES."""
    ranks: int
    """The ranks of the pipeline."""
    micro_batches: int
    """The micro-batches of a step."""
    stage_ranks: Indices
    """The rank of each virtual stage."""
    model_stages: Indices
    """The part of the model that each virtual stage has; with DualPipe two virtual stages have each part."""
    previous: Indices
    """The virtual stage whose output each takes; -1: none, it is the first."""
    rank: Indices
    """The rank of each slot."""
    forward: Indices
    """The pass whose forward part a slot computes; -1: none."""
    backward: Indices
    """The pass whose gradients of inputs a slot computes; -1: none."""
    weight: Indices
    """The pass whose gradients of weights a slot computes; -1: none."""
    sequence: Indices
    """The slots by levels: each depends on slots of earlier levels only."""
    level_ends: Indices
    """Where each level ends in the sequence."""
    before: Indices
    """Three rows: the slot before each one on its rank, the one with its input, the one with its gradient; -1: none."""

    @property
    def stages(self) -> int:
        """The virtual stages."""
        return len(self.stage_ranks)

    @cached_property
    def first_forward(self) -> Indices:
        """The slot of each virtual stage's first forward pass."""
        slots = np.flatnonzero(self.forward != NONE)
        found = np.full(self.stages, len(self.rank))
        np.minimum.at(found, self.forward[slots] // self.micro_batches, slots)
        return found

    @cached_property
    def last_backward(self) -> Indices:
        """The slot after which each virtual stage's gradients are complete, those of its weights."""
        slots = np.flatnonzero(self.weight != NONE)
        found = np.full(self.stages, NONE)
        np.maximum.at(found, self.weight[slots] // self.micro_batches, slots)
        return found

    def in_flight(self) -> NDArray[np.float64]:
        """Return the most micro-batches whose activations each rank holds at once, in activations of its whole part.

        They are held from the forward pass until the gradients of the weights. Of an interleaved pipeline each is of
        one of v parts, and counts 1/v; with DualPipe a rank has two parts, and holds activations of one at a time.
        """
        held = (self.forward != NONE).astype(float) - (self.weight != NONE)
        total = np.cumsum(held)
        first = np.searchsorted(self.rank, np.arange(self.ranks))
        most = np.maximum.reduceat(total + (self.weight != NONE), first)
        start = np.concatenate(([0.0], total))[first]
        shares = 1 if self.schedule == "dualpipe" else self.stages // self.ranks
        return (most - start) / shares


@lru_cache(maxsize=32)
def order_of(schedule: str, ranks: int, parts: int, micro_batches: int) -> PipelineOrder:
    """Return the order of a schedule on `ranks` ranks, each with `parts` parts of the model, over all micro-batches.

    Sources: 1F1B and interleaved arXiv:2104.04473, section 2.2; zero-bubble arXiv:2401.10241, section 3.1 (ZB-H1, which
    holds no more than 1F1B); DualPipe arXiv:2412.19437, section 3.2.1, with the steps of DeepSeek's published code.
    Raises InputError for numbers that the schedule cannot have.
    """
    _check(schedule, ranks, parts, micro_batches)
    if schedule == "dualpipe":
        stage = np.arange(ranks)
        stage_ranks, model_stages = np.concatenate((stage, stage[::-1])), np.concatenate((stage, stage))
        slots = [dual_slots(ranks, each, micro_batches) for each in range(ranks)]
    else:
        model_stages = np.arange(ranks * parts)
        stage_ranks = model_stages % ranks
        slots = [_slots(schedule, ranks, each, parts, micro_batches) for each in range(ranks)]
    previous = np.where(model_stages > 0, np.arange(len(model_stages)) - 1, NONE)
    rank = np.repeat(np.arange(ranks), [len(each) for each in slots])
    forward, backward, weight = np.concatenate(slots).T
    before = _before(rank, forward, backward, previous, micro_batches)
    sequence, level_ends = _levels(rank, before, ranks)
    columns = (stage_ranks, model_stages, previous, rank, forward, backward, weight, sequence, level_ends, before)
    for column in columns:
        column.flags.writeable = False
    return PipelineOrder(schedule, ranks, micro_batches, *columns)


def _check(schedule: str, ranks: int, parts: int, micro_batches: int) -> None:
    """Raise InputError for a pipeline that cannot run."""
    if schedule not in SCHEDULES:
        raise InputError(f"schedule '{schedule}': unknown; known: {', '.join(SCHEDULES)}")
    if schedule != "interleaved" and parts > 1:
        raise InputError(
            f"schedule {schedule}: has one part of the model a rank, not {parts}; use interleaved, or vp=1"
        )
    if schedule == "interleaved" and parts > 1 and micro_batches % ranks:
        fewer, more = micro_batches // ranks * ranks, -(-micro_batches // ranks) * ranks
        raise InputError(
            f"schedule interleaved: micro-batches of a data-parallel rank must be a multiple of the stages, {ranks}, "
            f"not {micro_batches}; nearest: {f'{fewer} or {more}' if fewer else more}"
        )
    if schedule == "dualpipe" and (ranks % 2 or micro_batches % 2 or micro_batches < 2 * ranks):
        raise InputError(
            f"schedule dualpipe: needs an even number of stages, and of micro-batches, at least {2 * ranks} of these; "
            f"there are {ranks} stages and {micro_batches} micro-batches"
        )


def _slots(schedule: str, ranks: int, rank: int, parts: int, micro_batches: int) -> Indices:
    """Return the slots of a rank: forward passes first, one forward and one backward in turn, then backward passes."""
    forward, backward = _pass_order(ranks, rank, parts, micro_batches)
    ahead = ranks - rank - 1 if parts == 1 else 2 * (ranks - rank - 1) + (parts - 1) * ranks
    ahead = min(ahead, len(forward))
    if schedule == "zero-bubble":
        return np.array(list(_zero_bubble_slots(forward, backward, ahead, rank)), np.int64)
    none = np.full(len(forward), NONE)
    forwards, backwards = np.stack((forward, none, none), 1), np.stack((none, backward, backward), 1)
    turns = np.stack((forwards[ahead:], backwards[: len(forward) - ahead]), 1).reshape(-1, 3)
    return np.concatenate((forwards[:ahead], turns, backwards[len(forward) - ahead :]))


def _pass_order(ranks: int, rank: int, parts: int, micro_batches: int) -> tuple[Indices, Indices]:
    """Return the order of a rank's forward and of its backward passes.

    Parts take turns, each with as many micro-batches as there are ranks.
    """
    turn = ranks if parts > 1 else micro_batches
    groups = np.arange(micro_batches).reshape(-1, turn)
    first_pass = (np.arange(parts) * ranks + rank) * micro_batches
    forward = np.concatenate([np.add.outer(first_pass, group).ravel() for group in groups])
    backward = np.concatenate([np.add.outer(first_pass[::-1], group).ravel() for group in groups])
    return forward, backward


def _zero_bubble_slots(forward: Indices, backward: Indices, ahead: int, late: int) -> Iterator[tuple[int, int, int]]:
    """Yield the slots of ZB-H1: as 1F1B, but rank r computes gradients of weights r micro-batches late."""
    count = len(forward)
    for each in forward[:ahead]:
        yield int(each), NONE, NONE
    for number, each in enumerate(backward):
        if ahead + number < count:
            yield int(forward[ahead + number]), NONE, NONE
        yield NONE, int(each), NONE
        if number >= late:
            yield NONE, NONE, int(backward[number - late])
    for each in backward[max(count - late, 0) :]:
        yield NONE, NONE, int(each)


def _before(rank: Indices, forward: Indices, backward: Indices, previous: Indices, micro_batches: int) -> Indices:
    """Return the slots on which each depends: of its rank, with its input, and with the gradient of its output."""
    count, passes = len(rank), len(previous) * micro_batches
    slot = np.arange(count)
    own = np.where(np.diff(rank, prepend=NONE) == 0, slot - 1, NONE)
    following = np.full(len(previous), NONE)
    following[previous[previous != NONE]] = np.flatnonzero(previous != NONE)
    return np.stack((own, _holders(forward, previous, passes), _holders(backward, following, passes)))


def _holders(passes: Indices, neighbours: Indices, count: int) -> Indices:
    """Return the slot that has each pass's micro-batch at the neighbour of its virtual stage; -1: none."""
    micro_batches = count // len(neighbours)
    slot_of = np.full(count + 1, NONE)
    has = passes != NONE
    slot_of[passes[has]] = np.flatnonzero(has)
    stage = neighbours[passes // micro_batches]
    there = np.where(has & (stage != NONE), stage * micro_batches + passes % micro_batches, count)
    return slot_of[there]


def _levels(rank: Indices, before: Indices, ranks: int) -> tuple[Indices, Indices]:
    """Return the slots by levels, and where each ends: in each round every rank takes its next slot if it can."""
    ends = np.append(np.searchsorted(rank, np.arange(ranks)), len(rank))
    following, last = ends[:-1].copy(), ends[1:]
    done = np.zeros(len(rank) + 1, bool)
    done[NONE] = True
    levels = []
    while (open_ranks := np.flatnonzero(following < last)).size:
        slots = following[open_ranks]
        ready = done[before[1, slots]] & done[before[2, slots]]
        if not ready.any():
            raise AssertionError("the order of a pipeline waits for itself")
        levels.append(slots[ready])
        done[slots[ready]] = True
        following[open_ranks[ready]] += 1
    return np.concatenate(levels), np.cumsum([len(level) for level in levels])
