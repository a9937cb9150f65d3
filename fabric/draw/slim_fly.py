"""The two halves of a Slim Fly side by side, each of columns and rows, with the links within and between them."""

from __future__ import annotations

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Bend, Box, Line, Mark
from fabric.draw.graph_scene import (
    LEFT_HALF,
    RIGHT_HALF,
    GraphScene,
    Point,
    caption,
    card,
    colour,
    fills,
    line_up,
    link,
    plain_pairs,
    wires_of,
)  # fmt: skip
from fabric.draw.palette import HAIR, INK, PALE, PLATES
from fabric.topology.graph_form import PatternBundle
from fabric.units import count

__all__ = ["halves"]

HEIGHT, SIDE, INSET = 232.0, 200.0, 8.0
CARDS, LINKS = 16, 5
"""The most columns of which every switch is drawn, and of which every link is."""


def halves(blueprint: Blueprint) -> GraphScene:
    """Return both halves with the links of one switch strong; all others of few, and of many no other switches."""
    q = blueprint.sizes["q"]
    spots, marks = _places(blueprint)
    # One amid its half: the first has all its links between the halves to one row.
    chosen = q // 2 * (q + 1)
    near = {chosen}
    for wire in wires_of(blueprint):
        pairs = [pair for pair in plain_pairs(blueprint, wire) if q <= LINKS or chosen in pair]
        near |= {end for pair in pairs if chosen in pair for end in pair}
        for low, high in sorted(pairs, key=lambda pair: chosen in pair):
            ends = spots[low], spots[high]
            marks.append(_link(blueprint, wire, *ends, strong=chosen in (low, high)))
    side = min(14.0, max(3.0, SIDE / q * 0.6))
    for number in range(len(spots)) if q <= CARDS else sorted(near):
        fill = INK if number == chosen else fills(blueprint)["leaf"] if number in near else PALE
        marks += card(spots[number], (side, min(side, 10.0)), fill)
    cards = {"one leaf": INK, "joined to it": fills(blueprint)["leaf"]}
    where = {("leaf", number): spot for number, spot in enumerate(spots)}
    cards |= {"any other": PALE} if q <= CARDS else {}
    return GraphScene(marks, HEIGHT, cards, spots=where, halo=(side + 5, min(side, 10.0) + 5))


def _places(blueprint: Blueprint) -> tuple[list[Point], list[Mark]]:
    """Return where every switch stands, and the plates and words of both halves, and the columns where many."""
    q, near = blueprint.sizes["q"], blueprint.sizes["near"]
    said = (
        f"{count(q)} columns of {count(q)} leaves, each with {count(near)} links in its column",
        f"as many, each with a link to a leaf of all {count(q)} columns of half 0",
    )
    spots: list[Point] = []
    marks: list[Mark] = []
    for half, column in enumerate((LEFT_HALF, RIGHT_HALF)):
        words, top = caption(f"Half {half}", said[half], column, HEIGHT)
        left = column.middle - SIDE / 2
        marks += [*words, Box(left, top - SIDE, SIDE, SIDE, PLATES[0], HAIR, 5, 0.6)]
        xs = line_up(range(q), left + INSET, left + SIDE - INSET, SIDE)
        ys = line_up(range(q), top - SIDE + INSET, top - INSET, SIDE)
        spots += [(x, ys[q - 1 - row]) for x in xs.values() for row in range(q)]
        if q > CARDS:
            marks += [Line(x, ys[0], x, ys[q - 1], HAIR, 0.6) for x in xs.values()]
    return spots, marks


def _link(blueprint: Blueprint, wire: PatternBundle, start: Point, end: Point, *, strong: bool) -> Mark:
    """Return a link, straight between the halves, and bent past the switches of its own column."""
    ink = colour(blueprint, wire)
    if start[0] != end[0]:
        return link(start, end, ink, strong=strong)
    width, alpha = (1.0, 1.0) if strong else (0.5, 0.5)
    return Bend(*start, *end, min(14.0, 0.12 * abs(start[1] - end[1])), ink, width, alpha)
