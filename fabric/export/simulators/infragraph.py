"""The fabric as an InfraGraph document (github.com/keysight/infragraph): devices, their parts, and the links between.

The devices of a role are instances of one device: a server with GPUs and NICs, a switch with a chip and its ports.
Links that go on at the next device, or at the next port, such as those of all servers of a unit to one leaf, are one
edge of slices, which the library expands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import Server
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat
from fabric.export.text_lines import BATCH

__all__ = ["INFRAGRAPH"]

Rows = npt.NDArray[np.int64]

ASIDE, ALONG = 1, 2
"""How a link goes on after the one before it: at the next device, or at the next port of the same one."""

EDGE = (
    '{{"ep1": {{"instance": "{}[{}]", "component": "{}[{}]"}},'
    ' "ep2": {{"instance": "{}[{}]", "component": "{}[{}]"}}, "scheme": "one2one", "link": "{}"}}'
)
"""An edge between slices of two instances: their names, and those of their components, with their indices."""


def _write(plan: Plan) -> Iterator[str]:
    """Yield the document as JSON, piece by piece."""
    blueprint, network = plan.blueprint, plan.network
    bundles = zip(network.bundles, network.bundle_gbps, strict=True)
    head = {
        "name": _name(blueprint.name),
        "description": str(blueprint),
        "devices": [*_list_devices(plan)],
        "links": [_link(name, "gigabits_per_second", gbps) for name, gbps in bundles],
        "instances": [
            {"name": _name(group.role), "device": _name(group.role), "count": group.count} for group in network.groups
        ],
    }
    yield json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "edges": [\n'
    yield from _write_edges(plan)
    yield " ]\n}\n"


def _name(text: str) -> str:
    """Return a name without the characters that InfraGraph's endpoints use."""
    return "".join("-" if letter in ".[]:" else letter for letter in text)


def _link(name: str, unit: str, bandwidth: float) -> dict[str, Any]:
    return {"name": _name(name), "physical": {"bandwidth": {"choice": unit, unit: bandwidth}}}


