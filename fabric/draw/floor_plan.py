"""The floor plan: halls with their rows and racks to scale, coloured by what stands in a rack or by its power."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import Box, Boxes, Canvas, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.floor_colours import colour_racks, draw_contents_legend, draw_power_legend
from fabric.draw.floor_trays import BEHIND_M, draw_fill, draw_fill_legend
from fabric.draw.page_shape import fit_page, page_size
from fabric.draw.palette import (
    BODY_PT,
    GREY,
    HAIR,
    HEAD_PT,
    INK,
    PLATES,
    SMALL_PT,
    TITLE_PT,
    WHITE,
    ink_on,
)
from fabric.draw.plain_style import plain_style
from fabric.draw.render import render
from fabric.errors import InputError, nearest
from fabric.layout.layout import RACK_DEPTH_M, Layout
from fabric.layout.routes import cross_trays_m
from fabric.layout.tray_fill import TrayFill
from fabric.network import Network
from fabric.request.site import Hall
from fabric.units import count_noun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SHOWN", "FloorPicture", "draw_floor", "lay_out_floor"]

SHOWN = ("contents", "power", "fill")
"""What the colours of a floor plan may say: what stands in a rack, its power, or how full the trays are."""

WIDE, EDGE = 1190.0, 36.0
"""The longer side of the page and its margin, in points; another page is scaled afterwards."""

MOST_SCALE = 60.0
"""The greatest scale, in points for a metre."""

LEAST_PT = 4.5
"""The least size of the names of racks."""


RESERVED = HAIR
"""The colour of positions that are reserved for racks of later stages of growth."""


@dataclass(frozen=True)
class _Scale:
    """From metres to points, on a page."""

    points: float
    """The points of a metre."""
    left: float
    """Where the least x is, in points."""
    top: float
    """Where the least y is, in points."""
    x_m: float
    """The least x in metres."""
    y_m: float
    """The least y in metres."""
    width: float
    """The width of the page."""
    height: float
    """The height of the page."""

    def spot(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Return a place in points: rows follow one another downward."""
        return self.left + (x_m - self.x_m) * self.points, self.top - (y_m - self.y_m) * self.points


@dataclass(frozen=True)
class FloorPicture:
    """What a floor plan shows."""

    show: str = "contents"
    """What the colours say, one of SHOWN."""
    hall: str = ""
    """The hall that is drawn alone; empty for all that are in use."""
    page: str = ""
    """The shape of the page, one of `fabric.draw.PAGES`; empty for A3, or less where the plan is not as high."""


def draw_floor(
    name: str,
    layout: Layout,
    network: Network,
    picture: FloorPicture = FloorPicture(),
    fill: TrayFill | None = None,
) -> Figure:
    """Draw the floor plan of a layout; trays are coloured by `fill`, which is needed to show it.

    Raises InputError for a hall that is not in use, and for an unknown page.
    """
    with plain_style():
        canvas = lay_out_floor(name, layout, network, picture, fill)
        return render(fit_page(canvas, picture.page) if picture.page else canvas)


def lay_out_floor(
    name: str,
    layout: Layout,
    network: Network,
    picture: FloorPicture = FloorPicture(),
    fill: TrayFill | None = None,
) -> Canvas:
    """Return the floor plan of a layout, on a page of A3's size; raises as `draw_floor`."""
    hall, show = picture.hall, picture.show
    halls = _choose_halls(layout, hall)
    inside = np.isin(layout.hall, halls)
    total = f"{count_noun(int(inside.sum()), 'rack')} in {f'hall {hall}' if hall else count_noun(len(halls), 'hall')}"
    scale = _choose_scale(layout, halls, picture.page)
    room = scale.width - 2 * EDGE
    later = np.isin(layout.reserved[:, 0], halls).sum()
    growth = f"; grey with no name: {count_noun(int(later), 'position')} reserved for later stages" if later else ""
    about = f"{total}; rule of placement: {layout.site.layout}{growth}. To scale, in metres."
    notes = wrap(about, room, HEAD_PT)
    marks: list[Mark] = [
        Label(EDGE, scale.height - EDGE - 10, elide(name, room, TITLE_PT, bold=True), TITLE_PT, INK, bold=True)
    ]
    marks += [Label(EDGE, scale.height - EDGE - 24 - 10 * line, text, HEAD_PT, GREY) for line, text in enumerate(notes)]
    marks += _draw_halls(layout, halls, scale)
    marks += _draw_racks(layout, network, halls, scale, show)
    if show == "fill" and fill is not None:
        marks += draw_fill(fill, halls if hall else [*halls, -1], scale.spot, max(1.0, min(5.0, 0.22 * scale.points)))
        marks += draw_fill_legend(fill, EDGE, EDGE, room - 230)
    elif show == "power":
        marks += draw_power_legend(layout, EDGE, EDGE)
    else:
        marks += draw_contents_legend(layout, network, inside, EDGE, EDGE)
    marks += _draw_ruler(scale)
    return Canvas(scale.width, scale.height, tuple(marks))


