"""What a Linux host runs to have its addresses, and its routes to the hosts of its rails and planes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabric.export.ethernet.addresses import PORT_LENGTH
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.texts import choose_texts, join_texts, number_texts, pick_texts, spell_addresses

__all__ = ["list_host_commands"]

FIRST_TABLE = 1_000
"""The routing table of a host's first NIC, if it needs one; 0 and 253 to 255 are Linux's own."""


def list_host_commands(plan: EthernetPlan, interfaces: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the commands of iproute2 for each host with a link to write; `interfaces` has the name of each port.

    Linux takes a route once only, so that of a block is by the host's first NIC there. The other NICs in the block have
    it in a table of their own, for what is sent from their address.
    """
    fabric, addresses = plan.plan, plan.addresses
    own = np.flatnonzero(fabric.written_links[addresses.host_link])
    own = own[np.argsort(fabric.host[addresses.host_link[own]], kind="stable")]
    links, gateway = addresses.host_link[own], addresses.gateway[own]
    switch, host = fabric.upper.device[links] - addresses.first_switch, fabric.host[links]
    starts = np.searchsorted(host, host)
    block = addresses.share[switch] if addresses.share_length is not None else np.zeros_like(host)
    table = number_texts(FIRST_TABLE + np.arange(len(links)) - starts)
    names = [interfaces[name] for name in fabric.lower.names]
    port, address = pick_texts(names, fabric.lower.name[links]), spell_addresses(gateway + 1)
    route = join_texts("ip route add ", plan.spell_routes(switch), " via ", spell_addresses(gateway), " dev ", port)
    first = _find_first(host, block)
    columns = (
        join_texts("ip address add ", address, f"/{PORT_LENGTH} dev ", port),
        choose_texts(first, route, join_texts(route, " table ", table)),
        choose_texts(first, "", join_texts("ip rule add from ", address, " table ", table)),
    )
    commands: dict[str, list[str]] = {fabric.hosts.names[each]: [] for each in np.unique(host).tolist()}
    for each, *lines in zip(host.tolist(), *(column.to_pylist() for column in columns), strict=True):
        commands[fabric.hosts.names[each]] += filter(None, lines)
    return commands


def _find_first(host: npt.NDArray[np.int64], block: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which links are the first of their host to their block, shape (links,)."""
    first = np.zeros(len(host), np.bool_)
    first[np.unique(np.stack([host, block]), axis=1, return_index=True)[1]] = True
    return first
