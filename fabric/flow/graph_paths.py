"""Paths through a graph topology: from switch to switch by shortest paths, directly or by an intermediate switch.

At every hop a sub-flow takes one of the links that lead nearer to its target, by a hash of its key, as equal-cost
multi-path routing does. Valiant's paths go by a leaf that the hash draws (L. Valiant 1982, doi 10.1137/0211027): they
are twice as long, but under them no traffic is worse than uniform traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.hashing import Keys, below, nth
from fabric.resources import Work, refuse_excess
from fabric.topology.graph_form import GraphForm
from fabric.topology.switch_graph import FAR, Graph, graph_of

__all__ = ["GraphPaths", "Ports"]

CHUNK = 1 << 14
"""Sub-flows that take a hop at a time."""

BYTES_PER_PAIR, SECONDS_PER_PAIR = 3, 30e-9
"""What the distance between two switches takes while all distances are found."""

BY, ON, ARRIVE = 1 << 16, 1 << 17, 1 << 15
"""Numbers of the hashes that draw the intermediate leaf, the hops from it on, and the level by which to arrive."""

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Ports:
    """The ports by which sub-flows leave and reach NICs."""

    rows: tuple[Rows, Rows]
    """The rows of their links, at the source and at the target."""
    switches: tuple[Rows, Rows]
    """The switches at the other ends of these links."""
    plane: Rows
    """The planes."""


@dataclass(frozen=True, eq=False)
class GraphPaths:
    """The paths through a graph topology over the links that are up."""

    blueprint: Blueprint
    """The fabric."""
    form: GraphForm
    """Its topology."""
    up: npt.NDArray[np.bool_] | None = None
    """Which links are up, shape (links,); None for all."""

    @property
    def ports(self) -> int:
        """The ports of a NIC: one in each plane, or one to each level."""
        return self.form.routing.nic_levels or self.blueprint.planes

    @property
    def planes(self) -> int:
        """The planes; with levels, whose switches NICs join, one."""
        return 1 if self.form.routing.nic_levels else self.blueprint.planes

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        """One graph for all planes where all links are up, else one of each plane; with NICs where servers forward."""
        graph, relay = self._switches, self.form.routing.server_relay
        graph = _with_nics(graph, self.form.routing.nic_levels) if relay else graph
        if self.up is None:
            return (graph,)
        return tuple(_without_failed(graph, self.up, plane, self.planes) for plane in range(self.planes))

    @cached_property
    def _switches(self) -> Graph:
        return graph_of(self.form, self.blueprint.sizes)

    @property
    def ends(self) -> Rows:
        """The switches of each end: a leaf, or with levels those of a NIC, shape (ends, 1 or levels)."""
        return self._switches.ends

    @cached_property
    def distances(self) -> tuple[npt.NDArray[np.uint8], ...]:
        """The weight of the shortest path between every vertex and every switch that has NICs, in each graph."""
        targets = np.arange(int(self.ends.max()) + 1)
        pairs = len(self.graphs) * self.graphs[0].switches * len(targets)
        work = Work(pairs * BYTES_PER_PAIR, pairs * SECONDS_PER_PAIR)
        refuse_excess(f"{self.blueprint.name}: the distances of {pairs:,} pairs of switches", work, "take fewer GPUs")
        return tuple(graph.all_distances(targets) for graph in self.graphs)

    def choose(self, source: Rows, target: Rows, port: Rows, keys: Keys, valiant: Rows) -> tuple[Rows, Rows]:
        """Return the arcs of sub-flows between NICs, shape (sub-flows, hops), padded, and which no path joins.

        `port` is the port by which each leaves, where that is up; `valiant` are the sub-flows that go by an
        intermediate leaf, and with levels arrive by any of them.
        """
        links = self.blueprint.links_total
        ports = self.ports_of(source, target, port)
        if self.form.routing.nic_levels:
            ports = self._arriving_anywhere(ports, target, keys, valiant)
        disconnected = np.zeros(len(source), bool)
        if self.up is not None:
            disconnected |= ~(self.up[ports.rows[0]] & self.up[ports.rows[1]])
        begin, end = ports.switches
        by = self._draw_intermediate(begin, ports.plane, keys, valiant)
        columns = [ports.rows[0], links + ports.rows[1]]
        columns += self._hop_to(begin, by, ports.plane, keys, disconnected, 0)
        columns += self._hop_to(by, end, ports.plane, keys, disconnected, ON)
        arcs = np.stack(columns, axis=1).astype(np.int32)
        arcs[disconnected] = 2 * links
        return arcs, disconnected

    def _draw_intermediate(self, begin: Rows, plane: Rows, keys: Keys, valiant: Rows) -> Rows:
        """Return the leaf by which each sub-flow goes: one drawn by its key, or its own where none is to be drawn.

        It is drawn among the leaves that failures leave connected to its own, as a fabric manager would program it.
        """
        leaves = self.distances[0].shape[1]
        if self.up is None:
            return np.where(valiant, below(nth(keys, BY), leaves), begin)
        part, count, first, order = (np.stack(column) for column in zip(*self._connected, strict=True))
        number = part[plane, begin]
        drawn = first[plane, number] + below(nth(keys, BY), count[plane, number])
        return np.where(valiant, order[plane, drawn], begin)

    @cached_property
    def _connected(self) -> list[tuple[Rows, Rows, Rows, Rows]]:
        """The connected parts of each plane.

        The part of every vertex, named by its first leaf; by part the number of its leaves, and where these begin in
        the last array, which has all leaves in the order of their parts.
        """
        found = []
        for distances in self.distances:
            part = (distances < FAR).argmax(axis=1)
            own = part[: distances.shape[1]]
            count = np.bincount(own, minlength=len(own))
            found.append((part, count, np.cumsum(count) - count, np.argsort(own, kind="stable")))
        return found

    def ports_of(self, source: Rows, target: Rows, port: Rows) -> Ports:
        """Return the ports by which sub-flows leave and arrive; `port` is the plane, or the level, assigned to each."""
        return (self._by_levels if self.form.routing.nic_levels else self._by_planes)(source, target, port)

    def _by_planes(self, source: Rows, target: Rows, port: Rows) -> Ports:
        """Leave and arrive in the plane assigned, or in the next plane in which a path joins both."""
        plane = port
        if self.up is not None and self.planes > 1:
            joined = np.stack([self._joins_in(each, source, target) for each in range(self.planes)])
            for _ in range(self.planes - 1):
                plane = np.where(joined[plane, np.arange(len(plane))], plane, (plane + 1) % self.planes)
        rows = source * self.planes + plane, target * self.planes + plane
        return Ports(rows, (source // self._leaf_nics, target // self._leaf_nics), plane)

    @property
    def _leaf_nics(self) -> int:
        """The NICs below one leaf."""
        return self.blueprint.server.nics * self.blueprint.sizes["slot"]

    def _joins_in(self, plane: int, source: Rows, target: Rows) -> Rows:
        """Return which pairs of NICs a path in one plane joins: both have a link there, and their leaves are joined."""
        assert self.up is not None
        rows = source * self.planes + plane, target * self.planes + plane
        between = self.distances[plane][source // self._leaf_nics, target // self._leaf_nics] < FAR
        return np.asarray(self.up[rows[0]] & self.up[rows[1]] & between)

    def joins(self, source: Rows, target: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs of NICs a path joins, in any plane or from any level to any, shape (pairs,)."""
        if self.up is None:
            return np.ones(len(source), bool)
        if not self.form.routing.nic_levels:
            each = [self._joins_in(plane, source, target) for plane in range(self.planes)]
            return np.asarray(np.any(each, axis=0))
        nics, levels = len(self.ends), self.form.routing.nic_levels
        up = self.up[: levels * nics].reshape(levels, nics).T
        distance = self.distances[0][self.ends[source][:, :, None], self.ends[target][:, None, :]]
        joined = (distance < FAR) & up[source][:, :, None] & up[target][:, None, :]
        return np.asarray(joined.any(axis=(1, 2)))

    def _by_levels(self, source: Rows, target: Rows, port: Rows) -> Ports:
        """Leave by the level assigned, and arrive by the one that makes the paths from all levels short and similar."""
        levels, nics = self.form.routing.nic_levels, len(self.ends)
        orders = np.array(list(permutations(range(levels))))
        begin, end = self.ends[source], self.ends[target]
        distance = self.distances[0][begin[:, :, None], end[:, None, :]].astype(np.int64)
        if self.up is not None:
            up = self.up[: levels * nics].reshape(levels, nics).T
            distance += FAR * ~up[source][:, :, None] + FAR * ~up[target][:, None, :]
            # One pair of levels that both are down costs no more than two of which one is: what is left stays in pairs.
            distance = np.minimum(distance, FAR)
        # Each order pairs the levels of the source with those of the target; squares prefer paths of similar length.
        total = (distance**2)[:, np.arange(levels), orders].sum(axis=2)
        order, flow = orders[total.argmin(axis=1)], np.arange(len(source))
        there = order[flow, port]
        for _ in range(levels - 1 if self.up is not None else 0):
            port = np.where(distance[flow, port, there] < FAR, port, (port + 1) % levels)
            there = order[flow, port]
        rows = port * nics + source, there * nics + target
        return Ports(rows, (begin[flow, port], end[flow, there]), 0 * port)

    def _arriving_anywhere(self, ports: Ports, target: Rows, keys: Keys, valiant: Rows) -> Ports:
        """Return the ports with others at the targets of the sub-flows that are `valiant`, drawn by their keys."""
        level = below(nth(keys, ARRIVE), self.ports)
        rows = np.where(valiant, level * len(self.ends) + target, ports.rows[1])
        switches = np.where(valiant, self.ends[target, level], ports.switches[1])
        return Ports((ports.rows[0], rows), (ports.switches[0], switches), ports.plane)

    def _hop_to(self, source: Rows, target: Rows, plane: Rows, keys: Keys, disconnected: Rows, salt: int) -> list[Rows]:
        """Return the arcs of paths between switches, a column a hop; sets `disconnected` where there is none."""
        at, links = source.copy(), self.blueprint.links_total
        found = list[Rows]()
        while (moving := np.flatnonzero((at != target) & ~disconnected)).size:
            column, choice = np.full(len(at), 2 * links, np.int64), salt + len(found)
            for number, part in self._parts(moving, plane):
                graph, distances = self.graphs[number], self.distances[number]
                stuck = distances[at[part], target[part]] == FAR
                disconnected[part[stuck]] = True
                rows = part[~stuck]
                if rows.size:
                    draw = partial(below, nth(keys[rows], choice))
                    arc, copy = graph.nearer(at[rows], target[rows], distances, draw)
                    row = graph.rows[arc] + copy * self.planes + plane[rows]
                    column[rows] = np.where(graph.back[arc], links + row, row)
                    at[rows] = graph.heads[arc]
            found.append(column)
        return found

    def _parts(self, moving: Rows, plane: Rows) -> Iterator[tuple[int, Rows]]:
        """Yield the numbers of sub-flows that take a hop together, with that of their graph."""
        for rows in np.split(moving, range(CHUNK, len(moving), CHUNK)):
            for number in range(len(self.graphs)):
                some = rows[plane[rows] == number] if len(self.graphs) > 1 else rows
                if some.size:
                    yield number, some


