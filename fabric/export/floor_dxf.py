"""The floor plan as DXF for CAD programs: halls, racks, trays and names, each on a layer of its own, in metres."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fabric.layout.layout import RACK_DEPTH_M, Layout
from fabric.layout.routes import cross_trays_m
from fabric.layout.spots import spots_of

if TYPE_CHECKING:
    from ezdxf.document import Drawing

__all__ = ["LAYERS", "write_floor_dxf"]

LAYERS = {"HALLS": 8, "SERVER_RACKS": 5, "NETWORK_RACKS": 1, "RESERVED": 9, "TRAYS": 3, "NAMES": 7}
"""The layers, with the colours of AutoCAD's index."""

TEXT_M = 0.12
"""The most height of letters in metres."""


def write_floor_dxf(layout: Layout, file: Path) -> None:
    """Write the floor plan; y grows upward, so that row 1 is at the top. The same layout gives the same bytes."""
    from ezdxf import options  # type: ignore[attr-defined]

    dated = options.write_fixed_meta_data_for_testing
    options.write_fixed_meta_data_for_testing = True  # no date of today, no random names
    try:
        document = _draw(layout)
        _order_classes(document)
        document.saveas(file)
    finally:
        options.write_fixed_meta_data_for_testing = dated


def _draw(layout: Layout) -> Drawing:
    from ezdxf import units
    from ezdxf.document import Drawing
    from ezdxf.enums import TextEntityAlignment

    document = Drawing.new("R2010")
    document.units = units.M
    for name, colour in LAYERS.items():
        document.layers.add(name, color=colour)
    space = document.modelspace()
    for number, hall in enumerate(layout.halls):
        if not (layout.hall == number).any():
            continue
        x0, y0 = hall.x_m or 0.0, -(hall.y_m or 0.0) + RACK_DEPTH_M
        x1, y1 = x0 + hall.length_m, -((hall.y_m or 0.0) + (hall.rows - 1) * hall.row_pitch_m) - RACK_DEPTH_M
        space.add_lwpolyline([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], close=True, dxfattribs={"layer": "HALLS"})
        space.add_text(hall.name, height=3 * TEXT_M, dxfattribs={"layer": "NAMES"}).set_placement((x0, y0 + TEXT_M))
        for at in cross_trays_m(layout.site, hall):
            space.add_line((at, y0), (at, y1), dxfattribs={"layer": "TRAYS"})
        for row in range(hall.rows):
            y = -((hall.y_m or 0.0) + row * hall.row_pitch_m)
            space.add_line((x0, y), (x1, y), dxfattribs={"layer": "TRAYS"})
    spots = layout.spots
    columns = (spots.hall, spots.x_m, spots.y_m, layout.holds_servers)
    rows = zip(layout.rack_names(), *(column.tolist() for column in columns), strict=True)
    for name, hall_number, x, down, servers in rows:
        corners = _outline(layout, hall_number, x, down)
        layer = "SERVER_RACKS" if servers else "NETWORK_RACKS"
        space.add_lwpolyline(corners, close=True, dxfattribs={"layer": layer})
        height = min(TEXT_M, 0.9 * (corners[1][0] - corners[0][0]) / len(name))  # a letter is about as wide as high
        text = space.add_text(name, height=height, dxfattribs={"layer": "NAMES"})
        text.set_placement((x, -down), align=TextEntityAlignment.MIDDLE_CENTER)
    later = layout.reserved
    reserved = spots_of(layout.halls, later[:, 0], later[:, 1], later[:, 2])
    for hall_number, x, down in zip(reserved.hall.tolist(), reserved.x_m.tolist(), reserved.y_m.tolist(), strict=True):
        corners = _outline(layout, hall_number, x, down)
        space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "RESERVED"})
    return document


def _outline(layout: Layout, hall: int, x_m: float, down_m: float) -> list[tuple[float, float]]:
    """Return the corners of the rack whose middle is at a place of a hall."""
    half, depth, y = layout.halls[hall].rack_pitch_m * 0.45, RACK_DEPTH_M / 2, -down_m
    return [(x_m - half, y - depth), (x_m + half, y - depth), (x_m + half, y + depth), (x_m - half, y + depth)]


def _order_classes(document: Drawing) -> None:
    """Put the classes of the file in order: the library lists them in one that changes from run to run."""
    document.classes.add_required_classes(document.dxfversion)
    document.classes.classes = dict(sorted(document.classes.classes.items()))
