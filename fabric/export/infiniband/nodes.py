"""The nodes of InfiniBand subnets: switches, and host channel adapters (HCAs) with one port each, with their GUIDs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.export.infiniband.subnets import Subnets
from fabric.export.plan import LinkEnds, Plan
from fabric.frozen_columns import FrozenColumns

__all__ = ["Nodes", "list_nodes"]

VENDOR = 0x0002C9 << 40
"""The identifier of Mellanox, the first 24 bits of its GUIDs."""

ROLE_BITS, DEVICE_BITS, HCA_BITS = 6, 22, 11
"""The bits of a GUID for the role, the device of that role, and its HCA; one more tells an HCA's port from the HCA."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nodes(FrozenColumns):
    """HCAs and switches: first an HCA for each link to a host, in the order of links, then the switches."""

    names: tuple[str, ...]
    """The description of each: the host and its HCA, or the switch."""
    guid: Rows
    """The GUID of each, which no other has, and which keeps when a fabric grows, shape (nodes,)."""
    ports: Rows
    """The ports of each, shape (nodes,)."""
    subnet: Rows
    """The subnet of each, shape (nodes,)."""
    device: Rows
    """The network's row of the switch, or of the device that the HCA is in, shape (nodes,)."""
    hcas: int
    """The number of HCAs."""
    lower: Rows
    """The node at the lower end of each link, shape (links,)."""
    lower_port: Rows
    """Its port, from 1, shape (links,)."""
    upper: Rows
    """The node at the upper end of each link, shape (links,)."""
    upper_port: Rows
    """Its port, from 1, shape (links,)."""


def list_nodes(plan: Plan, subnets: Subnets) -> Nodes:
    """Return the nodes of a plan. A split switch numbers its ports by the parts that its ports have at most."""
    host_links, switches = np.flatnonzero(plan.host >= 0), np.flatnonzero(plan.is_switch)
    hcas = len(host_links)
    node = np.full(plan.network.devices, -1, np.int64)
    node[switches] = hcas + np.arange(len(switches))
    lower = node[plan.lower.device]
    lower[host_links] = np.arange(hcas)
    parts = _split_devices(plan)
    lower_port = _number_ports(plan.lower, parts)
    lower_port[host_links] = 1
    hca_guid, hca_names = _list_hcas(plan, host_links)
    native = [model.ports + (model.uplinks.ports if model.uplinks else 0) for model in plan.models if model]
    names = [plan.device_names[switch] for switch in switches.tolist()]
    return Nodes(
        (*hca_names, *names),
        np.concatenate([hca_guid, _number_devices(plan)[switches]]),
        np.concatenate([np.ones(hcas, np.int64), np.array(native) * parts[switches]]),
        np.concatenate([subnets.of_link[host_links], subnets.of_device[switches]]),
        np.concatenate([plan.lower.device[host_links], switches]),
        hcas,
        lower,
        lower_port,
        node[plan.upper.device],
        _number_ports(plan.upper, parts),
    )


def _split_devices(plan: Plan) -> Rows:
    """Return into how many parts a port of each device is split at most, the same for all of a role and model."""
    found = np.ones(plan.network.devices, np.int64)
    for ends in (plan.lower, plan.upper):
        np.maximum.at(found, ends.device, ends.parts)
    keys = [f"{role} {model.name if model else ''}" for role, model in zip(plan.network.role, plan.models, strict=True)]
    _, kind = np.unique(keys, return_inverse=True)
    most = np.ones(kind.max() + 1, np.int64)
    np.maximum.at(most, kind, found)
    return np.asarray(most[kind])


def _number_ports(ends: LinkEnds, parts: Rows) -> Rows:
    """Return the number of each port at switches, where every native port has the numbers of as many parts."""
    return np.asarray((ends.port - 1) * parts[ends.device] + ends.part + 1)


def _number_devices(plan: Plan) -> Rows:
    """Return the GUID of every device: the vendor's bits, the role and the number in the role, shape (devices,)."""
    groups = plan.network.groups
    # A later stage of growth has the same roles, and the same devices first.
    role = np.repeat(np.arange(len(groups)), [group.count for group in groups])
    number = np.arange(plan.network.devices) - np.array([group.first for group in groups])[role]
    if len(groups) >= 1 << ROLE_BITS or number.max() >= 1 << DEVICE_BITS:
        raise InputError(f"{plan.name}: more than {1 << DEVICE_BITS} devices of a role have no GUIDs in this export")
    return np.asarray(VENDOR + ((role << DEVICE_BITS) + number << HCA_BITS + 1))


def _list_hcas(plan: Plan, links: Rows) -> tuple[Rows, list[str]]:
    """Return the GUID and the description, such as `server-b0-s3 mlx5_5`, of the HCA of each link to a host."""
    ends, hosts = plan.lower, plan.hosts
    per_tray = np.zeros(plan.network.devices, np.int64)
    np.maximum.at(per_tray, ends.device[links], ends.port[links] * ends.parts[links])
    device = ends.device[links]
    number = (ends.port[links] - 1) * ends.parts[links] + ends.part[links]
    hca = ends.tray[links] * per_tray[device] + number
    if hca.max(initial=0) >= 1 << HCA_BITS:
        raise InputError(f"{plan.name}: a server with {hca.max() + 1} NIC ports has no GUIDs in this export")
    guid = _number_devices(plan)[device] + (hca << 1)
    given = [name if name.startswith("mlx5_") else "" for name in ends.names]
    names = [
        f"{hosts.names[host]} {given[name] if whole and given[name] else f'mlx5_{place}'}"
        for host, name, whole, place in zip(
            plan.host[links].tolist(),
            ends.name[links].tolist(),
            (ends.parts[links] == 1).tolist(),
            number.tolist(),
            strict=True,
        )
    ]
    return np.asarray(guid), names
