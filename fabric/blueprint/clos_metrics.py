"""Metrics of Clos topologies, all in closed form: they follow from the axes that two leaves share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import cast

from fabric.blueprint import Blueprint
from fabric.blueprint.hop_shares import hop_shares
from fabric.blueprint.locality import LOCALITIES, Locality
from fabric.topology.axis_bundle import AxisBundle
from fabric.topology.clos import ClosForm, filled_name
from fabric.topology.topology import PLANE, Bundle

__all__ = ["ClosMetrics"]


@dataclass(frozen=True)
class ClosMetrics:
    """The metrics of a blueprint whose topology is a Clos (see `fabric.blueprint.metrics`)."""

    blueprint: Blueprint
    """The blueprint."""
    form: ClosForm
    """Its topology."""

    def links_per_pair(self, bundle: Bundle) -> float:
        """Return the mean links of two joined devices, a whole number where all pairs have as many."""
        each = self._mean_links(cast(AxisBundle, bundle))
        return int(each) if each.denominator == 1 else float(each)

    def _mean_links(self, bundle: AxisBundle) -> Fraction:
        return Fraction(self.blueprint.evaluate(bundle.ports_up), self.blueprint.evaluate(bundle.upper_only))

    def hop_shares(self) -> Mapping[int, Fraction]:
        """Return the share of the pairs of NICs by their hops, every server taken as full."""
        shares = hop_shares(self.blueprint.servers, self.peers(), self.unmet_rails())
        turns = self.form.turn_hops(0, self.blueprint.inner_hops)
        return {hops: share for hops, share in zip(turns, shares, strict=True) if share}

    def peers(self) -> tuple[int, ...]:
        """Return, for every tier below the top, the servers of one full place; all where the tier has no places."""
        places = [self.form.placement_axes(group) for group in self.form.switch_groups[:-1]]
        return tuple(
            self.form.servers_in(axes[-1], self.blueprint.sizes) if axes else self.blueprint.servers for axes in places
        )

    def unmet_rails(self) -> tuple[int, ...]:
        """Return, for every tier below the top, the rails that have not met there; 1 where they never do.

        Rails that never meet are crossed in the server, so no pair waits for them.
        """
        form = self.form
        rails = [[axis for axis in form.rail_axes if axis in form.shared_axes(tier)] for tier in range(1, form.tiers)]
        return tuple(self.blueprint.evaluate(tuple(axes)) if form.rails_meet_at else 1 for axes in rails)

    def bisection_gbps(self) -> int:
        """Return the greatest flow in Gb/s from the first half of the servers to the second.

        As every bundle spreads evenly, the fabric carries a flow when the tree of its places does, each place joined
        upwards by all its links; the greatest flow is the least cut of that tree, found place by place. Where a bundle
        is balanced, that is what no flow exceeds.
        """
        return int(min(_PlaceTree(self).cut(self.form.tiers, 0, self.blueprint.servers)))

    def survives(self) -> dict[str, Fraction]:
        """Return the share of throughput guaranteed to remain without any one switch of a role, or without a plane.

        Let a full server send 1, and let bundle 0 join servers to leaves and bundle j tier j to the next. Full
        places have X(j) = product over the tiers up to j of ports up / ports down, with X(0) = 1, to send it up
        by bundle j; so before the loss the throughput is M = min X(j), which is at most 1.

        Lose one switch of tier t. A device of a tier b below it shared its traffic out over n =
        `ClosForm.fan_out(t, b)` such switches, evenly, and its routing now shares the same over n - 1. Below
        tier b no load changes. On bundle b and those above it the load on what is left grows by n / (n - 1) at
        most, so they carry X(j) (n - 1) / n, and what remains is min(M, min over j >= b of X(j) (n - 1) / n).
        Each b from 0, the server, to t - 1 is a routing that works: the share is the best of them. From the
        server all bundles are hit, which leaves (n - 1) / n of M whatever M is. The bundle above the lost
        switch counts as well as the one below it, for the switch's own ports up are lost too; and room above
        helps only the switches that can reach it, which n at b >= 1 counts: those of one plane, or one group.

        Where a bundle is balanced, a device may have more of its links to the switch than to others, and n is as many
        fewer: a device of U links, m of them to one of S switches, loses m / U as if S were U / m. That holds for links
        that carry alike in both directions.

        A plane is as much of everything as every other, so (planes - 1) / planes remain. The other direction is
        alike.
        """
        form, blueprint = self.form, self.blueprint
        ratios = (blueprint.oversubscription(role) or 1 for role in form.roles[:-1])
        room = list(accumulate((1 / ratio for ratio in ratios), mul, initial=Fraction(1)))
        found = {}
        for tier, role in enumerate(form.roles, 1):
            spread = [max(Fraction(1), self._spread(tier, below)) for below in range(tier)]
            left = ((1 - 1 / n) * min(room[below:]) / min(room) for below, n in enumerate(spread))
            found[role] = min(Fraction(1), max(left))
        return found | {PLANE: Fraction(blueprint.planes - 1, blueprint.planes)}

    def _spread(self, tier: int, below: int) -> Fraction:
        """Return over how many switches of a tier a device `below` spreads, counted as equal parts of the largest."""
        return Fraction(*map(self.blueprint.evaluate, self.form.fan_out(tier, below)))

    def localities(self) -> tuple[Locality, ...]:
        """Return the localities of every tier below the top, from the leaf up."""
        below = zip(LOCALITIES, self.form.switch_groups[:-1], self.form.fabric_bundles, strict=False)
        return tuple(
            Locality(name, self.servers_below(group.role), self.gbps_above(bundle)) for name, group, bundle in below
        )

    def unit(self) -> tuple[int, int, int]:
        """Return the servers and the leaves of a full unit, and how many units hold servers."""
        blueprint, sizes, placement = self.blueprint, self.blueprint.sizes, self.form.server.axes
        leaves = blueprint.devices(self.form.roles[0])
        if len(placement) == 1:
            return blueprint.servers, leaves, 1
        units = sizes[filled_name(placement[-2])]
        return sizes[placement[-1]], -(-leaves // units), units

    def servers_below(self, role: str) -> int:
        """Return the servers of one full place that `role` has; all of them where it has none."""
        places = self.form.placement_axes(self.form.group(role))
        return self.form.servers_in(places[-1], self.blueprint.sizes) if places else self.blueprint.servers

    def gbps_above(self, bundle: Bundle) -> int:
        """Return the bandwidth in Gb/s of the links of `bundle` up from all devices in one place of its lower group."""
        places = self.form.placement_axes(bundle.lower)
        others = tuple(axis for axis in bundle.lower.axes if axis not in places)
        links = self.blueprint.evaluate(others) * self.blueprint.ports_up(bundle.lower.role)
        return links * self.blueprint.rate(bundle)


class _PlaceTree:
    """The places of a blueprint as a tree: at each tier the servers below one place and its bandwidth to the next tier.

    Cuts are in Gb/s.
    """

    def __init__(self, metrics: ClosMetrics) -> None:
        self.half = metrics.blueprint.servers // 2
        self.servers = [metrics.servers_below(group.role) for group in metrics.form.groups]
        self.gbps = [metrics.gbps_above(bundle) for bundle in metrics.form.bundles]

    def cut(self, tier: int, first: int, count: int) -> tuple[float, float]:
        """Return the least cut below a place of `tier`, its switches with the first half or the second."""
        if first + count <= self.half:
            return 0, self.lost(tier, count)
        if first >= self.half:
            return self.lost(tier, count), 0
        size, gbps = self.servers[tier - 1], self.gbps[tier - 1]
        before, offset = divmod(self.half - first, size)
        # Only one place of a tier is split by the middle of the servers; those before and after it are on one side.
        split = first + before * size
        middle = min(size, first + count - split) if offset else 0
        after = count - before * size - middle
        crossing = self.cut(tier - 1, split, middle) if middle else (0, 0)
        left = self._kept_apart(tier, after) + min(crossing[0], crossing[1] + gbps)
        right = self._kept_apart(tier, before * size) + min(crossing[1], crossing[0] + gbps)
        return left, right

    def lost(self, tier: int, count: int) -> float:
        """Return the least cut below a place of `tier` whose `count` servers are all on the other side."""
        return math.inf if tier == 0 else self._kept_apart(tier, count)

    def _kept_apart(self, tier: int, count: int) -> float:
        full, rest = divmod(count, self.servers[tier - 1])
        gbps = self.gbps[tier - 1]
        apart = full * min(gbps, self.lost(tier - 1, self.servers[tier - 1])) if full else 0
        return apart + (min(gbps, self.lost(tier - 1, rest)) if rest else 0)
