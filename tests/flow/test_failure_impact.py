"""What failures cost: the healthy fabric beside the broken one, over seeds, and a failure never helps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog.library_tuning import LibrarySettings
from fabric.cli.main import cli
from fabric.errors import InputError
from fabric.flow import Routing, Shares, Workload, estimate_impact, estimate_workload, explicit_flows, fail
from tests.flow.flow_fabrics import form_of, rails, sized

GIB = 2**30
SIZE = 2**34
SPRAYED = Routing("adaptive")


@pytest.fixture(scope="module")
def plan() -> Blueprint:
    """Return a fabric of eight rails."""
    return rails()


def test_a_dead_nic_leaves_the_share_of_the_others(plan: Blueprint) -> None:
    """A server with one of eight NICs down keeps 7/8 of the network's bandwidth, and nothing is drawn."""
    work = Workload("all-reduce", algorithm="ring", placement="contiguous", routing=SPRAYED)
    found = estimate_impact(plan, replace(work, failures=("nic[block=0,slot=0,nic=3]",)), [2**36])
    assert found.seeds == (0,)
    assert found.failed[0].names() == ["nic[block=0,slot=0,nic=3]"]
    (whole,), _ = estimate_workload(plan, replace(work, engine="flows"), [2**36])
    assert found.healthy[0].estimate == whole.estimate
    kept = found.kept[0]
    assert whole.min * 7 / 8 * 400 == pytest.approx(kept.mean * whole.estimate.busbw_GBps, rel=0.02)
    assert kept.worst == pytest.approx(kept.mean)


def test_the_library_of_the_workload_serves_both(plan: Blueprint) -> None:
    """Channels that a workload asks for are those of the healthy fabric too."""
    work = Workload(placement="contiguous", routing=SPRAYED, failures=("leaf:1",), library=LibrarySettings(channels=32))
    (whole,), _ = estimate_workload(plan, replace(work, failures=(), engine="flows"), [SIZE])
    (broken,), _ = estimate_workload(plan, work, [SIZE])
    found = estimate_impact(plan, work, [SIZE], 1)
    assert found.healthy[0].estimate == whole.estimate
    assert found.kept[0].left == (broken.estimate,)
    usual = estimate_impact(plan, replace(work, library=LibrarySettings()), [SIZE], 1).healthy[0].estimate
    assert whole.estimate.busbw_GBps > 1.02 * usual.busbw_GBps


