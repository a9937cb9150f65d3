"""The scale of a floor plan: where metres are on a page, upright or turned by a quarter, whichever is larger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.draw.page_shape import page_size
from fabric.layout.layout import RACK_DEPTH_M, Layout

__all__ = ["EDGE", "Scale", "choose_scale"]

WIDE, EDGE = 1190.0, 36.0
"""The longer side of the page and its margin, in points; another page is scaled afterwards."""

MOST_SCALE, MOST_ON_PAGE = 60.0, 120.0
"""The greatest scale, in points for a metre: on a page that is as large as the plan, and on one of an asked shape."""

HEAD, NUMBERS = 88.0, 30.0
"""The room above the plan with the margin, and to the left of it for numbers, in points."""

TURNED_GAIN = 1.15
"""How much larger a plan must be to be turned: rows are read from left to right where that costs little."""


@dataclass(frozen=True)
class Scale:
    """From metres to points, on a page."""

    points: float
    """The points of a metre."""
    left: float
    """Where the plan begins, in points."""
    top: float
    """Where its upper edge is, in points."""
    x_m: float
    """The least x in metres."""
    y_m: float
    """The least y in metres."""
    width: float
    """The width of the page."""
    height: float
    """The height of the page."""
    turned: bool = False
    """Whether rows run down the page and follow one another to the right."""

    def spot(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Return a place in points: rows follow one another downward, or to the right where the plan is turned."""
        along, across = (x_m - self.x_m) * self.points, (y_m - self.y_m) * self.points
        return (self.left + across, self.top - along) if self.turned else (self.left + along, self.top - across)

    def size(self, along_m: float, across_m: float) -> tuple[float, float]:
        """Return the width and the height in points of what is so long along rows and across them."""
        sides = along_m * self.points, across_m * self.points
        return sides[::-1] if self.turned else sides


def choose_scale(
    layout: Layout, halls: Sequence[int], page: str, foot: Callable[[float], float], least_width: float
) -> Scale:
    """Return the scale at which the halls fit on the page; paper and plan are turned where they are larger so.

    `foot` gives the room that a legend needs below the plan on a page of a width, in points. On a page of an asked
    shape the plan stands in the middle; otherwise the page is as large as the plan, and at least `least_width` wide.
    """
    x_m, y_m, along, across = _measure(layout, halls)
    short, long = sorted(page_size(page or "a3"))
    sizes = [(WIDE, WIDE * short / long), (WIDE * short / long, WIDE)]
    slide = page_size(page or "a3")[0] == long
    found = []
    for width, height in sizes[:1] if slide else sizes:
        for turned in (False, True):
            wide, high = (across, along) if turned else (along, across)
            room = (width - 2 * EDGE - NUMBERS, height - HEAD - EDGE - foot(width))
            found.append(
                (min(MOST_ON_PAGE if page else MOST_SCALE, room[0] / wide, room[1] / high), turned, width, height)
            )
    points, turned, width, height = max(found, key=lambda each: (each[0] / (TURNED_GAIN if each[1] else 1), each[2]))
    wide, high = (across, along) if turned else (along, across)
    if not page:
        width = min(width, max(least_width, wide * points + 2 * EDGE + NUMBERS))
        height = min(height, HEAD + high * points + EDGE + foot(width))
    left = EDGE + NUMBERS + max(0.0, width - 2 * EDGE - NUMBERS - wide * points) / 2
    top = height - HEAD - max(0.0, height - HEAD - EDGE - foot(width) - high * points) / 2
    return Scale(points, left, top, x_m, y_m, width, height, turned)


def _measure(layout: Layout, halls: Sequence[int]) -> tuple[float, float, float, float]:
    """Return the least x and y of some halls, and how far they extend along rows and across, in metres."""
    corners = []
    for number in halls:
        hall = layout.halls[number]
        x, y = hall.x_m or 0.0, hall.y_m or 0.0
        last = y + (hall.rows - 1) * hall.row_pitch_m
        corners.append((x, y - RACK_DEPTH_M, x + hall.length_m, last + RACK_DEPTH_M))
    left, top, right, bottom = np.array(corners).T
    return float(left.min()), float(top.min()), float(right.max() - left.min()), float(bottom.max() - top.min())
