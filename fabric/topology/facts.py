"""Facts of a topology beside its counts: for routing, how it is drawn, and what is to be said of special sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from fabric.frozen import FrozenMapping
from fabric.topology.polynomial import Polynomial, Ratio, evaluate

__all__ = ["ONE_RATE", "Drawing", "PartialPlace", "RoutingFacts", "SizeNote", "Sizes"]

Sizes = Mapping[str, int]
"""The size of every axis, of every bundle (its parallel links), and of what follows from them."""

ONE_RATE: Mapping[str, int] = FrozenMapping()
"""The rates of the bundles' links where all are equal."""


@dataclass(frozen=True)
class RoutingFacts:
    """Facts of a topology that routing uses."""

    channels: int = 1
    """Virtual channels that keep minimal routing free of deadlock, in the order published for the family."""
    inverse_paths: tuple[Ratio, ...] = ()
    """Ratios whose greatest is one over the fewest minimal paths between two leaves; none where NICs have their own."""
    loads_are_least: bool = False
    """Whether no routing puts less of uniform traffic on the links of a bundle than minimal routing does, since every
    path between places that differ on an axis takes at least as many links of its bundle."""
    server_relay: bool = False
    """Whether servers forward traffic of others."""
    nic_levels: int = 0
    """Server-centric topologies: the switch groups to each of which a NIC has a port of its own; else 0."""

    @property
    def virtual_channels(self) -> dict[str, int]:
        """The virtual channels that each kind of path needs: a path by an intermediate switch needs twice as many."""
        return {"minimal": self.channels}

    def inverse_path_diversity(self, sizes: Sizes) -> Fraction:
        """Return one over the fewest minimal paths between two leaves; 0 where each NIC has paths of its own."""
        return max((ratio.value(sizes) for ratio in self.inverse_paths), default=Fraction(0))


@dataclass(frozen=True)
class Drawing:
    """How a topology is naturally drawn."""

    layout: str = "tiers"
    """The name of a layout that drawing knows: tiers, circle, groups, halves, lattice or levels."""
    across: tuple[str, ...] = ()
    """Lattices: the axes laid out from left to right, the closest together first."""
    up: tuple[str, ...] = ()
    """Lattices: the axes laid out upwards, the closest together first."""
    line: str = "ring"
    """Lattices: what joins the switches of a line: `clique` (all to all), `ring`, or `path` (a line with two ends)."""


@dataclass(frozen=True)
class PartialPlace:
    """A last place that is only partly filled."""

    name: str
    """What it is called: `unit`, `pod`."""
    filled: int
    """What it has."""
    full: int
    """What a full one has."""
    things: str
    """What they are: `servers`, `units`."""


@dataclass(frozen=True)
class SizeNote:
    """A remark that holds where two counts are equal."""

    left: Polynomial
    """One count."""
    right: Polynomial
    """The other count."""
    text: str
    """The remark."""

    def holds(self, sizes: Sizes) -> bool:
        """Say whether the remark applies to a fabric of these sizes."""
        return bool(evaluate(self.left, sizes) == evaluate(self.right, sizes))
