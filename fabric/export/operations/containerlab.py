"""A laboratory of containers with the same links, for containerlab: FRR on every switch, a Linux host for every server.

The folder has all that it boots with: the file of the laboratory binds the configuration of each switch, and hosts get
their addresses and routes. It is of the form of `schemas/clab.schema.json` of github.com/srl-labs/containerlab.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network

from fabric.errors import TooLarge
from fabric.export.ethernet.addresses import ROUTES
from fabric.export.ethernet.ethernet_plan import EthernetPlan, with_port_names
from fabric.export.ethernet.frr import write_frr
from fabric.export.ethernet.host_commands import list_host_commands
from fabric.export.file_format import Witness
from fabric.export.link_layer import refuse_relays
from fabric.export.operations.cable_ends import list_cable_ends, list_nodes
from fabric.export.operations.interfaces import name_interfaces
from fabric.export.plan import Plan, PlanFormat, PlanText
from fabric.export.text_lines import format_lines
from fabric.units import count
from fabric.view import levels_of, part_axes

__all__ = ["CONTAINERLAB", "check_lab", "count_nodes", "lab_name"]

LAB_NODES = 1_000
"""The most hosts and switches of a laboratory; netlab takes half a minute to make the files of 400."""

SWITCH_IMAGE, HOST_IMAGE = "quay.io/frrouting/frr:10.7.1", "ghcr.io/srl-labs/network-multitool"
"""The images of switches and servers: FRR's as netlab 26.10 has it, and that of containerlab's documents for hosts."""

MANAGEMENT = "192.168.252.0"
"""The first address of the management network, which the plan of addresses (10.0.0.0/8, 172.16.0.0/12) leaves free."""

VTYSH = "vtysh.conf", "service integrated-vtysh-config\n"
"""A file that FRR's shell asks for and the image doesn't have, the same on every switch: its name and its text."""

HASH_PORTS = "sysctl -w net.ipv4.fib_multipath_hash_policy=1"
"""What makes a switch choose among equal paths by ports too, so that flows between two hosts spread."""


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


def _check(plan: Plan) -> None:
    """Raise TooLarge for a fabric too large, and InputError where servers forward, which have no configuration."""
    refuse_relays(plan.blueprint, ROUTES)
    check_lab(plan)


def _list_files(plan: Plan) -> PlanText:
    """Yield the file of the laboratory, then the files that it binds; ports are named in it as in FRR's files."""
    routed = EthernetPlan(with_port_names(plan))
    yield "fabric.clab.yml", _write(routed)
    yield VTYSH[0], iter(VTYSH[1:])
    yield from write_frr(routed)


def _write(routed: EthernetPlan) -> Iterator[str]:
    """Yield the file of the laboratory as YAML."""
    plan = routed.plan
    interfaces, nodes = name_interfaces(plan), list_nodes(plan)
    yield f"name: {json.dumps(lab_name(plan.title))}\n"
    yield f"mgmt:\n  network: {json.dumps(lab_name(plan.title))}\n  ipv4-subnet: {_subnet(len(nodes))}\n"
    yield "topology:\n  nodes:\n"
    commands = list_host_commands(routed, interfaces)
    for node in nodes:
        image = SWITCH_IMAGE if node.is_switch else HOST_IMAGE
        yield f'    "{node.name}":\n      kind: linux\n      image: {image}\n      group: {json.dumps(node.role)}\n'
        if node.is_switch:
            yield from _list_texts("binds", _list_binds(node.name))
        yield from _list_texts("exec", [HASH_PORTS] if node.is_switch else commands.get(node.name, []))
    yield "  links:\n"
    for ends in list_cable_ends(plan, interfaces):
        yield from format_lines('  - endpoints: ["{}:{}", "{}:{}"]', ends.a_name, ends.a_port, ends.b_name, ends.b_port)


def _list_binds(switch: str) -> list[str]:
    """Return the files of a switch, each as its path from the file of the laboratory and its path in the container."""
    own = (f"{switch}/frr.conf", f"{switch}/daemons", VTYSH[0])
    return [f"{file}:/etc/frr/{file.rpartition('/')[2]}:ro" for file in own]


def _list_texts(key: str, texts: list[str]) -> Iterator[str]:
    """Yield a key of a node with a list of texts, where there are any."""
    if texts:
        yield f"      {key}:\n" + "".join(f'      - "{text}"\n' for text in texts)


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
    "hosts, switches, links, addresses, FRR on each switch",
    _list_files,
    _check,
    parts=True,
    folder=True,
    witness=Witness("grammar", "clab.schema.json of containerlab; FRR 8.4.4 boots with its files"),
)
"""The format of containerlab."""
