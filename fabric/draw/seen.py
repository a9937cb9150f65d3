"""The picture of a view: one pod or unit device by device, what is above in stacks, and perhaps a path through it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fabric.draw.page import plain_style, render
from fabric.draw.palette import ACCENT, BODY_PT, GREY, HAIR, HEAD_PT, INK, SMALL_PT, TITLE_PT, WHITE, lane_colour
from fabric.draw.plan import MARGIN, WIDTH
from fabric.draw.sheet import Box, Label, Line, Mark, Sheet, elide, text_width, wrap
from fabric.units import count, rate
from fabric.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_view", "on_path"]

LEFT, STEP, MARK, PATH = 112.0, 52.0, "#D55E00", 1.6
"""Where devices begin beside the tiers' names, the height of a row of a view, and the colour and width of a path."""

LANE = re.compile(r"\b(?:rail|stripe)=(\d+)")
NOTE, NAMES = 10.5, 24.0
"""The lead of the notes, and how far apart the names of roles stand at the least."""


def draw_view(view: View, path: Sequence[str] = (), ends: str = "") -> Figure:
    """Draw a view, 7.5 inches wide; `path` names devices to bring out, `ends` says what it joins."""
    with plain_style():
        return render(_laid(view, path, ends))


def on_path(view: View, path: Sequence[str]) -> list[int]:
    """Return the nodes of a view that devices are, or stand in, in order; those that the view has not are left out."""
    places = {name: place for place, name in enumerate(view.names)}
    stacks = [(place, _digits(node.name), node.role) for place, node in enumerate(view.nodes())]
    found = list[int]()
    for name in path:
        role, digits = name.partition("[")[0], _digits(name)
        within = (place for place, own, kind in stacks if kind == role and own.items() <= digits.items())
        place = places.get(name, next(within, None))
        found += [place] if place is not None and place not in found[-1:] else []
    return found


def _digits(name: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\d+)", name))


def _laid(view: View, path: Sequence[str], ends: str) -> Sheet:
    lines = _notes(view, path, ends)
    foot = MARGIN + NOTE * len(lines) + 8
    wide, tall = max(float(view.x.max()), 1.0), float(view.y.max())
    across = (WIDTH - MARGIN - LEFT - 16) / wide
    up = max(STEP, min(90.0, 12 * across)) / max(1.0, _least_rise(view))
    up = min(up, 560.0 / max(tall, 1.0))
    xs = LEFT + 8 + view.x * across if view.x.max() > 0 else np.full(len(view), (LEFT + WIDTH - MARGIN) / 2)
    ys = foot + 24 + view.y * up
    marks, kept = list[Mark](), on_path(view, path)
    marks += _edges(view, xs, ys, kept)
    marks += _nodes(view, xs, ys, kept)
    marks += _tiers(view, ys)
    top = float(ys.max()) + 34
    head = elide(view.title, WIDTH - 2 * MARGIN, TITLE_PT, bold=True)
    words = elide(_said(view), WIDTH - 2 * MARGIN, HEAD_PT)
    marks += [Label(MARGIN, top + 16, head, TITLE_PT, INK, bold=True), Label(MARGIN, top + 3, words, HEAD_PT, GREY)]
    first = MARGIN + NOTE * (len(lines) - 1)
    marks += [Label(MARGIN, first - NOTE * place, line, BODY_PT, INK) for place, line in enumerate(lines)]
    return Sheet(WIDTH, top + 16 + TITLE_PT + MARGIN / 2, tuple(marks))


def _least_rise(view: View) -> float:
    """Return how far apart the nearest rows of different roles stand."""
    rows = sorted({(float(y), int(role)) for y, role in zip(view.y, view.role, strict=True)})
    rises = [b[0] - a[0] for a, b in pairwise(rows) if b[1] != a[1] and b[0] > a[0]]
    return min(rises, default=1.0)


def _said(view: View) -> str:
    devices = ", ".join(
        f"{count(int(view.multiplicity[view.role == role].sum()))} {name}" for role, name in enumerate(view.roles)
        if (view.role == role).any()
    )  # fmt: skip
    return f"{devices}; {count(int(view.links.sum()))} links of {rate(view.rate_gbps)}"


def _notes(view: View, path: Sequence[str], ends: str) -> list[str]:
    """Return the words at the foot: each bundle's links per pair, and the path."""
    said = []
    for place, name in enumerate(view.bundles):
        rows = view.bundle == place
        if rows.any():
            each = np.unique(view.links[rows] / view.pairs[rows])
            span = f"{each[0]:g}" if len(each) == 1 else f"{each[0]:g} to {each[-1]:g}"
            said.append(f"{name}: {count(int(view.links[rows].sum()))} links, {span} a pair.")
    if path:
        said.append(f"{ends}: {count(max(0, len(path) - 2))} hops, {' - '.join(path)}.")
    return [line for text in said for line in wrap(text, WIDTH - 2 * MARGIN, BODY_PT)]


