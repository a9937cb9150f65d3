"""A Pareto front with the values that the reports of its designs have: of direct networks those of explicit flows.

A search needs a closed form that never gets better where a fabric gets worse, which on direct networks is only near the
flows. So its points are estimated once more, by the one engine that answers for a design, and compared again.
"""

from __future__ import annotations

import math
from dataclasses import replace

from fabric.optimizer.flow_objectives import reported_value
from fabric.optimizer.objective import FlowObjective
from fabric.optimizer.pareto import EQUAL, Dominance, Front, Point
from fabric.optimizer.search import Progress

__all__ = ["report_front"]


def report_front(front: Front, progress: Progress = lambda text: None) -> Front:
    """Return a front with the values that reports have, without the points that others then dominate.

    Where a value moves by more than its tolerance the status is FEASIBLE, and no point is proven: the search may have
    left out fabrics by values that would move too. Times of a Clos are those of the search.
    """
    if not any(isinstance(each, FlowObjective) for each in front.objectives):
        return front
    points = []
    for number, point in enumerate(front.points, 1):
        progress(f"estimating design {number} of {len(front.points)}")
        points.append(_report(front, point))
    if all(point.reported is None for point in points):
        return front
    moved = any(_has_moved(front, point) for point in points)
    dominance, kept = Dominance(front.objectives), list[Point]()
    for point in sorted((replace(each, values=each.reported or each.values) for each in points), key=dominance.order):
        if not any(dominance.dominates(other, point) for other in kept):
            kept.append(replace(point, proven=point.proven and not moved))
    kept.sort(key=lambda point: point.values)
    return replace(front, points=tuple(kept), status="FEASIBLE" if moved else front.status, moved=moved)


def _report(front: Front, point: Point) -> Point:
    """Return a point of a direct network with its reported values where these differ, and any other as it is."""
    if point.candidate.topology.ratios_are_cuts:
        return point
    values = tuple(
        reported_value(objective, point.blueprint) if isinstance(objective, FlowObjective) else value
        for objective, value in zip(front.objectives, point.values, strict=True)
    )
    return replace(point, reported=values)


def _has_moved(front: Front, point: Point) -> bool:
    """Say whether some reported value is not within the tolerance of the search's."""
    pairs = zip(front.objectives, point.values, point.reported or point.values, strict=True)
    return any(not math.isclose(a, b, rel_tol=objective.tolerance + EQUAL) for objective, a, b in pairs)
