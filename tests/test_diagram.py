"""Truths about the command `diagram`: every picture is legible, its numbers are the fabric's, and its look is held."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.cli import cli
from fabric.draw import save
from fabric.draw.adjacency import matrix
from fabric.draw.racks import RACK_GPUS, rack_of_servers
from fabric.draw.seen import on_path
from fabric.errors import InputError, TooLarge
from fabric.families import BUILTIN
from fabric.flow import Phase, Routing, link_loads, permutation
from fabric.report.pictures import Wanted, picture
from tests.test_draw import clashes, words

BASELINES = Path(__file__).parent / "baselines"
SIZES = (8, 64, 1024, 100_000, 1_000_000)
LOOSER = {"bcube": 8, "torus": 64, "mesh": 64, "slim-fly": 2}
HELD = {
    "unit": ("superpod-h100-4su", Wanted(level="unit")),
    "path": ("colossus-100k", Wanted(level="pod", path=(0, 99_999))),
    "racks": ("superpod-h100-8su", Wanted("racks")),
    "load": ("superpod-h100-4su", Wanted("load")),
    "adjacency": ("deepseek-ft3", Wanted("adjacency")),
}
"""The pictures whose look is held: a design and what is drawn of it."""

TOLERANCE = 6.0
"""The root of the mean square by which pixels (0 to 255) may differ: letters move from one release to another."""


@cache
def designed(family: str, gpus: int) -> fabric.Study | None:
    """Return a design of a family, or None where it has none of this size."""
    switch = {"name": "512 x 200G", "ports": 512, "rate_gbps": 200} if family == "bcube" else "sn5600"
    words_ = {"name": "it", "gpus": gpus, "server": "hgx-h100", "family": family, "planes": "any", "switches": switch}
    try:
        return fabric.design(words_, oversubscription=LOOSER.get(family, 1))
    except fabric.Infeasible:
        return None


@pytest.mark.parametrize("family", [item.name for item in BUILTIN])
def test_parts_of_every_family_are_legible(family: str) -> None:
    """On every level of every family no text is tiny, cut off or over other text: at 64 GPUs, thousands, a million."""
    drawn = 0
    for gpus in (64, 1_000_000 if family == "rail-optimized" else 100_000 if family == "dragonfly" else 8192):
        study = designed(family, gpus)
        for level in fabric.view.levels_of(study.blueprint) if study else ():
            if level == "device" and gpus > 64:
                continue
            for path in (None, (0, gpus - 1)):
                try:
                    figure = picture(study, Wanted(level=level, path=path))
                except TooLarge:
                    continue
                assert list(clashes(figure)) == [], (family, gpus, level)
                drawn += 1
    assert drawn >= 4


@pytest.mark.parametrize("kind", ["adjacency", "racks", "load"])
@pytest.mark.parametrize("family", ["rail-optimized", "dragonfly"])
def test_other_kinds_are_legible(kind: str, family: str) -> None:
    """The matrix, the racks and the loads of 8 to 100,000 GPUs have no text that is tiny, cut off or over another."""
    for gpus in SIZES[:4] if kind != "load" or family != "dragonfly" else SIZES[:3]:
        study = designed(family, gpus)
        if study:
            assert list(clashes(picture(study, Wanted(kind)))) == [], (kind, gpus)


def test_a_path_is_brought_out() -> None:
    """A path's devices are found on every level, in stacks where they stand in one, and its words name them all."""
    study = fabric.design("colossus-1m")
    path = study.path(0, 999_999)
    assert len(path) == 2 + study.hops.max
    assert len(on_path(study.view("fabric"), path)) == len(path)
    text = words(picture(study, Wanted(path=(0, 999_999)))).replace("\n", " ")
    assert all(name in text for name in path)
    assert f"{study.hops.max} hops" in text
    view = study.view("unit")
    assert [view.names[place] for place in on_path(view, study.path(0, 8))] == [*study.path(0, 8)]


