"""A view in rows: one pod or unit, or a small fabric, device by device, with aggregated nodes above or around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Arc, Box, Canvas, Dot, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.captions import notes
from fabric.draw.graph_diagram import description_marks
from fabric.draw.legend import Entry, dots_entry, port_entries, rails_entry, swatch_entry
from fabric.draw.node_rows import HIGH, PAD, ROWS, Digits, DrawnNode, NodeCard, align_places, node_rows, spread_rows
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import ACCENT, BODY_PT, GREY, HAIR, INK, PALE, PLATES, SMALL_PT, ink_on
from fabric.draw.path import HALO, PathHighlight, card_fill, path_part
from fabric.draw.sampling import colour_axis
from fabric.draw.style import style_of
from fabric.draw.tier_layout import BEHIND, MARGIN
from fabric.draw.words import role_plural
from fabric.topology.topology import PLANE, title
from fabric.units import count
from fabric.view import View, part_axes, switch_view, view_of

__all__ = ["WHOLE", "lay_out_view", "place_title", "view_part", "whole_view"]

WHOLE, SERVERS = 64, 48
"""The most switches of a fabric that is drawn whole, and the most servers that are drawn one by one in it."""

FAINT = 600
"""The number of links above which they are drawn faintly."""

Rows = Sequence[Sequence[NodeCard]]


def whole_view(blueprint: Blueprint) -> View:
    """Return a fabric of few switches, server by server where these are few too, and else by units."""
    return view_of(blueprint, "device") if blueprint.servers <= SERVERS else switch_view(blueprint)


def lay_out_view(blueprint: Blueprint, view: View, location: Digits, path: PathHighlight | None = None) -> Canvas:
    """Return a view as a page: its rows, with frames around units and pods, and descriptions under them.

    `location` gives the coordinates of the pod or unit that it shows; it is empty for the whole.
    """
    rows = _rows(blueprint, view, location)
    descriptions, height = description_marks(blueprint, 0)
    parts = [_draw_view(blueprint, view, rows, location, path), Part(descriptions, height)]
    parts += [path_part(blueprint, path)] if path else []
    line = place_title(blueprint, location) if location else _whole_title(view)
    drawn = {card.node.role for row in rows for card in row}
    return compose(blueprint, parts, _legend(blueprint, view, rows, path), notes(blueprint, drawn), line=line)


def view_part(blueprint: Blueprint, view: View, location: Digits, path: PathHighlight | None, heading: str) -> Part:
    """Return a view as a part of another page, under a heading of its own."""
    rows = _rows(blueprint, view, location)
    part = _draw_view(blueprint, view, rows, location, path)
    aggregated = any(card.node.multiplicity > 1 for row in rows for card in row)
    marks = [*part.marks, Label(MARGIN, part.height + 2, heading, BODY_PT, INK, bold=True)]
    return Part(marks, part.height + 10, piled=aggregated)


def _rows(blueprint: Blueprint, view: View, location: Digits) -> Rows:
    return align_places(blueprint, spread_rows(node_rows(blueprint, view, location)))


def place_title(blueprint: Blueprint, location: Digits) -> str:
    """Return the name of a place: Unit 0 of pod 3, Group 2, or Switch x 1, y 0."""
    parts = [f"{title(axis)} {location[axis]}" for axis in part_axes(blueprint)["unit"] if axis in location]
    if all(len(axis) == 1 for axis in location):
        return f"Switch {', '.join(parts)}"
    text = " of ".join(reversed(parts))
    return text[:1].upper() + text[1:]


def _whole_title(view: View) -> str:
    servers = "servers by units" if (view.multiplicity[view.role == 0] > 1).any() else "every server"
    return f"Every switch and every joined pair, {servers}"


def _draw_view(blueprint: Blueprint, view: View, rows: Rows, location: Digits, path: PathHighlight | None) -> Part:
    cards = {card.node.number: card for row in rows for card in row}
    marks = [*_draw_frames(blueprint, rows, location), *_draw_links(blueprint, view, cards, path)]
    for row in rows:
        marks += [*_draw_cards(blueprint, row, path), *_draw_row_label(blueprint, row)]
    return Part(marks, rows[-1][0].y + HIGH / 2 + 12)


def _draw_frames(blueprint: Blueprint, rows: Rows, location: Digits) -> Iterator[Mark]:
    """Draw a frame around the devices of every pod and unit that is drawn, with its number at its foot."""
    placement = blueprint.topology.server.axes
    for depth in range(1, len(placement)):
        axes = placement[:depth]
        places: dict[tuple[int, ...], list[NodeCard]] = {}
        for card in (card for row in rows for card in row):
            if all(axis in card.node.fixed for axis in axes):
                places.setdefault(tuple(card.node.fixed[axis] for axis in axes), []).append(card)
        framed = len(places) > 1 or axes[-1] in location
        if framed and not _overlap(places):
            for values, cards in places.items():
                yield from _draw_frame(cards, len(placement) - 1 - depth, depth, f"{title(axes[-1])} {values[-1]}")


def _overlap(places: Mapping[tuple[int, ...], Sequence[NodeCard]]) -> bool:
    """Say whether the frames of two places would overlap."""
    sides = sorted((min(card.x - card.width / 2 for card in cards), max(card.x + card.width / 2 for card in cards))
                   for cards in places.values())  # fmt: skip
    return any(right >= left - 1.0 for (_, right), (left, _) in pairwise(sides))


def _draw_frame(cards: Sequence[NodeCard], nest: int, depth: int, text: str) -> Iterator[Mark]:
    pad = min(PAD, 3.0) + 2 * nest
    left, right = (min(card.x - card.width / 2 for card in cards), max(card.x + card.width / 2 for card in cards))
    foot, top = (min(card.y for card in cards) - HIGH / 2, max(card.y for card in cards) + HIGH / 2)
    below = 14.0 + 10.0 * nest
    tint = PLATES[min(depth - 1, len(PLATES) - 1)]
    yield Box(left - pad, foot - below, right - left + 2 * pad, top - foot + below + pad + 3, tint, HAIR, 4, 0.6)
    if text_width(text, SMALL_PT, bold=True) <= right - left:
        yield Label(left, foot - below + 3.5, text, SMALL_PT, INK, bold=True)


def _draw_links(
    blueprint: Blueprint, view: View, cards: Mapping[int, NodeCard], path: PathHighlight | None
) -> list[Mark]:
    """Draw a line for every edge between nodes that are drawn, arcs within a row, and a path's links over a halo."""
    marks: list[Mark] = []
    highlighted: list[Mark] = []
    columns = (view.lower, view.upper, view.bundle)
    edges = [edge for edge in zip(*(column.tolist() for column in columns), strict=True)
             if edge[0] in cards and edge[1] in cards and edge[0] != edge[1]]  # fmt: skip
    width, alpha = (0.4, 0.45) if len(edges) > FAINT else (0.55, 0.7)
    style = style_of(blueprint)
    for low, high, number in edges:
        lower, upper = cards[low], cards[high]
        if path and _is_on_path(path, lower.node, upper.node):
            highlighted += [_draw_link(lower, upper, HALO, 4.5, 1.0), _draw_link(lower, upper, INK, 1.4, 1.0)]
        else:
            bundle = blueprint.topology.bundles[number]
            colour = style.link_colour(bundle, lower.node.fixed, upper.node.fixed)
            marks.append(_draw_link(lower, upper, colour, width, alpha))
    return marks + highlighted


