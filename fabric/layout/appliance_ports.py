"""The ports of switches that appliances have: those that stay free, and only then those of servers that are missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import Attached
from fabric.errors import InputError
from fabric.layout.ports import PortTable
from fabric.network import Network

__all__ = ["list_port_names"]

Ints = npt.NDArray[np.int64]


def list_port_names(
    blueprint: Blueprint,
    network: Network,
    each: Attached,
    rows: Ints,
    model: Ints,
    tables: Mapping[tuple[str, str], tuple[PortTable, ...]],
) -> list[str]:
    """Return the name of the switch port of each link of an appliance; raises InputError where none is free.

    `rows` are the links, `model` has the number of the model of each one's switch among those of its role.
    """
    role = each.appliance.tier
    below = blueprint.topology.bundle_below(role).name
    names = []
    for row, number in zip(rows.tolist(), model.tolist(), strict=True):
        free, down = tables[role, each.appliance.name][number], tables[role, below][number]
        place = int(network.upper_port[row]) - free.first
        if place < len(free.names):
            names.append(free.names[place])
            continue
        unused = _list_unused(network, below, int(network.upper[row]), down)
        if place - len(free.names) >= len(unused):
            switch = network.name(int(network.upper[row]))
            raise InputError(f"appliances: no port of {switch} stays free for {each.appliance.name}; reserve one more")
        names.append(unused[place - len(free.names)])
    return names


def _list_unused(network: Network, below: str, switch: int, down: PortTable) -> list[str]:
    """Return the names of the ports down of a switch that no link has."""
    here = (network.upper == switch) & (network.bundle == network.bundles.index(below))
    used = set((network.upper_port[here].astype(int) - down.first).tolist())
    return [name for place, name in enumerate(down.names) if place not in used]
