"""A view in rows: one pod or unit, or a small fabric, device by device, with stacks of what is above or around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Bend, Box, Canvas, Dot, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.captions import notes
from fabric.draw.graph_diagram import words_under
from fabric.draw.legend import Entry, bar_entries, dots_entry, lanes_entry, swatch_entry
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import (
    ACCENT,
    BODY_PT,
    GREY,
    HAIR,
    INK,
    PALE,
    PLATES,
    SMALL_PT,
    ink_on,
)
from fabric.draw.path import HALO, PathHighlight, fill_of, trail_part
from fabric.draw.rows import HIGH, PAD, ROWS, DeviceView, Digits, Spot, placed, rows_of, spots_of
from fabric.draw.sampling import colour_axis
from fabric.draw.style import style_of
from fabric.draw.tier_layout import BEHIND, MARGIN
from fabric.draw.words import count_devices
from fabric.topology.topology import PLANE, title
from fabric.units import count
from fabric.view import View, part_axes, switch_view, view_of

__all__ = ["WHOLE", "lay_out_view", "place_words", "seen_part", "whole_view"]

WHOLE, SERVERS = 64, 48
"""The most switches of a fabric that is drawn whole, and the most servers that are drawn one by one there."""


def whole_view(blueprint: Blueprint) -> View:
    """Return a fabric of few switches, server by server where these are few too, and else by units."""
    return view_of(blueprint, "device") if blueprint.servers <= SERVERS else switch_view(blueprint)


def lay_out_view(blueprint: Blueprint, view: View, place: Digits, trail: PathHighlight | None = None) -> Canvas:
    """Return a view as a page: its rows, with frames around units and pods, and words under them.

    `place` gives the coordinates of the pod or unit that it is of, none for the whole.
    """
    spots = placed(blueprint, spots_of(rows_of(blueprint, view, place)))
    words, under = words_under(blueprint, 0)
    parts = [_drawn(blueprint, view, spots, place, trail), Part(words, under)]
    parts += [trail_part(blueprint, trail)] if trail else []
    line = place_words(blueprint, place) if place else _whole_words(view)
    return compose(blueprint, parts, _entries(blueprint, view, spots, trail), notes(blueprint), line=line)


def seen_part(blueprint: Blueprint, view: View, place: Digits, trail: PathHighlight | None, head: str) -> Part:
    """Return a view as a part of another page, under a head of its own."""
    spots = placed(blueprint, spots_of(rows_of(blueprint, view, place)))
    part = _drawn(blueprint, view, spots, place, trail)
    piled = any(spot.seen.multiplicity > 1 for row in spots for spot in row)
    head_mark = Label(MARGIN, part.height + 2, head, BODY_PT, INK, bold=True)
    return Part([*part.marks, head_mark], part.height + 10, piled=piled)


def place_words(blueprint: Blueprint, place: Digits) -> str:
    """Say a place: Unit 0 of pod 3, Group 2, or Switch x 1, y 0."""
    words = [f"{title(axis)} {place[axis]}" for axis in part_axes(blueprint)["unit"] if axis in place]
    if all(len(axis) == 1 for axis in place):
        return f"Switch {', '.join(words)}"
    said = " of ".join(reversed(words))
    return said[:1].upper() + said[1:]


def _drawn(
    blueprint: Blueprint, view: View, spots: Sequence[Sequence[Spot]], place: Digits, trail: PathHighlight | None
) -> Part:
    named = {spot.seen.number: spot for row in spots for spot in row}
    marks = [*_frames(blueprint, spots, place), *_links(blueprint, view, named, trail)]
    for row in spots:
        marks += [*_cards(blueprint, row, trail), *_label(blueprint, row)]
    return Part(marks, spots[-1][0].y + HIGH / 2 + 12)


def _whole_words(view: View) -> str:
    servers = "servers by units" if (view.multiplicity[view.role == 0] > 1).any() else "every server"
    return f"Every switch and every pair that is joined, {servers}"


def _frames(blueprint: Blueprint, rows: Sequence[Sequence[Spot]], place: Digits) -> Iterator[Mark]:
    """Draw a frame around the devices of every pod and unit that are drawn, and write its number at its foot."""
    form = blueprint.topology
    for depth in range(1, len(form.server.axes)):
        axes = form.server.axes[:depth]
        groups: dict[tuple[int, ...], list[Spot]] = {}
        for spot in (spot for row in rows for spot in row):
            if all(axis in spot.seen.fixed for axis in axes):
                groups.setdefault(tuple(spot.seen.fixed[axis] for axis in axes), []).append(spot)
        nest = len(form.server.axes) - 1 - depth
        told = len(groups) > 1 or axes[-1] in place
        if told and not _crossed(groups):
            for values, spots in groups.items():
                yield from _frame(spots, nest, depth, f"{title(axes[-1])} {values[-1]}")


def _crossed(groups: Mapping[tuple[int, ...], Sequence[Spot]]) -> bool:
    """Tell whether two frames would meet."""
    sides = sorted((min(spot.x - spot.width / 2 for spot in spots), max(spot.x + spot.width / 2 for spot in spots))
                   for spots in groups.values())  # fmt: skip
    return any(right >= left - 1.0 for (_, right), (left, _) in pairwise(sides))


def _frame(spots: Sequence[Spot], nest: int, depth: int, text: str) -> Iterator[Mark]:
    pad = min(PAD, 3.0) + 2 * nest
    left, right = (min(spot.x - spot.width / 2 for spot in spots), max(spot.x + spot.width / 2 for spot in spots))
    foot, top = (min(spot.y for spot in spots) - HIGH / 2, max(spot.y for spot in spots) + HIGH / 2)
    below = 14.0 + 10.0 * nest
    tint = PLATES[min(depth - 1, len(PLATES) - 1)]
    yield Box(left - pad, foot - below, right - left + 2 * pad, top - foot + below + pad + 3, tint, HAIR, 4, 0.6)
    if text_width(text, SMALL_PT, bold=True) <= right - left:
        yield Label(left, foot - below + 3.5, text, SMALL_PT, INK, bold=True)


def _links(blueprint: Blueprint, view: View, named: Mapping[int, Spot], trail: PathHighlight | None) -> list[Mark]:
    """Draw a line for every edge between what is drawn; those of one row as arcs above it; the path's over a halo."""
    marks: list[Mark] = []
    over: list[Mark] = []
    columns = (view.lower, view.upper, view.bundle)
    drawn = [edge for edge in zip(*(column.tolist() for column in columns), strict=True)
             if edge[0] in named and edge[1] in named and edge[0] != edge[1]]  # fmt: skip
    faint = len(drawn) > 600
    for low, high, bundle in drawn:
        lower, upper = named[low], named[high]
        ink = _ink(blueprint, bundle, lower, upper)
        if trail and _follows(trail, lower.seen, upper.seen):
            over += [_stroke(lower, upper, HALO, 4.5, 1.0), _stroke(lower, upper, INK, 1.4, 1.0)]
        else:
            marks.append(_stroke(lower, upper, ink, 0.4 if faint else 0.55, 0.45 if faint else 0.7))
    return marks + over


