"""A network whose endpoints are NICs instead of servers: distances in it are those between GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fabric.blueprint import Blueprint
from fabric.flow import router_of
from fabric.network import Devices, Network
from fabric.network.expand import expand, rank_ends

__all__ = ["NIC", "nic_network", "nics_of"]

NIC = "nic"
"""The role of NICs, and the axis by which those of a server are numbered."""


def nic_network(blueprint: Blueprint) -> Network:
    """Lay `blueprint` out as a network in which each server is replaced by its NICs, in their order.

    A NIC is named `nic[block=0,slot=3,nic=5]` (`hgx-h100-nic[...]` where servers are unlike), and its ports are
    numbered from 0, by plane or level. The switches and links are those of `expand`. Nothing joins the NICs of one
    server: NVLink is no part of the network. So rails that never meet are separate, and the switches between two NICs
    are those of `Study.hops`. Raises TooLarge as `expand` does.
    """
    network = expand(blueprint)
    groups = tuple(_lay_nics(blueprint, network)) + network.groups[network.kinds :]
    hosts = router_of(blueprint).nic_of_links()
    more = sum(group.count for group in groups) - network.devices
    groups = (*groups[: network.kinds], *(replace(each, first=each.first + more) for each in groups[network.kinds :]))
    lower, port = network.lower + np.int32(more), network.lower_port.copy()
    lower[: len(hosts)] = hosts
    port[: len(hosts)] = rank_ends(hosts)
    return replace(network, groups=groups, lower=lower, upper=network.upper + np.int32(more), lower_port=port)


def _lay_nics(blueprint: Blueprint, network: Network) -> Iterator[Devices]:
    """Yield the NICs of each kind of server."""
    first, servers = 0, blueprint.servers_by_role
    for group in network.groups[: network.kinds]:
        nics = servers[group.role].nics
        role = f"{group.role}-{NIC}" if blueprint.kinds else NIC
        yield Devices(role, first, nics * group.count, (*group.axes, NIC), (*group.shape, nics), nics * group.offset)
        first += nics * group.count


def nics_of(group: Devices) -> int:
    """Return the NICs of a server, where devices are NICs; else 0."""
    return group.shape[-1] if NIC in group.axes else 0
