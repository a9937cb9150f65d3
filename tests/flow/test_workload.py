"""Workloads on the command line and from Python: placement, routing, failures, jobs and scale."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.blueprint.metrics import metrics_of
from fabric.cli.main import cli
from fabric.errors import InputError
from fabric.flow import (
    Answer,
    Job,
    Routing,
    Workload,
    estimate_impact,
    estimate_workload,
    fail,
    failover,
    interference,
    phases,
    place,
    shares,
)
from fabric.studies.scaling import scale

SMALL = "superpod-h100-4su"


@pytest.fixture(scope="module")
def plan() -> fabric.Blueprint:
    """Return a fabric of 1,024 GPUs."""
    return fabric.design(SMALL).blueprint


RANDOM_RING = Workload(algorithm="ring", placement="random", routing=Routing("adaptive"), engine="flows")


@pytest.fixture(scope="module")
def half_spines(plan: fabric.Blueprint) -> tuple[Answer, ...]:
    """Return what a random ring gets with half of the spines, at 8 GiB and at 64 GiB."""
    return estimate_workload(plan, replace(RANDOM_RING, failures=("spine:8",)), [2**33, 2**36])[0]


def run(*words: str) -> tuple[int, str]:
    """Run a command; give its exit code and what it says."""
    result = CliRunner().invoke(cli, [*words], env={"COLUMNS": "80"})
    return (2, str(result.exception)) if isinstance(result.exception, InputError) else (result.exit_code, result.output)


def test_a_ring_in_order_takes_as_long_by_flows_as_in_closed_form(plan: fabric.Blueprint) -> None:
    """With all links up, adaptive routing leaves a contiguous ring what the closed form says."""
    sizes = (2**20, 2**30)
    times, cuts = [], []
    for engine in ("closed", "flows"):
        work = Workload(algorithm="ring", routing=Routing("adaptive"), engine=engine, placement="contiguous")
        found, bounds = estimate_workload(plan, work, sizes)
        times.append([each.estimate.time_s for each in found])
        cuts.append(bounds.cut)
    assert times[0] == pytest.approx(times[1], rel=1e-9)
    assert cuts[0] == pytest.approx(cuts[1])


@pytest.mark.parametrize("algorithm", ["ring", "tree"])
@pytest.mark.parametrize("routing", ["adaptive", "ecmp"])
def test_random_order_takes_as_long_by_flows_as_in_closed_form(algorithm: str, routing: str) -> None:
    """The closed form's mean and slowest share are those of explicit flows, within five points of their mean."""
    plan = fabric.design(gpus=8192, server="hgx-h100", switches="qm9700", family="fat-tree").blueprint
    found = {}
    for engine in ("closed", "flows"):
        draws = [
            estimate_workload(
                plan,
                Workload(algorithm=algorithm, routing=Routing(routing, 2, seed), engine=engine, seed=seed),
                [2**30],
            )
            for seed in range(3 if engine == "flows" else 1)
        ]
        found[engine] = [statistics.fmean(each) for each in zip(*((a.mean, a.min) for (a,), _ in draws), strict=True)]
    assert found["closed"] == pytest.approx(found["flows"], abs=0.05)


def test_flows_stay_below_the_linear_program_and_that_below_the_cut() -> None:
    """The slowest flow's share is at most the linear program's, which is at most the narrowest cut's."""
    plan = fabric.design(gpus=128, server="hgx-h100", switches="qm9700", family="fat-tree", unit_gpus=32).blueprint
    routing = Routing("ecmp", qps=2, seed=3)
    work = Workload(algorithm="ring", gpus=64, placement="random", routing=routing, seed=3, engine="flows")
    (found,), bounds = estimate_workload(plan, work, [2**30])
    assert bounds.lp is not None
    assert found.min <= bounds.lp + 1e-9
    assert bounds.lp <= bounds.cut + 1e-9
    assert found.min < found.mean
    assert found.estimate.limited_by == "collisions"


