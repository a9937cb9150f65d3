"""A list of plain values, as `fabric list` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Listing"]


class Listing(NamedTuple):
    """A list of plain values."""

    columns: Mapping[str, str]
    """The heads of its columns by their keys in JSON."""
    rows: Sequence[Sequence[Any]]
    """Its rows; None where a value is unknown."""
    facts: Sequence[Mapping[str, Any]] = ()
    """Its rows as `--json` prints them, where the columns of a terminal have less."""
    records: bool = False
    """Whether a terminal shows each row as lines of its own, because a table would be too narrow for its texts."""

    def objects(self) -> list[dict[str, Any]]:
        """Return the rows as `--json` prints them."""
        if self.facts:
            return [dict(row) for row in self.facts]
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]
