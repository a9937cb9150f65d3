"""The switches of one plane as a graph: distances between them, and the maximum flow between two halves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.topology.graph_form import GraphForm
from fabric.topology.patterns import Rows
from fabric.topology.polynomial import evaluate
from fabric.topology.topology import PLANE, Sizes

__all__ = ["FAR", "Graph", "graph_of"]

WORDS = 1 << 22
"""Machine words, each the membership of 64 sources, gathered at a time: what fits a cache."""

FAR = 255
"""The distance of what is not connected."""


@dataclass(frozen=True, eq=False)
class Graph:
    """The arcs between the switches of one plane, in both directions, ordered by their tails."""

    switches: int
    """The number of switches, numbered group by group."""
    ends: Rows
    """The switches at which traffic enters and leaves, shape (ends, ports): the leaves, or those of each NIC."""
    tails: Rows
    """The switch that an arc leaves, shape (arcs,)."""
    heads: Rows
    """The switch that an arc enters, shape (arcs,)."""
    copies: Rows
    """The parallel links of an arc, shape (arcs,)."""
    weights: Rows
    """The weight of an arc in minimal routing, shape (arcs,)."""
    rows: Rows
    """The row, in the network's first plane, of the first of an arc's parallel links, shape (arcs,)."""
    back: npt.NDArray[np.bool_]
    """Whether an arc leads from the upper end of its links to the lower, shape (arcs,)."""
    hosts: Rows
    """The switch of each of the servers' links, shape (host links,)."""
    host_server: Rows
    """The server of each of the servers' links, shape (host links,)."""

    @cached_property
    def starts(self) -> Rows:
        """The first arc of each switch, and their number, shape (switches + 1,)."""
        return np.searchsorted(self.tails, np.arange(self.switches + 1))

    def distances(self, sources: Rows) -> list[int]:
        """Return the pairs of an end in `sources` and an end at each distance in links, from 0, as far as there are."""
        found: list[int] = []
        step = max(1, WORDS // max(1, len(self.heads))) * 64
        for first in range(0, len(sources), step):
            for distance, pairs in enumerate(self._reached(sources[first : first + step])):
                found[distance:] = [sum(found[distance : distance + 1]) + pairs, *found[distance + 1 :]]
        return found

    def _reached(self, sources: Rows) -> list[int]:
        """Return the ends newly reached from all sources together with each further link, by sets of 64 sources."""
        seen = self._members(self.ends[sources])
        known, reached, counts = -1, 0, list[int]()
        # reduceat returns an element for an empty run too, so switches without arcs are left out.
        joined = np.flatnonzero(np.diff(self.starts))
        while (everywhere := int(np.bitwise_count(seen).sum())) > known:
            known = everywhere
            ends = int(np.bitwise_count(np.bitwise_or.reduce(seen[self.ends], axis=1)).sum())
            counts.append(ends - reached)
            reached = ends
            if everywhere == self.switches * len(sources):
                break
            # One bit for each source: a step of 64 searches is an OR of words along the arcs.
            near = np.bitwise_or.reduceat(seen[self.heads], self.starts[joined], axis=0) if len(joined) else seen
            seen[joined] |= near
        return counts

    def _members(self, sets: Rows) -> npt.NDArray[np.uint64]:
        """Return which of the sets of switches, shape (sets, each), each switch is in, 64 sets to a word."""
        number = np.repeat(np.arange(len(sets)), sets.shape[1])
        found = np.zeros((self.switches, -(-len(sets) // 64)), np.uint64)
        bit = np.uint64(1) << (number % 64).astype(np.uint64)
        np.bitwise_or.at(found, (sets.reshape(-1), number // 64), bit)
        return found

    def all_distances(self, targets: Rows) -> npt.NDArray[np.uint8]:
        """Return the least weight between every switch and every target, shape (switches, targets); FAR: none join."""
        seen = self._members(targets[:, None])
        found = np.full((self.switches, len(targets)), FAR, np.uint8)
        weights = np.unique(self.weights)
        front, distance = {0: seen}, 0
        while front:
            new = front.get(distance, np.zeros_like(seen))
            bits = np.unpackbits(new.view(np.uint8), axis=1, count=len(targets), bitorder="little")
            found[bits.astype(bool)] = distance
            distance += 1
            near = [self._near(front[distance - weight], weight) for weight in weights if distance - weight in front]
            new = np.bitwise_or.reduce([np.zeros_like(seen), *near]) & ~seen
            seen = seen | new
            # An arc weighs at most the maximum, so older fronts lead nowhere new.
            front = {each: sets for each, sets in front.items() if each > distance - weights.max(initial=0)}
            front |= {distance: new} if new.any() else {}
        return found

    def _near(self, sets: npt.NDArray[np.uint64], weight: int) -> npt.NDArray[np.uint64]:
        """Return the sets that each switch reaches by one arc of a weight, given those that it is in."""
        arcs = np.flatnonzero(self.weights == weight)
        starts = np.searchsorted(self.tails[arcs], np.arange(self.switches + 1))
        joined, near = np.flatnonzero(np.diff(starts)), np.zeros_like(sets)
        for some in np.array_split(np.arange(sets.shape[1]), -(-len(arcs) * sets.shape[1] // WORDS)):
            near[np.ix_(joined, some)] = np.bitwise_or.reduceat(sets[:, some][self.heads[arcs]], starts[joined], axis=0)
        return near

    def nearer(
        self, at: Rows, goal: Rows, far: npt.NDArray[np.uint8], drawn: Callable[[Rows], Rows]
    ) -> tuple[Rows, Rows]:
        """Return for each packet an arc from switch `at` that leads nearer to target `goal`, and which of its links.

        Each link is equally likely.
        `far` are the distances to all targets, and `drawn` a whole number below each of those it is given.
        """
        degree = np.diff(self.starts)[at]
        arcs = (self.starts[at][:, None] + np.arange(int(degree.max()))).astype(np.int32)
        there = np.arange(arcs.shape[1]) < degree[:, None]
        arcs[~there] = 0
        places = self.heads.astype(np.int32)[arcs] * np.int64(far.shape[1]) + goal[:, None]
        weights = self.weights.astype(far.dtype)[arcs]
        onward = (far.reshape(-1)[places] + weights == far[at, goal][:, None]) & there
        # Links are counted arc by arc, as they are where each is an arc of its own.
        copies = self.copies.astype(np.int32)[arcs]
        total = np.cumsum(onward * copies, axis=1, dtype=np.int32)
        number, row = drawn(total[:, -1].astype(np.int64)), np.arange(len(at))
        place = (total > number[:, None]).argmax(axis=1)
        copy = number - total[row, place] + copies[row, place]
        return np.asarray(arcs[row, place], np.int64), np.asarray(copy, np.int64)

    def flow(self, servers: int, host_rate: int = 1, rate: int = 1) -> int:
        """Return the maximum flow from the first half of the servers to the others; all of them forward.

        A host link carries `host_rate` and one between switches `rate`, in any unit.
        """
        from ortools.graph.python import max_flow

        solver, source, sink = max_flow.SimpleMaxFlow(), self.switches, self.switches + 1
        side = np.where(self.host_server < servers // 2, source, sink)
        solver.add_arcs_with_capacity(self.tails, self.heads, rate * self.copies)
        both = np.concatenate([side, self.hosts]), np.concatenate([self.hosts, side])
        solver.add_arcs_with_capacity(*both, np.full(2 * len(side), host_rate, np.int64))
        if servers < 2 or solver.solve(source, sink) != solver.OPTIMAL:
            return 0
        return int(solver.optimal_flow())


def graph_of(form: GraphForm, sizes: Sizes) -> Graph:
    """Return one plane of a graph form of these sizes; all of a server-centric one, whose levels are not planes."""
    first, total = {}, 0
    for group in form.switch_groups:
        first[group.role] = total
        total += math.prod(sizes[axis] for axis in group.axes if axis != PLANE)
    leaves = first.get(form.roles[1], total) if len(form.roles) > 1 else total
    parts, hosts, servers, start = list[tuple[Rows, ...]](), list[Rows](), list[Rows](), 0
    for bundle in form.bundles:
        low, high = bundle.pairs(sizes)
        if bundle in form.host_patterns:
            hosts.append(high + first[bundle.upper.role])
            servers.append(low)
        else:
            each = sizes[bundle.name] * (sizes[PLANE] if PLANE in bundle.lower.axes else 1)
            rows = start + np.arange(len(low)) * each
            ends = low + first[bundle.lower.role], high + first[bundle.upper.role]
            of_links = np.full(len(low), sizes[bundle.name]), np.full(len(low), form.paths.weights.get(bundle.name, 1))
            parts += [(*ends, rows, 0 * rows, *of_links), (*reversed(ends), rows, 0 * rows + 1, *of_links)]
        start += evaluate(bundle.total, sizes)
    tails, heads, link, back, copies, weights = map(np.concatenate, zip(*parts, strict=True)) if parts else NONE
    order = np.argsort(tails.astype(np.min_scalar_type(total)), kind="stable")  # numbers of 16 bits sort in linear time
    targets = np.stack(hosts, axis=1) if form.routing.nic_levels else np.arange(leaves)[:, None]
    arcs = (tails[order], heads[order], copies[order], weights[order], link[order], back[order] == 1)
    return Graph(total, targets, *arcs, np.concatenate(hosts), np.concatenate(servers))


NONE = (np.zeros(0, np.int64),) * 6
