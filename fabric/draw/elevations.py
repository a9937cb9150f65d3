"""Rack elevations: each distinct rack of a layout, rack unit by rack unit, with its power and weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, elide, shift_up, text_width
from fabric.draw.legend import Entry, swatch_entry
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, LATER, PALE, SMALL_PT, WHITE, ink_on, role_fills
from fabric.draw.tier_layout import MARGIN, WIDTH
from fabric.draw.words import count_devices
from fabric.layout.layout import Layout
from fabric.layout.rack_fillings import RESERVED, RackFilling, RackItem, list_rack_fillings
from fabric.topology.topology import title
from fabric.units import count, count_noun

__all__ = ["lay_out_elevations"]

UNIT, HIGHEST = 8.2, 400.0
"""The height of a rack unit, and the most of a rack, in points."""

LEAST, COLUMNS, NUMBERS, APART = 3, 5, 12.0, 10.0
"""The least and most racks of a line (one more where all then stand in one), and the widths of numbers and of gaps."""

MOST = 10
"""The most distinct racks that are drawn."""

HEAD = 34.0
"""The room for words above a rack, in points."""


def lay_out_elevations(blueprint: Blueprint, layout: Layout) -> Canvas:
    """Return the elevation of every distinct rack as a page; of more than MOST, those that are commonest."""
    fillings = list_rack_fillings(blueprint, layout)
    shown = sorted(sorted(fillings, key=lambda one: -len(one.racks))[:MOST], key=fillings.index)
    names = layout.rack_names()
    line = max(LEAST, min(COLUMNS + (len(shown) == COLUMNS + 1), len(shown)))
    lines = [shown[first : first + line] for first in range(0, len(shown), line)]
    parts = [_draw_line(blueprint, layout, each, line, names) for each in lines]
    colours = role_fills(blueprint.topology.roles)
    entries = [swatch_entry("servers", PALE)]
    entries += [swatch_entry(title(role), colours.get(role, GREY)) for role in blueprint.topology.roles]
    if len(layout.reserved_units):
        entries.append(swatch_entry("reserved for later stages", LATER))
    entries += [Entry("share of the power or weight that a rack may have", 14, _bar_glyph)]
    total = f"{count_noun(layout.racks, 'rack')}, {count_noun(len(fillings), 'distinct rack')}"
    return compose(blueprint, parts, entries, list(_list_notes(layout, fillings, shown)), line=total)


def _bar_glyph(x: float, y: float) -> tuple[Mark, ...]:
    return Box(x, y + 1, 14, 3.4, WHITE, GREY, 0, 0.4), Box(x, y + 1, 9, 3.4, INK, GREY, 0, 0.4)


def _list_notes(layout: Layout, fillings: Sequence[RackFilling], shown: Sequence[RackFilling]) -> Iterator[str]:
    """Yield what is left out, assumed and not checked."""
    if len(layout.reserved):
        yield f"{count_noun(len(layout.reserved), 'position')} on the floor reserved for racks of later stages."
    if len(shown) < len(fillings):
        racks, others = layout.racks - sum(len(one.racks) for one in shown), len(fillings) - len(shown)
        yield f"The commonest are drawn; {count_noun(racks, 'rack')} of {count(others)} other fillings are not."
    if layout.assumed_heights:
        yield f"Heights not known, so assumed: {', '.join(layout.assumed_heights)}."
    if layout.unknown_power:
        yield f"Power not known, so not counted or checked: {', '.join(layout.unknown_power)}."
    if layout.unknown_weights and _weighs(layout):
        yield f"Weight not known, so not counted or checked: {', '.join(layout.unknown_weights)}."


def _weighs(layout: Layout) -> bool:
    """Say whether the site limits the weight of racks."""
    return any(kind.weight_kg is not None for kind in layout.site.racks.values())


def _foot(layout: Layout) -> float:
    """Return the room for words below a rack, in points."""
    return 26.0 if _weighs(layout) else 15.0


def _draw_line(
    blueprint: Blueprint, layout: Layout, shown: Sequence[RackFilling], columns: int, names: Sequence[str]
) -> Part:
    """Draw racks side by side, standing on one floor."""
    heights = [_rack_units(layout, one) for one in shown]
    step = (WIDTH - 2 * MARGIN + APART) / columns
    unit, foot = min(UNIT, HIGHEST / max(heights)), _foot(layout)
    marks: list[Mark] = []
    for place, (one, units) in enumerate(zip(shown, heights, strict=True)):
        x = MARGIN + place * step
        marks += [shift_up(mark, foot) for mark in _draw_rack(blueprint, one, units, unit, x, step - APART)]
        marks += _draw_words(layout, one, x, step - APART, foot + units * unit, names)
    return Part(marks, foot + max(heights) * unit + HEAD)


def _rack_units(layout: Layout, one: RackFilling) -> int:
    """Return the height of a rack in rack units; a server that is a rack of its own may be higher."""
    return max([layout.rack_kind(one.racks[0]).units, *(item.unit + item.height - 1 for item in one.items)])


def _draw_rack(
    blueprint: Blueprint, one: RackFilling, units: int, unit: float, x: float, width: float
) -> Iterator[Mark]:
    """Yield a rack upward from 0: its units with their numbers, and its devices."""
    left, wide = x + NUMBERS, width - NUMBERS
    yield Box(left, 0, wide, units * unit, WHITE, GREY, 0, 0.8)
    every = next(step for step in (1, 2, 5, 10) if step * unit >= SMALL_PT + 0.9)
    for number in range(units):
        if number:
            yield Line(left, number * unit, left + wide, number * unit, HAIR, 0.25)
        if (number + 1) % every == 0 or (not number and every < 5):
            yield Label(left - 3, number * unit + unit / 2 - 2.2, str(number + 1), 6.0, GREY, align="right")
    fills = role_fills(blueprint.topology.roles)
    for item in one.items:
        fill = (
            LATER
            if item.role == RESERVED
            else PALE
            if item.role in blueprint.servers_by_role
            else fills.get(item.role, GREY)
        )
        yield from _draw_item(item, fill, unit, left, wide)


def _draw_item(item: RackItem, fill: str, unit: float, left: float, wide: float) -> Iterator[Mark]:
    foot, high = (item.unit - 1) * unit, item.height * unit
    yield Box(left + 1.5, foot + 0.5, wide - 3, high - 1, fill, GREY, 1, 0.4)
    if high < 7.2:
        return
    size, ink = (BODY_PT if high >= 9 else 6.0), ink_on(fill)
    tall = f"{item.height}U"
    y = foot + high / 2 - 0.36 * size
    yield Label(left + wide - 4, y, tall, 6.0, ink, align="right")
    yield Label(left + 4, y, elide(item.model, wide - 11 - text_width(tall, 6.0), size), size, ink)


def _draw_words(
    layout: Layout, one: RackFilling, x: float, width: float, top: float, names: Sequence[str]
) -> Iterator[Mark]:
    """Yield how many racks there are and what is in each, above it; and its power and weight, below it."""
    left, wide = x + NUMBERS, width - NUMBERS
    roles = Counter(item.role for item in one.items if item.role != RESERVED)
    contents = ", ".join(count_devices(number, role) for role, number in roles.items())
    yield Label(left, top + 24, f"{count_noun(len(one.racks), 'rack')}", BODY_PT, INK, bold=True)
    yield Label(left, top + 15, elide(contents, wide, SMALL_PT), SMALL_PT, INK)
    yield Label(left, top + 6, elide(_join_names([names[rack] for rack in one.racks]), wide, SMALL_PT), SMALL_PT, GREY)
    rack = one.racks[0]
    most_kw, most_kg = layout.rack_limits(rack)
    limits = [(float(layout.rack_w[rack]) / 1000, most_kw, "kW", bool(layout.power_known[rack]))]
    if _weighs(layout):
        limits.append((float(layout.rack_kg[rack]), most_kg, "kg", bool(layout.weight_known[rack])))
    y = _foot(layout) - 10
    for value, limit, noun, known in limits:
        bar = 0.0
        said = f"{'' if known else 'at least '}{_round(value)}"
        if not known and not value:
            said = f"{noun} not known"
        elif limit is None:
            said = f"{said} {noun}"
        else:
            said = f"{said} of {limit:,g} {noun}"
            room = min(30.0, wide - text_width(said, SMALL_PT) - 4)
            if room >= 6:
                yield Box(left, y, room, 4, WHITE, GREY, 0, 0.4)
                yield Box(left, y, room * min(1.0, value / limit), 4, INK, GREY, 0, 0.4)
                bar = room + 3
        yield Label(left + bar, y - 0.5, elide(said, wide - bar, SMALL_PT), SMALL_PT, INK)
        y -= 11


def _round(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _join_names(names: Sequence[str]) -> str:
    """Return the names of two racks, of more than two the first and the last."""
    return ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]}"