def _ink(blueprint: Blueprint, bundle: int, lower: Spot, upper: Spot) -> str:
    wire = blueprint.topology.bundles[bundle]
    return style_of(blueprint).link_colour(wire, lower.seen.fixed, upper.seen.fixed)


def _stroke(lower: Spot, upper: Spot, ink: str, wide: float, alpha: float) -> Mark:
    if lower.y == upper.y:
        left, right = sorted((lower, upper), key=lambda spot: spot.x)
        rise = 4.0 + 0.1 * (right.x - left.x)
        return Bend(left.x, left.y + HIGH / 2, right.x, right.y + HIGH / 2, rise, ink, wide, alpha)
    low, high = sorted((lower, upper), key=lambda spot: spot.y)
    return Line(low.x, low.y + HIGH / 2, high.x, high.y - HIGH / 2, ink, wide, alpha)


def _follows(trail: PathHighlight, lower: DeviceView, upper: DeviceView) -> bool:
    """Tell whether the path goes from a device of one node to one of the other, or back."""
    return any(
        (one.among(lower.role, lower.fixed, lower.others) and two.among(upper.role, upper.fixed, upper.others))
        or (two.among(lower.role, lower.fixed, lower.others) and one.among(upper.role, upper.fixed, upper.others))
        for one, two in pairwise(trail.stops)
    )


