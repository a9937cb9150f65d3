"""The appliances of a fabric among its devices and links: each is a group and a bundle after all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import Attached, attach_appliances
from fabric.network import Devices, Network

__all__ = ["ApplianceLinks", "add_appliances", "list_appliance_links"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ApplianceLinks:
    """The links of all copies of an appliance, by copy; columns of shape (links,)."""

    attached: Attached
    """The appliance."""
    copy: Ints
    """The number of the copy that each link begins at."""
    port: Ints
    """Its port there, from 0."""
    switch: Ints
    """The number of the switch among those of its role."""
    place: Ints
    """How many links of appliances the switch has before this one."""

    @property
    def home(self) -> Ints:
        """The first switch that each copy is joined to, near which it stands, shape (copies,)."""
        return np.asarray(self.switch[self.port == 0])


def list_appliance_links(blueprint: Blueprint) -> Iterator[ApplianceLinks]:
    """Yield the links of every appliance, in the order of `attach_appliances`."""
    before: dict[str, Ints] = {}
    for each in attach_appliances(blueprint):
        role = each.appliance.tier
        switch = np.repeat(np.arange(len(each.ports)), each.ports)
        number = np.arange(each.links)
        here = number - np.repeat(np.cumsum(each.ports) - each.ports, each.ports)
        taken = before.get(role, np.zeros(len(each.ports), np.int64))
        # The switches of a unit are consecutive, and every copy has the same number of ports.
        copy, port = np.divmod(number, each.appliance.ports)
        yield ApplianceLinks(each, copy, port, switch, taken[switch] + here)
        before[role] = taken + each.ports


def add_appliances(blueprint: Blueprint, network: Network) -> Network:
    """Return the network with the appliances: a group of devices and a bundle of links each, named as it is.

    Their links have ports of switches after those down and up.
    """
    found = list(list_appliance_links(blueprint))
    if not found:
        return network
    groups, bundles, rates = list(network.groups), list(network.bundles), list(network.bundle_gbps)
    columns: dict[str, list[npt.NDArray[Any]]] = {
        name: [getattr(network, name)] for name in ("lower", "upper", "lower_port", "upper_port", "bundle")
    }
    first = network.devices
    for each in found:
        name, role, copies = each.attached.appliance.name, each.attached.appliance.tier, each.attached.copies
        axes, shape = (("unit",), (copies,)) if each.attached.appliance.per_unit else ((), ())
        groups.append(Devices(name, first, copies, axes, shape))
        columns["lower"].append(first + each.copy)
        columns["upper"].append(network.group(role).first + each.switch)
        columns["lower_port"].append(each.port)
        columns["upper_port"].append(blueprint.ports_down(role) + blueprint.ports_up(role) + each.place)
        columns["bundle"].append(np.full(each.attached.links, len(bundles)))
        rates.append(network.bundle_gbps[network.bundles.index(each.attached.bundle)])
        bundles.append(name)
        first += copies
    joined = {name: np.concatenate(parts).astype(parts[0].dtype) for name, parts in columns.items()}
    network = replace(network, groups=tuple(groups), bundles=tuple(bundles), bundle_gbps=tuple(rates))
    return replace(network, appliances=len(found), **cast(Any, joined))
