"""The ports of a plan that have cables, and what discovery tools may call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fabric.export.plan.ends import LinkEnds
from fabric.export.plan.plan import Plan
from fabric.layout.device_names import list_device_names
from fabric.network.network import axis_label

__all__ = ["PlannedNodes", "PlannedPorts", "list_planned_ports"]

Ints = npt.NDArray[np.int64]


class PlannedNodes(Protocol):
    """What is known of the nodes of a plan beside their cables."""

    placement_axes: frozenset[str]
    """The axes that say where a host is, such as its unit and pod."""

    def aliases(self) -> Iterator[tuple[str, int]]:
        """Yield further names of nodes."""
        ...

    def hardware(self) -> Mapping[str, str]:
        """Return the name of the node of each GUID or address that is known."""
        ...

    def stand(self, node: int) -> tuple[str, int | None]:
        """Return the rack and the rack unit of a node; empty and None where they are not known."""
        ...

    def coordinates(self, node: int) -> dict[str, int]:
        """Return the coordinates of a node by the names of their axes."""
        ...


@dataclass(frozen=True, eq=False)
class PlannedPorts:
    """The nodes of a plan, which are its hosts and then its switches, and the port at both ends of every link.

    A slot is a port of a node, numbered alike on all nodes: the port on the panel and the part of it.
    """

    name: str
    """The name of the plan."""
    names: tuple[str, ...]
    """The name of each node, shape (nodes,)."""
    about: PlannedNodes
    """What else is known of the nodes."""
    hosts: int
    """The number of hosts, which are the first nodes."""
    role: Ints
    """The role of each node, an index into `spellings`, shape (nodes,)."""
    node: Ints
    """The node at the lower and the upper end of each link, shape (links, 2)."""
    slot: Ints
    """The slot at the lower and the upper end of each link, shape (links, 2)."""
    slots: int
    """The number of slots."""
    spellings: tuple[Mapping[str, int], ...]
    """The slot of each name of a port, in lower case, by the role of its node."""
    port_names: tuple[str, ...]
    """The names of ports as people know them."""
    port_name: Ints
    """The index of the name of the port at both ends of each link, shape (links, 2)."""
    bundles: tuple[str, ...]
    """The names of the bundles of links."""
    bundle: Ints
    """The bundle of each link, shape (links,)."""
    rate_gbps: npt.NDArray[np.float64]
    """The rate of each link in Gb/s in one direction, NaN where it is not known, shape (links,)."""
    width: Ints
    """The lanes of each link, -1 where as many are meant as most of its bundle have, shape (links,)."""
    cage: Ints
    """The cage at both ends of each link where it has several ports, -1 at others, shape (links, 2)."""
    is_shared: npt.NDArray[np.bool_]
    """Whether the port at both ends is one at which the plan has several links, shape (links, 2)."""

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.names)

    @property
    def links(self) -> int:
        """The number of links."""
        return len(self.node)

    @cached_property
    def _by_port(self) -> tuple[Ints, Ints]:
        """The number of each planned port, ascending, and the end that it is, 2 x link + side."""
        codes = (self.node * self.slots + self.slot).reshape(-1)
        order = np.argsort(codes)
        return codes[order], order

    def find_ends(self, node: Ints, slot: Ints) -> Ints:
        """Return the end at each port, as 2 x link + side; -1 where the plan has none, of the shape of both."""
        codes, order = self._by_port
        if not len(codes):
            return np.full(node.shape, -1)
        wanted = np.where((node >= 0) & (slot >= 0) & (slot < self.slots), node * self.slots + slot, -1)
        at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        return np.where(codes[at] == wanted, order[at], -1)


class _Nodes:
    """The nodes of a design: hosts and switches."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._device = np.concatenate([plan.hosts.device, np.flatnonzero(plan.is_switch)])
        topology = plan.blueprint.topology
        axes = (axis for group in topology.server_groups for axis in topology.placement_axes(group))
        self.placement_axes = frozenset(map(axis_label, axes))

    @cached_property
    def _racks(self) -> list[str]:
        return self._plan.layout.rack_names()

    def aliases(self) -> Iterator[tuple[str, int]]:
        """Yield the site's names of nodes that are whole devices, and those of the network."""
        plan = self._plan
        whole = np.bincount(self._device, minlength=plan.network.devices) == 1
        for names in (list_device_names(plan.layout, plan.network), plan.network.names()):
            for node, row in enumerate(self._device.tolist()):
                if whole[row]:
                    yield names[row], node

    def hardware(self) -> Mapping[str, str]:
        """Return nothing: a design knows no GUID."""
        return {}

    def stand(self, node: int) -> tuple[str, int | None]:
        """Return the rack and the rack unit."""
        device = int(self._device[node])
        layout = self._plan.layout
        return self._racks[int(layout.device_rack[device])], int(layout.device_unit[device])

    def coordinates(self, node: int) -> dict[str, int]:
        """Return the coordinates in the network."""
        device, network = int(self._device[node]), self._plan.network
        group = network.groups[int(network.role[device])]
        return {axis_label(axis): digit for axis, digit in group.digits(device).items()}


