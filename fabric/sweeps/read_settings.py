"""Settings that several measures have, as they are read: sizes, routings and algorithms."""

from __future__ import annotations

from typing import Any

from fabric.errors import InputError
from fabric.flow.algorithms import ALGORITHMS
from fabric.flow.routings import ROUTINGS
from fabric.units import parse_size

__all__ = ["read_algorithm", "read_routing", "read_size"]


def read_size(value: Any) -> int:
    """Return a size in bytes from a number or text such as `1GiB`; raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"{value!r:.40} is not a size in bytes; write for example 1GiB")
    return parse_size(value)


def read_routing(value: Any) -> str:
    """Return the name of a routing; raises InputError with the nearest for one that is not known."""
    return ROUTINGS.get_record(str(value)).name


def read_algorithm(value: Any) -> str | None:
    """Return the name of an algorithm, or None for the library's choice; raises InputError for an unknown one."""
    return None if value is None else ALGORITHMS.get_record(str(value)).name
