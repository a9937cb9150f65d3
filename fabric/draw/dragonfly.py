"""Groups of switches on a circle, one of them drawn out beside it; and single switches on a circle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Dot, Label, Mark, text_width
from fabric.draw.captions import devices_words
from fabric.draw.graph_scene import (
    FULL,
    GROUP,
    LEFT_HALF,
    MOST_LINES,
    RIGHT_HALF,
    WHOLE,
    GraphScene,
    Point,
    between,
    caption,
    card,
    colour,
    dots,
    few,
    fills,
    line_up,
    link,
    plain_pairs,
    ring,
    size_of,
    wires_of,
)  # fmt: skip
from fabric.draw.palette import GREY, HAIR, PALE, PLATES, SMALL_PT
from fabric.topology.graph_form import PatternBundle
from fabric.topology.topology import Group
from fabric.units import count

__all__ = ["circle_of_groups", "circle_of_switches"]

RADIUS, HEIGHT = 112.0, 268.0
RING, INSIDE = 60, 18
"""The most groups on a large circle, and the most switches of one group that are drawn."""

MOST_STUBS = 6

Spots = Mapping[int, Point]


def circle_of_groups(blueprint: Blueprint) -> GraphScene:
    """Return all groups on a circle with the links between them, and one group drawn out."""
    wires = wires_of(blueprint)
    switches = sum(size_of(blueprint, group) for group in blueprint.topology.switch_groups)
    pairs = {wire: plain_pairs(blueprint, wire) for wire in wires} if switches <= WHOLE else {}
    whole = bool(pairs) and sum(map(len, pairs.values())) <= MOST_LINES
    left, spots = _all_switches(blueprint, pairs) if whole else _all_groups(blueprint)
    right, drawn = _drawn_out(blueprint)
    spots, halo = (spots, (14.0, 14.0)) if whole else (spots | drawn, (25.0, 17.0))
    gaps = any(size > INSIDE for size in _inside(blueprint).values()) or (not whole and blueprint.sizes["group"] > RING)
    return GraphScene([*left, *right], HEIGHT, fills(blueprint), gaps=gaps, spots=spots, halo=halo)


def _inside(blueprint: Blueprint) -> dict[Group, int]:
    """Return the switches of each role in one group."""
    groups = blueprint.topology.switch_groups
    return {group: size_of(blueprint, group) // blueprint.sizes["group"] for group in groups}


def _all_switches(
    blueprint: Blueprint, pairs: Mapping[PatternBundle, Sequence[tuple[int, int]]]
) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw every switch and every link: a group is a disc, with its switches around it."""
    groups = blueprint.sizes["group"]
    marks, top = caption(
        "All switches", f"{count(groups)} groups, and a line for every two switches that are joined", LEFT_HALF, HEIGHT
    )
    half = math.sin(math.pi / groups)
    disc = min(RADIUS * half / (1 + half) * 0.95, 52.0)
    centres = ring(range(groups), (LEFT_HALF.middle, top - RADIUS - 4), RADIUS - disc)
    marks += [Dot(x, y, disc, PLATES[0], HAIR) for x, y in centres.values()]
    inside = _inside(blueprint)
    spots: dict[Group, dict[int, Point]] = {group: {} for group in inside}
    for number, centre in centres.items():
        around = list(ring(range(sum(inside.values())), centre, disc * 0.78).values())
        for group, size in reversed(inside.items()):
            spots[group] |= {number * size + place: around.pop() for place in reversed(range(size))}
    for wire, joined in pairs.items():
        ends = [(spots[wire.lower][low], spots[wire.upper][high]) for low, high in joined]
        marks += [link(*pair, colour(blueprint, wire)) for pair in ends]
    side = max(2.0, min(9.0, 0.7 * disc, 3 * disc / sum(inside.values())))
    for group, places in spots.items():
        marks += [mark for at in places.values() for mark in card(at, (side, side), fills(blueprint)[group.role])]
    return marks, {(group.role, number): at for group, places in spots.items() for number, at in places.items()}


