"""The widths of a table's columns, so that it fits a terminal and breaks as few words as possible."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["fit_widths"]

_BETWEEN_WORDS = re.compile(r"(?<=\S)(?<!\d)\s+|(?<=\d)\s+(?!(?:%|[a-zA-Z]{1,3}(?:/s)?)(?:\s|$))")
"""Where a cell may be wrapped: between words, a number and its unit being one."""


def fit_widths(heads: Sequence[str], rows: Sequence[Sequence[str]], available: int) -> list[int]:
    """Return a width for each column whose sum is at most `available` characters, where that can be.

    The widest columns give way first: at first only heads are wrapped, then cells between words; then words break.
    """
    columns = [(head, [row[index] for row in rows]) for index, head in enumerate(heads)]
    widths = [max(_longest_line(text) for text in (head, *cells)) for head, cells in columns]
    wrapped_heads = [max([_longest_word(head), *map(_longest_line, cells)]) for head, cells in columns]
    wrapped_cells = [max(map(_longest_word, (head, *cells))) for head, cells in columns]
    for floors in (wrapped_heads, wrapped_cells, [1] * len(columns)):
        widths = _shrink(widths, floors, available)
    return widths


def _shrink(widths: Sequence[int], floors: Sequence[int], available: int) -> list[int]:
    """Take characters from the widest columns that are above their floors until the sum fits."""
    found = list(widths)
    while sum(found) > available:
        open_ = [index for index, floor in enumerate(floors) if found[index] > floor]
        if not open_:
            break
        found[max(open_, key=lambda index: found[index])] -= 1
    return found


def _longest_line(text: str) -> int:
    return max(map(len, text.splitlines()), default=0)


def _longest_word(text: str) -> int:
    """Return the length of the longest word; what indents a text belongs to its first."""
    return max(map(len, _BETWEEN_WORDS.split(text)))
