"""The fabric by tiers: servers at the bottom, each switch tier above, its places as frames, its bundles as lines.

The picture is the axis algebra made visible. One place of each kind is drawn, in frames that say how many there are;
within it the first few devices and the last on each axis; and between those exactly the links that the fabric has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Dot, Label, Line, Mark, text_width
from fabric.draw.captions import describe_bundle, describe_place
from fabric.draw.legend import LINE, legend_marks, legend_rows, swatch_entry, tier_entries
from fabric.draw.margins import NOTE_LEAD, group_marks, group_texts, header, note_lines, note_marks, rule
from fabric.draw.page_layout import Part, stacked
from fabric.draw.palette import (
    ACCENT,
    BODY_PT,
    GREY,
    HAIR,
    HEAD_PT,
    INK,
    PALE,
    PLATES,
    SMALL_PT,
    WHITE,
    ink_on,
    lane_colour,
    line_colour,
)
from fabric.draw.path import HALO, PathHighlight
from fabric.draw.sampling import joins, lane, lanes_drawn
from fabric.draw.tier_layout import BEHIND, GHOST, LEFT, MARGIN, PAD, RIGHT, STRIP, WIDTH, Frame, Place, Plan, Row, plan
from fabric.topology.topology import Bundle
from fabric.units import count

__all__ = ["lay_out"]


def lay_out(blueprint: Blueprint, below: Sequence[Part] = (), trail: PathHighlight | None = None) -> Canvas:
    """Return the whole picture as marks on a sheet, with parts of it below, and what is on a path told apart."""
    lines = note_lines(blueprint)
    piled = any(part.piled for part in below)
    entries = tier_entries(blueprint, plan(blueprint, 0), piled=piled) + (
        [swatch_entry("on the path", HALO)] if trail else []
    )
    key = legend_rows(entries)
    foot = MARGIN + len(lines) * NOTE_LEAD
    under, bottom = stacked(below, foot + len(key) * LINE + 12)
    drawn = plan(blueprint, bottom + 12)
    head, height = header(blueprint, drawn.top)
    under += [rule(bottom + 6)] if below else []
    marks = [*head, *under, *_drawing(blueprint, drawn, trail), *_descriptions(blueprint, drawn)]
    marks += [rule(foot + len(key) * LINE + 12), *legend_marks(key, foot + len(key) * LINE + 7), *note_marks(lines)]
    return Canvas(WIDTH, height, tuple(marks))


def _drawing(blueprint: Blueprint, drawn: Plan, trail: PathHighlight | None) -> list[Mark]:
    marks = [mark for frame in drawn.frames for mark in _frame(blueprint, frame)]
    marks += [mark for row in drawn.rows for mark in _halos(row, trail)] if trail else []
    for lower, upper in pairwise(drawn.rows):
        links = _links(blueprint, lower, upper)
        over = _on_path(blueprint, lower, upper, trail) if trail else []
        marks += [*links, *(replace(link, colour=HALO, line_pt=4.5, alpha=1.0) for link in over)]
        marks += [replace(link, colour=INK, line_pt=1.4, alpha=1.0) for link in over]
    return marks + [mark for row in drawn.rows for mark in _cards(blueprint, row)]


def _frame(blueprint: Blueprint, frame: Frame) -> list[Mark]:
    """Draw a place: two more of its kind behind it, and its multiplicity at its foot."""
    tint = PLATES[min(frame.nest, len(PLATES) - 1)]
    shifts = (2 * GHOST, GHOST, 0.0)
    marks: list[Mark] = [
        Box(frame.x + by, frame.y + by, frame.width, frame.height, tint, HAIR, 5, 0.6) for by in shifts
    ]
    within, in_all = describe_place(blueprint, frame.axis)
    x, y = frame.x + PAD, frame.y + STRIP / 2 - 3
    marks.append(Label(x, y, within, BODY_PT, INK, bold=True))
    if in_all:
        marks.append(Label(x + text_width(within, BODY_PT, bold=True) + 6, y, in_all, BODY_PT, GREY))
    return marks


def _links(blueprint: Blueprint, lower: Row, upper: Row) -> list[Line]:
    """Draw a line for every pair of cards that the bundle joins."""
    return _lines(blueprint, lower, upper, joins(lower.cards, upper.cards))


def _lines(blueprint: Blueprint, lower: Row, upper: Row, joined: Iterable[tuple[int, int]]) -> list[Line]:
    """Draw a line for every such pair of cards, in the colour of its lane if it has one."""
    marks: list[Line] = []
    for low, high in joined:
        number = lane(blueprint, lower.cards[low], upper.cards[high])
        x = _port(blueprint, lower, lower.places[low], number)
        style = (line_colour(lane_colour(number)), *((0.5, 0.55) if number is None else (0.6, 0.85)))
        marks.append(Line(x, lower.top, upper.places[high].middle, upper.bottom, *style))
    return marks


def _on_path(blueprint: Blueprint, lower: Row, upper: Row, trail: PathHighlight) -> list[Line]:
    """Return the lines between cards that a path goes along."""
    found = []
    for low, high in joins(lower.cards, upper.cards):
        ends = (lower.group.role, lower.cards[low].values), (upper.group.role, upper.cards[high].values)
        steps = ((one, two) for pair in pairwise(trail.stops) for one, two in (pair, pair[::-1]))
        if any(one.among(*ends[0], {}) and two.among(*ends[1], {}) for one, two in steps):
            found += _lines(blueprint, lower, upper, [(low, high)])
    return found


def _halos(row: Row, trail: PathHighlight) -> Iterator[Mark]:
    """Yield what stands behind the cards on a path, or behind the dots where these are left out."""
    for stop in trail.stops:
        if stop.role != row.group.role:
            continue
        hits = [place for place in row.places if stop.among(stop.role, place.card.values, {})]
        for place in hits:
            yield Box(place.x - 3, row.bottom - 3, place.width + 6, row.height + 6, HALO, "none", 3, 0)
        axes = list(row.cards[0].values)
        at = [stop.digits.get(axis, 0) for axis in axes]
        for left, right, kind in zip(row.places, row.places[1:], row.steps, strict=False):
            if not hits and kind == "gap" and list(left.card.values.values()) < at < list(right.card.values.values()):
                middle = (left.x + left.width + BEHIND * row.behind + right.x) / 2
                yield Box(middle - 6, row.y - 5, 12, 10, HALO, "none", 3, 0)


def _port(blueprint: Blueprint, row: Row, place: Place, lane: int | None) -> float:
    """Return where a lane leaves a card: the servers have a port for each lane drawn, all else its middle."""
    if row.group != blueprint.topology.server or lane is None:
        return place.middle
    lanes = lanes_drawn(blueprint)
    return place.x + place.width * (lanes.index(lane) + 0.5) / len(lanes)


def _cards(blueprint: Blueprint, row: Row) -> list[Mark]:
    marks = [mark for place in row.places for mark in _card(blueprint, row, place)]
    for left, right, kind in zip(row.places, row.places[1:], row.steps, strict=False):
        middle = (left.x + left.width + BEHIND * row.behind + right.x) / 2
        marks += [Dot(middle + by, row.y, 0.8, GREY) for by in (-3, 0, 3) if kind == "gap"]
    return marks


def _card(blueprint: Blueprint, row: Row, place: Place) -> list[Mark]:
    server = row.group == blueprint.topology.server
    number = lane(blueprint, place.card)
    fill, edge = WHITE if server else lane_colour(number), ACCENT if number is None else INK
    marks: list[Mark] = [
        Box(place.x + by, row.bottom + by, place.width, row.height, PALE, edge, 2, 0.5)
        for by in (BEHIND * step for step in range(row.behind, 0, -1))
    ]
    marks.append(Box(place.x, row.bottom, place.width, row.height, fill, edge, 2, 0.6))
    return marks + (_ports(blueprint, row, place) if server else []) + _numbers(row, place, fill)


def _ports(blueprint: Blueprint, row: Row, place: Place) -> list[Mark]:
    lanes = lanes_drawn(blueprint)
    wide = min(3.4, place.width / max(len(lanes), 1) - 0.6)
    return [
        Box(_port(blueprint, row, place, number) - wide / 2, row.top - 3.4, wide, 3.4, lane_colour(number), INK, 0, 0.3)
        for number in lanes
    ]


def _numbers(row: Row, place: Place, fill: str) -> list[Mark]:
    """Write the card's values, the outer axis over the inner, if those of the whole row fit."""
    values = [str(value) for value in place.card.values.values()]
    written = [str(value) for card in row.cards for value in card.values.values()]
    if max((text_width(value, SMALL_PT) for value in written), default=0) > place.width - 1.2:
        return []
    first = row.y + 4.2 * (len(values) - 1) - 2.4
    return [
        Label(place.middle, first - 8.4 * line, value, SMALL_PT, ink_on(fill), align="center")
        for line, value in enumerate(values)
    ]


