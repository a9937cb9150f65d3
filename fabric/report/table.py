"""A table as plain text cells, and the summary of a run that has such tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Summary", "Table", "group_designs", "tabulate_side_by_side", "wrap_name"]

FURTHER_DESIGNS = 2
"""The designs that one table shows next to the first: what 80 columns hold."""

HEAD_WIDTH = 18
"""The width of a head; a longer name is broken, at a hyphen where it has one."""


class Table(NamedTuple):
    """A table as the terminal and Markdown show it."""

    title: str
    """Its title; empty for none."""
    heads: Sequence[str]
    """The heads of its columns."""
    rows: Sequence[Sequence[str]]
    """Its rows of cells."""


class Summary(NamedTuple):
    """What a command prints."""

    text: str
    """The paragraph at its beginning; empty for none."""
    tables: Sequence[Table]
    """The tables."""
    lines: Sequence[str]
    """The lines below them."""


def group_designs(designs: int) -> Iterator[list[int]]:
    """Yield the numbers of the designs of each table, the first of all being in every one."""
    for first in range(1, designs, FURTHER_DESIGNS):
        yield [0, *range(first, min(first + FURTHER_DESIGNS, designs))]


def wrap_name(name: str) -> str:
    """Return a name as the lines of a head."""
    return textwrap.fill(name, HEAD_WIDTH)


def tabulate_side_by_side(names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[Table]:
    """Return tables of several designs, a column each, with the values of each row by its label."""
    return [
        Table(
            "",
            ("", *(wrap_name(names[number]) for number in numbers)),
            [(label, *(cells[number] for number in numbers)) for label, cells in rows.items()],
        )
        for numbers in group_designs(len(names))
    ]
