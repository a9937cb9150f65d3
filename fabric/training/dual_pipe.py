"""The order of DualPipe (arXiv:2412.19437, section 3.2.1): micro-batches enter at both ends of the pipeline.

Each rank has two virtual stages, and a forward pass of one runs together with a backward pass of the other, so that
each hides the messages of the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["dual_slots"]

NONE = -1
"""No pass, in a slot that has none of a kind."""

Slot = tuple[int, int, int]
"""The passes of a slot: forward, backward, and that of the gradients of weights."""


@dataclass
class _Rank:
    """A rank of DualPipe, which takes its passes in turn.

    Direction 0 is that from the end nearer to the rank. Half of the micro-batches enter at each end.
    """

    ranks: int
    rank: int
    micro_batches: int
    forwards: list[int] = field(default_factory=lambda: [0, 0])
    backwards: list[int] = field(default_factory=lambda: [0, 0])
    late: list[int] = field(default_factory=list)

    def forward(self, direction: int) -> Slot:
        """Return a slot of a forward pass."""
        return self._take(self.forwards, direction), NONE, NONE

    def backward(self, direction: int) -> Slot:
        """Return a slot of a whole backward pass."""
        number = self._take(self.backwards, direction)
        return NONE, number, number

    def inputs(self, direction: int) -> Slot:
        """Return a slot of a backward pass that leaves the gradients of weights for later."""
        self.late.append(self._take(self.backwards, direction))
        return NONE, self.late[-1], NONE

    def weights(self) -> Slot:
        """Return a slot of the gradients of weights that were left first."""
        return NONE, NONE, self.late.pop(0)

    def both(self, forward: int, backward: int) -> Slot:
        """Return a slot of a forward pass in one direction together with a whole backward pass of the other."""
        return self.forward(forward)[0], *self.backward(backward)[1:]

    def _take(self, taken: list[int], direction: int) -> int:
        """Return the number of the next pass in a direction."""
        way = direction ^ (self.rank >= self.ranks // 2)
        stage = self.ranks + self.ranks - 1 - self.rank if way else self.rank
        number = stage * self.micro_batches + way * (self.micro_batches // 2) + taken[direction]
        taken[direction] += 1
        return number


def dual_slots(ranks: int, rank: int, micro_batches: int) -> NDArray[np.int64]:
    """Return the slots of a rank, one a row (see `Slot`), in the eight steps of DeepSeek's published code.

    `ranks` and `micro_batches` are even, and there are at least twice as many micro-batches as ranks.
    """
    here = _Rank(ranks, rank, micro_batches)
    near = min(rank, ranks - 1 - rank)
    beyond, main = ranks // 2 - 1 - near, micro_batches // 2 - ranks + near + 1

    slots = [here.forward(0) for _ in range(2 * beyond)]
    slots += [here.forward(direction) for _ in range(near + 1) for direction in (0, 1)]
    for _ in range(beyond):
        slots += [here.inputs(1), here.weights(), here.forward(1)]
    for number in range(main):
        # The two ranks in the middle do not join the first pair: the others would wait for it.
        slots += [here.forward(0), here.backward(1)] if number == 0 and beyond == 0 else [here.both(0, 1)]
        slots.append(here.both(1, 0))
    for _ in range(beyond):
        slots += [here.backward(1), here.both(1, 0)]
    split = near + 1  # from this backward pass on, gradients of weights are left for later
    for number in range(2 * (near + 1)):
        slots.append((here.backward if number < split else here.inputs)(1 - number % 2))
    for _ in range(beyond):
        slots += [here.weights(), here.inputs(0)]
    slots += [here.weights() for _ in range(near + 1)]
    return np.array(slots, np.int64)
