"""A Clos with unlike servers as a CP-SAT model: the lowest places by kind, and what stands above them as ever."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from fabric.catalog import Switch
from fabric.optimizer.balanced_links import add_balanced_links
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.clos_model import ClosModel
from fabric.optimizer.feature import Feature
from fabric.optimizer.model import Term
from fabric.optimizer.pair_links import add_parallel_links
from fabric.optimizer.port_limits import PORTS, UPLINKS, drops_ports
from fabric.optimizer.survival import Sent
from fabric.optimizer.switch_ports import list_rooms
from fabric.request.spec import ServerKind
from fabric.topology.clos import filled_name
from fabric.topology.topology import PLANE, Bundle, Group
from fabric.topology.unlike_servers import HOST_PORTS, DealtBundle, UnlikeForm

__all__ = ["UnlikeModel"]


class UnlikeModel(ClosModel):
    """A candidate with unlike servers (see `fabric.topology.unlike_servers`)."""

    form: UnlikeForm

    def __init__(self, candidate: Candidate, form: UnlikeForm, relaxed: Iterable[str] = ()) -> None:
        self.kinds = {kind.name: kind for kind in candidate.spec.kinds}
        super().__init__(candidate, form, relaxed)

    def pair_links(self, bundle: Bundle) -> tuple[Any, Term]:
        """Return the links between each pair of devices; of a server whose NICs are dealt one by one, a single one."""
        if bundle in self.form.host_bundles and not self._in_rows(bundle):
            return 1, 1
        return super().pair_links(bundle)

    def _in_rows(self, bundle: Bundle) -> bool:
        """Say whether the servers of a kind have as many NICs on each rail."""
        nics, rails = self.kinds[bundle.lower.role].server.nics, self.product(self.form.rail_axes)
        return not isinstance(rails, int) or nics % rails == 0

    def survive(self, role: str, share: Fraction) -> None:
        if role != self.form.roles[0]:
            super().survive(role, share)
            return
        for each in self.form.dealt:
            # All of a server's links but those that one leaf has.
            links = self.candidate.planes * self.kinds[each.lower.role].server.nics
            self.cp.add(share.denominator * self.sizes[each.name] <= (share.denominator - share.numerator) * links)

    def _sent_below(self) -> list[Sent]:
        found = []
        for side in self._sides():
            unit = math.gcd(*map(self.candidate.rate, side))
            parts = [(self.candidate.rate(each) // unit, self.sizes[each.ports]) for each in side]
            total = self.var(sum(rate * self.upper(ports) for rate, ports in parts), f"{unit}G below a leaf")
            self.cp.add(total == sum(rate * ports for rate, ports in parts))
            found.append(Sent(unit, total=total))
        return found

    def features(self) -> dict[str, Feature]:
        raise NotImplementedError("objectives of time are of equal servers")

    def _add_sizes(self) -> None:
        form = self.form
        counted = [filled_name(axis) for axis in (*form.outer, *(each.slot for each in form.dealt))]
        names = [*form.axes, *(name for bundle in form.bundles for name in bundle.all_sizes)]
        units = [each.units for each in form.dealt]
        order = [*reversed(counted), *units, HOST_PORTS, form.servers_name, *names]
        self._order = {name: index for index, name in enumerate(order)}
        self.sizes |= {PLANE: self.candidate.planes, form.servers_name: self.servers}
        for axis in form.axes:
            if axis != PLANE:
                self.sizes[axis] = self._add_axis(axis)
        for each in form.dealt:
            self._attach_kind(each)
        for bundle in form.fabric_bundles:
            if bundle.uniform:
                self.sizes[bundle.name] = self.pinned_size(bundle.name) or add_parallel_links(self, bundle)
        for balanced in form.balanced_bundles:
            add_balanced_links(self, balanced)
        self._fill_places()

    def _add_axis(self, axis: str) -> Term:
        kind = next((self.kinds[each.lower.role] for each in self.form.dealt if each.slot == axis), None)
        return super()._add_axis(axis) if kind is None else self._add_slot(axis, kind)

    def _add_slot(self, axis: str, kind: ServerKind) -> Term:
        """Return the servers of a kind in a unit: given, or as many as there are and leaves may have ports for."""
        if kind.per_unit and f"per_unit.{kind.name}" not in self.relaxed:
            return kind.per_unit
        most_rails = max(self.candidate.spec.rails) if "rail" in self.form.rail_axes else 1
        most = max(1, self.widest * max(most_rails, kind.server.trays) // kind.server.nics)
        return self.var(min(most, max(self.upper(self._grown_count(kind)), kind.per_unit or 0)), axis)

    def _grown_count(self, kind: ServerKind) -> Term:
        """Return the servers of a kind that the fabric must be able to grow to."""
        if kind.grown == kind.count or "grow_to_gpus" not in self.relaxed:
            return kind.grown
        return self.excess_to(kind.grown, least=kind.count) if len(self.relaxed) == 1 else kind.count

    def _attach_kind(self, bundle: DealtBundle) -> None:
        """Add what follows from the NICs of a kind: the ports of its leaves, and the links of a server at one."""
        kind, rails = self.kinds[bundle.lower.role], self.product(self.form.rail_axes)
        self.sizes |= {bundle.nics: kind.server.nics, filled_name(bundle.slot): kind.count}
        dealt = self.times(self.sizes[bundle.slot], kind.server.nics, f"NICs of a unit of {kind.name}")
        self.sizes[bundle.ports] = self.ceil_divide(dealt, rails, bundle.ports, most=self.widest)
        self.sizes[bundle.name] = self.ceil_divide(kind.server.nics, rails, bundle.name)

    def _fill_places(self) -> None:
        """Fill the units with today's servers, and size the outermost axis for those that the fabric may grow to."""
        form, sizes = self.form, self.sizes
        for each in form.dealt:
            sizes[each.units] = self.ceil_divide(self.kinds[each.lower.role].count, sizes[each.slot], each.units)
        sizes[HOST_PORTS] = self._most([sizes[each.ports] for each in form.dealt], HOST_PORTS)
        last = form.dealt[-1]
        kind = self.kinds[last.lower.role]
        grown = self._grown_count(kind)
        grows = self.upper(grown) > kind.count
        if not form.outer:
            for each in form.dealt:
                self.cp.add(sizes[each.slot] >= self._grown_count(self.kinds[each.lower.role]))
            self._grown = {}
            return
        units = [sizes[each.units] for each in form.dealt]
        today = self._grown = self._filled_units(self._count_units(units, "units"), "today")
        if grows:
            units[-1] = self.ceil_divide(grown, sizes[last.slot], f"{last.units} grown")
            self._grown = self._filled_units(self._count_units(units, "units grown"), "grown")
        self._size_places(today)

    def _size_places(self, today: dict[str, Term]) -> None:
        """Set how many places are filled today, and size the axes for those that are filled when the fabric grows."""
        outermost, *inner = self.form.outer
        self.sizes |= {filled_name(axis): count for axis, count in today.items()}
        for axis in [axis for axis in inner if not self._is_loose(axis)]:
            self.cp.add(self.sizes[axis] <= self._grown[axis])
        self.cp.add(self.sizes[outermost] >= self._grown[outermost])
        if not self._is_loose(outermost):
            self.cp.add(self.sizes[outermost] == self._grown[outermost])

    def _count_units(self, units: list[Term], name: str) -> Term:
        """Return how many units there are with servers of all kinds."""
        if self.form.together:
            return self._most(units, name)
        known = [each for each in units if isinstance(each, int)]
        if len(known) == len(units):
            return sum(known)
        total = self.var(sum(map(self.upper, units)), name)
        self.cp.add(total == sum(units))
        return total

    def _most(self, terms: list[Term], name: str) -> Term:
        """Return the greatest of some terms."""
        if all(isinstance(each, int) for each in terms):
            return max(terms)
        most = self.var(max(map(self.upper, terms)), name)
        self.cp.add_max_equality(most, terms)
        return most

    def _filled_units(self, units: Term, when: str) -> dict[str, Term]:
        """Return how many places of each axis the units fill, in whole or in part."""
        places: dict[str, Term] = {}
        for axis in reversed(self.form.outer):
            places[axis] = units
            if axis != self.form.outer[0]:
                units = self.ceil_divide(units, self.sizes[axis], f"{axis} {when}")
        return places

    def _is_leaf(self, group: Group) -> bool:
        return group == self.form.switch_groups[0]

    def _sides(self) -> list[list[DealtBundle]]:
        """Return the kinds that have servers below the same leaves, once for each of such leaves."""
        return [[*self.form.dealt]] if self.form.shares_units else [[each] for each in self.form.dealt]

    def limit_switch_ports(self, group: Group) -> None:
        """Keep the links of a leaf within its ports, counted by rate, since all parts of a split port have one rate."""
        if not self._is_leaf(group):
            super().limit_switch_ports(group)
            return
        role, up = group.role, sum(self.count(ports) for ports in self.form.ports_up(group))
        rooms, uplinks = (list_rooms(self, role, kind) for kind in (PORTS, UPLINKS))
        for index, (model, used) in enumerate(zip(self.candidate.models[role], self.present[role], strict=True)):
            for side in self._sides() if rooms[index] is not None else ():
                for rule in self._fit_ports(model, self._links_by_rate(model, side, up), rooms[index]):
                    self.only_if(used, rule)
            if self.form.tiers > 1 and model.uplinks is not None and uplinks[index] is not None:
                self.only_if(used, up <= uplinks[index])

    def _links_by_rate(self, model: Switch, side: list[DealtBundle], up: Any) -> dict[int, Any]:
        """Return the links of a leaf by rate: of some kinds, kept free, and up where no ports are for these alone."""
        candidate, role = self.candidate, self.form.roles[0]
        links: dict[int, Any] = {candidate.link_gbps: self.spare[role] + self.free[role]}
        ends = [(candidate.rate(each), self.sizes[each.ports]) for each in side]
        if self.form.tiers > 1 and model.uplinks is None:
            ends.append((candidate.rates_at(role).up, up))
        for rate, number in ends:
            links[rate] = links.get(rate, 0) + number
        return {rate: number for rate, number in links.items() if not isinstance(number, int) or number}

    def _fit_ports(self, model: Switch, links: Mapping[int, Any], room: Term) -> Iterator[Any]:
        """Yield the rules by which a leaf's links by rate fit as many ports as there is `room` for.

        These are whole, or as many as there are links where all have one rate (see `Candidate.counted_ports`).
        """
        taken: list[Any] = []
        for rate, number in links.items():
            ports = model.ports if self.candidate.counts_whole_ports else model.radix(rate)
            yield ports * number <= model.radix(rate) * room
            if len(links) > 1:
                taken.append(self.var(self.upper(room), f"ports of {model.name} at {rate}G", least=0))
                yield number <= model.links_per_port(rate) * taken[-1]
        if taken:
            yield sum(taken) <= room

    def _limit_ratio(self, group: Group) -> None:
        if not self._is_leaf(group):
            super()._limit_ratio(group)
            return
        if self.form.tiers == 1:
            return
        role, spec, rate_up = group.role, self.candidate.spec, self.candidate.rates_at(group.role).up
        up = rate_up * sum(self.count(ports) for ports in self.form.ports_up(group))
        downs = [sum(self.candidate.rate(each) * self.sizes[each.ports] for each in side) for side in self._sides()]
        ratio, least = spec.ratio(role), spec.least_ratio(role)
        if least and "least_oversubscription" not in self.relaxed:
            flags = [self.var(1, f"{role} has enough", least=0) for _ in downs]
            for flag, down in zip(flags, downs, strict=True):
                self.cp.add(least.denominator * down >= least.numerator * up).only_enforce_if(flag)
            self.cp.add_bool_or(flags)
        if "oversubscription" not in self.relaxed:
            for down in downs:
                self.cp.add(ratio.denominator * down <= ratio.numerator * up)
        elif len(self.relaxed) == 1:
            self._relax_ratio(role, ratio, downs, up)

    def _relax_ratio(self, role: str, ratio: Fraction, downs: list[Any], up: Any) -> None:
        """Let the ratio be exceeded, and say by `excess` what it would have to be in hundredths."""
        most = 100 * self.widest
        high = self.var(1, f"{role} is oversubscribed", least=0)
        share = self.var(most * self.widest * self.candidate.rates_at(role).up, f"hundredths of {role}", least=0)
        self.cp.add_multiplication_equality(share, [self.excess_to(most), up])
        for down in downs:
            self.cp.add(ratio.denominator * down <= ratio.numerator * up).only_enforce_if(high.negated())
            self.cp.add(100 * down <= share).only_enforce_if(high)

    def _bound_total_links(self, group: Group) -> None:
        if not self._is_leaf(group):
            super()._bound_total_links(group)
        elif (
            self.form.tiers > 1 and "oversubscription" not in self.relaxed and not drops_ports(self.relaxed, group.role)
        ):
            ratio, above = self.candidate.spec.ratio(group.role), self.form.fabric_bundles[0]
            sent = sum(self.candidate.rate(each) * self.links(each) for each in self.form.dealt)
            carried = self.candidate.rate(above) * self.links(above)
            self.cp.add(ratio.denominator * sent <= ratio.numerator * carried)

    def sent_links(self) -> Fraction:
        """Return the links of the grown fabric's servers, slower ones as parts of the fastest."""
        spec, planes = self.candidate.spec, self.candidate.planes
        gbps = sum(kind.grown * kind.server.nics * spec.host_gbps(kind.server, planes) for kind in spec.kinds)
        return Fraction(gbps * planes, self.candidate.link_gbps)
