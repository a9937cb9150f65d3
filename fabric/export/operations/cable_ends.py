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
    """Return the hosts, then the switches, of what is written of the plan."""
    roles = [group.role for group in plan.network.groups]
    role = plan.network.role
    hosts = np.flatnonzero(plan.written_devices[plan.hosts.device])
    at_hosts = role[plan.hosts.device[hosts]].tolist()
    found = [Node(plan.hosts.names[host], roles[at], False) for host, at in zip(hosts.tolist(), at_hosts, strict=True)]
    rows = np.flatnonzero(plan.is_switch & plan.written_devices).tolist()
    return [*found, *(Node(plan.device_names[row], roles[role[row]], True) for row in rows)]


def list_cable_ends(plan: Plan, ports: Mapping[str, str] | None = None) -> Iterator[CableEnds]:
    """Yield the ends of all links that are written; `ports` has other names for ports."""
    devices, hosts = plan.device_names, plan.hosts.names
    lower, upper = ([(ports or {}).get(name, name) for name in end.names] for end in (plan.lower, plan.upper))
    links = np.flatnonzero(plan.written_links)
    for start in range(0, len(links), BATCH):
        rows = links[start : start + BATCH]
        ends = zip(plan.host[rows].tolist(), plan.lower.device[rows].tolist(), strict=True)
        yield CableEnds(
            rows,
            [devices[device] if host < 0 else hosts[host] for host, device in ends],
            [lower[each] for each in plan.lower.name[rows].tolist()],
            [devices[each] for each in plan.upper.device[rows].tolist()],
            [upper[each] for each in plan.upper.name[rows].tolist()],
        )
