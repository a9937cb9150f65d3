"""The router of Clos topologies: everything that flows ask of a fabric whose links follow from axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.blueprint.metrics import hops, metrics_of
from fabric.flow.fabric_summary import FabricSummary, slowest_ns
from fabric.flow.host_links import ideal_gbps
from fabric.flow.phase import Phase, on_rail_of_target
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing
from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_routes import route_by_groups, route_by_links, spray
from fabric.network.expand import lay_devices
from fabric.resources import Work
from fabric.topology.clos import ClosForm

__all__ = ["TieredRouter"]

Rows = npt.NDArray[np.int64]

BYTES_PER_ARC, BYTES_PER_SPRAYED_ARC, BYTES_PER_LINK, SECONDS_PER_ARC = 20, 36, 80, 0.15e-6
"""What an arc of a flow's path takes while it is routed and solved, and every link beside (`benchmarks/resources.py`).
"""


@dataclass(frozen=True, eq=False)
class TieredRouter:
    """The router of a Clos (see `fabric.flow.router.Router`)."""

    blueprint: Blueprint
    """The fabric."""
    form: ClosForm
    """Its topology."""
    up: npt.NDArray[np.bool_] | None = None
    """Which links are up, shape (links,); None for all."""

    @cached_property
    def links(self) -> TieredLinks:
        """The links as arithmetic."""
        return TieredLinks(self.blueprint, self.form)

    def summarize(self) -> FabricSummary:
        """Return the fabric as closed forms see it."""
        blueprint, form, metrics = self.blueprint, self.form, metrics_of(self.blueprint)
        below_top, turns = form.roles[:-1], form.turn_hops(0, blueprint.inner_hops)
        diameter = dict(zip(turns, form.turn_hops(0), strict=True)).get(hops(blueprint).max, 0)
        ratios = (float(blueprint.oversubscription(role) or 1) for role in below_top)
        return FabricSummary(
            server=blueprint.server,
            gpus=blueprint.gpus,
            servers=blueprint.servers,
            planes=blueprint.planes,
            link_gbps=blueprint.link_gbps,
            tiers=blueprint.tiers,
            hops=diameter,
            switch_ns=slowest_ns(model for role in form.roles for model, _ in blueprint.model_counts(role)),
            steps=form.turn_hops(diameter),
            hop_steps=turns,
            several_paths=any(blueprint.ports_up(role) > 1 for role in below_top),
            peers=metrics.peers(),
            unmet_rails=metrics.unmet_rails(),
            ratios=tuple(accumulate(ratios, mul)),
            speeds=tuple(blueprint.rate(bundle) / blueprint.link_gbps for bundle in form.fabric_bundles),
            leaf_nics=max(blueprint.sizes[bundle.name] for bundle in form.host_bundles),
            mirrors=self._mirrors(),
            switches_reduce=blueprint.link_layer == "infiniband",
            constants=blueprint.constants,
            library=blueprint.library,
        )

    def _mirrors(self) -> tuple[bool, ...]:
        """Return for each tier below the top whether nothing is left to choose on the way down to it."""
        settled = [each.copies == 1 and math.prod(each.down.values()) == 1 for each in self.links.layers[1:]]
        return tuple(all(settled[tier:]) for tier in range(len(settled)))

    def nic_of_links(self) -> Rows:
        """Return the NIC row (server * NICs + nic) of each of the servers' links, which come first in a network."""
        layer = self.links.layers[0]
        return layer.group_of(np.arange(layer.links))

    def route(self, phase: Phase, routing: Routing) -> Routes:
        """Return the routes of flows that leave their servers as they are."""
        if routing.policy.sprays:
            return spray(self.links, phase, self.up)
        return route_by_links(self.links, phase, routing, self.up)

    def work(self, flows: float, routing: Routing, *, failed: bool = False) -> Work:  # noqa: ARG002 - a router's word
        """Return what routing as many flows and solving them takes: all grows with the arcs of their paths."""
        sprays = routing.policy.sprays
        paths = flows * (1 if sprays else routing.qps)
        arcs = paths * 2 * self.blueprint.tiers
        links = 0 if sprays else self.blueprint.links_total
        per_arc, per_path = (BYTES_PER_SPRAYED_ARC, 48) if sprays else (BYTES_PER_ARC, 32)
        return Work(arcs * per_arc + paths * per_path + links * BYTES_PER_LINK, arcs * SECONDS_PER_ARC)

    def joins(self, source: Rows, target: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs of NICs of different servers are joined by a path that is up."""
        return ~spray(self.links, Phase(source, target), self.up).disconnected

    def spread_over_links(self, loads: npt.NDArray[np.float64], routing: Routing) -> npt.NDArray[np.float64]:
        """Return the load of every link, shape (2, links), from that of the arcs of `route`, shape (2, arcs)."""
        if not routing.policy.sprays:
            return loads
        return np.asarray(loads[:, self.links.groups_of(np.arange(self.links.links))])

    def cut_bound(self, phase: Phase) -> float:
        """Return the bound of the cuts around the devices below every equal-cost group, from a NIC to a pod.

        A group is all uplinks of its devices, as if each led to every switch above.
        """
        routes, ideal = route_by_groups(self.links, phase, self.up), ideal_gbps(self.blueprint, phase)
        if routes.disconnected.any():
            return 0.0
        load = np.zeros(len(routes.capacity))
        for column in routes.arcs.T:
            load += np.bincount(column, ideal, len(load))
        loaded = load > 0
        return float(min(1.0, (routes.capacity[loaded] / load[loaded]).min()))

    @property
    def reaches_cut(self) -> bool:
        """Where every device has as many links up to each other as the next, spraying loads them alike."""
        return self.up is None and not self.form.balanced_bundles

    @property
    def links_tried(self) -> int:
        """None: the free digits of a path name its links."""
        return 0

    @property
    def instead_of_program(self) -> str:
        """What to do where the linear program is too large."""
        tight = "counts uplinks as a pool" if self.form.balanced_bundles else "is as tight where all links are up"
        return f"the cut bound needs none, and {tight}"

    def commodities(self, source: Rows) -> Rows:
        """Return a number for each source NIC, the same for those whose host links lead to the same leaves."""
        links = self.links
        ends = links.ends(source)
        layer = links.layers[1] if links.tiers > 1 else None
        leaf = ends.server // layer.servers if layer else np.zeros(len(source), np.int64)
        for axis, size in links.rails.items():
            leaf = leaf * size + ends.rails[axis]
        return np.unique(leaf, return_inverse=True)[1].astype(np.int64)

    def lines(self) -> list[int]:
        """Return the sizes of nested localities: servers in a unit, units in a pod, and so on."""
        return [self.blueprint.sizes[axis] for axis in reversed(self.form.placement)]

    def shortest_path(self, source: int, target: int) -> tuple[str, ...] | None:
        """Return the devices of a shortest path between NICs of different servers; None where no path joins them.

        It climbs by the source's localities and rails to the tier where it meets the target's, and descends by those.
        """
        links, hosts, laid = self.links, Hosts.of(self.blueprint), lay_devices(self.blueprint)
        if self.form.rails_meet_at is None:
            source = int(on_rail_of_target(hosts, Phase(np.array([source]), np.array([target])))[0])
        ends = [links.ends(np.array([nic])) for nic in (source, target)]
        turn = int(links.turn(*ends)[0])
        if turn > self.blueprint.tiers:
            return None
        rails = ({axis: int(value[0]) for axis, value in end.rails.items()} for end in ends)
        servers = [int(hosts.server_of_nic(nic)) for nic in (source, target)]
        boxes = [next(each for each in laid.values() if row < each.first + each.count) for row in servers]
        places = (box.digits(row) for box, row in zip(boxes, servers, strict=True))
        digits: list[dict[str, Any]] = [place | rail for place, rail in zip(places, rails, strict=True)]
        up, down = (
            [laid[role].name(laid[role].row(digit)) for role in self.form.roles[:hops]]
            for digit, hops in zip(digits, (turn, turn - 1), strict=True)
        )
        first, last = (box.name(row) for box, row in zip(boxes, servers, strict=True))
        return (first, *up, *reversed(down), last)
