"""What every topology is: groups of equal devices, bundles of equal links between them, and their counts.

A topology has no sizes yet. Its counts are products and sums of named sizes, so that they can be read as plain integers
(the blueprint), as index grids (the network) and as CP-SAT variables (the optimizer).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from fabric.topology.facts import ONE_RATE, Drawing, PartialPlace, RoutingFacts, SizeNote, Sizes
from fabric.topology.polynomial import Expression, Monomial

if TYPE_CHECKING:
    from fabric.topology.axis_bundle import BalancedBundle

__all__ = ["PLANE", "Bundle", "Group", "Sizes", "Topology", "title"]

PLANE = "plane"
"""The axis of the fabric's independent planes, which every switch group has but those of server-centric topologies."""

TITLES = {"block": "unit", "super": "super-spine"}
"""Names for people where the name of a role or an axis is not the usual one."""


def title(word: str) -> str:
    """Return the name for people of a role or an axis."""
    return TITLES.get(word, word)


@dataclass(frozen=True)
class Group:
    """Equal devices, one for every combination of values on its axes."""

    role: str
    """Its name: `server`, `leaf`, `spine` and so on."""
    axes: tuple[str, ...]
    """The names of its axes, outermost first."""


@dataclass(frozen=True)
class Bundle:
    """Equal links between two groups, or within one group."""

    lower: Group
    """The group nearer to the servers."""
    upper: Group
    """The other group; the same as `lower` for links within one group."""
    name: str
    """Its name, which is also the name of a size: the parallel links of the joined pair that has most."""

    def most_parallel(self, sizes: Sizes) -> int:
        """Return the links of the joined pair of devices that has most."""
        return sizes[self.name]

    @property
    def uniform(self) -> bool:
        """Whether all joined pairs of devices have the same number of links."""
        return True

    @property
    def size_names(self) -> tuple[str, ...]:
        """The names of its sizes that a request may pin."""
        return (self.name,)


