"""A cluster in one picture: the kinds of endpoints in a row, the fabrics above them, and the links between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, elide, wrap
from fabric.draw.page_shape import fit_page
from fabric.draw.palette import (
    BODY_PT,
    GREY,
    HAIR,
    HEAD_PT,
    INK,
    PLATES,
    SMALL_PT,
    TITLE_PT,
    WHITE,
    line_colour,
    rail_colour,
)
from fabric.draw.plain_style import plain_style
from fabric.draw.render import render
from fabric.draw.tier_layout import MARGIN, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Bar", "draw_cluster", "lay_out_cluster"]

HEAD, NARROWEST = 150.0, 66.0
"""The width of the words on a fabric, and the least width of a kind of endpoints, in points."""

BAR, APART, CARD = 44.0, 16.0, 40.0
"""The height of a fabric, the room above it, and the height of a kind of endpoints, in points."""

LEAD = 10.0


@dataclass(frozen=True)
class Bar:
    """A fabric, drawn as a bar over all kinds of endpoints."""

    name: str
    """Its name."""
    lines: Sequence[str]
    """Words on it, two lines."""
    links: Mapping[str, Sequence[str]]
    """Two lines of words on its links to each kind of endpoints that it joins, by the kind's key."""


def draw_cluster(
    name: str, line: str, cards: Mapping[str, Sequence[str]], bars: Sequence[Bar], page: str = ""
) -> Figure:
    """Draw a cluster: `cards` are its kinds of endpoints by key, each a name and more words; `line` is its size."""
    with plain_style():
        canvas = lay_out_cluster(name, line, cards, bars)
        return render(fit_page(canvas, page) if page else canvas)


def lay_out_cluster(name: str, line: str, cards: Mapping[str, Sequence[str]], bars: Sequence[Bar]) -> Canvas:
    """Return the picture as a page, wider than usual where there are many kinds of endpoints."""
    width = max(WIDTH, 2 * MARGIN + HEAD + NARROWEST * len(cards))
    step = (width - 2 * MARGIN - HEAD) / len(cards)
    lefts = {key: MARGIN + HEAD + step * number for number, key in enumerate(cards)}
    floor = MARGIN + CARD + APART
    bottoms = [floor + (BAR + APART) * (len(bars) - 1 - number) for number in range(len(bars))]
    marks: list[Mark] = []
    for number, (bar, bottom) in enumerate(zip(bars, bottoms, strict=True)):
        within = step * (number + 1) / (len(bars) + 1)
        ends = (lefts[key] + within for key in bar.links)
        marks += [Line(x, MARGIN + CARD, x, bottom, line_colour(rail_colour(number)), 1.4) for x in ends]
    for number, (bar, bottom) in enumerate(zip(bars, bottoms, strict=True)):
        marks += _draw_bar(bar, rail_colour(number), bottom, width, lefts, step)
    for key, words in cards.items():
        marks += _draw_card(words, lefts[key], step)
    marks.append(Label(MARGIN, MARGIN + CARD - 14, "Endpoints", HEAD_PT, INK, bold=True))
    top = floor + (BAR + APART) * len(bars) + 8
    shown = wrap(line, width - 2 * MARGIN, HEAD_PT)
    marks += [Label(MARGIN, top + 11 * number, text, HEAD_PT, GREY) for number, text in enumerate(reversed(shown))]
    top += 11 * len(shown) + 4
    marks.append(Label(MARGIN, top, elide(name, width - 2 * MARGIN, TITLE_PT, bold=True), TITLE_PT, INK, bold=True))
    return Canvas(width, top + TITLE_PT + MARGIN / 2, tuple(marks))


def _draw_bar(
    bar: Bar, colour: str, bottom: float, width: float, lefts: Mapping[str, float], step: float
) -> Iterator[Mark]:
    """Yield a fabric with its words, and the links to each kind of endpoints in a cell over it."""
    yield Box(MARGIN, bottom, width - 2 * MARGIN, BAR, PLATES[0], HAIR, 3, 0.6)
    yield Box(MARGIN, bottom, 5, BAR, colour, colour, 0, 0.3)
    x, y = MARGIN + 11, bottom + BAR - 13
    room = HEAD - 18
    yield Label(x, y, elide(bar.name, room, HEAD_PT, bold=True), HEAD_PT, INK, bold=True)
    for number, text in enumerate(bar.lines, 1):
        yield Label(x, y - (LEAD + 1) * number, elide(text, room, SMALL_PT), SMALL_PT, GREY)
    for key, words in bar.links.items():
        yield Box(lefts[key] + 3, bottom + 7, step - 6, BAR - 14, WHITE, line_colour(colour), 2, 0.9)
        for number, text in enumerate(words):
            shown = elide(text, step - 10, SMALL_PT, bold=not number)
            yield Label(
                lefts[key] + step / 2, bottom + BAR - 19 - LEAD * number, shown, SMALL_PT, GREY if number else INK,
                bold=not number, align="center",
            )  # fmt: skip


def _draw_card(words: Sequence[str], left: float, step: float) -> Iterator[Mark]:
    """Yield a kind of endpoints: its name, and lines on it."""
    yield Box(left + 3, MARGIN, step - 6, CARD, PLATES[2], GREY, 3, 0.6)
    for number, text in enumerate(words):
        size_pt = SMALL_PT if number else BODY_PT
        shown = elide(text, step - 10, size_pt, bold=not number)
        yield Label(
            left + step / 2, MARGIN + CARD - 13 - LEAD * number, shown, size_pt, GREY if number else INK,
            bold=not number, align="center",
        )  # fmt: skip
