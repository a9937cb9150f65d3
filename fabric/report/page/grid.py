"""Tables of a page as values: heads, and cells with their text and the number they sort by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric.report.columns import DesignTable

__all__ = ["GridCell", "GridHead", "SortableTable", "sortable_table"]


@dataclass(frozen=True)
class GridCell:
    """A cell."""

    text: str
    """Its text."""
    sort: str
    """The number by which it sorts; empty where that is its text."""


@dataclass(frozen=True)
class GridHead:
    """The head of a column."""

    text: str
    """Its text."""
    numeric: bool
    """Whether its column holds numbers."""


@dataclass(frozen=True)
class SortableTable:
    """A table that a reader can sort."""

    title: str
    """Its title."""
    heads: tuple[GridHead, ...]
    """The heads of its columns."""
    rows: tuple[tuple[GridCell, ...], ...]
    """Its rows of cells."""
    total: tuple[str, ...]
    """The cells of a last row, which is not sorted; empty for none."""


def sortable_table(table: DesignTable) -> SortableTable:
    """Return a table of a design; a column of numbers sorts by them."""
    numeric = [all(_is_number(column.value(row)) for row in table.rows) for column in table.columns]
    heads = tuple(GridHead(column.head, number) for column, number in zip(table.columns, numeric, strict=True))
    rows = (
        tuple(GridCell(column.cell(row), _sort_key(column.value(row))) for column in table.columns)
        for row in table.rows
    )
    return SortableTable(table.title, heads, tuple(rows), tuple(table.total))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _sort_key(value: Any) -> str:
    """Return a number without an exponent, which the sorting would not read; what is unknown comes first."""
    if value is None:
        return "-1"
    return f"{value:.12f}" if _is_number(value) else ""
