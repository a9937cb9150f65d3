"""The adjacency matrix of switches: a row and a column for each, or for several together, with the links per cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Box, Canvas, Label, Line, Mark, Raster, elide, text_width
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, SMALL_PT, ink_on
from fabric.draw.ramp import count_colours, draw_ramp
from fabric.draw.tier_layout import MARGIN
from fabric.draw.words import count_devices
from fabric.errors import InputError
from fabric.network import Devices
from fabric.network.expand import expand
from fabric.topology.topology import PLANE, title
from fabric.units import count

__all__ = ["adjacency_matrix", "lay_out_adjacency"]

MOST, TELL = 64, 26
"""The most rows of a role before several switches share one, and the most rows of a matrix with numbered cells."""

SIDE, MARGIN_LEFT, MARGIN_TOP = 400.0, 92.0, 34.0


@dataclass(frozen=True, eq=False)
class RowBand:
    """The rows of the matrix for the switches of one role."""

    role: str
    """The role."""
    first: int
    """The first row."""
    rows: int
    """The number of rows."""
    each: int
    """The switches of a row."""
    what: str
    """What the switches of a row have in common, in words; empty where a row is one switch."""


def adjacency_matrix(blueprint: Blueprint, most: int = MOST) -> tuple[tuple[RowBand, ...], npt.NDArray[np.int64]]:
    """Return the rows of the matrix and its cells, shape (rows, rows): links between their switches, all planes.

    A cell on the diagonal counts each link inside once. Raises TooLarge as `expand` does.
    """
    network, bands, first = expand(blueprint), list[RowBand](), 0
    row_of = np.full(network.devices, -1, np.int64)
    for group in network.groups[1:]:
        found = _band_of(group, first, most)
        row_of[group.first : group.first + group.count] = first + np.arange(group.count) // found.each
        bands.append(found)
        first += found.rows
    low, high = row_of[network.lower], row_of[network.upper]
    kept = (low >= 0) & (high >= 0)
    cells = np.bincount(low[kept] * first + high[kept], minlength=first * first).reshape(first, first)
    return tuple(bands), cells + cells.T - np.diag(cells.diagonal())


def _band_of(group: Devices, first: int, most: int) -> RowBand:
    """Return rows of the switches that agree on the first axes, at most `most`; else of equally many in order."""
    for kept in range(len(group.axes), 0, -1):
        each = math.prod(group.shape[kept:])
        rows = -(-group.count // each)
        if 1 < rows <= most or (rows == 1 and group.count == 1):
            what = " and ".join(title(axis) for axis in group.axes[:kept] if axis != PLANE)
            return RowBand(group.role, first, rows, each, f"a {what}" if each > 1 else "")
    inner = math.prod(group.shape[1:])
    together = -(-group.count // (inner * most))
    what = f"{count(together)} {title(group.axes[0])}s"
    return RowBand(group.role, first, -(-group.count // (together * inner)), together * inner, what)


def lay_out_adjacency(blueprint: Blueprint) -> Canvas:
    """Return the matrix of switches as a page; raises InputError where no two are joined."""
    if not blueprint.topology.fabric_bundles:
        raise InputError(f"{blueprint.name}: no two of its switches are joined; use --kind tiers")
    bands, cells = adjacency_matrix(blueprint)
    total = len(cells)
    side = SIDE / total
    left, top = MARGIN_LEFT, SIDE + 40.0
    marks: list[Mark] = [Raster(left, top - SIDE, SIDE, SIDE, count_colours(cells))]
    marks += [Box(left, top - SIDE, SIDE, SIDE, "none", GREY, 0, 0.6)]
    for part in bands:
        marks += _draw_band(part, left, top, side)
    if side >= 9:
        marks += _draw_cell_numbers(cells, left, top, side)
    marks += _draw_colour_scale(cells, left)
    notes = [*map(_band_note, bands), *_block_notes(bands, cells)]
    notes.append(f"{count(int(np.triu(cells).sum()))} links between switches; server links are not shown.")
    line = f"Adjacency matrix of {count(blueprint.switches)} switches: links between any two, by colour"
    return compose(blueprint, [Part(marks, top + MARGIN_TOP)], [], notes, line=line)


def _draw_band(part: RowBand, left: float, top: float, side: float) -> list[Mark]:
    """Draw a role's bars beside its rows and above its columns, and the lines before them."""
    start, end = part.first * side, (part.first + part.rows) * side
    marks: list[Mark] = []
    if part.first:
        marks += [Line(left, top - start, left + SIDE, top - start, GREY, 0.7)]
        marks += [Line(left + start, top - SIDE, left + start, top, GREY, 0.7)]
    marks += [Line(left - 5, top - start - 0.6, left - 5, top - end + 0.6, INK, 1.4)]
    marks += [Line(left + start + 0.6, top + 5, left + end - 0.6, top + 5, INK, 1.4)]
    return marks + _draw_band_label(part, left, top, (start, end))


