"""How far cables run: up from a device to the tray, along the row, across by a cross tray, along, and down again.

Within a rack a cable goes straight from one device to the other. Between two racks of one row it takes the row's tray;
between rows it takes the cross tray that makes the way shortest. All ways are along the rows or across them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.layout.layout import Layout
from fabric.request.site import Hall, Site

__all__ = ["cable_metres", "cross_trays_m", "rack_metres"]

Metres = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]

IN_RACK_M = 0.6
"""How far a cable runs sideways within a rack: along the front to the cable manager and back, a rack's width."""


def cross_trays_m(site: Site, hall: Hall) -> tuple[float, ...]:
    """Return where the cross trays of a hall are along its rows, in metres."""
    asked = site.trays.cross_aisles_m or (0.0, hall.length_m / 2, hall.length_m)
    return tuple((hall.x_m or 0.0) + each for each in asked)


def cable_metres(layout: Layout, one: Rows, other: Rows) -> Metres:
    """Return the length in metres of a cable between each pair of devices, slack included, shape of `one`."""
    racks, heights = layout.device_rack, layout.device_z_m
    first, second = racks[one], racks[other]
    tray = layout.site.trays.height_m
    up = (np.maximum(tray - heights, 0))[one] + np.maximum(tray - heights, 0)[other]
    straight = np.abs(heights[one] - heights[other]) + IN_RACK_M
    between = up + rack_metres(layout, first, second)
    return np.asarray(np.where(first == second, straight, between) + layout.site.slack_m)


def rack_metres(layout: Layout, one: Rows, other: Rows) -> Metres:
    """Return the length in metres of the way along the trays between each pair of racks, shape of `one`."""
    x, y = layout.rack_x_m, layout.rack_y_m
    from_x, to_x = x[one], x[other]
    along = np.abs(from_x - to_x)
    across = np.abs(y[one] - y[other])
    hall, row = layout.hall, layout.row
    turns = (hall[one] != hall[other]) | (row[one] != row[other])
    trays = _tray_table(layout)
    ways = np.full(from_x.shape, np.inf)
    for end in (one, other):
        for at in trays[:, hall[end]]:
            np.minimum(ways, np.abs(from_x - at) + np.abs(to_x - at), out=ways)
    return np.asarray(np.where(turns, ways + across, along))


def _tray_table(layout: Layout) -> Metres:
    """Return where the cross trays of each hall are, shape (trays, halls); a hall of fewer has its last one again."""
    trays = [cross_trays_m(layout.site, hall) for hall in layout.halls]
    most = max(map(len, trays))
    return np.array([[*each, *[each[-1]] * (most - len(each))] for each in trays]).T
