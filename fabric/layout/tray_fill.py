"""How full trays are: the cables above every stretch of a row's tray and of a cross tray, and their cross-section.

A cable takes the way of `routes`. Between two halls the trays of rows and cross trays go on to where cables turn, and
trays of two halls in line are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.catalog.cable_diameters import DIAMETERS_MM
from fabric.frozen_columns import FrozenColumns
from fabric.layout.cables import CableKind
from fabric.layout.layout import Layout
from fabric.layout.routes import choose_cross_trays, cross_trays_m
from fabric.layout.spots import Spots
from fabric.layout.tray_lines import Legs, Spans, Stretches, load_lines
from fabric.layout.wiring import Wiring

__all__ = ["TrayFill", "fill_trays"]

Metres = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrayFill(FrozenColumns):
    """Stretches of trays, in columns of shape (stretches,)."""

    hall: Ints
    """The index of the hall; -1 between halls."""
    row: Ints
    """The row above which it is, from 0; -1 for a cross tray and between halls."""
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
    """Return what is in every stretch of the trays of the halls in use, and between these."""
    layout, trays = wiring.layout, wiring.layout.site.trays
    kind, one, other, count = _count_strands(wiring)
    diameters = [_diameter_of(wiring, each) for each in wiring.kinds]
    area = np.array([0.0 if each is None else np.pi * each**2 / 4 for each in diameters])[kind] * count
    apart = one != other
    first, second = layout.spots.take(one[apart]), layout.spots.take(other[apart])
    loads = np.stack([count[apart], area[apart]], axis=1).astype(np.float64)
    hall, row, x0, x1, y0, y1, inside = _load_trays(layout, first, second, loads)
    found = zip(wiring.kinds, diameters, strict=True)
    unknown = tuple(dict.fromkeys(kind.part or kind.bundle for kind, each in found if each is None))
    cables, filled = np.rint(inside[:, 0]).astype(np.int64), inside[:, 1]
    section = trays.width_mm * trays.depth_mm
    return TrayFill(hall, row, x0, x1, y0, y1, cables, filled, section, trays.fill, unknown)


def _diameter_of(wiring: Wiring, kind: CableKind) -> float | None:
    """Return the diameter of the cables of a kind in mm; None where it is not known."""
    if kind.found is None:
        return None
    return wiring.layout.site.diameters_mm.get(kind.part, DIAMETERS_MM.get(kind.found.joint.media))


def _count_strands(wiring: Wiring) -> tuple[Ints, Ints, Ints, Ints]:
    """Return kind, lower rack, upper rack and number of all cables, or tails of one, between the same racks."""
    network, layout = wiring.network, wiring.layout
    racks = np.int64(layout.racks)
    one, other = (layout.device_rack[end].astype(np.int64) for end in (network.lower, network.upper))
    pair = (one * racks + other) * len(wiring.kinds) + wiring.kind
    order = np.lexsort((wiring.cable, pair))
    sorted_pair, sorted_cable = pair[order], wiring.cable[order]
    new = np.append(True, (np.diff(sorted_pair) != 0) | (np.diff(sorted_cable) != 0))
    pairs, count = np.unique(sorted_pair[new[: len(order)]], return_counts=True)
    ends, kind = np.divmod(pairs, len(wiring.kinds))
    return kind, ends // racks, ends % racks, count


def _load_trays(layout: Layout, one: Spots, other: Spots, loads: Metres) -> list[npt.NDArray[Any]]:
    """Return hall, row, both ends along and across rows, and what is in each stretch, for ways with `loads`."""
    across = (one.hall != other.hall) | (one.row != other.row)
    at, _ = choose_cross_trays(layout.site, layout.halls, one, other)
    rows = Legs(
        np.concatenate([one.y_m, other.y_m[across]]),
        np.concatenate([one.x_m, other.x_m[across]]),
        np.concatenate([np.where(across, at, other.x_m), at[across]]),
        np.concatenate([loads, loads[across]]),
    )
    above, halls, numbers = _load_rows(layout, rows)
    crossing, owners = _load_crossings(layout, Legs(at[across], one.y_m[across], other.y_m[across], loads[across]))
    columns = [
        (halls, owners),
        (numbers, np.full(len(owners), -1)),
        (above.start_m, crossing.level_m),
        (above.end_m, crossing.level_m),
        (above.level_m, crossing.start_m),
        (above.level_m, crossing.end_m),
        (above.loads, crossing.loads),
    ]
    return [np.concatenate(each) for each in columns]


def _load_rows(layout: Layout, legs: Legs) -> tuple[Stretches, Ints, Ints]:
    """Return the stretches above rows and between them, and the hall and the row of each, -1 between halls."""
    halls = _halls_in_use(layout)
    count = [layout.halls[number].rows for number in halls]
    hall, row = np.repeat(halls, count), np.concatenate([np.arange(rows) for rows in count])
    left = np.array([_corner(layout, number)[0] for number in halls])
    length = np.array([layout.halls[number].length_m for number in halls])
    level = np.concatenate([_levels(layout, number) for number in halls])
    spans = Spans(level, np.repeat(left, count), np.repeat(left + length, count))
    places = [_places_above(layout, number) for number in halls]
    found = load_lines(
        legs,
        spans,
        np.concatenate(
            [np.repeat(_levels(layout, number), len(each)) for number, each in zip(halls, places, strict=True)]
        ),
        np.concatenate([np.tile(each, rows) for each, rows in zip(places, count, strict=True)]),
    )
    inside = found.span >= 0
    return found, np.where(inside, hall[found.span], -1), np.where(inside, row[found.span], -1)


def _load_crossings(layout: Layout, legs: Legs) -> tuple[Stretches, Ints]:
    """Return the stretches of cross trays and between these, and the hall of each, -1 between halls."""
    halls = [number for number in _halls_in_use(layout) if layout.halls[number].rows > 1]
    trays = [_crossings_inside(layout, number) for number in halls]
    hall = np.repeat(np.array(halls, np.int64), [len(each) for each in trays])
    levels = [_levels(layout, number) for number in halls]
    none = [np.zeros(0)]
    at = np.concatenate([*none, *trays])
    starts, ends = (
        np.concatenate([*none, *(np.full(len(tray), level[end]) for tray, level in zip(trays, levels, strict=True))])
        for end in (0, -1)
    )
    found = load_lines(
        legs,
        Spans(at, starts, ends),
        np.concatenate([*none, *(np.repeat(tray, len(level)) for tray, level in zip(trays, levels, strict=True))]),
        np.concatenate([*none, *(np.tile(level, len(tray)) for tray, level in zip(trays, levels, strict=True))]),
    )
    return found, np.where(found.span >= 0, np.append(hall, -1)[found.span], -1)


def _halls_in_use(layout: Layout) -> list[int]:
    return [int(number) for number in np.unique(layout.hall)]


def _corner(layout: Layout, number: int) -> tuple[float, float]:
    """Return where the first row of a hall begins, along and across rows."""
    return layout.halls[number].x_m or 0.0, layout.halls[number].y_m or 0.0


def _levels(layout: Layout, number: int) -> Metres:
    """Return where the rows of a hall are across rows, shape (rows,)."""
    return np.asarray(
        _corner(layout, number)[1] + np.arange(layout.halls[number].rows) * layout.halls[number].row_pitch_m
    )


def _places_above(layout: Layout, number: int) -> Metres:
    """Return where stretches above a row of a hall end: at the middles of racks and at cross trays."""
    hall, left = layout.halls[number], _corner(layout, number)[0]
    middles = left + (np.arange(hall.racks_per_row) + 0.5) * hall.rack_pitch_m
    return np.concatenate([middles, _crossings_inside(layout, number)])


def _crossings_inside(layout: Layout, number: int) -> Metres:
    """Return where the cross trays of a hall are along its rows, those within its rows."""
    hall, left = layout.halls[number], _corner(layout, number)[0]
    return np.array([each for each in cross_trays_m(layout.site, hall) if left <= each <= left + hall.length_m])
