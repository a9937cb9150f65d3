"""What is made of the ports of some switches at a time, so that a million GPUs' files never stand in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Batches"]

SWITCHES = 512
"""The switches of a batch."""

T = TypeVar("T")


class Batches(Generic[T]):
    """The batch of a switch, made when it is first asked for; one is kept at a time."""

    def __init__(self, start: npt.NDArray[np.int64], make: Callable[[slice], T]) -> None:
        """`start` has the first row of each switch's ports and the end of the last; `make` is given rows of a batch."""
        self._start, self._make = start, make
        self._number = -1
        self._made: T | None = None

    def of(self, switch: int) -> tuple[T, slice]:
        """Return the batch of a switch, and the switch's rows in it."""
        number = switch // SWITCHES
        first = int(self._start[number * SWITCHES])
        if number != self._number or self._made is None:
            last = min((number + 1) * SWITCHES, len(self._start) - 1)
            self._made = self._make(slice(first, int(self._start[last])))
            self._number = number
        return self._made, slice(int(self._start[switch]) - first, int(self._start[switch + 1]) - first)
