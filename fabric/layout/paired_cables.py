"""The cables of a fabric and of a larger one, bundle by bundle, by the pairs of devices that they join."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Network
from fabric.network.expand import expand

__all__ = ["BothFabrics", "PairedCables", "count_pairs"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairedCables:
    """The cables of a bundle in both fabrics, by pairs of devices; columns of shape (pairs,) of either."""

    number: int
    """The bundle, by its index in today's network."""
    old_low: Ints
    """Today's device at the lower end."""
    old_high: Ints
    """Today's device at the upper end."""
    cables: Ints
    """The cables between them."""
    new_low: Ints
    """The larger fabric's device at the lower end."""
    new_high: Ints
    """The larger fabric's device at the upper end."""
    needed: Ints
    """The cables between them."""
    codes: Ints
    """A number for each pair of the larger fabric, ascending: lower x devices + upper."""
    devices: int
    """The devices of the larger fabric."""

    def find(self, low: Ints, high: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return where the larger fabric has pairs of its devices, and whether it has them; -1 is no device."""
        codes = np.where((low >= 0) & (high >= 0), low * self.devices + high, -1)
        at = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return at, self.codes[at] == codes

    def keep(self, place: Ints) -> Ints:
        """Return how many cables of each of today's pairs stay where devices become those of `place`."""
        at, there = self.find(place[self.old_low], place[self.old_high])
        return np.where(there, np.minimum(self.cables, self.needed[at]), 0)


@dataclass(frozen=True)
class BothFabrics:
    """Today's fabric and the larger one, with their cables."""

    before: Blueprint
    """Today's fabric."""
    after: Blueprint
    """The larger one."""
    old: Network
    """Today's devices and links."""
    new: Network
    """Those of the larger one."""
    pairs: tuple[PairedCables, ...] = field(repr=False)
    """The bundles whose cables the larger fabric can use."""

    def count_kept(self, place: Ints) -> int:
        """Return how many cables stay where devices become those of `place`."""
        return sum(int(pair.keep(place).sum()) for pair in self.pairs)

    @classmethod
    def of(cls, before: Blueprint, after: Blueprint) -> BothFabrics:
        """Expand both fabrics, and pair the bundles of equal names and rates."""
        old, new = expand(before), expand(after)
        return cls(before, after, old, new, tuple(_pair_cables(old, new)))


def _pair_cables(old: Network, new: Network) -> Iterator[PairedCables]:
    for number, name in enumerate(old.bundles):
        if name in new.bundles and old.bundle_gbps[number] == new.bundle_gbps[new.bundles.index(name)]:
            low, high, needed = count_pairs(new, new.bundles.index(name))
            if len(needed):
                codes = low * new.devices + high
                yield PairedCables(number, *count_pairs(old, number), low, high, needed, codes, new.devices)


def count_pairs(network: Network, number: int) -> tuple[Ints, Ints, Ints]:
    """Return the pairs of devices that a bundle joins, lower and upper ends, and the cables of each, in order."""
    rows = network.bundle == number
    codes = network.lower[rows].astype(np.int64) * network.devices + network.upper[rows]
    found, counts = np.unique(codes, return_counts=True)
    low, high = np.divmod(found, network.devices)
    return low, high, counts
