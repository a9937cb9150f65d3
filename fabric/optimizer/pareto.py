"""Pareto fronts as values: points, their values in each objective, and which of two dominates the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Features
from fabric.optimizer.flow_objectives import value_of
from fabric.optimizer.objective import FlowObjective, LinearObjective, Objective

__all__ = ["EQUAL", "Dominance", "Front", "Point", "less", "undominated"]

EQUAL = 1e-9
"""Values of flow objectives that differ by a smaller share are equal: the difference is rounding."""


@dataclass(frozen=True)
class Point:
    """A fabric on a front."""

    candidate: Candidate
    """Its topology, with its number of planes."""
    blueprint: Blueprint
    """The fabric."""
    values: tuple[float, ...]
    """Its value in each objective: the solver's whole units of a linear one, the own unit of a flow objective."""
    features: Features
    """Its features, on which the flow objectives depend."""
    proven: bool = False
    """Whether it is sure to be on the front."""
    reported: tuple[float, ...] | None = None
    """Its value in each objective as its own report has it; None where the search has the same."""


@dataclass(frozen=True)
class Front:
    """A Pareto front."""

    objectives: tuple[Objective, ...]
    """The objectives, in order of importance."""
    points: tuple[Point, ...]
    """The points in order of the first objective."""
    status: str
    """OPTIMAL when no point is missing. When it is FEASIBLE, the points that are `proven` are those of the whole front
    that come first in the order of the first linear objective; others may be missing, and may dominate the rest."""
    wall_s: float
    """The seconds that the search took."""
    moved: bool = False
    """Whether reports have other values than the search, by more than the tolerance, so that it is FEASIBLE."""

    def values(self, point: Point) -> dict[str, float]:
        """Return the objectives of `point` by key, each in its own unit."""
        return {
            objective.key: (value if point.reported else value_of(objective, point.blueprint))
            if isinstance(objective, FlowObjective)
            else value / objective.scale
            for objective, value in zip(self.objectives, point.reported or point.values, strict=True)
        }


class Dominance:
    """The objectives of a front, and how points compare in them.

    Linear objectives compare exactly, in the solver's units; flow objectives within their tolerance.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self.objectives = tuple(objectives)
        self.linear = [each for each in objectives if isinstance(each, LinearObjective)]
        self.flow = [each for each in objectives if isinstance(each, FlowObjective)]

    def values(self, point: Point) -> dict[Objective, float]:
        """Return the point's value in each objective."""
        return dict(zip(self.objectives, point.values, strict=True))

    def dominates(self, one: Point, other: Point) -> bool:
        """Say whether the one is no worse in any linear objective, and within the tolerance in any flow objective."""
        pairs = zip(self.objectives, one.values, other.values, strict=True)
        return all(
            a <= b if objective in self.linear else b > less(a, 1 / (1 + objective.tolerance))
            for objective, a, b in pairs
        )

    def order(self, point: Point) -> tuple[float, ...]:
        """Return the values by which points are ordered: linear objectives, then flow objectives to ten digits."""
        value = self.values(point)
        rounded = (float(f"{value[objective]:.9e}") for objective in self.flow)
        return (*(value[objective] for objective in self.linear), *rounded)

    def bounds_to_survive(self, point: Point) -> list[tuple[Objective, float]]:
        """Return bounds on the objectives, one of which a fabric must keep to that `point` does not dominate.

        The first linear objective has none: points are found in its order, so that no later one is better in it.
        """
        return [
            (objective, value - 1 if objective in self.linear else less(value, 1 / (1 + objective.tolerance)))
            for objective, value in self.values(point).items()
            if objective not in self.linear[:1]
        ]

    def bounds_to_precede(self, point: Point) -> list[tuple[Objective, float]]:
        """Return bounds, one of which a fabric must keep to that comes before `point` or is better in some objective.

        In the first linear objective it may be equal.
        """

        def bound(objective: Objective, value: float) -> float:
            if objective in self.linear[:1]:
                return value
            return value - 1 if objective in self.linear else less(value, 1 - EQUAL)

        return [(objective, bound(objective, value)) for objective, value in self.values(point).items()]

    def frontier_without_first(self, points: Sequence[Point]) -> list[Point]:
        """Return the points not dominated when the first linear objective is ignored.

        The bounds of the others follow from theirs, so a model needs only these.
        """
        first = self.objectives.index(self.linear[0]) if self.linear else None

        def rest(point: Point) -> tuple[float, ...]:
            return tuple(value for index, value in enumerate(point.values) if index != first)

        found = {rest(point): point for point in reversed(points)}
        return [point for own, point in found.items() if not any(_beats(other, own) for other in found)]


def undominated(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats: is better than in some objective, and no worse in any."""
    return [point for point in points if not any(_beats(other.values, point.values) for other in points)]


def less(value: float, share: float) -> float:
    """Return the share of a value, or just less than the value where that is not less, as of 0."""
    return min(share * value, math.nextafter(value, -math.inf))


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
