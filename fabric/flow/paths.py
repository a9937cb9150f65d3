"""A shortest path between two GPUs, device by device: by arithmetic on tiers, by a search over wires."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, whole
from fabric.flow.tiered_router import TieredRouter
from fabric.network import Devices
from fabric.network.expand import lay_devices
from fabric.topology.graph_form import GraphForm
from fabric.topology.switch_graph import Graph, graph_of
from fabric.topology.topology import PLANE
from fabric.units import count

__all__ = ["crosses", "shortest_path"]

Rows = npt.NDArray[np.int64]


def shortest_path(blueprint: Blueprint, source: int, target: int) -> tuple[str, ...]:
    """Return the names of the devices on a shortest path from one GPU's NIC to another's, both servers included.

    GPUs are numbered from 0 through all servers. Of equal paths it is one by the least numbers, in the first plane;
    within a server there is but the server. Where the NICs' rails never meet, the first server crosses to the target's
    by NVLink. Raises InputError for a GPU that there is not, and where no path joins the two.
    """
    ends = _nic(blueprint, source), _nic(blueprint, target)
    first, last = (nic // blueprint.server.nics for nic in ends)
    laid = lay_devices(blueprint)
    if first == last:
        return (laid["server"].name(first),)
    find = _over_wires if isinstance(blueprint.topology, GraphForm) else _by_tiers
    path = find(blueprint, laid, *ends)
    if path is None:
        raise InputError(f"path:{source},{target}: no path of {blueprint.name} joins these two")
    return path


def crosses(blueprint: Blueprint, ends: tuple[int, int]) -> bool:
    """Tell whether a path begins with NVLink: where rails never meet, to the GPU on the rail of the other end."""
    nics = blueprint.server.nics
    first, last = (_nic(blueprint, gpu) for gpu in ends)
    return blueprint.topology.rails_meet_at is None and first // nics != last // nics and first % nics != last % nics


def _nic(blueprint: Blueprint, gpu: int) -> int:
    """Return the NIC that a GPU sends from; raises InputError where there is no such GPU."""
    if not whole(gpu, 0) or gpu >= blueprint.gpus:
        raise InputError(f"GPU {gpu!r:.40}: {blueprint.name} has {count(blueprint.gpus)}, numbered from 0")
    box = blueprint.server
    return gpu // box.gpus * box.nics + gpu % box.gpus * box.nics // box.gpus


def _by_tiers(blueprint: Blueprint, laid: dict[str, Devices], source: int, target: int) -> tuple[str, ...] | None:
    """Climb by the source's places and lanes to the tier where it meets the target's, and go down by those."""
    lattice, nics = TieredRouter(blueprint), blueprint.server.nics
    if blueprint.topology.rails_meet_at is None:
        source = source // nics * nics + target % nics
    ends = [lattice.ends(np.array([nic])) for nic in (source, target)]
    turn = int(lattice.turn(*ends)[0])
    if turn > blueprint.tiers:
        return None
    lanes = ({axis: int(value[0]) for axis, value in end.lanes.items()} for end in ends)
    places = (laid["server"].digits(nic // nics) for nic in (source, target))
    digits = [place | lane for place, lane in zip(places, lanes, strict=True)]
    roles = [group.role for group in blueprint.topology.groups]
    up = [laid[role].name(laid[role].row(digits[0])) for role in roles[: turn + 1]]
    down = [laid[role].name(laid[role].row(digits[1])) for role in roles[:turn]]
    return (*up, *reversed(down))


def _over_wires(blueprint: Blueprint, laid: dict[str, Devices], source: int, target: int) -> tuple[str, ...] | None:
    """Search the switches of one plane, and the NICs where servers pass traffic on."""
    form, sizes = blueprint.topology, blueprint.sizes
    assert isinstance(form, GraphForm)
    graph = graph_of(form, sizes)
    switch = np.concatenate([wire.pairs(sizes)[1] + first for wire, first in _hosts(blueprint, form)])
    nic = np.tile(np.arange(blueprint.servers * blueprint.server.nics), max(1, form.routing.nic_levels))
    kept = np.ones(len(nic), bool) if form.routing.server_relay else (nic == source) | (nic == target)
    way = _search(graph, graph.switches + nic[kept], switch[kept], graph.switches + source, graph.switches + target)
    if way is None:
        return None
    return tuple(_name(blueprint, laid, vertex, graph.switches) for vertex in way)


def _hosts(blueprint: Blueprint, form: GraphForm) -> list[tuple[Any, int]]:
    """Return the servers' wires, each with the first vertex of the switches that it leads to."""
    firsts, total = {}, 0
    for group in form.switch_groups:
        firsts[group.role] = total
        total += blueprint.devices(group.role) // (blueprint.sizes[PLANE] if PLANE in group.axes else 1)
    return [(wire, firsts[wire.upper.role]) for wire in form.host_patterns]


def _search(graph: Graph, nics: Rows, switches: Rows, source: int, target: int) -> list[int] | None:
    """Return the vertices of a shortest path: breadth first, all arcs at once for each further link."""
    tails = np.concatenate([graph.tails, nics, switches])
    heads = np.concatenate([graph.heads, switches, nics])
    before = np.full(int(max(tails.max(), heads.max(), target)) + 1, -1, np.int64)
    before[source], new = source, True
    while before[target] < 0 and new:
        step = np.flatnonzero((before[tails] >= 0) & (before[heads] < 0))
        new = bool(len(step))
        # Of several that lead to one vertex the least comes last, and so stays.
        step = step[np.argsort(-tails[step], kind="stable")]
        before[heads[step]] = tails[step]
    if before[target] < 0:
        return None
    way = [target]
    while way[-1] != source:
        way.append(int(before[way[-1]]))
    return way[::-1]


def _name(blueprint: Blueprint, laid: dict[str, Devices], vertex: int, switches: int) -> str:
    """Return the name of a vertex: of a NIC its server's, of a switch its own in the first plane."""
    if vertex >= switches:
        return laid["server"].name((vertex - switches) // blueprint.server.nics)
    for role in blueprint.topology.roles:
        planes = blueprint.sizes[PLANE] if PLANE in laid[role].axes else 1
        if vertex < laid[role].count // planes:
            return laid[role].name(laid[role].first + vertex * planes)
        vertex -= laid[role].count // planes
    raise IndexError(f"vertex {vertex} is no switch")
