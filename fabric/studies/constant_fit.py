"""A fit of constants of the time model to measured times: robust least squares with a prior, and what each is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog import Collectives, constant_at, with_constants

__all__ = ["NOISE", "FittedConstant", "Residuals", "fit_constants", "fit_settled"]

Column = npt.NDArray[np.float64]
Residuals = Callable[[Collectives], Column]
"""Returns the logarithm of predicted over measured time of every point, shape (points,)."""

PRIOR = 2.0
"""The standard deviation of a constant before the fit, in its logarithm: a factor of 7 either way."""
FROM_ZERO_US = 10.0
"""The unit of a latency that the model starts at 0, which has no logarithm, in microseconds."""
NOISE = 0.03
"""The least scale of residuals: repeated runs of nccl-tests differ by about this much."""
HUBER = 1.345
"""Scales beyond which a residual counts in proportion, not squared (P. Huber 1964, at 95 % efficiency)."""
SCALES = (1.0, 0.3)
"""The scales of the first descents: wide ones at first, so that a group of points far off is not taken for outliers."""
LEAPS = (-1.0, 1.0, -0.3, 0.3, -0.1, 0.1)
"""The steps of the search by one constant at a time, in logarithms."""
STEP, ROUNDS, TOLERANCE = 0.02, 12, 1e-3


@dataclass(frozen=True)
class FittedConstant:
    """A constant that was fitted."""

    name: str
    """Its name, the path to it in collectives.yaml."""
    before: float
    """Its value before the fit."""
    value: float
    """Its value."""
    spread: float
    """The standard deviation of its logarithm, or of its share of 10 microseconds where it was 0 before."""


@dataclass(frozen=True)
class _Problem:
    """A fit: what is known before it and how to find the residuals at a place, the logarithms of all factors."""

    start: Collectives
    names: tuple[str, ...]
    residuals: Residuals
    before: Column

    def constants(self, place: Column) -> Collectives:
        """Return the constants at a place; those that start at 0 are there in multiples of 10 us."""
        values = np.where(self.before > 0, self.before * np.exp(place), FROM_ZERO_US * place)
        return with_constants(self.start, dict(zip(self.names, map(float, values), strict=True)))

    def residuals_at(self, place: Column) -> Column:
        """Return the residuals at a place, shape (points,)."""
        return self.residuals(self.constants(place))

    def slopes(self, place: Column, left: Column) -> Column:
        """Return the slopes of the residuals, shape (points, constants).

        Forward, since a latency is at least 0; backward where that moves more and forward not even one point fully, as
        at a bandwidth beyond which another part limits.
        """
        return np.stack([self._slope(place, left, index) for index in range(len(place))], axis=1)

    def _slope(self, place: Column, left: Column, index: int) -> Column:
        step = np.zeros(len(place))
        step[index] = STEP
        forward = (self.residuals_at(place + step) - left) / STEP
        if np.linalg.norm(forward) >= 1 or not self.before[index] > 0:
            return forward
        backward = (left - self.residuals_at(place - step)) / STEP
        return max(forward, backward, key=np.linalg.norm)

    def bound(self, place: Column) -> Column:
        """Return a place with no latency below 0."""
        return np.where(self.before > 0, place, np.maximum(0.0, place))


def fit_constants(
    start: Collectives, names: Sequence[str], residuals: Residuals
) -> tuple[Collectives, tuple[FittedConstant, ...]]:
    """Return the constants with those named fitted, and what the fit found of each.

    Levenberg-Marquardt with the Jacobian by differences, on logarithms of constants, each with a prior at its value in
    `start`; outliers are weighted down as Huber does. The times are minima over algorithms and so not smooth: between
    two descents a search by one constant at a time leaves places where an algorithm's constants no longer matter.
    """
    constants, fitted, _ = _fit(start, names, residuals)
    return constants, fitted


def fit_settled(
    start: Collectives, names: Sequence[str], residuals: Residuals, most: float
) -> tuple[Collectives, tuple[FittedConstant, ...], tuple[str, ...]]:
    """Return as `fit_constants` does for those of the constants that the points settle, and the names of the others.

    A constant is settled where its spread is at most `most`. While one is not, the least settled is left at its value
    in `start`: what its neighbours then have of spread follows from the curvature, and they are fitted again.
    """
    kept, left_open = list(names), list[str]()
    while kept:
        constants, fitted, precision = _fit(start, kept, residuals)
        dropped = _find_unsettled(precision, most)
        if not dropped:
            return constants, fitted, tuple(left_open)
        left_open += [kept[index] for index in dropped]
        kept = [name for index, name in enumerate(kept) if index not in dropped]
    return start, (), tuple(left_open)


def _find_unsettled(precision: Column, most: float) -> list[int]:
    """Return the indices of the constants to leave out until each of the others has a spread of at most `most`."""
    kept, dropped = list(range(len(precision))), list[int]()
    while kept:
        spread = np.sqrt(np.diag(np.linalg.inv(precision[np.ix_(kept, kept)])))
        worst = int(spread.argmax())
        if spread[worst] <= most:
            break
        dropped.append(kept.pop(worst))
    return dropped


def _fit(
    start: Collectives, names: Sequence[str], residuals: Residuals
) -> tuple[Collectives, tuple[FittedConstant, ...], Column]:
    """Return what `fit_constants` does, and the precision of the constants, shape (constants, constants)."""
    before = np.array([constant_at(start, name) for name in names])
    problem = _Problem(start, tuple(names), residuals, before)
    place = np.zeros(len(names))
    left = problem.residuals_at(place)
    for scale in SCALES:
        place, left = _descend(problem, place, left, scale)
    place, left = _search(problem, place, left, _scale(left))
    place, left = _descend(problem, place, left, _scale(left))
    precision = _curve(problem.slopes(place, left), np.ones(len(left)), _scale(left))
    spread = np.sqrt(np.diag(np.linalg.inv(precision)))
    found = problem.constants(place)
    values = [constant_at(found, name) for name in names]
    rows = zip(names, map(float, before), values, map(float, spread), strict=True)
    return found, tuple(FittedConstant(*row) for row in rows), precision


def _descend(problem: _Problem, place: Column, left: Column, scale: float) -> tuple[Column, Column]:
    """Return the place and the residuals after Levenberg-Marquardt where residuals have this scale."""
    damping, loss = 1e-2, _loss(left, scale, place)
    for _ in range(ROUNDS):
        slopes = problem.slopes(place, left)
        pull = _huber(left / scale)
        curve, uphill = _curve(slopes, pull, scale), slopes.T @ (pull * left) / scale**2 + place / PRIOR**2
        for _ in range(4):
            step = np.linalg.solve(curve + damping * np.diag(np.diag(curve)), -uphill)
            tried = problem.bound(place + np.clip(step, -1, 1))
            found = problem.residuals_at(tried)
            if (now := _loss(found, scale, tried)) < loss:
                break
            damping *= 10
        else:
            break
        gained, loss, place, left, damping = 1 - now / loss, now, tried, found, damping / 5
        if gained < TOLERANCE:
            break
    return place, left


def _search(problem: _Problem, place: Column, left: Column, scale: float) -> tuple[Column, Column]:
    """Return a place no worse than `place`, by steps of one constant at a time, and its residuals."""
    loss = _loss(left, scale, place)
    for index in range(len(place)):
        for leap in LEAPS:
            tried = place.copy()
            tried[index] += leap
            tried = problem.bound(tried)
            found = problem.residuals_at(tried)
            if (now := _loss(found, scale, tried)) < loss:
                place, left, loss = tried, found, now
    return place, left


def _curve(slopes: Column, pull: Column, scale: float) -> Column:
    """Return the curvature of the loss, shape (constants, constants), each point with its weight."""
    return np.asarray((slopes.T * pull) @ slopes / scale**2 + np.eye(slopes.shape[1]) / PRIOR**2)


def _scale(left: Column) -> float:
    """Return the scale of residuals from the median of their amounts, which outliers do not move."""
    return max(NOISE, float(np.median(np.abs(left))) / 0.6745)


def _huber(ratios: Column) -> Column:
    return np.asarray(np.minimum(1.0, HUBER / np.maximum(np.abs(ratios), 1e-12)))


def _loss(left: Column, scale: float, place: Column) -> float:
    ratios = np.abs(left / scale)
    each = np.where(ratios < HUBER, ratios**2 / 2, HUBER * ratios - HUBER**2 / 2)
    return float(each.sum() + (place**2).sum() / 2 / PRIOR**2)
