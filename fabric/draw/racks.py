"""The fabric in racks, and the ring of an all-reduce over them, in the order of places and in random order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.page import plain_style, render
from fabric.draw.palette import BODY_PT, GREY, HEAD_PT, INK, OKABE_ITO, PALE, SMALL_PT, TITLE_PT, WHITE
from fabric.draw.plan import MARGIN, WIDTH
from fabric.draw.sheet import Box, Label, Line, Mark, Sheet, elide, wrap
from fabric.flow import place
from fabric.metrics import peers
from fabric.units import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RACK_GPUS", "RACK_UNITS", "draw_racks", "rack_of_servers"]

RACK_GPUS, RACK_UNITS = 64, 40
"""The GPUs of a rack of servers, as Colossus has them (servethehome.com), and the rack units of one of switches."""

SHOWN, MOST = 400, 4000
"""The most steps of a ring that are drawn, its first ones, and the most squares."""

Points = npt.NDArray[np.float64]


def rack_of_servers(blueprint: Blueprint) -> npt.NDArray[np.int64]:
    """Return the rack of each server: servers in order, RACK_GPUS to a rack, a server of more in one of its own.

    No rack holds servers of two units.
    """
    each = max(1, RACK_GPUS // blueprint.server.gpus)
    unit = peers(blueprint)[0] if blueprint.tiers > 1 or len(peers(blueprint)) else blueprint.servers
    server = np.arange(blueprint.servers)
    per_unit = -(-unit // each)
    return server // unit * per_unit + server % unit // each


def draw_racks(blueprint: Blueprint, seed: int = 0) -> Figure:
    """Draw the racks twice, 7.5 inches wide, with the first steps of a ring in order and of one in random order."""
    with plain_style():
        return render(_laid(blueprint, seed))


def _laid(blueprint: Blueprint, seed: int) -> Sheet:
    rack = rack_of_servers(blueprint)
    racks, switches = int(rack.max()) + 1, _switch_racks(blueprint)
    together = -(-(racks + switches) // MOST)
    rack, racks_drawn, switches_drawn = rack // together, -(-racks // together), -(-switches // together)
    width = (WIDTH - 3 * MARGIN) / 2
    points, side = _grid(racks_drawn + switches_drawn, width)
    top = float(points[:, 1].max()) + side
    notes = _notes(blueprint, racks, switches, together)
    lines = [line for note in notes for line in wrap(note, WIDTH - 2 * MARGIN, BODY_PT)]
    foot = MARGIN + 10.5 * len(lines) + 16
    unit = _units(blueprint, rack)
    marks = list[Mark]()
    for column, name in enumerate(("contiguous", "random")):
        left = MARGIN + column * (width + MARGIN)
        marks += _boxes(points, side, unit, switches_drawn, left, foot)
        marks += _ring(blueprint, points[rack] + side / 2, name, seed, left, foot)
        words = {"contiguous": "a ring in the order of places", "random": "a ring in random order"}[name]
        marks.append(Label(left, foot + top + 8, words, HEAD_PT, INK, bold=True))
    head = elide(f"{blueprint.name}, rack by rack", WIDTH - 2 * MARGIN, TITLE_PT, bold=True)
    marks.append(Label(MARGIN, foot + top + 28, head, TITLE_PT, INK, bold=True))
    first = MARGIN + 10.5 * (len(lines) - 1)
    marks += [Label(MARGIN, first - 10.5 * at, line, BODY_PT, GREY) for at, line in enumerate(lines)]
    return Sheet(WIDTH, foot + top + 28 + TITLE_PT + MARGIN / 2, tuple(marks))


def _notes(blueprint: Blueprint, racks: int, switches: int, together: int) -> list[str]:
    """Say what a square, a colour and a line are."""
    what = "A square is a rack" if together == 1 else f"A square is {count(together)} racks"
    servers = f"{count(racks)} racks of servers, up to {RACK_GPUS} GPUs each and no two units in one"
    return [
        f"{what}: {servers}; {count(switches)} of switches, {RACK_UNITS} rack units each, dark. A colour is a unit.",
        f"Lines: the first {count(min(SHOWN, blueprint.servers))} of {count(blueprint.servers)} steps of a ring.",
    ]


def _switch_racks(blueprint: Blueprint) -> int:
    units = sum(
        model.rack_units * number for role in blueprint.form.roles for model, number in blueprint.boxes(role)
        if model.rack_units
    )  # fmt: skip
    return -(-int(units) // RACK_UNITS)


def _grid(racks: int, width: float) -> tuple[Points, float]:
    """Return where each rack stands, row by row from the top, and how wide it is."""
    columns = max(1, min(racks, round((racks * 1.1) ** 0.5)))
    step = min(width / columns, 46.0)
    row, column = np.divmod(np.arange(racks), columns)
    return np.stack([column * step, (row.max() - row) * step], axis=1), 0.78 * step


def _units(blueprint: Blueprint, rack: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the unit of each rack of servers."""
    found = np.zeros(int(rack.max()) + 1, np.int64)
    found[rack] = np.arange(blueprint.servers) // peers(blueprint)[0] if peers(blueprint) else 0
    return found


def _boxes(
    points: Points, side: float, unit: npt.NDArray[np.int64], switches: int, left: float, foot: float
) -> list[Mark]:
    fills = [OKABE_ITO[number % 7] for number in unit.tolist()] + [INK] * switches
    return [
        Box(left + x, foot + y, side, side, fill, PALE, min(1.5, side / 6), 0.3)
        for (x, y), fill in zip(points.tolist(), fills, strict=True)
    ]


def _ring(blueprint: Blueprint, at: Points, name: str, seed: int, left: float, foot: float) -> list[Mark]:
    """Draw the steps of a ring between the racks of its servers; a step within a rack is none."""
    order = place(blueprint, name, seed=seed) // blueprint.server.gpus
    servers = order[np.append(True, order[1:] != order[:-1])]
    ends = np.stack([servers, np.roll(servers, -1)], axis=1)[:SHOWN]
    marks = list[Mark]()
    for one, other in ends.tolist():
        (x0, y0), (x1, y1) = at[one].tolist(), at[other].tolist()
        if (x0, y0) != (x1, y1):
            line = (left + x0, foot + y0, left + x1, foot + y1)
            marks += [Line(*line, WHITE, 1.4, 0.5), Line(*line, INK, 0.6, 0.8)]
    crossed = len(marks) // 2
    words = f"{count(crossed)} of {count(len(ends))} steps lead to another square"
    return [*marks, Label(left, foot - 9, words, SMALL_PT, GREY)]
