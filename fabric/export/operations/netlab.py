"""A laboratory with the same links for netlab (netlab.tools): FRR on every switch, a Linux host for every server.

`netlab create` makes the files of containerlab and all addresses from it. Its limits on nodes and names, and its pools
of addresses, are set so that all nodes and links of the file have room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.operations.cable_ends import list_cable_ends, list_nodes
from fabric.export.operations.containerlab import check_lab, lab_name
from fabric.export.operations.interfaces import name_interfaces
from fabric.export.plan import Plan, PlanFormat
from fabric.export.text_lines import format_lines

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NETLAB"]

USUAL_NAME, USUAL_NODES = 16, 150
"""The characters of a name and the nodes that netlab allows unless it is set otherwise; a laboratory's name has no more
characters in any case."""

POOLS = """addressing:
  mgmt: {ipv4: 172.20.0.0/16, start: 100}
  loopback: {ipv4: 10.0.0.0/16}
  router_id: {ipv4: 10.0.0.0/16, prefix: 32}
  p2p: {ipv4: 10.128.0.0/9, prefix: 30}
  lan: {ipv4: 10.64.0.0/10, prefix: 30}
"""
"""Pools with room for all nodes of a laboratory, and for a subnet of each of its links."""

LINK = "- {{{}: {{ifindex: {}, ifname: {}}}, {}: {{ifindex: {}, ifname: {}}}}}"
"""A link: at each end the node, and the number and the name of its interface."""


def _write(plan: Plan) -> Iterator[str]:
    """Yield the file as YAML; the interfaces of a node are numbered from 1, in the order of its links."""
    nodes = list_nodes(plan)
    yield f"name: {json.dumps(_shorten_name(plan))}\nprovider: clab\ndefaults.device: frr\n"
    yield f"defaults.const.MAX_NODE_ID: {max(USUAL_NODES, len(nodes))}\n"
    yield f"defaults.const.MAX_NODE_ID_LENGTH: {max(USUAL_NAME, *(len(node.name) for node in nodes))}\n"
    yield f"{POOLS}nodes:\n"
    devices = ["{}" if node.is_switch else "{device: linux}" for node in nodes]
    yield from format_lines("  {}: {}", [node.name for node in nodes], devices)
    yield "links:\n"
    lower, upper = _number_interfaces(plan)
    for ends in list_cable_ends(plan, name_interfaces(plan)):
        yield from format_lines(
            LINK, ends.a_name, lower[ends.links], ends.a_port, ends.b_name, upper[ends.links], ends.b_port
        )


def _check(plan: Plan) -> None:
    """Raise TooLarge for more nodes than a laboratory has, and InputError for names that netlab does not take."""
    check_lab(plan)
    if wrong := next((node.name for node in list_nodes(plan) if node.name[0].isdecimal()), None):
        raise InputError(
            f"{plan.title}: netlab takes names that begin with a letter, and not '{wrong}'; give others in site.names"
        )


def _shorten_name(plan: Plan) -> str:
    """Return the name of the laboratory as netlab takes it: a letter first, and short, with the numbers of a part."""
    numbers = plan.part.numbers if plan.part else {}
    end = "".join(f"-{word[0]}{number}" for word, number in numbers.items())
    name = lab_name(plan.name)
    name = name if name[0].isalpha() else f"lab-{name}"
    return f"{name[: USUAL_NAME - len(end)].rstrip('-')}{end}"


def _number_interfaces(plan: Plan) -> npt.NDArray[np.int64]:
    """Return the number of the interface at both ends of each link, 0 of those left out, shape (2, links)."""
    links, hosts = np.flatnonzero(plan.written_links), len(plan.hosts)
    lower = np.where(plan.host < 0, hosts + plan.lower.device, plan.host)[links]
    nodes = np.concatenate([lower, hosts + plan.upper.device[links]])
    order = np.lexsort((np.tile(links, 2), nodes))
    _, start, which = np.unique(nodes[order], return_index=True, return_inverse=True)
    own = np.empty(len(nodes), np.int64)
    own[order] = np.arange(len(nodes)) - start[which.reshape(-1)] + 1
    number = np.zeros((2, plan.network.links), np.int64)
    number[:, links] = own.reshape(2, -1)
    return number


NETLAB = PlanFormat(
    "netlab",
    (),
    "netlab",
    "hosts, switches, links",
    lambda plan: iter([("topology.yml", _write(plan))]),
    _check,
    parts=True,
    witness=Witness("run", "netlab 26.10"),
)
"""The format of netlab."""
