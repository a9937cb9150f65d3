"""The links between nodes of a view where a bundle is balanced, and pairs of devices have unlike numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network.expand import lay_devices, steps
from fabric.topology.axis_bundle import BalancedBundle

__all__ = ["UnevenLinks"]

Fixed = Mapping[str, int]
"""The digits that the devices of a node have in common."""


@dataclass(frozen=True)
class UnevenLinks:
    """The links of a balanced bundle between two sets of devices."""

    blueprint: Blueprint
    """The fabric."""
    bundle: BalancedBundle
    """The bundle."""

    @property
    def _together(self) -> int:
        return self.blueprint.sizes[self.bundle.connector]

    @property
    def _connectors(self) -> int:
        return self.blueprint.sizes[self.bundle.uplinks] // self._together

    @property
    def _switches(self) -> int:
        return self.blueprint.evaluate(self.bundle.upper_only)

    def count_links(self, pairs: int, low: Fixed, highs: Sequence[Fixed]) -> list[int]:
        """Return the links from the lower devices of one node to each of the upper nodes, all of as many pairs.

        The connectors that a device has beyond those of every pair lead to switches in a row, from the one after its
        last on.
        """
        each, rest = divmod(self._connectors, self._switches)
        if not rest:
            return [pairs * each * self._together] * len(highs)
        sizes = self.blueprint.sizes
        digits = self._digits(low)
        rank = np.zeros(len(digits[self.bundle.lower.axes[0]]), np.int64)
        for axis, step in steps(self.bundle.numbered, sizes).items():
            rank += digits[axis] * step
        first = rank * self._connectors % self._switches
        found = []
        for high in highs:
            before = np.concatenate([[0], np.cumsum(np.tile(self._reached(high), 2))])
            alike = np.ones(len(first), bool)
            for axis in self.bundle.shared:
                alike &= digits[axis] == high.get(axis, digits[axis])
            more = before[first[alike] + rest] - before[first[alike]]
            found.append((pairs * each + int(more.sum())) * self._together)
        return found

    def _digits(self, fixed: Fixed) -> dict[str, npt.NDArray[np.int64]]:
        """Return the digits of the lower devices of a node, arrays of one shape."""
        mask: Any = True
        for axis, digit in self._all_digits.items():
            mask = mask & (digit == fixed.get(axis, digit))
        return {axis: digit[mask] for axis, digit in self._all_digits.items()}

    @cached_property
    def _all_digits(self) -> dict[str, npt.NDArray[np.int64]]:
        lower = lay_devices(self.blueprint)[self.bundle.lower.role]
        return dict(zip(lower.axes, np.unravel_index(np.arange(lower.count), lower.shape), strict=True))

    def _reached(self, fixed: Fixed) -> npt.NDArray[np.int64]:
        """Return for each of the switches that a lower device reaches whether it is among those of a node."""
        shape = [self.blueprint.sizes[axis] for axis in self.bundle.upper_only]
        reached: Any = np.ones(shape, bool)
        for axis, digit in zip(self.bundle.upper_only, np.indices(shape, sparse=True), strict=True):
            reached = reached & (digit == fixed.get(axis, digit))
        return np.asarray(reached, np.int64).reshape(-1)
