"""The forwarding tables that OpenSM dumps, and the links over which they lead every flow."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.export.infiniband.nodes import list_nodes
from fabric.export.infiniband.subnets import split_subnets
from fabric.export.plan import Plan
from fabric.flow import Phase, Routing, route

SWITCH = re.compile(r"^Unicast lids .* guid 0x([0-9a-f]+)", re.MULTILINE)
ENTRY = re.compile(r"^0x[0-9a-f]+ (\d+) # Channel Adapter portguid 0x([0-9a-f]+)", re.MULTILINE)
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Loads:
    """What every direction of every link carries, up first and then down, shape (2 * links,)."""

    flows: Rows
    """The flows between NICs of different servers."""
    targets: Rows
    """The NICs to which these flows go."""


def load_by_tables(plan: Plan, dump: str) -> Loads:
    """Return the loads where each NIC sends to each of the other servers by the tables of a dump of a lone subnet."""
    nodes, links = list_nodes(plan, split_subnets(plan)), plan.network.links
    rows = {guid: row for row, guid in enumerate(nodes.guid.tolist())}
    ports = int(nodes.ports.max()) + 1
    arc = np.full((len(nodes.names), ports), -1)
    arc[nodes.lower, nodes.lower_port] = np.arange(links)
    arc[nodes.upper, nodes.upper_port] = links + np.arange(links)
    end = np.concatenate([nodes.upper, nodes.lower])
    table = np.full((len(nodes.names), nodes.hcas), -1)
    parts = SWITCH.split(dump)[1:]
    for guid, entries in zip(parts[::2], parts[1::2], strict=True):
        for port, target in ENTRY.findall(entries):
            table[rows[int(guid, 16)], rows[int(target, 16) - 1]] = int(port)
    server = nodes.device[: nodes.hcas]
    source, target = (each.ravel() for each in np.meshgrid(np.arange(nodes.hcas), np.arange(nodes.hcas), indexing="ij"))
    apart = server[source] != server[target]
    source, target = source[apart], target[apart]
    here, paths = source.copy(), []
    step = arc[source, 1]
    while True:
        assert (step >= 0).all(), "a table has no port for a NIC, or one without a cable"
        paths.append(np.where(here == target, 2 * links, step))
        here = np.where(here == target, here, end[step])
        if (here == target).all():
            break
        assert len(paths) < 10, "a flow goes in a circle"
        step = np.where(here == target, 0, arc[here, table[here, target]])
    return _count(np.stack(paths, axis=1), target, links, nodes.hcas)


def load_by_modulo(plan: Plan) -> Loads:
    """Return the loads of the same flows by our destination-mod-k."""
    blueprint = plan.blueprint
    nics = np.arange(blueprint.nics)
    source, target = (each.ravel() for each in np.meshgrid(nics, nics, indexing="ij"))
    each = blueprint.server.nics
    apart = source // each != target // each
    source, target = source[apart], target[apart]
    return _count(route(blueprint, Phase(source, target), Routing("dmodk")).arcs, target, plan.network.links, len(nics))


def _count(arcs: Rows, target: Rows, links: int, nics: int) -> Loads:
    """Count flows and different targets by direction of link; arcs of no link are at the end."""
    flows = np.bincount(arcs.ravel(), minlength=2 * links + 1)[: 2 * links]
    pairs = np.unique(arcs.astype(np.int64) * nics + target[:, None])
    return Loads(flows, np.bincount(pairs // nics, minlength=2 * links + 1)[: 2 * links])
