"""The floor of a page: the plan as a picture, and racks that open into devices, ports and their far ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.draw import FloorPicture, draw_floor
from fabric.draw.floor_colours import colour_racks
from fabric.layout.device_names import list_device_names
from fabric.report.page.pictures import encode_svg
from fabric.request.site import Site
from fabric.studies.study import Study
from fabric.units import count

__all__ = ["MOST_CABLES", "FloorContent", "floor_content"]

MOST_CABLES = 20_000
"""The most cables whose ends a page lists."""


MOST_RACKS = 5_000
"""The most racks of which a page draws all."""


@dataclass(frozen=True)
class FloorContent:
    """The floor of a design as a page shows it."""

    picture: str
    """The floor plan, as SVG in base64."""
    note: str
    """What the page leaves out; empty where it has every cable."""
    data: dict[str, Any]
    """Racks `[name, x, y, width, colour]` in metres, devices `[name, rack, unit, height]`, and links
    `[device, port, device, port, metres]` by numbers; empty where there are too many cables."""


def floor_content(study: Study) -> FloorContent | None:
    """Return the floor of a design whose request has a site; None for others."""
    if study.spec.site == Site():
        return None
    layout = study.layout
    network = layout.network
    hall = layout.halls[int(layout.hall[0])].name if layout.racks > MOST_RACKS else ""
    picture = encode_svg(draw_floor(study.spec.name, layout, network, FloorPicture(hall=hall)))
    if network.links > MOST_CABLES:
        note = f"{count(network.links)} cables are more than the {count(MOST_CABLES)} that a page lists; fabric wiring "
        note += "lists them."
        if hall:
            note += f" The plan is that of hall {hall}; fabric layout draws all {count(layout.racks)} racks."
        return FloorContent(picture, note, {})
    wiring, spots = study.wiring, layout.spots
    pitch = [layout.halls[hall].rack_pitch_m for hall in layout.hall.tolist()]
    colours = colour_racks(layout, network, np.arange(layout.racks), "contents")
    places = ((each.round(3)).tolist() for each in (spots.x_m, spots.y_m))
    columns = (layout.device_rack, layout.device_unit, layout.device_height)
    ends = (network.lower, wiring.a_port, network.upper, wiring.b_port, wiring.length_m)
    data = {
        "racks": [list(row) for row in zip(layout.rack_names(), *places, pitch, colours, strict=True)],
        "devices": [
            list(row) for row in zip(list_device_names(layout, network), *(c.tolist() for c in columns), strict=True)
        ],
        "links": [list(row) for row in zip(*(end.tolist() for end in ends), strict=True)],
        "ports": list(wiring.port_names),
    }
    return FloorContent(picture, "", data)
