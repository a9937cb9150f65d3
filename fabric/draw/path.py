"""A shortest path between two GPUs: its devices in a picture told apart, and named one by one under it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Label, Line, Mark, elide, wrap
from fabric.draw.page_layout import Part
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, SMALL_PT, WHITE, ink_on
from fabric.draw.style import style_of
from fabric.draw.tier_layout import MARGIN, WIDTH
from fabric.flow.paths import crosses_nvlink, shortest_path
from fabric.topology.topology import PLANE, title
from fabric.units import count

__all__ = ["HALO", "PathHighlight", "PathNode", "digits_of", "fill_of", "trail_of", "trail_part"]

HALO = "#FFD84D"
"""Behind what is on a path, as a marker pen leaves it."""

NAME = re.compile(r"(\w+)(!?=)(\d+)")
STEP, LEAD = 26.0, 8.5


@dataclass(frozen=True)
class PathNode:
    """A device on a path: its role and its coordinates; of a server on wires also those of its leaf.

    `own` are its coordinates alone, and `told` those of them that say something.
    """

    role: str
    digits: Mapping[str, int]
    own: Mapping[str, int]
    told: Mapping[str, int]

    def among(self, role: str, fixed: Mapping[str, int], others: Mapping[str, int]) -> bool:
        """Tell whether it is one of the devices of a role with these coordinates, and not of those in `others`."""
        if role != self.role or any(self.digits.get(axis) == value for axis, value in others.items()):
            return False
        return all(self.digits.get(axis, value) == value for axis, value in fixed.items())


@dataclass(frozen=True)
class PathHighlight:
    """A path from one GPU to another, device by device."""

    ends: tuple[int, int]
    stops: tuple[PathNode, ...]


def digits_of(name: str) -> tuple[str, dict[str, int], dict[str, int]]:
    """Return the role of a named device or stack, the coordinates that it has, and those that it has not."""
    role, _, rest = name.partition("[")
    found = [(axis, sign, int(value)) for axis, sign, value in NAME.findall(rest)]
    fixed = {axis: value for axis, sign, value in found if sign == "="}
    return role, fixed, {axis: value for axis, sign, value in found if sign == "!="}


def trail_of(blueprint: Blueprint, ends: tuple[int, int]) -> PathHighlight:
    """Return a shortest path between two GPUs; raises as `shortest_path` does."""
    return PathHighlight(ends, tuple(_stop(blueprint, name) for name in shortest_path(blueprint, *ends)))


def _stop(blueprint: Blueprint, name: str) -> PathNode:
    role, digits, _ = digits_of(name)
    server = role == blueprint.topology.server.role
    more = style_of(blueprint).leaf_digits(digits) if server else {}
    told = {axis: value for axis, value in digits.items() if axis != PLANE or blueprint.planes > 1}
    return PathNode(role, digits | more, digits, told)


def trail_part(blueprint: Blueprint, trail: PathHighlight) -> Part:
    """Draw the devices of a path in a row, each as high as its tier, and under them their coordinates."""
    stops, roles = trail.stops, [group.role for group in blueprint.topology.groups]
    step = (WIDTH - 2 * MARGIN) / max(5, len(stops))
    words = [_words(stop, step - 4) for stop in stops]
    foot = LEAD * max(map(len, words)) + 8
    highest = len(roles) if blueprint.topology.layered else 1
    tiers = [min(highest, roles.index(stop.role)) for stop in stops]
    spots = [(MARGIN + step * (place + 0.5), foot + 10 + STEP * tier) for place, tier in enumerate(tiers)]
    marks: list[Mark] = []
    for (x0, y0), (x1, y1) in pairwise(spots):
        marks += [Line(x0, y0, x1, y1, HALO, 5.0), Line(x0, y0, x1, y1, INK, 1.0)]
    for stop, (x, y), lines in zip(stops, spots, words, strict=True):
        marks += _card(blueprint, stop, x, y, min(step - 8, 44.0))
        marks += [Line(x, foot - 2, x, y - 9, HAIR, 0.4)]
        marks += [
            Label(x, foot - LEAD * place - 8, line, SMALL_PT, GREY, align="center")
            for place, line in enumerate(lines)
        ]  # fmt: skip
    top = foot + 10 + STEP * max(tiers) + 12
    nvlink = ", after NVLink to the other's rail" if crosses_nvlink(blueprint, trail.ends) else ""
    head = [f"Path from GPU {count(trail.ends[0])} to GPU {count(trail.ends[1])}: {_length(trail)}{nvlink}"]
    marks += [Label(MARGIN, top + 8, line, BODY_PT, INK, bold=True) for line in head]
    return Part(marks, top + 16)


def _length(trail: PathHighlight) -> str:
    if len(trail.stops) == 1:
        return "within one server, by NVLink"
    switches = sum(stop.role != "server" for stop in trail.stops)
    hops = f"{switches} hop{'s' if switches != 1 else ''}"
    return f"{hops} ({'switches' if switches != 1 else 'switch'}), {len(trail.stops) - 1} links"


def _words(stop: PathNode, width: float) -> list[str]:
    told = [f"{title(axis)} {value}" for axis, value in stop.told.items()] or [""]
    return [line for text in told for line in wrap(text, width, SMALL_PT)]


def _card(blueprint: Blueprint, stop: PathNode, x: float, y: float, width: float) -> list[Mark]:
    fill = fill_of(blueprint, stop.role, stop.digits)
    text = elide(title(stop.role), width - 2, SMALL_PT)
    return [
        Box(x - width / 2 - 2.5, y - 10.5, width + 5, 21, HALO, "none", 3, 0),
        Box(x - width / 2, y - 8, width, 16, fill, INK, 2, 0.6),
        Label(x, y - 2.4, text, SMALL_PT, ink_on(fill), align="center"),
    ]


def fill_of(blueprint: Blueprint, role: str, digits: Mapping[str, int]) -> str:
    """Return the fill of a device's card: its lane's colour, or that of its role where it has none."""
    if role == blueprint.topology.server.role:
        return WHITE
    return style_of(blueprint).switch_fill(role, digits)
