"""The kinds of diagram: legible on every fabric, true to its links and loads, and quick."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.racks import Rack, floor_of
from fabric.cli.main import cli
from fabric.draw import KINDS, Diagram, Traffic, draw_diagram
from fabric.draw.adjacency import adjacency_matrix
from fabric.draw.load import load_shares, uplink_loads
from fabric.draw.render import plain_style
from fabric.errors import FabricError, InputError
from fabric.flow import Routing, phases, place
from fabric.flow.host_links import bundle_rows
from fabric.flow.link_utilization import link_loads
from fabric.flow.paths import shortest_path
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import CLOS, families
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Topology
from fabric.units import count
from fabric.view import levels_of
from tests.draw.test_graph_diagrams import LARGE as LARGE_WIRED
from tests.draw.test_graph_diagrams import SMALL as SMALL_WIRED
from tests.draw.test_graph_diagrams import WIRED, build
from tests.draw.test_tiers import clashes, colossus, words
from tests.draw.test_tiers import size as sized

FORMS = [form for family in families().values() for form in family.forms]
CHAINS = [form for family in CLOS for form in family.forms]
MIDDLE = {"pod": 6, "block": 4, "slot": 16, "rail": 8, "stripe": 3, "group": 4, "spine": 4, "core": 8}
FABRICS = {
    **{f"small {form.family} {form.text}": sized(form, {"slot": 3, "rail": 4}) for form in CHAINS},
    **{f"middle {form.family} {form.text}": sized(form, MIDDLE, 2) for form in CHAINS},
    **{f"wired {form.family} {form.text}": build(form, SMALL_WIRED[form.family]) for form in WIRED},
    "colossus": colossus(),
}
HUGE = {
    **{f"{form.family} {form.text}": build(form, LARGE_WIRED[form.family], 2, 2, 3) for form in WIRED},
    **{f"random {form.family} {form.text}": random_blueprint(form, Random(form.text)) for form in FORMS},
}


def diagrams(blueprint: Blueprint, kind: str) -> list[Diagram]:
    """Return every diagram of a kind that a fabric has: levels and paths of tiers, placements of racks."""
    last = blueprint.gpus - 1 if blueprint.topology.rails_meet_at else (blueprint.servers - 1) * blueprint.server.gpus
    # Fabrics made up for their words alone may have fewer links a server than it has NICs, and then no path or flow.
    cabled = isinstance(blueprint.topology, GraphForm) or blueprint.leaves_per_server * blueprint.sizes[
        blueprint.topology.bundles[0].name] == blueprint.server.nics  # fmt: skip
    if kind == "adjacency" and not blueprint.topology.fabric_bundles:
        return []
    if kind == "tiers":
        path = (0, last) if cabled else None
        return [Diagram(level=level, highlight=path) for level in levels_of(blueprint) if level != "device"]
    if kind == "racks":
        return [Diagram("racks"), Diagram("racks", traffic=Traffic(placement="random"))]
    return [Diagram(kind)] if kind != "load" or (blueprint.servers > 1 and cabled) else []


def illegible(blueprint: Blueprint, kind: str) -> list[str]:
    """Return what is wrong with all diagrams of a kind."""
    found: list[str] = []
    for diagram in diagrams(blueprint, kind):
        figure = draw_diagram(blueprint, diagram)
        found += [f"{diagram.level}: {text}" for text in (*clashes(figure), *beyond(figure))]
    return found


def beyond(figure: Figure) -> list[str]:
    """Return the boxes, lines and pictures that leave the page."""
    width, height = figure.bbox.size
    found = []
    with plain_style():
        figure.draw_without_rendering()
        for artist in figure.get_children():
            if isinstance(artist, (Patch, Line2D, BboxImage)) and artist is not figure.patch:
                box = _extent(artist)
                if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
                    found.append(f"{artist} leaves the page")
    return found


def _extent(artist: Artist):
    return artist.get_window_extent(artist.figure.canvas.get_renderer())


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in FABRICS for kind in KINDS if kind == "tiers" or "middle" not in name]
)
def test_legible(name: str, kind: str) -> None:
    """In every kind of picture of any fabric no text is tiny, cut off or over other text, and all is on the page."""
    assert illegible(FABRICS[name], kind) == []


@pytest.mark.parametrize("name", HUGE)
def test_legible_large(name: str) -> None:
    """So are the tiers, parts and layouts of large direct networks, and of fabrics made up by chance."""
    assert illegible(HUGE[name], "tiers") == []


@pytest.mark.parametrize("kind", ["adjacency", "racks"])
def test_other_kinds_of_a_large_direct_network(kind: str) -> None:
    """So are the matrix and the racks of a dragonfly of a million GPUs."""
    assert illegible(next(plan for name, plan in HUGE.items() if name.startswith("dragonfly")), kind) == []


@pytest.mark.parametrize("gpus", [8, 16, 64, 1024])
def test_legible_by_size(gpus: int) -> None:
    """So it is from a single server on, however a fabric of that size is designed."""
    for family in ("fat-tree", "rail-optimized"):
        blueprint = fabric.design(name="few", gpus=gpus, server="hgx-h100", family=family).blueprint
        assert [text for kind in KINDS for text in illegible(blueprint, kind)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_gpus(kind: str) -> None:
    """A million GPUs are legible in every kind."""
    blueprint = fabric.design("colossus-1m").blueprint
    figure = draw_diagram(blueprint, Diagram(kind, highlight=(0, 999_999) if kind == "tiers" else None))
    assert [*clashes(figure), *beyond(figure)] == []


def test_one_switch_has_no_matrix() -> None:
    """The matrix of a single switch is refused."""
    with pytest.raises(InputError, match="no two of its switches"):
        draw_diagram(fabric.design(name="few", gpus=8, server="hgx-h100").blueprint, Diagram("adjacency"))


@pytest.mark.parametrize("seed", range(3))
def test_adjacency_counts_links(seed: int) -> None:
    """The cells of the matrix hold every link between switches, once, and the matrix is its own mirror image."""
    for form in FORMS:
        blueprint = random_blueprint(form, Random(f"{form.text} {seed}"))
        network = expand(blueprint)
        between = int((network.lower >= network.servers.count).sum())
        for most in (2, 5, 64):
            bins, cells = adjacency_matrix(blueprint, most)
            assert np.triu(cells).sum() == between
            assert (cells == cells.T).all()
            assert all(part.rows <= max(most, 1) or part.each == 1 for part in bins)
            assert sum(min(part.rows * part.each, blueprint.devices(part.role)) for part in bins) == blueprint.switches


ONE_BUNDLE = [form for form in FORMS if not form.routing.nic_levels]
"""The forms whose servers have links of one bundle."""


@pytest.mark.parametrize("form", ONE_BUNDLE, ids=lambda form: f"{form.family} {form.text}")
def test_loads_are_kept(form: Topology) -> None:
    """What flows put on the links below leaves is what the NICs send, whatever routing takes it on from there."""
    drawn = (random_blueprint(form, Random(f"load {seed}")) for seed in range(100))
    blueprint = next(each for each in drawn if each.servers > 1)
    (phase,) = phases(blueprint.server, place(blueprint, "random", seed=1), "all-reduce", "hierarchical-ring")
    first, end = bundle_rows(blueprint)[blueprint.topology.bundles[0].name]
    for routing in (Routing("ecmp", blueprint.planes), Routing("adaptive")):
        loads = link_loads(blueprint, phase, routing)
        assert loads.shape == (2, blueprint.links_total)
        sent = loads[0, first:end].sum() * blueprint.link_gbps
        asked = (phase.shares / phase.busiest).sum() * blueprint.link_gbps * blueprint.planes
        assert sent == pytest.approx(asked)
        assert sent == pytest.approx(loads[1, first:end].sum() * blueprint.link_gbps)


def test_adaptive_is_even() -> None:
    """On a whole rail-optimised fabric adaptive routing loads all uplinks of a leaf alike, and ECMP does not."""
    blueprint = colossus()
    (phase,) = phases(blueprint.server, place(blueprint, "random", seed=0), "all-reduce", "hierarchical-ring")
    even, hashed = (
        uplink_loads(blueprint, link_loads(blueprint, phase, Routing(name))) for name in ("adaptive", "ecmp")
    )
    assert even.shape == hashed.shape == (1568, 64)
    assert np.ptp(even, axis=1).max() < 1e-9
    assert even.max() <= 1 + 1e-9 < 2 < hashed.max()
    assert hashed.sum() == pytest.approx(even.sum())


@pytest.mark.parametrize("seed", range(3))
def test_racks_hold_all(seed: int) -> None:
    """Every server has a rack, no rack has more than fit, and units that need more than one rack share none."""
    for form in FORMS:
        blueprint = random_blueprint(form, Random(f"{form.text} {seed}"))
        floor = floor_of(blueprint)
        racks = floor.rack_of(np.arange(blueprint.servers))
        assert racks.max() < floor.racks
        each = np.bincount(racks)
        assert each.max() * floor.server_units + floor.rack_leaves * floor.leaf_units <= floor.rack.units
        for shelf in floor.shelves:
            assert shelf.racks * shelf.each >= blueprint.devices(shelf.role) > (shelf.racks - 1) * shelf.each


def test_a_small_fabric_fills_one_rack() -> None:
    """One server and its leaf share a rack of what both draw, whatever else it had room for."""
    floor = floor_of(fabric.design(name="few", gpus=8, server="hgx-h100").blueprint)
    assert (floor.racks, floor.rack_leaves, floor.total) == (1, 1, 1)


def test_bars_hold_loads_evenly() -> None:
    """Of loads at every eighth as many fall to each bar; the first has those below it only, the last all above."""
    eighths = np.repeat(np.arange(0, 4, 0.125), 5)
    shares = load_shares(eighths)
    assert shares[1:-1] == pytest.approx(np.full(15, 10 / 160))
    assert (shares[0], shares[-1]) == (5 / 160, 5 / 160)
    assert load_shares(np.array([7.0]))[-1] == 1


def test_racks_by_power() -> None:
    """A rack that is fed with half the power holds half the servers, and none that is fed with less than one takes."""
    blueprint = colossus()
    assert floor_of(blueprint, Rack(42, 45_000)).rack_servers == 4
    assert floor_of(blueprint, Rack(42, 22_500)).rack_servers == 2
    with pytest.raises(InputError, match="--rack-kw"):
        floor_of(blueprint, Rack(42, 9_000))
    with pytest.raises(InputError, match="--rack-units"):
        floor_of(blueprint, Rack(6, 45_000))


@pytest.mark.parametrize("ends", [(0, 99_999), (0, 7), (0, 8), (17, 4000)])
def test_path_is_told(ends: tuple[int, int]) -> None:
    """A path is drawn with its ends, its hops and the coordinates of every device on it."""
    blueprint = colossus()
    said = words(draw_diagram(blueprint, Diagram(highlight=ends)))
    path = shortest_path(blueprint, *ends)
    assert f"Path from GPU {count(ends[0])} to GPU {count(ends[1])}" in said
    assert (f"{len(path) - 2} hop" in said) if len(path) > 1 else ("by NVLink" in said)
    assert said.count("unit 0 rail 0") >= sum("block=0,rail=0" in name for name in path)
    assert "plane 0" not in said


def test_levels_are_told() -> None:
    """A pod's picture says which it is, all its switches, and what is above in stacks with their multiplicity."""
    said = words(draw_diagram(colossus(), Diagram(level="pod", pod=48)))
    for fact in ("Pod 48", "32 of 1,568", "16 × 64 devices", "212 of 12,500", "pod 48", "unit 3"):
        assert fact in said, fact
    with pytest.raises(FabricError, match="--pod 49"):
        draw_diagram(colossus(), Diagram(level="pod", pod=49))


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (["-o", "x.docx"], ".svg, .png or .pdf"),
        (["-o", "x.svg", "--highlight", "0,5"], "path:0,511"),
        (["-o", "x.svg", "--highlight", "path:5,5"], "two ends"),
        (["-o", "x.svg", "--highlight", "path:0,1024"], "1,024, numbered from 0"),
        (["-o", "x.svg", "--level", "pod"], "has no pods; levels: fabric, unit"),
        (["-o", "x.svg", "--kind", "load", "--level", "unit"], "--level does not apply"),
        (["-o", "x.svg", "--kind", "load", "--routing", "valiant"], "Valiant routing needs a direct network"),
        (["-o", "x.svg", "--kind", "load", "--placement", "rondom"], "did you mean 'random'"),
        (["-o", "no/such\0/x.svg"], "not a folder name"),
    ],
)
def test_mistakes(words_: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be drawn is refused with what would be right, and no file is left."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["diagram", "superpod-h100-4su", *words_])
    assert result.exception is not None
    assert said in (result.output + str(result.exception)).replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_same_bytes(kind: str, tmp_path: Path) -> None:
    """The command writes the same bytes each time, in every format."""
    for name in ("a.svg", "b.svg", "a.png", "b.png", "a.pdf", "b.pdf"):
        words_ = ["diagram", "superpod-h100-1su", "--kind", kind, "-q", "-o", str(tmp_path / name)]
        assert CliRunner().invoke(cli, words_, obj=True, catch_exceptions=False).exit_code == 0
    for suffix in ("svg", "png", "pdf"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
