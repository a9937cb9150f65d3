"""What moving each price would do to the choice, as rows and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.optimizer import Change
from fabric.report.markdown import UNMOVED
from fabric.report.terminal import Table

__all__ = ["moved_rows", "moved_summary"]


def moved_rows(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the changes as plain rows: `change` is the price's, as a share of it; null where nothing would change."""
    return [
        {
            "part": item.part,
            "price_usd": item.price_usd,
            "direction": item.direction,
            "at_usd": None if item.at_usd is None else round(item.at_usd, 2),
            "change": None if item.at_usd is None else round(item.at_usd / item.price_usd - 1, 6),
            "instead": None if item.instead is None else _said(item.instead),
            "settled": item.settled,
        }
        for item in changes
    ]


def moved_summary(changes: Sequence[Change]) -> tuple[list[Table], list[str]]:
    """Return the table of prices, and a line for each that would change the choice."""
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    for part in dict.fromkeys(item.part for item in changes):
        up, down = (next(item for item in changes if (item.part, item.direction) == (part, way)) for way in WAYS)
        rows.append((part, units.money(up.price_usd), _at(up), _at(down)))
        lines += [
            f"{part} at {units.money(item.at_usd)}: {_said(item.instead)}." for item in (up, down) if item.instead
        ]
    if not all(item.settled for item in changes):
        lines.append("Unsettled are those that would take more than the limit on work.")
    lines.append("Each price is moved alone, between its half and its double; - is no change." if lines else UNMOVED)
    return [("Prices that would change the choice", ("part", "price", "risen to", "fallen to"), rows)], lines


WAYS = ("up", "down")


def _at(item: Change) -> str:
    if item.at_usd is None:
        return "-" if item.settled else "unsettled"
    return f"{units.money(round(item.at_usd, 2))} ({item.at_usd / item.price_usd - 1:+.1%})"


def _said(plan: Blueprint) -> str:
    planes = f" on {plan.planes} planes" if plan.planes > 1 else ""
    boxes = ", ".join(
        f"{units.count(count)} {model.name}" for role in plan.topology.roles for model, count in plan.boxes(role)
    )
    return f"{plan.topology.family} in {plan.tiers} tier{'s'[: plan.tiers > 1]}{planes} ({boxes})"
