"""One bundle of links of a Clos as arithmetic: which link routing takes, and which equal-cost group it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Choice", "Digits", "Ends", "Layer"]

Digits = Mapping[str, Any]
"""The value on each axis: integers, or arrays of integers of one shape."""

Rows = npt.NDArray[np.int64]


class Choice(Protocol):
    """What a routing does with the digits that are free."""

    @property
    def settled(self) -> Digits:
        """The digits that the number of an end settles on the way up and down; none where each switch chooses."""

    def __call__(self, name: str, size: Any, /) -> Any:
        """Return the digit on an axis of this size; for the bundle's own name, the parallel link."""


@dataclass(frozen=True)
class Ends:
    """NICs as routing sees them, in arrays of one shape."""

    server: Any
    """The server."""
    rails: Digits
    """The value on each rail axis."""
    copy: Any
    """The number of the host link among the parallel ones of its rail; of unlike servers that of the NIC among all."""
    own: Any
    """The number of the server among all; `server` counts units where servers are unlike."""


@dataclass(frozen=True)
class Layer:
    """One bundle of links as arithmetic.

    An equal-cost group (ECMP group) is the links that differ only in what routing is free to choose: its links have the
    locality and the rail of their lower ends in common, and below the leaves the NIC.
    """

    name: str
    """The name of the bundle."""
    first: int
    """The row of its first link."""
    links: int
    """The number of its links."""
    copies: int
    """The parallel links of a joined pair."""
    servers: int
    """The servers below one locality of the lower group."""
    locality_step: int
    """The rows from one locality of the lower group to the next."""
    steps: Mapping[str, int]
    """The rows from one value to the next on each other axis of either group."""
    up: dict[str, int]
    """The axes that routing chooses on the way up, each with its size."""
    down: dict[str, int]
    """The axes that routing chooses on the way down, each with its size."""
    rails: dict[str, int]
    """The rail axes of the lower end (at a server, of the link), each with its size."""
    lower_free: dict[str, int]
    """The other axes of the lower end except the localities, each with its size."""
    first_group: int
    """The number of its first equal-cost group."""
    groups: int
    """The number of its equal-cost groups."""
    chooses_copy: bool
    """Whether routing chooses among parallel links; at a server the NIC decides."""

    def link(self, server: Any, digits: Digits, copy: Any) -> Any:
        """Return the row of the link above (the devices above) `server` with these digits."""
        others = sum(digits[axis] * step for axis, step in self.steps.items())
        return self.first + server // self.servers * self.locality_step + others + copy

    def group(self, server: Any, digits: Digits, copy: Any) -> Any:
        """Return the number of the group above `server` and its rails; below the leaves it is the NIC's row."""
        number = server // self.servers
        for axis, size in self.rails.items():
            number = number * size + digits[axis]
        return self.first_group + (number if self.chooses_copy else number * self.copies + copy)

    def group_of(self, rows: Rows) -> Rows:
        """Return the group of each of the layer's link rows."""
        digits = {axis: self.digit(rows, axis) % size for axis, size in self.rails.items()}
        server = (rows - self.first) // self.locality_step * self.servers
        return np.asarray(self.group(server, digits, (rows - self.first) % self.copies))

    def digit(self, rows: npt.NDArray[Any], axis: str) -> Rows:
        """Return the links' value on `axis` (for the layer's own name, the parallel link), with the axes left of it.

        Modulo the size of the axis it is the value alone.
        """
        return np.asarray((rows - self.first) // self.steps.get(axis, 1), np.int64)

    @property
    def free(self) -> dict[str, int]:
        """The free axes of its links with their sizes: first those of the lower end, then the others."""
        return self.lower_free | self.up

    @property
    def unevenness(self) -> Fraction:
        """The links of the pair of devices that has most, over those of the pair that has fewest."""
        return Fraction(1)

    def climb(self, end: Ends, digits: Digits, choose: Choice) -> tuple[Digits, Any]:
        """Return the digits that are chosen on the way up from the device of these `digits`, and the link's row."""
        chosen = {axis: choose(axis, size) for axis, size in self.up.items()}
        return chosen, self.link(end.server, {**digits, **chosen}, self._choose_copy(end, choose))

    def descend(self, end: Ends, digits: Digits, choose: Choice) -> tuple[Digits, Any]:
        """Return the digits that are chosen on the way down from the device of these `digits`, and the link's row."""
        chosen = {axis: choose(axis, size) for axis, size in self.down.items()}
        return chosen, self.link(end.server, {**digits, **chosen}, self._choose_copy(end, choose))

    def _choose_copy(self, end: Ends, choose: Choice) -> Any:
        return choose(self.name, self.copies) if self.chooses_copy else end.copy

    def read_off(self, _end: Ends, _digits: Digits, number: Any, /) -> tuple[dict[str, Any], Any]:
        """Return what is chosen above the device of these digits when it is read off a number, and the number left."""
        chosen: dict[str, Any] = {}
        sizes = self.up | ({self.name: self.copies} if self.chooses_copy else {})
        for name, size in sizes.items():
            chosen[name], number = number % size, number // size
        return chosen, number

    def links_above(self, end: Ends) -> tuple[Any, Any]:
        """Return the rows of all links above each end, over its free axes and the parallel links, and which there are.

        The first axis of both is that of the ends.
        """
        grid = np.zeros((), np.int64)
        for axis, size in (self.free | {self.name: self.copies if self.chooses_copy else 1}).items():
            grid = grid[..., None] + np.arange(size) * self.steps.get(axis, 1)
        nothing = dict.fromkeys(self.steps, 0) | dict(end.rails)
        first = self.link(end.server, nothing, 0 if self.chooses_copy else end.copy)
        return first.reshape(-1, *(1,) * grid.ndim) + grid, True