def _list_devices(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the device of each role."""
    blueprint, network = plan.blueprint, plan.network
    for number, group in enumerate(network.groups):
        if group.role in blueprint.servers_by_role:
            yield _describe_server(group.role, blueprint.servers_by_role[group.role])
            continue
        ends = ((network.lower, network.lower_port), (network.upper, network.upper_port))
        most = [int(port[network.role[device] == number].max(initial=0)) for device, port in ends]
        yield _describe_switch(blueprint, group.role, max(most) + 1)


def _describe_switch(blueprint: Blueprint, role: str, ports: int) -> dict[str, Any]:
    """Return a switch or an appliance of this many ports, each joined to one chip."""
    known = role in blueprint.topology.roles
    models = [model.name for model, _ in blueprint.model_counts(role)] if known else [role]
    return {
        "name": _name(role),
        "description": " + ".join(models),
        "components": [_component("chip", 1, "switch"), _component("port", ports, "port")],
        "links": [{"name": "internal"}],
        "edges": [_inner("chip[0]", f"port[0:{ports}]", "internal")],
    }


def _describe_server(role: str, server: Server) -> dict[str, Any]:
    """Return a server: its NICs by PCIe at the GPUs that use them, or at its CPU, and its GPUs at an NVLink switch."""
    nics = server.cards_total
    parts, links = [_component("nic", nics, "nic")], [{"name": "pcie"}]
    if not server.gpus:
        parts.append(_component("cpu", 1, "cpu"))
        edges = [_inner("cpu[0]", f"nic[0:{nics}]", "pcie")]
    else:
        parts.append(_component("gpu", server.gpus, "xpu"))
        pairs = {(gpu, gpu * nics // server.gpus) for gpu in range(server.gpus)}
        pairs |= {(nic * server.gpus // nics, nic) for nic in range(nics)}
        edges = [_inner(f"gpu[{gpu}]", f"nic[{nic}]", "pcie") for gpu, nic in sorted(pairs)]
    if server.gpus > 1 and server.nvlink_GBps is not None:
        parts.append(_component("nvswitch", 1, "switch"))
        links.append(_link("nvlink", "gigabytes_per_second", server.nvlink_GBps))
        edges.append(_inner("nvswitch[0]", f"gpu[0:{server.gpus}]", "nvlink"))
    return {"name": _name(role), "description": server.name, "components": parts, "links": links, "edges": edges}


def _component(name: str, count: int, kind: str) -> dict[str, Any]:
    return {"name": name, "count": count, "choice": kind}


def _inner(one: str, other: str, link: str) -> dict[str, Any]:
    """Return an edge within a device, between all of both slices."""
    return {"ep1": {"component": one}, "ep2": {"component": other}, "scheme": "many2many", "link": link}


def _write_edges(plan: Plan) -> Iterator[str]:
    """Yield the edges of the links, each run of links that go on alike as one."""
    network, servers = plan.network, plan.blueprint.servers_by_role
    order = np.lexsort((network.upper_port, network.upper, network.bundle))
    role, first = network.role, np.array([group.first for group in network.groups])
    is_server = np.array([group.role in servers for group in network.groups])
    lower, upper, bundle = (column[order].astype(np.int64) for column in (network.lower, network.upper, network.bundle))
    port, upper_port = (column[order].astype(np.int64) for column in (network.lower_port, network.upper_port))
    per_nic = plan.blueprint.planes // plan.blueprint.server.cards
    part = np.where(is_server[role[lower]], port // per_nic, port)
    starts = _find_runs(bundle, lower, part, upper, upper_port)
    sizes = np.diff(np.append(starts, len(order)))
    aside = np.append(lower[1:] != lower[:-1], False)[starts]
    names = [_name(group.role) for group in network.groups]
    columns = (
        [names[each] for each in role[lower[starts]].tolist()],
        _slices(lower[starts] - first[role[lower[starts]]], np.where(aside, sizes, 1)),
        ["nic" if each else "port" for each in is_server[role[lower[starts]]].tolist()],
        _slices(part[starts], np.where(aside, 1, sizes)),
        [names[each] for each in role[upper[starts]].tolist()],
        _slices(upper[starts] - first[role[upper[starts]]], np.ones_like(sizes)),
        ["port"] * len(starts),
        _slices(upper_port[starts], sizes),
        [_name(network.bundles[each]) for each in bundle[starts].tolist()],
    )
    for start in range(0, len(starts), BATCH):
        last = start + BATCH >= len(starts)
        lines = map(EDGE.format, *(column[start : start + BATCH] for column in columns))
        yield ",\n".join(lines) + ("\n" if last else ",\n")


def _find_runs(bundle: Rows, lower: Rows, part: Rows, upper: Rows, upper_port: Rows) -> Rows:
    """Return the first link of each run to ports in a row, each link at the next device, or each at the next part."""
    if not len(bundle):
        return np.zeros(0, np.int64)
    follows = (np.diff(bundle) == 0) & (np.diff(upper) == 0) & (np.diff(upper_port) == 1)
    aside, along = (np.diff(lower) == 1) & (np.diff(part) == 0), (np.diff(lower) == 0) & (np.diff(part) == 1)
    code = np.append(0, np.where(follows & aside, ASIDE, np.where(follows & along, ALONG, 0)))
    before = np.append(0, code[:-1])
    # A link that does not follow begins a run, and so does one that goes on otherwise than its run.
    return np.flatnonzero((code == 0) | (before != 0) & (code != before))


def _slices(first: Rows, sizes: Rows) -> list[str]:
    """Return slices of Python: `3`, or `0:32`."""
    pairs = zip(first.tolist(), sizes.tolist(), strict=True)
    return [f"{start}" if size == 1 else f"{start}:{start + size}" for start, size in pairs]


INFRAGRAPH = PlanFormat(
    "infragraph",
    (),
    "InfraGraph",
    "servers, GPUs, NICs, switches, ports, links with rates",
    lambda plan: iter([("infragraph.json", _write(plan))]),
    witness=Witness("run", "InfraGraph 3.1"),
)
"""The format of InfraGraph."""
