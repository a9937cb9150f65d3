"""How full trays are: the cables above every stretch of a row's tray and of a cross tray, and their cross-section.

A cable takes the way of `routes`. Between halls the trays are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog.cable_diameters import DIAMETERS_MM
from fabric.frozen_columns import FrozenColumns
from fabric.layout.layout import Layout
from fabric.layout.routes import choose_cross_trays, cross_trays_m
from fabric.layout.spots import Spots
from fabric.layout.wiring import Wiring

__all__ = ["TrayFill", "fill_trays"]

Metres = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrayFill(FrozenColumns):
    """Stretches of trays, in columns of shape (stretches,)."""

    hall: Ints
    """The index of the hall."""
    row: Ints
    """The row above which it is, from 0; -1 for a cross tray."""
    x0_m: Metres
    """Where it begins along the rows."""
    x1_m: Metres
    """Where it ends along the rows."""
    y0_m: Metres
    """Where it begins across the rows."""
    y1_m: Metres
    """Where it ends across the rows."""
    cables: Ints
    """The cables in it; a tail of a splitter counts as one."""
    area_mm2: Metres
    """The cross-section of those whose diameter is known, in mm2."""
    section_mm2: float
    """The cross-section of a tray, in mm2."""
    limit: float
    """The share of it that cables may take."""
    unknown: tuple[str, ...]
    """The parts whose diameter is not known: they are not in the cross-section."""

    @property
    def share(self) -> Metres:
        """The share of the tray's cross-section that cables take, shape (stretches,)."""
        return np.asarray(self.area_mm2 / self.section_mm2)


def fill_trays(wiring: Wiring) -> TrayFill:
    """Return what is in every stretch of the trays of the halls in use."""
    layout, trays = wiring.layout, wiring.layout.site.trays
    bundle, one, other, count = _count_strands(wiring)
    diameters = [_diameter_of(wiring, name) for name in wiring.network.bundles]
    area = np.array([0.0 if each is None else np.pi * each**2 / 4 for each in diameters])[bundle] * count
    apart = one != other
    first, second = layout.spots.take(one[apart]), layout.spots.take(other[apart])
    stretches = [*_cut_trays(layout, first, second, np.stack([count[apart], area[apart]], axis=1).astype(np.float64))]
    columns = [np.concatenate(each) for each in zip(*stretches, strict=True)]
    names = zip(wiring.network.bundles, diameters, strict=True)
    unknown = tuple(dict.fromkeys(wiring.parts[name] or name for name, each in names if each is None))
    hall, row, x0, x1, y0, y1, cables, filled = columns
    return TrayFill(
        hall.astype(np.int64), row.astype(np.int64), x0, x1, y0, y1, np.rint(cables).astype(np.int64), filled,
        trays.width_mm * trays.depth_mm, trays.fill, unknown,
    )  # fmt: skip


def _diameter_of(wiring: Wiring, bundle: str) -> float | None:
    """Return the diameter of the cables of a bundle in mm; None where it is not known."""
    part = wiring.compositions[bundle]
    if part is None:
        return None
    return wiring.layout.site.diameters_mm.get(part.joint.name, DIAMETERS_MM.get(part.joint.media))


def _count_strands(wiring: Wiring) -> tuple[Ints, Ints, Ints, Ints]:
    """Return bundle, lower rack, upper rack and number of all cables, or tails of one, between the same racks."""
    network, layout = wiring.network, wiring.layout
    racks = np.int64(layout.racks)
    one, other = (layout.device_rack[end].astype(np.int64) for end in (network.lower, network.upper))
    pair = (one * racks + other) * len(network.bundles) + network.bundle
    order = np.lexsort((wiring.cable, pair))
    sorted_pair, sorted_cable = pair[order], wiring.cable[order]
    new = np.append(True, (np.diff(sorted_pair) != 0) | (np.diff(sorted_cable) != 0))
    pairs, count = np.unique(sorted_pair[new[: len(order)]], return_counts=True)
    ends, bundle = np.divmod(pairs, len(network.bundles))
    return bundle, ends // racks, ends % racks, count


def _cut_trays(layout: Layout, one: Spots, other: Spots, loads: Metres) -> Iterator[Sequence[npt.NDArray[np.generic]]]:
    """Yield the stretches of each hall's trays with what is in them, for ways between racks with `loads`."""
    across = (one.hall != other.hall) | (one.row != other.row)
    at, owner = choose_cross_trays(layout.site, layout.halls, one, other)
    halves = [(spots, np.where(across, at, far.x_m)) for spots, far in ((one, other), (other, one))]
    for number, hall in enumerate(layout.halls):
        if not (layout.hall == number).any():
            continue
        x, y = hall.x_m or 0.0, hall.y_m or 0.0
        crossings = np.array([each for each in cross_trays_m(layout.site, hall) if x <= each <= x + hall.length_m])
        middles = x + (np.arange(hall.racks_per_row) + 0.5) * hall.rack_pitch_m
        cuts = np.unique(np.concatenate([[x, x + hall.length_m], middles, crossings]))
        table = np.zeros((hall.rows, len(cuts), 2))
        for half, (spots, end) in enumerate(halves):
            rows = np.flatnonzero((spots.hall == number) & (across | (half == 0)))
            _lay_on(table, spots.row[rows], cuts, spots.x_m[rows], end[rows], loads[rows])
        row, cut = np.indices((hall.rows, len(cuts) - 1)).reshape(2, -1)
        level = y + row * hall.row_pitch_m
        inside = np.cumsum(table, axis=1)[:, :-1].reshape(-1, 2).T
        yield np.full(len(row), number), row, cuts[cut], cuts[cut + 1], level, level, *inside
        levels = y + np.arange(hall.rows, dtype=np.float64) * hall.row_pitch_m
        if len(crossings) and hall.rows > 1:
            table = np.zeros((len(crossings), hall.rows, 2))
            rows = np.flatnonzero(across & (owner == number))
            nearest = np.abs(crossings[:, None] - at[rows]).argmin(axis=0)
            _lay_on(table, nearest, levels, one.y_m[rows], other.y_m[rows], loads[rows])
            tray, gap = np.indices((len(crossings), hall.rows - 1)).reshape(2, -1)
            inside = np.cumsum(table, axis=1)[:, :-1].reshape(-1, 2).T
            where = crossings[tray]
            yield (
                np.full(len(tray), number),
                np.full(len(tray), -1),
                where,
                where,
                levels[gap],
                levels[gap + 1],
                *inside,
            )


def _lay_on(
    table: Metres,
    line: npt.NDArray[np.integer],
    cuts: npt.NDArray[np.floating],
    start: Metres,
    end: Metres,
    loads: Metres,
) -> None:
    """Add loads where they begin on a line of stretches, and take them off where they end."""
    first, last = (np.searchsorted(cuts, each - 1e-6) for each in (np.minimum(start, end), np.maximum(start, end)))
    np.add.at(table, (line, np.minimum(first, len(cuts) - 1)), loads)
    np.subtract.at(table, (line, np.minimum(last, len(cuts) - 1)), loads)
