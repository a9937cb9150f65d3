"""What the files of an Ethernet fabric are written of: a plan with addresses and AS numbers, switch by switch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.export.ethernet.addresses import HOSTS, ROUTES, AddressPlan, plan_addresses
from fabric.export.ethernet.switch_ports import SwitchPorts, list_switch_ports
from fabric.export.ethernet.texts import choose_texts, join_texts, pick_texts, spell_address, spell_addresses
from fabric.export.link_layer import list_models, refuse_relays, require_ethernet
from fabric.export.plan import Plan
from fabric.layout.ports import system_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fabric.catalog import Switch

__all__ = ["LINUX_SYSTEMS", "EthernetPlan", "SwitchEnds", "refuse_others", "with_port_names"]

LINUX_SYSTEMS = ("cumulus", "sonic")
"""The operating systems whose names of ports are names of interfaces of Linux."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SwitchEnds:
    """Both ends of cables at switches, in rows of `EthernetPlan.ports`, shape (ends,)."""

    name: pa.StringArray
    """The name of the switch's port."""
    port: Rows
    """The port on its panel, from 1."""
    part: Rows
    """The part of a split port, from 0."""
    parts: Rows
    """The parts of that port; 1 where it is whole."""
    peer: pa.StringArray
    """The switch or the host at the other end."""
    peer_port: pa.StringArray
    """The name of its port."""


@dataclass(frozen=True, eq=False)
class EthernetPlan:
    """A plan with the addresses of its hosts and switches, and the cabled ports of each switch."""

    plan: Plan
    """The devices and cables."""

    @cached_property
    def addresses(self) -> AddressPlan:
        """The addresses and AS numbers; raises InputError as `plan_addresses` does."""
        return plan_addresses(self.plan.blueprint, self.plan.network)

    @cached_property
    def ports(self) -> SwitchPorts:
        """The cabled ports of every switch."""
        return list_switch_ports(self.plan.network, self.addresses)

    @cached_property
    def switch_names(self) -> tuple[str, ...]:
        """The names of the switches, in order, shape (switches,)."""
        return self.plan.device_names[self._switches]

    @property
    def written_switches(self) -> Rows:
        """The switches to write, of all or those of the part, in rows of `switch_names`."""
        return np.flatnonzero(self.plan.written_devices[self._switches])

    @cached_property
    def switch_models(self) -> tuple[Switch, ...]:
        """The models of the switches, in order, shape (switches,)."""
        return tuple(model for model in self.plan.models[self._switches] if model)

    @cached_property
    def tiers(self) -> Rows:
        """The tier of each switch, from 0 at the leaves, shape (switches,)."""
        role = self.plan.network.role[self._switches].astype(np.int64)
        return role - role[:1]

    @property
    def _switches(self) -> slice:
        first = self.addresses.first_switch
        return slice(first, first + len(self.addresses.asn))

    @cached_property
    def gbps(self) -> Rows:
        """The rate of each cabled port in Gb/s, in the rows of `ports`, shape (ends,)."""
        return self.plan.link_gbps[self.ports.link].astype(np.int64)

    @cached_property
    def metres(self) -> Rows:
        """The length of its cable as sold, rounded up to whole metres, in the rows of `ports`, shape (ends,)."""
        return np.ceil(self.plan.wiring.length_m[self.ports.link]).astype(np.int64)

    @cached_property
    def between(self) -> Rows:
        """The cables from each switch to other switches, shape (switches,)."""
        return np.bincount(
            self.ports.device[~self.ports.to_host] - self.addresses.first_switch, minlength=len(self.addresses.asn)
        )

    def spell_routes(self, switches: Rows) -> pa.StringArray:
        """Return what the hosts of some switches reach by them, shape (switches,): the block of a rail and plane.

        Without such blocks it is the block of all hosts.
        """
        addresses = self.addresses
        if addresses.share_length is None:
            return pick_texts([f"{spell_address(HOSTS[0])}/{HOSTS[1]}"], np.zeros(len(switches), np.int64))
        return join_texts(spell_addresses(addresses.share_prefix[switches]), f"/{addresses.share_length}")

    def list_ends(self, named: Plan, rows: slice = slice(None)) -> SwitchEnds:
        """Return both ends of some rows of `ports`; `named` is the plan, or one that `with_port_names` made of it."""
        ports, link = self.ports, self.ports.link[rows]
        lower, upper, is_upper = named.lower, named.upper, ports.upper[rows]
        hosts = pick_texts(named.hosts.names, np.maximum(named.host[link], 0))
        names = [pick_texts(end.names, end.name[link]) for end in (lower, upper)]
        return SwitchEnds(
            choose_texts(is_upper, names[1], names[0]),
            np.where(is_upper, upper.port[link], lower.port[link]),
            np.where(is_upper, upper.part[link], lower.part[link]),
            np.where(is_upper, upper.parts[link], lower.parts[link]),
            choose_texts(ports.to_host[rows], hosts, pick_texts(named.device_names, ports.peer[rows])),
            choose_texts(is_upper, names[0], names[1]),
        )


def refuse_others(plan: Plan) -> None:
    """Raise InputError for a fabric that is not of Ethernet, and where servers forward traffic of others."""
    require_ethernet(plan.blueprint, "the format is of Ethernet")
    refuse_relays(plan.blueprint, ROUTES)


def with_port_names(plan: Plan, system: str | None = None) -> Plan:
    """Return a plan with the ports of switches named by the rule of one operating system.

    Without one they are names of interfaces of Linux: by the rule of a switch's own system where that is one of
    `LINUX_SYSTEMS`, else as Cumulus has them.
    """
    systems = {}
    for model in list_models(plan.blueprint):
        own = system_of(model, plan.spec.site)
        systems[model.name] = system or (own if own in LINUX_SYSTEMS else "cumulus")
    layout = replace(plan.layout, site=replace(plan.layout.site, port_names=systems))
    return replace(plan, wire=lambda: replace(plan.wiring, layout=layout))
