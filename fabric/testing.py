"""A checker for families, ours and third parties': closed forms against the expansion, and that against networkx."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import bisection_gbps, hops, metrics_of
from fabric.catalog import Server, Switch
from fabric.network import Network
from fabric.network.expand import expand
from fabric.topology.family import Family
from fabric.topology.topology import PLANE, Topology

__all__ = ["check_blueprint", "check_family", "random_blueprint"]

GBPS = 100
MOST, MOST_SERVERS = 3, 81
"""The largest random size of an axis, and the most servers: small enough for networkx, but uneven."""


def check_family(family: Family, trials: int = 10, seed: int = 0) -> None:
    """Check every form of `family` on `trials` random small sizes each.

    Raises AssertionError saying which truth fails and on which sizes (see `check_blueprint`).
    """
    random = Random(seed)
    for form in family.forms:
        for _ in range(trials):
            check_blueprint(random_blueprint(form, random))


def random_blueprint(topology: Topology, random: Random) -> Blueprint:
    """Return a blueprint of `topology` with random small sizes, servers in some of its places from the first on."""
    capacity = MOST_SERVERS + 1
    while capacity > MOST_SERVERS:
        sizes = topology.random_sizes(random, MOST)
        nics = math.prod(sizes[axis] for axis in topology.rail_axes) * sizes[topology.bundles[0].name]
        capacity = topology.capacity(topology.complete_sizes(sizes, nics, 0))
    servers = random.randint(1, capacity)
    server = Server("any", gpus=nics, nics=nics, nic_gbps=GBPS * sizes[PLANE], nvlink_GBps=100)
    models = dict.fromkeys(topology.roles, Switch("any", ports=10**4, rate_gbps=GBPS))
    full = topology.complete_sizes(sizes, nics, servers)
    return Blueprint("random", topology, full, models, server, servers * nics, GBPS)


def check_blueprint(blueprint: Blueprint) -> None:
    """Check that one blueprint's closed forms are what its expansion has.

    Devices and links per group and bundle; ports, each used once and within what the group declares; links spread
    evenly; hops, largest and mean, against a breadth-first search; bisection against a maximum flow.
    """
    network = expand(blueprint)
    for truth, closed, laid in _truths(blueprint, network):
        assert closed == laid, (
            f"{truth}: {closed} in closed form, {laid} laid out; {blueprint.topology.text}, {blueprint.sizes}"
        )


def _truths(blueprint: Blueprint, network: Network) -> Iterator[tuple[str, Any, Any]]:
    form = blueprint.topology
    yield "devices", {g.role: blueprint.devices(g.role) for g in form.groups}, {g.role: g.count for g in network.groups}
    yield "links", {bundle.name: blueprint.links(bundle) for bundle in form.bundles}, dict(network.counts())
    yield "ports used twice", 0, _ports_used_twice(network)
    for group in network.groups:
        most = max(ports for count, ports in blueprint.port_fills(form.group(group.role)) if count)
        yield f"most ports of a {group.role}", most, max(_degrees(network, group.first, group.count), default=0)
        limit = blueprint.ports_down(group.role) + blueprint.ports_up(group.role)
        yield f"ports of a {group.role} within {limit}", True, _highest_port(network, group.first, group.count) < limit
    for number, bundle in enumerate(form.bundles):
        per_pair = _links_per_pair(network, number)
        if bundle.uniform:
            yield f"parallel links of {bundle.name}", {blueprint.sizes[bundle.name]}, set(per_pair)
        mean = sum(per_pair) / len(per_pair) if per_pair else 0
        yield f"mean links per pair of {bundle.name}", metrics_of(blueprint).links_per_pair(bundle), mean
    counted = _with_hop_servers(blueprint)
    levels = form.routing.nic_levels or 1
    yield "hops", (hops(counted).max, round(hops(counted).mean, 9)), searched_hops(expand(counted), levels)
    flow, bisection = maximum_flow(network), bisection_gbps(blueprint)
    if form.balanced_bundles:
        yield f"bisection within {bisection}", True, flow <= bisection
    else:
        yield "bisection", bisection, flow


def _with_hop_servers(blueprint: Blueprint) -> Blueprint:
    """Return the blueprint with the servers between which its topology counts hops."""
    servers = blueprint.topology.hop_servers(blueprint.sizes)
    return replace(blueprint, sizes={**blueprint.sizes, blueprint.topology.servers_name: servers})


def _degrees(network: Network, first: int, count: int) -> list[int]:
    return [int(degree) for degree in network.degrees()[first : first + count]]


def _ports_used_twice(network: Network) -> int:
    ends = np.concatenate(
        [np.stack([network.lower, network.lower_port]), np.stack([network.upper, network.upper_port])], 1
    )
    return int(ends.shape[1] - np.unique(ends, axis=1).shape[1])


def _highest_port(network: Network, first: int, count: int) -> int:
    below = (network.lower >= first) & (network.lower < first + count)
    above = (network.upper >= first) & (network.upper < first + count)
    return int(max(network.lower_port[below].max(initial=0), network.upper_port[above].max(initial=0)))


def _links_per_pair(network: Network, bundle: int) -> list[int]:
    """Return the links of each joined pair of devices."""
    mask = network.bundle == bundle
    lower, upper = network.lower[mask], network.upper[mask]
    ends = zip(np.minimum(lower, upper).tolist(), np.maximum(lower, upper).tolist(), strict=True)
    return list(Counter(ends).values())


def searched_hops(network: Network, levels: int = 1) -> tuple[int, float]:
    """Return the largest and the mean number of switches between joined NIC ports of different servers, by search.

    `levels` ports next to each other are one, which passes traffic on, and then counts as a switch does.
    """
    import networkx as nx

    graph, ports = nx.Graph(), set()
    columns = (network.lower, network.lower_port, network.upper)
    for lower, port, upper in zip(*(column.tolist() for column in columns), strict=True):
        end = (lower, port // levels) if lower < network.server_count else lower
        graph.add_edge(end, upper)
        if isinstance(end, tuple):
            ports.add(end)
    lengths = [
        length - 1
        for source in ports
        for target, length in nx.single_source_shortest_path_length(graph, source).items()
        if target in ports and target[0] != source[0]
    ]
    return (max(lengths), round(sum(lengths) / len(lengths), 9)) if lengths else (0, 0.0)


def maximum_flow(network: Network) -> int:
    """Return the greatest flow in Gb/s from the first half of the servers to the second, by networkx."""
    import networkx as nx

    graph = nx.DiGraph()
    rates = network.rate_gbps.tolist()
    for lower, upper, rate in zip(network.lower.tolist(), network.upper.tolist(), rates, strict=True):
        for tail, head in ((lower, upper), (upper, lower)):
            before = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
            graph.add_edge(tail, head, capacity=before + rate)
    servers = network.server_count
    for server in range(servers):
        graph.add_edge(*(("source", server) if server < servers // 2 else (server, "sink")))
    if servers < 2:
        return 0
    return int(nx.maximum_flow_value(graph, "source", "sink"))
