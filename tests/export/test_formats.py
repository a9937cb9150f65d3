"""Truths about exported views: other tools read back what was seen, and show names as text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import networkx as nx
import pytest
from click.testing import CliRunner

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.cli.main import cli
from fabric.errors import FabricError, InputError, TooLarge
from fabric.export import FORMATS, Format, format_by_suffix, to_networkx, view_for, write_view_text
from fabric.testing import random_blueprint
from fabric.topology.families import families
from fabric.view import LEVELS, READABLE, View, levels_of, view_of

FORMS = [form for family in families().values() for form in family.forms]
HOSTILE = "<script>alert('x')</script> & \"quoted\" \\N \\ \u202eright to left\nnext %name% ]]> &lt; {a|b}"
CLEAN = HOSTILE + "\ufffd\ufffd"
VIEW_FORMATS = {name: each for name, each in FORMATS.items() if isinstance(each, Format)}
KNOWN = {"format_": tuple(FORMATS), "level": tuple(LEVELS)}
graphviz = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")


def blueprints() -> Iterator[Blueprint]:
    """Yield a random small blueprint of every form."""
    for form in FORMS:
        yield random_blueprint(form, Random(f"{form.text} interchange"))


def views() -> Iterator[View]:
    """Yield a view of every form at every level that it has."""
    for plan in blueprints():
        yield from (view_of(plan, level) for level in levels_of(plan))


def text(view: View, format_: str) -> str:
    """Return a view in a format."""
    return "".join(write_view_text(view, format_))


def hostile() -> Blueprint:
    """Return a small fabric whose every name is hostile."""
    plan = random_blueprint(families()["rail-optimized"].forms[1], Random(3))
    models = {role: Switch(HOSTILE + "\x00\r", ports=10, rate_gbps=400) for role in plan.models}
    server = Server(HOSTILE + "\x00\r", gpus=plan.server.gpus, nics=plan.server.nics, nic_gbps=plan.server.nic_gbps)
    return replace(plan, name=HOSTILE + "\x00\r", models=models, server=server)


def same(read: nx.MultiGraph, graph: nx.MultiGraph) -> bool:
    """Tell whether two graphs have equal nodes and edges, with their attributes, and parallel edges too."""
    edges = [Counter(_edge(*edge) for edge in one.edges(data=True)) for one in (read, graph)]
    return dict(read.nodes(data=True)) == dict(graph.nodes(data=True)) and edges[0] == edges[1]


def _edge(low: str, high: str, data: dict[str, object]) -> tuple[object, ...]:
    return (frozenset((low, high)), *sorted((key, repr(value)) for key, value in data.items() if key != "id"))


def test_networkx_reads_back_an_equal_graph() -> None:
    """GraphML and node-link JSON give networkx the view's nodes, edges and attributes, parallel edges included."""
    parallel = 0
    for view in views():
        graph = to_networkx(view)
        assert (len(graph), graph.number_of_edges()) == (len(view), view.edge_count)
        linked = nx.node_link_graph(json.loads(text(view, "node-link")), edges="edges")
        assert nx.utils.graphs_equal(linked, graph)
        assert linked.graph == graph.graph
        read = nx.parse_graphml(text(view, "graphml"), force_multigraph=True)
        assert same(read, graph), view.title
        assert graph.graph.items() <= read.graph.items()
        parallel += graph.number_of_edges() - nx.Graph(graph).number_of_edges()
    assert parallel > 0


def test_networkx_writes_the_graph_that_it_read() -> None:
    """What networkx's own writer makes of a view's graph reads back as the same graph as ours."""
    for view in (view_of(plan, "fabric") for plan in blueprints()):
        theirs = "\n".join(nx.generate_graphml(to_networkx(view)))
        ours = nx.parse_graphml(text(view, "graphml"), force_multigraph=True)
        assert same(nx.parse_graphml(theirs, force_multigraph=True), ours)


def rendered(source: str, *options: str) -> ElementTree.Element:
    """Return the SVG that Graphviz draws of a graph in its language, without a word of complaint."""
    done = subprocess.run(
        ["dot", *options, "-Tsvg"], input=source.encode(), capture_output=True, check=True, timeout=60
    )
    assert not [line for line in done.stderr.decode().splitlines() if "font" not in line]
    return ElementTree.fromstring(done.stdout)


