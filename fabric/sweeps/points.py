"""The points of a sweep: each a request, and the settings of what is measured on its design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from fabric.errors import InputError
from fabric.frozen import FrozenMapping
from fabric.request.document import Document, Keys
from fabric.sweeps.spec import Sweep

__all__ = ["Point", "count_points", "list_points", "make_request"]


@dataclass(frozen=True)
class Point:
    """One row of the table to be."""

    index: int
    """Its number, from 0."""
    values: Mapping[str, Any]
    """The values of the request keys that are varied, by their paths."""
    settings: Mapping[tuple[str, str], Any]
    """The value of every setting, by measure and name."""
    places: Mapping[str, Keys]
    """Where each of `values` is in the sweep."""


def count_points(sweep: Sweep) -> int:
    """Return the number of points."""
    total = len(sweep.rows)
    for axis in sweep.axes:
        total *= len(axis.values)
    return total


def list_points(sweep: Sweep) -> Iterator[Point]:
    """Yield the points in order: by row of `list`, then by the axes, the last one fastest."""
    index = 0
    for row in sweep.rows:
        for positions in product(*(range(len(axis.values)) for axis in sweep.axes)):
            values, settings = dict(row.values), {**sweep.settings, **row.settings}
            places = {key: (*row.place, key) for key in row.values}
            for axis, position in zip(sweep.axes, positions, strict=True):
                if axis.measure:
                    settings[axis.measure, axis.key.partition(".")[2]] = axis.values[position]
                else:
                    values[axis.key], places[axis.key] = axis.values[position], (*axis.place, position)
            yield Point(index, values, settings, places)
            index += 1


def make_request(sweep: Sweep, point: Point) -> Document:
    """Return the request of a point, in which a value that the sweep sets has its place there.

    Raises InputError for a path that leads into something that is not a mapping.
    """
    values, places = dict(sweep.base.values), dict[Keys, str]()
    for key, value in point.values.items():
        place = sweep.place(point.places[key], key)
        values, path = _set_value(values, key.split("."), value, place)
        places[path] = place
    return replace(sweep.base, values=values, places=FrozenMapping({**sweep.base.places, **places}))


def _set_value(values: Any, path: list[str], value: Any, place: str) -> tuple[Any, Keys]:
    """Return a copy of a mapping or a list with the value at `path` set, and the path with positions as numbers."""
    key: str | int = path[0]
    if isinstance(values, list) and path[0].isdecimal() and int(path[0]) < len(values):
        key = int(path[0])
    elif not isinstance(values, dict):
        what = f"a list of {len(values)}" if isinstance(values, list) else repr(values)
        raise InputError(f"{place}: leads into {what:.80}, not a mapping with the key '{path[0]}'; vary it as a whole")
    copy = values.copy()
    if len(path) == 1:
        copy[key] = value
        return copy, (key,)
    inner = values.get(key) if isinstance(values, dict) else values[int(key)]
    copy[key], rest = _set_value({} if inner is None else inner, path[1:], value, place)
    return copy, (key, *rest)
