"""Sheets of labels for the ends of cables: A4, three columns of fourteen, each label 64 mm by 20 mm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from fabric.draw.canvas import Box, Canvas, Label, Mark, elide, text_width
from fabric.draw.page_shape import PAGES
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, SMALL_PT
from fabric.draw.plain_style import plain_style
from fabric.draw.render import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EACH_PAGE", "draw_label_sheets", "lay_out_label_sheet"]

MM = 72 / 25.4
COLUMNS, ROWS = 3, 14
EACH_PAGE = COLUMNS * ROWS
"""The labels of a page."""

WIDE, HIGH, PAD = 64 * MM, 20 * MM, 2 * MM
"""The size of a label and the room around its words, in points."""

LARGE_PT = 9.0


def draw_label_sheets(labels: Iterable[Sequence[str]]) -> Iterator[Figure]:
    """Yield pages of labels, each of lines of words: the first bold, the last small."""
    with plain_style():
        rest = iter(labels)
        while page := list(islice(rest, EACH_PAGE)):
            yield render(lay_out_label_sheet(page))


def lay_out_label_sheet(labels: Sequence[Sequence[str]]) -> Canvas:
    """Return a page of up to EACH_PAGE labels, row by row."""
    width, height = PAGES["a4"]
    left, top = (width - COLUMNS * WIDE) / 2, height - (height - ROWS * HIGH) / 2
    marks: list[Mark] = []
    for number, lines in enumerate(labels):
        row, column = divmod(number, COLUMNS)
        marks += _draw_label(lines, left + column * WIDE, top - row * HIGH)
    return Canvas(width, height, tuple(marks))


def _draw_label(lines: Sequence[str], x: float, top: float) -> Iterator[Mark]:
    """Yield a label downward from `top`, within a hairline along which it is cut."""
    yield Box(x, top - HIGH, WIDE, HIGH, "none", HAIR, 0, 0.3)
    room, lead = WIDE - 2 * PAD, (HIGH - 2 * PAD) / len(lines)
    for number, text in enumerate(lines):
        first, last = not number, number == len(lines) - 1
        size = min(LARGE_PT, LARGE_PT * room / text_width(text, LARGE_PT, bold=True)) if first and text else BODY_PT
        size = max(SMALL_PT, size) if first else SMALL_PT if last else BODY_PT
        words = elide(text, room, size, bold=first)
        yield Label(x + PAD, top - PAD - lead * (number + 0.78), words, size, GREY if last else INK, bold=first)
