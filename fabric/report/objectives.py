"""The objectives in words, as heads of tables, and their values with units, from the key that results have them by."""

from __future__ import annotations

from fabric import units
from fabric.optimizer.objectives import find_objective

__all__ = [
    "heading_of",
    "is_objective",
    "label_of",
    "scale_of_axis",
    "tolerance_of",
    "write_amount",
    "write_axis",
    "write_value",
]

AXES = {"USD": (1e6, "million {}"), "W": (1e3, "kW"), "s": (1e-3, "ms")}
"""For each unit of an objective that of a chart's axis, and how many of the one make one of the other."""

FORMATS = {"W": units.power, "s": units.time}
"""How values of a unit are written; money in the currency of the request."""


def is_objective(key: str) -> bool:
    """Say whether `key` is that of one objective, and not of a weighted sum."""
    return find_objective(key) is not None


def label_of(key: str) -> str:
    """Return an objective in words; a weighted sum is its own key."""
    objective = find_objective(key)
    return objective.label if objective else key


def heading_of(key: str) -> str:
    """Return an objective as the head of a column."""
    objective = find_objective(key)
    return objective.heading if objective else key


def tolerance_of(key: str) -> str:
    """Return the difference below which values of an objective count as equal, as in `2 %`; empty where they don't."""
    objective = find_objective(key)
    return f"{100 * objective.tolerance:g} %" if objective and objective.tolerance else ""


def write_value(key: str, number: float, currency: str) -> str:
    """Write the value of an objective as a table has it, under its head."""
    if _unit_of(key) == "USD":
        return units.money(number, currency)
    write = FORMATS.get(_unit_of(key))
    return write(number) if write else f"{number:,.6g}" if number < 1e5 else f"{number:,.0f}"


def write_amount(key: str, number: float, currency: str) -> str:
    """Write the value of an objective with what it is a number of."""
    text, unit = write_value(key, number, currency), _unit_of(key)
    return text if unit or not is_objective(key) else f"{text} {label_of(key).removeprefix('number of ')}"


def scale_of_axis(key: str) -> float:
    """Return the units of an objective in one unit of a chart's axis: a million dollars, a kilowatt, a millisecond."""
    return AXES.get(_unit_of(key), (1, ""))[0]


def write_axis(key: str, currency: str) -> str:
    """Return the title of a chart's axis for an objective."""
    unit = _unit_of(key)
    return f"{label_of(key)}, {AXES[unit][1].format(currency)}" if unit in AXES else label_of(key)


def _unit_of(key: str) -> str:
    objective = find_objective(key)
    return objective.unit if objective else ""
