"""The structure of a discovered fabric: its tiers, planes, rails, units and pods, from its cables alone.

Every number is what most devices show, so that single wrong or missing cables do not change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.discovery.chassis import count_outer_ports
from fabric.discovery.discovery import Discovery
from fabric.discovery.graph import Graph, components, modal, read_graph

__all__ = ["Structure", "Tier", "find_structure"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tier:
    """The switches of one tier, and the links below them."""

    switches: int
    """The number of switches."""
    models: tuple[tuple[str, int], ...]
    """The models with the number of each, the commonest first."""
    ports: int
    """The ports of a switch: as the files say, at least those in use on the fullest."""
    used: tuple[int, int]
    """The fewest and the most ports in use."""
    links: int
    """The links to the tier below, of hosts for the first."""
    parallel: int
    """The links of most pairs of a switch and a device below it."""
    rate_gbps: float
    """The rate of most links below in Gb/s, NaN where the files do not say."""


@dataclass(frozen=True)
class Structure:
    """What a discovered fabric is; numbers are those that most devices show."""

    tiers: tuple[Tier, ...]
    """The tiers from the hosts upward."""
    hosts: int
    """The hosts that have a cable to a leaf, but for those of less than half the links of most, such as managers."""
    adapters: int
    """The links of a host over the planes: its NICs."""
    planes: int
    """The planes that each NIC joins."""
    rails: int
    """The leaves of a unit on one plane, over which the NICs of each of its hosts spread."""
    rails_meet: int
    """The tier at which rails meet; 0 where they never do, 1 where there is one."""
    units: int
    """The sets of leaves that share hosts."""
    unit_hosts: tuple[int, int]
    """The fewest and the most hosts of a unit."""
    pods: int
    """The sets of units that share spines; 1 on two tiers or fewer."""
    pod_units: tuple[int, int]
    """The fewest and the most units of a pod."""
    groups: int
    """The sets of cores on a plane that the spines of a pod are divided over; 1 on fewer than three tiers."""
    spines: int
    """The spines of a pod, plane and group, of a rail where rails meet above; 0 on one tier."""
    cores: int
    """The cores of a group; 0 on fewer than three tiers."""
    same_tier: int
    """The links between switches of one tier."""
    switch_rates: npt.NDArray[np.float64]
    """The rate of each link between switches that has one, in Gb/s."""
    unit_of: Ints
    """The unit of each leaf and host, by its least leaf; -1 of other nodes, shape (nodes,)."""
    guessed: bool
    """Whether what is a switch was guessed by the number of cables, since the files do not say."""
    graph: Graph
    """The graph that this was read from."""

    @property
    def is_clos(self) -> bool:
        """Whether almost all links between switches lead from a tier to the next."""
        between = sum(tier.links for tier in self.tiers[1:])
        return self.same_tier * 20 <= between + self.same_tier


def find_structure(found: Discovery) -> Structure:
    """Return the structure of a discovered fabric."""
    graph = read_graph(found)
    tier = graph.tier
    above = (tier[graph.lower] + 1 == tier[graph.upper]) & graph.is_switch[graph.lower]
    to_host = ~graph.is_switch[graph.lower] & (tier[graph.upper] == 1)
    top = int(tier.max(initial=0))
    served = to_host & _is_server(graph, to_host)
    hosts, leaves = graph.lower[served], graph.upper[served]
    unit_of = _shared(hosts, leaves, graph.nodes)
    sets, parts = [unit_of], []
    for level in range(1, top):
        rows = above & (tier[graph.lower] == level)
        group = _shared(graph.lower[rows], graph.upper[rows], graph.nodes)
        sets.append(group)
        parts.append((graph.lower[rows], group[graph.upper[rows]]))
    whole = _parts_of(graph.nodes, sets[1:], parts)
    planes, apart = _planes(whole, graph.lower_device[served], leaves)
    host_unit = _majority(hosts, unit_of[leaves], graph.nodes)
    units, counts = np.unique(host_unit[host_unit >= 0], return_counts=True)
    is_leaf = tier == 1
    rails = max(1, modal(np.unique(unit_of[is_leaf], return_counts=True)[1]) // planes)
    pods, pod_units = _pods(sets, parts, unit_of, units, graph.nodes)
    spine_sets = len(np.unique(sets[1][tier == 2])) if top > 1 else 0
    per_pod = max(1, round(spine_sets / (pods * planes)))
    core_sets = np.unique(sets[2][tier == 3], return_counts=True) if top > 2 else (np.zeros(0), np.zeros(0, np.int64))
    groups = max(1, len(core_sets[0]) // planes) if top > 2 else 1
    set_sizes = np.unique(sets[1][tier == 2], return_counts=True)[1] if top > 1 else np.zeros(0, np.int64)
    return Structure(
        tiers=tuple(_tier(found, graph, level, above, to_host) for level in range(1, top + 1)),
        hosts=len(np.unique(hosts)),
        adapters=modal(np.bincount(hosts)[np.unique(hosts)]) // planes if len(hosts) else 0,
        planes=planes,
        rails=rails,
        rails_meet=_meeting(rails, apart, per_pod, top),
        units=len(units),
        unit_hosts=_range(counts),
        pods=pods,
        pod_units=pod_units,
        groups=groups,
        spines=modal(set_sizes) // groups,
        cores=modal(core_sets[1]),
        same_tier=int(np.sum(graph.is_switch[graph.lower] & (tier[graph.lower] == tier[graph.upper]))),
        switch_rates=_known_rates(found, graph.cable[graph.is_switch[graph.lower]]),
        unit_of=np.where(host_unit >= 0, host_unit, unit_of),
        guessed=graph.guessed,
        graph=graph,
    )


def _is_server(graph: Graph, to_host: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of each cable whether its lower end is a host with at least half the links that most have."""
    links = np.bincount(graph.lower[to_host], minlength=graph.nodes)
    found: npt.NDArray[np.bool_] = (links * 2 >= modal(links[links > 0]))[graph.lower]
    return found