def test_failures_slow_and_disconnected_servers_are_left_out(
    plan: fabric.Blueprint, half_spines: tuple[Answer, ...]
) -> None:
    """Half the spines carry half of what leaves a leaf, three of four flows; failed servers are left out."""
    (whole,), less = estimate_workload(plan, RANDOM_RING, [2**33])[0], half_spines[0]
    assert 0.5 <= less.min < 0.75
    assert less.estimate.time_s > whole.estimate.time_s
    (fewer,), _ = estimate_workload(plan, replace(RANDOM_RING, failures=("server:1",)), [2**33])
    assert (fewer.estimate.gpus, fewer.lost) == (1016, 8)
    assert fewer.min == pytest.approx(whole.min)
    with pytest.raises(InputError, match="no server is left"):
        estimate_workload(plan, replace(RANDOM_RING, failures=("leaf:32",)), [2**33])


@pytest.mark.parametrize("word", ["nic:1", "leaf:1"])
def test_what_remains_without_a_leaf_is_what_is_promised(plan: fabric.Blueprint, word: str) -> None:
    """The seven other NICs of a server carry the flows of a dead one too, as `survives` says of a leaf of one rail."""
    work = Workload(algorithm="ring", routing=Routing("adaptive"), failures=(word,), placement="contiguous")
    (found,), _ = estimate_workload(plan, work, [2**33])
    assert found.min == pytest.approx(0.95 * float(metrics_of(plan).survives()["leaf"]))
    assert found.min == pytest.approx(0.95 * 7 / 8)
    assert found.estimate.limited_by == "failures"


def test_strided_groups_run_side_by_side(plan: fabric.Blueprint) -> None:
    """Eight rings of one GPU a server each have one NIC a server, and the bandwidth of one."""
    work = Workload(algorithm="ring", placement="strided", stride=8, routing=Routing("adaptive"))
    (found,), _ = estimate_workload(plan, work, [2**36])
    assert (found.groups, found.estimate.gpus) == (8, 128)
    assert found.estimate.busbw_GBps == pytest.approx(0.95 * 50, rel=0.01)


@pytest.mark.parametrize(
    "words",
    [
        {"engine": "magic"},
        {"engine": "closed", "placement": "by-rail", "algorithm": "tree"},
        {"engine": "closed", "routing": Routing("dmodk")},
        {"engine": "closed", "routing": Routing("ecmp", transport="ndp")},
        {"engine": "closed", "failures": ("leaf:1",)},
        {"gpus": 2048},
        {"placement": "heap"},
        {"collective": "all-todo"},
        {"algorithm": "rings"},
        {"failures": ("leaves:1",)},
    ],
    ids=str,
)
def test_unknown_words_are_refused(plan: fabric.Blueprint, words: dict[str, Any]) -> None:
    """An unknown name, and a workload without a closed form under engine closed, are refused."""
    with pytest.raises(InputError):
        estimate_workload(plan, Workload(**words), [2**30])


def test_allreduce_prints_what_its_json_says(tmp_path: Path) -> None:
    """Every promised key is there, sizes double from end to end, and the files are written."""
    words = ("allreduce", SMALL, "--size", "1MiB..4MiB", "--routing", "adaptive,ecmp", "--out", str(tmp_path))
    code, text = run(*words, "--json", "--quiet")
    assert code == 0
    result = json.loads(text[: text.rindex("}") + 1])
    assert [row["size_bytes"] for row in result["results"]] == 2 * [2**20, 2**21, 2**22]
    row = result["results"][0]
    assert {"collective", "gpus", "algorithm", "routing", "placement", "time_s", "algbw_GBps", "busbw_GBps"} <= set(row)
    assert set(row["share_of_line_rate"]) == {"mean", "min"}
    assert set(result["bounds"]) == {"algorithm", "lp", "cut", "collective"}
    assert row["limited_by"]
    assert (row["expected_error"] is None) == bool(row["not_measured"])
    assert {path.name for path in tmp_path.iterdir()} == {"allreduce.json", "allreduce.svg"}


