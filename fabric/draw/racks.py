"""Servers and switches in racks: the floor with its units, and the rings of an all-reduce from rack to rack."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.racks import RACK, Floor, Rack, assumed_heights, floor_of, unknown_maxima
from fabric.draw.canvas import Boxes, Canvas, Dot, Label, Line, Mark, elide
from fabric.draw.elevations import SERVER, SIDE, draw_elevations
from fabric.draw.legend import Entry, swatch_entry
from fabric.draw.page_layout import Part, compose
from fabric.draw.palette import BODY_PT, GREY, INK, OKABE_ITO, SMALL_PT, role_fills
from fabric.draw.tier_layout import MARGIN
from fabric.draw.traffic import describe_placement, ring_phase
from fabric.draw.words import count_devices
from fabric.topology.topology import title
from fabric.units import count, count_noun

__all__ = ["lay_out_racks"]

HIGHEST, LABELS = 490.0, 46.0
PITCHES = (16.0, 14.0, 12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.5)
RING = OKABE_ITO[5]

Point = tuple[float, float]


@dataclass(frozen=True)
class RackGrid:
    """Where the racks of units stand, in lines."""

    pitch: float
    """The distance of racks in a line, in points."""
    line_blocks: int
    """The units of a line."""
    block_width: float
    """The width of a unit in points."""
    lines: int
    """The number of lines."""
    blocks: int
    """The units that are drawn, the first of all."""
    cells: int
    """The racks of a unit."""

    @property
    def lead(self) -> float:
        return self.pitch * 1.6

    @property
    def depth(self) -> float:
        return self.pitch * 1.15

    def spot(self, block: int, rack: int, top: float) -> Point:
        """Return the middle of a rack of a unit."""
        line, number = divmod(block, self.line_blocks)
        x = MARGIN + LABELS + number * self.block_width + (rack + 0.5) * self.pitch
        return x, top - (line + 0.5) * self.lead


def lay_out_racks(blueprint: Blueprint, rack: Rack = RACK, placement: str | None = None, seed: int = 0) -> Canvas:
    """Return the racks as a page; raises as `floor_of` and `place` do."""
    floor = floor_of(blueprint, rack)
    grid = _choose_grid(blueprint, floor)
    rings, notes = _draw_rings(blueprint, floor, grid, placement or "contiguous", seed)
    plan, height = _draw_floor(blueprint, floor, grid)
    parts = [draw_elevations(blueprint, floor), Part([*plan, *rings], height)]
    colours = role_fills(blueprint.topology.roles)
    entries = [
        swatch_entry("servers", SERVER),
        *(swatch_entry(title(role), colours[role]) for role in blueprint.topology.roles),
    ]
    entries += [Entry("hop of a ring between racks", 14, _ring_glyph)] if rings else []
    fed = f" and at most {rack.power_w / 1000:g} kW" if blueprint.server.trays == 1 else ""
    line = f"{count_noun(floor.total, 'rack')} of {rack.units} rack units{fed}"
    return compose(blueprint, parts, entries, [*_rule_note(blueprint, floor), *notes], line=line)


def _ring_glyph(x: float, y: float) -> tuple[Mark, ...]:
    return Line(x, y + 3, x + 14, y + 3, RING, 1.0), Dot(x + 14, y + 3, 1.4, RING)


def _rule_note(blueprint: Blueprint, floor: Floor) -> list[str]:
    """Return the note on how the racks are filled, and the one on what is assumed."""
    box = blueprint.server
    height = "a rack of its own" if box.trays > 1 else f"{floor.server_units} rack units"
    power = f" and {box.peak_power_w / 1000:g} kW" if box.peak_power_w and box.trays == 1 else ""
    if floor.share > 1:
        together = f"{count(floor.share)} leaves with their servers share a rack"
    else:
        leaves = "including its leaves" if floor.block_leaves else "with its leaves in racks of their own"
        together = f"a unit of {count_devices(floor.block_servers, 'server')} takes "
        together += f"{count_noun(floor.block_racks, 'rack')}, {leaves}"
    rule = f"Rule: a server takes {height}{power}; {together}; other switches have racks of their own, role by role."
    return [rule, *_assumptions(blueprint)]


def _assumptions(blueprint: Blueprint) -> Iterator[str]:
    """Yield a note on heights that are assumed and on maximum powers that are not known, where there are any."""
    heights, powers = assumed_heights(blueprint), unknown_maxima(blueprint)
    said = [f"assumed heights: {', '.join(f'{name} {units} RU' for name, units in heights.items())}"] if heights else []
    typical = [name for name, watts in powers.items() if watts is not None]
    said += [f"maximum power of {', '.join(typical)} not known, so typical"] if typical else []
    unlimited = [name for name, watts in powers.items() if watts is None]
    said += [f"power of {', '.join(unlimited)} not known, so no limit"] if unlimited else []
    if said:
        text = "; ".join(said)
        yield f"{text[0].upper()}{text[1:]}."


def _choose_grid(blueprint: Blueprint, floor: Floor) -> RackGrid:
    """Return the grid with the largest racks with which all fit on the page, else with the smallest."""
    cells = 1 if floor.share > 1 else floor.block_racks
    blocks = -(-floor.blocks // floor.share)
    pod = _units_together(blueprint, blocks)
    for pitch in PITCHES:
        found = _fit_grid(blocks, cells, pod, pitch)
        if found and found.lines * found.lead <= HIGHEST:
            return found
    found = _fit_grid(blocks, cells, pod, PITCHES[-1]) or RackGrid(SIDE / cells * 0.9, 1, SIDE, blocks, blocks, cells)
    lines = max(1, int(HIGHEST / found.lead))
    return RackGrid(
        found.pitch, found.line_blocks, found.block_width, min(lines, found.lines),
        min(blocks, lines * found.line_blocks), cells,
    )  # fmt: skip


def _fit_grid(blocks: int, cells: int, pod: int, pitch: float) -> RackGrid | None:
    """Return the grid of racks of this width, with whole pods or equal shares of one per line; None if no unit fits."""
    width = cells * pitch + (0.5 * pitch if cells > 1 else 0)
    most = int((SIDE - LABELS + 0.5 * pitch) / width)
    if most < 1:
        return None
    line = -(-pod // -(-pod // most)) if pod > most else most - most % pod
    return RackGrid(pitch, line, width, -(-blocks // line), blocks, cells)


def _units_together(blueprint: Blueprint, blocks: int) -> int:
    """Return the units that stand together: those of a pod where there are pods, else one."""
    placement, sizes = blueprint.topology.server.axes, blueprint.sizes
    return sizes[placement[-2]] if len(placement) > 2 and sizes[placement[-2]] <= blocks else 1


def _draw_floor(blueprint: Blueprint, floor: Floor, grid: RackGrid) -> tuple[list[Mark], float]:
    """Draw the racks of units in lines, and below them those of other switches."""
    shelves, foot = _draw_shelves(blueprint, floor, grid)
    top = foot + grid.lines * grid.lead + 6
    marks: list[Mark] = [*shelves]
    last = floor.racks - (floor.blocks - 1) * floor.block_racks if floor.share == 1 else 1
    all_blocks = -(-floor.blocks // floor.share)
    numbers = [last if block == all_blocks - 1 else grid.cells for block in range(grid.blocks)]
    middles = [grid.spot(block, rack, top) for block, number in enumerate(numbers) for rack in range(number)]
    marks.append(_rack_boxes(middles, grid.pitch, grid.depth, SERVER))
    every = math.ceil(9 / grid.lead)
    for line in range(0, grid.lines, every):
        first = line * grid.line_blocks * floor.share
        y = grid.spot(line * grid.line_blocks, 0, top)[1]
        words = f"{_unit_title(blueprint)} {count(first)}"
        marks.append(Label(MARGIN, y - 2.4, elide(words, LABELS - 4, SMALL_PT), SMALL_PT, GREY))
    some = (
        ""
        if grid.blocks == all_blocks
        else f": the first {count(grid.blocks * floor.share)} of {count(floor.blocks)} units"
    )
    marks.append(
        Label(MARGIN, top + 6, f"Floor plan: {count_noun(floor.racks, 'rack')} of units{some}", BODY_PT, INK, bold=True)
    )
    return marks, top + 14


def _rack_boxes(middles: Sequence[Point], pitch: float, depth: float, fill: str) -> Boxes:
    """Return racks seen from above, around their middles."""
    wide = 0.84 * pitch
    return Boxes(tuple((x - wide / 2, y - depth / 2) for x, y in middles), wide, depth, fill, GREY, 0.25)


def _unit_title(blueprint: Blueprint) -> str:
    return (
        "unit"
        if blueprint.topology.server.axes and len(blueprint.topology.server.axes) > 1
        else title(blueprint.topology.roles[0])
    )


def _draw_shelves(blueprint: Blueprint, floor: Floor, grid: RackGrid) -> tuple[list[Mark], float]:
    """Draw the racks of the other switches, line by line upward from 0, and return how high that is."""
    marks: list[Mark] = []
    y = 0.0
    pitch = min(grid.pitch, 8.0)
    most = int((SIDE - LABELS) / pitch)
    for shelf in reversed(floor.shelves):
        shown = min(shelf.racks, 3 * most)
        lines = -(-shown // most)
        middles = [
            (MARGIN + LABELS + (number % most + 0.5) * pitch, y + (lines - 0.5 - number // most) * 1.6 * pitch)
            for number in range(shown)
        ]
        marks.append(_rack_boxes(middles, pitch, 1.15 * pitch, role_fills(blueprint.topology.roles)[shelf.role]))
        top = y + lines * pitch * 1.6
        words = f"{title(shelf.role).capitalize()}: {count_noun(shelf.racks, 'rack')}"
        words += f", {count(shown)} drawn" if shown < shelf.racks else ""
        marks.append(Label(MARGIN, top + 2, words, SMALL_PT, GREY))
        y = top + 14
    return marks, y + (2 if floor.shelves else 0)


def _draw_rings(
    blueprint: Blueprint, floor: Floor, grid: RackGrid, placement: str, seed: int
) -> tuple[list[Mark], list[str]]:
    """Draw the hops of a ring all-reduce between racks, once for all rings between two servers."""
    if blueprint.servers < 2 or not blueprint.gpus:
        return [], []
    phase = ring_phase(blueprint, placement, seed)
    nics = blueprint.server.nics
    ends = np.stack([floor.rack_of(end // nics) for end in (phase.source, phase.target)], axis=1)
    crossing = ends[ends[:, 0] != ends[:, 1]]
    pairs = np.unique(crossing, axis=0)
    drawn = pairs[(pairs < grid.blocks * grid.cells).all(axis=1)]
    top = _draw_shelves(blueprint, floor, grid)[1] + grid.lines * grid.lead + 6
    shown, strokes = _choose_strokes(drawn, grid)
    marks = [mark for stroke in strokes for mark in _draw_stroke(stroke, grid, top)]
    flows = f"{count(len(crossing))} of {count(phase.flows)} flows leave their rack"
    drawn_words = f"of which {count(shown)} are drawn" if shown < len(pairs) else "all drawn"
    ranks = describe_placement(placement, seed)
    note = f"Rings of an all-reduce with ranks {ranks}: {flows}, between {count(len(pairs))} pairs of racks"
    return marks, [f"{note}, {drawn_words}."]


MOST_HOPS, MOST_STROKES = 6000, 400
"""The most pairs of racks, and the most strokes, that are drawn; hops along one line of racks are one stroke."""


def _choose_strokes(hops: npt.NDArray[np.int64], grid: RackGrid) -> tuple[int, list[list[int]]]:
    """Return how many hops between racks are drawn, and their strokes: all hops, or a sample where strokes are many."""
    strokes = list(_join_hops(hops[:MOST_HOPS].tolist(), grid))
    if len(strokes) <= MOST_STROKES:
        return min(len(hops), MOST_HOPS), strokes
    sample = hops[:: -(-len(hops) // MOST_STROKES)]
    return len(sample), list(_join_hops(sample.tolist(), grid))


def _join_hops(hops: list[list[int]], grid: RackGrid) -> Iterator[list[int]]:
    """Yield the racks of each stroke: consecutive hops along one line of racks are one stroke."""
    run: list[int] = []
    for source, target in hops:
        same = source // grid.cells // grid.line_blocks == target // grid.cells // grid.line_blocks
        on = same and target == source + 1
        if on and run and run[-1] == source:
            run.append(target)
            continue
        yield from [run] if run else []
        run = [source, target] if on else []
        yield from [] if on else [[source, target]]
    yield from [run] if run else []


def _draw_stroke(stroke: list[int], grid: RackGrid, top: float) -> Iterator[Mark]:
    """Yield a stroke from its first rack to its last, with a dot at its end."""
    spots = [grid.spot(*divmod(rack, grid.cells), top) for rack in (stroke[0], stroke[-1])]
    wide = min(1.2, 0.12 * grid.pitch)
    for start, end in pairwise(spots):
        yield Line(*start, *end, RING, wide, 0.8)
        yield Dot(*end, 1.6 * wide, RING)
