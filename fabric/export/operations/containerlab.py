"""A laboratory of containers with the same links, for containerlab: FRR on every switch, a Linux host for every server.

The file is of the form of `schemas/clab.schema.json` of github.com/srl-labs/containerlab. Its management network has
room for all nodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network

from fabric.errors import TooLarge
from fabric.export.file_format import Witness
from fabric.export.operations.cable_ends import list_cable_ends, list_nodes
from fabric.export.operations.interfaces import name_interfaces
from fabric.export.plan import Plan, PlanFormat
from fabric.export.text_lines import format_lines
from fabric.units import count
from fabric.view import levels_of, part_axes

__all__ = ["CONTAINERLAB", "check_lab", "count_nodes", "lab_name"]

LAB_NODES = 1_000
"""The most hosts and switches of a laboratory; netlab takes half a minute to make the files of 400."""

SWITCH_IMAGE, HOST_IMAGE = "quay.io/frrouting/frr:10.7.1", "ghcr.io/srl-labs/network-multitool"
"""The images of switches and servers: FRR's as netlab 26.10 has it, and that of containerlab's documents for hosts."""

MANAGEMENT = "172.20.0.0"
"""The first address of the management network."""


def check_lab(plan: Plan) -> None:
    """Raise TooLarge for more hosts and switches than a laboratory has."""
    if (nodes := count_nodes(plan)) > LAB_NODES:
        finest = levels_of(plan.blueprint)[-2]
        part = f"a part (--{finest} 0), or " if finest in part_axes(plan.blueprint) else ""
        raise TooLarge(
            f"{plan.title}: {count(nodes)} hosts and switches are too many for a laboratory of containers, at most"
            f" {count(LAB_NODES)}; export {part}a smaller fabric of the same form"
        )


def count_nodes(plan: Plan) -> int:
    """Return the hosts and switches to write; of the whole without laying them out."""
    if plan.part:
        return len(list_nodes(plan))
    blueprint = plan.blueprint
    trays = sum(blueprint.devices(role) * server.trays for role, server in blueprint.servers_by_role.items())
    return trays + len(blueprint.appliances) + blueprint.switches


def _write(plan: Plan) -> Iterator[str]:
    """Yield the file as YAML."""
    yield f"name: {json.dumps(lab_name(plan.title))}\n"
    nodes = list_nodes(plan)
    yield f"mgmt:\n  network: {json.dumps(lab_name(plan.title))}\n  ipv4-subnet: {_subnet(len(nodes))}\n"
    yield "topology:\n  nodes:\n"
    images = [SWITCH_IMAGE if node.is_switch else HOST_IMAGE for node in nodes]
    roles = [json.dumps(node.role) for node in nodes]
    yield from format_lines(
        '    "{}": {{kind: linux, image: {}, group: {}}}', [node.name for node in nodes], images, roles
    )
    yield "  links:\n"
    for ends in list_cable_ends(plan, name_interfaces(plan)):
        yield from format_lines('  - endpoints: ["{}:{}", "{}:{}"]', ends.a_name, ends.a_port, ends.b_name, ends.b_port)


def lab_name(title: str) -> str:
    """Return the name of a laboratory: letters, digits and hyphens of that of the fabric."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in title.lower())
    return "-".join(filter(None, kept.split("-"))) or "fabric"


def _subnet(nodes: int) -> str:
    """Return the smallest network with an address for each node, the gateway, and both ends of the range."""
    bits = max(8, (nodes + 3 - 1).bit_length())
    return str(ip_network(f"{MANAGEMENT}/{32 - bits}"))


CONTAINERLAB = PlanFormat(
    "containerlab",
    (),
    "containerlab",
    "hosts, switches, links",
    lambda plan: iter([("fabric.clab.yml", _write(plan))]),
    check_lab,
    parts=True,
    witness=Witness("grammar", "clab.schema.json of containerlab"),
)
"""The format of containerlab."""
