"""The nodes of a fabric and the two ends of every link as text, batch by batch, for files with a line for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fabric.export.text_lines import BATCH

if TYPE_CHECKING:
    import numpy.typing as npt

    from fabric.export.plan import Plan

__all__ = ["CableEnds", "Node", "list_cable_ends", "list_nodes"]


class Node(NamedTuple):
    """A host or a switch."""

    name: str
    """Its name."""
    role: str
    """Its role in the fabric."""
    is_switch: bool
    """Whether it is a switch."""


class CableEnds(NamedTuple):
    """Some links in the order of the network, and the names at their ends; `a` is the lower end."""

    links: npt.NDArray[np.int64]
    """The rows of the links, shape (links,)."""
    a_name: list[str]
    """The name of each lower host or switch."""
    a_port: list[str]
    """The name of its port."""
    b_name: list[str]
    """The name of each upper switch."""
    b_port: list[str]
    """The name of its port."""


def list_nodes(plan: Plan) -> list[Node]:
    """Return the hosts, then the switches."""
    roles = [group.role for group in plan.network.groups]
    role = plan.network.role
    at_hosts = (roles[each] for each in role[plan.hosts.device].tolist())
    found = [Node(name, where, False) for name, where in zip(plan.hosts.names, at_hosts, strict=True)]
    rows = np.flatnonzero(plan.is_switch).tolist()
    return [*found, *(Node(plan.device_names[row], roles[role[row]], True) for row in rows)]


def list_cable_ends(plan: Plan, ports: Mapping[str, str] | None = None) -> Iterator[CableEnds]:
    """Yield the ends of all links; `ports` has other names for ports."""
    devices, hosts = plan.device_names, plan.hosts.names
    lower, upper = ([(ports or {}).get(name, name) for name in end.names] for end in (plan.lower, plan.upper))
    for start in range(0, plan.network.links, BATCH):
        rows = np.arange(start, min(start + BATCH, plan.network.links))
        ends = zip(plan.host[rows].tolist(), plan.lower.device[rows].tolist(), strict=True)
        yield CableEnds(
            rows,
            [devices[device] if host < 0 else hosts[host] for host, device in ends],
            [lower[each] for each in plan.lower.name[rows].tolist()],
            [devices[each] for each in plan.upper.device[rows].tolist()],
            [upper[each] for each in plan.upper.name[rows].tolist()],
        )
