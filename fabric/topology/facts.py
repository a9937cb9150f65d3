"""Facts of a topology beside its counts: how it is naturally drawn, and what is to be said of special sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.topology.polynomial import Polynomial, evaluate

__all__ = ["Drawing", "SizeNote", "Sizes"]

Sizes = Mapping[str, int]
"""The size of every axis, of every bundle (its parallel links), and of what follows from them."""


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
