"""The switches as a graph: distances, against networkx, however many sources are searched at a time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest

import fabric
from fabric.topology.graph_form import GraphForm
from fabric.topology.switch_graph import graph_of

ASKED: dict[str, Any] = {
    "gpus": 90,
    "server": {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400},
    "switches": {"name": "any", "ports": 16, "rate_gbps": 400, "price_usd": 1},
    "link_price_usd": 1,
    "oversubscription": 16,
}


@pytest.mark.parametrize("words", [1 << 9, 1 << 22])
@pytest.mark.parametrize(
    ("family", "pinned"),
    [("torus", {"x": 4, "y": 25}), ("dragonfly-plus", {"group": 18, "leaf": 6, "spine": 3, "global": 6})],
)
def test_distances_are_those_of_networkx(
    monkeypatch: pytest.MonkeyPatch, family: str, pinned: dict[str, int], words: int
) -> None:
    """The pairs of leaves at each number of links, and the least weights to each leaf, whatever fits a cache."""
    monkeypatch.setattr("fabric.topology.switch_graph.WORDS", words)
    plan = fabric.design(ASKED, family=family, pinned={**pinned, "slot": 1}).blueprint
    assert isinstance(plan.topology, GraphForm)
    graph = graph_of(plan.topology, plan.sizes)
    assert len(graph.ends) > 64
    arcs = zip(graph.tails.tolist(), graph.heads.tolist(), graph.weights.tolist(), strict=True)
    witness = nx.DiGraph()
    witness.add_weighted_edges_from(arcs)
    leaves = graph.ends[:, 0].tolist()
    links = dict(nx.all_pairs_shortest_path_length(witness))
    pairs = Counter(links[source][target] for source in leaves for target in leaves)
    assert {links: count for links, count in enumerate(graph.distances(np.arange(len(leaves)))) if count} == pairs
    weights = dict(nx.all_pairs_dijkstra_path_length(witness))
    found = graph.all_distances(graph.ends[:, 0])
    assert found.tolist() == [[weights[source][target] for target in leaves] for source in range(graph.switches)]
