"""Every kind of diagram by its name: by tiers, as a matrix, in racks, and the load of the links."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.blueprint.racks import RACK, Rack
from fabric.draw.adjacency import lay_out_adjacency
from fabric.draw.canvas import Canvas
from fabric.draw.device_view import WHOLE, lay_out_view, place_words, seen_part, whole_view
from fabric.draw.graph_diagram import lay_out_scene
from fabric.draw.load import Traffic, lay_out_load
from fabric.draw.page_layout import Part
from fabric.draw.path import PathHighlight, trail_of, trail_part
from fabric.draw.racks import lay_out_racks
from fabric.draw.render import plain_style, render
from fabric.draw.style import style_of
from fabric.draw.tiers import lay_out
from fabric.errors import InputError, nearest
from fabric.view import levels_of, location_of, view_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KINDS", "Diagram", "draw_diagram", "draw_fabric", "lay_out_diagram"]

KINDS = ("tiers", "adjacency", "racks", "load")


@dataclass(frozen=True)
class Diagram:
    """What is to be drawn: one of KINDS; of `tiers` the level and place, and a path between two GPUs to be told apart.

    `traffic` is of `load` and, its placement and seed, of `racks`, as is `rack`.
    """

    kind: str = "tiers"
    level: str = "fabric"
    pod: int = 0
    unit: int = 0
    highlight: tuple[int, int] | None = None
    traffic: Traffic = field(default_factory=Traffic)
    rack: Rack = RACK


def draw_fabric(blueprint: Blueprint) -> Figure:
    """Draw `blueprint` by tiers or in its natural layout, 7.5 inches wide."""
    return draw_diagram(blueprint)


def draw_diagram(blueprint: Blueprint, diagram: Diagram = Diagram()) -> Figure:
    """Draw what `diagram` asks for, 7.5 inches wide; raises InputError for a kind, a level or a GPU there is not."""
    sheet = lay_out_diagram(blueprint, diagram)
    with plain_style():
        return render(sheet)


def lay_out_diagram(blueprint: Blueprint, diagram: Diagram) -> Canvas:
    """Return the diagram as marks on a sheet; raises as `draw_diagram`."""
    if diagram.kind not in KINDS:
        raise InputError(f"no kind '{diagram.kind}' of diagram{nearest(diagram.kind, KINDS)}")
    with plain_style():
        if diagram.kind == "adjacency":
            return lay_out_adjacency(blueprint)
        if diagram.kind == "racks":
            return lay_out_racks(blueprint, diagram.rack, diagram.traffic.placement, diagram.traffic.seed)
        if diagram.kind == "load":
            return lay_out_load(blueprint, diagram.traffic)
        return _by_tiers(blueprint, diagram)


def _below(blueprint: Blueprint, trail: PathHighlight | None) -> list[Part]:
    """Return what stands under a fabric by groups: of tiers one unit, device by device, and a path."""
    parts = []
    if blueprint.topology.layered and "unit" in levels_of(blueprint):
        place = location_of(blueprint, "unit", 0, 0)
        view = view_of(blueprint, "unit")
        head = f"{place_words(blueprint, place)}, device by device"
        parts.append(seen_part(blueprint, view, place, trail, head))
    return parts + ([trail_part(blueprint, trail)] if trail else [])


def _by_tiers(blueprint: Blueprint, diagram: Diagram) -> Canvas:
    """Return the whole, by groups or device by device where it is small, or one pod or unit of it."""
    trail = None if diagram.highlight is None else trail_of(blueprint, diagram.highlight)
    if diagram.level == "fabric":
        location_of(blueprint, "fabric", diagram.pod, diagram.unit)
        scene = style_of(blueprint).scene()
        if scene:
            return lay_out_scene(blueprint, scene, _below(blueprint, trail), trail)
        if blueprint.switches <= WHOLE:
            return lay_out_view(blueprint, whole_view(blueprint), {}, trail)
        return lay_out(blueprint, _below(blueprint, trail), trail)
    if diagram.level not in ("pod", "unit"):
        raise InputError(f"no level '{diagram.level}' of a diagram{nearest(diagram.level, ('fabric', 'pod', 'unit'))}")
    known = [level for level in levels_of(blueprint) if level != "device"]
    if diagram.level not in known:
        has = f"has no {diagram.level}s; levels: {', '.join(known)}"
        raise InputError(f"{blueprint.name}: a {blueprint.topology.family} of this form {has}")
    place = location_of(blueprint, diagram.level, diagram.pod, diagram.unit)
    view = view_of(blueprint, diagram.level, pod=diagram.pod, unit=diagram.unit)
    return lay_out_view(blueprint, view, place, trail)
