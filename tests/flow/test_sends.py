"""Traffic between pairs of GPUs: shares and times follow arithmetic, and the command shows what the library has."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fabric.errors import InputError
from fabric.flow import (
    PATTERNS,
    TRANSPORTS,
    Pattern,
    Routing,
    Sends,
    draw_sends,
    permutation,
    shares,
    solve_sends,
)
from tests.flow.flow_fabrics import fat_tree, rails
from tests.request_fixtures import Run


def sends(*rows: tuple[int, int, int]) -> Sends:
    """Return these sends."""
    return Sends(*np.array(rows).T)


@pytest.mark.parametrize("ranks", [2, 3, 17, 1000])
def test_a_permutation_has_no_fixed_point(ranks: int) -> None:
    """Every rank sends to one other and receives from one, and another seed draws another."""
    targets = [PATTERNS["permutation"].targets(ranks, seed) for seed in (0, 0, 1)]
    assert sorted(targets[0]) == [*range(ranks)]
    assert (targets[0] != np.arange(ranks)).all()
    assert (targets[0] == targets[1]).all()
    assert ranks < 17 or (targets[0] != targets[2]).any()


@pytest.mark.parametrize("name", ["adaptive", "ecmp", "dmodk"])
def test_a_permutation_gets_what_its_phase_gets(name: str) -> None:
    """On servers of one GPU a draw's mean and least share are those of the permutation's flows."""
    plan, routing = fat_tree(3, 4, 8), Routing(name, 4, 3, transport="ndp")
    found = solve_sends(plan, partial(draw_sends, plan, "permutation", "contiguous", None), routing, [3])
    phase = permutation(np.arange(128), 3)
    same = shares(plan, [phase], routing)
    share = routing.delivery.share
    assert (found.mean, found.min) == pytest.approx((share * same.mean, share * same.min))
    assert found.draws[0].time_s == pytest.approx(same.wire_s / share)
    assert found.local == 0


def test_every_draw_counts() -> None:
    """Draws have seeds of their own; the least share is that of all, percentiles are ordered, and draws can repeat."""
    plan = fat_tree(2, 8, 8)
    draw = partial(draw_sends, plan, "permutation", "random", None)
    found, again = (solve_sends(plan, draw, Routing("ecmp"), range(5, 13)) for _ in range(2))
    assert found == again
    assert [each.seed for each in found.draws] == [*range(5, 13)]
    assert len({each.mean for each in found.draws}) > 4
    spread = [found.min, *found.percentiles.values(), found.max]
    assert spread == sorted(spread)
    assert found.mean == pytest.approx(np.mean([each.mean for each in found.draws]))
    assert found.min == min(each.min for each in found.draws)


def test_the_busiest_nic_sets_the_time() -> None:
    """Two sends into one NIC share it in proportion to their bytes, and both end when it has received all."""
    plan, way = fat_tree(2, 4, 4), Routing(transport="ideal")
    found = solve_sends(plan, lambda _: sends((0, 4, 10**9), (8, 4, 3 * 10**9), (1, 5, 10**9)), way, [0])
    assert found.draws[0].time_s == pytest.approx(4e9 * 8 / 400e9)
    assert (found.mean, found.min, found.max) == (1.0, 1.0, 1.0)
    assert (found.busiest.target, found.busiest.load) == ("server[block=1,slot=0]", 1.0)


def test_an_oversubscribed_leaf_is_the_busiest_link() -> None:
    """All traffic of a leaf over a fourth of its bandwidth takes four times as long, by whatever routing."""
    plan = fat_tree(2, 4, 4, ratio=4)
    far = sends(*((gpu, gpu + 4, 10**9) for gpu in range(4)))
    for name in ("adaptive", "ecmp", "dmodk"):
        found = solve_sends(plan, lambda _: far, Routing(name, transport="ideal"), [0], program=True)
        assert found.draws[0].time_s == pytest.approx(4 * 1e9 * 8 / 400e9)
        assert found.cut == pytest.approx(0.25)
        assert found.lp == pytest.approx(0.25)
        assert (found.busiest.source, found.busiest.target, found.busiest.load) == (
            "leaf[block=0,stripe=0,plane=0]", "spine[spine=0,plane=0]", 4.0,
        )  # fmt: skip


def test_sends_inside_servers_take_no_network() -> None:
    """They are counted and take no time; traffic that never leaves servers has no flows."""
    plan = rails()
    found = solve_sends(plan, lambda _: sends((0, 1, 2**40), (0, 8, 2**20)), Routing(), [0])
    assert (found.sends, found.local) == (2, 1)
    assert found.draws[0].time_s == pytest.approx(2**20 * 8 / 400e9 / TRANSPORTS["rdma"].sprayed.share)
    with pytest.raises(InputError, match="no flow leaves its server"):
        solve_sends(plan, lambda _: sends((0, 1, 1)), Routing(), [0])


def test_gpus_and_seeds_that_there_are_not_are_refused() -> None:
    """A GPU beyond those of the design, a negative one, or no seed is one clear message."""
    plan = fat_tree(2, 4, 4)
    for row, text in (
        ((0, 16, 1), "target[0] is 16: sized has 16 GPUs, numbered from 0"),
        ((-1, 4, 1), "source[0] is -1: not a whole number from 0"),
    ):
        with pytest.raises(InputError, match=re.escape(text)):
            solve_sends(plan, lambda _, row=row: sends(row), Routing(), [0])
    with pytest.raises(InputError, match="no seeds; give one or more"):
        solve_sends(plan, lambda _: sends((0, 4, 1)), Routing(), [])


def test_traffic_that_failures_disconnect_altogether_is_said_to_be() -> None:
    """Where no send has both of its servers left, the message names the failures and not NVLink."""
    with pytest.raises(InputError, match=r"failures disconnect the servers of all 1 sends \(seed 3\)"):
        solve_sends(rails(), lambda _: sends((0, 8, 2**20)), Routing(seed=3), [3], ["server[block=0,slot=0]"])


def test_an_exbibyte_may_be_sent_and_no_more() -> None:
    """As a file of traffic may; more is said to be too large, and not to be no number."""
    assert solve_sends(rails(), lambda _: sends((0, 8, 2**60)), Routing(), [0]).draws[0].time_s > 1e7
    with pytest.raises(InputError, match=r"not a whole number from 1 to 2\*\*60"):
        sends((0, 8, 2**60 + 1))


def test_failures_slow_traffic_or_leave_it_out() -> None:
    """Half of a leaf's spines leave half, beside the healthy fabric; a server without its link sends nothing."""
    plan = fat_tree(2, 4, 4)
    far = sends(*((gpu, gpu + 4, 1) for gpu in range(4)))
    found = solve_sends(plan, lambda _: far, Routing(transport="ideal"), [0, 1], ["spine:2"])
    assert found.min == pytest.approx(0.5)
    assert found.kept == pytest.approx((0.5, 0.5))
    assert [draw.healthy and draw.healthy.mean for draw in found.draws] == [1.0, 1.0]
    lone = solve_sends(plan, lambda _: far, Routing(transport="ideal"), [0], ["server[block=0,slot=0]"])
    assert (lone.sends, lone.lost, lone.kept) == (4, 1, (1.0,))
    with pytest.raises(
        InputError,
        match=r"4 of 4 flows have no path by adaptive .*first from server\[.* no links join these two: fail fewer",
    ):
        solve_sends(plan, lambda _: far, Routing(), [0], ["spine:4"])


