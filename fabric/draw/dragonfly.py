"""Groups of switches on a circle, one of them drawn in detail beside it; and single switches on a circle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fabric.draw.canvas import Dot, Label, Mark, text_width
from fabric.draw.graph_scene import (
    FULL,
    GROUP,
    LEFT_HALF,
    MOST_LINES,
    RIGHT_HALF,
    WHOLE,
    GraphFabric,
    GraphScene,
    Point,
    draw_caption,
    draw_card,
    draw_gap,
    draw_link,
    pairs_between,
    sample_values,
    spread_on_circle,
    spread_on_line,
)  # fmt: skip
from fabric.draw.palette import GREY, HAIR, PALE, PLATES, SMALL_PT
from fabric.draw.words import count_devices
from fabric.topology.graph_form import PatternBundle
from fabric.topology.topology import Group
from fabric.units import count, count_noun

__all__ = ["draw_group_circle", "draw_switch_circle"]

RADIUS, HEIGHT = 112.0, 268.0
RING, INSIDE = 60, 18
"""The most groups on a large circle, and the most switches of one group that are drawn."""

MOST_STUBS = 6

Spots = Mapping[int, Point]


def draw_group_circle(graph: GraphFabric) -> GraphScene:
    """Return all groups on a circle with the links between them, and one group in detail."""
    patterns = graph.patterns
    switches = sum(graph.count_switches(group) for group in graph.form.switch_groups)
    pairs = {bundle: graph.joined_pairs(bundle) for bundle in patterns} if switches <= WHOLE else {}
    whole = bool(pairs) and sum(map(len, pairs.values())) <= MOST_LINES
    left, spots = _draw_all_switches(graph, pairs) if whole else _draw_all_groups(graph)
    right, drawn = _draw_one_group(graph)
    spots, halo = (spots, (14.0, 14.0)) if whole else (spots | drawn, (25.0, 17.0))
    gaps = any(size > INSIDE for size in _group_sizes(graph).values()) or (not whole and graph.sizes["group"] > RING)
    return GraphScene([*left, *right], HEIGHT, graph.fills, gaps=gaps, spots=spots, halo=halo)


def _group_sizes(graph: GraphFabric) -> dict[Group, int]:
    """Return the switches of each role in one group."""
    groups = graph.form.switch_groups
    return {group: graph.count_switches(group) // graph.sizes["group"] for group in groups}


def _draw_all_switches(
    graph: GraphFabric, pairs: Mapping[PatternBundle, Sequence[tuple[int, int]]]
) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw every switch and every link; a group is a disc with its switches on it."""
    groups = graph.sizes["group"]
    marks, top = draw_caption(
        "All switches",
        f"{count(groups)} groups, with a line between every two switches that are joined",
        LEFT_HALF,
        HEIGHT,
    )
    half = math.sin(math.pi / groups)
    disc = min(RADIUS * half / (1 + half) * 0.95, 52.0)
    centres = spread_on_circle(range(groups), (LEFT_HALF.middle, top - RADIUS - 4), RADIUS - disc)
    marks += [Dot(x, y, disc, PLATES[0], HAIR) for x, y in centres.values()]
    inside = _group_sizes(graph)
    spots: dict[Group, dict[int, Point]] = {group: {} for group in inside}
    for number, centre in centres.items():
        around = list(spread_on_circle(range(sum(inside.values())), centre, disc * 0.78).values())
        for group, size in reversed(inside.items()):
            spots[group] |= {number * size + index: around.pop() for index in reversed(range(size))}
    for bundle, joined in pairs.items():
        ends = [(spots[bundle.lower][low], spots[bundle.upper][high]) for low, high in joined]
        marks += [draw_link(*pair, graph.colour(bundle)) for pair in ends]
    side = max(2.0, min(9.0, 0.7 * disc, 3 * disc / sum(inside.values())))
    for group, places in spots.items():
        marks += [mark for at in places.values() for mark in draw_card(at, (side, side), graph.fills[group.role])]
    return marks, {(group.role, number): at for group, places in spots.items() for number, at in places.items()}


