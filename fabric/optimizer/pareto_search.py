"""The Pareto front: the fabrics of a request that none dominates in all of several objectives, with its proof.

One fabric dominates another when it is no worse in any linear objective, and within the tolerance in any flow
objective: epsilon-dominance (M. Laumanns et al. 2002, doi 10.1162/106365602760234108). In order of the objectives
(linear ones first), each fabric that none before it on the front dominates is on the front. So what is left out is
dominated by a point of the front, and no two points are within the tolerance of each other and equal in the rest.

Each candidate is solved for the least of the first objective among its fabrics that no point dominates, and the least
over all candidates is the next point. So the points come in order, and when the budget ends, those so far are proven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from fabric.errors import FabricError, InputError
from fabric.optimizer.build_model import build_model, floor_of
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.explain import explain
from fabric.optimizer.feature import Features
from fabric.optimizer.floor import Floor
from fabric.optimizer.flow_objectives import CandidateValues, features_of
from fabric.optimizer.model import Model
from fabric.optimizer.objective import FlowObjective, LinearObjective, Objective
from fabric.optimizer.objectives import needed_facts
from fabric.optimizer.pareto import EQUAL, Dominance, Front, Point, less, undominated
from fabric.optimizer.search import Progress, ask_for_fact, comparable_candidates
from fabric.optimizer.solve import Solution, minimise
from fabric.optimizer.subproblem import Subproblem
from fabric.optimizer.ties import Tie, blueprint_of, preferred_blueprint
from fabric.request import Spec

__all__ = ["find_front"]

FRONT_BUDGET = 60.0
"""The deterministic time of the search for a whole front, the same on every machine (see `solve.SOLVE_BUDGET`)."""

MODEL_COST = 0.1
"""What building and presolving a model counts in that budget, since CP-SAT does not count it."""

TIE_BUDGET = 0.2
"""The deterministic time of breaking a tie by the features, which spares solves later but is no part of the proof."""


def find_front(
    spec: Spec,
    objectives: Sequence[Objective],
    progress: Progress = lambda text: None,
    budget: float | None = None,
) -> Front:
    """Return the Pareto front of `spec`; of fabrics equal in every objective, the one that `size` prefers.

    When the `budget` of deterministic time ends, the status is FEASIBLE: others may be missing. Raises Infeasible and
    InputError as `size` does, and FabricError when the budget ends before any fabric is found.
    """
    start = time.perf_counter()
    if spec.kinds and (timed := [each.name for each in objectives if isinstance(each, FlowObjective)]):
        raise InputError(
            f"objective '{timed[0]}': times are of equal servers; of unlike ones minimise cost, power or hops"
        )
    linear = [objective for objective in objectives if isinstance(objective, LinearObjective)]
    if timed := [each.name for each in objectives if each not in linear and not spec.gpus]:
        raise InputError(
            f"{spec.name}: no GPU stands on this fabric, so '{timed[0]}' has no time; minimise cost or hops"
        )
    found, rejected, unknown = comparable_candidates(spec, linear)
    if unknown and not found:
        raise ask_for_fact(spec, unknown[0])
    search = _Search(objectives, found, FRONT_BUDGET if budget is None else budget)
    search.run(progress)
    if search.complete and not search.points:
        raise explain(spec, found, rejected, needed_facts(spec, linear))
    points, status = search.result(), "OPTIMAL" if search.complete else "FEASIBLE"
    if not points:
        raise FabricError(f"{spec.name}: no fabric was found within the solve budget")
    return Front(tuple(objectives), tuple(points), status, time.perf_counter() - start)


@dataclass
class _Stream:
    """The fabrics of one candidate that no point dominates, in order."""

    values: CandidateValues
    """The candidate, with the flow objectives of its fabrics."""
    bound: float = -math.inf
    """The least that the first objective of the next fabric can be."""
    head: Point | None = None
    """The next fabric, once it is found."""
    refined: bool = False
    """Whether the head is the best in its flow objectives, too."""
    found: list[Features] = field(default_factory=list)
    """The features of the fabrics before the head."""
    floor: Floor | None = None
    """What the candidate's fabrics take at least, where that is known without a search."""

    def drop_head(self) -> None:
        """Leave the head behind."""
        self.found += [self.head.features] if self.head else []
        self.head, self.refined = None, False