@pytest.mark.parametrize("failure", ["leaf:1", "leaf-spine:10%"])
def test_the_first_seed_is_solved_once(plan: Blueprint, monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    """Its answers and bounds are those of the workload alone, and its flows are solved as they are and as whole."""
    solved, solve = [], explicit_flows.shares

    def count(*given: Any) -> Shares:
        solved.append(given)
        return solve(*given)

    work = Workload(algorithm="ring", routing=Routing("ecmp", qps=2), failures=(failure,))
    answers, bounds = estimate_workload(plan, work, [GIB, SIZE])
    monkeypatch.setattr(explicit_flows, "shares", count)
    found = estimate_impact(plan, work, [GIB, SIZE], 1)
    assert (found.answers, found.bounds) == (answers, bounds)
    assert len(solved) == 2


def test_each_seed_draws_what_fails_anew(plan: Blueprint) -> None:
    """Every seed's share is that of the estimates with this seed; the first seed's parts are named."""
    work = Workload(placement="random", routing=Routing("ecmp", qps=2), failures=("leaf-spine:10%",), seed=5)
    found = estimate_impact(plan, work, [GIB], 3)
    assert found.seeds == (5, 6, 7)
    for index, seed in enumerate(found.seeds):
        routing = Routing("ecmp", qps=2, seed=index)
        (broken,), _ = estimate_workload(plan, replace(work, seed=seed, routing=routing), [GIB])
        assert broken.estimate.busbw_GBps == pytest.approx(found.kept[0].left[index].busbw_GBps)
    assert (fail(plan, found.failed[0].names()) == fail(plan, work.failures, 5)).all()
    assert found.kept[0].worst == min(found.kept[0].shares)
    busbw = [np.mean([each.busbw_GBps for each in row]) for row in (found.kept[0].left, found.kept[0].healthy)]
    assert found.kept[0].mean == pytest.approx(busbw[0] / busbw[1])


def test_the_healthy_fabric_runs_on_the_same_gpus(plan: Blueprint) -> None:
    """A server that is gone takes no part in either run, so that its absence is not taken for speed."""
    work = Workload(placement="contiguous", routing=SPRAYED, failures=("server[block=1,slot=2]",))
    found = estimate_impact(plan, work, [GIB])
    assert found.healthy[0].estimate.gpus == plan.gpus - 8
    assert found.kept[0].shares == pytest.approx((1.0,))


def test_a_seed_without_a_path_keeps_nothing() -> None:
    """Where the first seed joins all and another does not, that keeps nothing; where the first does not, it is said."""
    plan = sized(form_of("fat-tree", 2), 8, block=4, slot=2, spine=2)
    work = Workload(placement="contiguous", routing=SPRAYED, failures=("leaf-spine:3",), algorithm="ring")
    joined = [seed for seed in range(30) if left_by(plan, work, seed)]
    cut = [seed for seed in range(30) if not left_by(plan, work, seed)]
    first = next(seed for seed in joined if seed + 1 in cut)
    found = estimate_impact(plan, replace(work, seed=first), [GIB], 2)
    assert found.kept[0].left[1] is None
    assert found.kept[0].worst == 0
    with pytest.raises(InputError, match="never ends"):
        estimate_impact(plan, replace(work, seed=cut[0]), [GIB], 2)


def left_by(plan: Blueprint, work: Workload, seed: int) -> bool:
    """Return whether all leaves keep an uplink in common after what a seed fails."""
    up = fail(plan, work.failures, seed)[plan.servers :].reshape(4, 2)
    return all((up[one] & up[(one + 1) % 4]).any() for one in range(4))


def test_large_fabrics_take_fewer_seeds(plan: Blueprint) -> None:
    """There are eight seeds by default, and two where each takes long: of many GPUs."""
    work = Workload(routing=SPRAYED, failures=("leaf:1",), gpus=64)
    assert estimate_impact(plan, work, [GIB]).seeds == tuple(range(8))
    many = fabric.design("colossus-100k").blueprint
    assert len(estimate_impact(many, replace(work, gpus=90_000, algorithm="ring"), [GIB]).seeds) == 2


def test_values_of_no_use_are_refused(plan: Blueprint) -> None:
    """Without failures, or by the closed form, there is nothing to compare."""
    with pytest.raises(InputError, match="no failures"):
        estimate_impact(plan, Workload(), [GIB])
    with pytest.raises(InputError, match="no closed form for failures"):
        estimate_impact(plan, Workload(failures=("leaf:1",), engine="closed"), [GIB])
    with pytest.raises(InputError, match="seeds 0"):
        estimate_impact(plan, Workload(failures=("leaf:1",)), [GIB], 0)


REQUEST = "gpus: 128\nserver: dgx-h100\nplanes: 2\n"


def test_the_command_names_what_fails_and_what_is_kept(tmp_path: Path) -> None:
    """The terminal has the first names and JSON all, with the healthy bandwidth and the share kept."""
    request, listed = tmp_path / "request.yaml", tmp_path / "down.txt"
    request.write_text(REQUEST)
    listed.write_text("link:2%  # dirty optics\nnic[block=0,slot=0,nic=1]\n")
    words = ["allreduce", str(request), "--size", "1GiB", "--seeds", "4", "--fail", f"@{listed}"]
    text = CliRunner().invoke(cli, words).output
    assert "busbw healthy and after the failures, 4 seeds (0 to 3)" in text
    assert "nic[block=0,slot=0,nic=1] takes down 1 NIC: nic[block=0,slot=0,nic=1]." in text.replace("\n", " ")
    found = json.loads(CliRunner().invoke(cli, [*words, "--json"]).output)
    link, nic = found["failed"]
    assert (link["failure"], link["drawn"], nic["drawn"]) == ("link:2%", True, False)
    assert len(link["names"]) == int(text.partition("link:2% takes down ")[2].split()[0])
    for result in found["results"]:
        kept = result["share_kept"]
        assert kept["seeds"] == [0, 1, 2, 3]
        assert kept["by_seed"][0] == pytest.approx(result["busbw_GBps"] / result["healthy"]["busbw_GBps"])
        assert kept["worst"] == min(kept["by_seed"])
    listed.write_text("link:2%\n\nleef[block=0]\n")
    refused = CliRunner().invoke(cli, words)
    assert isinstance(refused.exception, InputError)
    assert str(refused.exception).startswith(f"{listed}:3: failure leef[block=0]: unknown kind 'leef'")
