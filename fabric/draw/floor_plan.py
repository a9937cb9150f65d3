"""The floor plan: halls with their rows and racks to scale, coloured by what stands in a rack or by its power."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import Box, Boxes, Canvas, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, PALE, PLATES, SMALL_PT, TITLE_PT, WHITE, role_fills
from fabric.draw.plain_style import plain_style
from fabric.draw.ramp import draw_ramp, load_colours
from fabric.draw.render import render
from fabric.draw.words import role_plural
from fabric.layout.layout import Layout
from fabric.layout.routes import cross_trays_m
from fabric.network import Network
from fabric.request.site import Hall
from fabric.units import count, count_noun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SHOWN", "draw_floor", "lay_out_floor"]

SHOWN = ("contents", "power")
"""What the colour of a rack may say."""

WIDE, HIGH, EDGE = 1190.0, 842.0, 36.0
"""The size and the margin of the page, A3 in landscape, in points."""

RACK_DEPTH_M = 1.2
"""The depth of a rack as it is drawn, in metres."""

MOST_SCALE = 34.0
"""The greatest scale, in points for a metre."""

STEPS = 10
"""The colours of power, tenths of what a rack is fed with."""

SERVER = PALE


@dataclass(frozen=True)
class _Scale:
    """From metres to points."""

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

    def spot(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Return a place in points: rows follow one another downward."""
        return self.left + (x_m - self.x_m) * self.points, self.top - (y_m - self.y_m) * self.points


def draw_floor(name: str, layout: Layout, network: Network, show: str = "contents") -> Figure:
    """Draw the floor plan of a layout, A3 in landscape; `show` is one of SHOWN."""
    with plain_style():
        return render(lay_out_floor(name, layout, network, show))


def lay_out_floor(name: str, layout: Layout, network: Network, show: str = "contents") -> Canvas:
    """Return the floor plan of a layout as a page; `show` is one of SHOWN."""
    used = [hall for number, hall in enumerate(layout.halls) if (layout.hall == number).any()]
    total = f"{count_noun(layout.racks, 'rack')} in {count_noun(len(used), 'hall')}"
    notes = wrap(f"{total}; rule of placement: {layout.site.layout}. To scale, in metres.", WIDE - 2 * EDGE, HEAD_PT)
    marks: list[Mark] = [
        Label(EDGE, HIGH - EDGE - 10, elide(name, WIDE - 2 * EDGE, TITLE_PT, bold=True), TITLE_PT, INK, bold=True)
    ]
    marks += [Label(EDGE, HIGH - EDGE - 24 - 10 * line, text, HEAD_PT, GREY) for line, text in enumerate(notes)]
    scale = _choose_scale(layout)
    marks += _draw_halls(layout, scale)
    marks += _draw_racks(layout, network, scale, show)
    marks += _draw_power_legend(layout) if show == "power" else _draw_legend(layout, network)
    marks += _draw_ruler(scale)
    return Canvas(WIDE, HIGH, tuple(marks))


def _choose_scale(layout: Layout) -> _Scale:
    """Return the scale at which all used halls fit on the page."""
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for number, hall in enumerate(layout.halls):
        if (layout.hall == number).any():
            x, y = hall.x_m or 0.0, hall.y_m or 0.0
            left, right = min(left, x), max(right, x + hall.length_m)
            top, bottom = min(top, y - RACK_DEPTH_M), max(bottom, y + (hall.rows - 1) * hall.row_pitch_m + RACK_DEPTH_M)
    wide, high = WIDE - 2 * EDGE - 30, HIGH - 2 * EDGE - 84
    points = min(MOST_SCALE, wide / (right - left), high / (bottom - top))
    return _Scale(points, EDGE + 30, HIGH - EDGE - 52, left, top)


def _draw_halls(layout: Layout, scale: _Scale) -> Iterator[Mark]:
    """Yield the halls, the trays above rows and across them, and the numbers of rows and positions."""
    for number, hall in enumerate(layout.halls):
        if not (layout.hall == number).any():
            continue
        x0, y0 = scale.spot(hall.x_m or 0.0, (hall.y_m or 0.0) - RACK_DEPTH_M)
        x1, y1 = scale.spot(
            (hall.x_m or 0.0) + hall.length_m, (hall.y_m or 0.0) + (hall.rows - 1) * hall.row_pitch_m + RACK_DEPTH_M
        )
        yield Box(x0, y1, x1 - x0, y0 - y1, PLATES[0], HAIR, 0, 0.6)
        size = min(HEAD_PT, max(3.0, (hall.length_m * scale.points) / 8))
        yield Label(
            x0, y0 + 4, f"Hall {hall.name}" if hall.length_m * scale.points > 40 else hall.name, size, INK, bold=True
        )
        for at in cross_trays_m(layout.site, hall):
            x, _ = scale.spot(at, 0)
            yield Line(x, y0, x, y1, HAIR, 0.8)
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
        x, y = scale.spot(
            (hall.x_m or 0.0) + (position + 0.5) * hall.rack_pitch_m, (hall.y_m or 0.0) - RACK_DEPTH_M * 0.62
        )
        if every:
            yield Label(x, y, str(position + 1), SMALL_PT - 2, GREY, align="center")


