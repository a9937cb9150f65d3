"""The sets of devices that a bundle joins, such as the leaves and spines of a pod, today and in a larger fabric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.layout.paired_cables import PairedCables
from fabric.network.connected_parts import label_joined

__all__ = ["BothSets", "JoinedSets"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class JoinedSets:
    """The sets that the cables of a bundle join in one fabric, and the devices at either end of them."""

    label: Ints
    """The set of each device, from 0; -1 for one that the bundle does not join, shape (devices,)."""
    low: Ints
    """The devices at lower ends, ascending."""
    high: Ints
    """The devices at upper ends, ascending."""

    @classmethod
    def of(cls, low: Ints, high: Ints, devices: int) -> JoinedSets:
        """Return the sets that pairs of devices join."""
        joined, ends = label_joined(low, high, devices), (np.unique(low), np.unique(high))
        members, label = np.concatenate(ends), np.full(devices, -1)
        label[members] = np.unique(joined[members], return_inverse=True)[1]
        return cls(label, *ends)

    @property
    def sets(self) -> int:
        """The number of sets."""
        return int(self.label.max()) + 1

    def ends(self, end: int) -> Ints:
        """Return the devices at the lower ends (0) or at the upper ones (1)."""
        return self.high if end else self.low

    def count_members(self, end: int) -> Ints:
        """Return the devices of each set at the lower ends (0) or at the upper ones (1), shape (sets,)."""
        return np.bincount(self.label[self.ends(end)], minlength=self.sets)


@dataclass(frozen=True)
class BothSets:
    """The sets of a bundle in both fabrics."""

    old: JoinedSets
    """Those of today's fabric."""
    new: JoinedSets
    """Those of the larger one."""
    widest: int
    """The most cables of a pair of devices that can stay."""

    @classmethod
    def of(cls, pair: PairedCables, devices: int) -> BothSets:
        """Return the sets of a bundle; `devices` are those of today's fabric."""
        return cls(
            JoinedSets.of(pair.old_low, pair.old_high, devices),
            JoinedSets.of(pair.new_low, pair.new_high, pair.devices),
            min(int(pair.cables.max()), int(pair.needed.max())),
        )