def _with_nics(graph: Graph, levels: int) -> Graph:
    """Return a graph with one more vertex for each NIC, joined to its switches."""
    nics = len(graph.ends)
    nic = np.tile(graph.switches + np.arange(nics), levels)
    switch, rows, one = graph.ends.T.reshape(-1), np.arange(nics * levels), np.ones(nics * levels, np.int64)
    columns = (
        (graph.tails, nic, switch), (graph.heads, switch, nic), (graph.copies, one, one), (graph.weights, one, one),
        (graph.rows, rows, rows), (graph.back, one == 0, one == 1),
    )  # fmt: skip
    tails, heads, copies, weights, link, back = (np.concatenate(column) for column in columns)
    order = np.argsort(tails, kind="stable")
    arcs = {"tails": tails, "heads": heads, "copies": copies, "weights": weights, "rows": link, "back": back}
    return replace(graph, switches=graph.switches + nics, **{name: column[order] for name, column in arcs.items()})


def _without_failed(graph: Graph, up: npt.NDArray[np.bool_], plane: int, planes: int) -> Graph:
    """Return the graph of one plane with an arc for each link that is up."""
    arc = np.repeat(np.arange(len(graph.tails)), graph.copies)
    copy = np.arange(len(arc)) - np.repeat(np.cumsum(graph.copies) - graph.copies, graph.copies)
    rows = graph.rows[arc] + copy * planes
    alive = up[rows + plane]
    arc, one = arc[alive], np.ones(int(alive.sum()), np.int64)
    kept = {name: getattr(graph, name)[arc] for name in ("tails", "heads", "weights", "back")}
    return replace(graph, **kept, rows=rows[alive], copies=one)
