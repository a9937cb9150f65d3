"""Flows to arcs by arithmetic, with no tables: one rule, read as ECMP, as destination-mod-k and as adaptive routing.

A path is decided by its ends on every axis that they have, the places and lanes; all other axes, and the copies, are
free. ECMP draws the free digits by a hash, destination-mod-k takes them from the target's number, and adaptive routing
spreads over all of them, so that its arcs are pools of links.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge, nearest, whole
from fabric.flow.graph_router import GraphRouter
from fabric.flow.hashing import Keys, below, flow_keys, nth
from fabric.flow.reroute import Detours
from fabric.flow.tiered_router import Ends, TieredRouter
from fabric.flow.traffic import Phase
from fabric.network.expand import memory_bytes
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE

__all__ = ["ADAPTIVE", "EXPLICIT", "Routes", "Routing", "leaving", "pools", "route", "walks_of"]

EXPLICIT = ("adaptive", "ecmp", "dmodk", "valiant")
"""The routings of explicit flows; `valiant` is of direct networks."""

CHUNK = 1 << 16
"""Flows routed at a time: their columns stay in the cache."""


@dataclass(frozen=True, eq=False)
class Routes:
    """The arcs of each flow, from its NIC up and down, an int32 array of shape (flows, 2 * tiers), and their capacity.

    Of a flow split over q queue pairs, rows q * i to q * i + q - 1 are the sub-flows. `capacity` is in Gb/s; its last
    arc is the padding of shorter paths and has no end. Arc a < links is link row a upwards and links + a the same
    downwards; with adaptive routing read pools for links. `apart` marks the flows that no path joins.
    """

    arcs: npt.NDArray[np.int32]
    capacity: npt.NDArray[np.float64]
    apart: npt.NDArray[np.bool_]

    @property
    def flows(self) -> int:
        return len(self.arcs)


@dataclass(frozen=True)
class Routing:
    """How explicit flows take paths: one of EXPLICIT, with `qps` queue pairs a flow.

    `ecmp` deals the sub-flows of a flow over the planes in turn, and sends each where a hash of its flow's ends, its
    number and `seed` says, evenly at every hop over the links that are up and lead to the target; `dmodk` as
    destination-mod-k of InfiniBand's fat trees (E. Zahavi 2012, doi 10.1016/j.jpdc.2011.12.006), each sub-flow with a
    number of its own; `adaptive` sprays over all links in proportion to what is up, whatever the queue pairs. With
    `pxn`, a flow crosses to its target's rail by NVLink before it leaves its server; where rails never meet it always
    does. Raises InputError for another name or no queue pairs.
    """

    name: str = "adaptive"
    qps: int = 1
    seed: int = 0
    pxn: bool = False

    def __post_init__(self) -> None:
        if self.name not in EXPLICIT:
            raise InputError(f"no routing '{self.name}' of explicit flows{nearest(self.name, EXPLICIT)}")
        if not whole(self.qps, 1):
            raise InputError(f"{self.qps!r:.40} queue pairs carry nothing; take 1 or more")

    def over(self, planes: int) -> Routing:
        """Return the routing with a queue pair of each flow in every one of `planes` planes at the least."""
        return replace(self, qps=max(self.qps, planes))


ADAPTIVE = Routing()


def route(
    blueprint: Blueprint,
    phase: Phase,
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
    walks: GraphRouter | None = None,
) -> Routes:
    """Route the flows of `phase` over the links that are `up`, shape (links,); left out, all.

    `walks` are those of a wired blueprint and `up`, where they are at hand (`walks_of`).

    Raises TooLarge, with the estimate, when the routes would not fit in the machine's memory.
    """
    lattice, phase = TieredRouter(blueprint), leaving(blueprint, phase, pxn=routing.pxn)
    if routing.name not in ("adaptive", "ecmp", "dmodk", *blueprint.topology.virtual_channels):
        raise InputError(f"valiant routing goes by a switch of a direct network; {blueprint.topology.family} is none")
    if isinstance(blueprint.topology, GraphForm):
        return _sprayed(blueprint, phase, routing, up, walks)
    if routing.name == "adaptive":
        return _pooled(lattice, phase, up)
    _refuse_too_large(blueprint, phase.flows * routing.qps)
    return _chosen(lattice, phase, routing, up)


def walks_of(blueprint: Blueprint, up: npt.NDArray[np.bool_] | None) -> GraphRouter | None:
    """Return what the routes of a wired blueprint share, to be made once; None for another."""
    return GraphRouter(blueprint, up) if isinstance(blueprint.topology, GraphForm) else None


def _sprayed(
    blueprint: Blueprint, phase: Phase, routing: Routing, up: npt.NDArray[np.bool_] | None, walks: GraphRouter | None
) -> Routes:
    from fabric.flow.graph_routes import sprayed

    return sprayed(walks or GraphRouter(blueprint, up), phase, routing)


def leaving(blueprint: Blueprint, phase: Phase, *, pxn: bool) -> Phase:
    """Return the flows as they leave their servers: with `pxn`, or where rails never meet, by the target's NIC number.

    NVLink carries them there, and is taken to be no limit. Flows that have crossed already stay as they are.
    """
    if not pxn and blueprint.topology.rails_meet_at:
        return phase
    nics = blueprint.server.nics
    return phase.moved(phase.source // nics * nics + phase.target % nics, phase.target)


def pools(lattice: TieredRouter, phase: Phase, up: npt.NDArray[np.bool_] | None) -> Routes:
    """Return the pools of links that each flow must use whatever its routing, their capacity that of what is `up`.

    `apart` are the flows that the fabric would not join if it were whole.
    """
    source, target = lattice.ends(phase.source), lattice.ends(phase.target)
    turn = lattice.turn(source, target)
    padding, depth = 2 * lattice.pools, 2 * lattice.tiers
    apart = turn > lattice.tiers
    arcs = np.full((phase.flows, depth), padding, np.int32, order="F")
    for place, layer in enumerate(lattice.layers):
        used = (turn > place) & ~apart
        for column, first, end in ((place, 0, source), (depth - 1 - place, lattice.pools, target)):
            arcs[:, column] = np.where(used, first + layer.pool(end.server, end.lanes, end.copy), padding)
    links = lattice.pool_links if up is None else _live(lattice, up)
    capacity = np.tile(links * float(lattice.blueprint.link_gbps), 2)
    return Routes(arcs, np.append(capacity, np.inf), apart)


def _live(lattice: TieredRouter, up: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return lattice.pool_links - np.bincount(lattice.pools_of(np.flatnonzero(~up)), minlength=lattice.pools)


def _pooled(lattice: TieredRouter, phase: Phase, up: npt.NDArray[np.bool_] | None) -> Routes:
    routes = pools(lattice, phase, up)
    if up is not None:
        lost = np.append(np.tile(1 - _live(lattice, up) / lattice.pool_links, 2), 0.0)
        # Paths use each pool evenly, so only flows that lose as many as there are, over all pools, can be cut apart.
        doubtful = np.flatnonzero((lost[routes.arcs].sum(axis=1) >= 1 - 1e-9) & ~routes.apart)
        source, target = phase.source[doubtful], phase.target[doubtful]
        turn = lattice.turn(lattice.ends(source), lattice.ends(target))
        routes.apart[doubtful] = ~Detours(lattice, up).joined(source, target, turn)
        routes.arcs[routes.apart] = 2 * lattice.pools
    return routes


def _chosen(lattice: TieredRouter, phase: Phase, routing: Routing, up: npt.NDArray[np.bool_] | None) -> Routes:
    qps = routing.qps
    padding, flows = 2 * lattice.links, phase.flows * qps
    arcs = np.empty((flows, 2 * lattice.tiers), np.int32, order="F")
    apart = np.zeros(flows, bool)
    live = None if up is None else np.concatenate([up, up, [True]])
    detours = None if up is None else Detours(lattice, up)
    for first in range(0, flows, CHUNK):
        rows = np.arange(first, min(first + CHUNK, flows))
        source, target = phase.source[rows // qps], phase.target[rows // qps]
        ends = lattice.ends(source), lattice.ends(target)
        turn = lattice.turn(*ends)
        keys = flow_keys(source, target, rows % qps, routing.seed)
        dealt = (below(flow_keys(source, target, 0 * rows, routing.seed), lattice.planes) + rows % qps) % lattice.planes
        choose = _hashed(keys, dealt) if routing.name == "ecmp" else _by_target(lattice, ends[1], rows % qps, qps)
        chunk = _walk(lattice, *ends, turn, choose)
        apart[rows] = turn > lattice.tiers
        if live is not None and detours is not None:
            hit = np.flatnonzero(~live[chunk].all(axis=1))
            chunk[hit], apart[rows[hit]] = detours.around(source[hit], target[hit], turn[hit], chunk[hit], keys[hit])
        chunk[apart[rows]] = padding
        arcs[rows] = chunk
    capacity = np.full(padding + 1, float(lattice.blueprint.link_gbps))
    capacity[padding] = np.inf
    return Routes(arcs, capacity, apart)


Choice = Callable[[str, int], Any]
"""Choose the digits of an axis, or of a bundle's copies, below a size."""


