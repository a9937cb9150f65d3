"""The trays of a floor plan: plain lines, or coloured by how full they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fabric.draw.canvas import Label, Line, Mark, elide
from fabric.draw.palette import BODY_PT, GREY, INK
from fabric.draw.ramp import count_colours, draw_ramp, load_colours
from fabric.layout.tray_fill import TrayFill
from fabric.units import count

__all__ = ["BEHIND_M", "draw_fill", "draw_fill_legend"]

BEHIND_M = 0.85
"""How far behind the middle of its racks the tray of a row is drawn, in metres: racks stay visible."""

EDGE_PT = 0.6
"""How much wider the grey line is below that of a tray, in points: pale ones are seen by their edges."""

Spot = Callable[[float, float], tuple[float, float]]


def draw_fill(fill: TrayFill, halls: Sequence[int], spot: Spot, line_pt: float) -> Iterator[Mark]:
    """Yield the stretches with cables in the trays of some halls, -1 between halls, the fullest on top.

    `spot` places metres. Trays of rows and cross trays meet, and so are drawn as far behind the racks.
    """
    colours = _hex(fill)
    used = np.flatnonzero(np.isin(fill.hall, halls) & (fill.cables > 0))
    order = used[np.argsort(fill.cables[used], kind="stable")].tolist()
    ends = [
        (*spot(float(fill.x0_m[number]), float(fill.y0_m[number]) - BEHIND_M),
         *spot(float(fill.x1_m[number]), float(fill.y1_m[number]) - BEHIND_M))
        for number in order
    ]  # fmt: skip
    yield from (Line(*each, GREY, line_pt + EDGE_PT) for each in ends)
    yield from (Line(*each, colours[number], line_pt) for number, each in zip(order, ends, strict=True))


def _hex(fill: TrayFill) -> list[str]:
    """Return the colour of each stretch: its share of the limit, or its cables where a diameter is not known."""
    colours = count_colours(fill.cables) if fill.unknown else load_colours(fill.share / fill.limit)
    return ["#{:02X}{:02X}{:02X}".format(*each) for each in colours.tolist()]


def draw_fill_legend(fill: TrayFill, x: float, y: float, width: float) -> list[Mark]:
    """Return the scale of colours with what they mean."""
    fullest = int(fill.cables.max(initial=0))
    marks: list[Mark]
    if fill.unknown:
        steps = np.unique(np.geomspace(1, max(2, fullest), 10).round())
        ticks = [(0.0, "1"), (1.0, count(fullest))]
        marks = draw_ramp(x + 12, y, 160, count_colours(steps), ticks)
        text = f"cables in a tray; fill not checked, diameters not known: {', '.join(fill.unknown)}"
    else:
        steps = np.arange(1, 41) / 10
        ticks = [(share / 4, f"{100 * share * fill.limit:g} %") for share in range(5)]
        marks = draw_ramp(x + 12, y, 160, load_colours(steps), ticks)
        text = f"share of a tray's cross-section that cables take (limit {100 * fill.limit:g} %); fullest: "
        text += f"{100 * float(fill.share.max(initial=0)):.1f} %, {count(fullest)} cables"
    return [
        *marks,
        Label(x + 190, y - 1, elide(text, width - 190, BODY_PT), BODY_PT, INK),
    ]
