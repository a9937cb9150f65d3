"""Features: the numbers of a model on which the flow objectives depend.

A *feature* is a number that makes a fabric no worse when it is less: the hops, the latency of the slowest switch, the
servers of a place with their sign turned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ortools.sat.python import cp_model

__all__ = ["LARGEST_RATIO", "MILLION", "ROOM", "Constraint", "Feature", "Features"]

Features = Mapping[str, int]
"""The values of features by name, each in whole units of its own."""

Constraint = cp_model.BoundedLinearExpression | bool
"""What a CP-SAT model can be given as a constraint; a comparison of two integers is a plain bool."""

MILLION = 10**6
"""Ratios are features in millionths, since CP-SAT knows integers only."""

LARGEST_RATIO = 30_000 * MILLION
"""The largest ratio, in millionths; larger ones count as this one, so that products stay within 64 bits."""

ROOM = 2**62
"""The bound below which a count, times a ratio in millionths, stays within the solver's 64 bits."""


@dataclass(frozen=True)
class Feature:
    """A feature of a model: its range, and how the model bounds it from above."""

    least: int
    """The smallest value possible."""
    most: int
    """The largest value possible."""
    expression: cp_model.LinearExpr | None = None
    """An expression that is at least the feature, and equal to it when minimised; None where `limits` bounds it."""
    limits: Callable[[int], Iterable[Constraint]] | None = None
    """Returns the constraints that keep the feature at or below a value."""

    def at_most(self, value: int) -> Iterable[Constraint]:
        """Return the constraints that keep the feature at or below `value`."""
        if self.limits:
            yield from self.limits(value)
        elif self.expression is not None:
            yield self.expression <= value