def parts(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """Return the parts of a class, `node` or `edge`."""
    return [part for part in svg.iter("{http://www.w3.org/2000/svg}g") if part.get("class") == kind]


@graphviz
def test_graphviz_draws_every_node_in_its_place_and_every_edge() -> None:
    """The SVG has as many nodes and edges as the view at the positions of the view, and no two overlap."""
    for plan in blueprints():
        view = view_of(plan, levels_of(plan)[-2])
        svg = rendered(text(view, "dot"))
        nodes = parts(svg, "node")
        assert (len(nodes), len(parts(svg, "edge"))) == (len(view), view.edge_count)
        names = [part.findtext("{http://www.w3.org/2000/svg}title") for part in nodes]
        assert names == list(view.names)
        boxes = [box(part) for part in nodes]
        assert all(not overlap(boxes[one], boxes[two]) for one in range(len(boxes)) for two in range(one))
        steps = [(low[0] + low[2], low[1] + low[3]) for low in boxes]
        for one, (x, y) in zip(view.nodes(), steps, strict=True):
            assert x / 2 - steps[0][0] / 2 == pytest.approx((one.x - view.x[0]) * 112, abs=0.2)
            assert steps[0][1] / 2 - y / 2 == pytest.approx((one.y - view.y[0]) * 112, abs=0.2)


def box(part: ElementTree.Element) -> tuple[float, float, float, float]:
    """Return the least and greatest x and y that a node's outline has."""
    path = next(part.iter("{http://www.w3.org/2000/svg}path")).get("d", "")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    return min(numbers[0::2]), min(numbers[1::2]), max(numbers[0::2]), max(numbers[1::2])


def overlap(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    """Say whether two boxes share a point."""
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


@graphviz
def test_graphviz_keeps_the_attributes() -> None:
    """Every attribute of nodes and edges is there in what Graphviz makes of the file."""
    view = view_of(next(blueprints()), "device")
    done = subprocess.run(
        ["dot", "-Tjson"], input=text(view, "dot").encode(), capture_output=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert {node["name"]: (node["role"], int(node["multiplicity"])) for node in found["objects"]} == {
        node.name: (node.role, node.multiplicity) for node in view.nodes()
    }
    assert Counter((edge["bundle"], int(edge["links"]), int(edge["rate_gbps"])) for edge in found["edges"]) == Counter(
        (edge.bundle, edge.links, edge.rate_gbps) for edge in view.edges()
    )


def test_every_cell_of_a_drawing_joins_cells_and_none_overlaps() -> None:
    """In draw.io's file every edge has two ends that are there, below the shapes, and no two shapes overlap."""
    for view in views():
        root = ElementTree.fromstring(text(view, "drawio"))
        cells = {outer.get("id"): (outer, outer.find("mxCell")) for outer in root.iter("object")}
        ids = [part.get("id") for part in root.iter() if part.get("id") is not None]
        assert len(ids) == len(set(ids))
        nodes = {key: outer for key, (outer, cell) in cells.items() if cell.get("vertex") and outer.get("role")}
        edges = [cell for _, cell in cells.values() if cell.get("edge")]
        assert (len(nodes), len(edges)) == (len(view), view.edge_count)
        ends = Counter((nodes[edge.get("source")].get("name"), nodes[edge.get("target")].get("name")) for edge in edges)
        assert ends == Counter((edge.lower, edge.upper) for edge in view.edges())
        layers = [cell.get("id") for cell in root.iter("mxCell") if cell.get("parent") == "0"]
        assert {cell.get("parent") for cell in edges} <= {layers[0]}
        assert {outer.find("mxCell").get("parent") for outer in nodes.values()} == {layers[1]}
        shapes = [cell.find("mxGeometry") for _, cell in cells.values() if cell.get("vertex")]
        boxes = [tuple(float(shape.get(key)) for key in ("x", "y", "width", "height")) for shape in shapes]
        spans = [(x, y, x + width, y + height) for x, y, width, height in boxes]
        assert all(not overlap(spans[one], spans[two]) for one in range(len(spans)) for two in range(one))


def test_hostile_names_stay_text_in_every_format() -> None:
    """Markup, quotes, backslashes, newlines and marks of direction come back as they are; the rest is reported.

    No name opens an element, ends a string or is taken for HTML.
    """
    view = view_of(hostile(), "fabric")
    assert view.fabric == HOSTILE + "\x00\r"
    linked = nx.node_link_graph(json.loads(text(view, "node-link")), edges="edges")
    read = nx.parse_graphml(text(view, "graphml"), force_multigraph=True)
    for graph in (linked, read, to_networkx(view)):
        assert graph.graph["name"] == CLEAN
        assert {data["model"] for _, data in graph.nodes(data=True)} == {CLEAN}
    root = ElementTree.fromstring(text(view, "drawio"))
    assert {part.get("model") for part in root.iter("object") if part.get("model")} == {CLEAN}
    assert root.find("diagram").get("name").startswith(CLEAN)
    assert all("html=0" in cell.get("style") for cell in root.iter("mxCell") if cell.get("style"))


@graphviz
def test_hostile_names_stay_text_in_what_graphviz_draws() -> None:
    """In the SVG a hostile name is the text of the title, character by character, and no element of its own."""
    svg = rendered(text(view_of(hostile(), "fabric"), "dot"))
    assert not [part for part in svg.iter() if part.tag.endswith("script")]
    words = "".join(part.text or "" for part in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert "<script>alert('x')</script> & \"quoted\" \\N \\ \u202eright to left" in words.replace("\xa0", " ")
    assert "next %name% ]]> &lt; {a|b}" in words.replace("\xa0", " ")


@pytest.fixture(scope="module")
def colossus() -> Blueprint:
    """Design a hundred thousand GPUs once."""
    return fabric.design("colossus-100k").blueprint


@pytest.mark.parametrize("format_", VIEW_FORMATS)
def test_a_picture_is_of_as_many_nodes_as_can_be_read(colossus: Blueprint, format_: str) -> None:
    """A hundred thousand GPUs device by device are no picture, the level that is one is named; graphs may be larger."""
    if VIEW_FORMATS[format_].picture:
        with pytest.raises(TooLarge, match=r"16,660 nodes.*use level unit"):
            view_for(colossus, format_, "device")
        with pytest.raises(TooLarge, match="too many for a picture"):
            write_view_text(view_of(colossus, "device"), format_)
    else:
        assert len(view_for(colossus, format_, "device")) == 16_660
    assert len(view_for(colossus, format_)) <= READABLE
    assert view_for(colossus, format_, pod=3).place == {"pod": 3}
    assert view_for(colossus, format_, pod=3, unit=2).place == {"pod": 3, "unit": 2}


def test_more_devices_than_fit_in_memory_are_refused(colossus: Blueprint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view of every device says what memory it takes, before it takes it."""
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 10**7)
    with pytest.raises(TooLarge, match=r"16,660 devices and 300,704 links.*coarser level: fabric, pod, unit"):
        view_for(colossus, "graphml", "device")


def run(*words: str) -> tuple[int, str]:
    """Run the command and return its exit code and what it says, a FabricError's message included."""
    done = CliRunner().invoke(cli, ["export", *words])
    code = done.exception.exit_code if isinstance(done.exception, FabricError) else done.exit_code
    return code, done.output + (str(done.exception) if isinstance(done.exception, FabricError) else "")


@pytest.mark.parametrize("suffix", ["graphml", "dot", "gv", "drawio", "json"])
def test_the_suffix_says_the_format(tmp_path: Path, suffix: str) -> None:
    """A file gets the format of its suffix, byte for byte what the format by name gives, and nothing else is left."""
    file = tmp_path / f"new folder/it.{suffix}"
    code, said = run("superpod-h100-1su", "--level", "unit", "-o", str(file))
    assert (code, said.strip()) == (0, f"wrote {file}: superpod-h100-1su, unit 0, 44 nodes, 288 edges")
    study = fabric.design("superpod-h100-1su")
    assert file.read_text(encoding="utf-8") == text(study.view("unit"), format_by_suffix(file).name)
    assert [*file.parent.iterdir()] == [file]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("colossus-100k",), 2, "Give --format"),
        (("colossus-100k", "-o", "it.png"), 2, "no format has the suffix '.png'"),
        (("colossus-100k", "-o", ""), 2, "no format has the suffix"),
        (("colossus-100k", "--format", "dot", "-o", ""), 2, "not a file name"),
        (("colossus-100k", "--format", "dot", "-o", "/"), 2, "not a file name"),
        (("colossus-100k", "--format", "dot", "--level", "device"), 2, "use level unit"),
        (("colossus-100k", "--format", "dot", "--pod", "49"), 2, "--pod 49: colossus-100k has 49"),
        (("colossus-100k", "--format", "dot", "--level", "fabric", "--unit", "1"), 2, "need --level pod or unit"),
        (("superpod-h100-1su", "--format", "dot", "--level", "pod"), 2, "no pods; levels: fabric, unit, device"),
    ],
)
def test_what_cannot_be_written_is_refused(words: tuple[str, ...], code: int, said: str) -> None:
    """A format, a place or a file that there is not is named, and the exit code is 2."""
    found = run(*words)
    assert found[0] == code
    assert said in found[1]


def test_without_a_file_the_graph_goes_to_stdout() -> None:
    """The text on stdout is the file's, and the level that was chosen is reported on stderr."""
    done = CliRunner().invoke(cli, ["export", "colossus-100k", "--format", "node-link"])
    assert done.exit_code == 0
    read = nx.node_link_graph(json.loads(done.stdout), edges="edges")
    assert read.graph == {"name": "colossus-100k", "level": "unit", "pod": 0, "unit": 0}
    assert done.stderr == "level unit; other levels: fabric, pod, device\n"


def test_nothing_is_left_of_a_file_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing breaks off, the old file stands as it was and no other is there."""
    file = tmp_path / "it.dot"
    file.write_text("old")

    def broken(view: View, format_: str) -> Iterator[str]:
        yield f"half of {view.fabric} as {format_}"
        raise OSError(28, "the disk is full")

    monkeypatch.setattr("fabric.report.files.write_view_text", broken)
    with pytest.raises(FabricError, match="the disk is full"):
        fabric.write_view(fabric.design("superpod-h100-1su").view(), file)
    assert (file.read_text(), [*tmp_path.iterdir()]) == ("old", [file])


def test_the_command_offers_every_format_and_level() -> None:
    """What `--format` and `--level` take is what there is."""
    offered = {each.name: each.type.list_names() for each in cli.commands["export"].params if each.name in KNOWN}
    assert {name: tuple(choices) for name, choices in offered.items()} == KNOWN


def test_an_unknown_format_names_the_nearest() -> None:
    """A format that there is not is answered with the one that is near."""
    with pytest.raises(InputError, match="did you mean 'graphml'"):
        write_view_text(view_of(next(blueprints()), "fabric"), "graphmll")