def test_allreduce_fits_the_terminal() -> None:
    """No line is longer than 80 columns, and the text says how placement and routing were taken."""
    code, text = run(
        "allreduce", SMALL, "--size", "1GiB", "--routing", "ecmp", "--placement", "by-rail", "--gpus", "128"
    )
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    assert "explicit flows, by-rail placement, 2 queue pairs" in " ".join(text.split())


def test_jobs_share_a_fabric(tmp_path: Path) -> None:
    """With others a job gets no more than alone, and a mistake in the file is reported with its line."""
    file = tmp_path / "jobs.yaml"
    file.write_text("jobs:\n  - {name: a, gpus: 512}\n  - {name: b, gpus: 256, placement: random}\n")
    code, text = run(
        "allreduce", SMALL, "--size", "1GiB", "--jobs", str(file), "--routing", "ecmp", "--json", "--quiet"
    )
    assert code == 0
    for job in json.loads(text)["jobs"]:
        assert job["min"] <= job["alone_min"] + 1e-9
    file.write_text("jobs:\n  - {nam: a, gpus: 0}\n")
    code, text = run("allreduce", SMALL, "--jobs", str(file))
    assert code == 2
    assert "nam: unknown key; did you mean 'name'?" in text
    assert "jobs[0].gpus: 0 is too small" in text


def test_jobs_run_on_without_the_servers_that_are_cut_off(plan: fabric.Blueprint) -> None:
    """A job runs on without a failed server, and is refused when it has no other."""
    up = fail(plan, ["server[block=0,slot=0]"])
    (found,) = interference(plan, [Job("a", 64)], Routing("adaptive"), up)
    assert found.min > 0.9
    with pytest.raises(InputError, match="no server is left"):
        interference(plan, [Job("a", 8)], Routing("adaptive"), up)


def test_rings_stop_paying_and_trees_carry_on() -> None:
    """From 1,024 GPUs to 65,536 a flat ring loses nine tenths of its bandwidth; the best loses less than a fifth.

    Hashing costs the best more than half.
    """
    found = scale("colossus-100k", (1024, 65536), routings=("ecmp", "adaptive"))
    speed = {(each.algorithm, each.routing): [one.busbw_GBps for one in each.estimates] for each in found.curves}
    assert speed["ring", "adaptive"][1] < 0.1 * speed["ring", "adaptive"][0]
    assert speed["best", "adaptive"][1] > 0.8 * speed["best", "adaptive"][0]
    assert speed["best", "ecmp"][1] < 0.5 * speed["best", "adaptive"][1]
    (ring,) = (each for each in found.curves if each.algorithm == "ring" and each.routing == "adaptive")
    assert [(bend.what, bend.limited_by) for bend in ring.bends] == [("limit", "latency"), ("half", "latency")]


def test_scale_says_where_each_curve_bends(tmp_path: Path) -> None:
    """The command prints a row a size, a sentence a curve, and the reason of a size that has no design."""
    words = ("scale", SMALL, "--gpus", "512..2048", "--out", str(tmp_path), "--quiet")
    code, text = run(*words)
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80 + len(str(tmp_path))
    assert "2,048" in text
    assert "best, adaptive" in text
    assert {path.name for path in tmp_path.iterdir()} == {"scale.json", "scale.svg"}
    assert json.loads((tmp_path / "scale.json").read_text())["designs"][0]["gpus"] == 512


def test_scale_shows_the_routings_of_the_switches() -> None:
    """InfiniBand does not hash, so that a curve under ECMP is of Ethernet alone; one that is asked for is shown."""
    curves = {
        name: [curve.routing for curve in scale(name, [256], algorithms=["ring"], **more).curves]
        for name, more in ((SMALL, {}), ("colossus-100k", {}), ("superpod-h100-1su", {"routings": ["ecmp"]}))
    }
    assert curves == {SMALL: ["adaptive"], "colossus-100k": ["ecmp", "adaptive"], "superpod-h100-1su": ["ecmp"]}


