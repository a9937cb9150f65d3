"""Metrics of a Clos with unlike servers: counted unit by unit and rail by rail, since units are not alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt

from fabric.blueprint.clos_metrics import ClosMetrics
from fabric.blueprint.locality import Locality
from fabric.topology.topology import PLANE, Bundle, Group
from fabric.topology.unlike_servers import DealtBundle, UnlikeForm

__all__ = ["UnlikeMetrics"]

Loads = npt.NDArray[np.int64]
"""Numbers by unit and rail, or by place and what is left of the rails at a tier, shape (places, rails)."""


@dataclass(frozen=True)
class UnlikeMetrics(ClosMetrics):
    """The metrics of a blueprint whose servers are unlike (see `fabric.blueprint.metrics`)."""

    form: UnlikeForm
    """Its topology."""

    def links_per_pair(self, bundle: Bundle) -> float:
        if bundle not in self.form.host_bundles:
            return super().links_per_pair(bundle)
        nics, dealt = self.blueprint.sizes[cast(DealtBundle, bundle).nics], cast(DealtBundle, bundle)
        each = nics / min(nics // dealt.in_row(self.blueprint.sizes), self.blueprint.leaves_per_server)
        return int(each) if each.is_integer() else each

    def hop_shares(self) -> Mapping[int, Fraction]:
        """Return the share of the pairs of NICs of different servers by their hops."""
        loads: Loads = sum(
            (self._loads(bundle, self.blueprint.devices(bundle.lower.role)) for bundle in self.form.dealt),
            start=self._no_loads(),
        )
        within, apart = [0], self.form.rails_meet_at is not None
        for group in self.form.switch_groups:
            apart = apart and self._keeps_rails(group)
            places = _gather(loads, self.form.locality_size(group.axes, self.blueprint.sizes), apart=apart)
            within.append(int((places**2).sum()) - self._pairs_in_servers(apart=apart))
        found = {2 * tier + 1: more - less for tier, (less, more) in enumerate(pairwise(within))}
        return {hops: Fraction(pairs, within[-1]) for hops, pairs in found.items() if pairs}

    def _pairs_in_servers(self, *, apart: bool) -> int:
        """Return the ordered pairs of NICs of one server, over all; of one rail each where rails are `apart`."""
        total, rails = 0, self.blueprint.leaves_per_server
        for bundle in self.form.dealt:
            each, rest = divmod(self.blueprint.sizes[bundle.nics], rails)
            pairs = (rails - rest) * each**2 + rest * (each + 1) ** 2
            one = pairs if apart else self.blueprint.sizes[bundle.nics] ** 2
            total += self.blueprint.devices(bundle.lower.role) * one
        return total

    def peers(self) -> tuple[int, ...]:
        """Return, for every tier below the top, the servers of the fullest place."""
        return tuple(int(self._servers_by_place(group).max()) for group in self.form.switch_groups[:-1])

    def localities(self) -> tuple[Locality, ...]:
        """Return none: units hold servers of several kinds."""
        return ()

    def bisection_gbps(self) -> int:
        """Return the greatest flow in Gb/s from the first half of the servers to the second, in order of their kinds.

        It is the least cut of the tree of places and of the rails that are apart there, each joined upwards by all its
        links: on which side the switches of a place are follows from the side of the place around it.
        """
        first, half = 0, self.blueprint.servers // 2
        ours, theirs = self._no_loads(), self._no_loads()
        for bundle in self.form.dealt:
            count = self.blueprint.devices(bundle.lower.role)
            before, rate = self._loads(bundle, min(count, max(0, half - first))), self.blueprint.rate(bundle)
            ours, theirs = ours + rate * before, theirs + rate * (self._loads(bundle, count) - before)
            first += count
        # What is cut where the switches of a place are on the side of the first half, and on the other.
        with_first, with_second, apart, size = theirs, ours, True, 1
        for group, above in zip(self.form.switch_groups, [*self.form.fabric_bundles, None], strict=True):
            apart, below = apart and self._keeps_rails(group), size
            size = self.form.locality_size(group.axes, self.blueprint.sizes)
            with_first, with_second = (
                _gather(each, -(-size // below), apart=apart) for each in (with_first, with_second)
            )
            if above is not None:
                up = self._links_up(group, above, rails=with_first.shape[1]) * self.blueprint.rate(above)
                with_first, with_second = (
                    np.minimum(with_first, with_second + up), np.minimum(with_second, with_first + up),
                )  # fmt: skip
        return self.blueprint.planes * int(np.minimum(with_first, with_second).sum())

    def _links_up(self, group: Group, bundle: Bundle, rails: int) -> int:
        """Return the links up of all switches of a group in one place and plane, and in one of the `rails` apart."""
        places = self.form.placement_axes(group)
        others = tuple(axis for axis in group.axes if axis not in places and axis != PLANE)
        return self.blueprint.evaluate(others) * self.blueprint.ports_up(bundle.lower.role) // rails

    def _keeps_rails(self, group: Group) -> bool:
        return all(axis in group.axes for axis in self.form.rail_axes)

    def _no_loads(self) -> Loads:
        return np.zeros((self.form.units(self.blueprint.sizes), self.blueprint.leaves_per_server), np.int64)

    def _servers_of(self, bundle: DealtBundle, count: int) -> Loads:
        """Return how many of the first `count` servers of a kind each unit has, shape (units,)."""
        sizes = self.blueprint.sizes
        unit = np.arange(self.form.units(sizes)) - self.form.first_unit(bundle, sizes)
        left = count - unit * sizes[bundle.slot]
        return np.where(unit < 0, 0, np.clip(left, 0, sizes[bundle.slot]))

    def _loads(self, bundle: DealtBundle, count: int) -> Loads:
        """Return the NICs of the first `count` servers of a kind by unit and rail."""
        return bundle.rail_loads(self._servers_of(bundle, count), self.blueprint.sizes)

    def _servers_by_place(self, group: Group) -> Loads:
        """Return the servers of all kinds in each place of a group, shape (places,)."""
        servers = [self._servers_of(each, self.blueprint.devices(each.lower.role)) for each in self.form.dealt]
        size = self.form.locality_size(group.axes, self.blueprint.sizes)
        return _gather(np.sum(servers, axis=0)[:, None], size, apart=True)[:, 0]

    def _spread(self, tier: int, below: int) -> Fraction:
        if tier > 1 or below:
            return super()._spread(tier, below)
        sizes, planes = self.blueprint.sizes, self.blueprint.planes
        return min(Fraction(planes * sizes[bundle.nics], sizes[bundle.name]) for bundle in self.form.dealt)

    def unit(self) -> tuple[int, int, int]:
        """Return the servers of the fullest unit, the leaves of a unit, and how many units hold servers."""
        units = self.form.units(self.blueprint.sizes)
        leaves = self.blueprint.devices(self.form.roles[0])
        return int(self._servers_by_place(self.form.switch_groups[0]).max()), -(-leaves // units), units


def _gather(loads: Loads, size: int, *, apart: bool) -> Loads:
    """Return the sums over `size` rows each, the last ones perhaps of fewer, and over rails unless they are `apart`."""
    found = np.add.reduceat(loads, np.arange(0, len(loads), size), axis=0)
    return found if apart else found.sum(axis=1, keepdims=True)
