"""The router of graph topologies: everything that flows ask of a fabric whose links are laid by a pattern."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.flow.fabric_summary import FabricSummary, slowest_ns
from fabric.flow.graph_paths import GraphPaths
from fabric.flow.graph_routes import spray, take_one_path
from fabric.flow.host_links import ideal_gbps
from fabric.flow.link_groups import LinkGroups
from fabric.flow.path_splits import search_seconds
from fabric.flow.phase import Phase
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing
from fabric.network import Devices
from fabric.network.expand import expand, lay_devices
from fabric.resources import Work
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.polynomial import evaluate
from fabric.topology.switch_graph import Graph, graph_of
from fabric.topology.topology import PLANE

__all__ = ["GraphRouter"]

Rows = npt.NDArray[np.int64]

BYTES_PER_ARC, SECONDS_PER_ARC = 40, 0.8e-6
"""What a hop of a hashed path takes while it is routed and solved (`benchmarks/resources.py`)."""

BYTES_PER_SPRAYED_FLOW = 600
"""What a sprayed flow takes."""


@dataclass(frozen=True, eq=False)
class GraphRouter:
    """The router of a graph topology (see `fabric.flow.router.Router`)."""

    blueprint: Blueprint
    """The fabric."""
    form: GraphForm
    """Its topology."""
    up: npt.NDArray[np.bool_] | None = None
    """Which links are up, shape (links,); None for all."""

    @cached_property
    def paths(self) -> GraphPaths:
        """The paths over what is up."""
        return GraphPaths(self.blueprint, self.form, self.up)

    @cached_property
    def groups(self) -> LinkGroups:
        """The links as sprayed packets use them."""
        return LinkGroups.of(self.blueprint, self.nic_of_links(), self.up)

    def summarize(self) -> FabricSummary:
        """Return the fabric as closed forms see it: leaves below one tier that is all of its other links.

        The longest minimal path stands for every path between leaves, and the oversubscription of the busiest bundle
        for the ratio, which is under 1 where uniform traffic leaves room. By way of an intermediate switch drawn for
        each packet all traffic is uniform twice, and so no more than twice as much (L. Valiant 1982, doi
        10.1137/0211027).
        """
        blueprint, form, metrics = self.blueprint, self.form, metrics_of(self.blueprint)
        diameter = evaluate(form.paths.diameter, blueprint.sizes) if blueprint.servers > 1 else 0
        ratios = (float(blueprint.oversubscription(role) or 0) for role in form.roles)
        return FabricSummary(
            server=blueprint.server,
            gpus=blueprint.gpus,
            servers=blueprint.servers,
            planes=blueprint.planes,
            link_gbps=blueprint.link_gbps,
            tiers=2,
            hops=diameter,
            switch_ns=slowest_ns(model for role in form.roles for model, _ in blueprint.model_counts(role)),
            steps=form.turn_hops(diameter),
            hop_steps=form.turn_hops(diameter, blueprint.inner_hops),
            several_paths=True,
            peers=metrics.peers(),
            unmet_rails=metrics.unmet_rails(),
            ratios=(max(1e-6, *ratios),),
            leaf_nics=blueprint.server.nics,
            switches_reduce=blueprint.link_layer == "infiniband",
            constants=blueprint.constants,
            library=blueprint.library,
            inverse_path_diversity=float(form.routing.inverse_path_diversity(blueprint.sizes)),
            ratios_are_cuts=form.ratios_are_cuts,
            speeds=tuple(blueprint.rate(each) / blueprint.link_gbps for each in form.fabric_bundles[:1]),
        )

    def nic_of_links(self) -> Rows:
        """Return the NIC row (server * NICs + nic) of each of the servers' links, which come first in a network."""
        nics = np.arange(self.blueprint.servers * self.blueprint.server.nics)
        levels = self.form.routing.nic_levels
        return np.tile(nics, levels) if levels else np.repeat(nics, self.blueprint.planes)

    def route(self, phase: Phase, routing: Routing) -> Routes:
        """Return the routes of flows that leave their servers as they are."""
        return (
            spray(self.paths, self.groups, phase)
            if routing.policy.sprays
            else take_one_path(self.paths, phase, routing)
        )

    def work(self, flows: float, routing: Routing, *, failed: bool = False) -> Work:
        """Return what routing as many flows and solving them takes.

        Hashed ones take their hops one after another. Sprayed ones between two leaves are one demand, which draws many
        paths as long as there are few, unless each NIC has switches of its own, or planes differ as links are down.
        """
        hops = 2 + evaluate(self.form.paths.diameter, self.blueprint.sizes)
        if routing.policy.sprays:
            leaves = -(-self.blueprint.servers // self.blueprint.sizes["slot"])
            joint = min(flows / self.blueprint.server.nics, leaves * leaves)
            unlike = (failed or self.up is not None) and self.blueprint.planes > 1
            demands = math.ceil(flows if self.form.routing.nic_levels or unlike else joint)
            return Work(flows * BYTES_PER_SPRAYED_FLOW, search_seconds(demands))
        paths = flows * routing.qps
        arcs = paths * hops * (2 if routing.policy.paths == "valiant" else 1)
        return Work(arcs * BYTES_PER_ARC, arcs * SECONDS_PER_ARC)

    def joins(self, source: Rows, target: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs of NICs of different servers are joined by a path that is up."""
        return self.paths.joins(source, target)

    def spread_over_links(self, loads: npt.NDArray[np.float64], routing: Routing) -> npt.NDArray[np.float64]:
        """Return the load of every link, shape (2, links): arcs are links already, but for those of sprayed packets."""
        if not routing.policy.sprays:
            return loads
        return loads[:, self.groups.of_link]

    def cut_bound(self, phase: Phase) -> float:
        """Return the bound of the cuts around each NIC and, without levels, around each leaf."""
        blueprint, ideal, hosts = self.blueprint, ideal_gbps(self.blueprint, phase), self.nic_of_links()
        up = np.ones(blueprint.links_total, bool) if self.up is None else self.up
        found = _cut(phase.source, phase.target, ideal, np.bincount(hosts, up[: len(hosts)]) * blueprint.link_gbps)
        if self.form.routing.nic_levels:
            return found
        network = expand(blueprint)
        group, links = network.group(self.form.roles[0]), np.arange(len(hosts), network.links)
        links = links[up[links]]
        rates = network.rate_gbps[links]
        ends = sum(np.bincount(end[links], rates, network.devices) for end in (network.lower, network.upper))
        gbps = np.asarray(ends)[group.first : group.first + group.count].reshape(-1, blueprint.planes).sum(axis=1)
        source, target = phase.source // self._leaf_nics, phase.target // self._leaf_nics
        between = source != target
        return min(found, _cut(source[between], target[between], ideal[between], gbps))

    @property
    def _leaf_nics(self) -> int:
        """The NICs below one leaf."""
        return self.blueprint.sizes["slot"] * self.blueprint.server.nics

    @property
    def reaches_cut(self) -> bool:
        """Not known: cuts across several switches may be narrower than those around one."""
        return False

    @property
    def links_tried(self) -> int:
        """The links of a switch, on average."""
        return 2 * self.blueprint.links_total // self.blueprint.switches

    @property
    def instead_of_program(self) -> str:
        """What to do where the linear program is too large."""
        return "engine flows is quicker"

    def commodities(self, source: Rows) -> Rows:
        """Return a number for each source NIC, the same for those whose host links lead to the same leaves."""
        each = 1 if self.form.routing.nic_levels else self._leaf_nics
        return np.unique(source // each, return_inverse=True)[1].astype(np.int64)

    def lines(self) -> list[int]:
        """Return the servers of a leaf, then the switches on each of the leaves' axes, the fastest first."""
        axes = [axis for axis in reversed(self.form.groups[1].axes) if axis not in (PLANE, "nic")]
        return [self.blueprint.sizes["slot"], *(self.blueprint.sizes[axis] for axis in axes)]

    def shortest_path(self, source: int, target: int) -> tuple[str, ...] | None:
        """Return the devices of a shortest path between NICs of different servers; None where no path joins them.

        Searches the switches of one plane, and the NICs where servers forward traffic.
        """
        blueprint, form, sizes = self.blueprint, self.form, self.blueprint.sizes
        graph = graph_of(form, sizes)
        switch = np.concatenate([pattern.pairs(sizes)[1] + first for pattern, first in self._host_patterns()])
        nic = np.tile(np.arange(blueprint.servers * blueprint.server.nics), max(1, form.routing.nic_levels))
        used = np.ones(len(nic), bool) if form.routing.server_relay else (nic == source) | (nic == target)
        ends = graph.switches + source, graph.switches + target
        path = _search(graph, graph.switches + nic[used], switch[used], *ends)
        laid = lay_devices(blueprint)
        return tuple(self._name(laid, vertex, graph.switches) for vertex in path) if path else None

    def _host_patterns(self) -> list[tuple[PatternBundle, int]]:
        """Return the patterns of the servers' links, each with the first vertex of the switches it leads to."""
        firsts, total = {}, 0
        for group in self.form.switch_groups:
            firsts[group.role] = total
            total += self.blueprint.devices(group.role) // (self.blueprint.sizes[PLANE] if PLANE in group.axes else 1)
        return [(pattern, firsts[pattern.upper.role]) for pattern in self.form.host_patterns]

    def _name(self, laid: dict[str, Devices], vertex: int, switches: int) -> str:
        """Return the device of a vertex: for a NIC its server, for a switch the one in the first plane."""
        if vertex >= switches:
            return laid["server"].name((vertex - switches) // self.blueprint.server.nics)
        for role in self.form.roles:
            planes = self.blueprint.sizes[PLANE] if PLANE in laid[role].axes else 1
            if vertex < laid[role].count // planes:
                return laid[role].name(laid[role].first + vertex * planes)
            vertex -= laid[role].count // planes
        raise IndexError(f"vertex {vertex} is not a switch")


def _cut(source: Rows, target: Rows, ideal: npt.NDArray[np.float64], most: npt.NDArray[Any]) -> float:
    """Return the share that flows between places get when each may send and receive at most `most`, at most 1."""
    loads = np.concatenate([np.bincount(side, ideal, len(most)) for side in (source, target)])
    used = loads > 0
    return float((np.tile(most, 2)[used] / loads[used]).min(initial=1.0))


def _search(graph: Graph, nics: Rows, switches: Rows, source: int, target: int) -> list[int] | None:
    """Return the vertices of a shortest path: breadth first, all arcs at once for each further link."""
    tails = np.concatenate([graph.tails, nics, switches])
    heads = np.concatenate([graph.heads, switches, nics])
    before = np.full(int(max(tails.max(), heads.max(), target)) + 1, -1, np.int64)
    before[source], new = source, True
    while before[target] < 0 and new:
        step = np.flatnonzero((before[tails] >= 0) & (before[heads] < 0))
        new = bool(len(step))
        # Of several arcs that lead to one vertex, the one from the least tail is assigned last, and so stays.
        step = step[np.argsort(-tails[step], kind="stable")]
        before[heads[step]] = tails[step]
    if before[target] < 0:
        return None
    path = [target]
    while path[-1] != source:
        path.append(int(before[path[-1]]))
    return path[::-1]
