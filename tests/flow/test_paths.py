"""Truths about shortest paths: they are in the network, and no search finds a shorter one."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import networkx as nx
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.paths import shortest_path
from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import families
from fabric.topology.topology import Topology

FORMS = [form for family in families().values() for form in family.forms]


def nic_graph(plan: Blueprint, network: Network) -> nx.Graph:
    """Return the network as a graph with a vertex for each NIC instead of the servers."""
    graph = nx.Graph()
    ports = plan.topology.routing.nic_levels or plan.planes
    per_rail = plan.server.nics // plan.leaves_per_server
    for low, port, high in zip(*(c.tolist() for c in (network.lower, network.lower_port, network.upper)), strict=True):
        if low >= network.servers.count:
            graph.add_edge(low, high)
        elif not plan.topology.layered:
            graph.add_edge(("nic", low * plan.server.nics + port // ports), high)
        else:
            # A server's ports on a Clos are rail by rail, then plane by plane, then copy by copy.
            rail, copy = port // (plan.planes * per_rail), port % per_rail
            graph.add_edge(("nic", low * plan.server.nics + rail * per_rail + copy), high)
    return graph


def searched(plan: Blueprint, graph: nx.Graph, source: int, target: int) -> int:
    """Return by networkx the links on a shortest path between two NICs; others forward only where servers relay."""
    if not plan.topology.routing.server_relay:
        others = [node for node in graph if isinstance(node, tuple) and node[1] not in (source, target)]
        graph = nx.restricted_view(graph, others, [])
    return int(nx.shortest_path_length(graph, ("nic", source), ("nic", target)))


@pytest.mark.parametrize("seeds", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family} {form.tiers} {len(form.text)}")
def test_a_path_leads_from_server_to_server_and_none_is_shorter(form: Topology, seeds: int) -> None:
    """Every two devices of a path are joined by a link, and networkx finds no path of fewer links between the NICs."""
    for seed in range(seeds):
        random = Random(f"{form.text} {seed}")
        plan = random_blueprint(form, random)
        network = expand(plan)
        graph = nic_graph(plan, network)
        joined = {
            frozenset(map(network.name, ends))
            for ends in zip(network.lower.tolist(), network.upper.tolist(), strict=True)
        }
        for _ in range(8):
            source, target = random.randrange(plan.gpus), random.randrange(plan.gpus)
            path = shortest_path(plan, source, target)
            gpus, nics = plan.server.gpus, plan.server.nics
            assert path[0] == network.name(source // gpus)
            assert path[-1] == network.name(target // gpus)
            assert {frozenset(pair) for pair in pairwise(path)} <= joined
            if source // gpus != target // gpus:
                start = source // gpus * nics + target % nics if form.rails_meet_at is None else source
                assert len(path) - 1 == searched(plan, graph, start, target)
            else:
                assert len(path) == 1


def test_a_path_across_a_million_gpus_needs_no_network() -> None:
    """From the first to the last of a million GPUs there are five switches between servers, on three tiers."""
    plan = fabric.design("colossus-1m").blueprint
    path = shortest_path(plan, 0, plan.gpus - 1)
    assert [name.partition("[")[0] for name in path] == ["server", "leaf", "spine", "core", "spine", "leaf", "server"]
    assert path[-1] == f"server[{','.join(f'{a}={n}' for a, n in last_server(plan).items())}]"


def last_server(plan: Blueprint) -> dict[str, int]:
    """Return the coordinates of the server that holds the last GPU."""
    slot, block = plan.sizes["slot"], plan.sizes["block"]
    server = (plan.gpus - 1) // plan.server.gpus
    return {"pod": server // slot // block, "block": server // slot % block, "slot": server % slot}


@pytest.mark.parametrize("gpu", [-1, 100_000, True, 1.5])
def test_a_gpu_that_is_not_there_has_no_path(gpu: float) -> None:
    """A GPU beyond the last, or a value that is not a whole number, is refused with the number of GPUs."""
    with pytest.raises(InputError, match="has 100,000, numbered from 0"):
        shortest_path(fabric.design("colossus-100k").blueprint, 0, gpu)
