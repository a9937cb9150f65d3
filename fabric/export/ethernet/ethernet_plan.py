"""What the files of an Ethernet fabric are written of: its devices and cables, with names, addresses and AS numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.export.ethernet.addresses import AddressPlan, plan_addresses
from fabric.export.ethernet.switch_ports import SwitchPorts, list_switch_ports
from fabric.layout.link_ports import find_link_ports
from fabric.layout.ports import system_of
from fabric.layout.wiring import Wiring

__all__ = ["LINUX_SYSTEMS", "EthernetPlan", "PortNaming"]

LINUX_SYSTEMS = ("cumulus", "sonic")
"""The operating systems whose names of ports are names of interfaces of Linux."""


@dataclass(frozen=True, eq=False)
class PortNaming:
    """The names of the ports at both ends of every link."""

    names: tuple[str, ...]
    """The names that `lower` and `upper` point to."""
    lower: npt.NDArray[np.int32]
    """The index of the name at the lower end, shape (links,)."""
    upper: npt.NDArray[np.int32]
    """The index of the name at the upper end, shape (links,)."""


@dataclass(frozen=True, eq=False)
class EthernetPlan:
    """The cables of an Ethernet fabric with what its switches need to know."""

    blueprint: Blueprint
    """The fabric."""
    wiring: Wiring
    """Its cables."""
    device_names: tuple[str, ...]
    """The name of each device of the wiring's network, fit for a host name."""

    @cached_property
    def addresses(self) -> AddressPlan:
        """The addresses and AS numbers; raises InputError as `plan_addresses` does."""
        return plan_addresses(self.blueprint, self.wiring.network)

    @cached_property
    def ports(self) -> SwitchPorts:
        """The cabled ports of every switch."""
        return list_switch_ports(self.wiring.network, self.addresses)

    @property
    def switch_names(self) -> tuple[str, ...]:
        """The names of the switches, in order."""
        first = self.addresses.first_switch
        return self.device_names[first : first + len(self.addresses.asn)]

    def name_ports(self, system: str | None = None) -> PortNaming:
        """Return the names of ports by the rule of one operating system.

        Without one they are names of interfaces of Linux: by the rule of a switch's own system where that is one of
        `LINUX_SYSTEMS`, else as Cumulus has them.
        """
        site, models = self.wiring.layout.site, self.blueprint
        systems = {
            model.name: system or (own if (own := system_of(model, site)) in LINUX_SYSTEMS else "cumulus")
            for role in models.topology.roles
            for model, _ in models.model_counts(role)
        }
        wiring, named = self.wiring, replace(site, port_names=systems)
        found = find_link_ports(models, wiring.network, wiring.compositions, wiring.prices.ends, named)
        return PortNaming(found.names, found.a_port, found.b_port)
