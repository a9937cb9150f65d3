"""The objectives in words, as heads of tables, and their values with units."""

from __future__ import annotations

from fabric import units

__all__ = ["heading_of", "is_estimated", "is_objective", "label_of", "write_amount", "write_value"]

LABELS = {
    "cost_usd": "cost",
    "total_cost_usd": "cost with electricity",
    "power_w": "power",
    "rack_units": "rack units",
    "hops_max": "hops",
    "switches": "number of switches",
    "links": "number of links",
    "models": "number of switch models",
    "allreduce_s": "all-reduce time",
    "hops_mean": "mean hops over all pairs",
    "hops_ring": "mean hops along a ring",
}
"""The objectives in words."""

HEADINGS = {
    "cost_usd": "cost",
    "total_cost_usd": "total cost",
    "power_w": "power",
    "rack_units": "rack units",
    "hops_max": "hops",
    "allreduce_s": "all-reduce",
    "hops_mean": "mean hops",
    "hops_ring": "ring hops",
}
"""The objectives as heads of a table; those not named are their own."""


ESTIMATED = ("allreduce_s", "hops_mean", "hops_ring")
"""The objectives of which differences of less than 2 % count as none."""


def is_objective(name: str) -> bool:
    """Say whether `name` is the key of one objective, and not of a weighted sum."""
    return name in LABELS


def label_of(name: str) -> str:
    """Return an objective in words; a weighted sum is its own name."""
    return LABELS.get(name, name)


def heading_of(name: str) -> str:
    """Return an objective as the head of a column."""
    return HEADINGS.get(name, name)


def is_estimated(name: str) -> bool:
    """Say whether differences of less than 2 % in this objective count as none."""
    return name in ESTIMATED


def write_value(name: str, number: float) -> str:
    """Write the value of an objective as a table has it, under its head."""
    if name.endswith("_usd"):
        return units.money(number)
    if name.endswith("_s"):
        return units.time(number)
    return units.power(number) if name == "power_w" else f"{number:,.6g}" if number < 1e5 else f"{number:,.0f}"


def write_amount(name: str, number: float) -> str:
    """Write the value of an objective with what it is of."""
    text = write_value(name, number)
    if name.endswith(("_usd", "_s", "_w")):
        return text
    return f"{text} {LABELS.get(name, '').removeprefix('number of ')}".rstrip()
