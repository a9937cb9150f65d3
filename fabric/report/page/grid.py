"""Tables of a page as values: heads, and cells with their text and what they sort by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Cell", "Grid", "Head", "grid"]

Column = tuple[str, Callable[[Any], str]]
"""A column's head, and how its values are written."""


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and the number by which it sorts, empty where that is its text."""

    text: str
    sort: str


@dataclass(frozen=True)
class Head:
    """The text of a head, and whether its column holds numbers."""

    text: str
    numeric: bool


@dataclass(frozen=True)
class Grid:
    """A table: its title, heads and rows of cells."""

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]


def grid(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Grid:
    """Return a table of plain values, None where one is unknown; a column of numbers sorts by them."""
    kept = [tuple(row) for row in rows]
    numeric = [all(_is_number(row[place]) for row in kept) for place in range(len(columns))]
    heads = tuple(Head(text, number) for (text, _), number in zip(columns, numeric, strict=True))
    cells = (
        tuple(Cell(_text(write, value), _sort(value)) for (_, write), value in zip(columns, row, strict=True))
        for row in kept
    )
    return Grid(title, heads, tuple(cells))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _text(write: Callable[[Any], str], value: Any) -> str:
    return "unknown" if value is None else write(value)


def _sort(value: Any) -> str:
    """Return a number without an exponent, which the sorting would not read; what is unknown comes first."""
    if value is None:
        return "-1"
    return f"{value:.12f}" if _is_number(value) else ""
