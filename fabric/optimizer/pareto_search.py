"""The Pareto front: the fabrics of a request that none dominates in all of several aims, and the proof of it.

One fabric dominates another when it is no worse in any objective, and less than one STEP worse in any measure: epsilon-
dominance (M. Laumanns et al. 2002, doi 10.1162/106365602760234108). In order of the aims (objectives first, then
measures), each fabric that none before it on the front dominates is on the front. So what is left out of it is
dominated by what is on it, and no two of it are closer than a step and equal in the rest.

Each candidate is asked for the least of the first objective among its fabrics that no point dominates, and the least of
all answers is the next point. So the points come in order, and when the work ends, those so far are proven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fabric.errors import FabricError, InputError
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.feature import Features
from fabric.optimizer.flow_objectives import features_of
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import Objective, needs
from fabric.optimizer.pareto import FINE, Aims, Front, Point, less, undominated
from fabric.optimizer.search import Progress, blueprint_of, comparable, preferred
from fabric.optimizer.solve import Answer, minimise
from fabric.optimizer.subproblem import Aim, Subproblem
from fabric.request import Spec

__all__ = ["Aim", "Front", "Point", "front"]

FRONT_WORK, TOLD = 60.0, 0.1
"""The work that a whole front may take, in CP-SAT's deterministic time, and what asking a question counts in it.

