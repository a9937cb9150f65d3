"""What fronts are made of: points, the values they have in each aim, and which of two is as good as the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Features
from fabric.optimizer.flow_objectives import STEP, FlowObjective
from fabric.optimizer.objectives import Objective
from fabric.optimizer.subproblem import Aim

__all__ = ["FINE", "Aims", "Front", "Point", "less", "undominated"]

FINE = 1e-9
"""Measures that differ by a smaller share are equal."""


@dataclass(frozen=True)
class Point:
    """A fabric with its value in each aim: the solver's whole units of an objective, a measure's own."""

    candidate: Candidate
    blueprint: Blueprint
    values: tuple[float, ...]
    features: Features
    proven: bool = False


@dataclass(frozen=True)
class Front:
    """The points in the order of the first aim; `status` is OPTIMAL when none is missing, else FEASIBLE.

    When it is FEASIBLE, the points that are `proven` are those of the whole front that come first in the order of the
    first objective; others may be missing, and those that are not proven may be beaten.
    """

    aims: tuple[Aim, ...]
    points: tuple[Point, ...]
    status: str
    wall_s: float

    def values(self, point: Point) -> dict[str, float]:
        """Return what `point` comes to in each aim, by name and in its own unit."""
        return {
            aim.name: aim.of(point.blueprint) if isinstance(aim, FlowObjective) else value / aim.scale
            for aim, value in zip(self.aims, point.values, strict=True)
        }


class Aims:
    """The aims of a front, and what they say of points: objectives count in the solver's units, measures in steps."""

    def __init__(self, aims: Sequence[Aim]) -> None:
        self.all = tuple(aims)
        self.objectives = [aim for aim in aims if isinstance(aim, Objective)]
        self.measures = [aim for aim in aims if isinstance(aim, FlowObjective)]

    def values(self, point: Point) -> dict[Aim, float]:
        """Return the point's value in each aim."""
        return dict(zip(self.all, point.values, strict=True))

    def dominates(self, one: Point, other: Point) -> bool:
        """Say whether the one is no worse in any objective, and less than a STEP worse in any measure."""
        pairs = zip(self.all, one.values, other.values, strict=True)
        return all(b > less(a, 1 / STEP) if isinstance(aim, FlowObjective) else a <= b for aim, a, b in pairs)

    def order(self, point: Point) -> tuple[float, ...]:
        """Return the values by which points come in order: objectives, then measures to ten digits."""
        value = self.values(point)
        measured = (float(f"{value[aim]:.9e}") for aim in self.measures)
        return (*(value[aim] for aim in self.objectives), *measured)

    def better(self, point: Point) -> list[tuple[Aim, float]]:
        """Return what each aim but the first objective must be at most in a fabric that `point` does not dominate."""
        return [
            (aim, less(value, 1 / STEP) if isinstance(aim, FlowObjective) else value - 1)
            for aim, value in self.values(point).items()
            if aim not in self.objectives[:1]
        ]

    def before(self, point: Point) -> list[tuple[Aim, float]]:
        """Return what some aim must be at most in a fabric that comes before `point` or is better in some other aim."""

        def least(aim: Aim, value: float) -> float:
            if aim in self.objectives[:1]:
                return value
            return less(value, 1 - FINE) if isinstance(aim, FlowObjective) else value - 1

        return [(aim, least(aim, value)) for aim, value in self.values(point).items()]

    def in_the_way(self, points: Sequence[Point]) -> list[Point]:
        """Return the points that no other is as good as in all but the first objective, which none comes below."""
        first = self.all.index(self.objectives[0]) if self.objectives else None

        def rest(point: Point) -> tuple[float, ...]:
            return tuple(value for place, value in enumerate(point.values) if place != first)

        found = {rest(point): point for point in reversed(points)}
        return [point for own, point in found.items() if not any(_beats(other, own) for other in found)]


def undominated(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other is better than in some aim and as good as in all."""
    return [point for point in points if not any(_beats(other.values, point.values) for other in points)]


def less(value: float, share: float) -> float:
    """Return the share of a value, or just less than it where it is 0."""
    return min(share * value, math.nextafter(value, -math.inf))


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
