"""Truths about virtual channels: with as many as a family declares, no routes can wait for each other in a ring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count, pairwise
from random import Random
from typing import Any

import networkx as nx
import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.flow.graph_paths import GraphPaths
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import families, family_sets
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Topology

FORMS = [form for name in family_sets()["any"] for form in families()[name].forms]
RANDOM = Random(3)

Route = list[tuple[int, int, str]]
"""The links of a route by their ends, and their bundle."""


def graph_of_switches(plan: Blueprint) -> tuple[nx.Graph, list[int], dict[int, tuple[int, ...]]]:
    """Return the switches with their links' bundles, the leaves, and the place of every switch on its axes."""
    network, graph, place = expand(plan), nx.Graph(), dict[int, tuple[int, ...]]()
    first = network.servers.count
    for group in network.groups[1:]:
        shape = (
            [plan.sizes[axis] for axis in plan.topology.group(group.role).axes]
            if isinstance(plan.topology, GraphForm)
            else []
        )
        for number in range(group.count):
            place[group.first + number] = tuple(map(int, np.unravel_index(number, shape))) if shape else ()
    graph.add_nodes_from(place)
    names = [bundle.name for bundle in plan.topology.bundles]
    for lower, upper, bundle in zip(network.lower, network.upper, network.bundle, strict=True):
        if lower >= first:
            graph.add_edge(int(lower), int(upper), bundle=names[int(bundle)])
    hosts = sorted({int(upper) for lower, upper in zip(network.lower, network.upper, strict=True) if lower < first})
    return graph, hosts, place


def minimal_routes(graph: nx.Graph, ends: set[tuple[int, int]], order: Sequence[str] = ()) -> Iterator[Route]:
    """Yield every shortest route between two switches, of those that take bundles in an order."""

    def onward(at: int, bundle: str) -> Iterator[Route]:
        if far[at] == 0:
            yield []
        for there, link in graph[at].items():
            if far[there] < far[at] and (not order or order.index(link["bundle"]) >= order.index(bundle)):
                for rest in onward(there, link["bundle"]):
                    yield [(at, there, link["bundle"]), *rest]

    for target in {target for _, target in ends}:
        far = nx.single_source_shortest_path_length(graph, target)
        for source in {source for source, other in ends if other == target and far.get(source)}:
            yield from onward(source, *order[:1] or [""])


def local_global_local(graph: nx.Graph, ends: set[tuple[int, int]]) -> Iterator[Route]:
    """Yield the published minimal routes of a dragonfly: a local link, one global link and a local link at the most."""
    for source, target in ends:
        for path in nx.all_simple_paths(graph, source, target, cutoff=3):
            route = [(a, b, graph.edges[a, b]["bundle"]) for a, b in pairwise(path)]
            kinds = [bundle == "leaf-global" for *_, bundle in route]
            if kinds in ([False], [True], [False, True], [True, False], [False, True, False]):
                yield route


def by_links(route: Route, _: Any) -> list[int]:
    """Take a channel for each link passed."""
    return list(range(len(route)))


def by_globals(route: Route, _: Any) -> list[int]:
    """Take the next channel after a global link."""
    passed = np.cumsum([bundle.endswith("global") for *_, bundle in route])
    return [0, *passed[:-1].tolist()]


def one(route: Route, _: Any) -> list[int]:
    """Keep to one channel."""
    return [0] * len(route)


def by_dateline(route: Route, place: dict[int, tuple[int, ...]]) -> list[int]:
    """Take the second channel of an axis after the link that closes its ring (W. Dally and C. Seitz 1987)."""
    channels, crossed, axis = [], False, ""
    for tail, head, bundle in route:
        crossed, axis = crossed and bundle == axis, bundle
        channels.append(int(crossed))
        crossed |= max(abs(a - b) for a, b in zip(place[tail], place[head], strict=True)) > 1
    return channels


SCHEMES: dict[str, Callable[..., list[int]]] = {"dragonfly": by_globals, "torus": by_dateline, "mesh": one}


def scheme_of(form: Topology) -> Callable[..., list[int]]:
    """Return how a family's routes take channels: those of trees and of a dragonfly+ go up and down in one."""
    if not isinstance(form, GraphForm) or form.family == "dragonfly-plus":
        return one
    return SCHEMES.get(form.family, by_links)


