"""Views of Clos forms with unlike servers: each kind is a group of its own, whose NICs are dealt over the rails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from fabric.network.expand import lay_devices
from fabric.topology.axis_bundle import AxisBundle
from fabric.topology.topology import PLANE, Group
from fabric.topology.unlike_servers import DealtBundle, UnlikeForm
from fabric.view.clos_view import ClosSplitter
from fabric.view.nodes import AggregatedNode

__all__ = ["UnlikeSplitter"]


@dataclass(frozen=True)
class UnlikeSplitter(ClosSplitter):
    """Splits a Clos fabric with unlike servers into the nodes of its views."""

    form: UnlikeForm
    """Its topology."""

    def fills_last(self, level: str, /) -> bool:
        """Say whether the last pod or unit has as many servers as another of its kinds could have."""
        sizes = self.blueprint.sizes
        units = self.form.units(sizes)
        inner = self.form.outer[len(self.level_axes()[level]) :]
        full = units % math.prod(sizes[axis] for axis in inner) == 0
        *_, (_, servers) = self.form.unit_runs(sizes)
        return full and all(
            count in (0, sizes[bundle.slot]) for bundle, count in zip(self.form.dealt, servers, strict=True)
        )

    def _own_axes(self, group: Group, axes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(axis for axis in axes if group not in self.form.server_groups or axis != group.axes[-1])

    def _axis_size(self, group: Group, axis: str, fixed: Mapping[str, int]) -> int:
        if group in self.form.server_groups and axis == group.axes[-1]:
            return self.blueprint.sizes[axis]
        return super()._axis_size(group, axis, fixed)

    def _node(self, group: Group, fixed: Mapping[str, int], inside: bool) -> AggregatedNode:
        if group not in self.form.server_groups:
            return super()._node(group, fixed, inside)
        servers = np.flatnonzero(self._servers(self._bundle_of(group), fixed))
        # One server alone has all its coordinates, which need not be 0 where they are not given.
        fixed = lay_devices(self.blueprint)[group.role].digits_of(int(servers[0])) if len(servers) == 1 else fixed
        return AggregatedNode(group, fixed, len(servers), inside)

    def _bundle_of(self, group: Group) -> DealtBundle:
        return next(bundle for bundle in self.form.dealt if bundle.lower == group)

    def _servers(self, bundle: DealtBundle, fixed: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return for every server of a kind whether it has these coordinates, shape (servers,)."""
        sizes, group = self.blueprint.sizes, bundle.lower
        count = self.blueprint.devices(group.role)
        places = np.arange(count) + self.form.first_place(group, sizes)
        values = np.unravel_index(places, [sizes[axis] for axis in group.axes])
        found = np.ones(count, bool)
        for axis, value in zip(group.axes, values, strict=True):
            if axis in fixed:
                found &= value == fixed[axis]
        return found

    def _alike_axes(self, bundle: AxisBundle) -> set[str]:
        rails = cast(DealtBundle, bundle).rail_axes if bundle in self.form.host_bundles else ()
        return super()._alike_axes(bundle) | set(rails)

    def _count_joined(self, bundle: AxisBundle, low: Mapping[str, int], high: Mapping[str, int]) -> tuple[int, int]:
        """Return the pairs of devices of two nodes that the bundle joins, and the links of all of them."""
        if bundle not in self.form.host_bundles:
            return super()._count_joined(bundle, low, high)
        if any(low[axis] != high[axis] for axis in bundle.shared if axis in low and axis in high):
            return 0, 0
        dealt, sizes, both = cast(DealtBundle, bundle), self.blueprint.sizes, {**high, **low}
        servers = np.flatnonzero(self._servers(dealt, both))
        planes = 1 if PLANE in high else sizes[PLANE]
        nics, row, rails = sizes[dealt.nics], dealt.in_row(sizes), self.blueprint.leaves_per_server
        number = (servers % sizes[dealt.slot])[:, None] * nics + np.arange(nics)
        rail = number // row % rails
        wanted = np.ones_like(rail, bool)
        for axis in reversed(dealt.rail_axes):
            if axis in high:
                wanted &= rail % sizes[axis] == high[axis]
            rail = rail // sizes[axis]
        leaf = number // row % rails
        pairs = len(np.unique((np.arange(len(servers))[:, None] * rails + leaf)[wanted]))
        return planes * pairs, planes * int(wanted.sum())
