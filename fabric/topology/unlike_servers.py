"""A Clos with unlike servers below its leaves: several kinds, each a group of its own, and nothing else is different.

Each kind is placed in units in order, as equal servers are. Units are of one kind, those of the first kind first
(*apart*), or have some servers of every kind (*together*); a form without units has one place for all.

NIC j of the server in slot s leads to rail (s n + j) mod R, for servers of n NICs on R rails; those with c NICs for
every rail have c in a row on each, as where all servers are equal. So few NICs fill the rails of a unit evenly, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from random import Random
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fabric.topology.axis_bundle import AxisBundle
from fabric.topology.clos import ClosForm, filled_name
from fabric.topology.facts import ONE_RATE, PartialPlace
from fabric.topology.polynomial import Expression, Monomial, evaluate
from fabric.topology.topology import PLANE, Bundle, Group, Sizes, title

__all__ = ["HOST_PORTS", "DealtBundle", "UnlikeForm"]

HOST_PORTS = "host-ports"
"""The name of the size that follows: the ports for servers of a leaf that has most, where units are of one kind."""


@dataclass(frozen=True)
class DealtBundle(AxisBundle):
    """The links of one kind of server, whose NICs are dealt over the rails of its unit."""

    @property
    def uniform(self) -> bool:
        return False

    @property
    def nics(self) -> str:
        """The name of the size that is given: the NICs of a server."""
        return f"{self.lower.role}-nics"

    @property
    def ports(self) -> str:
        """The name of the size that follows: the ports of a leaf for these servers, where its unit is full of them."""
        return f"{self.lower.role}-ports"

    @property
    def slot(self) -> str:
        """The name of the axis that numbers these servers in a unit."""
        return self.lower.axes[-1]

    @property
    def units(self) -> str:
        """The name of the size that follows: the units with these servers."""
        return f"{self.lower.role}-units"

    @property
    def rail_axes(self) -> Monomial:
        """The axes of the leaf over which NICs are dealt."""
        return tuple(axis for axis in self.upper_only if axis != PLANE)

    @property
    def ports_up(self) -> Monomial:
        return (self.nics, PLANE)

    @property
    def ports_down(self) -> Monomial:
        return (self.ports,)

    @property
    def size_names(self) -> tuple[str, ...]:
        return ()

    @property
    def all_sizes(self) -> tuple[str, ...]:
        return (self.name, self.nics, self.ports)

    def following_sizes(self, sizes: Sizes, /) -> dict[str, int]:
        """Return the ports of the fullest leaf, and the links of the pair that has most, under the bundle's name."""
        rails, nics = evaluate(self.rail_axes, sizes), sizes[self.nics]
        return {self.ports: -(-sizes[self.slot] * nics // rails), self.name: -(-nics // rails)}

    def in_row(self, sizes: Sizes) -> int:
        """Return the NICs of a server that are in a row on one rail."""
        rails, nics = evaluate(self.rail_axes, sizes), sizes[self.nics]
        return int(nics // rails) if nics % rails == 0 else 1

    def rail_loads(self, servers: Any, sizes: Sizes) -> npt.NDArray[np.int64]:
        """Return the NICs on each rail of units with these numbers of servers, shape (*servers, rails)."""
        rails, row = evaluate(self.rail_axes, sizes), self.in_row(sizes)
        each, rest = np.divmod(np.asarray(servers, np.int64)[..., None] * sizes[self.nics] // row, rails)
        return np.asarray(row * (each + (np.arange(rails) < rest)))

    def random_sizes(self, random: Random, _sizes: Sizes, /) -> dict[str, int]:
        return {self.nics: random.randint(1, 5)}


@dataclass(frozen=True)
class UnlikeForm(ClosForm):
    """A Clos with servers of several kinds; the number of each, `filled_name` of its slot, is among the sizes."""

    together: bool = False
    """Whether a unit has servers of every kind; otherwise of one."""

    @classmethod
    def of(cls, form: ClosForm, kinds: tuple[str, ...], *, together: bool = False) -> UnlikeForm:
        """Return a form with a group of servers of each kind instead of its own."""
        *places, slot = form.server.axes
        leaf, hosts = form.switch_groups[0], [Group(kind, (*places, f"{slot} {kind}")) for kind in kinds]
        dealt = (DealtBundle(host, leaf, f"{host.role}-{leaf.role}") for host in hosts)
        return cls(
            form.family, (*hosts, *form.switch_groups), (*dealt, *form.bundles[1:]), form.routing, form.drawing,
            form.notes, together,
        )  # fmt: skip

    def balanced(self) -> ClosForm:
        others = self.bundles[len(self.dealt) :]
        return replace(self, bundles=(*self.dealt, *map(self._balance, others)))

    @property
    def dealt(self) -> tuple[DealtBundle, ...]:
        """The bundles of the servers, kind by kind."""
        return tuple(cast(DealtBundle, bundle) for bundle in self.bundles if bundle.upper == self.switch_groups[0])

    @property
    def chain(self) -> tuple[AxisBundle, ...]:
        return (self.dealt[0], *self.bundles[len(self.dealt) :])

    @property
    def server_groups(self) -> tuple[Group, ...]:
        return self.groups[: len(self.groups) - len(self.roles)]

    @property
    def switch_groups(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if PLANE in group.axes)

    @property
    def text(self) -> str:
        """The form, with all kinds of servers before the leaves."""
        kinds = ", ".join(f"{group.role}({', '.join((*self.outer, 'slot'))})" for group in self.server_groups)
        return " - ".join([kinds, *super().text.split(" - ")[len(self.server_groups) :]])

    @property
    def outer(self) -> tuple[str, ...]:
        """The axes of the units, outermost first; none where there is one place for all servers."""
        return self.placement[:-1]

    @property
    def shares_units(self) -> bool:
        """Whether the servers of different kinds share leaves."""
        return self.together or not self.outer

    @property
    def servers_name(self) -> str:
        return "servers"

    def placement_axes(self, group: Group) -> tuple[str, ...]:
        return group.axes if group in self.server_groups else super().placement_axes(group)

    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        if group == self.switch_groups[0] and not self.shares_units:
            return ((HOST_PORTS,),)
        return super().ports_down(group)

    def port_sides(self, group: Group) -> tuple[tuple[Bundle, Expression, bool], ...]:
        """Return the same with the links below a leaf kind by kind, of which a leaf has one where units are apart."""
        if group != self.switch_groups[0]:
            return super().port_sides(group)
        up = ((bundle, bundle.ports_up, True) for bundle in self.bundles if bundle.lower == group)
        return (*((bundle, bundle.ports_down, False) for bundle in self.dealt), *up)

    def bundles_together(self, group: Group) -> tuple[tuple[Bundle, ...], ...]:
        """Return the same; at leaves that have servers of one kind each, each kind with the links up."""
        (every,) = super().bundles_together(group)
        if group != self.switch_groups[0] or self.shares_units:
            return (every,)
        up = tuple(bundle for bundle in every if bundle not in self.dealt)
        return tuple((bundle, *up) for bundle in self.dealt)

    def oversubscription(self, group: Group, sizes: Sizes, rates: Mapping[str, int] = ONE_RATE) -> Fraction | None:
        """Return the same; at leaves that have servers of one kind each, that of the kind whose leaves have most."""
        if group != self.switch_groups[0] or self.shares_units or self.tiers == 1:
            return super().oversubscription(group, sizes, rates)
        return max(self.kind_oversubscription(bundle, sizes, rates) or Fraction(0) for bundle in self.dealt)

    def kind_oversubscription(
        self, bundle: DealtBundle, sizes: Sizes, rates: Mapping[str, int] = ONE_RATE
    ) -> Fraction | None:
        """Return the oversubscription at the leaves of a kind; None where there is one tier."""
        leaf = self.switch_groups[0]
        if self.shares_units:
            return self.oversubscription(leaf, sizes, rates)
        sides = self.port_sides(leaf)
        up = sum(evaluate(ports, sizes) * rates.get(side.name, 1) for side, ports, upward in sides if upward)
        return Fraction(sizes[bundle.ports] * rates.get(bundle.name, 1), up) if up else None

    def first_place(self, group: Group, sizes: Sizes, /) -> int:
        of = {bundle.lower: bundle for bundle in self.dealt}.get(group)
        return self.first_unit(of, sizes) * sizes[of.slot] if of else 0

    def first_unit(self, bundle: DealtBundle, sizes: Sizes) -> int:
        """Return the number of the first unit with servers of a kind."""
        before = self.dealt[: self.dealt.index(bundle)]
        return 0 if self.shares_units else sum(sizes[each.units] for each in before)

    def first_port(self, group: Group, bundle: Bundle, sizes: Sizes) -> int:
        """Return the first port of the group's devices for the bundle; kinds that share units follow in order."""
        if group != self.switch_groups[0] or bundle.lower == group:
            return super().first_port(group, bundle, sizes)
        before = self.dealt[: [each.name for each in self.dealt].index(bundle.name)]
        return sum(sizes[each.ports] for each in before) if self.shares_units else 0

    def unit_runs(self, sizes: Sizes) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield runs of units, in order, with the servers of each kind that every unit of the run has."""
        ends, firsts = {0}, [self.first_unit(bundle, sizes) for bundle in self.dealt]
        for bundle, first in zip(self.dealt, firsts, strict=True):
            count, slot = sizes[filled_name(bundle.slot)], sizes[bundle.slot]
            ends |= {first, first + count // slot, first - (-count // slot)}
        for start, end in pairwise(sorted(ends)):
            pairs = zip(self.dealt, firsts, strict=True)
            yield end - start, tuple(_servers_in_unit(bundle, start - first, sizes) for bundle, first in pairs)

    def bundle_fills(self, group: Group, sizes: Sizes) -> tuple[tuple[int, tuple[int, ...]], ...]:
        if group != self.switch_groups[0]:
            return super().bundle_fills(group, sizes)
        up = [self._count_ports(group, bundle, sizes) for bundle in self.bundles[len(self.dealt) :]]
        fills: list[tuple[int, tuple[int, ...]]] = []
        for units, servers in self.unit_runs(sizes):
            pairs = zip(self.dealt, servers, strict=True)
            loads = np.stack([bundle.rail_loads(count, sizes) for bundle, count in pairs], axis=1).tolist()
            rails = [(sizes[PLANE] * len(list(same)), (*load, *up)) for load, same in groupby(loads)]
            fills += [(units * rails[0][0], rails[0][1])] if len(rails) == 1 else units * rails
        merged = groupby(fills, lambda fill: fill[1])
        return tuple((sum(count for count, _ in same), ports) for ports, same in merged)

    def servers_sharing(self, tier: int) -> None:
        """Return None: how many there are differs by kind."""

    def partial_places(self, sizes: Sizes, /) -> tuple[PartialPlace, ...]:
        """Return the same with the last units of each kind."""
        found = [*self._partly_filled(self.outer, sizes)]
        for bundle in self.dealt if self.outer else ():
            if rest := sizes[filled_name(bundle.slot)] % sizes[bundle.slot]:
                name = f"{title(self.outer[-1])} of {bundle.lower.role}"
                found.append(PartialPlace(name, rest, sizes[bundle.slot], "servers"))
        return tuple(found)

    def capacity(self, sizes: Sizes) -> int:
        """Return the servers that fit, where the last kind has all places that the others leave."""
        last, units = self.dealt[-1], math.prod(sizes[axis] for axis in self.outer)
        others = sum(sizes[filled_name(bundle.slot)] for bundle in self.dealt[:-1])
        return others + (units - self.first_unit(last, sizes)) * sizes[last.slot]

    def locality_size(self, axes: tuple[str, ...], sizes: Sizes) -> int:
        places = [axis for axis in self.outer if axis in axes]
        inner = self.outer[len(places) :]
        return math.prod(sizes[axis] for axis in inner) if places else max(1, self.units(sizes))

    def units(self, sizes: Sizes) -> int:
        """Return the units that hold servers."""
        return sizes[filled_name(self.outer[-1])] if self.outer else 1

    def complete_sizes(self, sizes: Sizes, _nics: int, servers: int, /) -> dict[str, int]:
        """Return `sizes` with those that follow; of the last kind there are the servers that the others leave."""
        full, last = {**sizes, "servers": servers}, self.dealt[-1]
        others = sum(sizes[filled_name(bundle.slot)] for bundle in self.dealt[:-1])
        full[filled_name(last.slot)] = servers - others
        for bundle in self.bundles:
            full |= bundle.following_sizes(full)
        for bundle in self.dealt:
            full[bundle.units] = -(-full[filled_name(bundle.slot)] // full[bundle.slot])
        units = [full[bundle.units] for bundle in self.dealt]
        full[HOST_PORTS] = max(full[bundle.ports] for bundle in self.dealt)
        count = max(units) if self.shares_units else sum(units)
        for axis in reversed(self.outer):
            full[filled_name(axis)] = count
            count = -(-count // full[axis])
        return full


def _servers_in_unit(bundle: DealtBundle, unit: int, sizes: Sizes) -> int:
    """Return the servers of a kind in one unit, numbered from the first that has some."""
    count, slot = sizes[filled_name(bundle.slot)], sizes[bundle.slot]
    return 0 if unit < 0 else max(0, min(slot, count - unit * slot))