Both are the same on every machine; on two cores of 2024 a unit takes one or two seconds.
"""

TIE = 0.2
"""The work spent on each aim after the first objective: to be better in those spares questions, but proves nothing."""


def front(spec: Spec, aims: Sequence[Aim], progress: Progress = lambda text: None, work: float | None = None) -> Front:
    """Return the Pareto front of `spec` over `aims`; of fabrics equal in every aim the one that `size` prefers.

    When the `work` ends, the status is FEASIBLE: the points so far stand, and others may be missing. Raises Infeasible
    and InputError as `size` does, and FabricError when the work ends before any fabric is found.
    """
    start = time.perf_counter()
    linear = [aim for aim in aims if isinstance(aim, Objective)]
    found, rejected, unknown = comparable(spec, linear)
    if unknown and not found:
        raise InputError(f"{spec.name}: {unknown[0]}; give it in the request, or leave it out of what is sought")
    search = _Search(aims, found, FRONT_WORK if work is None else work)
    search.run(progress)
    if search.complete and not search.points:
        raise explain(spec, found, rejected, needs(spec, linear))
    points, status = search.result(), "OPTIMAL" if search.complete else "FEASIBLE"
    if not points:
        raise FabricError(f"{spec.name}: no fabric was found within the limit on work")
    return Front(tuple(aims), tuple(points), status, time.perf_counter() - start)


@dataclass
class _Stream:
    """The fabrics of one candidate that no point dominates, in order: `bound` is the least that the next can come to.

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

    def __init__(self, aims: Sequence[Aim], found: Iterable[Candidate], work: float) -> None:
        self.aims = Aims(aims)
        simple_first = sorted(found, key=lambda candidate: (candidate.topology.tiers, candidate.planes))
        self.streams = [_Stream(candidate) for candidate in simple_first]
        self.points: list[Point] = []
        self.complete = True
        self.left = work

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
        """Return the points, and where the work ended the heads that nothing found dominates, in order of the aims."""
        heads = sorted((stream.head for stream in self.streams if stream.head), key=self.aims.order)
        found = list(self.points)
        for head in heads:
            if not any(self.aims.dominates(point, head) for point in found):
                found.append(head)
        return sorted(found, key=lambda point: point.values)

    def _ask(self, stream: _Stream) -> None:
        """Ask for the least of the first objective among the stream's fabrics that no point dominates."""
        asked = Subproblem(stream.candidate, self.aims.all, stream.seen)
        if self.aims.objectives and stream.bound > -math.inf:
            asked.at_least(self.aims.objectives[0], stream.bound)
        for point in self.aims.in_the_way(self.points):
            asked.any_at_most(self.aims.better(point))
        for other in undominated([stream.head for stream in self.streams if stream.head]):
            asked.any_at_most(self.aims.before(other))
        head, status = self._solve(asked)
        if status == "INFEASIBLE":
            self.streams.remove(stream)
            return
        self.complete = status == "OPTIMAL"
        stream.head = head
        if head and self.aims.objectives:
            stream.bound = head.values[self.aims.all.index(self.aims.objectives[0])]
        if head and any(self.aims.dominates(point, head) for point in self.points):
            stream.drop()

    def _refine(self, stream: _Stream) -> None:
        """Exchange the head for one that is as good in every objective, and better in the measures in turn."""
        stream.refined = True
        for place, measure in enumerate(self.aims.measures):
            while stream.head and self.complete:
                value = self.aims.values(stream.head)
                asked = Subproblem(stream.candidate, self.aims.all, [*stream.seen, stream.head.features])
                asked.at_most((aim, value[aim]) for aim in self.aims.objectives)
                asked.at_most((aim, value[aim] * (1 + FINE)) for aim in self.aims.measures[:place])
                asked.at_most([(measure, less(value[measure], 1 - FINE))])
                for other in self.aims.in_the_way(self.points):
                    asked.any_at_most(self.aims.better(other))
                point, status = self._solve(asked)
                self.complete = status in ("OPTIMAL", "INFEASIBLE")
                if not point:
                    break
                seen = any(self.aims.dominates(other, point) for other in self.points)
                if not seen and self.aims.order(point) < self.aims.order(stream.head):
                    stream.seen.append(stream.head.features)
                    stream.head = point
                else:
                    stream.seen.append(point.features)

    def _solve(self, asked: Subproblem) -> tuple[Point | None, str]:
        """Return a solution that is best in the objectives in turn, if there is one, and whether that is proven."""
        answer = minimise(asked.model, [*asked.linear.values()] or [0], max(self.left, TIE))
        self.left -= answer.work + TOLD
        if not answer.values:
            return None, answer.status
        linear = dict(zip(asked.linear, answer.values, strict=False))
        nearer = minimise(asked.model, asked.total, TIE) if asked.total else answer
        self.left -= nearer.work if nearer is not answer else 0
        status = answer.status if self.left > 0 else "FEASIBLE"
        return self._point(asked.candidate, nearer if nearer.values else answer, linear), status

    def _point(self, candidate: Candidate, answer: Answer, linear: dict[str, int]) -> Point:
        blueprint = blueprint_of(candidate, answer)
        features = features_of(blueprint) if self.aims.measures else {}
        found: dict[Aim, float] = {aim: linear[aim.name] for aim in self.aims.objectives}
        found |= {aim: aim.at(candidate, features) for aim in self.aims.measures}
        return Point(candidate, blueprint, tuple(found[aim] for aim in self.aims.all), features)

    def _accept(self, first: Sequence[_Stream]) -> None:
        """Make the least of the heads a point; of equal ones the one that is preferred."""
        heads = [stream.head for stream in first if stream.head]
        least = min(map(self.aims.order, heads))
        tied = [head for head in heads if self.aims.order(head) == least]
        candidate, blueprint = preferred([(head.candidate, self._as_good(head)) for head in tied])
        best = next(head for head in tied if head.candidate is candidate)
        features = features_of(blueprint) if self.aims.measures else {}
        self.points.append(replace(best, blueprint=blueprint, features=features, proven=True))
        for stream in self.streams:
            if stream.head and self.aims.dominates(best, stream.head):
                stream.drop()

    def _as_good(self, point: Point) -> Model:
        """Return the model of what is as good as `point`, of the same candidate, in every objective and feature."""
        asked = Subproblem(point.candidate, self.aims.all)
        value = self.aims.values(point)
        asked.at_most((aim, value[aim]) for aim in self.aims.objectives)
        asked.as_good(point.features)
        return asked.model