def _edges(view: View, xs: np.ndarray, ys: np.ndarray, kept: list[int]) -> list[Mark]:
    """Draw a line for each edge, the thinner the more there are, in the colour of its lane; a path's come last."""
    steps = {frozenset(pair) for pair in pairwise(kept)}
    alpha, width = (0.12 if kept else 0.5) if view.edge_count > 300 else (0.3 if kept else 0.8), 0.6
    plain, brought = list[Mark](), list[Mark]()
    for low, high in zip(view.lower.tolist(), view.upper.tolist(), strict=True):
        ends = (float(xs[low]), float(ys[low]), float(xs[high]), float(ys[high]))
        if frozenset((low, high)) in steps:
            brought.append(Line(*ends, MARK, PATH))
        elif low != high:
            lane = LANE.search(view.names[low]) or LANE.search(view.names[high])
            plain.append(Line(*ends, lane_colour(int(lane[1])) if lane else ACCENT, width, alpha))
    return plain + brought


def _nodes(view: View, xs: np.ndarray, ys: np.ndarray, kept: list[int]) -> list[Mark]:
    """Draw a card for each device, and a pile of cards with its count for each stack."""
    marks, wide = list[Mark](), _widths(view, xs)
    for place, node in enumerate(view.nodes()):
        x, y, width = float(xs[place]), float(ys[place]), wide[place]
        lane = LANE.search(node.name)
        fill = INK if node.role == view.roles[0] else lane_colour(int(lane[1])) if lane else ACCENT
        edge, line = (MARK, PATH) if place in kept else (WHITE, 0.5)
        for behind in (2, 1) if node.multiplicity > 1 else ():
            marks.append(Box(x - width / 2 + 1.7 * behind, y - 4 + 1.7 * behind, width, 8, HAIR, WHITE, 1.5, 0.5))
        marks.append(Box(x - width / 2, y - 4, width, 8, fill, edge, 1.5, line))
        text = f"× {count(node.multiplicity)}"
        if node.multiplicity > 1 and text_width(text, SMALL_PT) < _room(xs, ys, place) - 2:
            wide_pt = text_width(text, SMALL_PT)
            marks.append(Box(x - wide_pt / 2 - 1.5, y - 14.5, wide_pt + 3, 8.5, WHITE, WHITE))
            marks.append(Label(x, y - 13, text, SMALL_PT, INK, align="center"))
    return marks


def _widths(view: View, xs: np.ndarray) -> list[float]:
    """Return how wide each card is: of a stack 22 points, of a device as much as its row leaves, 10 at the most."""
    rows: dict[float, list[float]] = {}
    for x, y in zip(xs.tolist(), view.y.tolist(), strict=True):
        rows.setdefault(y, []).append(x)
    space = {y: float(np.diff(np.sort(each)).min()) if len(each) > 1 else 40.0 for y, each in rows.items()}
    return [
        max(1.5, min(22.0 if number > 1 else 10.0, 0.72 * space[y]))
        for y, number in zip(view.y.tolist(), view.multiplicity.tolist(), strict=True)
    ]


def _room(xs: np.ndarray, ys: np.ndarray, place: int) -> float:
    """Return the width that a label under a node has before it meets that of a neighbour."""
    near = np.abs(ys - ys[place]) < 14
    near[place] = False
    others = np.abs(xs[near] - xs[place])
    return float(min(others.min(initial=1e9), 2 * (WIDTH - 4 - xs[place]), 2 * (xs[place] - LEFT + 8)))


def _tiers(view: View, ys: np.ndarray) -> list[Mark]:
    """Name each role beside its rows, with its devices and their model, from the top down and apart."""
    middles = {role: float(ys[view.role == role].mean()) for role in np.unique(view.role).tolist()}
    marks, lowest = list[Mark](), np.inf
    for role in sorted(middles, key=lambda role: -middles[role]):
        mine = np.flatnonzero(view.role == role)
        y = lowest = min(middles[role], lowest - NAMES)
        head = f"{view.roles[role].capitalize()} × {count(int(view.multiplicity[mine].sum()))}"
        model = elide(view.models[int(mine[0])], LEFT - MARGIN - 8, SMALL_PT)
        marks.append(Label(MARGIN, y, elide(head, LEFT - MARGIN - 8, HEAD_PT, bold=True), HEAD_PT, INK, bold=True))
        marks.append(Label(MARGIN, y - 9, model, SMALL_PT, GREY))
    return marks
