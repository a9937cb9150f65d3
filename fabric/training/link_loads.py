"""What a message puts on the links of a Clos: the bytes out of and into every place, whatever the order of ranks.

Healthy links of an equal-cost group are loaded alike by sprayed packets, and by hashed ones on average. So the loads of
these groups, counted from the ends of flows without laying a path, say all that closed forms ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import Collective
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.rank_runs import RankRuns
from fabric.flow.steps import Cuts, Step
from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_routes import route_by_groups

__all__ = ["LinkLoads", "all_pairs", "count_all_pairs", "count_flows", "lay_phases", "places_of", "send_to_next"]

Rows = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]

DIGITS = 9
"""The digits to which loads are equal: they are sums of a few equal parts in different orders."""


TRACE = 1e-12
"""The part of the busiest NIC's load below which a load is rounding."""


@dataclass(frozen=True, eq=False)
class LinkLoads:
    """The bytes on every equal-cost group of links for each byte of a message, while all of its groups send at once."""

    layers: tuple[Amounts, ...]
    """Those up and down each bundle, the host links first, of shape (2, places, sets of rails); 1 for equal sets."""
    sets: tuple[int, ...]
    """The sets of rails of each layer, which at host links are the NICs of a server."""
    partners: int
    """The NICs that a NIC sends to, at most."""
    turns: Amounts
    """The flows, or the bytes, that turn at each tier, from the leaf up, shape (tiers,)."""
    sent: float | None = None
    """The bytes of the busiest NIC where links that are down make the loads of others count more; None: `busiest`."""

    @cached_property
    def busiest(self) -> float:
        """The bytes of the busiest NIC."""
        return float(self.layers[0].max())

    @property
    def weight(self) -> float:
        """The bytes that the busiest NIC sends or takes in."""
        return self.busiest if self.sent is None else self.sent

    @property
    def scaled(self) -> LinkLoads:
        """The loads of as many bytes that the busiest NIC sends or takes in one."""
        return replace(self, layers=tuple(each / self.weight for each in self.layers), sent=1.0)

    def beside(self, other: LinkLoads) -> LinkLoads:
        """Return the loads of both at the same time."""
        layers = tuple(one + two for one, two in zip(self.layers, other.layers, strict=True))
        return LinkLoads(layers, self.sets, self.partners + other.partners, self.turns + other.turns)

    def changed(self, before: LinkLoads, after: LinkLoads) -> LinkLoads:
        """Return the loads where some of them, `before`, have become others, `after`."""
        changed = (own - old + new for own, old, new in zip(self.layers, before.layers, after.layers, strict=True))
        # Rounding must not leave traces of loads that are gone.
        layers = tuple(np.where(each > TRACE * self.busiest, each, 0.0) for each in changed)
        return replace(self, layers=layers, turns=np.maximum(self.turns, after.turns > 0))

    def only_where(self, other: LinkLoads) -> LinkLoads:
        """Return the loads of the links that another message uses, too."""
        layers = (np.where(two > 0, one, 0.0) for one, two in zip(self.layers, other.layers, strict=True))
        return replace(self, layers=tuple(layers))

    def step(self, summary: FabricSummary) -> Step:
        """Return them as a step of a collective in closed form on the fabric of this summary."""
        nics, found = summary.server.nics, []
        sent = float(self.layers[0][0].mean()) * summary.servers * nics
        for load, sets, size in zip(self.layers[1:], self.sets[1:], summary.peers, strict=True):
            behind = size * nics / sets
            values, counts = np.unique(np.round(load / (self.busiest * behind), DIGITS), return_counts=True)
            each = sets / load.shape[2]
            loads = tuple((value, count * each) for value, count in zip(values.tolist(), counts.tolist(), strict=True))
            crossing = float(load[0].sum()) * each / sent
            found.append(Cuts((values[-1:], np.ones(1)), loads, crossing, behind))
        return Step(self.busiest * nics, tuple(found), self.partners)

    def switches(self, steps: tuple[int, ...], *, longest: bool) -> float:
        """Return the switches on a path, the mean over its flows, or those on the longest."""
        used = np.flatnonzero(self.turns)
        if longest:
            return float(steps[used[-1]])
        return float(np.asarray(steps) @ self.turns / self.turns.sum())


