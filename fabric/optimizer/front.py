"""The Pareto front: the fabrics of a request that none covers in all of several aims, and the proof of it.

One fabric covers another when it is no worse in any objective, and less than one STEP worse in any measure. In order of
the aims (objectives first, then measures), each fabric that none before it on the front covers is on the front. So what
is left out of it is covered by what is on it, and no two of it are closer than a step and equal in the rest.

Each candidate is asked for the least of the first objective among its fabrics that no point covers, and the least of
all answers is the next point. So the points come in order, and when the work ends, those so far are proven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fabric.blueprint import Blueprint
from fabric.errors import FabricError, InputError
from fabric.optimizer.better import Aim, Quest
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.measures import STEP, Features, Measure, features_of
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import Objective, needs
from fabric.optimizer.search import Progress, blueprint_of, comparable, preferred
from fabric.optimizer.solve import Answer, minimise
from fabric.spec import Spec

__all__ = ["Aim", "Front", "Point", "front"]

WORK, TOLD = 60.0, 0.1
"""The work that a whole front may take, in CP-SAT's deterministic time, and what asking a question counts in it.

Both are the same on every machine; on two cores of 2024 a unit takes one or two seconds.
"""

TIE = 0.2
"""The work spent on each aim after the first objective: to be better in those spares questions, but proves nothing."""

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
            aim.name: aim.of(point.blueprint) if isinstance(aim, Measure) else value / aim.scale
            for aim, value in zip(self.aims, point.values, strict=True)
        }


def front(spec: Spec, aims: Sequence[Aim], progress: Progress = lambda text: None) -> Front:
    """Return the Pareto front of `spec` over `aims`; of fabrics equal in every aim the one that `size` prefers.

    Raises Infeasible and InputError as `size` does, and FabricError when the work ends before any fabric is found.
    """
    start = time.perf_counter()
    linear = [aim for aim in aims if isinstance(aim, Objective)]
    found, rejected, unknown = comparable(spec, linear)
    if unknown and not found:
        raise InputError(f"{spec.name}: {unknown[0]}; give it in the request, or leave it out of what is sought")
    search = _Search(aims, found)
    search.run(progress)
    if search.complete and not search.points:
        raise explain(spec, found, rejected, needs(spec, linear))
    points, status = search.result(), "OPTIMAL" if search.complete else "FEASIBLE"
    if not points:
        raise FabricError(f"{spec.name}: no fabric was found within the limit on work")
    return Front(tuple(aims), tuple(points), status, time.perf_counter() - start)


@dataclass
class _Stream:
    """The fabrics of one candidate that no point covers, in order: `bound` is the least that the next can come to.

    `head` is the next, once it was asked for; `seen` are the features of those before it.
    """

    candidate: Candidate
    bound: float = -math.inf
    head: Point | None = None
    refined: bool = False
    seen: list[Features] = field(default_factory=list)

    def drop(self) -> None:
        """Leave the head behind."""
        self.seen += [self.head.features] if self.head else []
        self.head, self.refined = None, False


class _Search:
    """The search for the points of one front: the streams of its candidates, merged in order."""

    def __init__(self, aims: Sequence[Aim], found: Iterable[Candidate]) -> None:
        self.aims = aims
        self.linear = [aim for aim in aims if isinstance(aim, Objective)]
        self.measured = [aim for aim in aims if isinstance(aim, Measure)]
        simple_first = sorted(found, key=lambda candidate: (candidate.form.tiers, candidate.planes))
        self.streams = [_Stream(candidate) for candidate in simple_first]
        self.points: list[Point] = []
        self.complete = True
        self.left = WORK

    def run(self, progress: Progress) -> None:
        """Take the points in order until there are no more, or the work ends."""
        while self.streams and self.complete:
            bound = min(stream.bound for stream in self.streams)
            first = [stream for stream in self.streams if stream.bound == bound]
            asked = next((stream for stream in first if not stream.head), None)
            rough = next((stream for stream in first if not stream.refined), None)
            progress(f"{len(self.points)} points; {(asked or rough or first[0]).candidate}")
            if asked:
                self._ask(asked)
            elif rough:
                self._refine(rough)
            else:
                self._accept(first)

    def result(self) -> list[Point]:
        """Return the points, and where the work ended the heads that nothing found covers, in order of the aims."""
        heads = sorted((stream.head for stream in self.streams if stream.head), key=self._order)
        found = list(self.points)
        for head in heads:
            if not any(self._covers(point, head) for point in found):
                found.append(head)
        return sorted(found, key=lambda point: point.values)

    def _ask(self, stream: _Stream) -> None:
        """Ask for the least of the first objective among the stream's fabrics that no point covers."""
        quest = Quest(stream.candidate, self.aims, stream.seen)
        if self.linear and stream.bound > -math.inf:
            quest.at_least(self.linear[0], stream.bound)
        for point in self._obstacles():
            quest.any_at_most(self._better(point))
        for other in self._heads():
            quest.any_at_most(self._before(other))
        head, status = self._solve(quest)
        if status == "INFEASIBLE":
            self.streams.remove(stream)
            return
        self.complete = status == "OPTIMAL"
        stream.head = head
        if head and self.linear:
            stream.bound = head.values[self.aims.index(self.linear[0])]
        if head and any(self._covers(point, head) for point in self.points):
            stream.drop()

    def _refine(self, stream: _Stream) -> None:
        """Exchange the head for one that is as good in every objective, and better in the measures in turn."""
        stream.refined = True
        for place, measure in enumerate(self.measured):
            while stream.head and self.complete:
                value = dict(zip(self.aims, stream.head.values, strict=True))
                quest = Quest(stream.candidate, self.aims, [*stream.seen, stream.head.features])
                quest.at_most((aim, value[aim]) for aim in self.linear)
                quest.at_most((aim, value[aim] * (1 + FINE)) for aim in self.measured[:place])
                quest.at_most([(measure, _less(value[measure], 1 - FINE))])
                for other in self._obstacles():
                    quest.any_at_most(self._better(other))
                point, status = self._solve(quest)
                self.complete = status in ("OPTIMAL", "INFEASIBLE")
                if not point:
                    break
                seen = any(self._covers(other, point) for other in self.points)
                if not seen and self._order(point) < self._order(stream.head):
                    stream.seen.append(stream.head.features)
                    stream.head = point
                else:
                    stream.seen.append(point.features)

    def _solve(self, quest: Quest) -> tuple[Point | None, str]:
        """Return a solution that is best in the objectives in turn, if there is one, and whether that is proven."""
        answer = minimise(quest.model, [*quest.linear.values()] or [0], max(self.left, TIE))
        self.left -= answer.work + TOLD
        if not answer.values:
            return None, answer.status
        linear = dict(zip(quest.linear, answer.values, strict=False))
        nearer = minimise(quest.model, quest.total, TIE) if quest.total else answer
        self.left -= nearer.work if nearer is not answer else 0
        status = answer.status if self.left > 0 else "FEASIBLE"
        return self._point(quest.candidate, nearer if nearer.values else answer, linear), status

    def _point(self, candidate: Candidate, answer: Answer, linear: dict[str, int]) -> Point:
        blueprint = blueprint_of(candidate, answer)
        features = features_of(blueprint) if self.measured else {}
        values = (aim.at(candidate, features) if isinstance(aim, Measure) else linear[aim.name] for aim in self.aims)
        return Point(candidate, blueprint, tuple(values), features)

    def _accept(self, first: Sequence[_Stream]) -> None:
        """Make the least of the heads a point; of equal ones the one that is preferred."""
        heads = [stream.head for stream in first if stream.head]
        least = min(map(self._order, heads))
        tied = [head for head in heads if self._order(head) == least]
        candidate, blueprint = preferred([(head.candidate, self._as_good(head)) for head in tied])
        best = next(head for head in tied if head.candidate is candidate)
        features = features_of(blueprint) if self.measured else {}
        self.points.append(replace(best, blueprint=blueprint, features=features, proven=True))
        for stream in self.streams:
            if stream.head and self._covers(best, stream.head):
                stream.drop()

    def _as_good(self, point: Point) -> Model:
        """Return the model of what is as good as `point`, of the same candidate, in every objective and feature."""
        quest = Quest(point.candidate, self.aims)
        quest.at_most((aim, value) for aim, value in zip(self.aims, point.values, strict=True) if aim in self.linear)
        quest.as_good(point.features)
        return quest.model

    def _obstacles(self) -> list[Point]:
        """Return the points that no other is as good as in all but the first objective, which none comes below."""
        first = self.aims.index(self.linear[0]) if self.linear else None

        def rest(point: Point) -> tuple[float, ...]:
            return tuple(value for place, value in enumerate(point.values) if place != first)

        found = {rest(point): point for point in reversed(self.points)}
        return [point for own, point in found.items() if not any(_beats(other, own) for other in found)]

    def _better(self, point: Point) -> list[tuple[Aim, float]]:
        """Return what each aim but the first objective must be at most in a fabric that `point` does not cover."""
        return [
            (aim, _less(value, 1 / STEP) if isinstance(aim, Measure) else value - 1)
            for aim, value in zip(self.aims, point.values, strict=True)
            if aim not in self.linear[:1]
        ]

    def _heads(self) -> list[Point]:
        """Return the heads that no other head beats: what they beat in turn can't be a point either."""
        heads = [stream.head for stream in self.streams if stream.head]
        return [head for head in heads if not any(_beats(other.values, head.values) for other in heads)]

    def _before(self, head: Point) -> list[tuple[Aim, float]]:
        """Return what each aim must be at most in a fabric that comes before `head` or is better in some other aim."""
        return [
            (
                aim,
                value if aim in self.linear[:1] else _less(value, 1 - FINE) if isinstance(aim, Measure) else value - 1,
            )
            for aim, value in zip(self.aims, head.values, strict=True)
        ]

    def _covers(self, one: Point, other: Point) -> bool:
        pairs = zip(self.aims, one.values, other.values, strict=True)
        return all(b > _less(a, 1 / STEP) if isinstance(aim, Measure) else a <= b for aim, a, b in pairs)

    def _order(self, point: Point) -> tuple[float, ...]:
        """Return the values by which points come in order: objectives, then measures to ten digits."""
        value = dict(zip(self.aims, point.values, strict=True))
        return (*(value[aim] for aim in self.linear), *(float(f"{value[aim]:.9e}") for aim in self.measured))


def _less(value: float, share: float) -> float:
    """Return the share of a value, or just less than it where it is 0."""
    return min(share * value, math.nextafter(value, -math.inf))


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
