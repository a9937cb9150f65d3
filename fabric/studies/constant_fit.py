"""A fit of constants of the time model to measured times: robust least squares with a prior, and what each is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog import Collectives, constant_at, with_constants

__all__ = ["FittedConstant", "fit_constants"]

Column = npt.NDArray[np.float64]
Residuals = Callable[[Collectives], Column]
"""Returns the logarithm of predicted over measured time of every point, shape (points,)."""

PRIOR = 1.0
"""The standard deviation of a constant before the fit, in its logarithm: a factor of e either way."""
FROM_ZERO_US = 10.0
"""The unit of a latency that the model starts at 0, which has no logarithm, in microseconds."""
NOISE = 0.03
"""The least scale of residuals: repeated runs of nccl-tests differ by about this much."""
HUBER = 1.345
"""Residuals beyond so many scales count in proportion, not squared (P. Huber 1964, at 95 % efficiency)."""
STEP, ROUNDS, DAMPING = 0.02, 30, 1e-2


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


def fit_constants(
    start: Collectives, names: Sequence[str], residuals: Residuals, weights: Column | None = None
) -> tuple[Collectives, tuple[FittedConstant, ...]]:
    """Return the constants with those named fitted, and what the fit found of each.

    Levenberg-Marquardt with the Jacobian by differences, on logarithms of constants, each with a prior at its value in
    `start`; outliers are weighted down as Huber does. `weights` are those of the points, shape (points,).
    """
    before = np.array([constant_at(start, name) for name in names])

    def constants_at(place: Column) -> Collectives:
        values = np.where(before > 0, before * np.exp(place), FROM_ZERO_US * place)
        return with_constants(start, dict(zip(names, map(float, values), strict=True)))

    def residuals_at(place: Column) -> Column:
        return residuals(constants_at(place))

    place, left = np.zeros(len(names)), residuals(start)
    given = np.ones(len(left)) if weights is None else weights
    damping = DAMPING
    for _ in range(ROUNDS):
        scale = _scale(left)
        slopes = _jacobian(residuals_at, place, left)
        pull = given * _huber(left / scale) / scale**2
        curve = (slopes.T * pull) @ slopes + np.eye(len(names)) / PRIOR**2
        step = np.linalg.solve(
            curve + damping * np.diag(np.diag(curve)), -(slopes.T @ (pull * left) + place / PRIOR**2)
        )
        tried = np.where(before > 0, place + np.clip(step, -1, 1), np.maximum(0.0, place + step))
        found = residuals_at(tried)
        if _loss(found, given, scale, tried) < _loss(left, given, scale, place):
            small = float(np.abs(tried - place).max()) < 1e-3
            place, left, damping = tried, found, damping / 3
            if small:
                break
        else:
            damping *= 10
            if damping > 1e6:
                break
    spread = _spread(_jacobian(residuals_at, place, left), given, _scale(left))
    values = [constant_at(constants_at(place), name) for name in names]
    rows = zip(names, map(float, before), values, map(float, spread), strict=True)
    return constants_at(place), tuple(FittedConstant(*row) for row in rows)


def _jacobian(residuals_at: Callable[[Column], Column], place: Column, left: Column) -> Column:
    """Return the slopes of the residuals, shape (points, constants); forward, since a latency can't go below 0."""
    columns = [(residuals_at(place + STEP * unit) - left) / STEP for unit in np.eye(len(place))]
    return np.stack(columns, axis=1)


def _scale(left: Column) -> float:
    """Return the scale of residuals from the median of their amounts, which outliers do not move."""
    return max(NOISE, float(np.median(np.abs(left))) / 0.6745)


def _huber(ratios: Column) -> Column:
    return np.asarray(np.minimum(1.0, HUBER / np.maximum(np.abs(ratios), 1e-12)))


def _loss(left: Column, weights: Column, scale: float, place: Column) -> float:
    ratios = np.abs(left / scale)
    each = np.where(ratios < HUBER, ratios**2 / 2, HUBER * ratios - HUBER**2 / 2)
    return float((weights * each).sum() + (place**2).sum() / 2 / PRIOR**2)


def _spread(slopes: Column, weights: Column, scale: float) -> Column:
    """Return the standard deviation of each constant's logarithm after the fit, with the prior."""
    precision = (slopes.T * weights) @ slopes / scale**2 + np.eye(slopes.shape[1]) / PRIOR**2
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(precision))))