def test_scale_refuses_what_is_no_range() -> None:
    """A descending range, or a value that is not a number, is refused."""
    for gpus in ("64..8", "many", "0..8"):
        code, text = run("scale", SMALL, "--gpus", gpus)
        assert code == 2
        assert gpus.partition("..")[0] in text


OVERSUBSCRIBED = {
    "gpus": 1000,
    "server": {"name": "four", "gpus": 4, "nics": 4, "nic_gbps": 400, "nvlink_GBps": 300},
    "switches": ["sn5600", "qm9700"],
    "tiers": 2,
    "oversubscription": {"min": 2, "max": 3},
}


def test_an_all_to_all_stays_below_its_bound() -> None:
    """The slowest share is at most the mean and the cut's."""
    plan = fabric.design(OVERSUBSCRIBED).blueprint
    work = Workload("all-to-all", routing=Routing("adaptive"), engine="flows", placement="contiguous")
    (found,), bounds = estimate_workload(plan, work, [2**30])
    assert found.min <= min(found.mean, bounds.cut) + 1e-9


@pytest.mark.parametrize("placement", ["contiguous", "random"])
@pytest.mark.parametrize("engine", ["closed", "flows"])
def test_an_all_to_all_between_two_servers_is_as_fast_as_its_bytes(placement: str, engine: str) -> None:
    """Half of the bytes cross the NICs, all the time in both directions: busbw is near twice what a NIC carries."""
    plan = fabric.design(gpus=16, server="hgx-h100", family="rail-optimized", switches="qm9700").blueprint
    work = Workload("all-to-all", routing=Routing("adaptive"), placement=placement, engine=engine)
    (found,), _ = estimate_workload(plan, work, [2**33])
    assert 85 <= found.estimate.busbw_GBps <= 93


def test_some_peers_stand_for_all_of_an_all_to_all() -> None:
    """With a sixty-fourth of the peers laid out, flows take the time that all of them do, on rails and in order."""
    plan = fabric.design(OVERSUBSCRIBED).blueprint
    gpus = place(plan)
    times = [shares(plan, phases(plan.server, gpus, "all-to-all", "pairwise", peers=n)).wire_s for n in (16, None)]
    assert times[0] == pytest.approx(times[1], rel=0.03)


@pytest.mark.parametrize("kind", ["leaf", "link", "nic"])
def test_more_failures_never_help_on_several_planes(kind: str) -> None:
    """A NIC that has lost one of two planes carries less than others, which carry the rest."""
    words = {"gpus": 1024, "server": OVERSUBSCRIBED["server"], "planes": 2, "tiers": 2, "switches": "sn5600"}
    plan = fabric.design(**words).blueprint
    least = []
    for count in (1, 2, 3, 5):
        work = Workload(algorithm="ring", routing=Routing("adaptive"), failures=(f"{kind}:{count}",), seed=3)
        (found,), _ = estimate_workload(plan, work, [2**30])
        least.append(found.min)
    assert least == sorted(least, reverse=True)


def test_a_rail_only_server_goes_on_with_its_other_nics() -> None:
    """A dead NIC's traffic takes the other rails in both servers, since rails never meet."""
    plan = fabric.design(gpus=256, server="hgx-h100", family="rail-only", switches="qm9700").blueprint
    work = Workload(algorithm="ring", routing=Routing("adaptive"), failures=("nic:1",), placement="contiguous")
    (found,), _ = estimate_workload(plan, work, [2**30])
    assert found.min == pytest.approx(0.95 * 7 / 8)


def test_a_program_of_unequal_shares_is_solved() -> None:
    """The linear program of a double tree on one tier with all links up gives line rate."""
    plan = fabric.design(gpus=96, server="hgx-a100", switches="sn5600", family="fat-tree").blueprint
    work = Workload(algorithm="tree", routing=Routing("adaptive"), engine="lp", placement="contiguous")
    (found,), bounds = estimate_workload(plan, work, [2**30])
    assert bounds.lp == pytest.approx(1.0)
    assert found.mean == pytest.approx(0.95)


