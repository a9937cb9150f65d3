"""Routes on wired fabrics: sub-flows by hashed shortest ways, by Valiant's, or each by the less loaded of the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.graph_router import GraphRouter
from fabric.flow.hashing import below, flow_keys, nth
from fabric.flow.tiered_routes import Routes, Routing
from fabric.flow.traffic import Phase

__all__ = ["sprayed"]

SPRAY, LEAST_SPRAY, MOST = 16, 4, 1 << 17
"""The sub-flows that stand for packets sprayed over all ways, and their least where flows are many; about so many."""

ROUNDS = 8
"""How often sub-flows look for the less loaded way; each time half of those that would gain move."""

MOVES = 1 << 18
"""Numbers of the hashes that say who moves."""

Rows = npt.NDArray[Any]


def sprayed(walks: GraphRouter, phase: Phase, routing: Routing) -> Routes:
    """Return the routes of a phase on a wired fabric.

    `ecmp` takes hashed shortest ways, `valiant` those by a drawn leaf, `dmodk` shortest ways that the target alone
    decides. `adaptive` has so many sub-flows a flow that they stand for its packets, each on a shortest way or one by a
    drawn leaf, whichever is less loaded by all others: the global choice of UGAL (A. Singh 2005), where the form is
    known to need it.
    """
    many = routing.qps if routing.name != "adaptive" else _spray(walks, phase.flows, routing.qps)
    flow, number = np.divmod(np.arange(phase.flows * many), many)
    source, target = phase.source[flow], phase.target[flow]
    whole = flow_keys(source, target, 0 * flow, routing.seed)
    dealt = (below(whole, walks.ports) + number) % walks.ports
    keys = flow_keys(source, target, number, routing.seed)
    if routing.name == "dmodk":
        keys = flow_keys(0 * target, target, number, routing.seed)
    by = np.full(len(flow), routing.name == "valiant")
    arcs, apart = walks.taken(source, target, dealt, keys, by)
    if routing.name == "adaptive" and walks.topology.routing.valiant:
        other, cut = walks.taken(source, target, dealt, keys, ~by)
        arcs = _less_loaded(arcs, other, ~(apart | cut), phase.shares[flow], keys, 2 * walks.blueprint.links_total)
    capacity = np.full(2 * walks.blueprint.links_total + 1, float(walks.blueprint.link_gbps))
    capacity[-1] = np.inf
    return Routes(arcs, capacity, apart)


def _spray(walks: GraphRouter, flows: int, qps: int) -> int:
    return max(qps, walks.ports, min(SPRAY, max(LEAST_SPRAY, MOST // max(1, flows))))


def _less_loaded(direct: Rows, around: Rows, free: Rows, weights: Rows, keys: Rows, padding: int) -> Rows:
    """Return the arcs of sub-flows that are `free` to choose between two ways, once hardly any would gain by moving."""
    width = max(direct.shape[1], around.shape[1])
    ways = [np.pad(way, ((0, 0), (0, width - way.shape[1])), constant_values=padding) for way in (direct, around)]
    chosen = np.zeros(len(keys), np.int64)
    for number in range(ROUNDS):
        load = np.zeros(padding + 1)
        for place, way in enumerate(ways):
            rows = chosen == place
            load += np.bincount(way[rows].reshape(-1), np.repeat(weights[rows], width), padding + 1)
        load[padding] = 0
        worst = np.stack([load[way].max(axis=1) for way in ways])
        here, there = worst[chosen, np.arange(len(keys))], worst[1 - chosen, np.arange(len(keys))] + weights
        moves = free & (there < here) & (below(nth(keys, MOVES + number), 2) == 1)
        chosen = np.where(moves, 1 - chosen, chosen)
    return np.where(chosen[:, None] == 1, ways[1], ways[0])
