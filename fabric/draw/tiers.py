"""The fabric by tiers: servers at the bottom, each switch tier above, its places as frames, its bundles as lines.

The picture is the axis algebra made visible. One place of each kind is drawn, in frames that say how many there are;
within it the first few devices and the last on each axis; and between those exactly the links that the fabric has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.draw.legend import LINE, legend_marks, legend_rows
from fabric.draw.page import plain_style, render
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
    TIER_PT,
    TITLE_PT,
    WHITE,
    ink_on,
    lane_colour,
)  # fmt: skip
from fabric.draw.plan import BEHIND, GHOST, LEFT, MARGIN, PAD, RIGHT, STRIP, WIDTH, Frame, Place, Plan, Row, plan
from fabric.draw.sample import joins, lane, lanes_drawn
from fabric.draw.sheet import Box, Dot, Label, Line, Mark, Sheet, elide, text_width, wrap
from fabric.draw.words import (
    bundle_words,
    group_words,
    model_title,
    notes,
    plate_words,
    ports_words,
    subtitle,
    title,
)  # fmt: skip
from fabric.form import Bundle
from fabric.units import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_tiers", "lay_out"]

NOTE_LEAD = 10.5


def draw_tiers(blueprint: Blueprint) -> Figure:
    """Draw `blueprint` by tiers, 7.5 inches wide."""
    with plain_style():
        return render(lay_out(blueprint))


def lay_out(blueprint: Blueprint) -> Sheet:
    """Return the whole picture as marks on a sheet."""
    lines = [line for note in notes(blueprint) for line in wrap(note, WIDTH - 2 * MARGIN, BODY_PT)]
    key = legend_rows(blueprint, plan(blueprint, 0))
    foot = MARGIN + len(lines) * NOTE_LEAD
    drawn = plan(blueprint, foot + len(key) * LINE + 24)
    head, height = _header(blueprint, drawn.top)
    marks = [*head, *_drawing(blueprint, drawn), *_descriptions(blueprint, drawn)]
    marks += [_rule(foot + len(key) * LINE + 12), *legend_marks(key, foot + len(key) * LINE + 7), *_notes(lines)]
    return Sheet(WIDTH, height, tuple(marks))


def _header(blueprint: Blueprint, bottom: float) -> tuple[list[Mark], float]:
    """Return the title above `bottom` and the height of the page that it makes."""
    lines = wrap(subtitle(blueprint), WIDTH - 2 * MARGIN, HEAD_PT)
    y = bottom + 12 + 11 * len(lines)
    name = elide(blueprint.name, WIDTH - 2 * MARGIN, TITLE_PT, bold=True)
    marks: list[Mark] = [_rule(bottom + 6), Label(MARGIN, y + 4, name, TITLE_PT, INK, bold=True)]
    marks += [Label(MARGIN, y - 11 * (place + 1), line, HEAD_PT, GREY) for place, line in enumerate(lines)]
    return marks, y + 4 + TITLE_PT + MARGIN / 2


def _rule(y: float) -> Line:
    return Line(MARGIN, y, WIDTH - MARGIN, y, HAIR, 0.5)


def _notes(lines: list[str]) -> list[Mark]:
    first = MARGIN + (len(lines) - 1) * NOTE_LEAD - 4
    return [Label(MARGIN, first - place * NOTE_LEAD, line, BODY_PT, INK) for place, line in enumerate(lines)]


def _drawing(blueprint: Blueprint, drawn: Plan) -> list[Mark]:
    marks = [mark for frame in drawn.frames for mark in _frame(blueprint, frame)]
    for bundle, lower, upper in zip(blueprint.form.bundles, drawn.rows, drawn.rows[1:], strict=False):
        marks += _links(blueprint, bundle, lower, upper)
    return marks + [mark for row in drawn.rows for mark in _cards(blueprint, row)]


def _frame(blueprint: Blueprint, frame: Frame) -> list[Mark]:
    """Draw a place: two more of its kind behind it, and its multiplicity at its foot."""
    tint = PLATES[min(frame.nest, len(PLATES) - 1)]
    shifts = (2 * GHOST, GHOST, 0.0)
    marks: list[Mark] = [
        Box(frame.x + by, frame.y + by, frame.width, frame.height, tint, HAIR, 5, 0.6) for by in shifts
    ]
    within, in_all = plate_words(blueprint, frame.axis)
    x, y = frame.x + PAD, frame.y + STRIP / 2 - 3
    marks.append(Label(x, y, within, BODY_PT, INK, bold=True))
    if in_all:
        marks.append(Label(x + text_width(within, BODY_PT, bold=True) + 6, y, in_all, BODY_PT, GREY))
    return marks


def _links(blueprint: Blueprint, bundle: Bundle, lower: Row, upper: Row) -> list[Mark]:
    """Draw a line for every pair of cards that the bundle joins, in the colour of its lane if it has one."""
    marks: list[Mark] = []
    for low, high in joins(bundle, lower.cards, upper.cards):
        place = lane(blueprint, lower.cards[low], upper.cards[high])
        x = _port(blueprint, lower, lower.places[low], place)
        style = (lane_colour(place), *((0.5, 0.55) if place is None else (0.6, 0.85)))
        marks.append(Line(x, lower.top, upper.places[high].middle, upper.bottom, *style))
    return marks


def _port(blueprint: Blueprint, row: Row, place: Place, lane: int | None) -> float:
    """Return where a lane leaves a card: the servers have a port for each lane drawn, all else its middle."""
    if row.group != blueprint.form.server or lane is None:
        return place.middle
    return place.x + place.width * (lane + 0.5) / lanes_drawn(blueprint)


def _cards(blueprint: Blueprint, row: Row) -> list[Mark]:
    marks = [mark for place in row.places for mark in _card(blueprint, row, place)]
    for left, right, kind in zip(row.places, row.places[1:], row.steps, strict=False):
        middle = (left.x + left.width + BEHIND * row.behind + right.x) / 2
        marks += [Dot(middle + by, row.y, 0.8, GREY) for by in (-3, 0, 3) if kind == "gap"]
    return marks


def _card(blueprint: Blueprint, row: Row, place: Place) -> list[Mark]:
    server = row.group == blueprint.form.server
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
    wide = min(3.4, place.width / max(lanes, 1) - 0.6)
    middles = [_port(blueprint, row, place, number) for number in range(lanes)]
    return [
        Box(x - wide / 2, row.top - 3.4, wide, 3.4, lane_colour(number), INK, 0, 0.3)
        for number, x in enumerate(middles)
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
    for bundle, lower, upper in zip(blueprint.form.bundles, drawn.rows, drawn.rows[1:], strict=False):
        marks += _bundle(blueprint, bundle, lower, upper)
    return marks + (_planes(blueprint, drawn) if blueprint.planes > 1 else [])


def _tier(blueprint: Blueprint, row: Row) -> list[Mark]:
    """Describe a tier at the left: its role and count, its model, how it is counted, its ports."""
    role = row.group.role
    head = f"{title(role).capitalize()} × {count(blueprint.devices(role))}"
    small = [(line, BODY_PT) for line in _model(blueprint, row)]
    small += [(line, SMALL_PT) for line in wrap(group_words(blueprint, row.group), LEFT.width, SMALL_PT)]
    y = row.y + 9 + 4 * len(small)
    marks: list[Mark] = [Label(LEFT.start, y, head, TIER_PT, INK, bold=True)]
    y -= 10.5
    for line, size_pt in small:
        marks.append(Label(LEFT.start, y, line, size_pt, GREY))
        y -= 9
    if row.group != blueprint.form.server:
        marks += _port_bar(blueprint, role, y - 0.5)
        y -= 8.5
    return [*marks, Label(LEFT.start, y, ports_words(blueprint, row.group), SMALL_PT, GREY)]


def _model(blueprint: Blueprint, row: Row) -> tuple[str, ...]:
    """Return the model's title in two lines at the most."""
    text = model_title(blueprint, row.group)
    lines = wrap(text, LEFT.width, BODY_PT)
    return lines if len(lines) <= 2 else (lines[0], elide(text.removeprefix(lines[0]).strip(), LEFT.width, BODY_PT))