def test_a_job_inside_one_server_has_all_it_needs(plan: fabric.Blueprint) -> None:
    """A job without flows gets line rate, alone and beside others."""
    for jobs in ([Job("a", 1)], [Job("a", 1), Job("b", 64)]):
        assert interference(plan, jobs)[0].min == 1.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Workload(gpus="4"),
        lambda: Workload(gpus=True),
        lambda: Workload(failures="leaf:1"),
        lambda: Workload(routing="ecmp"),
        lambda: Workload(seed=-1),
        lambda: Workload(stride=0),
        lambda: Routing("ecmp", 2.5),
        lambda: Routing(seed=-1),
        lambda: Routing(seed=1.5),
        lambda: estimate_workload(fabric.design(SMALL), Workload(), [2**30]),
        lambda: estimate_workload(fabric.design(SMALL).blueprint, None, [2**30]),
        lambda: estimate_impact(fabric.design(SMALL), Workload(failures=("leaf:1",)), [2**30]),
        lambda: fabric.load(3),
        lambda: fabric.sweep({"gpus": 64, "server": "hgx-h100"}, scheduler=3),
        lambda: fabric.sweep({"gpus": 64, "server": "hgx-h100"}, most_core_hours=float("nan")),
        lambda: estimate_workload(fabric.design(SMALL).blueprint, Workload(), 2**30),
        lambda: estimate_impact(fabric.design(SMALL).blueprint, Workload(failures=("leaf:1",)), 2**30),
        lambda: scale(SMALL, ["64"]),
        lambda: scale(SMALL, [64], routings=[]),
        lambda: fabric.optimize(SMALL, ["cost", "hops"]),
        lambda: fabric.optimize(SMALL, "allreduce", size_bytes=10**400),
        lambda: fabric.design(SMALL).allreduce(True),
    ],
)
def test_values_of_no_use_are_bad_input(make: Callable[[], object]) -> None:
    """A value of the wrong type is refused with its key."""
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize("engine", [None, "closed", "flows"])
@pytest.mark.parametrize(
    ("gpus", "stride", "said"), [(3, 8, "a stride of 3, or 8 GPUs"), (20, 8, "a stride of 5, or 16 GPUs")]
)
def test_unequal_groups_are_refused(
    plan: fabric.Blueprint, engine: str | None, gpus: int, stride: int, said: str
) -> None:
    """A stride that does not divide the GPUs is refused by every engine, with one that does."""
    with pytest.raises(InputError, match=said):
        estimate_workload(plan, Workload(gpus=gpus, placement="strided", stride=stride, engine=engine), [2**30])


def test_sizes_may_be_an_array(plan: fabric.Blueprint) -> None:
    """An array of sizes gives what their list does, in plain numbers."""
    found, _ = estimate_workload(plan, Workload(), np.array([2**20, 2**30]))
    assert found == estimate_workload(plan, Workload(), [2**20, 2**30])[0]
    assert {type(answer.estimate.size_bytes) for answer in found} == {int}


WAYS = ("ring", "tree", "nvls-tree", "hierarchical-ring", "halving-doubling")
PLACED = (("contiguous", 8), ("by-rail", 8), ("strided", 8), ("strided", 4), ("random", 8), ("fragmented", 8))
RUNS = [
    (way, *placed)
    for way, placed in product(WAYS, PLACED)
    if not (way == "nvls-tree" and placed[0] == "strided")  # one or two GPUs of a server don't reduce in NVLink
]


