"""Routes on a Clos by arithmetic, without tables: hashed (ECMP), by the number of an end, or sprayed over all links.

The ends of a path fix its localities and rails; every other axis, and the choice among parallel links, is free. ECMP
draws the free digits by a hash, destination-mod-k reads them off the target's number, and adaptive routing spreads over
all of them, so that its arcs are equal-cost groups of links.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.hashing import Keys, below, flow_keys, nth
from fabric.flow.layer import Choice, Digits, Ends
from fabric.flow.phase import Phase
from fabric.flow.reroute import Reroute
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing
from fabric.flow.tiered_links import TieredLinks
from fabric.frozen import FrozenMapping
from fabric.topology.topology import PLANE

__all__ = ["route_by_groups", "route_by_links", "spray"]

CHUNK = 1 << 16
"""Flows routed at a time: few enough that their columns stay in the cache."""

Mask = npt.NDArray[np.bool_]


def route_by_groups(links: TieredLinks, phase: Phase, up: Mask | None) -> Routes:
    """Return the equal-cost groups that each flow must use whatever its routing, with the capacity of what is `up`.

    Disconnected are the flows that the fabric would not join if it were whole.
    """
    source, target = links.ends(phase.source), links.ends(phase.target)
    turn = links.turn(source, target)
    padding, depth = 2 * links.groups, 2 * links.tiers
    disconnected = turn > links.tiers
    arcs = np.full((phase.flows, depth), padding, np.int32, order="F")
    for tier, layer in enumerate(links.layers):
        used = (turn > tier) & ~disconnected
        for column, first, end in ((tier, 0, source), (depth - 1 - tier, links.groups, target)):
            arcs[:, column] = np.where(used, first + layer.group(end.server, end.rails, end.copy), padding)
    each = links.group_links if up is None else _count_up(links, up)
    capacity = np.tile(each * links.group_gbps, 2)
    return Routes(arcs, np.append(capacity, np.inf), disconnected)


def _count_up(links: TieredLinks, up: Mask) -> npt.NDArray[np.int64]:
    """Return the links of each equal-cost group that are up."""
    return links.group_links - np.bincount(links.groups_of(np.flatnonzero(~up)), minlength=links.groups)


def spray(links: TieredLinks, phase: Phase, up: Mask | None) -> Routes:
    """Return the routes of flows that spread over every link of their equal-cost groups that is up."""
    routes = route_by_groups(links, phase, up)
    if up is not None:
        failed = np.append(np.tile(1 - _count_up(links, up) / links.group_links, 2), 0.0)
        # A flow spreads evenly over each of its groups, so it has a path unless the failed shares add up to 1 or more:
        # only then are its paths searched. Where it spreads less evenly, a share may be as many times more of its path.
        lost = failed[routes.arcs].sum(axis=1) * links.unevenness
        doubtful = np.flatnonzero((lost >= 1 - 1e-9) & ~routes.disconnected)
        source, target = phase.source[doubtful], phase.target[doubtful]
        turn = links.turn(links.ends(source), links.ends(target))
        routes.disconnected[doubtful] = ~Reroute(links, up).connected(source, target, turn)
        routes.arcs[routes.disconnected] = 2 * links.groups
    return routes


def route_by_links(links: TieredLinks, phase: Phase, routing: Routing, up: Mask | None) -> Routes:
    """Return the routes of sub-flows of one path each, chosen as the routing's policy says."""
    qps, policy = routing.qps, routing.policy
    padding, flows = 2 * links.links, phase.flows * qps
    arcs = np.empty((flows, 2 * links.tiers), np.int32, order="F")
    disconnected = np.zeros(flows, bool)
    up_arcs = None if up is None else np.concatenate([up, up, [True]])
    reroute = None if up is None else Reroute(links, up)
    for first in range(0, flows, CHUNK):
        part = slice(first, first + CHUNK)
        flow, pair = np.divmod(np.arange(first, min(part.stop, flows)), qps)
        source, target = phase.source[flow], phase.target[flow]
        ends = links.ends(source), links.ends(target)
        turn = links.turn(*ends)
        channels = np.broadcast_to(phase.channels, (phase.flows,))[flow]
        hash_keys = flow_keys if policy.digits_of else policy.hash_keys
        keys = hash_keys(source, target, qps * channels + pair, routing.seed)
        if policy.digits_of:
            choose: Choice = _ByNumber.of(links, policy.digits_of(*ends), pair, qps)
        else:
            # The queue pairs of a flow take the planes in turn, from the plane that the flow's own hash draws.
            several = links.planes > 1
            start = below(flow_keys(source, target, channels, routing.seed), links.planes) if several else 0
            choose = _ByHash(keys, (start + pair) % links.planes)
        chunk = _climb(links, *ends, turn, choose)
        disconnected[part] = turn > links.tiers
        if up_arcs is not None and reroute is not None:
            hit = np.flatnonzero(~up_arcs[chunk].all(axis=1))
            moved = reroute.around(source[hit], target[hit], turn[hit], chunk[hit], keys[hit])
            chunk[hit], disconnected[first + hit] = moved
        chunk[disconnected[part]] = padding
        arcs[part] = chunk
    return Routes(arcs, np.concatenate([links.link_gbps, links.link_gbps, [np.inf]]), disconnected)