@pytest.mark.parametrize("name", ["adaptive", "ecmp"])
def test_failures_never_help_a_permutation(name: str) -> None:
    """On average over paired draws, failed links take some bandwidth, within two standard errors of the differences."""
    plan = fat_tree(3, 4, 8)
    draw = partial(draw_sends, plan, "permutation", "contiguous", None)
    found = solve_sends(plan, draw, Routing(name, 2), range(16), ["leaf-spine:5%"])
    lost = [each.healthy.mean - each.mean for each in found.draws if each.healthy]
    assert len(lost) == 16
    assert np.mean(lost) > -2 * np.std(lost) / 4


def test_the_command_shows_a_permutation(run: Run) -> None:
    """Shares, times and the busiest link of a permutation under each routing, as tables and as JSON."""
    words = ("allreduce", "superpod-h100-1su", "--collective", "permutation", "--size", "1GiB,2GiB", "--seeds", 3)
    code, text, _ = run(*words)
    assert code == 0
    assert "a permutation, 256 sends at the same time" in text
    assert "means of 3 draws, seeds 0 to 2" in text
    assert "healthy" not in text
    code, printed, _ = run(*words, "--json", "--seed", 7, "--routing", "ecmp", "--qps", 4, "--transport", "ndp")
    found = json.loads(printed)
    assert (found["schema"], found["pattern"], found["file"]) == ("fabric.traffic/1", "permutation", None)
    (result,) = found["results"]
    assert (result["routing"], result["transport"], result["qps"]) == ("ecmp", "ndp", 4)
    assert [draw["seed"] for draw in result["draws"]] == [7, 8, 9]
    one, two = result["times"]
    assert two["time_s"] == pytest.approx(2 * one["time_s"])
    spread = result["share_of_line_rate"]
    assert [*spread] == ["mean", "min", "p1", "p10", "p50", "p90", "p99", "max"]
    assert one["longest_s"] == pytest.approx(2**30 * 8 / 400e9 / spread["min"])