@pytest.mark.parametrize("failures", [(), ("nic:1",), ("leaf:1",), ("leaf-spine:20%",)])
@pytest.mark.parametrize(("algorithm", "placement", "stride"), RUNS)
def test_no_time_is_below_that_of_the_wire(
    plan: fabric.Blueprint, algorithm: str, placement: str, stride: int, failures: tuple[str, ...]
) -> None:
    """A collective takes at least what its flows take on the links, over the transport's share."""
    work = Workload(
        algorithm=algorithm, placement=placement, stride=stride, failures=failures, routing=Routing("adaptive")
    )
    (found,), _ = estimate_workload(plan, work, [2**33])
    up = fail(plan, failures)
    gpus = place(plan, placement, stride=stride)
    every = phases(plan.server, gpus, "all-reduce", "tree" if algorithm == "nvls-tree" else algorithm)
    wire_s = shares(plan, [failover(plan, phase, up) for phase in every], up=up).wire_s
    assert found.estimate.time_s >= wire_s * 2**33 / 0.95 * (1 - 1e-6)


def test_a_ring_by_rail_crosses_the_network_at_every_step(plan: fabric.Blueprint) -> None:
    """Ordered by rail, each NIC carries what eight NICs share in order: the ring takes eight times as long."""
    times = [
        estimate_workload(plan, Workload(algorithm="ring", placement=name, routing=Routing("adaptive")), [2**36])[0][0]
        for name in ("contiguous", "by-rail")
    ]
    assert times[1].estimate.busbw_GBps == pytest.approx(0.95 * 400 / 8, rel=0.02)
    assert times[0].estimate.busbw_GBps > 7 * times[1].estimate.busbw_GBps


QUICK = [("fat-tree", 1, 2), ("rail-optimized", 2, 1)]
SHAPES = [*product(("fat-tree", "rail-optimized"), (1, 2), (1, 2))]


@pytest.mark.parametrize(
    ("family", "ratio", "planes"),
    [pytest.param(*shape, marks=() if shape in QUICK else pytest.mark.slow) for shape in SHAPES],
)
def test_by_default_a_closed_form_says_what_flows_do(family: str, ratio: int, planes: int) -> None:
    """On any planes and ratio, a random ring or tree takes no less in closed form, and at most three tenths more.

    It takes all traffic to leave its place, which is nearly true of many places and not of the eight leaves here.
    """
    words = {"gpus": 4096, "server": "hgx-h100", "switches": "sn5600", "family": family, "planes": planes}
    plan = fabric.design(**words, oversubscription=ratio).blueprint
    for name, algorithm in product(("adaptive", "ecmp"), ("ring", "tree")):
        times = {}
        for engine, seeds in (("closed", 1), ("flows", 5)):
            way = {"algorithm": algorithm, "engine": engine}
            works = (Workload(**way, routing=Routing(name, 2, seed), seed=seed) for seed in range(seeds))
            times[engine] = statistics.fmean(
                estimate_workload(plan, work, [2**36])[0][0].estimate.time_s for work in works
            )
        assert 0.85 * times["flows"] <= times["closed"] <= 1.3 * times["flows"]


def test_what_limits_is_what_would_help(plan: fabric.Blueprint, half_spines: tuple[Answer, ...]) -> None:
    """Failures are named where the whole fabric gives more, collisions where another routing does, and else neither."""
    limits = []
    for routing, failures, placement in (
        (Routing("ecmp", 2), (), "random"),
        (Routing("ecmp", 2), ("nic:1",), "contiguous"),
        (Routing("ecmp", 2), (), "contiguous"),
    ):
        work = Workload(algorithm="ring", routing=routing, failures=failures, placement=placement, engine="flows")
        limits.append(estimate_workload(plan, work, [2**36])[0][0].estimate.limited_by)
    assert limits[0] == "collisions"
    assert limits[1] == half_spines[1].estimate.limited_by == "failures"
    assert limits[2] in ("NIC", "NVLink", "channels")


def test_an_algorithm_without_flows_is_refused(plan: fabric.Blueprint) -> None:
    """Reduction in switches has a closed form alone."""
    with pytest.raises(InputError, match="no explicit flows"):
        estimate_workload(plan, Workload(algorithm="sharp", engine="flows"), [2**30])