def _cards(blueprint: Blueprint, row: Sequence[Spot], trail: PathHighlight | None) -> Iterator[Mark]:
    texts = _texts(row)
    told = all(text_width(text, SMALL_PT) <= spot.width - 1 for spot, text in zip(row, texts, strict=True))
    for spot, text in zip(row, texts, strict=True):
        seen, left, foot = spot.seen, spot.x - spot.width / 2, spot.y - HIGH / 2
        if trail and any(stop.among(seen.role, seen.fixed, seen.others) for stop in trail.stops):
            yield Box(left - 2.5, foot - 2.5, spot.width + 5, HIGH + 5, HALO, "none", 3, 0)
        fill = fill_of(blueprint, seen.role, seen.fixed)
        if seen.multiplicity > 1:
            yield Box(left + BEHIND, foot + BEHIND, spot.width, HIGH, PALE, ACCENT, min(2, spot.width / 5), 0.4)
        yield Box(left, foot, spot.width, HIGH, fill, INK, min(2, spot.width / 5), 0.4)
        if told and text:
            yield Label(spot.x, spot.y - 2.4, text, SMALL_PT, ink_on(fill), align="center")
    for left_, right_ in pairwise(row):
        if right_.seen.number > left_.seen.number + 1:
            middle = (left_.x + right_.x) / 2
            yield from (Dot(middle + by, left_.y, 0.7, GREY) for by in (-2.2, 0, 2.2))


def _texts(row: Sequence[Spot]) -> list[str]:
    """Return what is written on the cards of a row: the innermost coordinate on which they differ.

    Where they are around the place that is drawn, and differ from it on several axes, the axis is told too.
    """
    if len({axis for spot in row for axis, _ in spot.seen.away}) > 1:
        return [" ".join(f"{title(axis)}{value}" for axis, value in spot.seen.away) for spot in row]
    axis = (_telling(row) or [""])[-1]
    return [str(spot.seen.fixed[axis]) if axis in spot.seen.fixed else "" for spot in row]


def _telling(row: Sequence[Spot]) -> list[str]:
    """Return the coordinates on which the cards of a row differ, planes only where nothing else does."""
    axes = dict.fromkeys(axis for spot in row for axis in spot.seen.fixed)
    differ = [axis for axis in axes if len({spot.seen.fixed.get(axis) for spot in row}) > 1]
    return [axis for axis in differ if axis != PLANE] or differ


def _label(blueprint: Blueprint, row: Sequence[Spot]) -> list[Mark]:
    """Name a row at the left, and under it what of its role is drawn."""
    seen, y = [spot.seen for spot in row], row[0].y
    role = seen[0].role
    width = ROWS.start - MARGIN - 14
    around = not blueprint.topology.layered and not any(one.inside for one in seen)
    head = f"Other {count_devices(2, role)[2:]}" if around else title(role).capitalize()
    many = {one.multiplicity for one in seen}
    drawn, total = sum(one.multiplicity for one in seen), blueprint.devices(role)
    if many == {1} and len(seen) < seen[0].among:
        said = f"{count(len(seen))} of {count(seen[0].among)} drawn"
    elif many == {1}:
        said = f"{count(len(seen))} of {count(total)}" if len(seen) < total else count(total)
    elif len(many) == 1 and len(seen) > 1:
        left = f", {len(seen)} drawn" if len(seen) < seen[0].among else ""
        said = f"{count(seen[0].among)} stacks × {count(min(many))}{left}"
    else:
        said = f"{count(drawn)} of {count(total)}" if drawn < total else f"× {count(total)}"
    ranges = ", ".join(_range(axis, seen) for axis in _telling(row) if all(axis in one.fixed for one in seen))
    lines = [
        *wrap(said, width, SMALL_PT)[:2],
        *(elide(text, width, SMALL_PT) for text in wrap(ranges, width, SMALL_PT)),
    ]
    marks: list[Mark] = [Label(MARGIN, y + 2, elide(head, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
    return marks + [Label(MARGIN, y - 7 - 8.5 * place, line, SMALL_PT, GREY) for place, line in enumerate(lines)]


def _range(axis: str, seen: Sequence[DeviceView]) -> str:
    values = [one.fixed[axis] for one in seen]
    return f"{title(axis)} {min(values)} to {max(values)}"


def _entries(
    blueprint: Blueprint, view: View, rows: Sequence[Sequence[Spot]], trail: PathHighlight | None
) -> list[Entry]:  # fmt: skip
    """Return what the picture uses, and no more."""
    seen = [spot.seen for row in rows for spot in row]
    axis = colour_axis(blueprint)
    entries = [lanes_entry(axis, blueprint.sizes[axis])] if axis else []
    entries += [*bar_entries()]
    if any(one.multiplicity > 1 for one in seen):
        entries.append(Entry("stack of several devices", 11, _stack))
    if len(seen) < len(view):
        entries.append(dots_entry())
    return entries + ([swatch_entry("on the path", HALO)] if trail else [])


def _stack(x: float, y: float) -> tuple[Mark, ...]:
    return Box(x + 2, y + 1.5, 8, 6, PALE, ACCENT, 1.2, 0.5), Box(x, y - 0.5, 8, 6, ACCENT, INK, 1.2, 0.5)