def _walk(lattice: TieredRouter, source: Ends, target: Ends, turn: npt.NDArray[np.int8], choose: Choice) -> Any:
    """Return the arcs of flows, shape (flows, 2 * tiers): up with the source's digits, and down with the target's."""
    padding, depth = 2 * lattice.links, 2 * lattice.tiers
    arcs = np.empty((len(turn), depth), np.int32, order="F")
    digits = dict(source.lanes)
    for place, layer in enumerate(lattice.layers):
        digits |= {axis: choose(axis, size) for axis, size in layer.up.items()}
        copy = choose(layer.name, layer.copies) if layer.chooses_copy else source.copy
        arcs[:, place] = np.where(turn > place, layer.link(source.server, digits, copy), padding)
    digits |= target.lanes
    for place, layer in reversed(list(enumerate(lattice.layers))):
        lower = turn > place
        digits |= {axis: np.where(lower, choose(axis, size), digits[axis]) for axis, size in layer.down.items()}
        copy = choose(layer.name, layer.copies) if layer.chooses_copy else target.copy
        row = lattice.links + layer.link(target.server, digits, copy)
        arcs[:, depth - 1 - place] = np.where(lower, row, padding)
    return arcs


def _by_target(lattice: TieredRouter, target: Ends, queue_pair: Any, qps: int) -> Choice:
    """Return the choice of destination-mod-k: the target's number in its lane, read digit by digit going up.

    Where lanes have met, a switch has targets of several of them, so the lane becomes a digit of the number.
    """
    number = (target.server * lattice.layers[0].copies + target.copy) * qps + queue_pair
    digits: dict[str, Any] = {}
    for layer, above in zip(lattice.layers, (*lattice.layers[1:], None), strict=True):
        sizes = layer.up | ({layer.name: layer.copies} if layer.chooses_copy else {})
        for name, size in sizes.items():
            digits[name], number = number % size, number // size
        for axis in layer.lanes if layer.chooses_copy else ():
            if above is None or axis not in above.lanes:
                number = number * layer.lanes[axis] + target.lanes[axis]
    return lambda name, _: digits[name]


def _hashed(keys: Keys, plane: npt.NDArray[Any]) -> Choice:
    """Return the choice of ECMP: the planes as dealt, and for all else each time another hash of the flow's key."""
    times = count(1)
    return lambda name, size: plane if name == PLANE else below(nth(keys, next(times)), size) if size > 1 else 0


def _refuse_too_large(blueprint: Blueprint, flows: int) -> None:
    needed = flows * (2 * blueprint.tiers * 20 + 32) + 2 * blueprint.links_total * 40
    if needed > memory_bytes() / 2:
        raise TooLarge(
            f"{blueprint.name}: {flows:,} routed flows take {units.size(needed)}, more than half of this machine's"
            f" {units.size(memory_bytes())}; take fewer queue pairs or GPUs, or adaptive routing, which pools links"
        )
