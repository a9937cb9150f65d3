"""The fabric by tiers: servers at the bottom, each switch tier above, its places as frames, its bundles as lines.

The picture is the axis algebra made visible. One place of each kind is drawn, in a frame that gives their number;
within it the first few devices and the last on each axis; and between those exactly the links that the fabric has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Dot, Label, Line, Mark, text_width
from fabric.draw.captions import describe_bundle, describe_place
from fabric.draw.legend import LINE, draw_legend, legend_rows, swatch_entry, tier_entries
from fabric.draw.margins import NOTE_LEAD, draw_group, draw_header, draw_notes, draw_rule, group_texts, note_lines
from fabric.draw.page_layout import Part, part_canvas, stack_parts
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
    line_colour,
    rail_colour,
)
from fabric.draw.path import HALO, PathHighlight
from fabric.draw.sampling import joined_cards, rail_number, rails_drawn
from fabric.draw.tier_layout import (
    BEHIND,
    GHOST,
    LEFT,
    MARGIN,
    PAD,
    RIGHT,
    STRIP,
    WIDTH,
    CardRow,
    Frame,
    Spot,
    TierLayout,
    tier_layout,
)
from fabric.topology.topology import Bundle
from fabric.units import count

__all__ = ["lay_out_tiers"]


def lay_out_tiers(blueprint: Blueprint, below: Sequence[Part] = (), path: PathHighlight | None = None) -> Canvas:
    """Return the whole picture as a page, with other parts below, and a path highlighted."""
    lines = note_lines(blueprint)
    piled = any(part.piled for part in below)
    entries = tier_entries(blueprint, tier_layout(blueprint, 0), piled=piled) + (
        [swatch_entry("on the path", HALO)] if path else []
    )
    key = legend_rows(entries)
    foot = MARGIN + len(lines) * NOTE_LEAD
    rule = foot + len(key) * LINE + 12
    legend = (draw_rule(rule), *draw_legend(key, foot + len(key) * LINE + 7), *draw_notes(lines))
    under, bottom = stack_parts(below, rule)
    under += [draw_rule(bottom + 6)] if below else []
    tiers, top = _draw_whole(blueprint, bottom + 12, path)
    head, height = draw_header(blueprint, top)
    own, high = draw_header(blueprint, 0.0)
    first = Canvas(WIDTH, top - bottom, tuple(_draw_whole(blueprint, 12.0, path)[0])) if below else None
    pieces = (Canvas(WIDTH, high, tuple(own)), first, *map(part_canvas, below), Canvas(WIDTH, rule, legend))
    return Canvas(
        WIDTH, height, (*head, *under, *tiers, *legend), tuple(each for each in pieces if each) if below else ()
    )


def _draw_whole(blueprint: Blueprint, bottom: float, path: PathHighlight | None) -> tuple[list[Mark], float]:
    """Return the tiers with their descriptions, upward from `bottom`, and where they end."""
    drawn = tier_layout(blueprint, bottom)
    return [*_draw_tiers(blueprint, drawn, path), *_draw_descriptions(blueprint, drawn)], drawn.top


def _draw_tiers(blueprint: Blueprint, drawn: TierLayout, path: PathHighlight | None) -> list[Mark]:
    marks = [mark for frame in drawn.frames for mark in _draw_frame(blueprint, frame)]
    marks += [mark for row in drawn.rows for mark in _draw_halos(row, path)] if path else []
    for lower, upper in pairwise(drawn.rows):
        links = _draw_links(blueprint, lower, upper)
        over = _lines_on_path(blueprint, lower, upper, path) if path else []
        marks += [*links, *(replace(link, colour=HALO, line_pt=4.5, alpha=1.0) for link in over)]
        marks += [replace(link, colour=INK, line_pt=1.4, alpha=1.0) for link in over]
    return marks + [mark for row in drawn.rows for mark in _draw_cards(blueprint, row)]


def _draw_frame(blueprint: Blueprint, frame: Frame) -> list[Mark]:
    """Draw a place, with two more behind it and its multiplicity at its foot."""
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


def _draw_links(blueprint: Blueprint, lower: CardRow, upper: CardRow) -> list[Line]:
    """Draw a line for every pair of cards that the bundle joins."""
    return _draw_lines(blueprint, lower, upper, joined_cards(lower.cards, upper.cards))


def _draw_lines(blueprint: Blueprint, lower: CardRow, upper: CardRow, joined: Iterable[tuple[int, int]]) -> list[Line]:
    """Draw a line for every pair of cards, in the colour of its rail if it has one."""
    marks: list[Line] = []
    for low, high in joined:
        number = rail_number(blueprint, lower.cards[low], upper.cards[high])
        x = _port_x(blueprint, lower, lower.spots[low], number)
        style = (line_colour(rail_colour(number)), *((0.5, 0.55) if number is None else (0.6, 0.85)))
        marks.append(Line(x, lower.top, upper.spots[high].middle, upper.bottom, *style))
    return marks


def _lines_on_path(blueprint: Blueprint, lower: CardRow, upper: CardRow, path: PathHighlight) -> list[Line]:
    """Return the lines between cards that a path follows."""
    found = []
    for low, high in joined_cards(lower.cards, upper.cards):
        ends = (lower.group.role, lower.cards[low].values), (upper.group.role, upper.cards[high].values)
        steps = ((one, two) for pair in pairwise(path.nodes) for one, two in (pair, pair[::-1]))
        if any(one.matches(*ends[0], {}) and two.matches(*ends[1], {}) for one, two in steps):
            found += _draw_lines(blueprint, lower, upper, [(low, high)])
    return found


def _draw_halos(row: CardRow, path: PathHighlight) -> Iterator[Mark]:
    """Yield the highlight behind the cards on a path, or behind the dots where cards are left out."""
    for node in path.nodes:
        if node.role != row.group.role:
            continue
        hits = [spot for spot in row.spots if node.matches(node.role, spot.card.values, {})]
        for spot in hits:
            yield Box(spot.x - 3, row.bottom - 3, spot.width + 6, row.height + 6, HALO, "none", 3, 0)
        axes = list(row.cards[0].values)
        at = [node.digits.get(axis, 0) for axis in axes]
        for left, right, kind in zip(row.spots, row.spots[1:], row.steps, strict=False):
            if not hits and kind == "gap" and list(left.card.values.values()) < at < list(right.card.values.values()):
                middle = (left.x + left.width + BEHIND * row.behind + right.x) / 2
                yield Box(middle - 6, row.y - 5, 12, 10, HALO, "none", 3, 0)


def _port_x(blueprint: Blueprint, row: CardRow, spot: Spot, rail_number: int | None) -> float:
    """Return where a rail leaves a card: at its port on servers, else at the middle."""
    if row.group != blueprint.topology.server or rail_number is None:
        return spot.middle
    rails = rails_drawn(blueprint)
    return spot.x + spot.width * (rails.index(rail_number) + 0.5) / len(rails)


def _draw_cards(blueprint: Blueprint, row: CardRow) -> list[Mark]:
    marks = [mark for spot in row.spots for mark in _draw_card(blueprint, row, spot)]
    for left, right, kind in zip(row.spots, row.spots[1:], row.steps, strict=False):
        middle = (left.x + left.width + BEHIND * row.behind + right.x) / 2
        marks += [Dot(middle + by, row.y, 0.8, GREY) for by in (-3, 0, 3) if kind == "gap"]
    return marks


def _draw_card(blueprint: Blueprint, row: CardRow, spot: Spot) -> list[Mark]:
    server = row.group == blueprint.topology.server
    number = rail_number(blueprint, spot.card)
    fill, edge = WHITE if server else rail_colour(number), ACCENT if number is None else INK
    marks: list[Mark] = [
        Box(spot.x + by, row.bottom + by, spot.width, row.height, PALE, edge, 2, 0.5)
        for by in (BEHIND * step for step in range(row.behind, 0, -1))
    ]
    marks.append(Box(spot.x, row.bottom, spot.width, row.height, fill, edge, 2, 0.6))
    return marks + (_draw_ports(blueprint, row, spot) if server else []) + _draw_numbers(row, spot, fill)


def _draw_ports(blueprint: Blueprint, row: CardRow, spot: Spot) -> list[Mark]:
    rails = rails_drawn(blueprint)
    wide = min(3.4, spot.width / max(len(rails), 1) - 0.6)
    return [
        Box(
            _port_x(blueprint, row, spot, number) - wide / 2, row.top - 3.4, wide, 3.4, rail_colour(number), INK, 0, 0.3
        )
        for number in rails
    ]


def _draw_numbers(row: CardRow, spot: Spot, fill: str) -> list[Mark]:
    """Write the card's values, the outer axis above the inner, where those of the whole row fit."""
    values = [str(value) for value in spot.card.values.values()]
    written = [str(value) for card in row.cards for value in card.values.values()]
    if max((text_width(value, SMALL_PT) for value in written), default=0) > spot.width - 1.2:
        return []
    first = row.y + 4.2 * (len(values) - 1) - 2.4
    return [
        Label(spot.middle, first - 8.4 * line, value, SMALL_PT, ink_on(fill), align="center")
        for line, value in enumerate(values)
    ]


