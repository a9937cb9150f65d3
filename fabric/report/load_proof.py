"""What a design.json says of the search for its fabric, checked before it is believed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fabric.errors import InputError

__all__ = ["check_proof"]

STATUSES = ("OPTIMAL", "FEASIBLE")
"""What a search may have ended with."""

ROUNDING = 1e-9
"""How much of a bound the objective may be below it, since both are rounded."""


def check_proof(name: str, optimizer: Mapping[str, Any]) -> None:
    """Raise InputError, which names the key, unless `optimizer` of a design object has such values as are written.

    Its objective has to be among its objectives and no lower than the bound. `name` is that of the file.
    """
    status, bound, value = optimizer["status"], optimizer["bound"], optimizer["objective"]
    if status not in STATUSES:
        raise InputError(f"{name}: optimizer.status: {status!r:.60} is not {' or '.join(STATUSES)}")
    _check_number(name, "objective", value)
    for key, each in optimizer["objectives"].items():
        _check_number(name, f"objectives.{key}", each)
    if bound is not None:
        _check_number(name, "bound", bound)
        if bound > value + ROUNDING * abs(value):
            raise InputError(f"{name}: optimizer.bound: {bound} is above the objective, {value}")
    known = optimizer["objectives"].get(optimizer["objective_name"])
    if known != value:
        raise InputError(f"{name}: optimizer.objective: {value}, but {known} in optimizer.objectives")
    for row, each in enumerate(optimizer["binding"] or ()):
        if not isinstance(each["limit"], str):
            raise InputError(f"{name}: optimizer.binding[{row}].limit: {each['limit']!r:.60} is not a key of a request")
        for key in ("objective", "nonblocking"):
            if each.get(key) is not None:
                _check_number(name, f"binding[{row}].{key}", each[key])


def _check_number(name: str, key: str, value: Any) -> None:
    """Raise InputError unless a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{name}: optimizer.{key}: {value!r:.60} is not a number")
