"""The colours of a floor plan's racks, by what stands in them or by their power, and what the colours mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import Label, Mark, elide
from fabric.draw.palette import BODY_PT, GREY, INK, LATER, PALE, WHITE, role_fills
from fabric.draw.ramp import draw_ramp, load_colours
from fabric.layout.layout import Layout
from fabric.network import Network
from fabric.topology.topology import title
from fabric.units import count

__all__ = ["colour_racks", "draw_power_legend", "list_contents"]

STEPS = 10
"""The colours of power, tenths of what a rack is fed with."""

SERVER = PALE


def colour_racks(layout: Layout, network: Network, racks: npt.NDArray[np.integer], show: str) -> list[str]:
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
    if limit is None or not layout.power_known[rack]:
        return PALE
    share = min(1.0, float(layout.rack_w[rack]) / (1000 * limit))
    return _hex(np.ceil(share * STEPS) / STEPS)


def _hex(share: float) -> str:
    red, green, blue = load_colours([share])[0]
    return f"#{red:02X}{green:02X}{blue:02X}"


def list_contents(layout: Layout, network: Network, halls: Sequence[int]) -> list[tuple[str, str]]:
    """Return the colours of what stands in the racks of some halls, and what each means with the number of racks."""
    fills, top, inside = _fills(network), _top_groups(layout, network), np.isin(layout.hall, halls)
    entries = [(SERVER, f"racks with servers: {count(int((layout.holds_servers & inside).sum()))}")]
    for place, group in enumerate(network.groups):
        racks = int((~layout.holds_servers & inside & (top == place)).sum())
        if racks:
            entries.append((fills[place], f"network racks, highest tier {title(group.role)}: {count(racks)}"))
    later = int(np.isin(layout.reserved[:, 0], halls).sum())
    if later:
        entries.append((LATER, f"reserved for later stages: {count(later)}"))
    free = sum(layout.halls[number].positions for number in halls) - int(inside.sum()) - later
    return [*entries, (WHITE, f"free positions: {count(free)}")]


def draw_power_legend(layout: Layout, x: float, y: float, width: float) -> list[Mark]:
    """Return the scale of colours of power, no wider than `width`."""
    steps = np.arange(1, STEPS + 1) / STEPS
    ticks = [(0.0, "0"), (0.5, "50 %"), (1.0, "100 %")]
    label = "most power of what stands in a rack, of what it is fed with"
    if layout.unknown_power:
        label += f"; pale: not known ({', '.join(layout.unknown_power)})"
    return [
        *draw_ramp(x + 12, y, 160, load_colours(steps), ticks),
        Label(x + 200, y - 1, elide(label, width - 200, BODY_PT), BODY_PT, INK),
    ]
