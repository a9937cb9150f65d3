"""Constants of the time model by name, the path to them in collectives.yaml: `generations.hopper.network_us`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from fabric.frozen import frozen

__all__ = ["constant_at", "with_constants"]

Record = TypeVar("Record")
"""The constants of all, or of one generation, whose names are then paths from there."""


def constant_at(constants: Any, name: str) -> float:
    """Return the constant of this name; raises KeyError where there is none, or none with a value."""
    found: Any = constants
    for key in name.split("."):
        found = _part(found, key, name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise KeyError(name)
    return float(found)


def with_constants(constants: Record, values: Mapping[str, float]) -> Record:
    """Return the constants with `values` in the place of those of the same names; raises KeyError as `constant_at`."""
    found: Any = constants
    for name, value in values.items():
        constant_at(constants, name)
        found = _put(found, name.split("."), value, name)
    return found  # type: ignore[no-any-return]


def _part(record: Any, key: str, name: str) -> Any:
    """Return the part of a record, mapping or tuple of records that have names, under a key."""
    if is_dataclass(record) and key in {each.name for each in fields(record)}:
        return getattr(record, key)
    if isinstance(record, Mapping) and key in record:
        return record[key]
    if isinstance(record, tuple) and (place := _place(record, key)) is not None:
        return record[place]
    raise KeyError(name)


def _place(records: tuple[Any, ...], key: str) -> int | None:
    """Return the place of a record by its name, or of a number by its position, counted from 0."""
    for place, record in enumerate(records):
        if key == getattr(record, "name", str(place)):
            return place
    return None


def _put(record: Any, path: list[str], value: float, name: str) -> Any:
    if not path:
        return value
    key, *rest = path
    part = _put(_part(record, key, name), rest, value, name)
    if isinstance(record, Mapping):
        return frozen({**record, key: part})
    if isinstance(record, tuple):
        place = _place(record, key)
        assert place is not None
        return (*record[:place], part, *record[place + 1 :])
    return replace(record, **{key: part})