def _draw_link(lower: NodeCard, upper: NodeCard, colour: str, width: float, alpha: float) -> Mark:
    if lower.y == upper.y:
        left, right = sorted((lower, upper), key=lambda card: card.x)
        rise = 4.0 + 0.1 * (right.x - left.x)
        return Arc(left.x, left.y + HIGH / 2, right.x, right.y + HIGH / 2, rise, colour, width, alpha)
    low, high = sorted((lower, upper), key=lambda card: card.y)
    return Line(low.x, low.y + HIGH / 2, high.x, high.y - HIGH / 2, colour, width, alpha)


def _is_on_path(path: PathHighlight, lower: DrawnNode, upper: DrawnNode) -> bool:
    """Say whether the path goes from a device of one node to one of the other, or back."""
    ends = (lower.role, lower.fixed, lower.others), (upper.role, upper.fixed, upper.others)
    steps = ((one, two) for pair in pairwise(path.nodes) for one, two in (pair, pair[::-1]))
    return any(one.matches(*ends[0]) and two.matches(*ends[1]) for one, two in steps)


def _draw_cards(blueprint: Blueprint, row: Sequence[NodeCard], path: PathHighlight | None) -> Iterator[Mark]:
    texts = _card_texts(row)
    fit = all(text_width(text, SMALL_PT) <= card.width - 1 for card, text in zip(row, texts, strict=True))
    for card, text in zip(row, texts, strict=True):
        node, left, foot = card.node, card.x - card.width / 2, card.y - HIGH / 2
        if path and any(each.matches(node.role, node.fixed, node.others) for each in path.nodes):
            yield Box(left - 2.5, foot - 2.5, card.width + 5, HIGH + 5, HALO, "none", 3, 0)
        fill, radius = card_fill(blueprint, node.role, node.fixed), min(2, card.width / 5)
        if node.multiplicity > 1:
            yield Box(left + BEHIND, foot + BEHIND, card.width, HIGH, PALE, ACCENT, radius, 0.4)
        yield Box(left, foot, card.width, HIGH, fill, INK, radius, 0.4)
        if fit and text:
            yield Label(card.x, card.y - 2.4, text, SMALL_PT, ink_on(fill), align="center")
    for before, after in pairwise(row):
        if after.node.number > before.node.number + 1:
            middle = (before.x + after.x) / 2
            yield from (Dot(middle + by, before.y, 0.7, GREY) for by in (-2.2, 0, 2.2))