@dataclass(frozen=True)
class Topology(ABC):
    """Groups from the servers up and the bundles between them: a family at one number of tiers or dimensions.

    There are two kinds: `ClosForm`, whose links follow from the axes of its groups, and `GraphForm`, whose links are
    laid by a pattern.
    """

    family: str
    """The name of the family."""
    groups: tuple[Group, ...]
    """The groups of devices, the servers first."""
    bundles: tuple[Bundle, ...]
    """The bundles of links, those of the servers first."""
    routing: RoutingFacts = field(default_factory=RoutingFacts)
    """Facts that routing uses."""
    drawing: Drawing = field(default_factory=Drawing)
    """How it is naturally drawn."""
    notes: tuple[SizeNote, ...] = ()
    """Remarks on special sizes."""

    @property
    def layered(self) -> bool:
        """Whether its devices are joined tier by tier: every bundle joins a group to the next one."""
        hosts = [(group, self.switch_groups[0]) for group in self.server_groups]
        return [(each.lower, each.upper) for each in self.bundles] == [*hosts, *pairwise(self.switch_groups)]

    @property
    def balanced_bundles(self) -> tuple[BalancedBundle, ...]:
        """The bundles of which a device's links may differ by one over the devices above it."""
        return ()

    def balanced(self) -> Topology:
        """Return the topology with such bundles between switches; itself where a pattern says which are joined."""
        return self

    @property
    def size_names(self) -> tuple[str, ...]:
        """The names of the sizes that a request may pin: of the axes, and of the bundles."""
        return (*self.axes, *(name for bundle in self.bundles for name in bundle.size_names))

    @property
    @abstractmethod
    def text(self) -> str:
        """The formula of the topology, as it is written in the documentation."""

    @property
    @abstractmethod
    def diameter_text(self) -> str:
        """The switches on the longest minimal path, written as a count."""

    @property
    @abstractmethod
    def axes(self) -> tuple[str, ...]:
        """The axes whose sizes are chosen, with the plane."""

    @property
    @abstractmethod
    def unit_axis(self) -> str:
        """The axis whose size is the number of servers that share their leaves: a scalable unit."""

    @property
    @abstractmethod
    def rail_axes(self) -> tuple[str, ...]:
        """The axes over which the NICs of a server are spread: those of its leaves that are not places or planes."""

    @property
    @abstractmethod
    def servers_name(self) -> str:
        """The name of the size that counts the servers."""

    @property
    @abstractmethod
    def rails_meet_at(self) -> str | None:
        """The role at which the rails of one unit meet; None when they never do."""

    @property
    @abstractmethod
    def can_grow(self) -> bool:
        """Whether servers can be added later without moving cables, where switches have ports for them."""

    @property
    @abstractmethod
    def ratios_are_cuts(self) -> bool:
        """Whether oversubscription bounds all traffic up from a switch; otherwise it is that of uniform traffic."""

    @abstractmethod
    def turn_hops(self, diameter: int, inner: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the hops of paths that turn at each tier; the longest has `diameter` switches of `inner` hops."""

    @property
    @abstractmethod
    def size_label(self) -> str:
        """How large it is, in words: `3 tiers` or `2 dimensions`."""

    def placement_axes(self, group: Group) -> tuple[str, ...]:
        """Return the axes of the servers that `group` has too: the places in which it stands."""
        return tuple(axis for axis in self.server.axes if axis in group.axes)

    @abstractmethod
    def devices(self, group: Group) -> tuple[str, ...]:
        """Return the count of the group's devices."""

    @abstractmethod
    def links(self, bundle: Bundle) -> Expression:
        """Return the count of the bundle's links, with all planes and parallel links."""

    @abstractmethod
    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        """Return the counts of links below each device of the group, when its part of the placement is full."""

    @abstractmethod
    def ports_up(self, group: Group) -> tuple[Expression, ...]:
        """Return the counts of links from each device of the group up, or to others of its kind."""

    @abstractmethod
    def first_port(self, group: Group, bundle: Bundle, sizes: Sizes) -> int:
        """Return the first port of the group's devices that carries the bundle's links; those below come first."""

    def first_place(self, _group: Group, _sizes: Sizes, /) -> int:
        """Return the place of the group's first device, where places on its axes are numbered through."""
        return 0

    def row_axes(self, group: Group) -> tuple[str, ...]:
        """Return the group's axes in the order in which its devices are numbered, the last fastest."""
        return group.axes

    def port_sides(self, group: Group) -> tuple[tuple[Bundle, Expression, bool], ...]:
        """Return each bundle at a group, its links of one device, and whether they lead up or across."""
        below = (bundle for bundle in self.bundles if bundle.upper == group != bundle.lower)
        above = (bundle for bundle in self.bundles if bundle.lower == group)
        ends = [*zip(below, self.ports_down(group), strict=True), *zip(above, self.ports_up(group), strict=True)]
        return tuple((bundle, ports, bundle.lower == group) for bundle, ports in ends)

    def bundles_together(self, group: Group) -> tuple[tuple[Bundle, ...], ...]:
        """Return the bundles that end at one device of the group: all that end there, or alternatives of them."""
        return (tuple(bundle for bundle in self.bundles if group in (bundle.lower, bundle.upper)),)

    @abstractmethod
    def oversubscription(self, group: Group, sizes: Sizes, rates: Mapping[str, int] = ONE_RATE) -> Fraction | None:
        """Return the oversubscription at the group's switches, `rates` being those of all bundles' links, or none.

        None where nothing limits traffic there.
        """

    @abstractmethod
    def bundle_fills(self, group: Group, sizes: Sizes) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return pairs of a number of devices and the ports that each has in use by each of `bundles`, device order."""

    def partial_places(self, _sizes: Sizes, /) -> tuple[PartialPlace, ...]:
        """Return the last places that are only partly filled, the outermost first."""
        return ()

    @abstractmethod
    def units_of(self, group: Group) -> tuple[Monomial, Monomial] | None:
        """Return the count of the units, and of the group's devices in each; None where it is not inside a unit."""

    @abstractmethod
    def servers_sharing(self, tier: int) -> Monomial | None:
        """Return the count of servers of a full unit (`tier` 1) or pod (2), which share switches; None without such."""

    @abstractmethod
    def capacity(self, sizes: Sizes) -> int:
        """Return the number of servers that fit."""

    @abstractmethod
    def complete_sizes(self, sizes: Sizes, nics: int, servers: int) -> dict[str, int]:
        """Return `sizes` with those that follow from them, for `servers` servers of `nics` NICs placed in order."""

    def hop_servers(self, sizes: Sizes) -> int:
        """Return the number of servers between which hops are counted: those there are."""
        return sizes[self.servers_name]

    @abstractmethod
    def given_sizes(self, nics: int) -> dict[str, int]:
        """Return the sizes that are not chosen, with servers of `nics` NICs."""

    @abstractmethod
    def invalid_size(self, sizes: Sizes) -> str | None:
        """Return why one of the sizes is impossible by itself; None where each is possible."""

    @abstractmethod
    def broken_rule(self, sizes: Sizes) -> str | None:
        """Return why there is no fabric of these sizes; None where there is one, or where sizes are left to choose."""

    @abstractmethod
    def random_sizes(self, random: Random, most: int) -> dict[str, int]:
        """Return small sizes, up to about `most`, drawn at random, that break no rule, those of host links too."""

    @property
    def virtual_channels(self) -> dict[str, int]:
        """The virtual channels that keep each kind of path free of deadlock."""
        return self.routing.virtual_channels

    @property
    def tiers(self) -> int:
        """The number of switch tiers."""
        return len(self.switch_groups)

    @property
    def server(self) -> Group:
        """The servers; of unlike ones the first kind."""
        return self.groups[0]

    @property
    def takes_unlike_servers(self) -> bool:
        """Whether its servers may be of several kinds (see `fabric.topology.unlike_servers`)."""
        return False

    @property
    def server_groups(self) -> tuple[Group, ...]:
        """The servers, kind by kind."""
        return self.groups[:1]

    @property
    def switch_groups(self) -> tuple[Group, ...]:
        return self.groups[1:]

    @property
    def roles(self) -> tuple[str, ...]:
        """The switch roles from the leaf up."""
        return tuple(group.role for group in self.switch_groups)

    @property
    def host_bundles(self) -> tuple[Bundle, ...]:
        """The bundles from the servers."""
        return tuple(bundle for bundle in self.bundles if bundle.lower in self.server_groups)

    @property
    def fabric_bundles(self) -> tuple[Bundle, ...]:
        """The bundles between switches."""
        return tuple(bundle for bundle in self.bundles if bundle.lower not in self.server_groups)

    def bundle_below(self, role: str) -> Bundle:
        """Return the first bundle that ends at the switches of `role` from below."""
        return next(bundle for bundle in self.bundles if bundle.upper.role == role != bundle.lower.role)

    def group(self, role: str) -> Group:
        """Return the group of `role`; raises KeyError when there is none."""
        return {group.role: group for group in self.groups}[role]

    def remarks(self, sizes: Sizes) -> tuple[str, ...]:
        """Return what is to be said of a fabric of these sizes."""
        return tuple(note.text for note in self.notes if note.holds(sizes))
