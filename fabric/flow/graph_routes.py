"""Routes on graph topologies: hashed shortest paths, Valiant's paths, or packets sprayed over both by load."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.graph_paths import GraphPaths
from fabric.flow.hashing import below, flow_keys
from fabric.flow.host_links import ideal_gbps, rate_of_links
from fabric.flow.link_groups import LinkGroups
from fabric.flow.path_splits import split_over_paths
from fabric.flow.phase import Phase
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing
from fabric.flow.split_routes import SplitRoutes

__all__ = ["spray", "take_one_path"]

DIRECT = 2
"""Of as many paths drawn for sprayed packets one is a shortest path; the others go by an intermediate switch."""

Rows = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def take_one_path(paths: GraphPaths, phase: Phase, routing: Routing) -> Routes:
    """Return the routes of a phase whose sub-flows each take the path that their hash key chooses."""
    policy, many = routing.policy, routing.qps
    flow, number = np.divmod(np.arange(phase.flows * many), many)
    source, target = phase.source[flow], phase.target[flow]
    first = below(flow_keys(source, target, 0 * flow, routing.seed), paths.ports)
    keys = policy.hash_keys(source, target, number, routing.seed)
    valiant = np.full(len(flow), policy.paths == "valiant")
    arcs, disconnected = paths.choose(source, target, (first + number) % paths.ports, keys, valiant)
    each = rate_of_links(paths.blueprint)
    return Routes(arcs, np.concatenate([each, each, [np.inf]]), disconnected)


def spray(paths: GraphPaths, groups: LinkGroups, phase: Phase) -> SplitRoutes:
    """Return the routes of a phase whose packets spread over shortest paths and paths by an intermediate switch.

    They spread as well as they can for all flows together (see `split_over_paths`): the limit of the global choice of
    UGAL (A. Singh 2005), which compares both kinds of paths for each packet. While planes are alike, flows between two
    leaves are one demand, apart from those whose NICs have lost their only link; otherwise each flow is a demand.
    """
    source, target, links = phase.source, phase.target, paths.blueprint.links_total
    first = demand = np.arange(phase.flows)
    arcs = np.full((phase.flows, 0), 0, np.int32)
    if groups.planes_together:
        ports = paths.ports_of(source, target, 0 * source)
        cut_off = 0 if paths.up is None else ~(paths.up[ports.rows[0]] & paths.up[ports.rows[1]])
        pairs = (ports.switches[0].astype(np.int64) << 32 | ports.switches[1]) * 2 + cut_off
        _, first, demand = np.unique(pairs, return_index=True, return_inverse=True)
        arcs = groups.of_arc[np.stack([ports.rows[0], links + ports.rows[1]], axis=1)].astype(np.int32)

    def draw(numbers: Rows) -> tuple[Rows, Mask]:
        number, flow = np.repeat(numbers, len(first)), np.tile(first, len(numbers))
        keys = flow_keys(source[flow], target[flow], number, 0)
        valiant = number % DIRECT > 0
        path, missing = paths.choose(source[flow], target[flow], number // DIRECT % paths.ports, keys, valiant)
        path = groups.of_arc[path[:, 2:] if groups.planes_together else path].astype(np.int32)
        return path.reshape(len(numbers), len(first), path.shape[1]), missing.reshape(len(numbers), len(first))

    gbps = np.where(groups.gbps > 0, groups.gbps, np.inf)
    capacity = np.concatenate([gbps, gbps])
    ideal = np.asarray(np.bincount(demand, ideal_gbps(paths.blueprint, phase)), np.float64)
    splits = split_over_paths(draw, ideal, capacity)
    return SplitRoutes(arcs, np.append(capacity, np.inf), splits.lost[demand], demand=demand, splits=splits)
