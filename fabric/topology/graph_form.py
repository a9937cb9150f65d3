"""Topologies as graphs: direct and server-centric networks, by counts and a pattern that lays their links.

Such a form is read in the same ways as a Clos (`fabric.topology.clos`): its counts are sums of products of sizes, and
the links of a bundle are laid by a function of the sizes, whose numbers of links and of ports per device are declared
and tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count as counter
from random import Random
from typing import cast

import numpy as np

from fabric.errors import InputError, nearest
from fabric.frozen import freeze
from fabric.topology.facts import ONE_RATE
from fabric.topology.graph_sizing import Sizing
from fabric.topology.patterns import Rows
from fabric.topology.polynomial import Expression, Monomial, Polynomial, Ratio, evaluate
from fabric.topology.topology import PLANE, Bundle, Group, Sizes, Topology
from fabric.units import count_noun

__all__ = ["SERVER", "GraphForm", "PathFacts", "PatternBundle"]

SERVER = Group("server", ("server",))
"""The servers of a graph form, numbered through."""


@dataclass(frozen=True)
class PatternBundle(Bundle):
    """Links between two groups, or within one group, laid by a pattern."""

    total: Polynomial
    """The number of links, with all planes and parallel links."""
    lower_ports: Polynomial
    """The links at a device of the lower group."""
    upper_ports: Polynomial
    """The links at a device of the upper group; the same as `lower_ports` within one group."""
    pairs: Callable[[Sizes], tuple[Rows, Rows]]
    """Returns the device numbers of both ends, shape (links,) each, within one plane and without parallel links.

    For the servers' links it returns one pair for each of their NICs.
    """
    loads: tuple[Ratio, ...] = ()
    """What uniform traffic at line rate and minimal routing load on a link, over its capacity.

    The greatest is the bundle's oversubscription: of the busiest link where links are loaded alike, of one a sixteenth
    less busy than that on dragonflies, and of the average one on Slim Fly and Jellyfish.
    """
    parallel: Ratio | None = None
    """The links between two joined devices where the pattern decides, rounded up: exact for all where it is whole."""

    def most_parallel(self, sizes: Sizes) -> int:
        return super().most_parallel(sizes) if self.parallel is None else math.ceil(self.parallel.value(sizes))

    @property
    def uniform(self) -> bool:
        return False


@dataclass(frozen=True)
class PathFacts:
    """The minimal paths of a graph form."""

    diameter: Polynomial
    """The switches on the longest minimal path."""
    hop_histogram: Callable[[Sizes], Mapping[int, int]] | None = None
    """Returns ordered pairs of NICs of different servers by hops, servers that forward included; None: no formula."""
    representatives: Callable[[Sizes], tuple[Rows, Rows]] | None = None
    """Returns switches to which all others are equivalent, and how many each stands for; None where there are none."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """The weight of a bundle's links in minimal routing, which takes the paths of least weight; 1 where absent."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True)