def _choose_halls(layout: Layout, hall: str) -> list[int]:
    """Return the indices of the halls to draw: those in use, or one of them by its name."""
    used = [number for number in range(len(layout.halls)) if (layout.hall == number).any()]
    names = [layout.halls[number].name for number in used]
    if hall and hall not in names:
        raise InputError(f"no racks in hall '{hall:.40}'{nearest(hall, names)}")
    return [number for number in used if not hall or layout.halls[number].name == hall]


def _choose_scale(layout: Layout, halls: Sequence[int], page: str) -> _Scale:
    """Return the scale at which the halls fit on the page; paper is turned where they are larger so."""
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for number in halls:
        hall = layout.halls[number]
        x, y = hall.x_m or 0.0, hall.y_m or 0.0
        left, right = min(left, x), max(right, x + hall.length_m)
        top, bottom = min(top, y - RACK_DEPTH_M), max(bottom, y + (hall.rows - 1) * hall.row_pitch_m + RACK_DEPTH_M)
    scales = []
    short, long = sorted(page_size(page or "a3"))
    slide = page_size(page or "a3")[0] == long
    for width, height in ((WIDE, WIDE * short / long), (WIDE * short / long, WIDE))[: 1 if slide else 2]:
        wide, high = width - 2 * EDGE - 30, height - 2 * EDGE - 84
        scales.append((min(MOST_SCALE, wide / (right - left), high / (bottom - top)), width, height))
    points, width, height = max(scales, key=lambda found: found[0])
    if not page:  # no higher than the plan
        height = min(height, (bottom - top) * points + 2 * EDGE + 64)
    return _Scale(points, EDGE + 30, height - EDGE - 52, left, top, width, height)


def _draw_halls(layout: Layout, halls: Sequence[int], scale: _Scale) -> Iterator[Mark]:
    """Yield the halls, the trays above rows and across them, and the numbers of rows and positions."""
    for number in halls:
        hall = layout.halls[number]
        x0, y0 = scale.spot(hall.x_m or 0.0, (hall.y_m or 0.0) - RACK_DEPTH_M)
        x1, y1 = scale.spot(
            (hall.x_m or 0.0) + hall.length_m, (hall.y_m or 0.0) + (hall.rows - 1) * hall.row_pitch_m + RACK_DEPTH_M
        )
        yield Box(x0, y1, x1 - x0, y0 - y1, PLATES[0], HAIR, 0, 0.6)
        size = min(HEAD_PT, max(3.0, (hall.length_m * scale.points) / 8))
        yield Label(
            x0, y0 + 10, f"Hall {hall.name}" if hall.length_m * scale.points > 40 else hall.name, size, INK, bold=True
        )
        for at in cross_trays_m(layout.site, hall):
            x, _ = scale.spot(at, 0)
            yield Line(x, y0, x, y1, HAIR, 0.8)
        for row in range(hall.rows):
            ends = ((hall.x_m or 0.0) + each for each in (0.0, hall.length_m))
            level = (hall.y_m or 0.0) + row * hall.row_pitch_m - BEHIND_M
            (left, y), (right, _) = (scale.spot(at, level) for at in ends)
            yield Line(left, y, right, y, HAIR, 0.8)
        yield from _draw_numbers(layout, number, scale)


