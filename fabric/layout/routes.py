"""How far cables run: up from a device to the tray, along the row, across by a cross tray, along, and down again.

Within a rack a cable goes straight from one device to the other. Between two racks of one row it takes the row's tray;
between rows it takes the cross tray that makes the way shortest. All ways are along the rows or across them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabric.layout.layout import Layout
from fabric.layout.spots import Spots
from fabric.request.site import Hall, Site

__all__ = ["cable_metres", "choose_cross_trays", "cross_trays_m", "rack_metres", "tray_metres"]

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
    up = np.maximum(layout.site.trays.height_m - heights, 0)
    straight = np.abs(heights[one] - heights[other]) + IN_RACK_M
    between = up[one] + up[other] + rack_metres(layout, first, second)
    return np.asarray(np.where(first == second, straight, between) + layout.site.slack_m)


def rack_metres(layout: Layout, one: Rows, other: Rows) -> Metres:
    """Return the length in metres of the way along the trays between each pair of racks, shape of `one`."""
    return tray_metres(layout.site, layout.halls, layout.spots.take(one), layout.spots.take(other))


def tray_metres(site: Site, halls: Sequence[Hall], one: Spots, other: Spots) -> Metres:
    """Return the length in metres of the way along the trays between positions, which are broadcast."""
    turns = (one.hall != other.hall) | (one.row != other.row)
    trays = _tray_table(site, halls)
    ways = np.full(turns.shape, np.inf)
    for hall in (one.hall, other.hall):
        for at in trays[:, hall]:
            np.minimum(ways, np.abs(one.x_m - at) + np.abs(other.x_m - at), out=ways)
    ways += np.abs(one.y_m - other.y_m)
    return np.asarray(np.where(turns, ways, np.abs(one.x_m - other.x_m)))


def choose_cross_trays(site: Site, halls: Sequence[Hall], one: Spots, other: Spots) -> tuple[Metres, Rows]:
    """Return where along the rows the way between each pair of positions of one shape crosses, and that tray's hall.

    It is the tray of the shortest way, as in `tray_metres`; of equally short ones the first.
    """
    trays = _tray_table(site, halls)
    ways, where = np.full(one.x_m.shape, np.inf), np.zeros(one.x_m.shape)
    owner = np.array(one.hall)
    for hall in (one.hall, other.hall):
        for at in trays[:, hall]:
            way = np.abs(one.x_m - at) + np.abs(other.x_m - at)
            shorter = way < ways - 1e-9
            ways, where = np.where(shorter, way, ways), np.where(shorter, at, where)
            owner = np.where(shorter, hall, owner)
    return where, owner


def _tray_table(site: Site, halls: Sequence[Hall]) -> Metres:
    """Return where the cross trays of each hall are, shape (trays, halls); a hall of fewer has its last one again."""
    trays = [cross_trays_m(site, hall) for hall in halls]
    most = max(map(len, trays))
    return np.array([[*each, *[each[-1]] * (most - len(each))] for each in trays]).T