def _draw_band_label(part: RowBand, left: float, top: float, ends: tuple[float, float]) -> list[Mark]:
    start, end = ends
    heading, middle = title(part.role).capitalize(), top - (start + end) / 2
    rows = f"{count(part.rows)} rows of {count(part.each)}" if part.each > 1 else f"{count(part.rows)} rows"
    rows = "1 row" if part.rows == 1 else rows
    width, wide = left - MARGIN - 10, end - start
    marks: list[Mark] = []
    if wide >= 18:
        marks += [Label(MARGIN, middle + 1, elide(heading, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
        marks += [Label(MARGIN, middle - 8, elide(rows, width, SMALL_PT), SMALL_PT, GREY)]
    elif wide >= 8 or part.first:
        marks += [Label(MARGIN, middle - 2.5, elide(heading, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
    over = elide(heading, wide - 4, BODY_PT, bold=True)
    if over == heading:
        marks.append(Label(left + (start + end) / 2, top + 10, heading, BODY_PT, INK, bold=True, align="center"))
    return marks


def _draw_cell_numbers(cells: npt.NDArray[np.int64], left: float, top: float, side: float) -> list[Mark]:
    """Write the links into the cells where all of them fit."""
    texts = [count(int(value)) for value in np.unique(cells[cells > 0])]
    if len(cells) > TELL or max((text_width(text, SMALL_PT) for text in texts), default=0) > side - 1.5:
        return []
    colours = count_colours(cells)
    return [
        Label(
            left + (column + 0.5) * side, top - (row + 0.5) * side - 2.4, count(int(cells[row, column])), SMALL_PT,
            ink_on("#" + bytes(colours[row, column]).hex()), align="center",
        )
        for row, column in np.argwhere(cells > 0).tolist()
    ]  # fmt: skip


def _draw_colour_scale(cells: npt.NDArray[np.int64], left: float) -> list[Mark]:
    """Draw the scale of the colours, from one link to the maximum of a cell."""
    most = max(1, int(cells.max(initial=0)))
    steps = np.exp(np.linspace(0, np.log(max(most, 2)), 64))
    ticks = [(0.0, "1"), (0.5, count(round(most**0.5))), (1.0, count(most))] if most > 3 else [(0.0, "1")]
    ticks += [(1.0, count(most))] if 1 < most <= 3 else []
    words = "links per cell"
    return [
        Label(left, 11, words, SMALL_PT, GREY),
        *draw_ramp(left + text_width(words, SMALL_PT) + 14, 11, 150, count_colours(steps), ticks),
        Box(left + 250, 11, 6, 6, "#F6F8FA", HAIR, 0, 0.4), Label(left + 260, 11, "not joined", SMALL_PT, GREY),
    ]  # fmt: skip


def _block_notes(bands: tuple[RowBand, ...], cells: npt.NDArray[np.int64]) -> list[str]:
    """Return a note for every two roles that are joined: the links per cell, and the share of cells."""
    notes = []
    for index, lower in enumerate(bands):
        for upper in bands[index:]:
            block = cells[lower.first :, upper.first :][: lower.rows, : upper.rows]
            joined = block[block > 0]
            if len(joined):
                least, most = count(int(joined.min())), count(int(joined.max()))
                many = least if least == most else f"{least} to {most}"
                share = f"{100 * len(joined) / block.size:.3g} %"
                notes.append(
                    f"{title(lower.role)} to {title(upper.role)}: {many} links per cell in {share} of the cells."
                )
    return notes


def _band_note(part: RowBand) -> str:
    word = title(part.role)
    if part.each == 1:
        return f"Each {word} has a row of its own."
    return f"A row is {count_devices(part.each, part.role)}: those of {part.what}."
