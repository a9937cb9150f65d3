"""The page of a graph topology: its natural layout, and under it its groups and bundles in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Arc, Box, Canvas, Label, Line, Mark, shift_up, wrap
from fabric.draw.captions import describe_bundle, describe_ports
from fabric.draw.graph_scene import GROUP, LEAD, GraphScene, draw_link
from fabric.draw.legend import LINE, draw_legend, legend_rows, scene_entries, swatch_entry
from fabric.draw.margins import NOTE_LEAD, draw_group, draw_header, draw_notes, draw_rule, group_texts, note_lines
from fabric.draw.page_layout import Part, stack_parts
from fabric.draw.palette import BODY_PT, GREY, HEAD_PT, INK, SMALL_PT
from fabric.draw.path import HALO, PathHighlight
from fabric.draw.sampling import has_planes
from fabric.draw.style import style_of
from fabric.draw.tier_layout import MARGIN, WIDTH, Column
from fabric.network.expand import lay_devices
from fabric.topology.topology import PLANE, Bundle, Topology
from fabric.units import count

__all__ = ["description_marks", "lay_out_scene"]

ACROSS, APART = 4, 12.0


def lay_out_scene(
    blueprint: Blueprint, scene: GraphScene, below: Sequence[Part] = (), path: PathHighlight | None = None
) -> Canvas:
    """Return the page of a graph topology: its natural layout, its groups and bundles in words, and parts below."""
    lines = note_lines(blueprint)
    entries = scene_entries(blueprint, scene.cards, gaps=scene.gaps, stacks=scene.stacks)
    key = legend_rows([*entries, *([swatch_entry("on the path", HALO)] if path else [])])
    foot = MARGIN + len(lines) * NOTE_LEAD
    under, bottom = stack_parts(below, foot + len(key) * LINE + 12)
    words, bottom = description_marks(blueprint, bottom + 12)
    head, height = draw_header(blueprint, bottom + 12 + scene.height + 8)
    first = next((index for index, mark in enumerate(scene.marks) if isinstance(mark, (Line, Arc))), 0)
    over = _draw_path(blueprint, scene, path) if path else ()
    drawn = [*scene.marks[:first], *over, *scene.marks[first:]]
    marks = [*head, *under, *(shift_up(mark, bottom + 12) for mark in drawn), draw_rule(bottom + 6), *words]
    marks += [draw_rule(foot + len(key) * LINE + 12), *draw_legend(key, foot + len(key) * LINE + 7), *draw_notes(lines)]
    return Canvas(WIDTH, height, tuple(marks))


def _draw_path(blueprint: Blueprint, scene: GraphScene, path: PathHighlight) -> Iterator[Mark]:
    """Yield the highlight of a path: of the devices on it that are drawn, of the links between them, and of groups."""
    laid, planes = lay_devices(blueprint), blueprint.planes
    numbers = [
        (
            node.role,
            (laid[node.role].row(node.own) - laid[node.role].first) // (planes if PLANE in node.own else 1),
        )
        for node in path.nodes
    ]
    groups = [(GROUP, node.digits[GROUP]) for node in path.nodes if GROUP in node.digits]
    yield from _draw_path_links(scene, numbers)
    yield from _draw_path_links(scene, [number for number, _ in groupby(groups)])


def _draw_path_links(scene: GraphScene, numbers: Sequence[tuple[str, int]]) -> Iterator[Mark]:
    """Yield the highlight behind the devices that are drawn and behind the links between them."""
    spots = [scene.spots.get(number) for number in numbers]
    links = {frozenset(((mark.x0, mark.y0), (mark.x1, mark.y1))): mark for mark in scene.marks
             if isinstance(mark, (Line, Arc))}  # fmt: skip
    for one, two in pairwise(spots):
        if one and two:
            mark = links.get(frozenset((one, two)), draw_link(one, two, INK))
            yield replace(mark, colour=HALO, line_pt=4.5, alpha=1.0)
            yield replace(mark, colour=INK, line_pt=1.4, alpha=1.0)
    for (role, _), spot in zip(numbers, spots, strict=True):
        if spot:
            wide, high = (scene.host[0] + 6, scene.host[1] + 6) if role == "server" else scene.halo
            foot = spot[1] - (high - 3 if role == "server" else high / 2)
            yield Box(spot[0] - wide / 2, foot, wide, high, HALO, "none", 3, 0)


def description_marks(blueprint: Blueprint, bottom: float) -> tuple[list[Mark], float]:
    """Return the descriptions of groups, and under them of bundles, upward from `bottom`, and where they end."""
    bundles, top = _draw_bundles(blueprint, bottom)
    groups, top = _draw_groups(blueprint, blueprint.topology, top + 10)
    if not has_planes(blueprint):
        return [*groups, *bundles], top
    planes = f"× {count(blueprint.planes)} planes"
    return [*groups, *bundles, Label(MARGIN, top + 4, planes, HEAD_PT, INK, bold=True)], top + 18


def _split_columns(number: int) -> list[Column]:
    width = (WIDTH - 2 * MARGIN + APART) / number
    return [Column(MARGIN + index * width, MARGIN + (index + 1) * width - APART) for index in range(number)]


def _draw_groups(blueprint: Blueprint, form: Topology, bottom: float) -> tuple[list[Mark], float]:
    columns = _split_columns(max(ACROSS, len(form.groups)))
    texts = [group_texts(blueprint, group, column.width) for group, column in zip(form.groups, columns, strict=False)]
    under = [
        len(text) * 9 + 9 * len(wrap(describe_ports(blueprint, group), columns[0].width, SMALL_PT))
        for text, group in zip(texts, form.groups, strict=True)
    ]
    first = bottom + max(under) + 8.5
    marks: list[Mark] = []
    for group, column, text in zip(form.groups, columns, texts, strict=False):
        marks += draw_group(blueprint, group, text, column.start, first, column.width)
    return marks, first + 14


def _draw_bundles(blueprint: Blueprint, bottom: float) -> tuple[list[Mark], float]:
    columns, bundles = _split_columns(ACROSS), blueprint.topology.bundles
    cells = [_bundle_lines(blueprint, bundle, columns[0].width) for bundle in bundles]
    rows = [cells[first : first + ACROSS] for first in range(0, len(cells), ACROSS)]
    marks: list[Mark] = []
    y = bottom
    for number, row in reversed(list(enumerate(rows))):
        y += LEAD * max(map(len, row)) + 2
        for column, lines, bundle in zip(columns, row, bundles[ACROSS * number :], strict=False):
            marks += _draw_bundle(column, y, lines, style_of(blueprint).bundle_colour(bundle))
        y += 12
    return marks, y


def _bundle_lines(blueprint: Blueprint, bundle: Bundle, width: float) -> list[str]:
    links, each = describe_bundle(blueprint, bundle)
    return [bundle.name, *wrap(links, width, BODY_PT), *wrap(each, width, SMALL_PT)]


def _draw_bundle(column: Column, y: float, lines: list[str], colour: str | None) -> list[Mark]:
    """Describe a bundle downward from `y`: its name, after a stroke in its colour if it has one, its links and ends."""
    name, links, *each = lines
    marks: list[Mark] = [Line(column.start, y + 2.5, column.start + 14, y + 2.5, colour, 1.6)] if colour else []
    marks += [Label(column.start + (19 if colour else 0), y, name, BODY_PT, GREY)]
    marks += [Label(column.start, y - LEAD, links, BODY_PT, INK, bold=True)]
    return marks + [Label(column.start, y - LEAD * index, line, SMALL_PT, GREY) for index, line in enumerate(each, 2)]
