"""How switches and appliances fill network racks: evenly, under units, power and weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError, Mistake
from fabric.layout.rack_contents import RackContents
from fabric.request.site import RackKind, Site

__all__ = ["fill_network_racks"]

Ints = npt.NDArray[np.int64]


def fill_network_racks(contents: RackContents, site: Site, devices: Ints) -> Ints:
    """Put switches, and appliances near them, into new network racks, evenly, from the foot up; return the racks."""
    kind = site.racks["network"]
    near = np.isin(contents.homes, devices) & ~contents.placed
    devices = np.concatenate([devices, contents.appliances[near]])
    contents.placed |= near
    racks, units = _pack(contents, kind, devices, len(devices))
    if racks[-1]:
        racks, units = _pack(contents, kind, devices, -(-len(devices) // int(racks[-1] + 1)))
    first = contents.server_racks + contents.network_racks
    contents.rack[devices], contents.unit[devices] = first + racks, units
    contents.network_racks += int(racks[-1]) + 1
    return first + np.arange(int(racks[-1]) + 1)


def _pack(contents: RackContents, kind: RackKind, devices: Ints, most: int) -> tuple[Ints, Ints]:
    """Return the rack, from 0, and the rack unit of each device in order, at most `most` of them in a rack."""
    room_w = np.inf if kind.most_kw is None else kind.most_kw * 1000 * (1 + 1e-9)
    room_kg = kind.weight_kg or np.inf
    racks, units = [], []
    rack = held = 0
    unit, watts, weight = 1, 0.0, 0.0
    values = zip(
        contents.height[devices].tolist(),
        np.nan_to_num(contents.power_w[devices]).tolist(),
        np.nan_to_num(contents.weight_kg[devices]).tolist(),
        strict=True,
    )
    for height, power, mass in values:
        at = kind.switch_units[held] if held < len(kind.switch_units) else unit
        if held and (
            held == most
            or at + height - 1 > kind.units
            or watts + power > room_w
            or weight + mass > room_kg
            or (kind.switch_units and held == len(kind.switch_units))
        ):
            rack, held, unit, watts, weight = rack + 1, 0, 1, 0.0, 0.0
            at = kind.switch_units[0] if kind.switch_units else unit
        if at + height - 1 > kind.units or power > room_w or mass > room_kg:
            text = (
                f"a device of {height} rack units and {power / 1000:g} kW fits no network rack of {kind.units} rack "
                "units; give network racks more room"
            )
            raise InputError([Mistake("site.rack", text)])
        racks.append(rack)
        units.append(at)
        held, unit, watts, weight = held + 1, at + height, watts + power, weight + mass
    return np.array(racks, np.int64), np.array(units, np.int64)