def test_small_fabrics_are_drawn_device_by_device() -> None:
    """A fabric of up to 64 switches has as many cards, and a line for every pair that is joined."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import FancyBboxPatch

    study = fabric.design("superpod-h100-1su")
    figure, plan = picture(study, Wanted()), study.blueprint
    cards = [each for each in figure.findobj(FancyBboxPatch) if each.get_height() == 8]
    assert len(cards) == plan.switches + plan.servers
    assert len(figure.findobj(Line2D)) == study.view("device").edge_count


def test_the_matrix_holds_every_link() -> None:
    """The matrix of joined switches sums to twice the links between switches, in bands or switch by switch."""
    for name in ("colossus-100k", "superpod-h100-1su"):
        plan = fabric.design(name).blueprint
        links, band = matrix(plan)
        assert links.sum() == 2 * sum(map(plan.links, plan.form.fabric_bundles))
        assert (links == links.T).all()
        assert (band == 1) == (plan.switches <= 256)


def test_racks_hold_what_they_may() -> None:
    """No rack holds more than its GPUs, or servers of two units."""
    plan = fabric.design("colossus-100k").blueprint
    rack = rack_of_servers(plan)
    assert np.bincount(rack).max() * plan.server.gpus == RACK_GPUS
    unit = np.arange(plan.servers) // plan.sizes["slot"]
    assert all(len(set(unit[rack == each])) == 1 for each in range(0, int(rack.max()) + 1, 97))


@pytest.mark.parametrize("family", ["rail-optimized", "dragonfly"])
def test_loads_are_those_of_the_flows(family: str) -> None:
    """Loads of server links are those that flows send, and adaptive routing never has a fuller link than ECMP."""
    plan = designed(family, 1024).blueprint
    every = permutation(np.arange(1024), 3)
    apart = every.source // 8 != every.target // 8
    phase = Phase(every.source[apart], every.target[apart])
    loads = {name: link_loads(plan, phase, Routing(name, 2)) for name in ("ecmp", "adaptive")}
    for each in loads.values():
        assert each.shape == (2, plan.links_total)
        assert each[:, :1024].sum() == pytest.approx(2 * phase.flows)
    assert loads["adaptive"].max() <= loads["ecmp"].max() + 1e-9


@pytest.mark.parametrize("name", HELD)
def test_pictures_look_as_before(name: str, tmp_path: Path) -> None:
    """Each kind of picture looks as the one that was looked at and kept (`make baselines` keeps new ones)."""
    from matplotlib.testing.compare import compare_images

    design, wanted = HELD[name]
    figure = picture(fabric.design(design), wanted)
    figure.set_dpi(60)
    kept = BASELINES / f"{name}.png"
    target = kept if os.environ.get("KEEP_BASELINES") else tmp_path / f"{name}.png"
    figure.savefig(target, dpi=60, metadata={"Software": None})
    assert compare_images(str(kept), str(target), TOLERANCE) is None


def test_the_command_draws_or_says_why(tmp_path: Path) -> None:
    """`fabric diagram` writes the formats there are, and tells a wrong suffix, path or level before it computes."""
    runner = CliRunner()
    for suffix in ("svg", "png", "pdf"):
        file = tmp_path / f"it.{suffix}"
        assert runner.invoke(cli, ["diagram", "superpod-h100-1su", "-o", str(file)]).exit_code == 0
        assert file.stat().st_size > 1000
    before = sorted(tmp_path.iterdir())
    for bad, said in (
        (["-o", str(tmp_path / "x.gif")], r"ends in \.svg"),
        (["-o", str(tmp_path / "x.svg"), "--highlight", "0,1"], "path:0,99999"),
        (["-o", str(tmp_path / "x.svg"), "--highlight", "path:0,999"], "numbered from 0"),
        (["-o", str(tmp_path / "x.svg"), "--level", "pod"], "no pods"),
    ):
        with pytest.raises(InputError, match=said):
            runner.invoke(cli, ["diagram", "superpod-h100-1su", *bad], catch_exceptions=False, standalone_mode=False)
    with pytest.raises(TooLarge, match="level unit can be"):
        picture(fabric.design("colossus-1m"), Wanted(level="device"))
    assert sorted(tmp_path.iterdir()) == before


def test_the_same_picture_is_the_same_bytes(tmp_path: Path) -> None:
    """Pictures of parts and loads are the same to the byte on every run."""
    study = fabric.design("superpod-h100-2su")
    for wanted in (Wanted(level="unit"), Wanted("load"), Wanted("racks")):
        files = [tmp_path / "one.svg", tmp_path / "other.svg"]
        for file in files:
            save(picture(study, wanted), file)
        assert files[0].read_bytes() == files[1].read_bytes()
