"""Loads along straight trays: what lies on each stretch of parallel lines, from one change to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Legs", "Spans", "Stretches", "load_lines"]

Metres = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PER_METRE = 1_000_000
"""Places are compared in whole micrometres."""


class Legs(NamedTuple):
    """Straight parts of ways, each along one line, in columns of one length."""

    level_m: Metres
    """Where its line is."""
    start_m: Metres
    """Where it begins along the line."""
    end_m: Metres
    """Where it ends, before or after that."""
    loads: Metres
    """What it puts on the line, shape (legs, loads)."""


class Spans(NamedTuple):
    """The parts of lines that belong to a hall, in columns of one length."""

    level_m: Metres
    """Where its line is."""
    start_m: Metres
    """Where it begins along the line."""
    end_m: Metres
    """Where it ends."""


class Stretches(NamedTuple):
    """Stretches of lines in order, in columns of one length."""

    level_m: Metres
    """Where its line is."""
    start_m: Metres
    """Where it begins along the line."""
    end_m: Metres
    """Where it ends."""
    span: Ints
    """The span that it is in, -1 for none."""
    loads: Metres
    """What lies on it, shape (stretches, loads)."""


def load_lines(legs: Legs, spans: Spans, levels_m: Metres, places_m: Metres) -> Stretches:
    """Return the stretches of lines between all ends of legs and of spans, and between places on lines.

    The lines are those of spans and legs; `levels_m` and `places_m` are more places at which a stretch ends.
    """
    level = np.concatenate([spans.level_m, spans.level_m, levels_m, legs.level_m, legs.level_m])
    place = np.concatenate([spans.start_m, spans.end_m, places_m, legs.start_m, legs.end_m])
    lines, line = np.unique(_round(level), return_inverse=True)
    first = _round(place).min(initial=0)
    width = _round(place).max(initial=0) - first + 1
    keys = line * width + _round(place) - first
    points, index = np.unique(keys, return_inverse=True)
    table = np.zeros((len(points), legs.loads.shape[1]))
    begin, end = np.split(index[len(index) - 2 * len(legs.level_m) :], 2)
    np.add.at(table, np.minimum(begin, end), legs.loads)
    np.subtract.at(table, np.maximum(begin, end), legs.loads)
    inside = np.flatnonzero(points[:-1] // width == points[1:] // width)
    starts, ends = np.split(keys[: 2 * len(spans.level_m)], 2)
    beyond = keys.max(initial=0) + 1
    starts, ends = np.append(starts, beyond), np.append(ends, beyond)  # a last one, where there is no other
    order = np.argsort(starts, kind="stable")
    near = order[np.maximum(np.searchsorted(starts[order], points[inside], side="right") - 1, 0)]
    held = (starts[near] <= points[inside]) & (points[inside + 1] <= ends[near])
    metres = (points % width + first) / PER_METRE
    return Stretches(
        lines[points[inside] // width] / PER_METRE,
        metres[inside],
        metres[inside + 1],
        np.where(held, near, -1),
        np.cumsum(table, axis=0)[inside],
    )


def _round(metres: Metres) -> Ints:
    """Return places as whole micrometres."""
    return np.rint(metres * PER_METRE).astype(np.int64)
