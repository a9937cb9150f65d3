"""The cabled ports of every switch, in columns: a row for each end of a link at a switch, switch by switch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.export.ethernet.addresses import AddressPlan
from fabric.frozen_columns import FrozenColumns
from fabric.network import Network

__all__ = ["SwitchPorts", "list_switch_ports"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SwitchPorts(FrozenColumns):
    """The ends of links at switches: columns are read-only, shape (ends,), by switch and then by the network's port."""

    start: Rows
    """The first row of each switch, and the end of the last, shape (switches + 1,)."""
    device: Rows
    """The network's row of the switch."""
    link: Rows
    """The network's row of the link."""
    upper: npt.NDArray[np.bool_]
    """Whether the switch is the upper end of the link."""
    peer: Rows
    """The network's row of the device at the other end."""
    to_host: npt.NDArray[np.bool_]
    """Whether the device at the other end is a host: a server or an appliance."""
    gateway: Rows
    """The address of the port, where a host is at the other end; of no meaning elsewhere."""


def list_switch_ports(network: Network, plan: AddressPlan) -> SwitchPorts:
    """Return the cabled ports of every switch of a network that has the addresses of `plan`."""
    first, switches = plan.first_switch, len(plan.asn)
    to_host = np.zeros(network.links, np.bool_)
    to_host[plan.host_link] = True
    gateway = np.zeros(network.links, np.int64)
    gateway[plan.host_link] = plan.gateway
    between = np.flatnonzero(~to_host)
    link = np.concatenate([np.arange(network.links), between])
    upper = np.arange(len(link)) < network.links
    device = np.concatenate([network.upper, network.lower[between]]).astype(np.int64)
    peer = np.concatenate([network.lower, network.upper[between]]).astype(np.int64)
    port = np.concatenate([network.upper_port, network.lower_port[between]])
    order = np.lexsort((port, device))
    device, link, upper = device[order], link[order], upper[order]
    start = np.searchsorted(device, first + np.arange(switches + 1))
    at_host = to_host[link]
    return SwitchPorts(start, device, link, upper, peer[order], at_host, np.where(at_host, gateway[link], 0))
