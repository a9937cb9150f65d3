"""Clos topologies by axis algebra: links join the devices of two groups that agree on every axis that both have.

Every other axis runs over all its values. So each count is a product of sizes, a `Monomial`.

The axes of the servers are the *placement*: nested, filled in order, and filled in part only at the end. A group that
has the first few of them exists for as many of those places as are filled; the sizes named by `filled_name(axis)` count
these: `pods`, `blocks`, and `slots`, which are the servers themselves.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from operator import itemgetter
from random import Random
from typing import cast

from fabric.errors import InputError
from fabric.topology.axis_bundle import AxisBundle, BalancedBundle
from fabric.topology.clos_check import check_form, filled_name
from fabric.topology.facts import ONE_RATE, PartialPlace
from fabric.topology.polynomial import Expression, Monomial, evaluate
from fabric.topology.topology import PLANE, Bundle, Group, Sizes, Topology, title
from fabric.units import count_noun

__all__ = ["AxisBundle", "ClosForm", "filled_name"]

_GROUP = re.compile(r"\s*([a-z]\w*)\s*\(\s*([a-z]\w*(?:\s*,\s*[a-z]\w*)*)?\s*\)\s*")


@dataclass(frozen=True)
class ClosForm(Topology):
    """Groups from the servers up, each joined to the next by one bundle of links."""

    bundles: tuple[AxisBundle, ...]
    """The bundles, each from a group to the next."""

    @classmethod
    def parse(cls, family: str, text: str) -> ClosForm:
        """Read `server(block, slot) - leaf(block, rail) - spine(spine)`, adding the plane axis to every switch group.

        Raises InputError when the text is not such a chain, a group's placement axes are not the first of the server's,
        or an axis that was dropped on the way up comes back.
        """
        groups = []
        for number, part in enumerate(text.split(" - ")):
            match = _GROUP.fullmatch(part)
            if not match:
                raise InputError(f"family {family}: '{part}' is not a group; write role(axis, axis), in a-z, 0-9 and _")
            axes = tuple(axis.strip() for axis in (match[2] or "").split(",") if axis.strip())
            groups.append(Group(match[1], axes if number == 0 else (*axes, PLANE)))
        form = cls(family, tuple(groups), tuple(AxisBundle.between(*pair) for pair in pairwise(groups)))
        check_form(form)
        return form

    def balanced(self) -> ClosForm:
        """Return the form whose bundles between switches are balanced; those of the servers stay as they are."""
        hosts, *others = self.bundles
        return replace(self, bundles=(hosts, *map(self._balance, others)))

    def _balance(self, bundle: AxisBundle) -> BalancedBundle:
        # Paths have their place and rail given, so that what is left of the numbers below a switch is consecutive.
        given = (*self.placement, *self.rail_axes)
        numbered = sorted(bundle.lower_only, key=[*given, *bundle.lower_only].index)
        return BalancedBundle(bundle.lower, bundle.upper, bundle.name, tuple(numbered))

    @property
    def takes_unlike_servers(self) -> bool:
        return True

    @property
    def chain(self) -> tuple[AxisBundle, ...]:
        """One bundle below each tier, from the leaf up; of those of unlike servers the first."""
        return self.bundles

    @property
    def balanced_bundles(self) -> tuple[BalancedBundle, ...]:
        return tuple(cast(BalancedBundle, bundle) for bundle in self.fabric_bundles if not bundle.uniform)

    @property
    def can_grow(self) -> bool:
        return True

    @property
    def ratios_are_cuts(self) -> bool:
        return True

    def turn_hops(self, diameter: int, inner: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return 1, 3, 5 and so on: a path goes up to a tier and down again; `inner` are the hops of its switches."""
        each = inner or (1,) * self.tiers
        return tuple(2 * sum(each[:tier]) + each[tier] for tier in range(self.tiers))

    @property
    def text(self) -> str:
        """The form as it was written, without the plane axis."""
        axes = (", ".join(axis for axis in group.axes if axis != PLANE) for group in self.groups)
        return " - ".join(f"{group.role}({names})" for group, names in zip(self.groups, axes, strict=True))

    @property
    def diameter_text(self) -> str:
        return str(2 * self.tiers - 1)

    @property
    def size_label(self) -> str:
        return count_noun(self.tiers, "tier")

    @property
    def placement(self) -> tuple[str, ...]:
        """The servers' axes, outermost first."""
        return self.server.axes

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis, in the order of its first appearance from the servers up."""
        return tuple(dict.fromkeys(axis for group in self.groups for axis in group.axes))

    @property
    def unit_axis(self) -> str:
        return self.placement[-1]

    @property
    def servers_name(self) -> str:
        return filled_name(self.placement[-1])

    @property
    def rail_axes(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.bundles[0].upper_only if axis != PLANE)

    def devices(self, group: Group) -> Monomial:
        """Return the count of the group's devices: the filled places it has, times its other axes."""
        places = self.placement_axes(group)
        others = tuple(axis for axis in group.axes if axis not in places)
        return (filled_name(places[-1]), *others) if places else others

    def links(self, bundle: Bundle) -> Expression:
        return (*self.devices(bundle.lower), *cast(AxisBundle, bundle).ports_up)

    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        return tuple(bundle.ports_down for bundle in self.bundles if bundle.upper == group)

    def ports_up(self, group: Group) -> tuple[Expression, ...]:
        return tuple(bundle.ports_up for bundle in self.bundles if bundle.lower == group)

    def first_port(self, group: Group, bundle: Bundle, sizes: Sizes) -> int:
        return 0 if group == bundle.upper else int(sum(evaluate(ports, sizes) for ports in self.ports_down(group)))

    def row_axes(self, group: Group) -> tuple[str, ...]:
        """Return the group's axes, places first: rows of filled places then come before any that is empty."""
        places = self.placement_axes(group)
        return (*places, *(axis for axis in group.axes if axis not in places))

    def oversubscription(self, group: Group, sizes: Sizes, rates: Mapping[str, int] = ONE_RATE) -> Fraction | None:
        """Return bandwidth down over bandwidth up at the group's switches; None for the top tier, which has no up."""
        sides = self.port_sides(group)
        down, up = (
            sum(evaluate(ports, sizes) * rates.get(bundle.name, 1) for bundle, ports, leads in sides if leads == upward)
            for upward in (False, True)
        )
        return Fraction(down, up) if up else None

    def bundle_fills(self, group: Group, sizes: Sizes) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return pairs of a number of devices and the ports that each has in use by each of `bundles`, device order.

        Those of the last, partly filled place have free ports below. A group without places stands in the one place
        that is the whole fabric, not full while it may still grow.
        """
        count, places = evaluate(self.devices(group), sizes), self.placement_axes(group)
        ports = tuple(self._count_ports(group, bundle, sizes) for bundle in self.bundles)
        depth = len(places)
        if depth == len(self.placement):
            return ((count, ports),)
        below = next(bundle for bundle in self.bundles if bundle.upper == group)
        inner = self.placement_axes(below.lower)[depth:]
        around = sizes[filled_name(places[-1])] if places else 1
        if not below.uniform:
            runs = self._uneven_fills(group, below, around, sizes)
            return tuple((count, self._with_links(ports, below, links)) for count, links in runs)
        if not inner:
            return ((count, ports),)
        missing = around * evaluate(inner, sizes) - sizes[filled_name(inner[-1])]
        if not missing:
            return ((count, ports),)
        last = evaluate(tuple(axis for axis in group.axes if axis not in places), sizes)
        others = tuple(axis for axis in below.lower_only if axis not in self.placement)
        links = self._count_ports(group, below, sizes) - missing * evaluate((*others, below.name), sizes)
        return (count - last, ports), (last, self._with_links(ports, below, links))

    def _with_links(self, ports: tuple[int, ...], bundle: Bundle, links: int) -> tuple[int, ...]:
        """Return the ports by bundle with those of one of them replaced."""
        return tuple(links if each == bundle else old for each, old in zip(self.bundles, ports, strict=True))

    @staticmethod
    def _count_ports(group: Group, bundle: AxisBundle, sizes: Sizes) -> int:
        """Return the ports of a device that belong to a bundle, when its part of the placement is full."""
        if group not in (bundle.lower, bundle.upper):
            return 0
        return int(evaluate(bundle.ports_down if bundle.upper == group else bundle.ports_up, sizes))

    def _uneven_fills(self, group: Group, bundle: AxisBundle, around: int, sizes: Sizes) -> tuple[tuple[int, int], ...]:
        """Return the ports in use by a bundle whose pairs differ, in `around` places; the last may be open."""
        places = self.placement_axes(group)
        inner = self.placement_axes(bundle.lower)[len(places) :]
        full, others = evaluate(bundle.lower_only, sizes), tuple(axis for axis in group.axes if axis not in places)
        missing = around * evaluate(inner, sizes) - sizes[filled_name(inner[-1])] if inner else 0
        last = full - missing * full // evaluate(inner, sizes)
        runs = (around - 1) * bundle.fills(others, full, sizes) + bundle.fills(others, last, sizes)
        merged = [(ports, sum(count for count, _ in some)) for ports, some in groupby(runs, itemgetter(1))]
        return tuple((count, ports) for ports, count in merged)

    def partial_places(self, sizes: Sizes, /) -> tuple[PartialPlace, ...]:
        return self._partly_filled(self.placement, sizes)

    def _partly_filled(self, placement: tuple[str, ...], sizes: Sizes) -> tuple[PartialPlace, ...]:
        pairs = ((outer, inner, sizes[filled_name(inner)] % sizes[inner]) for outer, inner in pairwise(placement))
        return tuple(
            PartialPlace(
                title(outer), rest, sizes[inner], "servers" if inner == self.placement[-1] else f"{title(inner)}s"
            )
            for outer, inner, rest in pairs
            if rest
        )

    def units_of(self, group: Group) -> tuple[Monomial, Monomial] | None:
        places = self.placement_axes(group)
        if places != self.placement[:-1]:
            return None
        units = (filled_name(places[-1]),) if places else ()
        return units, tuple(axis for axis in group.axes if axis not in places)

    def servers_sharing(self, tier: int) -> Monomial | None:
        group = self.switch_groups[min(tier, self.tiers) - 1]
        return self.placement[len(self.placement_axes(group)) :]

    def capacity(self, sizes: Sizes) -> int:
        return math.prod(sizes[axis] for axis in self.placement)

    def servers_in(self, axis: str, sizes: Sizes) -> int:
        """Return the servers of one full place of `axis`: a unit's slots, a pod's units times slots."""
        return math.prod(sizes[inner] for inner in self.placement[self.placement.index(axis) + 1 :])

    def locality_size(self, axes: tuple[str, ...], sizes: Sizes) -> int:
        """Return the servers of one full place of a group with these axes; all of them where it has no places.

        Where servers are unlike, these are units.
        """
        places = [axis for axis in self.placement if axis in axes]
        return self.servers_in(places[-1], sizes) if places else max(1, sizes[self.servers_name])

    def complete_sizes(self, sizes: Sizes, nics: int, servers: int) -> dict[str, int]:
        """Return `sizes` with the filled places of each placement axis, for `servers` servers placed in order."""
        full, count = dict(sizes), servers
        for axis in reversed(self.placement):
            full[filled_name(axis)] = count
            count = -(-count // sizes[axis])
        for bundle in self.bundles:
            full |= bundle.following_sizes(sizes)
        return full

    def given_sizes(self, nics: int) -> dict[str, int]:
        return {}

    def invalid_size(self, sizes: Sizes) -> str | None:
        return None

    def broken_rule(self, sizes: Sizes) -> str | None:
        return None

    def random_sizes(self, random: Random, most: int) -> dict[str, int]:
        sizes = {axis: random.randint(1, most) for axis in self.axes}
        sizes[PLANE] = random.randint(1, 2)
        for bundle in self.bundles:
            sizes |= bundle.random_sizes(random, sizes)
        return sizes

    def fan_out(self, tier: int, below: int) -> tuple[Monomial, Monomial]:
        """Return the count of the switches of `tier` over which one device of tier `below` spreads its traffic.

        It is one product over another: where bundles are balanced, a switch to which more links lead than to others
        counts as the equal part that it is. Tier 0 is a server, which goes on with its other NICs; above the leaves
        each of its rails is taken alone.
        """
        chain = (self.server, *self.switch_groups)
        group, lower = chain[tier], chain[below if tier == 1 else max(1, below)]
        planes = (PLANE,) if below == 0 and tier > 1 else ()
        over, under = Counter((*planes, *(axis for axis in group.axes if axis not in lower.axes))), Counter[str]()
        for bundle in self.chain[max(1, below) : tier]:
            over.update(bundle.ports_up)
            under.update((*bundle.upper_only, bundle.name))
        return tuple((over - under).elements()), tuple((under - over).elements())

    def shared_axes(self, tier: int) -> tuple[str, ...]:
        """Return the leaf's axes that every group up to `tier` has: leaves that agree on them meet at that tier."""
        groups = self.switch_groups[:tier]
        return tuple(axis for axis in groups[0].axes if all(axis in group.axes for group in groups))

    @property
    def rails_meet_at(self) -> str | None:
        for tier, group in enumerate(self.switch_groups, 1):
            if not any(axis in self.shared_axes(tier) for axis in self.rail_axes):
                return group.role
        return None
