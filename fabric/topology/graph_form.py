"""Forms whose links are no join of axes: direct networks and server-centric ones, by counts and a rule for the wires.

Such a form has the same readings as a chain of joins (`fabric.form`): its counts are sums of products of sizes, and the
wires of a bundle are laid by a function of the sizes, whose links and ports per device are declared and tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from fabric.topology.clos import PLANE, Bundle, ClosForm, Group
from fabric.topology.patterns import Rows
from fabric.topology.polynomial import Expression, Polynomial, evaluate

__all__ = ["SERVER", "GraphForm", "LoadRatio", "PatternBundle", "Rule", "Sizes", "Table"]

Sizes = Mapping[str, int]

SERVER = Group("server", ("server",))
"""The servers of a wired form, numbered through."""


@dataclass(frozen=True)
class LoadRatio:
    """What uniform traffic at line rate puts on a bundle's links by minimal routing, over what they carry.

    The oversubscription of a bundle, `sent` over `carried`: of the busiest link where they are alike, of one a
    sixteenth less busy than that on dragonflies, and of the mean one on Slim Fly and Jellyfish, whose links may differ.
    """

    sent: Polynomial
    carried: Polynomial


@dataclass(frozen=True)
class PatternBundle(Bundle):
    """Links between two groups, or of one group with itself, laid by `pairs`, called `label`.

    `total` counts them with all planes and copies. A device of the lower group ends `lower_ports` of them, one of the
    upper `upper_ports`; in one group both are the same. The greatest of `loads` is its oversubscription. `pairs`
    returns the numbers of the devices at both ends within one plane, without copies; of the servers' links, one for
    each of their NICs.
    """

    label: str
    total: Polynomial
    lower_ports: Polynomial
    upper_ports: Polynomial
    pairs: Callable[[Sizes], tuple[Rows, Rows]]
    loads: tuple[LoadRatio, ...] = ()

    @property
    def name(self) -> str:
        return self.label


@dataclass(frozen=True)
class Rule:
    """What sizes must keep to: `small` is at most `large`; or, where that is left out, `small` is even."""

    small: Polynomial
    large: Polynomial | None
    why: str

    @property
    def names(self) -> set[str]:
        """The sizes that it is of."""
        counts = [each for each in (self.small, self.large) if each]
        return {name for each in counts for _, names in each.terms for name in names}


@dataclass(frozen=True)
class Table:
    """Sizes that go together by a rule of their own: the rows that there are, up to a width in ports."""

    names: tuple[str, ...]
    rows: Callable[[int], tuple[tuple[int, ...], ...]]
    why: str


@dataclass(frozen=True)
class GraphForm(ClosForm):
    """A form by counts and wires. Every switch that the sizes say is built, whether servers fill it or not.

    `formula` is how it is written, `links_` its bundles from the servers' on, `capacity` the servers that there is room
    for, and `far` the switches on its longest minimal path. `free` are the sizes to choose with their least, `fixed`
    those that are given, `many` those that no port of a switch bounds, and `alike` those whose order is no matter;
    `floors` are those that follow, as many times as the second of two counts goes into the first. With `levels`, a NIC
    has a port for each of so many switch groups instead of a plane for each port; with `relays` servers pass traffic
    on.

    `apart` counts the ordered pairs of NICs of different servers by the hops between them, servers that pass traffic on
    included; where that has no closed form they are counted from the ends that `search` returns, as which all others
    are, with how many each stands for, or by default from all. Adaptive routing goes `valiant` ways too, by an
    intermediate switch. So many virtual `channels` keep minimal routing, in the order published for the family, from
    locking; ways by an intermediate switch are two of these, and take twice as many. The greatest of
    `crowds` is one over the fewest minimal ways between two leaves. An `uneven` form, as one with valiant ways, has so
    few flows on a link that those of a random permutation do not even out. Of links that are laid by a rule,
    `parallel` is how many two switches have, rounded up. Minimal routing takes the ways of least
    weight: 1 for a link, or that of its bundle in `weights`.
    """

    formula: str
    links_: tuple[PatternBundle, ...]
    capacity: Polynomial
    far: Polynomial
    free: Mapping[str, int] = field(default_factory=dict)
    fixed: Mapping[str, int] = field(default_factory=dict)
    floors: Mapping[str, tuple[Polynomial, Polynomial]] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    rules: tuple[Rule, ...] = ()
    many: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    levels: int = 0
    relays: bool = False
    apart: Callable[[Sizes], Mapping[int, int]] | None = None
    search: Callable[[Sizes], tuple[Rows, Rows]] | None = None
    valiant: bool = False
    channels: int = 1
    crowds: tuple[LoadRatio, ...] = ()
    parallel: LoadRatio | None = None
    uneven: bool = False
    weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.formula

    @property
    def longest(self) -> str:
        return str(self.far)

    @property
    def virtual_channels(self) -> dict[str, int]:
        """Those of minimal routing, and of Valiant's where there is one: twice as many."""
        return {"minimal": self.channels, **({} if self.levels else {"valiant": 2 * self.channels})}

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        return self.links_

    @property
    def axes(self) -> tuple[str, ...]:
        """The sizes that are chosen: of a table the first."""
        return (*self.free, *(table.names[0] for table in self.tables), PLANE)

    @property
    def unit(self) -> str:
        """The size that says how many servers share a leaf."""
        return "slot"

    @property
    def lanes(self) -> tuple[str, ...]:
        return ()

    def devices(self, group: Group) -> tuple[str, ...]:
        return ("servers",) if group == self.server else group.axes

    def links(self, bundle: Bundle) -> Expression:
        assert isinstance(bundle, PatternBundle)
        return bundle.total

    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        return tuple(wire.upper_ports for wire in self.links_ if wire.upper == group != wire.lower)

    def ports_up(self, group: Group) -> tuple[Expression, ...]:
        return tuple(wire.lower_ports for wire in self.links_ if wire.lower == group)

    def sized(self, sizes: Sizes, nics: int, servers: int) -> dict[str, int]:
        """Return sizes with those that follow: what is fixed, each server's NICs, and room for how many servers."""
        found = {PLANE: self.levels or 1, **dict.fromkeys((wire.name for wire in self.fabric_bundles), 1)}
        found |= {**self.given(nics), **sizes, "servers": servers}
        found |= {name: evaluate(whole, found) // evaluate(part, found) for name, (whole, part) in self.floors.items()}
        return found | {"server": evaluate(self.capacity, found)}

    def given(self, nics: int) -> dict[str, int]:
        """Return the sizes that nobody chooses: those that are fixed, and a server's NICs."""
        return {**self.fixed, **dict.fromkeys((wire.name for wire in self.host_wires), nics), "nic": nics}

    def broken(self, sizes: Sizes) -> str | None:
        """Return why there is no such fabric, or None where there is one or where sizes are left to choose."""
        for rule in self.rules:
            if rule.names <= sizes.keys():
                small = evaluate(rule.small, sizes)
                if small % 2 if rule.large is None else small > evaluate(rule.large, sizes):
                    return rule.why
        return None

    def busiest(self, group: Group, sizes: Sizes) -> Fraction | None:
        """Return the oversubscription of the group's bundle that uniform traffic loads most; None without any."""
        loads = [load for wire in self.links_ if group in (wire.lower, wire.upper) for load in wire.loads]
        return max(
            (Fraction(evaluate(load.sent, sizes), evaluate(load.carried, sizes)) for load in loads), default=None
        )

    def crowding(self, sizes: Sizes) -> Fraction:
        """Return one over the fewest minimal ways between two leaves; 0 for forms whose NICs each go by their own."""
        each = (Fraction(evaluate(load.sent, sizes), evaluate(load.carried, sizes)) for load in self.crowds)
        return max(each, default=Fraction(0))

    @property
    def detour(self) -> float:
        """How many times as much as uniform traffic any other may load the links."""
        return 2.0 if self.valiant or self.uneven else 1.0

    def fills(self, group: Group, sizes: Sizes) -> tuple[tuple[int, int], ...]:
        """Return how many switches of the group, the fullest first, have how many ports in use."""
        if group == self.server:
            return ((sizes["servers"], sum(evaluate(wire.lower_ports, sizes) for wire in self.host_wires)),)
        ends = np.zeros(math.prod(sizes[axis] for axis in group.axes if axis != PLANE), np.int64)
        for wire in self.links_:
            copies = 1 if wire in self.host_wires else sizes[wire.name]
            for place, rows in zip((wire.lower, wire.upper), wire.pairs(sizes), strict=True):
                ends += copies * np.bincount(rows, minlength=len(ends)) if place == group else 0
        ports, counts = np.unique(ends, return_counts=True)
        planes = sizes[PLANE] if PLANE in group.axes else 1
        fills = zip(counts[::-1].tolist(), ports[::-1].tolist(), strict=True)
        return tuple((count * planes, used) for count, used in fills)

    def first_port(self, group: Group, wire: PatternBundle, sizes: Sizes) -> int:
        """Return the first port of the group's devices that ends the wire's links; the servers' come first."""
        before = self.links_[: self.links_.index(wire)]
        ends = [each.upper_ports for each in before if each.upper == group != each.lower]
        ends += [each.lower_ports for each in before if each.lower == group]
        return int(sum(evaluate(ports, sizes) for ports in ends))

    @property
    def host_wires(self) -> tuple[PatternBundle, ...]:
        return tuple(wire for wire in self.links_ if wire.lower == self.server)

    @property
    def meets(self) -> str | None:
        """The role at which all meet: every wired form joins every GPU to every other."""
        return self.roles[-1]