def _draw_racks(layout: Layout, network: Network, scale: _Scale, show: str) -> Iterator[Mark]:
    """Yield free positions and racks, those of one colour as one mark."""
    for number, hall in enumerate(layout.halls):
        here = np.flatnonzero(layout.hall == number)
        if not len(here):
            continue
        every = np.ones(hall.positions, np.bool_)
        every[layout.row[here] * hall.racks_per_row + layout.position[here]] = False
        yield _boxes(hall, np.flatnonzero(every), scale, WHITE)
        places = layout.row[here] * hall.racks_per_row + layout.position[here]
        colours = np.array(_colours(layout, network, here, show))
        for colour in dict.fromkeys(colours.tolist()):
            yield _boxes(hall, places[colours == colour], scale, colour)


def _boxes(hall: Hall, places: npt.NDArray[np.integer], scale: _Scale, fill: str) -> Boxes:
    """Return racks of one colour, at positions that are numbered row by row."""
    width, depth = hall.rack_pitch_m * scale.points * 0.9, RACK_DEPTH_M * scale.points
    row, position = np.divmod(places, hall.racks_per_row)
    x = (hall.x_m or 0.0) + (position + 0.5) * hall.rack_pitch_m
    y = (hall.y_m or 0.0) + row * hall.row_pitch_m
    spots = (scale.spot(float(left), float(down)) for left, down in zip(x, y, strict=True))
    return Boxes(tuple((left - width / 2, down - depth / 2) for left, down in spots), width, depth, fill, GREY, 0.25)


def _colours(layout: Layout, network: Network, racks: npt.NDArray[np.integer], show: str) -> list[str]:
    """Return the colour of each rack: of its power by tenths, or of the highest tier of switches in it."""
    if show == "power":
        return [_power_colour(layout, rack) for rack in racks.tolist()]
    fills = _fills(network)
    top = _top_groups(layout, network)
    return [SERVER if layout.holds_servers[rack] else fills[top[rack]] for rack in racks.tolist()]


def _top_groups(layout: Layout, network: Network) -> npt.NDArray[np.int64]:
    """Return the group of the highest tier in each rack, that of an appliance only where nothing else is, by number."""
    groups, role = len(network.groups), network.role.astype(np.int64)
    switches = groups - network.appliances
    top = np.full(layout.racks, -network.appliances)
    np.maximum.at(top, layout.device_rack, np.where(role < switches, role, role - groups))
    return np.asarray(top % groups)


def _fills(network: Network) -> list[str]:
    """Return the colour of each group of devices."""
    roles = [group.role for group in network.groups[network.kinds :]]
    by_role = role_fills(roles)
    return [SERVER] * network.kinds + [by_role.get(role, GREY) for role in roles]


def _power_colour(layout: Layout, rack: int) -> str:
    limit, _ = layout.rack_limits(rack)
    if limit is None or layout.unknown_power:
        return WHITE
    share = min(1.0, float(layout.rack_w[rack]) / (1000 * limit))
    return _hex(np.ceil(share * STEPS) / STEPS)


def _hex(share: float) -> str:
    red, green, blue = load_colours([share])[0]
    return f"#{red:02X}{green:02X}{blue:02X}"


def _draw_legend(layout: Layout, network: Network) -> Iterator[Mark]:
    """Yield what each colour means, with the number of racks."""
    fills = _fills(network)
    top = _top_groups(layout, network)
    entries = [(SERVER, f"racks with servers: {count(int(layout.holds_servers.sum()))}")]
    for place, group in enumerate(network.groups):
        racks = int((~layout.holds_servers & (top == place)).sum())
        if racks:
            entries.append((fills[place], f"network racks, with {role_plural(group.role)} at the top: {count(racks)}"))
    entries.append((WHITE, "free positions"))
    x = EDGE
    for fill, text in entries:
        yield Box(x, EDGE - 6, 8, 8, fill, GREY, 0, 0.4)
        yield Label(x + 12, EDGE - 5, text, BODY_PT, INK)
        x += 12 + text_width(text, BODY_PT) + 18


def _draw_power_legend(layout: Layout) -> list[Mark]:
    """Return the scale of colours of power."""
    if layout.unknown_power:
        text = f"The power of {', '.join(layout.unknown_power)} is not known."
        return [Label(EDGE, EDGE - 5, elide(text, 600, BODY_PT), BODY_PT, INK)]
    steps = np.arange(1, STEPS + 1) / STEPS
    ticks = [(0.0, "0"), (0.5, "50 %"), (1.0, "100 %")]
    label = "most power of what stands in a rack, of what it is fed with"
    return [
        *draw_ramp(EDGE + 12, EDGE, 160, load_colours(steps), ticks),
        Label(EDGE + 200, EDGE - 1, label, BODY_PT, INK),
    ]


def _draw_ruler(scale: _Scale) -> Sequence[Mark]:
    """Return a ruler of a round length."""
    metres = next(each for each in (100, 50, 20, 10, 5, 2, 1) if each * scale.points <= 200)
    x1 = WIDE - EDGE
    x0 = x1 - metres * scale.points
    y = EDGE - 2
    ends = [Line(x, y - 3, x, y + 3, INK, 0.8) for x in (x0, x1)]
    return [
        Line(x0, y, x1, y, INK, 0.8),
        *ends,
        Label((x0 + x1) / 2, y + 4, f"{metres} m", SMALL_PT, INK, align="center"),
    ]