def _descriptions(blueprint: Blueprint, drawn: Plan) -> list[Mark]:
    marks = [mark for row in drawn.rows for mark in _tier(blueprint, row)]
    for bundle, lower, upper in zip(blueprint.topology.bundles, drawn.rows, drawn.rows[1:], strict=False):
        marks += _bundle(blueprint, bundle, lower, upper)
    return marks + (_planes(blueprint, drawn) if blueprint.planes > 1 else [])


def _tier(blueprint: Blueprint, row: Row) -> list[Mark]:
    """Describe a tier at the left of its row."""
    texts = group_texts(blueprint, row.group, LEFT.width)
    return group_marks(blueprint, row.group, texts, LEFT.start, row.y + 9 + 4 * len(texts), LEFT.width)


def _bundle(blueprint: Blueprint, bundle: Bundle, lower: Row, upper: Row) -> list[Mark]:
    """Describe a bundle at the right, beside a bracket as high as its lines."""
    x, middle = RIGHT.start + 2, (lower.top + upper.bottom) / 2
    ends = (lower.top + 3, upper.bottom - 3)
    marks: list[Mark] = [*_bracket(x, *ends)]
    links, each = describe_bundle(blueprint, bundle)
    marks.append(Label(x + 6, middle + 2, links, BODY_PT, INK, bold=True))
    return [*marks, Label(x + 6, middle - 7.5, each, SMALL_PT, GREY)]


def _planes(blueprint: Blueprint, drawn: Plan) -> list[Mark]:
    """Say at the far right that all the switches stand once in each plane."""
    x, top = WIDTH - MARGIN, drawn.rows[-1]
    words = Label(x - 6, top.y - 3, f"× {count(blueprint.planes)} planes", HEAD_PT, INK, bold=True, align="right")
    return [*_bracket(x, drawn.rows[1].bottom, top.top), words]


def _bracket(x: float, low: float, high: float) -> list[Mark]:
    return [Line(x, low, x, high, HAIR, 0.6), *(Line(x - 3, y, x, y, HAIR, 0.6) for y in (low, high))]
