"""The sizes of a graph form: which are chosen, which are given or follow, and what they must satisfy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fabric.frozen import freeze
from fabric.topology.polynomial import Polynomial, evaluate
from fabric.topology.topology import Sizes

__all__ = ["Rule", "SizeTable", "Sizing"]


@dataclass(frozen=True)
class Rule:
    """A condition on sizes: `small` is at most `large`; or, where `large` is None, `small` is even."""

    small: Polynomial
    """The count that is bounded, or must be even."""
    large: Polynomial | None
    """The count that bounds it; None where `small` must be even."""
    reason: str
    """The condition in words, for messages."""

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the sizes in the condition."""
        return self.small.names | (self.large.names if self.large else frozenset())

    def holds(self, sizes: Sizes) -> bool:
        """Say whether the sizes meet the condition."""
        small = evaluate(self.small, sizes)
        return bool(small % 2 == 0 if self.large is None else small <= evaluate(self.large, sizes))


@dataclass(frozen=True)
class SizeTable:
    """Sizes that go together by a rule of their own, as the rows of a table."""

    names: tuple[str, ...]
    """The sizes in a row; the first is the one that is chosen."""
    rows: Callable[[int], tuple[tuple[int, ...], ...]]
    """Returns the rows for switches of at most a number of ports."""
    reason: str
    """What is wrong with a size that is not in the table, for messages; empty where every size is."""

    def objection(self, size: int) -> str | None:
        """Return why the first size of a row cannot be `size`, with the nearest ones that can; None if it can."""
        known = [row[0] for row in self.rows(4 * size)] if self.reason else [size]
        if size in known:
            return None
        below, above = (n for n in known if n < size), (n for n in known if n > size)
        near = [str(each) for each in (max(below, default=None), min(above, default=None)) if each]
        return f"{self.names[0]} {size} {self.reason}: the nearest {'are' if near[1:] else 'is'} {' and '.join(near)}"


@dataclass(frozen=True)
class Sizing:
    """The sizes of a graph form: which are chosen, which are given, and which follow."""

    capacity: Polynomial
    """The number of servers that fit."""
    free: Mapping[str, int]
    """The sizes to choose, each with its least value."""
    fixed: Mapping[str, int] = field(default_factory=dict)
    """The sizes that are given."""
    derived: Mapping[str, tuple[Polynomial, Polynomial]] = field(default_factory=dict)
    """The sizes that follow: the first count divided by the second, rounded down."""
    tables: tuple[SizeTable, ...] = ()
    """The sizes that are rows of a table."""
    rules: tuple[Rule, ...] = ()
    """What the sizes must satisfy."""
    unbounded: tuple[str, ...] = ()
    """The free sizes that no switch's ports bound."""
    symmetric: tuple[str, ...] = ()
    """Axes whose sizes may trade places without changing the fabric."""
    alike: tuple[str, ...] = ()
    """Axes whose sizes may trade places, and their tiers with them, without changing what is built in all."""

    def __post_init__(self) -> None:
        freeze(self)
