"""Flows to arcs on a wired fabric: from switch to switch on shortest paths, at once or by way of another switch.

At every hop a sub-flow takes one of the links that lead nearer to its target, by a hash of its key, as routing by
equal-cost paths does. Valiant's ways go by a leaf that the hash draws (L. Valiant 1982, doi 10.1137/0211027): they are
twice as long, but no traffic is worse by them than uniform traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import TooLarge
from fabric.flow.hashing import Keys, below, nth
from fabric.network.expand import memory_bytes
from fabric.topology.graph_form import GraphForm
from fabric.topology.switch_graph import FAR, Graph, graph_of

__all__ = ["GraphRouter", "Ports"]

CHUNK = 1 << 14
"""Sub-flows that take a hop at a time."""

BY, ON = 1 << 16, 1 << 17
"""Numbers of the hashes that draw the leaf to go by, and the hops from it on."""

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Ports:
    """The ports that sub-flows leave and reach NICs by: the rows of their links, the switches there, and the planes."""

    rows: tuple[Rows, Rows]
    switches: tuple[Rows, Rows]
    plane: Rows


@dataclass(frozen=True, eq=False)
class GraphRouter:
    """The ways through a wired blueprint over the links that are `up`, shape (links,), or all."""

    blueprint: Blueprint
    up: npt.NDArray[np.bool_] | None = None

    @cached_property
    def topology(self) -> GraphForm:
        assert isinstance(self.blueprint.topology, GraphForm)
        return self.blueprint.topology

    @property
    def ports(self) -> int:
        """The ports of a NIC: one in each plane, or to each level."""
        return self.topology.routing.nic_levels or self.blueprint.planes

    @property
    def planes(self) -> int:
        return 1 if self.topology.routing.nic_levels else self.blueprint.planes

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        """One graph for all planes where all links are up, and else that of each; with NICs where they pass on."""
        graph = (
            _with_nics(self._switches, self.topology.routing.nic_levels)
            if self.topology.routing.server_relay
            else self._switches
        )
        if self.up is None:
            return (graph,)
        return tuple(_over(graph, self.up, plane, self.planes) for plane in range(self.planes))

    @cached_property
    def _switches(self) -> Graph:
        return graph_of(self.topology, self.blueprint.sizes)

    @property
    def ends(self) -> Rows:
        """The switches of each end: a leaf, or with levels a NIC, shape (ends, 1 or levels)."""
        return self._switches.ends

    @cached_property
    def distances(self) -> tuple[npt.NDArray[np.uint8], ...]:
        """The weight of the ways between every vertex and every switch that has NICs, in each graph."""
        targets = np.arange(int(self.ends.max()) + 1)
        needed = len(self.graphs) * self.graphs[0].switches * len(targets)
        if 2 * needed > memory_bytes() / 2:
            raise TooLarge(
                f"{self.blueprint.name}: the distances between all switches take {units.size(needed)}; take fewer GPUs,"
                " or the closed form"
            )
        return tuple(graph.all_distances(targets) for graph in self.graphs)

    def taken(self, source: Rows, target: Rows, dealt: Rows, keys: Keys, valiant: Rows) -> tuple[Rows, Rows]:
        """Return the arcs of sub-flows between NICs, shape (sub-flows, hops), padded, and which no path joins.

        `dealt` are the ports by which they leave, where these are up, and `valiant` says which go by another leaf.
        """
        links = self.blueprint.links_total
        ports = self.leaving(source, target, dealt)
        apart = np.zeros(len(source), bool)
        if self.up is not None:
            apart |= ~(self.up[ports.rows[0]] & self.up[ports.rows[1]])
        begin, end = ports.switches
        by = np.where(valiant, below(nth(keys, BY), len(self.ends)), begin)
        columns = [ports.rows[0], links + ports.rows[1]]
        columns += self._walk(begin, by, ports.plane, keys, apart, 0)
        columns += self._walk(by, end, ports.plane, keys, apart, ON)
        arcs = np.stack(columns, axis=1).astype(np.int32)
        arcs[apart] = 2 * links
        return arcs, apart

    def leaving(self, source: Rows, target: Rows, dealt: Rows) -> Ports:
        """Return the ports by which sub-flows leave and arrive that are dealt a plane, or a level, each."""
        return (self._by_levels if self.topology.routing.nic_levels else self._by_planes)(source, target, dealt)

    def _by_planes(self, source: Rows, target: Rows, dealt: Rows) -> Ports:
        """Leave and arrive in the plane dealt, or the next in which both links are up."""
        leaf = self.blueprint.server.nics * self.blueprint.sizes["slot"]
        plane, up = dealt, self.up
        for _ in range(0 if up is None else self.planes - 1):
            assert up is not None
            live = up[source * self.planes + plane] & up[target * self.planes + plane]
            plane = np.where(live, plane, (plane + 1) % self.planes)
        rows = source * self.planes + plane, target * self.planes + plane
        return Ports(rows, (source // leaf, target // leaf), plane)

    def _by_levels(self, source: Rows, target: Rows, dealt: Rows) -> Ports:
        """Leave by the level dealt, and arrive by that which makes the ways from all levels short, and alike."""
        levels, nics = self.topology.routing.nic_levels, len(self.ends)
        orders = np.array(list(permutations(range(levels))))
        begin, end = self.ends[source], self.ends[target]
        far = self.distances[0][begin[:, :, None], end[:, None, :]].astype(np.int64)
        if self.up is not None:
            live = self.up[: levels * nics].reshape(levels, nics).T
            far += FAR * ~live[source][:, :, None] + FAR * ~live[target][:, None, :]
        total = (far**2)[:, np.arange(levels), orders].sum(axis=2)
        order, flow = orders[total.argmin(axis=1)], np.arange(len(source))
        there = order[flow, dealt]
        for _ in range(levels - 1 if self.up is not None else 0):
            dealt = np.where(far[flow, dealt, there] < FAR, dealt, (dealt + 1) % levels)
            there = order[flow, dealt]
        rows = dealt * nics + source, there * nics + target
        return Ports(rows, (begin[flow, dealt], end[flow, there]), 0 * dealt)

    def _walk(self, source: Rows, target: Rows, plane: Rows, keys: Keys, apart: Rows, salt: int) -> list[Rows]:
        """Return the arcs of walks between switches, a column a hop; those that can't go on are set `apart`."""
        at, links = source.copy(), self.blueprint.links_total
        found = list[Rows]()
        while (moving := np.flatnonzero((at != target) & ~apart)).size:
            column, choice = np.full(len(at), 2 * links, np.int64), salt + 2 * len(found)
            for number, part in self._parts(moving, plane):
                graph, far = self.graphs[number], self.distances[number]
                lost = far[at[part], target[part]] == FAR
                apart[part[lost]] = True
                rows = part[~lost]
                if rows.size:
                    arc = graph.nearer(at[rows], target[rows], far, partial(below, nth(keys[rows], choice)))
                    copy = below(nth(keys[rows], choice + 1), graph.copies[arc])
                    row = graph.rows[arc] + copy * self.planes + plane[rows]
                    column[rows] = np.where(graph.back[arc], links + row, row)
                    at[rows] = graph.heads[arc]
            found.append(column)
        return found

    def _parts(self, moving: Rows, plane: Rows) -> Iterator[tuple[int, Rows]]:
        """Yield numbers of walks that take a hop together, with that of their graph."""
        for rows in np.split(moving, range(CHUNK, len(moving), CHUNK)):
            for number in range(len(self.graphs)):
                some = rows[plane[rows] == number] if len(self.graphs) > 1 else rows
                if some.size:
                    yield number, some


def _with_nics(graph: Graph, levels: int) -> Graph:
    """Return a graph with a vertex more for each NIC, joined to its switches."""
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


def _over(graph: Graph, up: npt.NDArray[np.bool_], plane: int, planes: int) -> Graph:
    """Return the graph of one plane with an arc for each link that is up."""
    arc = np.repeat(np.arange(len(graph.tails)), graph.copies)
    copy = np.arange(len(arc)) - np.repeat(np.cumsum(graph.copies) - graph.copies, graph.copies)
    rows = graph.rows[arc] + copy * planes
    live = up[rows + plane]
    arc, one = arc[live], np.ones(int(live.sum()), np.int64)
    kept = {name: getattr(graph, name)[arc] for name in ("tails", "heads", "weights", "back")}
    return replace(graph, **kept, rows=rows[live], copies=one)
