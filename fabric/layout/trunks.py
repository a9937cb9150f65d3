"""Trunks: the cables between each two racks, which are pulled together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns
from fabric.layout.wiring import Wiring

__all__ = ["Trunks", "find_trunks"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trunks(FrozenColumns):
    """The cables between each two racks; read-only columns, shape (trunks,)."""

    one: Ints
    """The rack of the lower number."""
    other: Ints
    """The rack of the higher number; the same within a rack."""
    cables: Ints
    """The number of cables."""
    of_cable: Ints
    """The trunk of each cable, shape (cables,)."""


def find_trunks(wiring: Wiring) -> Trunks:
    """Return the trunks of a fabric; a splitter belongs to that of its first link."""
    network, racks = wiring.network, wiring.layout.device_rack
    _, firsts = np.unique(wiring.cable, return_index=True)
    ends = np.sort(np.stack([racks[network.lower[firsts]], racks[network.upper[firsts]]]).astype(np.int64), axis=0)
    pairs, of_cable, cables = np.unique(
        ends[0] * wiring.layout.racks + ends[1], return_inverse=True, return_counts=True
    )
    one, other = np.divmod(pairs, wiring.layout.racks)
    return Trunks(one, other, cables, of_cable)