def places_of(links: TieredLinks) -> list[tuple[int, int]]:
    """Return the places below each bundle, the servers first, and the sets of rails or the NICs of each."""
    places = [-(-links.blueprint.servers // layer.servers) for layer in links.layers]
    return [(count, layer.groups // count) for count, layer in zip(places, links.layers, strict=True)]


def lay_phases(
    hosts: Hosts, gpus: Rows, collective: Collective, algorithm: Algorithm, peers: int | None = None
) -> list[Phase]:
    """Return the flows of a collective in every group, phase by phase; `gpus` are (groups, ranks).

    Groups that are in unlike numbers of servers are laid out apart. Of an all-to-all, flows to `peers` stand for those
    to all.
    """
    assert algorithm.flows is not None
    servers = hosts.server_of_gpu(gpus)
    runs = (servers[:, 1:] != servers[:, :-1]).sum(axis=1)
    every = [
        list(algorithm.flows(RankRuns.of(hosts, gpus[runs == each]), collective, peers)) for each in np.unique(runs)
    ]
    longest = max(map(len, every))
    return [_join([each[number] for each in every if number < len(each)]) for number in range(longest)]


def send_to_next(hosts: Hosts, gpus: Rows, *, around: bool) -> Phase:
    """Return the flows from every rank to the next of its group, and `around` from the last to the first."""
    runs = RankRuns.of(hosts, gpus.reshape(1, -1))
    number = np.arange(gpus.size).reshape(gpus.shape)
    source, target = number, np.roll(number, -1, axis=1)
    if not around:
        source, target = source[:, :-1], target[:, :-1]
    return runs.send(source.reshape(-1), target.reshape(-1), 1.0)


def _join(phases: list[Phase]) -> Phase:
    if len(phases) == 1:
        return phases[0]
    source, target, shares = (
        np.concatenate(each) for each in zip(*((one.source, one.target, one.shares) for one in phases), strict=True)
    )
    return Phase(source, target, shares, speeds=phases[0].speeds)


def count_flows(blueprint: Blueprint, links: TieredLinks, phases: Iterable[Phase], *, pxn: bool) -> list[LinkLoads]:
    """Return the loads of each of these phases that has flows."""
    found = []
    for phase in (cross_rails(blueprint, each, pxn=pxn) for each in phases if each.flows):
        routes = route_by_groups(links, phase, None)
        total = np.zeros(2 * links.groups + 1)
        for column in routes.arcs.T:
            total += np.bincount(column, phase.shares, len(total))
        ends = [*(layer.first_group for layer in links.layers[1:])]
        shapes = places_of(links)
        parts = np.split(total[:-1].reshape(2, -1), ends, axis=1)
        layers = tuple(part.reshape(2, *shape) for part, shape in zip(parts, shapes, strict=True))
        turns = np.bincount(routes.hops // 2 - 1, minlength=links.tiers).astype(np.float64)
        # GPUs that share a NIC send to the same ones.
        sharing = max(1, blueprint.server.gpus // blueprint.server.nics)
        partners = -(-int(np.bincount(phase.source).max()) // sharing)
        found.append(LinkLoads(layers, tuple(sets for _, sets in shapes), partners, turns))
    return found


def count_all_pairs(links: TieredLinks, hosts: Hosts, gpus: Rows, *, beside: bool) -> LinkLoads:
    """Return the loads of an all-to-all in every group, `gpus` being (groups, ranks), counted without its flows.

    Each rank sends 1 / n of its bytes to each of n ranks, by each NIC of a GPU to the same one of another. Of those in
    one place and on one set of rails, c send to the n - c others, those of their own servers by NVLink; `beside`, all
    of a place send to those elsewhere whose NICs are on that set, since NVLink takes data to the rail of its target.
    """
    groups, ranks = gpus.shape
    each = hosts.shares_of_gpu(gpus)
    part = np.arange(each)
    ends = links.ends(hosts.nic_of_gpu(gpus.reshape(-1, 1), part, each))
    group = np.arange(groups).repeat(ranks)[:, None] * each + part
    own = _count(group, ends.own)
    found, shapes = list[Amounts](), places_of(links)
    for layer, (_, sets) in zip(links.layers, shapes, strict=True):
        place = np.asarray(layer.group(ends.server, ends.rails, ends.copy) - layer.first_group)
        if beside:
            found.append(_count_beside(group, place, sets, layer.groups, ranks) / each)
            continue
        # Ranks of one server, on other sets of rails, are reached by NVLink.
        sent = (ranks - _count(group, place) - (own - _count(group, place, ends.own))) / ranks / each
        out = np.bincount(place.reshape(-1), sent.reshape(-1), layer.groups)
        found.append(np.stack([out, out]).astype(np.float64))
    layers = [each.reshape(2, *shape) for each, shape in zip(found, shapes, strict=True)]
    return all_pairs(layers, links, int(np.ceil((ranks - own.min()) * each)))


def all_pairs(layers: list[Amounts], links: TieredLinks, partners: int) -> LinkLoads:
    """Return the loads of an all-to-all from those of its layers: what climbs no further turns."""
    sets = tuple(each for _, each in places_of(links))
    climbing = [float(load[0].sum()) * each / load.shape[2] for load, each in zip(layers, sets, strict=True)]
    return LinkLoads(tuple(layers), sets, max(1, partners), -np.diff(np.append(climbing, 0.0)))


def _count_beside(group: Rows, place: Rows, sets: int, places: int, ranks: int) -> Amounts:
    """Return what leaves and enters each place on each set of rails where NVLink takes data to its target's rail.

    Places are numbered with their sets, of which there are `sets` in each.
    """
    group, (locality, rail) = group.reshape(-1), np.divmod(place.reshape(-1), sets)
    pairs, number = np.unique(group * (places // sets) + locality, return_inverse=True)
    of_pair, locality = np.divmod(pairs, places // sets)
    inside = np.bincount(number * sets + rail, minlength=len(pairs) * sets).reshape(-1, sets)
    every = np.bincount(group * sets + rail, minlength=(int(group.max()) + 1) * sets).reshape(-1, sets)
    together = inside.sum(axis=1, keepdims=True)
    sent, taken = together * (every[of_pair] - inside) / ranks, inside * (ranks - together) / ranks
    row = (locality[:, None] * sets + np.arange(sets)).reshape(-1)
    return np.stack([np.bincount(row, each.reshape(-1), places) for each in (sent, taken)])


def _count(*keys: Rows) -> Amounts:
    """Return how many entries have the same keys as each, of the shape of the last key."""
    shape = np.broadcast_shapes(*(np.shape(each) for each in keys))
    key = np.zeros(shape, np.int64)
    for each in keys:
        key = key * (int(np.max(each)) + 1) + each
    _, number, counts = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(counts[number].reshape(shape), np.float64)
