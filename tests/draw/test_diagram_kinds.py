"""The kinds of diagram: true to links, loads, racks and paths."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.draw import KINDS, Diagram, draw_diagram
from fabric.draw.adjacency import adjacency_matrix
from fabric.draw.diagram import lay_out_diagram
from fabric.draw.load import load_shares, uplink_loads
from fabric.errors import FabricError, InputError
from fabric.flow import Routing, phases, place
from fabric.flow.host_links import bundle_rows
from fabric.flow.link_utilization import link_loads
from fabric.flow.paths import shortest_path
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.topology import Topology
from fabric.units import count
from tests.draw.fabrics import FORMS, build
from tests.draw.legibility import words
from tests.marks import slow


def test_one_switch_has_no_matrix() -> None:
    """The matrix of a single switch is refused."""
    with pytest.raises(InputError, match="no two of its switches"):
        draw_diagram(fabric.design(name="few", gpus=8, server="hgx-h100").blueprint, Diagram("adjacency"))


@pytest.mark.parametrize("seed", [1, *slow(0, 2)])
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
    blueprint = build("colossus")
    (phase,) = phases(blueprint.server, place(blueprint, "random", seed=0), "all-reduce", "hierarchical-ring")
    even, hashed = (
        uplink_loads(blueprint, link_loads(blueprint, phase, Routing(name))) for name in ("adaptive", "ecmp")
    )
    assert even.shape == hashed.shape == (1568, 64)
    assert np.ptp(even, axis=1).max() < 1e-9
    assert even.max() <= 1 + 1e-9 < 2 < hashed.max()
    assert hashed.sum() == pytest.approx(even.sum())


def test_bars_hold_loads_evenly() -> None:
    """Loads at every eighth fall equally to all bars; the first has only those below it, the last all above."""
    eighths = np.repeat(np.arange(0, 4, 0.125), 5)
    shares = load_shares(eighths)
    assert shares[1:-1] == pytest.approx(np.full(15, 10 / 160))
    assert (shares[0], shares[-1]) == (5 / 160, 5 / 160)
    assert load_shares(np.array([7.0]))[-1] == 1


@pytest.mark.parametrize("ends", [(0, 99_999), (0, 7), (0, 8), (17, 4000)])
def test_path_is_described(ends: tuple[int, int]) -> None:
    """A path is drawn with its ends, its hops and the coordinates of every device on it."""
    blueprint = build("colossus")
    said = words(lay_out_diagram(blueprint, Diagram(highlight=ends)))
    path = shortest_path(blueprint, *ends)
    assert f"Path from GPU {count(ends[0])} to GPU {count(ends[1])}" in said
    assert (f"{len(path) - 2} hop" in said) if len(path) > 1 else ("by NVLink" in said)
    assert said.count("unit 0 rail 0") >= sum("block=0,rail=0" in name for name in path)
    assert "plane 0" not in said


def test_levels_are_described() -> None:
    """A pod's picture says which it is, all its switches, and what is above, aggregated, with its multiplicity."""
    said = words(lay_out_diagram(build("colossus"), Diagram(level="pod", pod=48)))
    for fact in ("Pod 48", "32 of 1,568", "16 × 64 devices", "212 of 12,500", "pod 48", "unit 3"):
        assert fact in said, fact
    with pytest.raises(FabricError, match="--pod 49"):
        lay_out_diagram(build("colossus"), Diagram(level="pod", pod=49))


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (["-o", "x.docx"], ".svg, .png or .pdf"),
        (["-o", "x.svg", "--highlight", "0,5"], "path:0,511"),
        (["-o", "x.svg", "--highlight", "path:5,5"], "two ends"),
        (["-o", "x.svg", "--highlight", "path:0,1024"], "1,024, numbered from 0"),
        (["-o", "x.svg", "--level", "pod"], "has no pods; levels: fabric, unit"),
        (["-o", "x.svg", "--kind", "load", "--level", "unit"], "--level does not apply"),
        (["-o", "x.svg", "--fail", "leaf:1"], "--fail does not apply to --kind tiers"),
        (["-o", "x.svg", "--kind", "load", "--fail", "lief:1"], "unknown kind 'lief'"),
        (["-o", "x.svg", "--kind", "load", "--fail", "server:127"], "failures leave fewer than two servers"),
        (["-o", "x.svg", "--kind", "load", "--routing", "valiant"], "Valiant routing needs a direct network"),
        (["-o", "x.svg", "--kind", "load", "--placement", "rondom"], "did you mean 'random'"),
        (["-o", "no/such\0/x.svg"], "control character U+0000"),
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
    """The command writes the same bytes each time, the load with its heat map in every format."""
    suffixes = ("svg", "png", "pdf") if kind == "load" else ("svg",)
    for name in (f"{name}.{suffix}" for suffix in suffixes for name in "ab"):
        words_ = ["diagram", "superpod-h100-1su", "--kind", kind, "-q", "-o", str(tmp_path / name)]
        assert CliRunner().invoke(cli, words_, obj=True, catch_exceptions=False).exit_code == 0
    for suffix in suffixes:
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
