"""What a request must know of the families, passed in by the layers above: the names of their parts, and own values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["KnownNames", "TopologyNames"]


@dataclass(frozen=True)
class TopologyNames:
    """The names of the parts of one topology of a family, and the values of keys that a request leaves to it."""

    tiers: int
    """Its number of switch tiers."""
    roles: tuple[str, ...]
    """Its switch roles, from the servers up."""
    uplink_roles: tuple[str, ...]
    """The roles whose switches have links up, or to others of their role."""
    bundles: tuple[str, ...]
    """Its bundles of links."""
    axes: tuple[str, ...]
    """Its axes, with the plane where it has planes."""
    planes: int = 1
    """The number of planes by its definition."""
    oversubscription: int = 1
    """The oversubscription up to which it is built by its definition."""
    uplinks: tuple[str, ...] = ()
    """The sizes that it has besides where uplinks are balanced: those of a leaf, and so on."""


@dataclass(frozen=True)
class KnownNames:
    """The families that a request may name, and what it may name of them."""

    topologies: Mapping[str, tuple[TopologyNames, ...]]
    """The topologies of each family, by the family's name."""
    sets: Mapping[str, tuple[str, ...]]
    """The words that stand for several families (`clos`, `direct`, `any`), with those families."""

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Every switch role, in the order of the families."""
        return _unique(each.roles for each in self._all)

    @cached_property
    def uplink_roles(self) -> tuple[str, ...]:
        """Every role whose switches have links up in some topology."""
        return _unique(each.uplink_roles for each in self._all)

    @cached_property
    def bundles(self) -> tuple[str, ...]:
        """Every bundle."""
        return _unique(each.bundles for each in self._all)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """Every axis."""
        return _unique(each.axes for each in self._all)

    @property
    def _all(self) -> list[TopologyNames]:
        return [each for topologies in self.topologies.values() for each in topologies]

    def allowed(self, families: Collection[str], tiers: Collection[int]) -> list[TopologyNames]:
        """Return the topologies of `families` that have one of `tiers`."""
        return [each for name in families for each in self.topologies[name] if each.tiers in tiers]


def _unique(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))