def _draw_all_groups(graph: GraphFabric) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw groups as cards on a circle, with one line between every two that are joined; of many, the lines of one."""
    groups, bundle = graph.sizes["group"], graph.patterns[-1]
    shown = sample_values(groups, RING)
    each = _group_sizes(graph)[bundle.lower]
    low, high = (rows // each for rows in bundle.pairs(graph.sizes))
    joined = pairs_between((low, high), shown, shown)
    if len(joined) > MOST_LINES // 2:
        joined = [pair for pair in joined if 0 in pair]
        rest = f"the links of group 0, the same for every group; {_describe_links(graph, len(low))}"
    else:
        rest = f"one line between every two groups that are joined; {_describe_links(graph, len(low))}"
    marks, top = draw_caption(f"Group × {count(groups)}", rest, LEFT_HALF, HEIGHT)
    centre = LEFT_HALF.middle, top - RADIUS - 4
    spots = {(GROUP, number): spot for number, spot in _card_spots(shown, centre)[0].items()}
    return [*marks, *_draw_circle(shown, joined, centre, graph.colour(bundle), PALE)], spots


def _describe_links(graph: GraphFabric, links: int) -> str:
    """Return the number of links between every two groups, of `links` in a plane, in words."""
    groups = graph.sizes["group"]
    pairs = groups * (groups - 1) // 2
    least, most = links // pairs, -(-links // pairs)
    many = count(least) if least == most else f"{count(least)} or {count(most)}"
    plane = " and plane" if graph.blueprint.planes > 1 else ""
    return f"{many} {'link' if many == '1' else 'links'} per pair of groups{plane}"


def _draw_circle(
    shown: Sequence[int], joined: Sequence[tuple[int, int]], centre: Point, ink: str, fill: str
) -> list[Mark]:
    """Draw cards on a circle of the full radius, and below them the lines between them."""
    spots, side = _card_spots(shown, centre)
    strong = len(joined) < len(shown)
    marks: list[Mark] = [draw_link(spots[low], spots[high], ink, strong=strong) for low, high in joined]
    return marks + _draw_cards(spots, side, fill) + _draw_last_gap(shown, spots)


def _card_spots(shown: Sequence[int], centre: Point) -> tuple[dict[int, Point], float]:
    """Return the positions of cards on a circle of the full radius, and their width."""
    side = min(20.0, 2 * math.pi * RADIUS / (len(shown) + 1) * 0.72)
    return spread_on_circle(shown, centre, RADIUS - side / 2), side


def _draw_cards(spots: Spots, side: float, fill: str) -> list[Mark]:
    """Draw devices or groups, with their numbers where all of them fit."""
    size = side, min(side, 12.0)
    fit = all(text_width(str(number), SMALL_PT) <= side - 1.2 for number in spots)
    return [mark for number, at in spots.items() for mark in draw_card(at, size, fill, str(number) if fit else "")]


def _draw_last_gap(shown: Sequence[int], spots: Spots) -> list[Mark]:
    """Draw dots between the last value and the one before where values are left out."""
    return draw_gap(spots[shown[-2]], spots[shown[-1]]) if shown[-1] >= len(shown) else []


def _draw_one_group(graph: GraphFabric) -> tuple[list[Mark], dict[tuple[str, int], Point]]:
    """Draw the first group: its switches, the links between them, and stubs of the links to other groups."""
    inside, far = _group_sizes(graph), graph.patterns[-1]
    counted = ", ".join(count_devices(size, group.role) for group, size in inside.items())
    links = graph.sizes["global"]
    some = f", {MOST_STUBS} drawn" if links > MOST_STUBS else ""
    each = f"{count_noun(links, 'global link')} per {far.lower.role}{some}"
    servers = f"{count_devices(graph.sizes['slot'], 'server')} per leaf"
    marks, top = draw_caption("One group", f"{counted}, {each}, {servers}", RIGHT_HALF, HEIGHT)
    spots = (_spots_on_circle if len(inside) == 1 else _spots_in_rows)(inside, top)
    for bundle in graph.patterns[:-1]:
        ends = pairs_between(bundle.pairs(graph.sizes), list(spots[bundle.lower]), list(spots[bundle.upper]))
        marks += [
            draw_link(spots[bundle.lower][low], spots[bundle.upper][high], graph.colour(bundle)) for low, high in ends
        ]
    marks += _draw_stubs(graph, far, spots[far.lower], (RIGHT_HALF.middle, top - RADIUS - 4))
    for group, places in spots.items():
        side = min(20.0, 0.75 * _least_distance(places))
        marks += _draw_cards(places, side, graph.fills[group.role]) + _draw_last_gap(list(places), places)
    return marks, {(group.role, number): at for group, places in spots.items() for number, at in places.items()}


def _least_distance(spots: Spots) -> float:
    """Return the least distance between two neighbours."""
    return min((math.dist(left, right) for left, right in pairwise(spots.values())), default=40.0)


def _spots_on_circle(inside: Mapping[Group, int], top: float) -> dict[Group, dict[int, Point]]:
    centre = RIGHT_HALF.middle, top - RADIUS - 4
    return {group: spread_on_circle(sample_values(size, INSIDE), centre, RADIUS - 30) for group, size in inside.items()}


def _spots_in_rows(inside: Mapping[Group, int], top: float) -> dict[Group, dict[int, Point]]:
    """Return the positions of the leaves in a row, and of the spines in a row above it."""
    levels = zip(inside.items(), (top - 1.6 * RADIUS, top - 0.5 * RADIUS), strict=True)
    found = {}
    for (group, size), y in levels:
        line = spread_on_line(sample_values(size, INSIDE), RIGHT_HALF.start, RIGHT_HALF.end, 62.0)
        found[group] = {value: (x, y) for value, x in line.items()}
    return found


def _draw_stubs(graph: GraphFabric, far: PatternBundle, spots: Spots, centre: Point) -> list[Mark]:
    """Draw a few links of each switch of the group outward, with the groups where they end while these are few."""
    size = _group_sizes(graph)[far.lower]
    others: dict[int, list[int]] = {number: [] for number in spots}
    for low, high in zip(*(rows.tolist() for rows in far.pairs(graph.sizes)), strict=True):
        for end, other in ((low, high), (high, low)):
            if end in others:
                others[end].append(other // size)
    rows = len(graph.form.switch_groups) > 1
    marks: list[Mark] = []
    room, most = min(62.0, _least_distance(spots) * (1.0 if rows else 1.3)), max(map(len, others.values()))
    numbered, step = most <= MOST_STUBS and 10 * most <= room, min(0.3, 0.8 * room / 31 / min(most, MOST_STUBS))
    for number, (x, y) in spots.items():
        out = 0.0 if rows else math.atan2(x - centre[0], y - centre[1])
        groups = sorted(others[number])[:MOST_STUBS]
        for index, group in enumerate(groups):
            turn = out + (index - (len(groups) - 1) / 2) * step
            end = x + 26 * math.sin(turn), y + 26 * math.cos(turn)
            marks.append(draw_link((x, y), end, graph.colour(far), strong=True))
            if numbered:
                at = x + 31 * math.sin(turn), y + 31 * math.cos(turn) - 2.4
                marks.append(Label(*at, str(group), SMALL_PT, GREY, align="center"))
    return marks


def draw_switch_circle(graph: GraphFabric) -> GraphScene:
    """Return the switches on a circle: with all links while they are few, else one switch with its own links."""
    group, bundle = graph.form.switch_groups[0], graph.patterns[0]
    size = graph.count_switches(group)
    pairs = graph.joined_pairs(bundle) if size <= WHOLE else []
    fill = graph.fills[group.role]
    if 0 < len(pairs) <= MOST_LINES:
        marks, top = draw_caption(
            f"All {count(size)} switches", "with a line between every two that are joined", FULL, HEIGHT
        )
        wheel = _draw_circle(range(size), pairs, (FULL.middle, top - RADIUS - 4), graph.colour(bundle), fill)
        spots = _card_spots(range(size), (FULL.middle, top - RADIUS - 4))[0]
        where = {(group.role, number): spot for number, spot in spots.items()}
        return GraphScene([*marks, *wheel], HEIGHT, graph.fills, spots=where)
    return GraphScene(_draw_one_switch(graph, bundle, size), HEIGHT, graph.fills)


def _draw_one_switch(graph: GraphFabric, bundle: PatternBundle, size: int) -> list[Mark]:
    """Draw a circle of switches, and on it one switch, its neighbours and its links."""
    low, high = bundle.pairs(graph.sizes)
    near = sorted({*high[low == 0].tolist(), *low[high == 0].tolist()})
    rest = f"and the {count(len(near))} switches it is joined to, by their position among {count(size)}"
    marks, top = draw_caption("One switch", rest, FULL, HEIGHT)
    x, y = FULL.middle, top - RADIUS - 4
    radius = RADIUS - 6
    marks.append(Dot(x, y, radius, PLATES[0], HAIR, 0.8))
    spots = {
        number: (x + radius * math.sin(2 * math.pi * number / size), y + radius * math.cos(2 * math.pi * number / size))
        for number in (0, *near[: MOST_LINES // 2])
    }
    marks += [draw_link(spots[0], spots[number], graph.colour(bundle), strong=True) for number in list(spots)[1:]]
    side = max(1.6, min(8.0, 300 / len(spots)))
    for at in spots.values():
        marks += draw_card(at, (side, side), graph.fills[bundle.lower.role])
    return marks
