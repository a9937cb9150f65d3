"""Every kind of diagram by its name: tiers, adjacency, racks and load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.draw.adjacency import lay_out_adjacency
from fabric.draw.canvas import Canvas
from fabric.draw.device_view import WHOLE, lay_out_view, place_title, view_part, whole_view
from fabric.draw.elevations import lay_out_elevations
from fabric.draw.graph_diagram import lay_out_scene
from fabric.draw.load import lay_out_load
from fabric.draw.page_layout import Part
from fabric.draw.page_shape import fit_page
from fabric.draw.path import PathHighlight, path_highlight, path_part
from fabric.draw.plain_style import plain_style
from fabric.draw.render import render
from fabric.draw.style import style_of
from fabric.draw.tiers import lay_out_tiers
from fabric.draw.traffic import Traffic
from fabric.errors import InputError, nearest
from fabric.layout.lay_out import lay_out
from fabric.layout.layout import Layout
from fabric.network.expand import expand
from fabric.registry import Registry
from fabric.request.site import Site
from fabric.view import LEVELS, levels_of, location_of, view_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KINDS", "Diagram", "DiagramKind", "draw_diagram", "draw_fabric", "lay_out_diagram"]


@dataclass(frozen=True)
class Diagram:
    """What to draw."""

    kind: str = "tiers"
    """The kind of diagram, one of KINDS."""
    level: str = "fabric"
    """The level of detail: fabric, pod or unit."""
    pod: int = 0
    """The pod to draw, numbered from 0."""
    unit: int = 0
    """The unit to draw, numbered in its pod."""
    highlight: tuple[int, int] | None = None
    """Two GPUs, to highlight a shortest path between them."""
    traffic: Traffic = field(default_factory=Traffic)
    """The traffic whose load is drawn."""
    site: Site = field(default_factory=Site)
    """The site that racks stand on."""
    layout: Layout | None = None
    """The layout whose racks are drawn, as that of a fabric that grows; None for one on `site`."""
    page: str = ""
    """The shape of the page, one of `fabric.draw.PAGES`; empty for one as high as the picture, 7.5 inches wide."""
    whole: bool = False
    """Whether the fabric is drawn without the unit that is otherwise below it."""


@dataclass(frozen=True)
class DiagramKind:
    """A kind of diagram; another package adds one under the entry-point group `fabric.diagrams`."""

    name: str
    """The word by which `--kind` asks for it."""
    shows: str
    """What it shows, in a few words."""
    lay_out: Callable[[Blueprint, Diagram], Canvas]
    """Returns the page."""
    options: tuple[str, ...] = ()
    """The options of `fabric diagram` that apply to it, in Python's spelling."""
    placed: bool = False
    """Whether it shows racks of the laid-out fabric, and so needs a layout where positions are those of a grown one."""


def draw_fabric(blueprint: Blueprint) -> Figure:
    """Draw `blueprint` by tiers or in its natural layout, 7.5 inches wide."""
    return draw_diagram(blueprint)


def draw_diagram(blueprint: Blueprint, diagram: Diagram = Diagram(), *, axes: bool = False) -> Figure:
    """Draw what `diagram` asks for, 7.5 inches wide; raises InputError for an unknown kind, level or GPU.

    With `axes` the figure has axes over the whole page, unseen and in points, on which others can draw.
    """
    canvas = lay_out_diagram(blueprint, diagram)
    with plain_style():
        figure = render(canvas)
        if axes:
            page = figure.add_axes((0, 0, 1, 1), xlim=(0, canvas.width), ylim=(0, canvas.height), zorder=2)
            page.set_axis_off()
    return figure


def lay_out_diagram(blueprint: Blueprint, diagram: Diagram) -> Canvas:
    """Return the diagram as marks on a canvas; raises as `draw_diagram`."""
    kind = KINDS.get_record(diagram.kind)
    with plain_style():
        canvas = kind.lay_out(blueprint, diagram)
        return fit_page(canvas, diagram.page) if diagram.page else canvas


def _lay_out_tiers(blueprint: Blueprint, diagram: Diagram) -> Canvas:
    """Return the whole fabric, by groups or, where it is small, device by device; or one pod or unit of it."""
    location = _location(blueprint, diagram)
    path = None if diagram.highlight is None else path_highlight(blueprint, diagram.highlight)
    if diagram.level != "fabric":
        view = view_of(blueprint, diagram.level, pod=diagram.pod, unit=diagram.unit)
        return lay_out_view(blueprint, view, location, path)
    if scene := style_of(blueprint).scene():
        return lay_out_scene(blueprint, scene, _parts_below(blueprint, path, diagram.whole), path)
    if blueprint.switches <= WHOLE:
        return lay_out_view(blueprint, whole_view(blueprint), {}, path)
    return lay_out_tiers(blueprint, _parts_below(blueprint, path, diagram.whole), path)


def _location(blueprint: Blueprint, diagram: Diagram) -> dict[str, int]:
    """Return the coordinates of the pod or unit to draw; raises InputError for a level that is not drawn."""
    drawn = [name for name, level in LEVELS.items() if level.drawn]
    if diagram.level not in drawn:
        raise InputError(f"no diagram of level '{diagram.level}'{nearest(diagram.level, drawn)}")
    known = [level for level in levels_of(blueprint) if level in drawn]
    if diagram.level not in known:
        family = blueprint.topology.family
        raise InputError(f"{blueprint.name}: this {family} fabric has no {diagram.level}s; levels: {', '.join(known)}")
    return location_of(blueprint, diagram.level, diagram.pod, diagram.unit)


def _parts_below(blueprint: Blueprint, path: PathHighlight | None, whole: bool) -> list[Part]:
    """Return what is below a fabric by groups: a unit device by device where there are tiers unless `whole`, a path."""
    parts = []
    if not whole and blueprint.topology.layered and "unit" in levels_of(blueprint):
        location = location_of(blueprint, "unit", 0, 0)
        heading = f"{place_title(blueprint, location)}, device by device"
        parts.append(view_part(blueprint, view_of(blueprint, "unit"), location, path, heading))
    return parts + ([path_part(blueprint, path)] if path else [])


def _lay_out_racks(blueprint: Blueprint, diagram: Diagram) -> Canvas:
    layout = diagram.layout or lay_out(blueprint, diagram.site, expand(blueprint))
    return lay_out_elevations(blueprint, layout)


KINDS = Registry("kind of diagram", "diagrams", DiagramKind, lambda: (
    DiagramKind("tiers", "tiers or natural layout", _lay_out_tiers, ("level", "pod", "unit", "highlight", "whole")),
    DiagramKind("adjacency", "matrix of joined switches", lambda blueprint, _: lay_out_adjacency(blueprint)),
    DiagramKind("racks", "elevations of racks", _lay_out_racks, placed=True),
    DiagramKind("load", "load of the links", lambda blueprint, diagram: lay_out_load(blueprint, diagram.traffic),
                ("routing", "qps", "placement", "seed", "fail")),
))  # fmt: skip
"""The kinds of diagram by name."""