def _card_texts(row: Sequence[NodeCard]) -> list[str]:
    """Return the texts on the cards of a row: the innermost coordinate on which they differ.

    Cards around the place that is drawn, which differ from it on several axes, are labelled with the axis too.
    """
    if len({axis for card in row for axis, _ in card.node.away}) > 1:
        return [" ".join(f"{title(axis)}{value}" for axis, value in card.node.away) for card in row]
    axis = (_differing_axes(row) or [""])[-1]
    return [str(card.node.fixed[axis]) if axis in card.node.fixed else "" for card in row]


def _differing_axes(row: Sequence[NodeCard]) -> list[str]:
    """Return the axes on which the cards of a row differ, planes only where nothing else does."""
    axes = dict.fromkeys(axis for card in row for axis in card.node.fixed)
    differ = [axis for axis in axes if len({card.node.fixed.get(axis) for card in row}) > 1]
    return [axis for axis in differ if axis != PLANE] or differ


def _draw_row_label(blueprint: Blueprint, row: Sequence[NodeCard]) -> list[Mark]:
    """Name a row at the left, and under it how many of its role are drawn."""
    nodes, y, role = [card.node for card in row], row[0].y, row[0].node.role
    width = ROWS.start - MARGIN - 14
    surrounding = not blueprint.topology.layered and not any(node.inside for node in nodes)
    heading = f"Other {role_plural(role)}" if surrounding else title(role).capitalize()
    axes = [axis for axis in _differing_axes(row) if all(axis in node.fixed for node in nodes)]
    ranges = ", ".join(_describe_range(axis, nodes) for axis in axes)
    lines = [
        *wrap(_describe_count(nodes, blueprint.devices(role)), width, SMALL_PT)[:2],
        *(elide(text, width, SMALL_PT) for text in wrap(ranges, width, SMALL_PT)),
    ]
    marks: list[Mark] = [Label(MARGIN, y + 2, elide(heading, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
    return marks + [Label(MARGIN, y - 7 - 8.5 * number, line, SMALL_PT, GREY) for number, line in enumerate(lines)]


def _describe_count(nodes: Sequence[DrawnNode], total: int) -> str:
    """Return how many devices of a role a row stands for, and how many of its nodes are drawn."""
    sizes, row_size = {node.multiplicity for node in nodes}, nodes[0].row_size
    if sizes == {1}:
        if len(nodes) < row_size:
            return f"{count(len(nodes))} of {count(row_size)} drawn"
        return f"{count(len(nodes))} of {count(total)}" if len(nodes) < total else count(total)
    if len(sizes) == 1 and len(nodes) > 1:
        drawn = f", {len(nodes)} drawn" if len(nodes) < row_size else ""
        return f"{count(row_size)} × {count(min(sizes))} devices{drawn}"
    devices = sum(node.multiplicity for node in nodes)
    return f"{count(devices)} of {count(total)}" if devices < total else f"× {count(total)}"


def _describe_range(axis: str, nodes: Sequence[DrawnNode]) -> str:
    values = [node.fixed[axis] for node in nodes]
    return f"{title(axis)} {min(values)} to {max(values)}"


def _legend(blueprint: Blueprint, view: View, rows: Rows, path: PathHighlight | None) -> list[Entry]:
    """Return the legend of what the picture uses, and no more."""
    nodes = [card.node for row in rows for card in row]
    axis = colour_axis(blueprint)
    entries = [rails_entry(axis, blueprint.sizes[axis])] if axis else []
    entries += port_entries(blueprint)
    if any(node.multiplicity > 1 for node in nodes):
        entries.append(Entry("several devices", 11, _draw_aggregated_node))
    if len(nodes) < len(view):
        entries.append(dots_entry())
    return entries + ([swatch_entry("on the path", HALO)] if path else [])


def _draw_aggregated_node(x: float, y: float) -> tuple[Mark, ...]:
    return Box(x + 2, y + 1.5, 8, 6, PALE, ACCENT, 1.2, 0.5), Box(x, y - 0.5, 8, 6, ACCENT, INK, 1.2, 0.5)