def _meeting(rails: int, apart: int, sets_of_pod: int, top: int) -> int:
    if rails == 1 and apart == 1:
        return 1
    if apart > 1:
        return 0
    return 3 if sets_of_pod > 1 and top > 2 else 2


def _range(counts: npt.NDArray[np.integer]) -> tuple[int, int]:
    return (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)


def _shared(lower: Ints, upper: Ints, nodes: int) -> Ints:
    """Return the set of each upper node: those that most of their lower nodes have in common, by the least; else -1.

    Two are in a set when at least half of the lower nodes of one have both, one right after the other in order.
    """
    pairs = np.unique(np.column_stack((lower, upper)), axis=0)
    degree = np.bincount(pairs[:, 1], minlength=nodes)
    follow = np.flatnonzero(pairs[1:, 0] == pairs[:-1, 0])
    beside, counts = np.unique(np.column_stack((pairs[follow, 1], pairs[follow + 1, 1])), axis=0, return_counts=True)
    strong = counts * 2 >= np.minimum(degree[beside[:, 0]], degree[beside[:, 1]])
    label = components(nodes, beside[strong, 0], beside[strong, 1])
    result = np.full(nodes, -1)
    result[upper] = label[upper]
    return result


def _majority(node: Ints, value: Ints, nodes: int) -> Ints:
    """Return the value that most rows of each node have; -1 of a node without rows."""
    pairs, counts = np.unique(np.column_stack((node, value)), axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    result = np.full(nodes, -1)
    result[pairs[order, 0]] = pairs[order, 1]
    return result


def _parts_of(nodes: int, sets: list[Ints], parts: list[tuple[Ints, Ints]]) -> Ints:
    """Return the part of the fabric that each switch is in when hosts are left out, by majorities of links."""
    one, two = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for group, (lower, upper_set) in zip(sets, parts, strict=True):
        members = np.flatnonzero(group >= 0)
        one.append(members)
        two.append(group[members])
        most = _majority(lower, upper_set, nodes)
        below = np.flatnonzero(most >= 0)
        one.append(below)
        two.append(most[below])
    return components(nodes, np.concatenate(one), np.concatenate(two))


def _planes(whole: Ints, device: Ints, leaves: Ints) -> tuple[int, int]:
    """Return the planes that each adapter joins, and the parts of a plane that only hosts join: rails apart."""
    parts = np.unique(whole[leaves])
    pairs = np.unique(np.column_stack((device, whole[leaves])), axis=0)
    planes = max(1, modal(np.unique(pairs[:, 0], return_counts=True)[1]))
    if len(parts) % planes:
        planes = 1
    return planes, max(1, len(parts) // planes)


def _pods(
    sets: list[Ints], parts: list[tuple[Ints, Ints]], unit_of: Ints, units: Ints, nodes: int
) -> tuple[int, tuple[int, int]]:
    """Return the number of pods, and the fewest and most units of one."""
    if len(sets) < 3:
        return 1, (len(units), len(units))
    lower, upper_set = parts[0]
    most = _majority(lower, upper_set, nodes)
    leaves = np.flatnonzero((most >= 0) & (unit_of >= 0))
    label = components(nodes, unit_of[leaves], most[leaves])
    found, counts = np.unique(label[units], return_counts=True)
    return len(found), _range(counts)


def _tier(found: Discovery, graph: Graph, level: int, above: Ints, to_host: Ints) -> Tier:
    """Return what the switches of a tier are and have below."""
    switches = np.flatnonzero(graph.tier == level)
    below = (to_host if level == 1 else above) & (graph.tier[graph.upper] == level)
    ends = np.concatenate([graph.lower, graph.upper])
    used = np.bincount(ends, minlength=graph.nodes)[switches]
    devices = np.flatnonzero((graph.node >= 0) & (graph.tier[np.maximum(graph.node, 0)] == level))
    names, counts = np.unique([found.models[device] for device in devices.tolist()], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    _, parallel = np.unique(np.column_stack((graph.lower[below], graph.upper[below])), axis=0, return_counts=True)
    rates = _known_rates(found, graph.cable[below])
    return Tier(
        switches=len(switches),
        models=tuple((str(names[place]), int(counts[place])) for place in order.tolist() if names[place]),
        ports=max(int(_ports(found, graph)[devices].max(initial=0)), int(used.max(initial=0))),
        used=_range(used),
        links=int(below.sum()),
        parallel=modal(parallel),
        rate_gbps=_most(rates),
    )


def _ports(found: Discovery, graph: Graph) -> Ints:
    """Return the ports for cables of each device, of a chassis at its first chip."""
    if not (graph.chassis >= 0).any():
        return found.ports.astype(np.int64)
    ports = count_outer_ports(found, graph.chassis)
    later = (graph.chassis >= 0) & (graph.chassis != np.arange(found.devices))
    return np.where(later, 0, ports)


def _known_rates(found: Discovery, cables: Ints) -> npt.NDArray[np.float64]:
    rates = found.rate_gbps[cables]
    return rates[~np.isnan(rates)]


def _most(rates: npt.NDArray[np.float64]) -> float:
    if not len(rates):
        return float("nan")
    values, counts = np.unique(rates, return_counts=True)
    return float(values[np.argmax(counts)])