def _all_groups(blueprint: Blueprint) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw groups as cards on a circle, and every two that are joined by one line; of many groups those of one."""
    groups, wire = blueprint.sizes["group"], wires_of(blueprint)[-1]
    shown = few(groups, RING)
    each = _inside(blueprint)[wire.lower]
    low, high = (rows // each for rows in wire.pairs(blueprint.sizes))
    joined = between((low, high), shown, shown)
    if len(joined) > MOST_LINES // 2:
        joined = [pair for pair in joined if 0 in pair]
        rest = f"the links of group 0, as every other's; {_times(groups, len(low))}"
    else:
        rest = f"every two groups that are joined, by one line; {_times(groups, len(low))}"
    marks, top = caption(f"Group × {count(groups)}", rest, LEFT_HALF, HEIGHT)
    centre = LEFT_HALF.middle, top - RADIUS - 4
    spots = {(GROUP, number): spot for number, spot in _around(shown, centre)[0].items()}
    return [*marks, *_wheel(shown, joined, centre, colour(blueprint, wire), PALE)], spots


def _times(groups: int, links: int) -> str:
    """Say how many links every two groups have between them."""
    pairs = groups * (groups - 1) // 2
    least, most = links // pairs, -(-links // pairs)
    many = count(least) if least == most else f"{count(least)} or {count(most)}"
    return f"{many} {'link' if many == '1' else 'links'} a pair in a plane"


def _wheel(shown: Sequence[int], joined: Sequence[tuple[int, int]], centre: Point, ink: str, fill: str) -> list[Mark]:
    """Draw cards on a circle of the full radius, and the lines between them under them."""
    spots, side = _around(shown, centre)
    strong = len(joined) < len(shown)
    marks: list[Mark] = [link(spots[low], spots[high], ink, strong=strong) for low, high in joined]
    return marks + _cards(spots, side, fill) + _gap(shown, spots)


def _around(shown: Sequence[int], centre: Point) -> tuple[dict[int, Point], float]:
    """Return where cards stand on a circle of the full radius, and their width."""
    side = min(20.0, 2 * math.pi * RADIUS / (len(shown) + 1) * 0.72)
    return ring(shown, centre, RADIUS - side / 2), side


def _cards(spots: Spots, side: float, fill: str) -> list[Mark]:
    """Draw devices or groups, with their numbers if those of all fit."""
    size = side, min(side, 12.0)
    told = all(text_width(str(number), SMALL_PT) <= side - 1.2 for number in spots)
    return [mark for number, at in spots.items() for mark in card(at, size, fill, str(number) if told else "")]


def _gap(shown: Sequence[int], spots: Spots) -> list[Mark]:
    """Draw dots on a circle or in a row between the last value and the one before, if some are left out."""
    return dots(spots[shown[-2]], spots[shown[-1]]) if shown[-1] >= len(shown) else []


def _drawn_out(blueprint: Blueprint) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw the first group: its switches, the links between them, and the stubs of those that lead to others."""
    inside, far = _inside(blueprint), wires_of(blueprint)[-1]
    counted = ", ".join(devices_words(size, group.role) for group, size in inside.items())
    links = blueprint.sizes["global"]
    some = f", {MOST_STUBS} drawn" if links > MOST_STUBS else ""
    each = f"{count(links)} global links a {far.lower.role}{some}"
    servers = f"{devices_words(blueprint.sizes['slot'], 'server')} a leaf"
    marks, top = caption("One group", f"{counted}, {each}, {servers}", RIGHT_HALF, HEIGHT)
    spots = (_circled if len(inside) == 1 else _in_rows)(inside, top)
    for wire in wires_of(blueprint)[:-1]:
        ends = between(wire.pairs(blueprint.sizes), list(spots[wire.lower]), list(spots[wire.upper]))
        marks += [link(spots[wire.lower][low], spots[wire.upper][high], colour(blueprint, wire)) for low, high in ends]
    marks += _stubs(blueprint, far, spots[far.lower], (RIGHT_HALF.middle, top - RADIUS - 4))
    for group, places in spots.items():
        side = min(20.0, 0.75 * _apart(places))
        marks += _cards(places, side, fills(blueprint)[group.role]) + _gap(list(places), places)
    return marks, {(group.role, number): at for group, places in spots.items() for number, at in places.items()}


def _apart(spots: Spots) -> float:
    """Return the least distance between two that follow each other."""
    return min((math.dist(left, right) for left, right in pairwise(spots.values())), default=40.0)


def _circled(inside: Mapping[Group, int], top: float) -> dict[Group, dict[int, Point]]:
    centre = RIGHT_HALF.middle, top - RADIUS - 4
    return {group: ring(few(size, INSIDE), centre, RADIUS - 30) for group, size in inside.items()}