def _climb(links: TieredLinks, source: Ends, target: Ends, turn: npt.NDArray[Any], choose: Choice) -> Any:
    """Return the arcs of paths that climb to the tier `turn` and descend, each free digit as `choose` has it."""
    padding, depth = 2 * links.links, 2 * links.tiers
    arcs = np.empty((len(turn), depth), np.int32, order="F")
    digits = dict(source.rails)
    for tier, layer in enumerate(links.layers):
        chosen, row = layer.climb(source, digits, choose)
        digits |= chosen
        arcs[:, tier] = np.where(turn > tier, row, padding)
    digits |= target.rails
    for tier, layer in reversed(list(enumerate(links.layers))):
        lower = turn > tier
        chosen, row = layer.descend(target, digits, choose)
        digits |= {axis: np.where(lower, value, digits[axis]) for axis, value in chosen.items()}
        arcs[:, depth - 1 - tier] = np.where(lower, links.links + row, padding)
    return arcs


@dataclass(frozen=True)
class _ByNumber:
    """The choice of destination-mod-k: the number of an end in its rail, read digit by digit going up.

    Where rails have met, a switch has ends of several of them, so the rail becomes a digit of the number.
    """

    settled: Digits
    """What is read off."""

    @classmethod
    def of(cls, links: TieredLinks, end: Ends, queue_pair: Any, qps: int) -> _ByNumber:
        """Return the choice by the number of `end`, each queue pair having one of its own."""
        number = links.number(end) * qps + queue_pair
        digits: dict[str, Any] = dict(end.rails)
        for layer, above in zip(links.layers, (*links.layers[1:], None), strict=True):
            chosen, number = layer.read_off(end, digits, number)
            digits |= chosen
            for axis in layer.rails if layer.chooses_copy else ():
                if above is None or axis not in above.rails:
                    number = number * layer.rails[axis] + end.rails[axis]
        return cls(digits)

    def __call__(self, name: str, size: Any, /) -> Any:
        return self.settled[name] % size


class _ByHash:
    """The choice of ECMP: the plane assigned, and for every other axis or link a new hash of the flow's key."""

    settled: Digits = FrozenMapping()

    def __init__(self, keys: Keys, plane: npt.NDArray[Any]) -> None:
        self._keys, self._plane, self._times = keys, plane, count(1)

    def __call__(self, name: str, size: Any, /) -> Any:
        if name == PLANE:
            return self._plane
        return below(nth(self._keys, next(self._times)), size) if np.any(size > 1) else 0
