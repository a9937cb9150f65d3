"""A shortest path between two GPUs: highlighted in a picture, and described node by node under it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Label, Line, Mark, elide, wrap
from fabric.draw.page_layout import Part
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, PLATES, SMALL_PT, WHITE, ink_on
from fabric.draw.style import style_of
from fabric.draw.tier_layout import MARGIN, WIDTH
from fabric.flow.paths import crosses_nvlink, shortest_path
from fabric.topology.topology import PLANE, title
from fabric.units import count, count_noun

__all__ = ["HALO", "PathHighlight", "PathNode", "card_fill", "parse_name", "path_highlight", "path_part"]

HALO = "#FFD84D"
"""The colour behind what is on a path, like that of a marker pen."""

NAME = re.compile(r"(\w+)(!?=)(\d+)")
STEP, LEAD = 26.0, 8.5

Digits = Mapping[str, int]


@dataclass(frozen=True)
class PathNode:
    """A device on a path."""

    role: str
    """Its role."""
    digits: Digits
    """Its coordinates; of a server also those of its leaf."""
    own: Digits
    """Its own coordinates."""
    labels: Digits
    """Those of its own coordinates that are written under it."""

    def matches(self, role: str, fixed: Digits, others: Digits) -> bool:
        """Say whether it is one of the devices of a role with the coordinates `fixed`, and not one with `others`."""
        if role != self.role or any(self.digits.get(axis) == value for axis, value in others.items()):
            return False
        return all(self.digits.get(axis, value) == value for axis, value in fixed.items())


@dataclass(frozen=True)
class PathHighlight:
    """A path from one GPU to another, device by device."""

    ends: tuple[int, int]
    """The two GPUs, by number."""
    nodes: tuple[PathNode, ...]
    """The devices, in order."""


def parse_name(name: str) -> tuple[str, dict[str, int], dict[str, int]]:
    """Return the role of a view's node, the coordinates that it has, and those that it excludes."""
    role, _, rest = name.partition("[")
    found = [(axis, sign, int(value)) for axis, sign, value in NAME.findall(rest)]
    fixed = {axis: value for axis, sign, value in found if sign == "="}
    return role, fixed, {axis: value for axis, sign, value in found if sign == "!="}


def path_highlight(blueprint: Blueprint, ends: tuple[int, int]) -> PathHighlight:
    """Return a shortest path between two GPUs; raises as `shortest_path` does."""
    return PathHighlight(ends, tuple(_path_node(blueprint, name) for name in shortest_path(blueprint, *ends)))


def _path_node(blueprint: Blueprint, name: str) -> PathNode:
    role, digits, _ = parse_name(name)
    is_server = role in blueprint.servers_by_role
    leaf = style_of(blueprint).leaf_digits(digits) if is_server else {}
    labels = {axis: value for axis, value in digits.items() if axis != PLANE or blueprint.planes > 1}
    return PathNode(role, digits | leaf, digits, labels)


def path_part(blueprint: Blueprint, path: PathHighlight) -> Part:
    """Draw the devices of a path in a row, each at the height of its tier, and under them their coordinates."""
    nodes, topology = path.nodes, blueprint.topology
    height = dict.fromkeys(blueprint.servers_by_role, 0) | {role: 1 + tier for tier, role in enumerate(topology.roles)}
    step = (WIDTH - 2 * MARGIN) / max(5, len(nodes))
    labels = [_label_lines(node, step - 4) for node in nodes]
    foot = LEAD * max(map(len, labels)) + 8
    highest = len(height) if topology.layered else 1
    base = 20.0 if _place_axes(blueprint) else 10.0
    tiers = [min(highest, height[node.role]) for node in nodes]
    spots = [(MARGIN + step * (number + 0.5), foot + base + STEP * tier) for number, tier in enumerate(tiers)]
    marks: list[Mark] = [*_draw_places(blueprint, nodes, spots, step)]
    for (x0, y0), (x1, y1) in pairwise(spots):
        marks += [Line(x0, y0, x1, y1, HALO, 5.0), Line(x0, y0, x1, y1, INK, 1.0)]
    for node, (x, y), lines in zip(nodes, spots, labels, strict=True):
        marks += _draw_card(blueprint, node, x, y, min(step - 8, 44.0))
        marks += [Line(x, foot - 2, x, y - 9, HAIR, 0.4)]
        marks += [
            Label(x, foot - LEAD * number - 8, line, SMALL_PT, GREY, align="center")
            for number, line in enumerate(lines)
        ]  # fmt: skip
    top = foot + base + STEP * max(tiers) + 12
    nvlink = ", after NVLink to the other's rail" if crosses_nvlink(blueprint, path.ends) else ""
    gpus = f"Path from GPU {count(path.ends[0])} to GPU {count(path.ends[1])}"
    marks.append(
        Label(MARGIN, top + 8, f"{gpus}: {_describe_length(blueprint, path)}{nvlink}", BODY_PT, INK, bold=True)
    )
    return Part(marks, top + 16)


def _place_axes(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the axes that number pods and units, none where there are no tiers."""
    return tuple(blueprint.topology.server.axes[:-1]) if blueprint.topology.layered else ()


def _draw_places(
    blueprint: Blueprint, nodes: Sequence[PathNode], spots: Sequence[tuple[float, float]], step: float
) -> Iterator[Mark]:
    """Yield a frame around the devices of a path that are in one pod, and in one unit, so that it runs between them."""
    places = _place_axes(blueprint)
    for depth in range(1, len(places) + 1):
        pad = 3.0 * (len(places) - depth)
        owners = [tuple(node.own.get(axis) for axis in places[:depth]) for node in nodes]
        for place, found in groupby(range(len(nodes)), owners.__getitem__):
            run = list(found)
            if None not in place:
                left, right = spots[run[0]][0] - step / 2 + 4 - pad, spots[run[-1]][0] + step / 2 - 4 + pad
                low, high = min(spots[at][1] for at in run) - 13 - pad, max(spots[at][1] for at in run) + 13 + pad
                yield Box(left, low, right - left, high - low, PLATES[min(depth, 2)], HAIR, 3, 0.6)


def _describe_length(blueprint: Blueprint, path: PathHighlight) -> str:
    if len(path.nodes) == 1:
        return "within one server, by NVLink"
    switches = sum(node.role not in blueprint.servers_by_role for node in path.nodes)
    return f"{count_noun(switches, 'hop')} ({'switches' if switches != 1 else 'switch'}), {len(path.nodes) - 1} links"


def _label_lines(node: PathNode, width: float) -> list[str]:
    texts = [f"{title(axis)} {value}" for axis, value in node.labels.items()] or [""]
    return [line for text in texts for line in wrap(text, width, SMALL_PT)]


def _draw_card(blueprint: Blueprint, node: PathNode, x: float, y: float, width: float) -> list[Mark]:
    fill = card_fill(blueprint, node.role, node.digits)
    text = elide(title(node.role), width - 2, SMALL_PT)
    return [
        Box(x - width / 2 - 2.5, y - 10.5, width + 5, 21, HALO, "none", 3, 0),
        Box(x - width / 2, y - 8, width, 16, fill, INK, 2, 0.6),
        Label(x, y - 2.4, text, SMALL_PT, ink_on(fill), align="center"),
    ]


def card_fill(blueprint: Blueprint, role: str, digits: Digits) -> str:
    """Return the fill of a device's card: white for servers, for switches the colour of the rail or role."""
    return WHITE if role in blueprint.servers_by_role else style_of(blueprint).switch_fill(role, digits)
