"""All positions of the halls, and ways between them that are nowhere longer by a third one.

A cable between two halls takes a cross tray of either. Here the cross trays of all halls serve every pair, so that no
way is longer than that of a cable, and none is longer than one by a third position: the triangle inequality, on which
bounds rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.layout.routes import cross_trays_m
from fabric.layout.spots import Spots, spots_of
from fabric.request.site import Hall, Site

__all__ = ["FloorMetric", "list_positions"]

Metres = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def list_positions(halls: Sequence[Hall]) -> Spots:
    """Return every rack position of the halls, hall by hall and row by row."""
    columns = [
        (np.full(each.positions, number), *np.divmod(np.arange(each.positions), each.racks_per_row))
        for number, each in enumerate(halls)
    ]
    hall, row, position = (np.concatenate(column) for column in zip(*columns, strict=True))
    return spots_of(halls, hall, row, position)


@dataclass(frozen=True)
class FloorMetric:
    """The positions of a floor in the order of their places across the rows, and the ways between them."""

    x_m: Metres
    """Where each position is along the rows, shape (positions,)."""
    y_m: Metres
    """Where it is across the rows, ascending, shape (positions,)."""
    first: Rows
    """The first position of its row, shape (positions,)."""
    last: Rows
    """The last position of its row, excluded, shape (positions,)."""
    column: Rows
    """The index of its place along the rows among the distinct ones, shape (positions,)."""
    turns_m: Metres
    """The way along rows between two places by the best cross tray, shape (distinct places, distinct places)."""

    @classmethod
    def of(cls, site: Site, halls: Sequence[Hall]) -> FloorMetric:
        """Return the metric of the halls' positions."""
        spots = list_positions(halls)
        spots = spots.take(np.argsort(spots.y_m, kind="stable"))
        places, column = np.unique(spots.x_m, return_inverse=True)
        turns = np.full((len(places), len(places)), np.inf)
        for at in {at for hall in halls for at in cross_trays_m(site, hall)}:
            aside = np.abs(places - at)
            np.minimum(turns, aside[:, None] + aside, out=turns)
        first = np.arange(len(column)) - spots.position
        size = np.array([hall.racks_per_row for hall in halls])[spots.hall]
        return cls(spots.x_m, spots.y_m, first, first + size, column, turns)

    @property
    def positions(self) -> int:
        """The number of positions."""
        return len(self.x_m)

    def ways(self, which: Rows, inside: slice = slice(None)) -> Metres:
        """Return the ways in metres from some positions to those of a slice, shape (len(which), those)."""
        metres = self.turns_m[self.column[which]][:, self.column[inside]]
        metres += np.abs(self.y_m[which, None] - self.y_m[inside])
        start, stop, _ = inside.indices(self.positions)
        for line, each in enumerate(which.tolist()):
            row = slice(max(start, int(self.first[each])), max(start, min(stop, int(self.last[each]))))
            metres[line, row.start - start : row.stop - start] = np.abs(self.x_m[row] - self.x_m[each])
        return metres

    def count_ways(self, reach_m: float) -> int:
        """Return the pairs of positions that are no further than this from each other across the rows."""
        near = [np.searchsorted(self.y_m, self.y_m + reach) for reach in (reach_m, -reach_m)]
        return int((near[0] - near[1]).sum())

    def nearest(self, which: Rows, number: int, reach_m: float) -> Iterator[tuple[Rows, Metres]]:
        """Yield, for some of the given positions at a time, the ways to the nearest others, ascending.

        These have the shape (some, number); where fewer positions are within `reach_m`, the rest has that length.
        """
        for y in np.unique(self.y_m[which]):
            here = which[self.y_m[which] == y]
            inside = slice(*np.searchsorted(self.y_m, [y - reach_m, y + reach_m + 1e-9]))
            ways = self.ways(here, inside)
            if ways.shape[1] > number + 1:
                ways = np.partition(ways, number, axis=1)[:, : number + 1]
            ways.sort(axis=1)
            missing = np.full((len(here), max(0, number + 1 - ways.shape[1])), reach_m)
            yield here, np.minimum(np.concatenate([ways, missing], axis=1)[:, 1:], reach_m)
