"""A Clos topology as a CP-SAT model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import cast

from ortools.sat.python import cp_model

from fabric.optimizer.balanced_links import add_balanced_links, join_connectors
from fabric.optimizer.candidates import Candidate, allowed_sizes
from fabric.optimizer.clos_features import clos_features
from fabric.optimizer.feature import Feature
from fabric.optimizer.model import Model, Term
from fabric.optimizer.pair_links import add_parallel_links
from fabric.optimizer.pods import limit_pod
from fabric.optimizer.port_limits import drops_ports
from fabric.optimizer.survival import Sent, remains_of, survive_switch
from fabric.optimizer.switch_ports import bound_all_ports
from fabric.topology.axis_bundle import AxisBundle
from fabric.topology.clos import ClosForm, filled_name
from fabric.topology.topology import PLANE, Bundle, Group

__all__ = ["ClosModel"]


class ClosModel(Model):
    """A candidate whose topology is a Clos: places that are filled in order, rails, and free axes above."""

    def __init__(self, candidate: Candidate, form: ClosForm, relaxed: Iterable[str] = ()) -> None:
        self.form = form
        super().__init__(candidate, relaxed)
        for bundle in form.balanced_bundles:
            join_connectors(self, bundle)

    def links(self, bundle: Bundle) -> Term:
        """Return the number of links of `bundle`."""
        if bundle.name not in self._links:
            ports_up = self.product(cast(AxisBundle, bundle).ports_up)
            self._links[bundle.name] = self.times(self.devices(bundle.lower), ports_up, f"links {bundle.name}")
        return self._links[bundle.name]

    def added_devices(self, group: Group, /) -> Term:
        """Return the number of devices in the places that only the grown fabric fills."""
        *_, last = ("", *self.form.placement_axes(group))
        if not last or self._grown[last] is self.sizes[filled_name(last)]:
            return 0
        others = self.product(tuple(axis for axis in group.axes if axis not in self.form.server.axes))
        grown = self.times(self._grown[last], others, f"{group.role} grown")
        added = self.var(self.upper(grown), f"{group.role} added", least=0)
        self.cp.add(added == grown - self.devices(group))
        return added

    def survive(self, role: str, share: Fraction) -> None:
        if role == PLANE:
            self.cp.add(remains_of(self.candidate.planes, share))
        elif role in self.form.roles:
            survive_switch(self, self.form, self.form.roles.index(role) + 1, share, sent=self._sent_below())

    def _sent_below(self) -> list[Sent]:
        """Return what the servers below a full leaf send, once for each of the leaves that differ."""
        hosts = self.form.chain[0]
        return [Sent(self.candidate.rate(hosts), hosts.ports_down)]

    def features(self) -> dict[str, Feature]:
        return clos_features(self, self.form)

    def longest_path(self, each: Sequence[Term]) -> cp_model.LinearExprT:
        """Return a leaf, and two more switches for each tier within which not every pair of servers meets."""
        return each[0] + sum(self._climb(tier, each) for tier in range(1, self.form.tiers))

    def _climb(self, tier: int, each: Sequence[Term]) -> cp_model.LinearExpr:
        """Return the hops that a path has more where it turns above `tier`: a switch of it, and one of the next."""
        flag, more = self._unmet_at(tier), each[tier - 1] + each[tier]
        if isinstance(more, int):
            return more * flag
        found = self.var(self.upper(each[tier - 1]) + self.upper(each[tier]), f"hops above {tier}", least=0)
        self.cp.add(found >= more).only_enforce_if(flag)
        return found

    def _unmet_at(self, tier: int) -> cp_model.IntVar:
        """Return a flag that is 1 when some pair of NICs of different servers does not meet within `tier`."""
        flag = self.var(1, f"unmet at {tier}", least=0)
        shared = self.form.shared_axes(tier)
        places = [axis for axis in self.form.server.axes if axis in shared]
        rails = [axis for axis in self.form.rail_axes if axis in shared and self.form.rails_meet_at]
        for name in [*(filled_name(axis) for axis in places[-1:]), *rails]:
            self.cp.add(self.sizes[name] - 1 <= self.upper(self.sizes[name]) * flag)
        return flag

    def _add_sizes(self) -> None:
        names = [*self.form.axes, *(name for bundle in self.form.bundles for name in bundle.all_sizes)]
        fills = [filled_name(axis) for axis in self.form.server.axes]
        self._order = {name: index for index, name in enumerate([*reversed(fills), *names])}
        for axis in self.form.axes:
            if axis != PLANE:
                self.sizes[axis] = self._add_axis(axis)
        self.sizes[PLANE] = self.candidate.planes
        hosts, *others = self.form.bundles
        self.sizes[hosts.name] = self.pinned_size(hosts.name) or self.var(self.candidate.spec.server.nics, hosts.name)
        for bundle in others:
            if bundle.uniform:
                self.sizes[bundle.name] = self.pinned_size(bundle.name) or add_parallel_links(self, bundle)
        for bundle in self.form.balanced_bundles:
            add_balanced_links(self, bundle)
        self._attach_nics()
        self._fill_places()

    def _add_axis(self, axis: str) -> Term:
        """Return the size of an axis: given, or a variable within what the request and the server allow."""
        spec = self.candidate.spec
        if given := self.pinned_size(axis):
            return given
        if axis == self.form.server.axes[-1]:
            return self._unit_servers or self.var(self.widest if self._is_loose(axis) else self._most_servers, axis)
        allowed = allowed_sizes(spec, axis)
        if allowed is None:
            return self.var(self.widest, axis)
        if len(allowed) == 1:
            return allowed[0]
        var = self.var(max(allowed), axis)
        self.cp.add_linear_expression_in_domain(var, cp_model.Domain.from_values(sorted(allowed)))
        return var

    @property
    def _unit_servers(self) -> int | None:
        return None if "unit_gpus" in self.relaxed else self.candidate.spec.unit_servers

    @property
    def _most_servers(self) -> int:
        return min(self.widest, self.candidate.spec.grown_servers)

    def _is_loose(self, axis: str) -> bool:
        """Return whether a placement axis may be larger than the servers need: where its size is given."""
        given = axis in self.candidate.spec.pinned
        return given or (axis == self.form.server.axes[-1] and self.candidate.spec.unit_servers is not None)

    def _attach_nics(self) -> None:
        """Give every NIC one link in every plane: rails times links per rail are the server's NICs."""
        up = tuple(name for name in self.form.bundles[0].ports_up if name != PLANE)
        self.cp.add(self.product(up) == self.candidate.spec.server.nics)

    def _fill_places(self) -> None:
        """Fill the places with today's servers, and size the outermost axis for those that the fabric may grow to."""
        outermost = self.form.server.axes[0]
        grown = self._grown_servers(self.servers)
        today = self._filled_places(self.servers, "today")
        full = self._grown = today if grown is self.servers else self._filled_places(grown, "grown")
        for axis, count in today.items():
            self.sizes[filled_name(axis)] = count
        for axis in [axis for axis in self.form.server.axes[1:-1] if not self._is_loose(axis)]:
            self.cp.add(self.sizes[axis] <= full[axis])  # a place holds no more than the servers asked for fill
        self.cp.add(self.sizes[outermost] >= full[outermost])
        if not self._is_loose(outermost):
            self.cp.add(self.sizes[outermost] == full[outermost])
        limit_pod(self, self.form, grown)

    def _filled_places(self, servers: Term, when: str) -> dict[str, Term]:
        """Return how many places of each placement axis the servers fill, in whole or in part."""
        places: dict[str, Term] = {}
        count = servers
        for axis in reversed(self.form.server.axes):
            places[axis] = count
            if axis != self.form.server.axes[0]:
                count = self.ceil_divide(count, self.sizes[axis], f"{axis} {when}")
        return places

    def _grown_servers(self, servers: Term) -> Term:
        """Return the servers that the fabric must be able to grow to, at least today's `servers`."""
        spec = self.candidate.spec
        if self.relaxed == {"grow_to_gpus"}:
            self.excess = self.var(spec.grown_servers, "grown", least=spec.servers)
            return self.excess
        if "grow_to_gpus" in self.relaxed or not spec.grow_to_gpus:
            return servers
        if isinstance(servers, int):
            return servers if servers == spec.grown_servers else spec.grown_servers
        grown = self.var(spec.grown_servers, "grown")
        self.cp.add_max_equality(grown, [servers, -(-spec.grow_to_gpus // spec.server.gpus)])
        return grown

    def ceil_divide(self, count: Term, size: Term, name: str, most: int | None = None) -> Term:
        """Return the quotient of two counts, rounded up, at most `most`."""
        if isinstance(count, int) and isinstance(size, int):
            return -(-count // size)
        places = self.var(min(self.upper(count), most or self.upper(count)), f"places of {name}")
        room = self.times(places, size, f"room of {name}")
        self.cp.add(room >= count)
        self.cp.add(room <= count + size - 1)
        return places

    def _limit_ratio(self, group: Group) -> None:
        if group == self.form.switch_groups[-1]:
            return
        role, spec = group.role, self.candidate.spec
        (down,) = (self.count(ports) for ports in self.form.ports_down(group))
        (up,) = (self.count(ports) for ports in self.form.ports_up(group))
        ratio, least = (self._ratio_in_ports(role, each(role)) for each in (spec.ratio, spec.least_ratio))
        if least and "least_oversubscription" not in self.relaxed:
            self.cp.add(least.denominator * down >= least.numerator * up)
        within = ratio.denominator * down <= ratio.numerator * up
        if "oversubscription" not in self.relaxed:
            self.cp.add(within)
        elif len(self.relaxed) == 1:
            high = self.var(1, f"{role} is oversubscribed", least=0)
            most = 100 * self.widest
            share = self.var(most * self.widest, f"hundredths of {role}", least=0)
            self.cp.add_multiplication_equality(share, [self.excess_to(most), up])
            self.cp.add(within).only_enforce_if(high.negated())
            unit = self._ratio_in_ports(role, Fraction(1))
            self.cp.add(100 * unit.denominator * down <= unit.numerator * share).only_enforce_if(high)

    def _ratio_in_ports(self, role: str, ratio: Fraction) -> Fraction:
        """Return a ratio of bandwidths at `role` as one of ports: the links up may be faster than those down."""
        rates = self.candidate.rates_at(role)
        return ratio * Fraction(rates.up, rates.down)

    def _bound_total_links(self, group: Group) -> None:
        if drops_ports(self.relaxed, group.role):
            return
        below = next(bundle for bundle in self.form.bundles if bundle.upper == group)
        above = next((bundle for bundle in self.form.bundles if bundle.lower == group), None)
        bound_all_ports(self, group.role, self.links(below), self.links(above) if above else 0)
        if above and "oversubscription" in self.relaxed:
            return
        if above:
            ratio = self._ratio_in_ports(group.role, self.candidate.spec.ratio(group.role))
            self.cp.add(ratio.denominator * self.links(below) <= ratio.numerator * self.links(above))
        elif not self.form.placement_axes(group) and self.relaxed.isdisjoint(
            ("gpus", "grow_to_gpus", "oversubscription")
        ):
            self._bound_grown_top(group)

    def _bound_grown_top(self, top: Group) -> None:
        """State that the top tier, bought whole today, has ports for what the grown fabric's servers send up to it.

        Redundant like the rest, but it joins the cost of the top directly to the number of servers.
        """
        spec = self.candidate.spec
        ratio = math.prod((spec.ratio(role) for role in self.form.roles[:-1]), start=Fraction(1))
        ratio *= Fraction(self.candidate.rates_at(top.role).down, self.candidate.link_gbps)
        sent = math.ceil(self.sent_links() / ratio)
        self.cp.add(self.sum_of(top.role, self.candidate.radix(top.role)) >= sent)

    def sent_links(self) -> Fraction:
        """Return the links of the grown fabric's servers; those that are slower than the fastest as parts of one."""
        spec = self.candidate.spec
        return Fraction(spec.grown_servers * spec.server.nics * self.candidate.planes)
