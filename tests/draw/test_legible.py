"""Every picture is legible: no text is tiny, cut off or over other text, and nothing leaves the page."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.draw import KINDS, Diagram, draw_diagram
from fabric.draw.canvas import Arc, Canvas, Label, Line
from fabric.draw.diagram import lay_out_diagram
from fabric.draw.plain_style import plain_style
from fabric.topology.graph_form import GraphForm
from fabric.view import levels_of
from tests.draw.fabrics import FORMS, SMALL_GRAPHS, build, names, one_of_each, page
from tests.draw.legibility import drawn_problems, extent, problems, texts


def cabled(blueprint: Blueprint) -> bool:
    """Say whether servers have a link for every NIC; some fabrics made up for their words have fewer, and no flows."""
    bundle, topology = blueprint.topology.bundles[0], blueprint.topology
    return isinstance(topology, GraphForm) or (
        blueprint.leaves_per_server * blueprint.sizes[bundle.name] == blueprint.server.nics
    )


def diagrams(blueprint: Blueprint, kind: str) -> list[Diagram]:
    """Return every diagram of a kind that a fabric has: levels and a path."""
    last = blueprint.gpus - 1 if blueprint.topology.rails_meet_at else (blueprint.servers - 1) * blueprint.server.gpus
    match kind:
        case "tiers":
            path = (0, last) if cabled(blueprint) and last else None
            return [Diagram(level=level, highlight=path) for level in levels_of(blueprint) if level != "device"]
        case "adjacency":
            return [Diagram(kind)] if blueprint.topology.fabric_bundles else []
        case "racks":
            return [Diagram(kind)]
        case _:
            return [Diagram(kind)] if blueprint.servers > 1 and cabled(blueprint) else []


def illegible(fabrics: list[str], kind: str) -> dict[str, list[str]]:
    """Return what is wrong with the diagrams of a kind, for each of the fabrics."""
    found = {}
    for name in fabrics:
        blueprint = build(name)
        for diagram in diagrams(blueprint, kind):
            if wrong := problems(lay_out_diagram(blueprint, diagram)):
                found[f"{name}, {diagram.level}"] = wrong
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["small clos", "small graph", "designed", "colossus", "one switch"])
def test_every_kind_is_legible(start: str, kind: str) -> None:
    """Every kind of picture of every family is legible: small ones, and what is designed from one server on."""
    assert illegible(one_of_each(start) if start.startswith("small") else names(start), kind) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["small clos", "small graph"])
def test_every_kind_of_every_form_is_legible(start: str, kind: str) -> None:
    """So are those of the other forms of a family."""
    assert illegible(names(start), kind) == {}


@pytest.mark.parametrize("start", ["middle clos", "random"])
def test_tiers_are_legible(start: str) -> None:
    """So are the levels and paths of fabrics of a middle size, and of those made up by chance."""
    assert illegible(one_of_each(start), "tiers") == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["middle clos", "random"])
def test_tiers_of_every_form_are_legible(start: str) -> None:
    """So are those of the other forms of a family."""
    assert illegible(names(start), "tiers") == {}


@pytest.mark.parametrize("start", ["large clos", "large graph", "wordy"])
def test_large_fabrics_are_legible(start: str) -> None:
    """So are large fabrics, and names and numbers as long as they come."""
    for name in one_of_each(start):
        assert problems(page(name)) == [], name


@pytest.mark.slow
@pytest.mark.parametrize("start", ["large clos", "large graph"])
def test_large_fabrics_of_every_form_are_legible(start: str) -> None:
    """So are those of the other forms of a family."""
    for name in names(start):
        assert problems(page(name)) == [], name


@pytest.mark.parametrize("family", SMALL_GRAPHS)
def test_parts_of_a_large_direct_network_are_legible(family: str) -> None:
    """So are the levels and paths of a large fabric of every direct family."""
    name = names(f"large graph {family} ")[0]
    for diagram in diagrams(build(name), "tiers"):
        assert problems(lay_out_diagram(build(name), diagram)) == [], diagram.level


@pytest.mark.slow
def test_parts_of_large_direct_networks_are_legible() -> None:
    """So are those of every direct form."""
    assert illegible(names("large graph"), "tiers") == {}


@pytest.mark.parametrize("kind", ["adjacency", "racks"])
def test_other_kinds_of_a_large_direct_network(kind: str) -> None:
    """So are the matrix and the racks of a dragonfly of 100,000 GPUs."""
    (name,) = names("large graph dragonfly ")
    assert [text for each in diagrams(build(name), kind) for text in problems(lay_out_diagram(build(name), each))] == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("superpod", kind) for kind in KINDS),
        ("million", "tiers"),
        *(pytest.param("million", kind, marks=pytest.mark.slow) for kind in KINDS if kind != "tiers"),
    ],
)
def test_as_matplotlib_draws_it(name: str, kind: str) -> None:
    """A SuperPOD and a million GPUs are legible in every kind, measured on the figure itself."""
    blueprint = build(name)
    path = (0, blueprint.gpus - 1) if kind == "tiers" else None
    assert drawn_problems(draw_diagram(blueprint, Diagram(kind, highlight=path))) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_as_matplotlib_draws_them(kind: str) -> None:
    """So is every picture above."""
    for start in ("small", "middle", "large graph", "random", "designed", "colossus", "one switch"):
        if kind != "tiers" and start in ("middle", "large graph", "random"):
            continue
        for name in names(start):
            for diagram in diagrams(build(name), kind):
                assert drawn_problems(draw_diagram(build(name), diagram)) == [], (name, diagram.level)


def test_the_marks_are_measured_as_they_are_drawn() -> None:
    """The sides of a text on the canvas, by which legibility is measured, are those on the figure, up to hinting."""
    blueprint = build("superpod")
    canvas: Canvas = lay_out_diagram(blueprint, Diagram())
    labels = [mark for mark in canvas.marks if isinstance(mark, Label) and mark.text.strip()]
    found = texts(draw_diagram(blueprint))
    assert [text.get_text() for text in found] == [label.text for label in labels]
    with plain_style():
        drawn = np.array([text.get_window_extent().extents for text in found]) * 72 / 200
    # Agg hints letters to whole pixels, so that a line is up to 3 % wider or narrower than its outlines.
    slack = 1.0 + 0.03 * (drawn[:, 2] - drawn[:, 0])
    assert (np.abs(drawn - np.array([extent(label) for label in labels])) < slack[:, None]).all()


def test_what_is_illegible_is_found() -> None:
    """Tiny text, text over text, text beyond the page and marks beyond the page are found, on canvas and figure."""
    blueprint = build("superpod")
    canvas = lay_out_diagram(blueprint, Diagram())
    for mark, said in (
        (Label(100, 100, "tiny", 5.0, "#000000"), "tiny"),
        (next(mark for mark in canvas.marks if isinstance(mark, Label)), "lies over"),
        (Label(canvas.width - 3, 100, "beyond", 7, "#000000"), "leaves the page"),
        (Line(10, 10, canvas.width + 2, 10, "#000000"), "leaves the page"),
        (Arc(10, 3, 500, 3, -9, "#000000"), "leaves the page"),
    ):
        worse = Canvas(canvas.width, canvas.height, (*canvas.marks, mark))
        assert any(said in text for text in problems(worse)), mark


def test_every_form_is_among_the_fabrics() -> None:
    """Every form of every family is drawn small, and every one by chance."""
    assert len(names("small")) == len(FORMS) + 1
    assert len(names("random")) == len(FORMS)
