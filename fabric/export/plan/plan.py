"""A fabric as it is built: devices and hosts by name, and the port, rail and plane of every link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import Switch
from fabric.export.plan.device_names import list_host_names
from fabric.export.plan.ends import LinkEnds, list_ends
from fabric.export.plan.hosts import HostTable, list_hosts
from fabric.export.plan.part import Part, choose_part
from fabric.layout.layout import Layout
from fabric.layout.wiring import Wiring
from fabric.network import Devices, Network
from fabric.network.network import axis_label
from fabric.request import Spec
from fabric.topology.topology import PLANE

__all__ = ["RAIL", "Plan"]

RAIL = "rail"
"""The axis of rails."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plan:
    """A design with its layout and cables, and everything else computed when it is first read."""

    spec: Spec
    """The request."""
    blueprint: Blueprint
    """The fabric designed."""
    wire: Callable[[], Wiring]
    """Returns every cable, with both ends; called when they are first read, so that what needs none costs nothing."""

    part: Part | None = None
    """The pod or unit to write, by the formats that write parts; None: the whole fabric."""

    @cached_property
    def wiring(self) -> Wiring:
        """Every cable, with both ends; raises what laying them does."""
        return self.wire()

    @property
    def name(self) -> str:
        """The name of the request."""
        return self.blueprint.name

    @property
    def title(self) -> str:
        """The name of the request, with the number of the pod or unit to write."""
        return f"{self.name}, {self.part.title}" if self.part else self.name

    def of_part(self, *, pod: int | None = None, unit: int | None = None) -> Plan:
        """Return the plan of a pod, or of a unit numbered in it, with what its links lead to.

        Names and ports are those of the whole. Raises InputError where the fabric has none of that number.
        """
        return replace(self, part=choose_part(self.blueprint, pod, unit))

    @cached_property
    def _written(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        if self.part:
            return self.part.find(self.network)
        return np.ones(self.network.devices, np.bool_), np.ones(self.network.links, np.bool_)

    @property
    def written_devices(self) -> npt.NDArray[np.bool_]:
        """Which devices are written: all, or those of the part, shape (devices,)."""
        return self._written[0]

    @property
    def written_links(self) -> npt.NDArray[np.bool_]:
        """Which links are written: all, or those of the part, shape (links,)."""
        return self._written[1]

    @property
    def layout(self) -> Layout:
        """The racks and where every device stands."""
        return self.wiring.layout

    @property
    def network(self) -> Network:
        """The devices and links, those of appliances after the others."""
        return self.wiring.network

    @cached_property
    def device_names(self) -> tuple[str, ...]:
        """The name of every device, as of hosts in DNS: letters, digits and hyphens, shape (devices,)."""
        return list_host_names(self.layout, self.network)

    @cached_property
    def hosts(self) -> HostTable:
        """The hosts: servers or their trays, and appliances."""
        return list_hosts(self.blueprint, self.network, self.device_names)

    @cached_property
    def _ends(self) -> tuple[LinkEnds, LinkEnds]:
        return list_ends(self.blueprint, self.wiring)

    @property
    def lower(self) -> LinkEnds:
        """The lower end of every link."""
        return self._ends[0]

    @property
    def upper(self) -> LinkEnds:
        """The upper end of every link, which is always at a switch."""
        return self._ends[1]

    @cached_property
    def host(self) -> Rows:
        """The host at the lower end of every link; -1 where that is a switch, shape (links,)."""
        hosts = self.hosts.of(self.lower.device, self.lower.tray)
        return np.where(self.is_switch[self.lower.device], -1, hosts)

    @cached_property
    def is_switch(self) -> npt.NDArray[np.bool_]:
        """Whether each device is a switch, shape (devices,)."""
        roles = self.blueprint.topology.roles
        groups = self.network.groups
        return np.repeat([group.role in roles for group in groups], [group.count for group in groups])

    @cached_property
    def models(self) -> tuple[Switch | None, ...]:
        """The model of every device; None of servers and appliances, shape (devices,)."""
        found: list[Switch | None] = []
        roles = self.blueprint.topology.roles
        for group in self.network.groups:
            counts = self.blueprint.model_counts(group.role) if group.role in roles else ((None, group.count),)
            found += [model for model, count in counts for _ in range(count)]
        return tuple(found)

    @cached_property
    def device_plane(self) -> Rows:
        """The plane of every device, from 0; -1 of those that are in all, shape (devices,)."""
        return self._digit(PLANE)

    @cached_property
    def device_rail(self) -> Rows:
        """The rail of every device, from 0; -1 of those that serve several or none, shape (devices,)."""
        return self._digit(RAIL)

    @cached_property
    def link_plane(self) -> Rows:
        """The plane of every link, from 0; -1 where NICs have ports on levels of switches instead, shape (links,)."""
        return self.device_plane[self.upper.device]

    @cached_property
    def link_rail(self) -> Rows:
        """The rail of every link, from 0; -1 where it serves several, or there are none, shape (links,)."""
        rail = self.device_rail
        lower, upper = rail[self.lower.device], rail[self.upper.device]
        return np.where(lower >= 0, lower, upper)

    @property
    def link_gbps(self) -> npt.NDArray[np.int32]:
        """The rate of every link in Gb/s, one direction, shape (links,)."""
        return self.network.rate_gbps

    def _digit(self, axis: str) -> Rows:
        """Return the coordinate of every device on an axis, -1 of devices without it, shape (devices,)."""
        return np.concatenate([_digits_of(group, axis) for group in self.network.groups])


def _digits_of(group: Devices, axis: str) -> Rows:
    """Return the coordinate of every device of a group on an axis, -1 without it, shape (devices of the group,)."""
    found = (digits for name, digits in group.coordinates().items() if axis_label(name) == axis)
    return next(found, np.full(group.count, -1, np.int64))
