"""The wiring diagram of Hedgehog Open Network Fabric: its Kubernetes objects Switch, Server and Connection as YAML.

`api/wiring/v1beta1` of github.com/githedgehog/fabric has the fields; `hhfab` fills in addresses and AS numbers. Ports
are named by Hedgehog's profiles, `E1/<port>` or `E1/<port>/<part>`, and never by an operating system. Switches that are
not joined, those of other planes and rails, are a fabric of their own, in a file of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.link_layer import require_ethernet
from fabric.export.plan import Plan, PlanFormat
from fabric.network.connected_parts import label_parts

__all__ = ["HEDGEHOG"]

Rows = npt.NDArray[np.int64]
Modes = dict[int, list[tuple[int, int, int]]]
"""By the row of a switch its ports in use: the port, its parts, and the rate of a part in Gb/s."""

ROLES = ("server-leaf", "spine")
"""Hedgehog's roles of switches by tier."""

PROFILES = {"sn2201": "nvidia-sn2201", "sn5610": "nvidia-sn5610"}
"""Hedgehog's profile by the model in the catalogue (`pkg/ctrl/switchprofile`), of those that it has."""

LOSSLESS = {"sn5610"}
"""The models whose profile has RoCE among its features; Hedgehog refuses `roce` on others."""

HEAD = """apiVersion: wiring.githedgehog.com/v1beta1
kind: {}
metadata:
  name: {}
  namespace: default
spec:
"""
"""How every object begins."""

VLANS = f"{HEAD.format('VLANNamespace', 'default')}  ranges:\n  - {{from: 1000, to: 2999}}\n"
"""The namespace of VLANs that every switch belongs to, with the range that Hedgehog's documents use."""


def _check(plan: Plan) -> None:
    """Raise InputError for a fabric that is no leaf-spine fabric of Ethernet."""
    require_ethernet(plan.blueprint, "Hedgehog runs those of Ethernet")
    topology = plan.blueprint.topology
    if not topology.layered or len(topology.roles) > len(ROLES):
        raise InputError(
            f"{plan.name}: Hedgehog's fabrics are of leaves and spines, and this is one of {topology.size_label} "
            f"({topology.family})"
        )


def _list_files(plan: Plan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the name and the text of a file for each set of switches that are joined."""
    first = plan.network.group(plan.blueprint.topology.roles[0]).first
    part = label_parts(plan.network, first, plan.blueprint.switches)
    total, modes = int(part.max(initial=0)) + 1, _list_modes(plan)
    for number in range(total):
        name = "wiring.yaml" if total == 1 else f"wiring-{number}.yaml"
        yield name, _write_part(plan, first + np.flatnonzero(part == number), modes)


def _write_part(plan: Plan, switches: Rows, modes: Modes) -> Iterator[str]:
    """Yield the objects of some switches, of the hosts at them, and of their links."""
    links = np.flatnonzero(np.isin(plan.upper.device, switches))
    models = {model.name for row in switches.tolist() if (model := plan.models[row])}
    if missing := sorted(models - PROFILES.keys()):
        yield f"# Hedgehog has no profile of {', '.join(missing)}: add a SwitchProfile of this name.\n"
    yield VLANS
    yield from _write_switches(plan, switches.tolist(), modes)
    hosts = plan.host[links]
    for host in np.unique(hosts[hosts >= 0]).tolist():
        role = plan.network.groups[plan.network.role[plan.hosts.device[host]]].role
        yield f"---\n{HEAD.format('Server', plan.hosts.names[host])}  description: {json.dumps(role)}\n"
    yield from _write_links(plan, links)


def _write_switches(plan: Plan, rows: list[int], modes: Modes) -> Iterator[str]:
    """Yield the object of each switch: lossless where it can be, with the ports split or run below their rate."""
    roles = plan.blueprint.topology.roles
    for row in rows:
        model = plan.models[row]
        assert model is not None
        role = ROLES[roles.index(plan.network.groups[plan.network.role[row]].role)]
        yield f"---\n{HEAD.format('Switch', plan.device_names[row])}  role: {role}\n"
        yield f"  description: {json.dumps(model.title or model.name)}\n"
        yield f"  profile: {json.dumps(PROFILES.get(model.name, model.name))}\n"
        if model.name in LOSSLESS:
            yield "  roce: true\n"
        rates = (model.rate_gbps, model.upward.rate_gbps)
        slower = [each for each in modes.get(row, ()) if each[1] > 1 or each[2] != rates[each[0] > model.ports]]
        if slower:
            yield "  portBreakouts:\n"
            yield from (f'    E1/{port}: "{parts}x{gbps}G"\n' for port, parts, gbps in slower)


def _list_modes(plan: Plan) -> Modes:
    """Return for each switch its ports in use."""
    ends = [
        np.stack([end.device, end.port, end.parts, plan.link_gbps.astype(np.int64)]) for end in (plan.lower, plan.upper)
    ]
    columns = np.concatenate(ends, axis=1)
    modes: Modes = {}
    for row, port, parts, gbps in np.unique(columns[:, plan.is_switch[columns[0]]], axis=1).T.tolist():
        modes.setdefault(row, []).append((port, parts, gbps))
    return modes


def _list_ports(plan: Plan, links: Rows, *, upper: bool) -> list[str]:
    """Return the port of a switch at an end of each link as Hedgehog names it, with the switch."""
    end = plan.upper if upper else plan.lower
    columns = (end.device[links], end.port[links], end.part[links], end.parts[links])
    return [
        f"{plan.device_names[row]}/E1/{port}" + (f"/{part + 1}" if parts > 1 else "")
        for row, port, part, parts in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _write_links(plan: Plan, links: Rows) -> Iterator[str]:
    """Yield an unbundled connection for each link of a host, and a fabric connection for each leaf and spine."""
    links = links[np.lexsort((links, plan.upper.device[links], plan.host[links], plan.lower.device[links]))]
    names = [plan.lower.names[each] for each in plan.lower.name[links].tolist()]
    lower, upper = _list_ports(plan, links, upper=False), _list_ports(plan, links, upper=True)
    keys = (plan.host[links].tolist(), plan.lower.device[links].tolist(), plan.upper.device[links].tolist())
    rows = zip(*keys, lower, upper, names, strict=True)
    for (host, device, switch), same in groupby(rows, key=itemgetter(0, 1, 2)):
        above, ends = plan.device_names[switch], [each[3:] for each in same]
        if host < 0:
            yield f"---\n{HEAD.format('Connection', f'{above}--fabric--{plan.device_names[device]}')}"
            yield "  fabric:\n    links:\n"
            yield from (f"    - spine: {{port: {up}}}\n      leaf: {{port: {down}}}\n" for down, up, _ in ends)
            continue
        for number, (_, up, name) in enumerate(ends):
            again, server = f"--{number + 1}" if len(ends) > 1 else "", plan.hosts.names[host]
            yield f"---\n{HEAD.format('Connection', f'{server}--unbundled--{above}{again}')}"
            yield f"  unbundled:\n    link:\n      server: {{port: {json.dumps(f'{server}/{name}')}}}\n"
            yield f"      switch: {{port: {up}}}\n"


HEDGEHOG = PlanFormat(
    "hedgehog",
    (),
    "Hedgehog Open Network Fabric",
    "switches, split ports, RoCE, servers, connections",
    _list_files,
    _check,
    witness=Witness("grammar", "wiring/v1beta1 of githedgehog/fabric"),
)
"""The format of Hedgehog."""