def list_planned_ports(plan: Plan) -> PlannedPorts:
    """Return the nodes and ports of a plan."""
    network, hosts, sides = plan.network, plan.hosts, (plan.lower, plan.upper)
    switches = np.flatnonzero(plan.is_switch)
    node_of_switch = np.full(network.devices, -1)
    node_of_switch[switches] = len(hosts) + np.arange(len(switches))
    lower = np.where(plan.host >= 0, plan.host, node_of_switch[plan.lower.device])
    node = np.column_stack((lower, node_of_switch[plan.upper.device]))
    parts = 1 + max(int(each.part.max(initial=0)) for each in sides)
    places = np.column_stack([each.port * parts + each.part for each in sides])
    unique, slot = np.unique(places, return_inverse=True)
    slot = slot.reshape(places.shape)
    role = network.role.astype(np.int64)[np.concatenate([hosts.device, switches])]
    spellings: tuple[dict[str, int], ...] = tuple({} for _ in network.groups)
    for side, ends in enumerate(sides):
        _add_names(spellings, role[node[:, side]], ends, slot[:, side])
    _add_numbers(spellings, role[node], sides, slot)
    return PlannedPorts(
        name=plan.name,
        names=(*hosts.names, *(plan.device_names[row] for row in switches.tolist())),
        about=_Nodes(plan),
        hosts=len(hosts),
        role=role,
        node=node,
        slot=slot,
        slots=len(unique),
        spellings=spellings,
        port_names=plan.lower.names + plan.upper.names,
        port_name=np.column_stack((plan.lower.name, plan.upper.name + len(plan.lower.names))),
        bundles=network.bundles,
        bundle=network.bundle.astype(np.int64),
        rate_gbps=network.rate_gbps.astype(np.float64),
        width=np.full(network.links, -1),
        cage=_number_cages(plan, node),
        is_shared=np.zeros(node.shape, np.bool_),
    )


def _number_cages(plan: Plan, node: Ints) -> Ints:
    """Return the cage of each planned end of a twin-port switch, -1 of others, shape (links, 2)."""
    per_cage = np.array([
        0 if model is None or not model.cages or model.cages == model.ports else model.ports // model.cages
        for model in plan.models
    ])  # fmt: skip
    found = np.full(node.shape, -1)
    for side, ends in enumerate((plan.lower, plan.upper)):
        twin = per_cage[ends.device] > 1
        cage = (ends.port - 1) // np.maximum(1, per_cage[ends.device])
        found[:, side] = np.where(twin, node[:, side] * (int(cage.max(initial=0)) + 1) + cage, -1)
    return found


def _add_names(spellings: tuple[dict[str, int], ...], role: Ints, ends: LinkEnds, slot: Ints) -> None:
    """Add the names of ports as their vendor writes them."""
    rows = _distinct_rows(role, ends.name, slot)
    for own, name, number in rows.tolist():
        spellings[own].setdefault(ends.names[name].lower(), number)


def _add_numbers(
    spellings: tuple[dict[str, int], ...], role: Ints, ends: tuple[LinkEnds, LinkEnds], slot: Ints
) -> None:
    """Add the numbers of ports as InfiniBand counts them: whole ports, or where any is split all parts."""
    port, part, parts = (np.concatenate([getattr(side, name) for side in ends]) for name in ("port", "part", "parts"))
    rows = _distinct_rows(role.T.reshape(-1), port, part, parts, slot.T.reshape(-1))
    for own in np.unique(rows[:, 0]).tolist():
        mine = rows[rows[:, 0] == own]
        width = int(mine[:, 3].max())
        for _, port_number, part_number, of, number in mine.tolist():
            spellings[own].setdefault(str((port_number - 1) * width + part_number * (width // of) + 1), number)


def _distinct_rows(*columns: Ints) -> Ints:
    """Return the distinct rows of columns of numbers from 0, ascending, shape (rows, columns)."""
    shape = tuple(int(each.max(initial=0)) + 1 for each in columns)
    found = np.unique(np.ravel_multi_index(columns, shape)) if len(columns[0]) else np.zeros(0, np.int64)
    return np.column_stack(np.unravel_index(found, shape))
