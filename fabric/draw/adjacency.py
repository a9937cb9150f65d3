"""The adjacency of switches as a matrix: a row and a column for each, or for several together, and links a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, Raster, elide, text_width
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, SMALL_PT, ink_on
from fabric.draw.ramp import many_colours, ramp_bar
from fabric.draw.tier_layout import MARGIN
from fabric.draw.words import count_devices
from fabric.errors import InputError
from fabric.network import Devices
from fabric.network.expand import expand
from fabric.topology.topology import PLANE, title
from fabric.units import count

__all__ = ["adjacency", "lay_out_adjacency"]

MOST, TELL = 64, 26
"""The most rows of a role before several switches share one, and the most rows of all that are numbered."""

SIDE, MARGIN_LEFT, MARGIN_TOP = 400.0, 92.0, 34.0


@dataclass(frozen=True, eq=False)
class Bins:
    """The switches of one role in rows of the matrix: `each` together, which are of one `what`."""

    role: str
    first: int
    rows: int
    each: int
    what: str


def adjacency(blueprint: Blueprint, most: int = MOST) -> tuple[tuple[Bins, ...], npt.NDArray[np.int64]]:
    """Return the rows of the matrix and its cells, shape (rows, rows): links between their switches, all planes.

    A cell on the diagonal counts each link inside once. Raises TooLarge as `expand` does.
    """
    network, bins, first = expand(blueprint), list[Bins](), 0
    place = np.full(network.devices, -1, np.int64)
    for group in network.groups[1:]:
        found = _binned(group, first, most)
        place[group.first : group.first + group.count] = first + np.arange(group.count) // found.each
        bins.append(found)
        first += found.rows
    low, high = place[network.lower], place[network.upper]
    kept = (low >= 0) & (high >= 0)
    cells = np.bincount(low[kept] * first + high[kept], minlength=first * first).reshape(first, first)
    return tuple(bins), cells + cells.T - np.diag(cells.diagonal())


def _binned(group: Devices, first: int, most: int) -> Bins:
    """Put together the switches that agree on the first axes, as many as leave few rows; else so many in order."""
    for kept in range(len(group.axes), 0, -1):
        each = math.prod(group.shape[kept:])
        rows = -(-group.count // each)
        if 1 < rows <= most or (rows == 1 and group.count == 1):
            what = " and ".join(title(axis) for axis in group.axes[:kept] if axis != PLANE)
            return Bins(group.role, first, rows, each, f"a {what}" if each > 1 else "")
    inner = math.prod(group.shape[1:])
    together = -(-group.count // (inner * most))
    what = f"{count(together)} {title(group.axes[0])}s"
    return Bins(group.role, first, -(-group.count // (together * inner)), together * inner, what)


def lay_out_adjacency(blueprint: Blueprint) -> Canvas:
    """Return the matrix of switches as a page; raises InputError where no two are joined."""
    if not blueprint.topology.fabric_bundles:
        raise InputError(f"{blueprint.name}: no two of its switches are joined; draw it with --kind tiers")
    bins, cells = adjacency(blueprint)
    total = len(cells)
    side = SIDE / total
    left, top = MARGIN_LEFT, SIDE + 40.0
    marks: list[Mark] = [Raster(left, top - SIDE, SIDE, SIDE, many_colours(cells))]
    marks += [Box(left, top - SIDE, SIDE, SIDE, "none", GREY, 0, 0.6)]
    for part in bins:
        marks += _head(part, left, top, side)
    if side >= 9:
        marks += _numbers(cells, left, top, side)
    marks += _scale(cells, left)
    notes = [*map(_rule_of, bins), *_blocks(bins, cells)]
    notes.append(f"{count(int(np.triu(cells).sum()))} links between switches; those of the servers are left out.")
    line = f"adjacency of {count(blueprint.switches)} switches: the links between any two, by colour"
    return compose(blueprint, [Part(marks, top + MARGIN_TOP)], [], notes, line=line)


def _head(part: Bins, left: float, top: float, side: float) -> list[Mark]:
    """Name a role beside its rows and over its columns, and part it from the next."""
    start, end = part.first * side, (part.first + part.rows) * side
    marks: list[Mark] = []
    if part.first:
        marks += [Line(left, top - start, left + SIDE, top - start, GREY, 0.7)]
        marks += [Line(left + start, top - SIDE, left + start, top, GREY, 0.7)]
    marks += [Line(left - 5, top - start - 0.6, left - 5, top - end + 0.6, INK, 1.4)]
    marks += [Line(left + start + 0.6, top + 5, left + end - 0.6, top + 5, INK, 1.4)]
    return marks + _role(part, left, top, (start, end))


def _role(part: Bins, left: float, top: float, ends: tuple[float, float]) -> list[Mark]:
    start, end = ends
    head, middle = title(part.role).capitalize(), top - (start + end) / 2
    said = f"{count(part.rows)} rows of {count(part.each)}" if part.each > 1 else f"{count(part.rows)} rows"
    said = "1 row" if part.rows == 1 else said
    width, wide = left - MARGIN - 10, end - start
    marks: list[Mark] = []
    if wide >= 18:
        marks += [Label(MARGIN, middle + 1, elide(head, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
        marks += [Label(MARGIN, middle - 8, elide(said, width, SMALL_PT), SMALL_PT, GREY)]
    elif wide >= 8 or part.first:
        marks += [Label(MARGIN, middle - 2.5, elide(head, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
    over = elide(head, wide - 4, BODY_PT, bold=True)
    if over == head:
        marks.append(Label(left + (start + end) / 2, top + 10, head, BODY_PT, INK, bold=True, align="center"))
    return marks


def _numbers(cells: npt.NDArray[np.int64], left: float, top: float, side: float) -> list[Mark]:
    """Write the links into the cells, if those of all fit."""
    texts = [count(int(value)) for value in np.unique(cells[cells > 0])]
    if len(cells) > TELL or max((text_width(text, SMALL_PT) for text in texts), default=0) > side - 1.5:
        return []
    colours = many_colours(cells)
    return [
        Label(
            left + (column + 0.5) * side, top - (row + 0.5) * side - 2.4, count(int(cells[row, column])), SMALL_PT,
            ink_on("#" + bytes(colours[row, column]).hex()), align="center",
        )
        for row, column in np.argwhere(cells > 0).tolist()
    ]  # fmt: skip


def _scale(cells: npt.NDArray[np.int64], left: float) -> list[Mark]:
    """Draw the scale of the colours: from one link to the most of any cell."""
    most = max(1, int(cells.max(initial=0)))
    steps = np.exp(np.linspace(0, np.log(max(most, 2)), 64))
    ticks = [(0.0, "1"), (0.5, count(round(most**0.5))), (1.0, count(most))] if most > 3 else [(0.0, "1")]
    ticks += [(1.0, count(most))] if 1 < most <= 3 else []
    words = "links of a cell"
    return [
        Label(left, 11, words, SMALL_PT, GREY),
        *ramp_bar(left + text_width(words, SMALL_PT) + 14, 11, 150, many_colours(steps), ticks),
        Box(left + 250, 11, 6, 6, "#F6F8FA", HAIR, 0, 0.4), Label(left + 260, 11, "not joined", SMALL_PT, GREY),
    ]  # fmt: skip


def _blocks(bins: tuple[Bins, ...], cells: npt.NDArray[np.int64]) -> list[str]:
    """Say what the cells of two roles hold, where they are joined."""
    said = []
    for place, lower in enumerate(bins):
        for upper in bins[place:]:
            block = cells[lower.first :, upper.first :][: lower.rows, : upper.rows]
            joined = block[block > 0]
            if len(joined):
                least, most = count(int(joined.min())), count(int(joined.max()))
                many = least if least == most else f"{least} to {most}"
                share = f"{100 * len(joined) / block.size:.3g} %"
                said.append(
                    f"{title(lower.role)} and {title(upper.role)}: {many} links a cell, in {share} of the cells."
                )
    return said


def _rule_of(part: Bins) -> str:
    word = title(part.role)
    if part.each == 1:
        return f"A {word} has a row of its own."
    return f"A row stands for {count_devices(part.each, part.role)}, those of {part.what}."