def _draw_descriptions(blueprint: Blueprint, drawn: TierLayout) -> list[Mark]:
    marks = [mark for row in drawn.rows for mark in _describe_tier(blueprint, row)]
    bundles = (blueprint.topology.host_bundles[0], *blueprint.topology.fabric_bundles)
    for bundle, lower, upper in zip(bundles, drawn.rows, drawn.rows[1:], strict=False):
        marks += _describe_bundle(blueprint, bundle, lower, upper)
    return marks + (_describe_planes(blueprint, drawn) if blueprint.planes > 1 else [])


def _describe_tier(blueprint: Blueprint, row: CardRow) -> list[Mark]:
    """Describe a tier at the left of its row."""
    texts = group_texts(blueprint, row.group, LEFT.width)
    return draw_group(blueprint, row.group, texts, LEFT.start, row.y + 9 + 4 * len(texts), LEFT.width)


def _describe_bundle(blueprint: Blueprint, bundle: Bundle, lower: CardRow, upper: CardRow) -> list[Mark]:
    """Describe a bundle at the right, beside a bracket as high as its lines."""
    x, middle = RIGHT.start + 2, (lower.top + upper.bottom) / 2
    ends = (lower.top + 3, upper.bottom - 3)
    marks: list[Mark] = [*_draw_bracket(x, *ends)]
    links, each = describe_bundle(blueprint, bundle)
    fits = text_width(links, BODY_PT, bold=True) <= RIGHT.end - x - 6
    marks.append(Label(x + 6, middle + 2, links, BODY_PT if fits else SMALL_PT, INK, bold=fits))
    return [*marks, Label(x + 6, middle - 7.5, each, SMALL_PT, GREY)]


def _describe_planes(blueprint: Blueprint, drawn: TierLayout) -> list[Mark]:
    """Note at the far right that all switches exist once in each plane."""
    x, top = WIDTH - MARGIN, drawn.rows[-1]
    words = Label(x - 6, top.y - 3, f"× {count(blueprint.planes)} planes", HEAD_PT, INK, bold=True, align="right")
    return [*_draw_bracket(x, drawn.rows[1].bottom, top.top), words]


def _draw_bracket(x: float, low: float, high: float) -> list[Mark]:
    return [Line(x, low, x, high, HAIR, 0.6), *(Line(x - 3, y, x, y, HAIR, 0.6) for y in (low, high))]
