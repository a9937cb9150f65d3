"""The Pareto front: every fabric of a request that no other beats in all of several objectives, and the proof of it.

Each candidate is asked again and again for the best fabric that no point found so far is as good as in everything; when
there is none left, the candidate is done. A fabric better than a point in a linear objective is one below it; one
better in a measure is better in a feature, and no worse in any than the measure allows (see `measures`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.measures import Features, Measure, best_features, feature_terms, features_of
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import Objective, limited
from fabric.optimizer.search import blueprint_of, canonical, comparable
from fabric.optimizer.solve import Answer, minimise
from fabric.spec import Spec

__all__ = ["Aim", "Front", "Point", "front"]

Aim = Objective | Measure
MOST = 1000
"""The most points of one candidate that are sought."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Point:
    """A fabric of the front with the value of each aim, linear ones in the solver's whole units."""

    candidate: Candidate
    blueprint: Blueprint
    values: tuple[float, ...]
    features: Features

    def beaten_by(self, other: Point) -> bool:
        """Say whether the other is no worse in anything and better in something."""
        return other.values != self.values and all(b <= a for a, b in zip(self.values, other.values, strict=True))


@dataclass(frozen=True)
class Front:
    """The points in the order of the first aim; `status` is OPTIMAL when nothing is missing, else FEASIBLE."""

    aims: tuple[Aim, ...]
    points: tuple[Point, ...]
    status: str


def front(spec: Spec, aims: Sequence[Aim], progress: Progress = lambda text: None) -> Front:
    """Return the Pareto front of `spec` over `aims`, at least two of them or one measure.

    Of fabrics that are equal in every aim the one with fewer tiers and planes is kept, then the simpler (`canonical`).
    Raises Infeasible and InputError as `size` does.
    """
    search = _Search(aims)
    found, rejected, unknown = comparable(spec, search.linear)
    if unknown and not found:
        raise InputError(f"{spec.name}: {unknown[0]}; give it in the request, or leave it out of what is sought")
    for candidate in sorted(found, key=lambda candidate: (candidate.form.tiers, candidate.planes)):
        progress(f"{len(search.points)} points; {candidate}")
        search.exhaust(candidate)
    if not search.points:
        raise explain(spec, found, rejected)
    best = {point.values: point for point in reversed(search.points)}
    left = [point for point in best.values() if not any(point.beaten_by(other) for other in search.points)]
    points = [search.simplest(point) for point in sorted(left, key=lambda point: point.values)]
    return Front(tuple(aims), tuple(points), "OPTIMAL" if search.complete else "FEASIBLE")


class _Search:
    """The search for the points of one front, candidate by candidate."""

    def __init__(self, aims: Sequence[Aim]) -> None:
        self.aims = aims
        self.linear = [aim for aim in aims if isinstance(aim, Objective)]
        self.measured = any(isinstance(aim, Measure) for aim in aims)
        self.points: list[Point] = []
        self.complete = True

    def exhaust(self, candidate: Candidate) -> None:
        """Find the points of `candidate` that no point so far equals or beats."""
        for _ in range(MOST):
            asked = _Question(candidate, self.linear, measured=self.measured)
            for point in self.points:
                asked.beat(point, self.aims)
            answer = asked.answer()
            self.complete = self.complete and answer.status in ("OPTIMAL", "INFEASIBLE")
            if not answer.values:
                return
            self.points.append(self._point(candidate, answer))
        self.complete = False

    def _point(self, candidate: Candidate, answer: Answer) -> Point:
        blueprint = blueprint_of(candidate, answer.sizes)
        linear = dict(zip((aim.name for aim in self.linear), answer.values, strict=False))
        features = features_of(blueprint) if self.measured else {}
        values = [aim.of(candidate, features) if isinstance(aim, Measure) else linear[aim.name] for aim in self.aims]
        return Point(candidate, blueprint, tuple(values), features)

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
        self.features = feature_terms(self.model) if measured else {}
        self.best = best_features(self.model, self.features)

    def answer(self) -> Answer:
        """Return a solution that is best in the linear aims in turn, then in the features together."""
        expressions = [*self.linear.values(), *([sum(self.features.values())] if self.features else [])]
        return minimise(self.model, [partial(_given, each) for each in expressions])

    def equal(self, point: Point, aims: Sequence[Aim]) -> None:
        """Demand that a solution be as good as `point`, of the same candidate, in every linear aim and feature."""
        for aim, value in zip(aims, point.values, strict=True):
            if isinstance(aim, Objective):
                self.model.cp.add(self.linear[aim.name] <= int(value))
        for name, term in self.features.items():
            self.model.cp.add(term <= point.features[name])

    def beat(self, point: Point, aims: Sequence[Aim]) -> None:
        """Demand that a solution be better than `point` in some aim."""
        ways = []
        for aim, value in zip(aims, point.values, strict=True):
            better = self.model.var(1, f"better {aim.name}", least=0)
            if isinstance(aim, Objective):
                self.model.cp.add(self.linear[aim.name] <= int(value) - 1).only_enforce_if(better)
            else:
                self._allow(aim, value, better)
                if point.candidate is self.candidate:
                    self._improve(point.features, better)
            ways.append(better)
        self.model.cp.add_bool_or(ways)

    def _allow(self, measure: Measure, value: float, better: cp_model.IntVar) -> None:
        """Say how bad each feature may be, the rest at its best, for the measure to be below `value`."""
        if measure.of(self.candidate, self.best) >= value:
            self.model.cp.add(better == 0)
            return
        for name, term in self.features.items():
            if not isinstance(term, int):
                worst = self._worst(measure, value, name, self.model.upper(term))
                self.model.cp.add(term <= worst).only_enforce_if(better)

    def _worst(self, measure: Measure, value: float, name: str, most: int) -> int:
        """Return the largest that one feature may be, the rest at its best, for the measure to be below `value`."""
        least = self.best[name]
        while least < most:
            middle = (least + most + 1) // 2
            below = measure.of(self.candidate, {**self.best, name: middle}) < value
            least, most = (middle, most) if below else (least, middle - 1)
        return least

    def _improve(self, features: Features, better: cp_model.IntVar) -> None:
        """Say that what is better than a point of this very candidate is better in a feature."""
        ways = []
        for name, term in self.features.items():
            if not isinstance(term, int):
                way = self.model.var(1, f"better {name}", least=0)
                self.model.cp.add(term <= features[name] - 1).only_enforce_if(way)
                ways.append(way)
        self.model.cp.add_bool_or([~better, *ways])


def _given(expression: cp_model.LinearExprT, _model: Model) -> cp_model.LinearExprT:
    return expression
