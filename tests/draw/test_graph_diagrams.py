"""The pictures of graph topologies: true to the links, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from fabric.blueprint import Blueprint
from fabric.draw import draw_fabric, save
from fabric.draw.canvas import Arc, Canvas, Line
from fabric.draw.captions import notes
from fabric.draw.graph_diagram import lay_out_scene
from fabric.draw.graph_scene import WHOLE, GraphFabric
from fabric.draw.plain_style import plain_style
from fabric.draw.render import render
from fabric.draw.style import style_of
from fabric.errors import InputError
from fabric.topology.facts import Drawing
from fabric.topology.topology import title
from fabric.units import count
from fabric.view import view_of
from tests.draw.fabrics import GRAPH_FORMS, SMALL_GRAPHS, build, graph, names, one_of_each, page
from tests.draw.legibility import problems, words
from tests.marks import slow

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


@pytest.mark.parametrize("fabrics", [one_of_each, *slow(names)])
def test_at_most_2000_lines_are_drawn(fabrics: Callable[[str], list[str]]) -> None:
    """However many links a fabric has, at most 2,000 lines are drawn."""
    for name in [*fabrics("small graph"), *fabrics("large graph")]:
        assert sum(isinstance(mark, (Line, Arc)) for mark in page(name).marks) <= 2000, name


@pytest.mark.parametrize("fabrics", [one_of_each, *slow(names)])
def test_numbers(fabrics: Callable[[str], list[str]]) -> None:
    """The picture gives every group's devices, every bundle's links, how many a device has of them, and the GPUs."""
    for name in [*fabrics("small graph"), *fabrics("large graph")]:
        blueprint = build(name)
        said = words(page(name))
        for group in blueprint.topology.groups:
            assert f" × {count(blueprint.devices(group.role))} " in said, name
        for bundle in blueprint.topology.bundles:
            assert f"{bundle.name} {count(blueprint.links(bundle))} links " in said, name
            assert f"{count(blueprint.evaluate(bundle.lower_ports))} per {title(bundle.lower.role)}" in said, name
        assert f"{count(blueprint.gpus)} GPUs · {count(blueprint.servers)} servers" in said, name
        assert "rails" not in said, name


def test_small_fabric_is_whole() -> None:
    """Of up to 64 switches every two that are joined have a line, and one more in a group that is drawn in detail."""
    drawn = 0
    for form in GRAPH_FORMS:
        blueprint = graph(form, SMALL_GRAPHS[form.family])
        if blueprint.switches > WHOLE:
            continue
        groups, fabric = blueprint.sizes.get("group", 0), GraphFabric(blueprint, form)
        for bundle in fabric.patterns:
            links = len(fabric.joined_pairs(bundle))
            inside = "global" not in bundle.name
            again = (links // groups if inside else 2 * links // groups) if groups else 0
            assert strokes(blueprint, fabric.colour(bundle)) == links + again, (form.family, bundle.name)
        drawn += 1
    assert drawn > len(GRAPH_FORMS) / 2


def test_lines_of_a_cube_are_links() -> None:
    """Each NIC drawn whole has one line to each level."""
    for form in (form for form in GRAPH_FORMS if form.routing.nic_levels):
        blueprint = graph(form, SMALL_GRAPHS[form.family])
        if blueprint.switches <= WHOLE:
            for bundle in form.host_patterns:
                assert strokes(blueprint, GraphFabric(blueprint, form).colour(bundle)) == blueprint.links(bundle)


@pytest.mark.parametrize("family", MILLION)
def test_a_million_gpus(family: str, tmp_path: Path) -> None:
    """A million GPUs are drawn with at most 600 marks."""
    form = max(
        (form for form in GRAPH_FORMS if form.family == family),
        key=lambda form: (len(form.sizing.free), len(form.bundles)),
    )
    blueprint = graph(form, MILLION[family])
    assert blueprint.gpus >= 10**6
    canvas = lay_out(blueprint)
    assert len(canvas.marks) <= 600
    with plain_style():
        save(render(canvas), tmp_path / "fabric.svg")


def test_same_bytes(tmp_path: Path) -> None:
    """The same fabric gives the same bytes."""
    for family, sizes in SMALL_GRAPHS.items():
        form = next(form for form in GRAPH_FORMS if form.family == family)
        for name in ("a", "b"):
            save(draw_fabric(graph(form, sizes)), tmp_path / f"{name}.svg")
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes(), family


def test_planes_and_levels() -> None:
    """Planes are mentioned for fabrics that have them, levels for those whose NICs have a port for each, never both."""
    for name in [*names("small graph"), *names("large graph")]:
        blueprint = build(name)
        form = blueprint.topology
        said = " ".join(notes(blueprint))
        assert ("levels of switches" in said) == bool(form.routing.nic_levels), name
        assert ("planes are joined only" in said) == (name.startswith("large") and not form.routing.nic_levels), name


THIRD_PARTY = replace(
    next(form for form in GRAPH_FORMS if form.family == "torus" and len(form.sizing.symmetric) == 2),
    family="wrapped",
    drawing=Drawing("lattice", ("y",), ("x",), "ring"),
)


@pytest.mark.parametrize("sizes", [{"x": 4, "y": 3}, {"x": 15, "y": 20}])
def test_a_third_party_topology_is_drawn_as_a_lattice(sizes: dict[str, int]) -> None:
    """A topology of any family whose drawing is a lattice is drawn on one, its axes across and upwards as it says."""
    blueprint = graph(THIRD_PARTY, sizes)
    canvas = lay_out(blueprint)
    assert problems(canvas) == []
    assert f"x {sizes['x']} × y {sizes['y']}" in words(canvas)
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
            draw_fabric(graph(replace(THIRD_PARTY, drawing=drawing), {"x": 4, "y": 3}))
