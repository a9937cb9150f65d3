"""The Pareto front: every fabric of a request that no other beats in all of several objectives, and the proof of it.

Each candidate is asked again and again for the best fabric that no point found so far is as good as in everything; when
there is none left, the candidate is done. A fabric better than a point in a linear objective is one below it; one
better in a measure is better in a feature, and no worse in any than the measure allows (see `measures`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.measures import Features, Measure, features_of, model_features
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import Objective, limited, needs
from fabric.optimizer.search import Progress, blueprint_of, canonical, comparable
from fabric.optimizer.solve import Answer, minimise
from fabric.spec import Spec

__all__ = ["Aim", "Front", "Point", "front"]

Aim = Objective | Measure
FEW = 8
"""The points above what a search has reached that are told to the solver; of more, none is."""

MOST = 1000
"""The most points of one candidate that are sought."""

WORK, TOLD = 150.0, 0.005
"""The work that a whole front may take, in CP-SAT's deterministic time, and what stating a point in a question counts.

Both are the same on every machine; on two cores of 2024 a unit takes about a second.
"""


@dataclass(frozen=True)
class Point:
    """A fabric of the front with the level of each aim: the solver's whole units of an objective, a measure's steps."""

    candidate: Candidate
    blueprint: Blueprint
    levels: tuple[int, ...]
    features: Features


@dataclass(frozen=True)
class Front:
    """The points in the order of the first aim; `status` is OPTIMAL when nothing is missing, else FEASIBLE."""

    aims: tuple[Aim, ...]
    points: tuple[Point, ...]
    status: str
    wall_s: float

    def values(self, point: Point) -> dict[str, float]:
        """Return what `point` comes to in each aim, by name and in its own unit."""
        return {
            aim.name: aim.of(point.blueprint) if isinstance(aim, Measure) else level / aim.scale
            for aim, level in zip(self.aims, point.levels, strict=True)
        }


def front(spec: Spec, aims: Sequence[Aim], progress: Progress = lambda text: None) -> Front:
    """Return the Pareto front of `spec` over `aims`.

    Of fabrics that are equal in every aim the one with fewer tiers and planes is kept, then that of the family named
    first, and of its own the simplest (`canonical`).
    Raises Infeasible and InputError as `size` does.
    """
    start = time.perf_counter()
    search = _Search(aims)
    found, rejected, unknown = comparable(spec, search.linear)
    if unknown and not found:
        raise InputError(f"{spec.name}: {unknown[0]}; give it in the request, or leave it out of what is sought")
    for candidate in sorted(found, key=lambda candidate: (candidate.form.tiers, candidate.planes)):
        progress(f"{len(search.points)} points; {candidate}")
        search.exhaust(candidate)
    if not search.points:
        raise explain(spec, found, rejected, needs(spec, search.linear))
    points = [search.simplest(point) for point in sorted(_unbeaten(search.points), key=lambda point: point.levels)]
    status = "OPTIMAL" if search.complete else "FEASIBLE"
    return Front(tuple(aims), tuple(points), status, time.perf_counter() - start)


class _Search:
    """The search for the points of one front, candidate by candidate."""

    def __init__(self, aims: Sequence[Aim]) -> None:
        self.aims = aims
        self.linear = [aim for aim in aims if isinstance(aim, Objective)]
        self.measured = any(isinstance(aim, Measure) for aim in aims)
        self.points: list[Point] = []
        self.complete = True
        self.work = 0.0

    def exhaust(self, candidate: Candidate) -> None:
        """Find the points of `candidate` that no point so far equals or beats, the first objective ascending.

        As it ascends, points at or below what it has reached stand in the way in its other aims alone. Those above are
        told only while they are few: they spare many candidates any solution, but each makes every question harder.
        """
        before, own = _unbeaten(self.points), list[Point]()
        first = self.aims.index(self.linear[0]) if self.linear else None
        reached: float = -math.inf
        for _ in range(MOST):
            if self.work > WORK:
                self.complete = False
                break
            near = [point for point in before if first is None or point.levels[first] <= reached]
            far = [point for point in before if point not in near] if len(before) <= FEW else []
            asked = _Question(candidate, self.linear, measured=self.measured)
            for point in far:
                asked.beat(point, self.aims, [each.features for each in own])
            for point in _unbeaten([*near, *own], without=first):
                asked.beat(point, self.aims, [each.features for each in own], first)
            answer = asked.answer()
            self.work += answer.work + TOLD * (1 + len(near) + len(own) + len(far))
            self.complete = self.complete and answer.status in ("OPTIMAL", "INFEASIBLE")
            if not answer.values:
                break
            if answer.status != "OPTIMAL":
                first = None
            point = self._point(candidate, answer)
            reached = max(reached, answer.values[0])
            if not any(_covers(other, point) for other in before if other not in near):
                own.append(point)
        else:
            self.complete = False
        self.points += own

    def _point(self, candidate: Candidate, answer: Answer) -> Point:
        blueprint = blueprint_of(candidate, answer)
        linear = dict(zip((aim.name for aim in self.linear), answer.values, strict=False))
        features = features_of(blueprint) if self.measured else {}
        levels = [aim.level(candidate, features) if isinstance(aim, Measure) else linear[aim.name] for aim in self.aims]
        return Point(candidate, blueprint, tuple(levels), features)

    def simplest(self, point: Point) -> Point:
        """Return the canonical one of the fabrics of the point's candidate that are as good in every aim."""
        asked = _Question(point.candidate, self.linear, measured=self.measured)
        asked.equal(point, self.aims)
        blueprint = blueprint_of(point.candidate, canonical(asked.model))
        return replace(point, blueprint=blueprint, features=features_of(blueprint) if self.measured else {})


