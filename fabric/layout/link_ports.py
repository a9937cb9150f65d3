"""The ports at both ends of every link: their names, and the cages in which they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.composition import Compositions, Ends
from fabric.layout.appliance_ports import list_port_places
from fabric.layout.ports import list_nic_names, list_port_tables
from fabric.network import Network
from fabric.request.site import Site
from fabric.topology.topology import Group

__all__ = ["LinkPorts", "find_link_ports", "number_models"]

Ints = npt.NDArray[np.int32]
Cages = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class LinkPorts:
    """The ports of all links, in columns of shape (links,)."""

    names: tuple[str, ...]
    """The names of ports that `a_port` and `b_port` point to."""
    a_port: Ints
    """The index of the port's name at the lower end."""
    b_port: Ints
    """The index of the port's name at the upper end."""
    a_cage: Cages
    """The cage of the port at the lower end, numbered from 0 on each device."""
    b_cage: Cages
    """The cage of the port at the upper end."""


def find_link_ports(
    blueprint: Blueprint, network: Network, parts: Compositions, ends: Mapping[str, Ends], site: Site
) -> LinkPorts:
    """Return the ports of all links; `parts` are by bundle and appliance, `ends` by bundle.

    Raises InputError for ports that the site numbers wrongly, and where none is free for an appliance.
    """
    tables = list_port_tables(blueprint, parts, site)
    names: dict[str, int] = {}
    lower, upper = ((np.empty(network.links, np.int32), np.empty(network.links, np.uint16)) for _ in range(2))
    for number, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == number)
        for group, devices, ports, (codes, cages) in (
            (bundle.lower, network.lower, network.lower_port, lower),
            (bundle.upper, network.upper, network.upper_port, upper),
        ):
            if group in blueprint.topology.server_groups:
                codes[rows] = _number(_name_nics(blueprint, group), names)[ports[rows]]
                cages[rows] = ports[rows] // blueprint.servers_by_role[group.role].links_per_cage(blueprint.planes)
                continue
            found = tables[group.role, bundle.name]
            model = number_models(blueprint, network, group.role, devices[rows])
            slot = ports[rows].astype(np.int64) - found[0].first
            codes[rows] = np.array([_number(table.names, names) for table in found])[model, slot]
            cages[rows] = np.array([table.cages for table in found], np.uint16)[model, slot]
    for number, each in enumerate(attach_appliances(blueprint), len(blueprint.topology.bundles)):
        rows = np.flatnonzero(network.bundle == number)
        model = number_models(blueprint, network, each.appliance.tier, network.upper[rows])
        places = list_port_places(blueprint, network, each, rows, model, tables)
        own, end = network.lower_port[rows], ends[each.bundle][0]
        lower[0][rows] = _number([f"port{port + 1}" for port in own.tolist()], names)
        lower[1][rows] = own // (end.links if end else 1)
        upper[0][rows] = _number([table.names[place] for table, place in places], names)
        upper[1][rows] = [table.cages[place] for table, place in places]
    return LinkPorts(tuple(names), lower[0], upper[0], lower[1], upper[1])


def _name_nics(blueprint: Blueprint, group: Group) -> tuple[str, ...]:
    rails = len(blueprint.topology.rail_axes) and blueprint.sizes.get("rail", 1)
    return list_nic_names(blueprint.servers_by_role[group.role], blueprint.planes, rails)


def _number(texts: Sequence[str], names: dict[str, int]) -> Ints:
    """Return the index of each name, new ones added to `names`."""
    return np.array([names.setdefault(each, len(names)) for each in texts], np.int32)


def number_models(
    blueprint: Blueprint, network: Network, role: str, devices: npt.NDArray[np.integer]
) -> npt.NDArray[np.int64]:
    """Return which of the models of a role each device has."""
    ends = np.cumsum([count for _, count in blueprint.model_counts(role)])
    return np.searchsorted(ends, devices - network.group(role).first, side="right")
