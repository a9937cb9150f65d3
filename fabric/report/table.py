"""A table as plain text cells, and the summary of a run that has such tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Summary", "Table"]


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
