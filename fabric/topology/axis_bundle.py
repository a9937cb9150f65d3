"""Bundles whose links follow from the axes of their groups: even ones, and balanced ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from fabric.topology.polynomial import Monomial, evaluate
from fabric.topology.topology import Bundle, Group, Sizes

__all__ = ["AxisBundle", "BalancedBundle"]


@dataclass(frozen=True)
class AxisBundle(Bundle):
    """Links from every device of the lower group to those of the upper that agree on the axes both have.

    Each pair has as many.
    """

    @classmethod
    def between(cls, lower: Group, upper: Group) -> AxisBundle:
        """Return the bundle that joins two groups, called after their roles."""
        return cls(lower, upper, f"{lower.role}-{upper.role}")

    @property
    def shared(self) -> tuple[str, ...]:
        """The axes on which two devices must agree to be joined."""
        return tuple(axis for axis in self.lower.axes if axis in self.upper.axes)

    @property
    def lower_only(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.lower.axes if axis not in self.upper.axes)

    @property
    def upper_only(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.upper.axes if axis not in self.lower.axes)

    @property
    def ports_up(self) -> Monomial:
        """The links from a device of the lower group up."""
        return (*self.upper_only, self.name)

    @property
    def ports_down(self) -> Monomial:
        """The links below a device of the upper group, when its part of the placement is full."""
        return (*self.lower_only, self.name)

    @property
    def all_sizes(self) -> tuple[str, ...]:
        """The names of all its sizes, those that follow too."""
        return (self.name,)

    def following_sizes(self, _sizes: Sizes, /) -> dict[str, int]:
        """Return its sizes that follow from others."""
        return {}

    def fills(self, axes: tuple[str, ...], devices: int, sizes: Sizes) -> tuple[tuple[int, int], ...]:
        """Return pairs of a number of upper devices and the links below each, in the order of their digits on `axes`.

        Above `devices` lower devices that share them; `axes` are those that the upper ones have beside places.
        """
        return ((evaluate(axes, sizes), devices * sizes[self.name]),)

    def random_sizes(self, random: Random, _sizes: Sizes, /) -> dict[str, int]:
        """Return small sizes of its own, drawn at random, where the axes have the given sizes."""
        return {self.name: random.randint(1, 2)}


@dataclass(frozen=True)
class BalancedBundle(AxisBundle):
    """Links of which a lower device has any number, at least one to each of its S upper devices.

    The lower devices that have these in common are numbered, and so are their links, consecutively, by whole
    connectors: connector k leads to upper device k mod S, where it is number k // S. So the connectors of a lower
    device differ by at most one over its upper devices, and so do those of all that are laid, however few they are.
    """

    numbered: tuple[str, ...]
    """The axes of the lower group only, in the order in which its devices are numbered: places first, as they fill."""

    @property
    def uniform(self) -> bool:
        return False

    @property
    def uplinks(self) -> str:
        """The name of the size that is chosen: the links up of a lower device."""
        return f"{self.lower.role}-uplinks"

    @property
    def downlinks(self) -> str:
        """The name of the size that follows: the links below the fullest upper device when its place is full."""
        return f"{self.upper.role}-downlinks"

    @property
    def connector(self) -> str:
        """The name of the size that the switch models decide: the links that stay together."""
        return f"{self.lower.role}-connector"

    @property
    def ports_up(self) -> Monomial:
        return (self.uplinks,)

    @property
    def ports_down(self) -> Monomial:
        return (self.downlinks,)

    @property
    def size_names(self) -> tuple[str, ...]:
        return (self.name, self.uplinks)

    @property
    def all_sizes(self) -> tuple[str, ...]:
        return (self.name, self.uplinks, self.downlinks, self.connector)

    def following_sizes(self, sizes: Sizes, /) -> dict[str, int]:
        """Return the links below the fullest upper device, and those of the pair that has most, under its own name."""
        together, spread = sizes[self.connector], evaluate(self.upper_only, sizes)
        connectors = sizes[self.uplinks] // together
        below = evaluate(self.lower_only, sizes) * connectors
        return {self.downlinks: together * -(-below // spread), self.name: together * -(-connectors // spread)}

    def random_sizes(self, random: Random, sizes: Sizes, /) -> dict[str, int]:
        together, spread = random.randint(1, 2), math.prod(sizes[axis] for axis in self.upper_only)
        return {self.uplinks: together * random.randint(spread, 3 * spread), self.connector: together}

    def fills(self, axes: tuple[str, ...], devices: int, sizes: Sizes) -> tuple[tuple[int, int], ...]:
        together, spread = sizes[self.connector], evaluate(self.upper_only, sizes)
        each, rest = divmod(devices * sizes[self.uplinks] // together, spread)
        shape = [sizes[axis] for axis in axes]
        if not rest:
            return ((math.prod(shape), together * each),)
        digits = dict(zip(axes, np.indices(shape, sparse=True), strict=True))
        number: Any = 0
        for axis in self.upper_only:
            number = number * sizes[axis] + digits[axis]
        more = np.broadcast_to(number < rest, shape).reshape(-1)
        starts = np.flatnonzero(np.diff(more, prepend=~more[:1]))
        counts = np.diff([*starts, len(more)])
        return tuple(
            (int(count), together * (each + int(extra))) for count, extra in zip(counts, more[starts], strict=True)
        )