class _Search:
    """The search for the points of one front: the streams of its candidates, merged in order."""

    def __init__(self, objectives: Sequence[Objective], found: Iterable[Candidate], budget: float) -> None:
        self.dominance = Dominance(objectives)
        self.left = budget
        simple_first = sorted(found, key=lambda candidate: (candidate.topology.tiers, candidate.planes))
        self.streams = [stream for candidate in simple_first if (stream := self._stream(candidate))]
        self.points: list[Point] = []
        self.complete = True

    def _stream(self, candidate: Candidate) -> _Stream | None:
        """Return the stream of a candidate with a bound on its first head; None where it is shown to have no fabrics.

        So the costly search for a head, with features, is left until the points before it are known, which mostly
        dominate all that the candidate has.
        """
        stream = _Stream(CandidateValues(candidate), floor=floor_of(candidate))
        if not self.dominance.linear:
            return stream
        first = self.dominance.linear[0]
        if stream.floor and (least := stream.floor.least_total(first)) is not None:
            stream.bound = math.floor(least) if stream.floor.has_room else math.inf
        else:
            model = build_model(candidate)
            solution = minimise(model, [model.total(first)], TIE_BUDGET)
            self.left -= solution.spent
            stream.bound = math.inf if solution.status == "INFEASIBLE" else math.ceil(solution.bound - 1e-6)
        return stream if stream.bound < math.inf else None

    def run(self, progress: Progress) -> None:
        """Take the points in order until there are no more, or the budget ends."""
        while self.streams and self.complete:
            # A head is the next point only when no other stream could still have a lesser one: those at the least bound
            # are solved first.
            bound = min(stream.bound for stream in self.streams)
            first = [stream for stream in self.streams if stream.bound == bound]
            empty = next((stream for stream in first if not stream.head), None)
            rough = next((stream for stream in first if not stream.refined), None)
            progress(f"{len(self.points)} points; {(empty or rough or first[0]).values.candidate}")
            if empty:
                self._find_head(empty)
            elif rough:
                self._refine_head(rough)
            else:
                self._accept_least(first)

    def result(self) -> list[Point]:
        """Return the points, and where the budget ended the heads that nothing found dominates, in order."""
        heads = sorted((stream.head for stream in self.streams if stream.head), key=self.dominance.order)
        found = list(self.points)
        for head in heads:
            if not any(self.dominance.dominates(point, head) for point in found):
                found.append(head)
        return sorted(found, key=lambda point: point.values)

    def _find_head(self, stream: _Stream) -> None:
        """Find the least of the first objective among the stream's fabrics that no point dominates."""
        problem = Subproblem(stream.values, self.dominance.objectives, stream.found, stream.floor)
        # Nothing of the stream is below its last head; saying so spares the solver that proof.
        if self.dominance.linear and stream.bound > -math.inf:
            problem.at_least(self.dominance.linear[0], stream.bound)
        for point in self.dominance.frontier_without_first(self.points):
            problem.any_at_most(self.dominance.bounds_to_survive(point))
        for other in undominated([stream.head for stream in self.streams if stream.head]):
            problem.any_at_most(self.dominance.bounds_to_precede(other))
        head, status = self._solve(problem)
        if status == "INFEASIBLE":
            self.streams.remove(stream)
            return
        self.complete = status == "OPTIMAL"
        stream.head = head
        if head and self.dominance.linear:
            stream.bound = head.values[self.dominance.objectives.index(self.dominance.linear[0])]
        if head and any(self.dominance.dominates(point, head) for point in self.points):
            stream.drop_head()

    def _refine_head(self, stream: _Stream) -> None:
        """Exchange the head for one equal in every linear objective, and better in the flow objectives in turn."""
        stream.refined = True
        for index, objective in enumerate(self.dominance.flow):
            while stream.head and self.complete:
                value = self.dominance.values(stream.head)
                known = [*stream.found, stream.head.features]
                problem = Subproblem(stream.values, self.dominance.objectives, known, stream.floor)
                problem.all_at_most((each, value[each]) for each in self.dominance.linear)
                problem.all_at_most((each, value[each] * (1 + EQUAL)) for each in self.dominance.flow[:index])
                problem.all_at_most([(objective, less(value[objective], 1 - EQUAL))])
                for other in self.dominance.frontier_without_first(self.points):
                    problem.any_at_most(self.dominance.bounds_to_survive(other))
                point, status = self._solve(problem)
                self.complete = status in ("OPTIMAL", "INFEASIBLE")
                if not point:
                    break
                dominated = any(self.dominance.dominates(other, point) for other in self.points)
                if not dominated and self.dominance.order(point) < self.dominance.order(stream.head):
                    stream.found.append(stream.head.features)
                    stream.head = point
                else:
                    stream.found.append(point.features)

    def _solve(self, problem: Subproblem) -> tuple[Point | None, str]:
        """Return a solution that is best in the linear objectives in turn, if there is one, and its status."""
        solution = minimise(problem.model, [*problem.linear.values()] or [0], max(self.left, TIE_BUDGET))
        self.left -= solution.spent + MODEL_COST
        if not solution.values:
            return None, solution.status
        linear = dict(zip(problem.linear, solution.values, strict=False))
        nearer = minimise(problem.model, problem.feature_sum, TIE_BUDGET) if problem.feature_sum else solution
        self.left -= nearer.spent if nearer is not solution else 0
        status = solution.status if self.left > 0 else "FEASIBLE"
        return self._point(problem.values, nearer if nearer.values else solution, linear), status

    def _point(self, values: CandidateValues, solution: Solution, linear: dict[str, int]) -> Point:
        blueprint = blueprint_of(values.candidate, solution)
        features = features_of(blueprint) if self.dominance.flow else {}
        found: dict[Objective, float] = {each: linear[each.key] for each in self.dominance.linear}
        found |= {each: values.value(each, features) for each in self.dominance.flow}
        return Point(values.candidate, blueprint, tuple(found[each] for each in self.dominance.objectives), features)

    def _accept_least(self, first: Sequence[_Stream]) -> None:
        """Make the least of the heads a point; of equal ones the preferred one."""
        heads = [stream.head for stream in first if stream.head]
        least = min(map(self.dominance.order, heads))
        tied = [head for head in heads if self.dominance.order(head) == least]
        candidate, blueprint = preferred_blueprint(
            [Tie(head.candidate, head.blueprint, partial(self._equally_good, head)) for head in tied]
        )
        best = next(head for head in tied if head.candidate is candidate)
        features = features_of(blueprint) if self.dominance.flow else {}
        self.points.append(replace(best, blueprint=blueprint, features=features, proven=True))
        for stream in self.streams:
            if stream.head and self.dominance.dominates(best, stream.head):
                stream.drop_head()

    def _equally_good(self, point: Point) -> Model:
        """Return the model of the fabrics no worse than `point`, of its candidate, in any objective and feature."""
        problem = Subproblem(CandidateValues(point.candidate), self.dominance.objectives)
        value = self.dominance.values(point)
        problem.all_at_most((each, value[each]) for each in self.dominance.linear)
        problem.no_worse(point.features)
        return problem.model
