"""NetBox's device types of a fabric, in the form of its device-type library: height, and an interface for every port.

`schema/devicetype.json` of github.com/netbox-community/devicetype-library has the keys. A type is of one role and one
model: a port that is split in one role has the interfaces of its parts, which other devices of the model don't have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.catalog import PortGroup, PortPart, Server, Switch, port_name_systems
from fabric.layout.device_facts import DeviceFacts, appliance_facts, server_facts, switch_facts
from fabric.layout.ports import list_nic_names, system_of

if TYPE_CHECKING:
    from fabric.export.plan import Plan

__all__ = ["UNKNOWN_MAKER", "DeviceType", "list_device_types", "slug_of"]

UNKNOWN_MAKER = "Unknown"
"""The manufacturer of a device whose maker is not known; NetBox asks for one."""

INFINIBAND = {100: "edr", 200: "hdr", 400: "ndr", 800: "xdr"}
"""NetBox's names of the rates of InfiniBand, in Gb/s of four lanes."""

ETHERNET = {
    (100, "qsfp28"), (100, "qsfp-dd"), (200, "qsfp56"), (200, "qsfp-dd"), (400, "qsfp112"), (400, "qsfp-dd"),
    (400, "osfp"), (800, "qsfp-dd"), (800, "osfp"), (25, "sfp28"), (50, "sfp56"),
}  # fmt: skip
"""The rates in Gb/s and the cages of which NetBox has types of interfaces (`InterfaceTypeChoices`)."""

OTHER = "other"
"""The type of an interface of which NetBox has no type of its own."""


@dataclass(frozen=True)
class DeviceType:
    """A device type, and the devices that are of it."""

    maker: str
    """The manufacturer."""
    model: str
    """The name of the type, unlike that of all others of the manufacturer."""
    facts: DeviceFacts
    """Its height and weight."""
    number: str
    """The vendor's part number; empty where it is not known."""
    interfaces: Mapping[str, str]
    """The type of each interface by its name, in the order of the ports."""

    @property
    def document(self) -> dict[str, Any]:
        """The type as a document of the library."""
        found: dict[str, Any] = {
            "manufacturer": self.maker,
            "model": self.model,
            "slug": slug_of(f"{self.maker}-{self.model}"),
            "u_height": self.facts.units,
            "is_full_depth": True,
        }
        if self.number:
            found["part_number"] = self.number
        if self.facts.weight_kg is not None:
            found |= {"weight": self.facts.weight_kg, "weight_unit": "kg"}
        if self.facts.assumed:
            found["comments"] = "The height is not known, and assumed."
        found["interfaces"] = [{"name": name, "type": kind} for name, kind in self.interfaces.items()]
        return found


def slug_of(text: str) -> str:
    """Return the slug of a name: lower-case letters, digits and hyphens, at most 100."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:100] or "none"


def list_device_types(plan: Plan) -> dict[tuple[str, str], DeviceType]:
    """Return the device type by role and model; that of servers and appliances has no model."""
    blueprint, site = plan.blueprint, plan.layout.site
    types: dict[tuple[str, str], DeviceType] = {}
    rails = len(blueprint.topology.rail_axes) and blueprint.sizes.get("rail", 1)
    for role, server in blueprint.servers_by_role.items():
        facts = server_facts(blueprint, site)[role]
        names = list_nic_names(server, blueprint.planes, rails)
        rate = server.nic_gbps // blueprint.planes
        kinds = dict.fromkeys(
            names, _interface_type(plan, rate, server.cage if blueprint.planes == server.cards else "")
        )
        types[role, ""] = DeviceType(_maker_of(server), server.title or server.name, facts, server.vendor_number, kinds)
    switches = switch_facts(blueprint, site)
    for role in blueprint.topology.roles:
        for model, _ in blueprint.model_counts(role):
            interfaces = dict(_list_interfaces(plan, role, model))
            types[role, model.name] = DeviceType(
                model.vendor or UNKNOWN_MAKER,
                f"{model.name} {role}",
                switches[model.name],
                model.vendor_number,
                interfaces,
            )
    for name, facts in appliance_facts(blueprint, site).items():
        group = plan.network.group(name)
        used = plan.network.lower_port[plan.network.lower >= group.first]
        kinds = {f"port{port + 1}": OTHER for port in range(int(used.max(initial=0)) + 1)}
        types[name, ""] = DeviceType(UNKNOWN_MAKER, name, facts, "", kinds)
    return types


def _maker_of(server: Server) -> str:
    """Return who makes a server: a DGX is NVIDIA's own box, and others are of any vendor."""
    return "NVIDIA" if server.title.startswith("DGX") else UNKNOWN_MAKER


def _list_interfaces(plan: Plan, role: str, model: Switch) -> Iterator[tuple[str, str]]:
    """Yield the name and the type of each port of a model in a role: those in use as they are split, others whole."""
    group = plan.network.group(role)
    own = np.zeros(plan.network.devices, np.bool_)
    of_role = slice(group.first, group.first + group.count)
    own[of_role] = [each == model for each in plan.models[of_role]]
    found: dict[tuple[int, int], tuple[str, int, int]] = {}
    for end in (plan.lower, plan.upper):
        rows = np.flatnonzero(own[end.device])
        columns = np.stack([end.port, end.part, end.parts, end.name, plan.link_gbps.astype(np.int64)])[:, rows]
        for port, part, parts, name, gbps in np.unique(columns, axis=1).T.tolist():
            found[port, part] = end.names[name], parts, gbps
    alike = max((parts for _, parts, _ in found.values()), default=1)
    taken = {port for port, _ in found}
    spare = [port for port in range(1, _count_ports(model) + 1) if port not in taken]
    names = port_name_systems()[system_of(model, plan.layout.site)].spell(
        model, [PortPart(port - 1, 0, 1) for port in spare], alike
    )
    found |= {(port, 0): (name, 1, _side_of(model, port).rate_gbps) for port, name in zip(spare, names, strict=True)}
    for (port, _), (name, parts, gbps) in sorted(found.items()):
        yield name, _interface_type(plan, gbps, _side_of(model, port).cage if parts == 1 else "")


def _count_ports(model: Switch) -> int:
    return model.ports + (model.uplinks.ports if model.uplinks else 0)


def _side_of(model: Switch, port: int) -> PortGroup:
    """Return the ports of a switch that a port, from 1, is one of: those for uplinks alone come after the others."""
    return model.uplinks if model.uplinks and port > model.ports else model


def _interface_type(plan: Plan, gbps: int, cage: str) -> str:
    """Return NetBox's type of an interface: by its rate on InfiniBand, by its rate and cage on Ethernet."""
    layer = plan.blueprint.link_layer
    if layer == "infiniband" and gbps in INFINIBAND:
        return f"infiniband-{INFINIBAND[gbps]}"
    return f"{gbps}gbase-x-{cage.replace('-', '')}" if layer == "ethernet" and (gbps, cage) in ETHERNET else OTHER