def _draw_numbers(layout: Layout, number: int, scale: _Scale) -> Iterator[Mark]:
    hall = layout.halls[number]
    every = next((step for step in (1, 2, 5, 10) if hall.row_pitch_m * step * scale.points >= 8), 0)
    for row in range(0, hall.rows, every or hall.rows):
        x, y = scale.spot(hall.x_m or 0.0, (hall.y_m or 0.0) + row * hall.row_pitch_m)
        if every:
            yield Label(x - 3, y - 2, str(row + 1), SMALL_PT - 1, GREY, align="right")
    every = next((step for step in (1, 2, 5, 10) if hall.rack_pitch_m * step * scale.points >= 10), 0)
    for position in range(0, hall.racks_per_row, every or hall.racks_per_row):
        x, y = scale.spot((hall.x_m or 0.0) + (position + 0.5) * hall.rack_pitch_m, (hall.y_m or 0.0) - RACK_DEPTH_M)
        if every:
            yield Label(x, y + 2.5, str(position + 1), SMALL_PT - 1, GREY, align="center")


def _draw_racks(layout: Layout, network: Network, halls: Sequence[int], scale: _Scale, show: str) -> Iterator[Mark]:
    """Yield free positions and racks, those of one colour as one mark, and the names of racks where there is room."""
    names = layout.rack_names()
    for number in halls:
        hall, here = layout.halls[number], np.flatnonzero(layout.hall == number)
        every = np.ones(hall.positions, np.bool_)
        every[layout.row[here] * hall.racks_per_row + layout.position[here]] = False
        later = layout.reserved[layout.reserved[:, 0] == number]
        for free, fill in ((np.flatnonzero(every), WHITE), (later[:, 1] * hall.racks_per_row + later[:, 2], RESERVED)):
            if len(free):
                yield _boxes(hall, free, scale, fill)
        places = layout.row[here] * hall.racks_per_row + layout.position[here]
        colours = np.array(colour_racks(layout, network, here, show))
        for colour in dict.fromkeys(colours.tolist()):
            yield _boxes(hall, places[colours == colour], scale, colour)
        yield from _draw_names(layout, here, [names[rack] for rack in here.tolist()], colours.tolist(), scale)


def _draw_names(
    layout: Layout, racks: npt.NDArray[np.integer], names: Sequence[str], colours: Sequence[str], scale: _Scale
) -> Iterator[Mark]:
    """Yield the names of the racks of a hall in their middle, where they fit."""
    hall = layout.halls[int(layout.hall[racks[0]])]
    room = hall.rack_pitch_m * scale.points * 0.86
    widest = max(map(len, names)) * text_width("0", 1.0)
    size = min(BODY_PT, room / widest)
    if size < LEAST_PT:
        return
    spots = layout.spots.take(racks)
    for name, colour, x, y in zip(names, colours, spots.x_m.tolist(), spots.y_m.tolist(), strict=True):
        at = scale.spot(x, y)
        yield Label(at[0], at[1] - 0.36 * size, name, size, ink_on(colour), align="center")


def _boxes(hall: Hall, places: npt.NDArray[np.integer], scale: _Scale, fill: str) -> Boxes:
    """Return racks of one colour, at positions that are numbered row by row."""
    width, depth = hall.rack_pitch_m * scale.points * 0.9, RACK_DEPTH_M * scale.points
    row, position = np.divmod(places, hall.racks_per_row)
    x = (hall.x_m or 0.0) + (position + 0.5) * hall.rack_pitch_m
    y = (hall.y_m or 0.0) + row * hall.row_pitch_m
    spots = (scale.spot(float(left), float(down)) for left, down in zip(x, y, strict=True))
    return Boxes(tuple((left - width / 2, down - depth / 2) for left, down in spots), width, depth, fill, GREY, 0.25)


def _draw_ruler(scale: _Scale) -> Sequence[Mark]:
    """Return a ruler of a round length."""
    metres = next(each for each in (100, 50, 20, 10, 5, 2, 1) if each * scale.points <= 200)
    x1 = scale.width - EDGE
    x0 = x1 - metres * scale.points
    y = EDGE - 2
    ends = [Line(x, y - 3, x, y + 3, INK, 0.8) for x in (x0, x1)]
    return [
        Line(x0, y, x1, y, INK, 0.8),
        *ends,
        Label((x0 + x1) / 2, y + 4, f"{metres} m", SMALL_PT, INK, align="center"),
    ]
