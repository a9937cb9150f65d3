"""Closed forms of a blueprint that no single product says: hops between GPUs, and the bandwidth between two halves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import mul

import numpy as np

from fabric.blueprint import Blueprint
from fabric.topology.clos import PLANE, Bundle
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.switch_graph import graph_of

__all__ = [
    "Hops",
    "bisection_gbps",
    "hop_shares",
    "hops",
    "injection_gbps",
    "lanes_apart",
    "links_per_pair",
    "peers",
    "survives",
]


@dataclass(frozen=True)
class Hops:
    """Switches on a shortest path between the NICs of two GPUs in different servers, and the share of pairs by number.

    A pair that the fabric does not join (different rails of a rail-only fabric) first crosses NVLink to its partner's
    rail, and counts with that rail's path. All are 0 when there is only one server.
    """

    max: int
    mean: float
    shares: Mapping[int, float]


def links_per_pair(blueprint: Blueprint, bundle: Bundle) -> float:
    """Return the links of two devices that the bundle joins, in the mean over those that are joined."""
    copies = blueprint.sizes[bundle.name]
    if not isinstance(bundle, PatternBundle):
        return copies
    lower, upper = bundle.pairs(blueprint.sizes)
    if bundle.lower == bundle.upper:
        lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
    pairs = len(np.unique(lower * (int(upper.max(initial=0)) + 1) + upper))
    host = isinstance(blueprint.form, GraphForm) and bundle in blueprint.form.host_wires
    each = (1 if host else copies) * len(lower) / max(1, pairs)
    return int(each) if each.is_integer() else each


def hops(blueprint: Blueprint) -> Hops:
    """Return the hops over all ordered pairs of NICs in different servers, every server taken as full.

    Of wired forms every place for a server is taken as filled.
    """
    if isinstance(blueprint.form, GraphForm):
        return _wired_hops(blueprint, blueprint.form)
    shares = hop_shares(blueprint.servers, peers(blueprint), lanes_apart(blueprint))
    found = {2 * tier + 1: share for tier, share in enumerate(shares) if share}
    mean = sum(hops * share for hops, share in found.items())
    return Hops(max(found, default=0), float(mean), {hops: float(share) for hops, share in found.items()})


def _wired_hops(blueprint: Blueprint, form: GraphForm) -> Hops:
    """Return the hops of a wired form: counted in closed form, or by a search from leaves as which all others are."""
    pairs = dict(form.apart(blueprint.sizes)) if form.apart else _searched(blueprint, form)
    total = sum(pairs.values())
    if blueprint.servers == 1 or not total:
        return Hops(0, 0.0, {})
    mean = sum(hops * number for hops, number in pairs.items()) / total
    return Hops(max(pairs), mean, {hops: number / total for hops, number in sorted(pairs.items()) if number})


def _searched(blueprint: Blueprint, form: GraphForm) -> dict[int, int]:
    """Return the ordered pairs of NICs of different servers by their hops, counted from some ends for all."""
    sizes, nics = {**blueprint.sizes, "servers": blueprint.sizes["server"]}, blueprint.server.nics
    graph = graph_of(form, sizes)
    every = np.arange(len(graph.ends)), np.ones(len(graph.ends), np.int64)
    sources, times = form.search(sizes) if form.search else every
    # An end is a NIC, or a leaf with those of its servers; the pairs within a server are taken off at the end.
    each = 1 if form.levels else sizes["slot"] * nics
    found = {links + 1: pairs * int(times[0]) * each**2 for links, pairs in enumerate(graph.distances(sources))}
    found[1] -= int(times.sum()) * each * nics
    return {hops: pairs for hops, pairs in found.items() if pairs}


def hop_shares(servers: int, peers: Sequence[int], apart: Sequence[int]) -> list[Fraction]:
    """Return the share of the pairs whose paths turn at each tier; all 0 when there is only one server.

    For every tier below the top, `peers` are the servers of one full place, and `apart` the sets of lanes that have
    not met: a pair of NICs meets there when the servers share the place and the lanes are of one set.
    """
    if servers == 1:
        return [Fraction(0)] * (len(peers) + 1)
    pairs = servers * (servers - 1)
    within = [Fraction(_pairs_within(servers, size), pairs * sets) for size, sets in zip(peers, apart, strict=True)]
    return [share - below for share, below in zip([*within, Fraction(1)], [Fraction(0), *within], strict=True)]


def _pairs_within(servers: int, size: int) -> int:
    """Return the ordered pairs of different servers that stand in the same place of `size` servers."""
    full, rest = divmod(servers, size)
    return full * size * (size - 1) + rest * (rest - 1)


def peers(blueprint: Blueprint) -> tuple[int, ...]:
    """Return, for every tier below the top, the servers of one full place of it; all servers where it has no places."""
    if isinstance(blueprint.form, GraphForm):
        return (blueprint.sizes["slot"],)
    places = [blueprint.form.places(group) for group in blueprint.form.switch_groups[:-1]]
    return tuple(servers_in(blueprint, axes[-1]) if axes else blueprint.servers for axes in places)


def lanes_apart(blueprint: Blueprint) -> tuple[int, ...]:
    """Return, for every tier below the top, the lanes that have not met there; 1 where they never do.

    Lanes that never meet are crossed in the server, so no pair waits for them.
    """
    form = blueprint.form
    if isinstance(form, GraphForm):
        return (1,)
    lanes = [[axis for axis in form.lanes if axis in form.kept(tier)] for tier in range(1, form.tiers)]
    return tuple(blueprint.evaluate(tuple(axes)) if form.meets else 1 for axes in lanes)


def servers_in(blueprint: Blueprint, axis: str) -> int:
    """Return the servers of one full place of `axis`: a block's slots, a pod's blocks times slots."""
    placement = blueprint.form.placement
    return math.prod(blueprint.sizes[inner] for inner in placement[placement.index(axis) + 1 :])


def injection_gbps(blueprint: Blueprint) -> int:
    """Return the bandwidth of all server links together, one direction."""
    return sum(map(blueprint.capacity, blueprint.form.host_bundles))


def bisection_gbps(blueprint: Blueprint) -> int:
    """Return the greatest flow in Gb/s, one direction, from the first half of the servers to the second.

    Halves are taken in the order of placement, so pods stay whole; an odd server counts with the second half. As every
    bundle spreads evenly, the fabric carries a flow when the tree of its places does, each place joined upwards by all
    its links; the greatest flow is the least cut of that tree, found place by place. Of a wired form it is found by
    OR-Tools.
    """
    if isinstance(blueprint.form, GraphForm):
        planes = 1 if blueprint.form.levels else blueprint.planes
        return graph_of(blueprint.form, blueprint.sizes).flow(blueprint.servers) * planes * blueprint.link_gbps
    links = min(_Tree(blueprint).cut(blueprint.tiers, 0, blueprint.servers))
    return int(links) * blueprint.link_gbps


def survives(blueprint: Blueprint) -> dict[str, Fraction]:
    """Return the share of throughput that is sure to remain without any one switch of a role, or without a plane.

    Let a full server send 1, and let bundle 0 join servers to leaves and bundle j tier j to the next. Full places have
    X(j) = product over the tiers up to j of ports up / ports down, with X(0) = 1, to send it up by bundle j; so before
    the loss the throughput is M = min X(j), which is at most 1.

    Lose one switch of tier t. A device of a tier b below it shared its traffic out over n = `Form.spread(t, b)` such
    switches, evenly, and its routing now shares the same over n - 1. Below tier b no load changes. On bundle b and
    those above it the load on what is left grows by n / (n - 1) at most, so they carry X(j) (n - 1) / n, and what
    remains is min(M, min over j >= b of X(j) (n - 1) / n). Each b from 0, the server, to t - 1 is a routing that works:
    the share is the best of them. From the server all bundles are hit, which leaves (n - 1) / n of M whatever M is.
    The bundle above the lost switch counts as well as the one below it, for the switch's own ports up are lost too; and
    room above helps only the switches that can reach it, which n at b >= 1 counts: those of one plane, or one group.

    A plane is as much of everything as every other, so (planes - 1) / planes remain. The other direction is alike. Of
    wired forms only what a plane holds, and a leaf with the servers' only links in it, is sure.
    """
    form, below_top = blueprint.form, blueprint.form.roles[:-1]
    if isinstance(form, GraphForm):
        return _wired_survives(blueprint, form)
    room = list(
        accumulate((1 / (blueprint.oversubscription(role) or 1) for role in below_top), mul, initial=Fraction(1))
    )
    found = {}
    for tier, role in enumerate(form.roles, 1):
        spread = [blueprint.evaluate(form.spread(tier, below)) for below in range(tier)]
        left = (Fraction(n - 1, n) * min(room[below:]) / min(room) for below, n in enumerate(spread))
        found[role] = min(Fraction(1), max(left))
    return found | {PLANE: Fraction(blueprint.planes - 1, blueprint.planes)}


def _wired_survives(blueprint: Blueprint, form: GraphForm) -> dict[str, Fraction]:
    left = Fraction(0) if form.levels else Fraction(blueprint.planes - 1, blueprint.planes)
    return {PLANE: left} if form.levels else {form.roles[0]: left, PLANE: left}


class _Tree:
    """The places of a blueprint as a tree: at each tier the servers below one place and its links to the next tier."""

    def __init__(self, blueprint: Blueprint) -> None:
        form = blueprint.form
        self.half = blueprint.servers // 2
        self.servers = [_servers_below(blueprint, group.role) for group in form.groups]
        self.links = [_links_above(blueprint, bundle.lower.role) for bundle in form.bundles]

    def cut(self, tier: int, first: int, count: int) -> tuple[float, float]:
        """Return the least links to cut below a place of `tier`, its switches with the first half or the second."""
        if first + count <= self.half:
            return 0, self.lost(tier, count)
        if first >= self.half:
            return self.lost(tier, count), 0
        size, links = self.servers[tier - 1], self.links[tier - 1]
        before, offset = divmod(self.half - first, size)
        split = first + before * size
        middle = min(size, first + count - split) if offset else 0
        after = count - before * size - middle
        crossing = self.cut(tier - 1, split, middle) if middle else (0, 0)
        left = self._kept_apart(tier, after) + min(crossing[0], crossing[1] + links)
        right = self._kept_apart(tier, before * size) + min(crossing[1], crossing[0] + links)
        return left, right

    def lost(self, tier: int, count: int) -> float:
        """Return the least links to cut below a place of `tier` whose `count` servers are all on the other side."""
        return math.inf if tier == 0 else self._kept_apart(tier, count)

    def _kept_apart(self, tier: int, count: int) -> float:
        full, rest = divmod(count, self.servers[tier - 1])
        links = self.links[tier - 1]
        apart = full * min(links, self.lost(tier - 1, self.servers[tier - 1])) if full else 0
        return apart + (min(links, self.lost(tier - 1, rest)) if rest else 0)


def _servers_below(blueprint: Blueprint, role: str) -> int:
    """Return the servers of one full place that `role` has; all of them where it has none."""
    places = blueprint.form.places(blueprint.form.group(role))
    return servers_in(blueprint, places[-1]) if places else blueprint.servers


def _links_above(blueprint: Blueprint, role: str) -> int:
    """Return the links up from all devices of `role` in one place."""
    group = blueprint.form.group(role)
    places = blueprint.form.places(group)
    return blueprint.evaluate(tuple(axis for axis in group.axes if axis not in places)) * blueprint.ports_up(role)