def test_the_command_shows_the_traffic_of_a_file(run: Run, tmp_path: Path) -> None:
    """Traffic of a file has the size of all its sends, and the files that are asked for."""
    file = tmp_path / "traffic.csv"
    file.write_text("source_gpu,target_gpu,bytes\n0,8,1000000000\n1,9,3000000000\n")
    code, text, _ = run("allreduce", "superpod-h100-1su", "--traffic", file, "--out", tmp_path / "out")
    assert code == 0
    assert "4 GB" in text
    written = json.loads((tmp_path / "out" / "traffic.json").read_text())
    assert [result["times"][0]["size_bytes"] for result in written["results"]] == [4 * 10**9] * 2
    assert written["results"][0]["times"][0]["time_s"] == pytest.approx(3e9 * 8 / 400e9 / 0.95)


def test_the_command_shows_the_healthy_fabric_beside_failures(run: Run) -> None:
    """With failures it shows what failed, and the share kept of each draw with all links up."""
    words = ("allreduce", "superpod-h100-1su", "--collective", "permutation", "--size", "1GiB", "--fail", "link:5%")
    text = " ".join(run(*words)[1].split())
    assert "kept: mean kept: worst" in text
    assert "link:5% takes down 26 links, drawn by seed 0" in text
    found = json.loads(run(*words, "--json")[1])
    assert len(found["failed"][0]["names"]) == 26
    for result in found["results"]:
        assert len(result["draws"]) == 8
        assert all(draw["healthy"]["mean"] > 0 for draw in result["draws"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--collective", "permutation", "--algorithm", "ring"), "--algorithm has no meaning for traffic between"),
        (("--traffic", "t.csv", "--size", "1GiB"), "--size has no meaning for traffic between"),
        (("--traffic", "t.csv", "--collective", "all-gather"), "--collective has no meaning"),
        (("--traffic", "missing.csv"), "missing.csv: not readable: No such file or directory"),
        (("--collective", "permutation", "--engine", "closed"), "no closed form for a permutation; use engine flows"),
        (("--collective", "permutation", "--gpus", "1"), "a permutation needs two GPUs or more"),
        (("--collective", "permutation", "--transport", "roce-pfc"), "was not measured with packets on several paths"),
        (("--collective", "permutatoin"), "did you mean 'permutation'"),
    ],
)
def test_wrong_uses_are_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    """Each is refused with one message about itself and exit code 2."""
    code, printed, told = run("allreduce", "superpod-h100-1su", "-q", *words)
    assert (code, printed) == (2, "")
    assert message in " ".join(told.split())


def test_another_pattern_is_asked_for_by_its_name(run: Run) -> None:
    """A pattern that a package adds is listed in the help and answers like the built-in one."""
    PATTERNS.add(Pattern("next-server", "", lambda ranks, _: (np.arange(ranks) + 8) % ranks))
    try:
        assert "next-server" in run("allreduce", "--help")[1]
        code, text, _ = run(
            "allreduce", "superpod-h100-1su", "--collective", "next-server", "--placement", "contiguous", "--json"
        )
        assert code == 0
        assert {result["share_of_line_rate"]["min"] for result in json.loads(text)["results"]} == {0.95}
    finally:
        PATTERNS.remove("next-server")
