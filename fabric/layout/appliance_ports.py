"""The ports of switches that appliances have: those that stay free, and only then those of servers that are missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import Attached
from fabric.errors import InputError, Mistake
from fabric.layout.ports import PortTable
from fabric.network import Network

__all__ = ["list_port_places"]

Ints = npt.NDArray[np.int64]


def list_port_places(
    blueprint: Blueprint,
    network: Network,
    each: Attached,
    rows: Ints,
    model: Ints,
    tables: Mapping[tuple[str, str], tuple[PortTable, ...]],
) -> list[tuple[PortTable, int]]:
    """Return the switch port of each link of an appliance, a table and the place in it; raises InputError without one.

    `rows` are the links, `model` has the number of the model of each one's switch among those of its role.
    """
    role = each.appliance.tier
    below = blueprint.topology.bundle_below(role).name
    places = []
    for row, number in zip(rows.tolist(), model.tolist(), strict=True):
        free, down = tables[role, each.appliance.name][number], tables[role, below][number]
        place = int(network.upper_port[row]) - free.first
        if place < len(free.names):
            places.append((free, place))
            continue
        unused = _list_unused(network, below, int(network.upper[row]), down)
        if place - len(free.names) >= len(unused):
            switch = network.name(int(network.upper[row]))
            text = f"no port of {switch} stays free for {each.appliance.name}; reserve one more"
            raise InputError([Mistake("appliances", text)])
        places.append((down, unused[place - len(free.names)]))
    return places


def _list_unused(network: Network, below: str, switch: int, down: PortTable) -> list[int]:
    """Return the places in the table of the ports down of a switch that no link has."""
    here = (network.upper == switch) & (network.bundle == network.bundles.index(below))
    used = set((network.upper_port[here].astype(int) - down.first).tolist())
    return [place for place in range(len(down.names)) if place not in used]
