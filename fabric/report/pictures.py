"""Which picture a user means: of the whole by tiers or in the family's layout, of a part, of racks, joins or loads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fabric.draw import draw_adjacency, draw_fabric, draw_load, draw_racks, draw_view
from fabric.errors import InputError, TooLarge
from fabric.study import Study
from fabric.units import count
from fabric.view import READABLE, node_count, readable_level
from fabric.wired import Wired

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SMALL", "Wanted", "checked", "picture"]

SMALL, SMALL_SERVERS = 64, 256
"""The switches and servers up to which a fabric by tiers is drawn device by device unless a level is asked for."""

KINDS = {"adjacency": draw_adjacency, "racks": draw_racks, "load": draw_load}


def checked(file: str | os.PathLike[str]) -> None:
    """Raise InputError for a file whose suffix is that of no picture, before anything is computed."""
    if Path(file).suffix.lower() not in (".svg", ".png", ".pdf"):
        raise InputError(f"{os.fspath(file)!r}: a picture's name ends in .svg, .png or .pdf")


@dataclass(frozen=True)
class Wanted:
    """What to draw: `kind` is tiers, adjacency, racks or load; `level`, its place and a `path` of GPUs are of tiers."""

    kind: str = "tiers"
    level: str | None = None
    pod: int = 0
    unit: int = 0
    path: tuple[int, int] | None = None
    seed: int = 0


def picture(study: Study, wanted: Wanted) -> Figure:
    """Draw a design as it is wanted; without a level a small fabric by tiers is drawn device by device.

    A path of two GPUs is brought out on the level asked for, or by groups. Raises InputError for a place that there is
    not, and TooLarge for a level of more devices than can be read, naming one that can.
    """
    plan, path = study.blueprint, wanted.path
    if wanted.kind in KINDS:
        return KINDS[wanted.kind](plan, wanted.seed)
    small = plan.switches <= SMALL and plan.servers <= SMALL_SERVERS and not isinstance(plan.form, Wired)
    level, place = wanted.level or ("device" if small else "fabric"), {"pod": wanted.pod, "unit": wanted.unit}
    if level == "fabric" and path is None:
        return draw_fabric(plan)
    if (nodes := node_count(plan, level, **place)) > READABLE:
        raise TooLarge(
            f"{plan.name}: level {level} has {count(nodes)} devices, more than the {count(READABLE)} that a picture can"
            f" be read with; level {readable_level(plan)} can be"
        )
    names = study.path(*path) if path else ()
    ends = f"GPU {count(path[0])} to GPU {count(path[1])}" if path else ""
    return draw_view(study.view(level, **place), names, ends)
