"""The two halves of a Slim Fly side by side, each in columns and rows, with the links within and between them."""

from __future__ import annotations

from fabric.draw.canvas import Arc, Box, Line, Mark
from fabric.draw.graph_scene import (
    LEFT_HALF,
    RIGHT_HALF,
    GraphFabric,
    GraphScene,
    Point,
    draw_caption,
    draw_card,
    draw_link,
    spread_on_line,
)  # fmt: skip
from fabric.draw.palette import HAIR, INK, PALE, PLATES
from fabric.topology.graph_form import PatternBundle
from fabric.units import count

__all__ = ["draw_halves"]

HEIGHT, SIDE, INSET = 232.0, 200.0, 8.0
CARDS, LINKS = 16, 5
"""The most columns with every switch drawn, and with every link drawn."""


def draw_halves(graph: GraphFabric) -> GraphScene:
    """Return both halves with the links of one switch emphasised, and other links and switches while they are few."""
    q, role = graph.sizes["q"], graph.form.roles[0]
    spots, marks = _place_switches(graph)
    # One in the middle of its half: all links of the first to the other half lead to one row.
    chosen = q // 2 * (q + 1)
    near = {chosen}
    for bundle in graph.patterns:
        pairs = graph.joined_pairs(bundle, None if q <= LINKS else chosen)
        near |= {end for pair in pairs if chosen in pair for end in pair}
        for low, high in sorted(pairs, key=lambda pair: chosen in pair):
            ends = spots[low], spots[high]
            marks.append(_bend_link(graph, bundle, *ends, strong=chosen in (low, high)))
    side = min(14.0, max(3.0, SIDE / q * 0.6))
    for number in range(len(spots)) if q <= CARDS else sorted(near):
        fill = INK if number == chosen else graph.fills[role] if number in near else PALE
        marks += draw_card(spots[number], (side, min(side, 10.0)), fill)
    cards = {"one leaf": INK, "joined to it": graph.fills[role]}
    where = {(role, number): spot for number, spot in enumerate(spots)}
    cards |= {"any other": PALE} if q <= CARDS else {}
    return GraphScene(marks, HEIGHT, cards, spots=where, halo=(side + 5, min(side, 10.0) + 5))


def _place_switches(graph: GraphFabric) -> tuple[list[Point], list[Mark]]:
    """Return the position of every switch, and the panels and captions of both halves, with lines for many columns."""
    q, near = graph.sizes["q"], graph.sizes["near"]
    captions = (
        f"{count(q)} columns of {count(q)} leaves, each with {count(near)} links in its column",
        f"equally many, each with a link to one leaf in every one of the {count(q)} columns of half 0",
    )
    spots: list[Point] = []
    marks: list[Mark] = []
    for half, column in enumerate((LEFT_HALF, RIGHT_HALF)):
        caption, top = draw_caption(f"Half {half}", captions[half], column, HEIGHT)
        left = column.middle - SIDE / 2
        marks += [*caption, Box(left, top - SIDE, SIDE, SIDE, PLATES[0], HAIR, 5, 0.6)]
        xs = spread_on_line(range(q), left + INSET, left + SIDE - INSET, SIDE)
        ys = spread_on_line(range(q), top - SIDE + INSET, top - INSET, SIDE)
        spots += [(x, ys[q - 1 - row]) for x in xs.values() for row in range(q)]
        if q > CARDS:
            marks += [Line(x, ys[0], x, ys[q - 1], HAIR, 0.6) for x in xs.values()]
    return spots, marks


def _bend_link(graph: GraphFabric, bundle: PatternBundle, start: Point, end: Point, *, strong: bool) -> Mark:
    """Return a link: straight between the halves, bent past the switches of its own column."""
    ink = graph.colour(bundle)
    if start[0] != end[0]:
        return draw_link(start, end, ink, strong=strong)
    width, alpha = (1.0, 1.0) if strong else (0.5, 0.5)
    return Arc(*start, *end, min(14.0, 0.12 * abs(start[1] - end[1])), ink, width, alpha)
