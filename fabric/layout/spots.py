"""Rack positions in halls, and where they are in metres."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fabric.request.site import Hall

__all__ = ["Spots", "spots_of"]

Metres = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]


class Spots(NamedTuple):
    """Rack positions, in columns of one shape."""

    hall: Rows
    """The index of the hall."""
    row: Rows
    """The row, from 0."""
    position: Rows
    """The position in the row, from 0."""
    x_m: Metres
    """Where the middle of the rack is along the rows."""
    y_m: Metres
    """Where it is across the rows."""

    def take(self, which: Rows) -> Spots:
        """Return some of the positions, in the shape of `which`."""
        return self._each(lambda column: column[which])

    def upright(self) -> Spots:
        """Return columns of shape (spots, 1), to be paired with all of others."""
        return self._each(lambda column: column[:, None])

    def join(self, others: Spots) -> Spots:
        """Return these positions and, after them, others."""
        columns = iter(others)
        return self._each(lambda column: np.concatenate([column, next(columns)]))

    def _each(self, change: Callable[[Any], Any]) -> Spots:
        return Spots(change(self.hall), change(self.row), change(self.position), change(self.x_m), change(self.y_m))


def spots_of(halls: Sequence[Hall], hall: Rows, row: Rows, position: Rows) -> Spots:
    """Return positions with their coordinates, given their halls, rows and places in the rows."""
    pitch, depth = (np.array([getattr(each, name) for each in halls]) for name in ("rack_pitch_m", "row_pitch_m"))
    x, y = (np.array([getattr(each, name) or 0.0 for each in halls]) for name in ("x_m", "y_m"))
    return Spots(hall, row, position, x[hall] + (position + 0.5) * pitch[hall], y[hall] + row * depth[hall])
