"""Text of many lines of one form, in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

__all__ = ["format_lines"]

BATCH = 1 << 14
"""The lines of a piece."""


def format_lines(form: str, *columns: npt.NDArray[Any] | list[str]) -> Iterator[str]:
    """Yield the lines of `form`, filled with a value of each column in turn, in pieces of many lines."""
    total = len(columns[0])
    for start in range(0, total, BATCH):
        cells = (column[start : start + BATCH] for column in columns)
        values = (each if isinstance(each, list) else each.tolist() for each in cells)
        yield "".join(map(f"{form}\n".format, *values))
