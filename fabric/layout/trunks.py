"""Trunks: the cables between each two racks, which are pulled together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns
from fabric.layout.layout import Layout
from fabric.layout.routes import choose_cross_trays
from fabric.layout.wiring import Wiring

__all__ = ["Trunks", "find_trunks", "name_routes"]

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


def name_routes(layout: Layout, trunks: Trunks) -> tuple[tuple[str, ...], Ints]:
    """Return the texts of routes, and the index of that of each trunk, shape (trunks,).

    A route is the row whose tray is taken, such as `A03`, or both rows with the cross tray between them, by its place
    along the rows: `A03 > 5.4 m > A07`. Within a rack it is empty.
    """
    one, other = layout.spots.take(trunks.one), layout.spots.take(trunks.other)
    at, _ = choose_cross_trays(layout.site, layout.halls, one, other)
    across = (one.hall != other.hall) | (one.row != other.row)
    turn = np.where(across, at.round(3), np.where(trunks.one == trunks.other, -np.inf, np.inf))
    keys = np.stack([one.hall, one.row, other.hall, other.row, turn], axis=1)
    _, firsts, codes = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    rows = [name.rpartition("-")[0] for name in layout.rack_names()]
    texts = []
    for trunk in firsts.tolist():
        ends, place = [rows[trunks.one[trunk]], rows[trunks.other[trunk]]], turn[trunk]
        within = "" if place < 0 else ends[0]
        texts.append(f"{ends[0]} > {place:g} m > {ends[1]}" if across[trunk] else within)
    return tuple(texts), codes.reshape(-1)
