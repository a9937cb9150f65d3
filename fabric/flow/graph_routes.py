"""Routes on graph topologies: hashed shortest paths, Valiant's paths, or for each sub-flow the less loaded of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.graph_paths import GraphPaths
from fabric.flow.hashing import below, flow_keys, nth
from fabric.flow.host_links import rate_of_links
from fabric.flow.phase import Phase
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing

__all__ = ["route_on_graph"]

SPRAY, LEAST_SPRAY, MOST = 16, 4, 1 << 17
"""The sub-flows that stand for the packets of a sprayed flow, their minimum where flows are many, and about the most of
all flows together."""

ROUNDS = 8
"""How often sub-flows look for the less loaded path; each time half of those that would gain move."""

MOVES = 1 << 18
"""Numbers of the hashes that decide who moves."""

Rows = npt.NDArray[Any]


def route_on_graph(paths: GraphPaths, phase: Phase, routing: Routing) -> Routes:
    """Return the routes of a phase on a graph topology.

    A sprayed flow has several sub-flows that stand for its packets, each on a shortest path or on one by an
    intermediate leaf, whichever is less loaded by all others: the global choice of UGAL (A. Singh 2005), where the
    topology is known to need it. Otherwise each sub-flow takes the path that its hash key chooses.
    """
    policy = routing.policy
    many = _sprayed_subflows(paths, phase.flows, routing.qps) if policy.sprays else routing.qps
    flow, number = np.divmod(np.arange(phase.flows * many), many)
    source, target = phase.source[flow], phase.target[flow]
    first = below(flow_keys(source, target, 0 * flow, routing.seed), paths.ports)
    port = (first + number) % paths.ports
    keys = policy.hash_keys(source, target, number, routing.seed)
    valiant = np.full(len(flow), policy.paths == "valiant")
    arcs, disconnected = paths.choose(source, target, port, keys, valiant)
    if policy.sprays and paths.form.routing.valiant:
        other, cut = paths.choose(source, target, port, keys, ~valiant)
        free = ~(disconnected | cut)
        arcs = _less_loaded(arcs, other, free, phase.shares[flow], keys, 2 * paths.blueprint.links_total)
    each = rate_of_links(paths.blueprint)
    return Routes(arcs, np.concatenate([each, each, [np.inf]]), disconnected)


def _sprayed_subflows(paths: GraphPaths, flows: int, qps: int) -> int:
    """Return the sub-flows of a sprayed flow: fewer where flows are many, but one for each port and queue pair."""
    return max(qps, paths.ports, min(SPRAY, max(LEAST_SPRAY, MOST // max(1, flows))))


def _less_loaded(direct: Rows, around: Rows, free: Rows, weights: Rows, keys: Rows, padding: int) -> Rows:
    """Return the arcs of sub-flows that are `free` to choose between two paths, once hardly any would gain by moving.

    Only half of those that would gain move in a round, drawn by a hash: if all moved at once, they would swing back
    and forth between the same links.
    """
    width = max(direct.shape[1], around.shape[1])
    paths = [np.pad(path, ((0, 0), (0, width - path.shape[1])), constant_values=padding) for path in (direct, around)]
    chosen = np.zeros(len(keys), np.int64)
    for number in range(ROUNDS):
        load = np.zeros(padding + 1)
        for choice, path in enumerate(paths):
            rows = chosen == choice
            load += np.bincount(path[rows].reshape(-1), np.repeat(weights[rows], width), padding + 1)
        load[padding] = 0
        worst = np.stack([load[path].max(axis=1) for path in paths])
        here, there = worst[chosen, np.arange(len(keys))], worst[1 - chosen, np.arange(len(keys))] + weights
        moves = free & (there < here) & (below(nth(keys, MOVES + number), 2) == 1)
        chosen = np.where(moves, 1 - chosen, chosen)
    return np.where(chosen[:, None] == 1, paths[1], paths[0])