class _Question:
    """One candidate's model, its aims and features, and the points that its answer must not be beaten by."""

    def __init__(self, candidate: Candidate, linear: Sequence[Objective], *, measured: bool) -> None:
        self.candidate = candidate
        self.model = limited(candidate)
        self.linear = {aim.name: aim.expression(self.model) for aim in linear}
        self.features = model_features(self.model) if measured else {}
        self.best = {name: feature.least for name, feature in self.features.items()}

    def answer(self) -> Answer:
        """Return a solution that is best in the linear aims in turn, then in the features together."""
        terms = [feature.expression for feature in self.features.values() if feature.expression is not None]
        expressions = [*self.linear.values(), *([sum(terms)] if terms else [])]
        return minimise(self.model, [partial(_given, each) for each in expressions or [0]])

    def equal(self, point: Point, aims: Sequence[Aim]) -> None:
        """Demand that a solution be as good as `point`, of the same candidate, in every linear aim and feature."""
        for aim, value in zip(aims, point.levels, strict=True):
            if isinstance(aim, Objective):
                self.model.cp.add(self.linear[aim.name] <= value)
        for name in self.features:
            self._hold(name, point.features[name])

    def beat(self, point: Point, aims: Sequence[Aim], own: Sequence[Features] = (), without: int | None = None) -> None:
        """Demand that a solution be better than `point` in some aim, or in some but the one at place `without`.

        `own` are the features of this very candidate's points so far, the point's among them.
        """
        ways = []
        for place, (aim, value) in enumerate(zip(aims, point.levels, strict=True)):
            if place == without:
                self.model.cp.add(self.linear[aim.name] >= value)
                continue
            better = self.model.var(1, f"better {aim.name}", least=0)
            if isinstance(aim, Objective):
                self.model.cp.add(self.linear[aim.name] <= value - 1).only_enforce_if(better)
            else:
                worst = self._allow(aim, value, better)
                for features in own:
                    if all(features[name] <= most for name, most in worst.items()):
                        self._improve(aim, value, features, better)
            ways.append(better)
        self.model.cp.add_bool_or(ways)

    def _allow(self, measure: Measure, value: int, better: cp_model.IntVar) -> dict[str, int]:
        """Say how bad each feature may be, the rest at its best, for the measure to be below `value`; return that."""
        if measure.level(self.candidate, self.best) >= value:
            self.model.cp.add(better == 0)
            return {name: least - 1 for name, least in self.best.items()}
        worst = {name: self._worst(measure, value, name) for name in self.features}
        for name, most in worst.items():
            self._hold(name, most, better)
        return worst

    def _hold(self, name: str, value: int, only_if: cp_model.IntVar | None = None) -> None:
        """Hold a feature at or below a value, always or if the flag is 1."""
        feature = self.features[name]
        if value < feature.least and only_if is not None:
            self.model.cp.add(only_if == 0)
        elif value < feature.most:
            for limit in feature.at_most(value):
                added = self.model.cp.add(limit)
                if only_if is not None:
                    added.only_enforce_if(only_if)

    def _worst(self, measure: Measure, value: int, name: str) -> int:
        """Return the largest that one feature may be, the rest at its best, for the measure to be below `value`."""
        least, most = self.features[name].least, self.features[name].most
        while least < most:
            middle = (least + most + 1) // 2
            below = measure.level(self.candidate, {**self.best, name: middle}) < value
            least, most = (middle, most) if below else (least, middle - 1)
        return least

    def _improve(self, measure: Measure, value: int, features: Features, better: cp_model.IntVar) -> None:
        """Say that what has a measure below `value` is better than `features`, which has not, in one that matters.

        Those matter that are enough alone; and the others too, if they are enough together.
        """

        def enough(names: Iterable[str]) -> bool:
            return measure.level(self.candidate, {**features, **{name: self.best[name] for name in names}}) < value

        alone = [name for name in self.best if enough([name])]
        rest = [name for name in self.best if name not in alone]
        ways = []
        for name in [*alone, *rest] if enough(rest) else alone:
            way = self.model.var(1, f"better {name}", least=0)
            self._hold(name, features[name] - 1, way)
            ways.append(way)
        if not enough([]):
            self.model.cp.add_bool_or([~better, *ways])


def _unbeaten(points: Sequence[Point], without: int | None = None) -> list[Point]:
    """Return the points that no other beats or equals, leaving out the aim at place `without`; of equals the first."""

    def levels(point: Point) -> tuple[int, ...]:
        return tuple(level for place, level in enumerate(point.levels) if place != without)

    first = {levels(point): point for point in reversed(points)}
    return [point for own, point in first.items() if not any(_beats(other, own) for other in first)]


def _covers(one: Point, other: Point) -> bool:
    """Say whether the one is no worse than the other in any aim."""
    return all(a <= b for a, b in zip(one.levels, other.levels, strict=True))


def _beats(one: Sequence[int], other: Sequence[int]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _given(expression: cp_model.LinearExprT, _model: Model) -> cp_model.LinearExprT:
    return expression