def _port_bar(blueprint: Blueprint, role: str, y: float) -> list[Mark]:
    """Draw one switch's ports to scale: those used down, then up, then free."""
    ports, width = (blueprint.ports_down(role), blueprint.ports_up(role)), LEFT.width - 14
    down, up = (width * used / max(blueprint.radix(role), sum(ports)) for used in ports)
    marks: list[Mark] = [Box(LEFT.start, y, width, 4, WHITE, GREY, 0, 0.4)]
    marks += [Box(LEFT.start, y, down, 4, INK, GREY, 0, 0.4)]
    return marks + ([Box(LEFT.start + down, y, up, 4, HAIR, GREY, 0, 0.4)] if up else [])


def _bundle(blueprint: Blueprint, bundle: Bundle, lower: Row, upper: Row) -> list[Mark]:
    """Describe a bundle at the right, beside a bracket as high as its lines."""
    x, middle = RIGHT.start + 2, (lower.top + upper.bottom) / 2
    ends = (lower.top + 3, upper.bottom - 3)
    marks: list[Mark] = [*_bracket(x, *ends)]
    links, each = bundle_words(blueprint, bundle)
    marks.append(Label(x + 6, middle + 2, links, BODY_PT, INK, bold=True))
    return [*marks, Label(x + 6, middle - 7.5, each, SMALL_PT, GREY)]


def _planes(blueprint: Blueprint, drawn: Plan) -> list[Mark]:
    """Say at the far right that all the switches stand once in each plane."""
    x, top = WIDTH - MARGIN, drawn.rows[-1]
    words = Label(x - 6, top.y - 3, f"× {count(blueprint.planes)} planes", HEAD_PT, INK, bold=True, align="right")
    return [*_bracket(x, drawn.rows[1].bottom, top.top), words]


def _bracket(x: float, low: float, high: float) -> list[Mark]:
    return [Line(x, low, x, high, HAIR, 0.6), *(Line(x - 3, y, x, y, HAIR, 0.6) for y in (low, high))]