def _in_rows(inside: Mapping[Group, int], top: float) -> dict[Group, dict[int, Point]]:
    """Return where the leaves stand in a row, and the spines in one above it."""
    levels = zip(inside.items(), (top - 1.6 * RADIUS, top - 0.5 * RADIUS), strict=True)
    found = {}
    for (group, size), y in levels:
        line = line_up(few(size, INSIDE), RIGHT_HALF.start, RIGHT_HALF.end, 62.0)
        found[group] = {value: (x, y) for value, x in line.items()}
    return found


def _stubs(blueprint: Blueprint, far: PatternBundle, spots: Spots, centre: Point) -> list[Mark]:
    """Draw the links of each switch of the group outward, a few at the most; if few, the groups where they end."""
    size = _inside(blueprint)[far.lower]
    others: dict[int, list[int]] = {number: [] for number in spots}
    for low, high in zip(*(rows.tolist() for rows in far.pairs(blueprint.sizes)), strict=True):
        for end, other in ((low, high), (high, low)):
            if end in others:
                others[end].append(other // size)
    rows = len(blueprint.topology.switch_groups) > 1
    marks: list[Mark] = []
    room, most = min(62.0, _apart(spots) * (1.0 if rows else 1.3)), max(map(len, others.values()))
    told, step = most <= MOST_STUBS and 10 * most <= room, min(0.3, 0.8 * room / 31 / min(most, MOST_STUBS))
    for number, (x, y) in spots.items():
        out = 0.0 if rows else math.atan2(x - centre[0], y - centre[1])
        groups = sorted(others[number])[:MOST_STUBS]
        for place, group in enumerate(groups):
            turn = out + (place - (len(groups) - 1) / 2) * step
            end = x + 26 * math.sin(turn), y + 26 * math.cos(turn)
            marks.append(link((x, y), end, colour(blueprint, far), strong=True))
            if told:
                at = x + 31 * math.sin(turn), y + 31 * math.cos(turn) - 2.4
                marks.append(Label(*at, str(group), SMALL_PT, GREY, align="center"))
    return marks


def circle_of_switches(blueprint: Blueprint) -> GraphScene:
    """Return the switches on a circle: few with all their links, and of many one with its own."""
    group, wire = blueprint.topology.switch_groups[0], wires_of(blueprint)[0]
    size = size_of(blueprint, group)
    pairs = plain_pairs(blueprint, wire) if size <= WHOLE else []
    fill = fills(blueprint)[group.role]
    if 0 < len(pairs) <= MOST_LINES:
        marks, top = caption(f"All {count(size)} switches", "and a line for every two that are joined", FULL, HEIGHT)
        wheel = _wheel(range(size), pairs, (FULL.middle, top - RADIUS - 4), colour(blueprint, wire), fill)
        spots = _around(range(size), (FULL.middle, top - RADIUS - 4))[0]
        where = {(group.role, number): spot for number, spot in spots.items()}
        return GraphScene([*marks, *wheel], HEIGHT, fills(blueprint), spots=where)
    return GraphScene(_one_switch(blueprint, wire, size), HEIGHT, fills(blueprint))


def _one_switch(blueprint: Blueprint, wire: PatternBundle, size: int) -> list[Mark]:
    """Draw a circle of switches, those that one is joined to in their places on it, and its links."""
    low, high = wire.pairs(blueprint.sizes)
    near = sorted({*high[low == 0].tolist(), *low[high == 0].tolist()})
    rest = f"and the {count(len(near))} that it is joined to, each in its place among {count(size)}"
    marks, top = caption("One switch", rest, FULL, HEIGHT)
    x, y = FULL.middle, top - RADIUS - 4
    radius = RADIUS - 6
    marks.append(Dot(x, y, radius, PLATES[0], HAIR, 0.8))
    spots = {
        number: (x + radius * math.sin(2 * math.pi * number / size), y + radius * math.cos(2 * math.pi * number / size))
        for number in (0, *near[: MOST_LINES // 2])
    }
    marks += [link(spots[0], spots[number], colour(blueprint, wire), strong=True) for number in list(spots)[1:]]
    side = max(1.6, min(8.0, 300 / len(spots)))
    for at in spots.values():
        marks += card(at, (side, side), fills(blueprint)[wire.lower.role])
    return marks
