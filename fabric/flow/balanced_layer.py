"""A balanced bundle of links of a Clos as arithmetic: connectors are numbered below the switches that share them.

See `fabric.topology.axis_bundle.BalancedBundle`: connector k leads to upper device k mod S.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.layer import Choice, Digits, Ends, Layer

__all__ = ["BalancedLayer"]


@dataclass(frozen=True)
class BalancedLayer(Layer):
    """One balanced bundle: a device hashes over its links, so that a switch above is taken as often as it has links.

    The `steps` are those of the lower end's axes; `copies` are the parallel links of the pair that has most.
    """

    uplinks: int
    """The links up of a device."""
    together: int
    """The links of a connector."""
    places: int
    """The localities of the lower group below one upper device."""
    ranks: Mapping[str, int]
    """The numbers of devices from one value to the next, on each axis of the lower group only that is no place."""
    ranks_of_place: int
    """The numbers of devices of one locality."""

    @property
    def connectors(self) -> int:
        """The connectors of a device."""
        return self.uplinks // self.together

    @property
    def switches(self) -> int:
        """The upper devices that a lower one reaches."""
        return math.prod(self.up.values())

    @property
    def unevenness(self) -> Fraction:
        return Fraction(self.copies, self.connectors // self.switches * self.together)

    def link(self, server: Any, digits: Digits, copy: Any) -> Any:
        """Return the row of a parallel link between the devices of these digits; there may be fewer (`count_links`)."""
        return self._row(server, digits, self._uplink(server, digits, copy))

    def digit(self, rows: npt.NDArray[Any], axis: str) -> npt.NDArray[np.int64]:
        if axis in self.steps:
            return super().digit(rows, axis)
        server = (rows - self.first) // self.locality_step * self.servers
        digits = {name: super(BalancedLayer, self).digit(rows, name) % size for name, size in self._inner.items()}
        above, copy = self._above(server, digits, (rows - self.first) % self.uplinks)
        return np.asarray(copy if axis == self.name else above[axis], np.int64)

    def climb(self, end: Ends, digits: Digits, choose: Choice) -> tuple[Digits, Any]:
        if choose.settled:
            return self._settled(end, digits, choose, self.up)
        uplink = choose(self.name, self.uplinks)
        return self._above(end.server, digits, uplink)[0], self._row(end.server, digits, uplink)

    def descend(self, end: Ends, digits: Digits, choose: Choice) -> tuple[Digits, Any]:
        if choose.settled:
            return self._settled(end, digits, choose, self.down)
        # Devices that differ in free digits only have consecutive numbers, and any of the links to them will do.
        below = dict.fromkeys(self.down, 0)
        first = {**digits, **below}
        among = math.prod(self.down.values())
        link = choose(self.name, self._count(end.server, first, among))
        uplink = self._uplink(end.server, first, link)
        rank, uplink = uplink // self.uplinks, uplink % self.uplinks
        chosen = dict(zip(self.down, _unravel(rank, self.down), strict=True))
        return chosen, self._row(end.server, {**digits, **chosen}, uplink)

    def read_off(self, end: Ends, digits: Digits, number: Any, /) -> tuple[dict[str, Any], Any]:
        """Return what is chosen above a device whose link up is read off the number: the switch, and the link to it."""
        above, copy = self._above(end.server, digits, number % self.uplinks)
        return {**above, self.name: copy}, number // self.uplinks

    def links_above(self, end: Ends) -> tuple[Any, Any]:
        sizes = {**self.free, self.name: self.copies}
        grid = np.indices(tuple(sizes.values()), sparse=True)
        *others, copy = (each[None] for each in grid)

        def wide(values: Any) -> Any:
            return np.asarray(values).reshape(-1, *(1,) * len(sizes))

        digits = dict(zip(self.free, others, strict=True)) | {axis: wide(value) for axis, value in end.rails.items()}
        exists = copy < self._count(wide(end.server), digits, 1)
        return self.link(wide(end.server), digits, np.where(exists, copy, 0)), exists

    def _settled(self, end: Ends, digits: Digits, choose: Choice, axes: Mapping[str, int]) -> tuple[Digits, Any]:
        chosen = {axis: choose.settled[axis] for axis in axes}
        both = {**digits, **chosen}
        copy = choose(self.name, self._count(end.server, both, 1))
        return chosen, self.link(end.server, both, copy)

    @property
    def _inner(self) -> dict[str, int]:
        """The axes of the lower end that are no places, with their sizes."""
        return self.rails | self.lower_free

    def _row(self, server: Any, digits: Digits, uplink: Any) -> Any:
        return super().link(server, digits, uplink)

    def _rank(self, server: Any, digits: Digits) -> Any:
        """Return the number of the lower device among those that share upper ones."""
        place = server // self.servers % self.places * self.ranks_of_place
        return place + sum(digits[axis] * step for axis, step in self.ranks.items())

    def _above(self, server: Any, digits: Digits, uplink: Any) -> tuple[dict[str, Any], Any]:
        """Return the digits of the upper device to which a link leads, and its number among the links of the pair."""
        connector = self._rank(server, digits) * self.connectors + uplink // self.together
        own = uplink // self.together // self.switches * self.together + uplink % self.together
        return dict(zip(self.up, _unravel(connector % self.switches, self.up), strict=True)), own

    def _first(self, server: Any, digits: Digits) -> Any:
        """Return the first connector to the upper device of these digits, counted from the lower one's own first."""
        upper: Any = 0
        for axis, size in self.up.items():
            upper = upper * size + digits[axis]
        return (upper - self._rank(server, digits) * self.connectors) % self.switches

    def _count(self, server: Any, digits: Digits, among: int) -> Any:
        """Return the links from an upper device to a number of lower ones, starting with the one of these digits."""
        last = among * self.connectors - 1 - self._first(server, digits)
        return (last // self.switches + 1) * self.together

    def _uplink(self, server: Any, digits: Digits, link: Any) -> Any:
        """Return which of the links up of those lower devices, counted one after another, is this one of `_count`."""
        connector = self._first(server, digits) + link // self.together * self.switches
        return connector * self.together + link % self.together


def _unravel(number: Any, sizes: Mapping[str, int]) -> list[Any]:
    """Return the digits of a number, the last fastest."""
    digits: list[Any] = []
    for size in reversed(list(sizes.values())):
        digits.insert(0, number % size)
        number = number // size
    return digits
