"""The ports of a plan that have cables, and what discovery tools may call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.export.plan.ends import LinkEnds
from fabric.export.plan.plan import Plan

__all__ = ["PlannedPorts", "list_planned_ports"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlannedPorts:
    """The nodes of a plan, which are its hosts and then its switches, and the port at both ends of every link.

    A slot is a port of a node, numbered alike on all nodes: the port on the panel and the part of it.
    """

    plan: Plan
    """The plan."""
    names: tuple[str, ...]
    """The name of each node, shape (nodes,)."""
    role: Ints
    """The role of each node, an index into the groups of the network, shape (nodes,)."""
    node: Ints
    """The node at the lower and the upper end of each link, shape (links, 2)."""
    slot: Ints
    """The slot at the lower and the upper end of each link, shape (links, 2)."""
    slots: int
    """The number of slots."""
    spellings: tuple[Mapping[str, int], ...]
    """The slot of each name of a port, in lower case, by the role of its node."""

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.names)

    @property
    def hosts(self) -> int:
        """The number of hosts, which are the first nodes."""
        return len(self.plan.hosts)

    @property
    def links(self) -> int:
        """The number of links."""
        return len(self.node)

    @cached_property
    def device(self) -> Ints:
        """The network's row of each node, shape (nodes,)."""
        return np.concatenate([self.plan.hosts.device, np.flatnonzero(self.plan.is_switch)])

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


def list_planned_ports(plan: Plan) -> PlannedPorts:
    """Return the nodes and ports of a plan."""
    network, hosts = plan.network, plan.hosts
    switches = np.flatnonzero(plan.is_switch)
    node_of_switch = np.full(network.devices, -1)
    node_of_switch[switches] = len(hosts) + np.arange(len(switches))
    lower = np.where(plan.host >= 0, plan.host, node_of_switch[plan.lower.device])
    node = np.column_stack((lower, node_of_switch[plan.upper.device]))
    parts = 1 + max(int(each.part.max(initial=0)) for each in (plan.lower, plan.upper))
    places = np.column_stack([each.port * parts + each.part for each in (plan.lower, plan.upper)])
    unique, slot = np.unique(places, return_inverse=True)
    slot = slot.reshape(places.shape)
    role_of = network.role.astype(np.int64)
    role = role_of[np.concatenate([hosts.device, switches])]
    spellings: tuple[dict[str, int], ...] = tuple({} for _ in network.groups)
    for side, ends in enumerate((plan.lower, plan.upper)):
        _add_names(spellings, role[node[:, side]], ends, slot[:, side])
    _add_numbers(spellings, role[node], (plan.lower, plan.upper), slot)
    names = (*hosts.names, *(plan.device_names[row] for row in switches.tolist()))
    return PlannedPorts(plan, names, role, node, slot, len(unique), spellings)


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
