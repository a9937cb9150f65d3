"""Metrics of graph topologies: counted in closed form, or by a search of one plane's switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.locality import LOCALITIES, Locality
from fabric.topology.graph_form import GraphForm
from fabric.topology.switch_graph import graph_of
from fabric.topology.topology import PLANE, Bundle

__all__ = ["GraphMetrics"]


@dataclass(frozen=True)
class GraphMetrics:
    """The metrics of a blueprint whose topology is a graph form (see `fabric.blueprint.metrics`)."""

    blueprint: Blueprint
    """The blueprint."""
    form: GraphForm
    """Its topology."""

    def links_per_pair(self, bundle: Bundle) -> float:
        """Return the mean links of two joined devices: the pattern decides how many each pair has."""
        pattern = self.form.bundles[self.form.bundles.index(bundle)]
        lower, upper = pattern.pairs(self.blueprint.sizes)
        if bundle.lower == bundle.upper:
            lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
        keys = np.sort(lower * (int(upper.max(initial=0)) + 1) + upper)
        pairs = len(keys) and 1 + np.count_nonzero(np.diff(keys))
        parallel = 1 if bundle in self.form.host_patterns else self.blueprint.sizes[bundle.name]
        each = float(parallel * len(lower) / max(1, pairs))
        return int(each) if each.is_integer() else each

    def hop_shares(self) -> Mapping[int, Fraction]:
        """Return the share of the pairs of NICs by their hops, with a server in every place there is room for one."""
        pairs = self._pairs_by_hops()
        total = sum(pairs.values())
        if self.blueprint.servers == 1 or not total:
            return {}
        each = max(self.blueprint.inner_hops)
        return {each * hops: Fraction(number, total) for hops, number in sorted(pairs.items()) if number}

    def _pairs_by_hops(self) -> Mapping[int, int]:
        histogram = self.form.paths.hop_histogram
        return histogram(self.blueprint.sizes) if histogram else self._search_hops()

    def _search_hops(self) -> dict[int, int]:
        """Return the ordered pairs of NICs of different servers by their hops, searched from representative ends."""
        form, nics = self.form, self.blueprint.server.nics
        sizes = {**self.blueprint.sizes, "servers": self.blueprint.sizes["server"]}
        graph = graph_of(form, sizes)
        every = np.arange(len(graph.ends)), np.ones(len(graph.ends), np.int64)
        sources, times = form.paths.representatives(sizes) if form.paths.representatives else every
        # An end is a NIC, or a leaf with the NICs of its servers; the pairs within a server are subtracted at the end.
        each = 1 if form.routing.nic_levels else sizes["slot"] * nics
        found = {links + 1: pairs * int(times[0]) * each**2 for links, pairs in enumerate(graph.distances(sources))}
        found[1] -= int(times.sum()) * each * nics
        return {hops: pairs for hops, pairs in found.items() if pairs}

    def peers(self) -> tuple[int, ...]:
        """Return the servers of one leaf."""
        return (self.blueprint.sizes["slot"],)

    def unmet_rails(self) -> tuple[int, ...]:
        """Return 1: all NICs of a server meet at its leaf."""
        return (1,)

    def bisection_gbps(self) -> int:
        """Return the greatest flow in Gb/s from the first half of the servers to the second, by OR-Tools."""
        blueprint = self.blueprint
        planes = 1 if self.form.routing.nic_levels else blueprint.planes
        rates = [blueprint.rate(bundle) for bundle in (*self.form.fabric_bundles[:1], *self.form.host_bundles[:1])]
        return graph_of(self.form, blueprint.sizes).flow(blueprint.servers, rates[-1], rates[0]) * planes

    def survives(self) -> dict[str, Fraction]:
        """Return what is guaranteed: the other planes remain, and with them the servers of a failed leaf."""
        if self.form.routing.nic_levels:
            return {PLANE: Fraction(0)}
        left = Fraction(self.blueprint.planes - 1, self.blueprint.planes)
        return {self.form.roles[0]: left, PLANE: left}

    def localities(self) -> tuple[Locality, ...]:
        """Return the leaf with its links to other switches, the most of any; none where servers join the switches."""
        if self.form.routing.nic_levels:
            return ()
        leaf, planes = self.form.switch_groups[0], self.unit()[1]
        hosts = self.form.host_patterns
        rates = [0 if bundle in hosts else self.blueprint.rate(bundle) for bundle in self.form.bundles]
        fills = (ports for count, ports in self.blueprint.bundle_fills(leaf) if count)
        most = max(sum(map(mul, ports, rates)) for ports in fills)
        return (Locality(LOCALITIES[0], self.blueprint.sizes["slot"], most * planes),)

    def unit(self) -> tuple[int, int, int]:
        """Return the servers and the leaves of a unit, here one leaf in every plane, and how many units there are."""
        sizes, leaf = self.blueprint.sizes, self.form.switch_groups[0]
        leaves = sizes[PLANE] if PLANE in leaf.axes else 1
        return sizes["slot"], leaves, self.blueprint.devices(leaf.role) // leaves