def ends_of(plan: Blueprint, leaves: list[int]) -> set[tuple[int, int]]:
    """Return the switches between which sub-flows go: all those of servers, or by levels those that flows choose."""
    if not plan.topology.routing.nic_levels:
        return {(source, target) for source in leaves for target in leaves if source != target}
    paths, nics = GraphPaths(plan, plan.topology), plan.servers * plan.server.nics
    source, target, dealt = (each.reshape(-1) for each in np.indices((nics, nics, paths.ports)))
    begin, end = paths.ports_of(source, target, dealt).switches
    pairs = zip(begin + plan.servers, end + plan.servers, strict=True)
    return {(int(one), int(other)) for one, other in pairs if one != other}


def routes_of(form: Topology, graph: nx.Graph, ends: set[tuple[int, int]]) -> Iterator[Route]:
    """Return the published minimal routes of a family."""
    if form.family == "dragonfly":
        return local_global_local(graph, ends)
    lattice = form.family in ("torus", "mesh")
    return minimal_routes(graph, ends, [bundle.name for bundle in form.fabric_bundles] if lattice else ())


def waits(
    form: Topology, plan: Blueprint, scheme: Callable[..., list[int]], twice: bool = False
) -> tuple[nx.DiGraph, int]:
    """Return which channel of which link waits for which, and the channels used; `twice` for two in a row."""
    graph, leaves, place = graph_of_switches(plan)
    found, most = nx.DiGraph(), 0
    kept = [(route, scheme(route, place)) for route in routes_of(form, graph, ends_of(plan, leaves))]
    ends = [[(a, b, channel) for (a, b, _), channel in zip(route, channels, strict=True)] for route, channels in kept]
    for hops in ends:
        most = max(most, *(channel + 1 for *_, channel in hops))
        nx.add_path(found, hops)
    if twice:
        shift = form.virtual_channels["minimal"]
        second = [[(a, b, channel + shift) for a, b, channel in hops] for hops in ends]
        for hops in second:
            nx.add_path(found, hops)
            most = max(most, *(channel + 1 for *_, channel in hops))
        found.add_edges_from((one[-1], other[0]) for one in ends for other in second if one[-1][1] == other[0][0])
    return found, most


def small(form: Topology) -> Blueprint:
    """Return a random fabric of a form that has few switches."""
    return next(plan for _ in count() if (plan := random_blueprint(form, RANDOM)).switches <= 80)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{len(form.axes)}-{len(form.bundles)}")
def test_the_declared_channels_keep_routes_from_locking(form: Topology) -> None:
    """With the declared channels no ring of links waits for itself (W. Dally and C. Seitz 1987), in every family."""
    if form.routing.server_relay:
        assert form.virtual_channels == {"minimal": 1}  # its switches are joined by servers, which store packets
        return
    for _ in range(3):
        plan = small(form)
        found, most = waits(form, plan, scheme_of(form))
        assert most <= form.virtual_channels["minimal"]
        assert nx.is_directed_acyclic_graph(found)
        if "valiant" in form.virtual_channels and plan.switches <= 20:
            found, most = waits(form, plan, scheme_of(form), twice=True)
            assert most <= form.virtual_channels["valiant"]
            assert nx.is_directed_acyclic_graph(found)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("torus", {"x": 5, "x far": 2, "x passed": 6, "x ends": 2}),
        ("dragonfly", {"group": 5, "router": 2, "global": 2}),
        ("slim-fly", {"q": 5, "column": 5, "row": 5, "degree": 7, "near": 2}),
    ],
)
def test_one_channel_locks(name: str, sizes: dict[str, int]) -> None:
    """A ring of five, a dragonfly and a Slim Fly lock with one channel, so that two are the fewest."""
    form = families()[name].forms[0]
    assert isinstance(form, GraphForm)
    full = form.complete_sizes({**sizes, "slot": 1}, 1, 0)
    switch, server = Switch("any", ports=99, rate_gbps=100), Server("one", 1, 1, 100, nvlink_GBps=100)
    servers = full["server"]
    plan = Blueprint("it", form, full | {"servers": servers}, {"leaf": switch}, server, servers, 100)
    found, _ = waits(form, plan, one)
    assert not nx.is_directed_acyclic_graph(found)
