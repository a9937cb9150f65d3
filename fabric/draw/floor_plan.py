"""The floor plan: halls with their rows and racks to scale, coloured by what stands in a rack or by its power."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import Box, Boxes, Canvas, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.floor_colours import colour_racks
from fabric.draw.floor_legend import FloorLegend
from fabric.draw.floor_scale import EDGE, Scale, choose_scale
from fabric.draw.floor_trays import BEHIND_M, draw_fill
from fabric.draw.page_shape import fit_page
from fabric.draw.palette import (
    BODY_PT,
    GREY,
    HAIR,
    HEAD_PT,
    INK,
    LATER,
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

LEAST_PT = 4.5
"""The least size of the names of racks."""


@dataclass(frozen=True)
class FloorPicture:
    """What a floor plan shows."""

    show: str = "contents"
    """What the colours say, one of SHOWN."""
    hall: str = ""
    """The hall that is drawn alone; empty for all that are in use."""
    page: str = ""
    """The shape of the page, one of `fabric.draw.PAGES`; empty for A3, or less where the plan is smaller."""


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
    legend = FloorLegend(layout, network, halls, show, fill)
    scale = choose_scale(layout, halls, picture.page, legend.height, legend.least_width)
    room = scale.width - 2 * EDGE
    turned = " Turned by a quarter: rows run down the page." if scale.turned else ""
    about = f"{total}; rule of placement: {layout.site.layout}. To scale, in metres.{turned}"
    notes = wrap(about, room, HEAD_PT)
    marks: list[Mark] = [
        Label(EDGE, scale.height - EDGE - 10, elide(name, room, TITLE_PT, bold=True), TITLE_PT, INK, bold=True)
    ]
    marks += [Label(EDGE, scale.height - EDGE - 24 - 10 * line, text, HEAD_PT, GREY) for line, text in enumerate(notes)]
    marks += _draw_halls(layout, halls, scale)
    if show == "fill" and fill is not None:
        marks += draw_fill(fill, halls if hall else [*halls, -1], scale.spot, max(1.0, min(5.0, 0.22 * scale.points)))
    marks += _draw_racks(layout, network, halls, scale, show)
    marks += legend.draw(scale.width)
    marks += _draw_ruler(scale)
    return Canvas(scale.width, scale.height, tuple(marks))


def _choose_halls(layout: Layout, hall: str) -> list[int]:
    """Return the indices of the halls to draw: those in use, or one of them by its name."""
    used = [number for number in range(len(layout.halls)) if (layout.hall == number).any()]
    names = [layout.halls[number].name for number in used]
    if hall and hall not in names:
        raise InputError(f"no racks in hall '{hall:.40}'{nearest(hall, names)}")
    return [number for number in used if not hall or layout.halls[number].name == hall]


def _draw_halls(layout: Layout, halls: Sequence[int], scale: Scale) -> Iterator[Mark]:
    """Yield the halls, the trays above rows and across them, and the numbers of rows and positions."""
    for number in halls:
        hall = layout.halls[number]
        x0, y0 = scale.spot(hall.x_m or 0.0, (hall.y_m or 0.0) - RACK_DEPTH_M)
        x1, y1 = scale.spot(
            (hall.x_m or 0.0) + hall.length_m, (hall.y_m or 0.0) + (hall.rows - 1) * hall.row_pitch_m + RACK_DEPTH_M
        )
        yield Box(x0, y1, x1 - x0, y0 - y1, PLATES[0], HAIR, 0, 0.6)
        wide = x1 - x0
        size = min(HEAD_PT, max(3.0, wide / 8))
        yield Label(x0, y0 + 10, f"Hall {hall.name}" if wide > 40 else hall.name, size, INK, bold=True)
        left, top = hall.x_m or 0.0, (hall.y_m or 0.0) - RACK_DEPTH_M
        bottom = top + (hall.rows - 1) * hall.row_pitch_m + 2 * RACK_DEPTH_M
        for at in cross_trays_m(layout.site, hall):
            yield Line(*scale.spot(at, top), *scale.spot(at, bottom), HAIR, 0.8)
        for row in range(hall.rows):
            level = (hall.y_m or 0.0) + row * hall.row_pitch_m - BEHIND_M
            yield Line(*scale.spot(left, level), *scale.spot(left + hall.length_m, level), HAIR, 0.8)
        yield from _draw_numbers(hall, scale)


def _draw_numbers(hall: Hall, scale: Scale) -> Iterator[Mark]:
    """Yield the numbers of rows beside a hall and of positions above it, the other way round where it is turned."""
    left, top = hall.x_m or 0.0, hall.y_m or 0.0
    rows = (hall.row_pitch_m, [scale.spot(left, top + row * hall.row_pitch_m) for row in range(hall.rows)])
    middles = (left + (position + 0.5) * hall.rack_pitch_m for position in range(hall.racks_per_row))
    positions = (hall.rack_pitch_m, [scale.spot(at, top - RACK_DEPTH_M) for at in middles])
    beside, above = (positions, rows) if scale.turned else (rows, positions)
    for (pitch, spots), least, down in ((beside, 8, True), (above, 10, False)):
        every = next((step for step in (1, 2, 5, 10) if pitch * step * scale.points >= least), 0)
        for number in range(0, len(spots), every) if every else ():
            x, y = spots[number]
            if down:
                yield Label(x - 3, y - 2, str(number + 1), SMALL_PT - 1, GREY, align="right")
            else:
                yield Label(x, y + 2.5, str(number + 1), SMALL_PT - 1, GREY, align="center")


def _draw_racks(layout: Layout, network: Network, halls: Sequence[int], scale: Scale, show: str) -> Iterator[Mark]:
    """Yield free positions and racks, those of one colour as one mark, and the names of racks where there is room."""
    names = layout.rack_names()
    for number in halls:
        hall, here = layout.halls[number], np.flatnonzero(layout.hall == number)
        every = np.ones(hall.positions, np.bool_)
        every[layout.row[here] * hall.racks_per_row + layout.position[here]] = False
        later = layout.reserved[layout.reserved[:, 0] == number]
        for free, fill in ((np.flatnonzero(every), WHITE), (later[:, 1] * hall.racks_per_row + later[:, 2], LATER)):
            if len(free):
                yield _boxes(hall, free, scale, fill)
        places = layout.row[here] * hall.racks_per_row + layout.position[here]
        colours = np.array(colour_racks(layout, network, here, show))
        for colour in dict.fromkeys(colours.tolist()):
            yield _boxes(hall, places[colours == colour], scale, colour)
        yield from _draw_names(layout, here, [names[rack] for rack in here.tolist()], colours.tolist(), scale)


def _draw_names(
    layout: Layout, racks: npt.NDArray[np.integer], names: Sequence[str], colours: Sequence[str], scale: Scale
) -> Iterator[Mark]:
    """Yield the names of the racks of a hall in their middle, where they fit."""
    hall = layout.halls[int(layout.hall[racks[0]])]
    wide, high = scale.size(hall.rack_pitch_m, RACK_DEPTH_M)
    widest = max(map(len, names)) * text_width("0", 1.0)
    size = min(BODY_PT, 0.86 * wide / widest, 0.7 * high)
    if size < LEAST_PT:
        return
    spots = layout.spots.take(racks)
    for name, colour, x, y in zip(names, colours, spots.x_m.tolist(), spots.y_m.tolist(), strict=True):
        at = scale.spot(x, y)
        yield Label(at[0], at[1] - 0.36 * size, name, size, ink_on(colour), align="center")


def _boxes(hall: Hall, places: npt.NDArray[np.integer], scale: Scale, fill: str) -> Boxes:
    """Return racks of one colour, at positions that are numbered row by row."""
    width, depth = scale.size(0.9 * hall.rack_pitch_m, RACK_DEPTH_M)
    row, position = np.divmod(places, hall.racks_per_row)
    x = (hall.x_m or 0.0) + (position + 0.5) * hall.rack_pitch_m
    y = (hall.y_m or 0.0) + row * hall.row_pitch_m
    spots = (scale.spot(float(left), float(down)) for left, down in zip(x, y, strict=True))
    return Boxes(tuple((left - width / 2, down - depth / 2) for left, down in spots), width, depth, fill, GREY, 0.25)


def _draw_ruler(scale: Scale) -> Sequence[Mark]:
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
