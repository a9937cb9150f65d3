"""How far each price can move before another fabric is the cheapest, as rows and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.optimizer import BreakEven
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent, name_switches, name_topology

__all__ = ["TITLE", "UNCHANGED", "list_changes", "name_alternative", "summarize_changes"]

TITLE = "Price sensitivity"

UNCHANGED = "No single price, varied from 0.5x to 2x, would change the optimum."


def list_changes(changes: Sequence[BreakEven]) -> list[dict[str, Any]]:
    """Return the changes as plain rows: `change` is the price's, as a share of it; null where nothing would change."""
    return [
        {
            "part": item.part,
            "price_usd": item.price_usd,
            "direction": item.direction,
            "at_usd": None if item.at_usd is None else round(item.at_usd, 2),
            "change": None if item.at_usd is None else round(item.at_usd / item.price_usd - 1, 6),
            "instead": None if item.instead is None else name_alternative(item.instead),
            "settled": item.settled,
        }
        for item in changes
    ]


def name_alternative(blueprint: Blueprint, chosen: Blueprint | None = None) -> str:
    """Return the fabric that would be chosen instead, in a few words, and of what other kind `chosen` is."""
    kind, own = name_topology(blueprint), chosen and name_topology(chosen)
    instead = f", instead of {own}" if own and own != kind else ""
    return f"{kind} ({name_switches(blueprint)}){instead}"


def summarize_changes(changes: Sequence[BreakEven], chosen: Blueprint, currency: str) -> Summary:
    """Return the table of prices, in `currency`, and a line for each that would change the optimum from `chosen`."""
    rows = []
    for part in dict.fromkeys(item.part for item in changes):
        up, down = (
            next(item for item in changes if (item.part, item.direction) == (part, direction))
            for direction in DIRECTIONS
        )
        rows.append(
            (part, units.money(up.price_usd, currency), _write_price(up, currency), _write_price(down, currency))
        )
    heads = ("part", "unit price", "changes above", "changes below")
    return Summary("", [Table(TITLE, heads, rows)], [*_list_lines(changes, chosen, currency)])


DIRECTIONS = ("up", "down")


def _list_lines(changes: Sequence[BreakEven], chosen: Blueprint, currency: str) -> Iterator[str]:
    found = [item for item in changes if item.instead]
    for item in found:
        if item.instead:
            yield f"{item.part} at {units.money(item.at_usd, currency)}: {name_alternative(item.instead, chosen)}."
    decided = all(item.settled for item in changes)
    if not decided:
        yield '"undecided": solve budget exhausted.'
    if found or not decided:
        yield 'One price varied at a time, 0.5x to 2x; "-" means the optimum is unchanged.'
    else:
        yield UNCHANGED


def _write_price(item: BreakEven, currency: str) -> str:
    if item.at_usd is None:
        return "-" if item.settled else "undecided"
    at = units.money(round(item.at_usd, 2), currency)
    return f"{at} ({format_percent(item.at_usd / item.price_usd - 1, '+.1f')})"