class GraphForm(Topology):
    """A topology by counts and patterns. Every switch that the sizes imply is built, whether servers fill it or not."""

    bundles: tuple[PatternBundle, ...]
    """The bundles, those of the servers first."""
    formula: str = field(kw_only=True)
    """How it is written."""
    sizing: Sizing = field(kw_only=True)
    """Its sizes."""
    paths: PathFacts = field(kw_only=True)
    """Its minimal paths."""

    def __post_init__(self) -> None:
        """Raise InputError for a count with a size that the form does not have."""
        known = {*self.axes, "servers", "server", "nic", *self.sizing.fixed, *self.sizing.derived}
        known |= {bundle.name for bundle in self.bundles} | {name for each in self.sizing.tables for name in each.names}
        used = [*self._named_counts(), *((f"the axes of {each.role}", {*each.axes}) for each in self.groups)]
        for what, names in used:
            for name in sorted(names - known):
                raise InputError(f"family {self.family}: {what}: unknown size '{name}'{nearest(name, known)}")

    def _named_counts(self) -> Iterator[tuple[str, set[str] | frozenset[str]]]:
        """Yield what each count is of, in words, with the names of the sizes in it."""
        for bundle in self.bundles:
            yield f"the links of {bundle.name}", bundle.total.names
            yield f"the ports of {bundle.name}", bundle.lower_ports.names | bundle.upper_ports.names
            ratios = (*bundle.loads, *([bundle.parallel] if bundle.parallel else []))
            yield f"the loads of {bundle.name}", {name for ratio in ratios for name in ratio.names}
        yield "the capacity", self.sizing.capacity.names
        yield "the diameter", self.paths.diameter.names
        for name, parts in self.sizing.derived.items():
            yield f"the size {name}", parts[0].names | parts[1].names
        for rule in self.sizing.rules:
            yield f"the rule '{rule.reason}'", rule.names
        for note in self.notes:
            yield f"the note '{note.text}'", note.left.names | note.right.names
        yield "the paths between leaves", {name for ratio in self.routing.inverse_paths for name in ratio.names}

    @property
    def can_grow(self) -> bool:
        return False

    @property
    def ratios_are_cuts(self) -> bool:
        return False

    def turn_hops(self, diameter: int, inner: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return 1 and the diameter, for every path between leaves; each switch counts as the one of the most hops."""
        return (max(inner, default=1), max(inner, default=1) * diameter)

    @property
    def text(self) -> str:
        return self.formula

    @property
    def diameter_text(self) -> str:
        return str(self.paths.diameter)

    @property
    def size_label(self) -> str:
        number, what = (len(self.sizing.symmetric), "dimension") if self.sizing.symmetric else (self.tiers, "tier")
        return count_noun(number, what)

    @property
    def virtual_channels(self) -> dict[str, int]:
        valiant = {} if self.routing.nic_levels else {"valiant": 2 * self.routing.channels}
        return self.routing.virtual_channels | valiant

    @property
    def axes(self) -> tuple[str, ...]:
        """The sizes that are chosen, of a table the first, and the plane."""
        return (*self.sizing.free, *(table.names[0] for table in self.sizing.tables), PLANE)

    @property
    def unit_axis(self) -> str:
        return "slot"

    @property
    def servers_name(self) -> str:
        return "servers"

    @property
    def rail_axes(self) -> tuple[str, ...]:
        return ()

    @property
    def rails_meet_at(self) -> str | None:
        """The top role: a graph form joins every GPU to every other."""
        return self.roles[-1]

    def devices(self, group: Group) -> tuple[str, ...]:
        return ("servers",) if group == self.server else group.axes

    def links(self, bundle: Bundle) -> Expression:
        return cast(PatternBundle, bundle).total

    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        return tuple(bundle.upper_ports for bundle in self.bundles if bundle.upper == group != bundle.lower)

    def ports_up(self, group: Group) -> tuple[Expression, ...]:
        return tuple(bundle.lower_ports for bundle in self.bundles if bundle.lower == group)

    def oversubscription(self, group: Group, sizes: Sizes, rates: Mapping[str, int] = ONE_RATE) -> Fraction | None:
        """Return what uniform traffic loads on the busiest bundle at the group's switches; None without any."""
        host = rates.get(self.host_patterns[0].name, 1)
        at = [bundle for bundle in self.bundles if group in (bundle.lower, bundle.upper)]
        loads = (
            load.value(sizes) * Fraction(host, rates.get(bundle.name, 1)) for bundle in at for load in bundle.loads
        )
        return max(loads, default=None)

    def bundle_fills(self, group: Group, sizes: Sizes) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return pairs of a number of devices and the ports each has in use by each of `bundles`, the fullest first."""
        if group == self.server:
            ports = tuple(evaluate(each.lower_ports, sizes) if each.lower == group else 0 for each in self.bundles)
            return ((sizes["servers"], ports),)
        ends = np.stack([self._count_ends(group, bundle, sizes) for bundle in self.bundles], axis=1)
        rows, counts = np.unique(ends, axis=0, return_counts=True)
        planes = sizes[PLANE] if PLANE in group.axes else 1
        order = np.argsort(-rows.sum(axis=1), kind="stable")
        return tuple((int(counts[at]) * planes, tuple(rows[at].tolist())) for at in order)

    def _count_ends(self, group: Group, bundle: PatternBundle, sizes: Sizes) -> Rows:
        """Return the ends of a bundle's links at each device of a group in one plane, shape (devices,)."""
        ends = np.zeros(math.prod(sizes[axis] for axis in group.axes if axis != PLANE), np.int64)
        if group not in (bundle.lower, bundle.upper):
            return ends
        parallel = 1 if bundle in self.host_patterns else sizes[bundle.name]
        for at, rows in zip((bundle.lower, bundle.upper), bundle.pairs(sizes), strict=True):
            ends += parallel * np.bincount(rows, minlength=len(ends)) if at == group else 0
        return ends

    def units_of(self, group: Group) -> tuple[Monomial, Monomial] | None:
        """Return the leaves of one plane, each a unit of the servers on it, which has one leaf in every plane."""
        if group != self.switch_groups[0] or self.routing.nic_levels:
            return None
        return tuple(axis for axis in group.axes if axis != PLANE), (PLANE,) if PLANE in group.axes else ()

    def servers_sharing(self, tier: int) -> Monomial | None:
        """Return the servers of a leaf for tier 1; above it, and where each NIC has a switch of its own, None."""
        return None if tier > 1 or self.routing.nic_levels else (self.unit_axis,)

    def capacity(self, sizes: Sizes) -> int:
        return int(evaluate(self.sizing.capacity, sizes))

    def complete_sizes(self, sizes: Sizes, nics: int, servers: int) -> dict[str, int]:
        """Return sizes with those that follow: fixed and derived ones, a server's NICs, and the room for servers."""
        full = {PLANE: self.routing.nic_levels or 1, **dict.fromkeys((each.name for each in self.fabric_bundles), 1)}
        full |= {**self.given_sizes(nics), **sizes, "servers": servers}
        for name, (whole, part) in self.sizing.derived.items():
            full[name] = evaluate(whole, full) // evaluate(part, full)
        return full | {"server": self.capacity(full)}

    def hop_servers(self, sizes: Sizes) -> int:
        """Return the number of servers that fit: all switches are built, whether servers fill them or not."""
        return self.capacity(sizes)

    def given_sizes(self, nics: int) -> dict[str, int]:
        """Return the sizes that are not chosen: those that are fixed, and a server's NICs."""
        return {**self.sizing.fixed, **dict.fromkeys((each.name for each in self.host_patterns), nics), "nic": nics}

    def invalid_size(self, sizes: Sizes) -> str | None:
        pinned = ((table, sizes[table.names[0]]) for table in self.sizing.tables if table.names[0] in sizes)
        divisors = {name for _, part in self.sizing.derived.values() for _, names in part.terms for name in names}
        least = {name: least for name, least in self.sizing.free.items() if name in divisors}
        few = (
            f"{name} {sizes[name]}: the least is {most}" for name, most in least.items() if sizes.get(name, most) < most
        )
        return next((text for table, size in pinned if (text := table.objection(size))), None) or next(few, None)

    def broken_rule(self, sizes: Sizes) -> str | None:
        known = (rule for rule in self.sizing.rules if rule.names <= sizes.keys())
        return next((rule.reason for rule in known if not rule.holds(sizes)), None)

    def random_sizes(self, random: Random, most: int) -> dict[str, int]:
        """Return sizes drawn at random, from a range that widens with the draws that broke a rule."""
        nics = random.randint(1, 2)
        parallel = [each.name for each in self.fabric_bundles if each.name not in self.sizing.fixed]
        for tries in counter():
            widest = random.randint(1, 2 * most + tries // 20)
            sizes = {axis: random.randint(least, least + widest) for axis, least in self.sizing.free.items()}
            for table in self.sizing.tables:
                sizes |= dict(zip(table.names, random.choice(table.rows(8)[: random.randint(1, most)]), strict=True))
            sizes |= {name: random.randint(1, 2) for name in parallel}
            sizes[PLANE] = self.routing.nic_levels or random.randint(1, 2)
            if self.broken_rule(self.complete_sizes(sizes, nics, 0)) is None:
                return self.given_sizes(nics) | sizes
        raise AssertionError("counting never ends")

    def first_port(self, group: Group, bundle: Bundle, sizes: Sizes) -> int:
        before = self.bundles[: [each.name for each in self.bundles].index(bundle.name)]
        ends = [each.upper_ports for each in before if each.upper == group != each.lower]
        ends += [each.lower_ports for each in before if each.lower == group]
        return int(sum(evaluate(ports, sizes) for ports in ends))

    @property
    def host_patterns(self) -> tuple[PatternBundle, ...]:
        """The bundles from the servers."""
        return tuple(bundle for bundle in self.bundles if bundle.lower == self.server)
