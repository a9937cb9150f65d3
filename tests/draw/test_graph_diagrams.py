"""The pictures of switches joined by wires: legible at every size, and true to the wires."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import servers, switches
from fabric.draw import draw_fabric, save
from fabric.draw.canvas import Arc, Box, Canvas, Dot, Label, Line
from fabric.draw.captions import notes
from fabric.draw.graph_diagram import lay_out_scene
from fabric.draw.graph_scene import WHOLE, GraphFabric
from fabric.draw.style import style_of
from fabric.errors import InputError
from fabric.topology.families import families
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.topology import PLANE, Drawing, title
from fabric.units import count
from fabric.view import view_of
from tests.draw.test_tiers import clashes, words

SMALL: dict[str, dict[str, int]] = {
    "dragonfly": {"group": 4, "router": 4, "global": 3, "slot": 1},
    "dragonfly-plus": {"group": 4, "leaf": 2, "spine": 2, "global": 3, "slot": 1},
    "slim-fly": {"q": 5, "slot": 1},
    "hyperx": {"x": 4, "y": 4, "z": 2, "w": 2, "slot": 1},
    "torus": {"x": 4, "y": 3, "z": 2, "w": 2, "v": 1, "u": 1, "slot": 1},
    "mesh": {"x": 4, "y": 3, "z": 2, "w": 2, "v": 1, "u": 1, "slot": 1},
    "jellyfish": {"switch": 16, "degree": 7, "slot": 1},
    "bcube": {"slot": 1, "y": 2, "z": 2, "w": 2, "part": 2},
    "zcube": {"slot": 1, "y": 4, "z": 2, "part": 2},
}
LARGE: dict[str, dict[str, int]] = {
    "dragonfly": {"group": 196, "router": 16, "global": 16, "slot": 4},
    "dragonfly-plus": {"group": 98, "leaf": 16, "spine": 16, "global": 16, "slot": 8},
    "slim-fly": {"q": 43, "slot": 4},
    "hyperx": {"x": 15, "y": 15, "z": 14, "w": 2, "slot": 4},
    "torus": {"x": 15, "y": 15, "z": 14, "w": 2, "v": 3, "u": 2, "slot": 4},
    "mesh": {"x": 15, "y": 15, "z": 14, "w": 2, "v": 3, "u": 2, "slot": 4},
    "jellyfish": {"switch": 3125, "degree": 64, "slot": 4},
    "bcube": {"slot": 16, "y": 30, "z": 27, "w": 9, "part": 9},
    "zcube": {"slot": 4, "y": 32, "z": 98, "part": 9},
}


def build(form: GraphForm, chosen: dict[str, int], planes: int = 1, copies: int = 1, missing: int = 0) -> Blueprint:
    """Return a blueprint of `form` of HGX servers, some places left empty."""
    sizes = {axis: max(least, chosen.get(axis, least)) for axis, least in form.sizing.free.items()}
    for table in form.sizing.tables:
        names = table.names
        sizes |= dict(zip(names, min(table.rows(128), key=lambda row: abs(row[0] - chosen[names[0]])), strict=True))
    sizes |= {bundle.name: copies for bundle in form.fabric_bundles if bundle.name not in form.sizing.fixed}
    full = form.complete_sizes({**sizes, PLANE: form.routing.nic_levels or planes}, 8, 0)
    number = full["server"] - missing
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    name = f"{form.family}: {form.text}"
    return Blueprint(name, form, full | {"servers": number}, models, servers()["hgx-h100"], 8 * number, 400)


WIRED = [form for family in families().values() for form in family.forms if isinstance(form, GraphForm)]
PICTURES = {
    **{f"small {form.family} {form.text}": build(form, SMALL[form.family]) for form in WIRED},
    **{f"large {form.family} {form.text}": build(form, LARGE[form.family], 2, 2, 3) for form in WIRED},
}
MILLION = {
    "dragonfly": {"group": 513, "router": 32, "global": 16, "slot": 8},
    "slim-fly": {"q": 83, "slot": 10},
    "jellyfish": {"switch": 31250, "degree": 64, "slot": 4},
    "zcube": {"slot": 16, "y": 64, "z": 128},
}


def lay_out(blueprint: Blueprint) -> Canvas:
    """Return the page of a graph topology."""
    scene = style_of(blueprint).scene()
    assert scene is not None
    return lay_out_scene(blueprint, scene)


def strokes(blueprint: Blueprint, ink: str) -> int:
    """Return the lines drawn in a colour, but for the one beside the words."""
    marks = lay_out(blueprint).marks
    return sum(isinstance(mark, (Line, Arc)) and mark.colour == ink for mark in marks) - 1


@pytest.mark.parametrize("name", PICTURES)
def test_legible(name: str) -> None:
    """In the picture of any form of wires, small or large, no text is tiny, cut off or over other text."""
    assert list(clashes(draw_fabric(PICTURES[name]))) == []


@pytest.mark.parametrize("name", PICTURES)
def test_on_the_page(name: str) -> None:
    """Nothing that is drawn leaves the page, and at most 2,000 lines are drawn."""
    sheet = lay_out(PICTURES[name])
    assert sum(isinstance(mark, (Line, Arc)) for mark in sheet.marks) <= 2000
    for mark in sheet.marks:
        match mark:
            case Line() | Arc():
                points = [(mark.x0, mark.y0), (mark.x1, mark.y1)]
            case Box():
                points = [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
            case Dot():
                points = [(mark.x + by, mark.y + by) for by in (-mark.radius, mark.radius)]
            case Label():
                points = [(mark.x, mark.y)]
        assert all(0 <= x <= sheet.width and 0 <= y <= sheet.height for x, y in points)


@pytest.mark.parametrize("name", PICTURES)
def test_numbers(name: str) -> None:
    """The picture says every group's devices, every wire's links, how many ends a device has of them, and the GPUs."""
    blueprint = PICTURES[name]
    said = words(draw_fabric(blueprint))
    for group in blueprint.topology.groups:
        assert f" × {count(blueprint.devices(group.role))} " in said
    for wire in blueprint.topology.bundles:
        assert isinstance(wire, PatternBundle)
        assert f"{wire.name} {count(blueprint.links(wire))} links " in said
        assert f"{count(blueprint.evaluate(wire.lower_ports))} per {title(wire.lower.role)}" in said
    assert f"{count(blueprint.gpus)} GPUs · {count(blueprint.servers)} servers" in said
    assert "rails" not in said


@pytest.mark.parametrize("form", WIRED, ids=lambda form: f"{form.family} {form.text}")
def test_small_fabric_is_whole(form: GraphForm) -> None:
    """Of up to 64 switches every two that are joined have a line, and one more in a group that is drawn out."""
    blueprint = build(form, SMALL[form.family])
    if blueprint.switches > WHOLE:
        return
    groups = blueprint.sizes.get("group", 0)
    graph = GraphFabric(blueprint, form)
    for wire in graph.patterns:
        links = len(graph.joined_pairs(wire))
        inside = "global" not in wire.name
        again = (links // groups if inside else 2 * links // groups) if groups else 0
        assert strokes(blueprint, graph.colour(wire)) == links + again


@pytest.mark.parametrize("family", ["bcube", "zcube"])
def test_lines_of_a_cube_are_links(family: str) -> None:
    """Each NIC drawn whole has one line to each level."""
    for form in (form for form in WIRED if form.family == family):
        blueprint = build(form, SMALL[family])
        if blueprint.switches <= WHOLE:
            for wire in form.host_patterns:
                assert strokes(blueprint, GraphFabric(blueprint, form).colour(wire)) == blueprint.links(wire)


@pytest.mark.parametrize("family", MILLION)
def test_a_million_gpus(family: str, tmp_path: Path) -> None:
    """A million GPUs are drawn with at most 600 marks."""
    form = max(
        (form for form in WIRED if form.family == family), key=lambda form: (len(form.sizing.free), len(form.bundles))
    )
    blueprint = build(form, MILLION[family])
    assert blueprint.gpus >= 10**6
    assert len(lay_out(blueprint).marks) <= 600
    save(draw_fabric(blueprint), tmp_path / "fabric.svg")


@pytest.mark.parametrize("family", SMALL)
def test_same_bytes(family: str, tmp_path: Path) -> None:
    """The same fabric gives the same bytes."""
    form = next(form for form in WIRED if form.family == family)
    for name in ("a", "b"):
        save(draw_fabric(build(form, SMALL[family])), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_planes_and_levels() -> None:
    """Planes are told of fabrics that have them, levels of those whose NICs have a port for each, never both."""
    for name, blueprint in PICTURES.items():
        form = blueprint.topology
        assert isinstance(form, GraphForm)
        said = " ".join(notes(blueprint))
        assert ("levels of switches" in said) == bool(form.routing.nic_levels), name
        assert ("planes are joined only" in said) == (name.startswith("large") and not form.routing.nic_levels), name


THIRD_PARTY = replace(
    next(form for form in WIRED if form.family == "torus" and len(form.sizing.symmetric) == 2),
    family="wrapped",
    drawing=Drawing("lattice", ("y",), ("x",), "ring"),
)


@pytest.mark.parametrize("sizes", [{"x": 4, "y": 3}, {"x": 15, "y": 20}])
def test_a_third_party_topology_is_drawn_as_a_lattice(sizes: dict[str, int]) -> None:
    """A topology of any family whose drawing is a lattice is drawn on one, its axes across and upwards as it says."""
    blueprint = build(THIRD_PARTY, sizes)
    figure = draw_fabric(blueprint)
    assert list(clashes(figure)) == []
    assert f"x {sizes['x']} × y {sizes['y']}" in words(figure)
    view = view_of(blueprint, "device")
    points = {
        name: (x, y) for name, x, y in zip(view.names, view.x, view.y, strict=True) if name.startswith("leaf")
    }  # fmt: skip
    for axis, along in (("y", 0), ("x", 1)):
        line = [points["leaf[x=1,y=1,plane=0]".replace(f"{axis}=1", f"{axis}={each}")] for each in range(sizes[axis])]
        steps = [right[along] - left[along] for left, right in pairwise(line)]
        assert min(steps) >= 1


def test_a_layout_that_a_topology_cannot_have_is_refused() -> None:
    """A layout that is not known, lacks a size, or leaves out an axis is refused by its name."""
    for drawing, said in (
        (Drawing("spiral"), "unknown drawing layout 'spiral'"),
        (Drawing("groups"), "layout 'groups' needs the size group, global"),
        (Drawing("lattice", ("x",)), "lays out no axis y"),
    ):
        with pytest.raises(InputError, match=said):
            draw_fabric(build(replace(THIRD_PARTY, drawing=drawing), {"x": 4, "y": 3}))
