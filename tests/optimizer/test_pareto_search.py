"""The Pareto front against an enumeration of all fabrics, and its table and files."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hops
from fabric.cli.main import cli
from fabric.flow import allreduce, summarize
from fabric.optimizer.flow_objectives import features_of, summary_of
from fabric.optimizer.search import comparable_candidates
from fabric.report.pareto import pareto_csv, summarize_front
from fabric.topology.axis_bundle import BalancedBundle
from fabric.topology.families import family
from fabric.topology.topology import PLANE, Topology

NICS = 2

Numbers = tuple[float, ...]
"""The values of a fabric, linear objectives first."""


def request(seed: int) -> dict[str, Any]:
    """Return a small random request: switches of few ports, perhaps oversubscribed, perhaps of two models."""
    draw = random.Random(seed)
    ports = draw.choice([6, 8, 10, 12])
    model = {"ports": ports, "rate_gbps": 400, "price_usd": draw.randint(100, 2000), "latency_ns": 700}
    switches = [{"name": "box", **model}]
    if seed % 3 == 0:
        other = {"ports": ports + 4, "price_usd": draw.randint(100, 4000), "latency_ns": draw.choice([250, 1200])}
        switches.append({"name": "other", **model, **other})
    server = {"name": "pair", "gpus": NICS, "nics": NICS, "nic_gbps": 400, "nvlink_GBps": 450}
    return {
        "gpus": NICS * draw.randint(2, 16),
        "server": server,
        "switches": switches,
        "tiers": draw.choice([[1, 2], [2], [2, 3]]) if seed % 3 else [1, 2],
        "family": draw.choice(["fat-tree", "rail-optimized", "clos"]),
        "oversubscription": draw.choice([1, 2, 3]),
        "link_price_usd": draw.randint(1, 200),
        "limits": {"parallel_links": draw.choice([1, 2, 4])},
    }


def everything(spec: fabric.Spec) -> Iterator[Blueprint]:
    """Yield every fabric that `spec` allows, found by trying all sizes."""
    forms = [form for name in spec.families for form in family(name).forms if form.tiers in spec.tiers]
    for form in forms if spec.uplink_spread == "even" else [form.balanced() for form in forms]:
        choices = spec.models("*")
        for models in _product([choices] * form.tiers):
            plain = dict(zip(form.roles, models, strict=True))
            for sizes in _sizes(spec, form, plain):
                yield Blueprint("x", form, sizes, plain, spec.server, spec.gpus, 400)


def _product(choices: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [()]
    for each in choices:
        found = [(*row, item) for row in found for item in each]
    return found


def _sizes(spec: fabric.Spec, form: Topology, models: dict[str, Any]) -> Iterator[dict[str, int]]:
    lanes = {"rail": NICS, "stripe": 1}
    known = {PLANE: 1, **{axis: lanes[axis] for axis in form.rail_axes}, form.server.axes[0]: 1}
    known[form.bundles[0].name] = NICS // (NICS if "rail" in form.rail_axes else 1)
    known |= dict.fromkeys((bundle.connector for bundle in form.balanced_bundles), 1)
    follow = [name for bundle in form.balanced_bundles for name in (bundle.name, bundle.downlinks)]
    free = [*form.axes, *(name for bundle in form.bundles for name in bundle.all_sizes if name not in follow)]
    yield from _try(spec, form, models, known, [name for name in free if name not in known])


def _try(
    spec: fabric.Spec, form: Topology, models: dict[str, Any], sizes: dict[str, int], free: list[str]
) -> Iterator[dict[str, int]]:
    """Try every size of the names left, as long as no switch has more ports than it can."""
    if not _fits(form, models, sizes):
        return
    if not free:
        full = form.complete_sizes(sizes, 8, spec.servers)
        full[form.server.axes[0]] = full[f"{form.server.axes[0]}s"]
        full = form.complete_sizes(full, 8, spec.servers)
        plan = Blueprint("x", form, full, models, spec.server, spec.gpus, 400)
        over = (plan.oversubscription(role) for role in form.roles)
        tight = all(full[axis] <= full[f"{axis}s"] for axis in form.server.axes[1:-1])
        tight = tight and all(_spreads(spec, plan, bundle) for bundle in form.balanced_bundles)
        if tight and _fits(form, models, full) and all(ratio is None or ratio <= spec.ratio("*") for ratio in over):
            yield full
        return
    most = max(model.ports for model in models.values())
    limited = "-" in free[0] and not free[0].endswith("-uplinks")
    most = spec.limits.parallel_links if limited else min(most, spec.servers) if free[0] == "slot" else most
    for size in range(1, most + 1):
        yield from _try(spec, form, models, {**sizes, free[0]: size}, free[1:])


def _spreads(spec: fabric.Spec, plan: Blueprint, bundle: BalancedBundle) -> bool:
    """Return whether a switch has a link to each of those above it, and no more to one than may be."""
    above = plan.evaluate(bundle.upper_only)
    return above <= plan.sizes[bundle.uplinks] <= spec.limits.parallel_links * above


def _fits(form: Topology, models: dict[str, Any], sizes: dict[str, int]) -> bool:
    for role in form.roles:
        used = 0
        for bundle in form.bundles:
            names = bundle.ports_down if bundle.upper.role == role else bundle.ports_up
            if role in (bundle.upper.role, bundle.lower.role):
                count = 1
                for name in names:
                    count *= sizes.get(name, 1)
                used += count
        if used > models[role].ports:
            return False
    return True


OBJECTIVES = ("cost,hops,allreduce", "cost,allreduce,mean_hops", "allreduce,cost", "mean_hops,allreduce")
KEYS = {"cost": "cost_usd", "hops": "hops_max", "allreduce": "allreduce_s", "mean_hops": "hops_mean"}
ESTIMATES = ("allreduce", "mean_hops")
QUICK = (0, 1, 2, 6, 7, 8, 3)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed in QUICK else pytest.mark.slow) for seed in range(200)]
)
@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_the_front_is_the_enumerated_one(seed: int, objectives: str) -> None:
    """Point for point: nothing dominated, nothing missing, on every small request that can be met."""
    spec, names = fabric.read(request(seed)), objectives.split(",")
    order = sorted(names, key=lambda name: name in ESTIMATES)
    wanted: list[Numbers] = []
    for point in sorted({_numbers(spec, plan, order) for plan in everything(spec)}):
        if not any(_dominates(order, other, point) for other in wanted):
            wanted.append(point)
    if not wanted:
        with pytest.raises(fabric.Infeasible):
            fabric.pareto(spec, objectives)
        return
    front = fabric.pareto(spec, objectives)
    assert (front.status, len(front.proven)) == ("OPTIMAL", len(front.studies))
    assert sorted(tuple(row[KEYS[name]] for name in order) for row in front.values) == [
        pytest.approx(point) for point in wanted
    ]
    if names[0] == "allreduce":
        first, least = fabric.optimize(spec, objectives).proof, min(point[order.index("allreduce")] for point in wanted)
        assert first.objective == pytest.approx(least)
        assert first.bound == pytest.approx(least / 1.02)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize(
    "seed", [*QUICK[1:4], *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(9, 60, 3))]
)
def test_the_front_with_balanced_uplinks_is_the_enumerated_one(seed: int) -> None:
    """Point for point it is that of every fabric whose links differ by at most one over the switches above."""
    spec = fabric.read(request(seed), uplink_spread="balanced")
    order, wanted = ["cost", "hops", "allreduce"], list[Numbers]()
    for point in sorted({_numbers(spec, plan, order) for plan in everything(spec)}):
        if not any(_dominates(order, other, point) for other in wanted):
            wanted.append(point)
    if wanted:
        front = fabric.pareto(spec, ",".join(order))
        assert front.status == "OPTIMAL"
        found = sorted(tuple(row[KEYS[name]] for name in order) for row in front.values)
        assert found == [pytest.approx(point) for point in wanted]


def _numbers(spec: fabric.Spec, plan: Blueprint, order: list[str]) -> Numbers:
    """Return the objectives of a fabric: dollars, hops, seconds, mean hops."""
    price = {model.name: model.price_usd or 0 for model in plan.models.values()}
    dollars = sum(plan.devices(role) * price[plan.models[role].name] for role in plan.topology.roles)
    dollars += plan.links_total * (spec.link_price("leaf-spine") or 0)
    time_s = float(f"{allreduce(plan, 2**30).time_s:.9e}")
    known = {"cost": round(dollars, 2), "hops": hops(plan).max, "allreduce": time_s, "mean_hops": hops(plan).mean}
    return tuple(known[name] for name in order)


def _dominates(order: list[str], one: Numbers, other: Numbers) -> bool:
    """Return whether one fabric is no worse than the other, in estimates by less than 2 %."""
    pairs = zip(order, one, other, strict=True)
    return all(a < 1.02 * b or a == b == 0 if name in ESTIMATES else a <= b for name, a, b in pairs)


REQUEST: dict[str, Any] = {
    "gpus": 1024,
    "server": "hgx-h100",
    "switches": ["sn5600", "qm9700"],
    "family": "rail-optimized",
    "oversubscription": {"leaf": 2},
    "unit_gpus": 256,
}


@pytest.fixture(scope="module")
def front() -> fabric.Pareto:
    """Return the front of REQUEST."""
    return fabric.pareto(REQUEST)


def test_the_first_point_is_the_optimum_and_all_are_as_designed(front: fabric.Pareto) -> None:
    """The front begins with the least cost, and each point has the values of its own bill, hops and estimate."""
    assert front.names == ("cost_usd", "hops_max", "allreduce_s")
    assert front.values[0]["cost_usd"] == fabric.optimize(REQUEST).proof.objective
    for study, values in zip(front.studies, front.values, strict=True):
        assert values["cost_usd"] == pytest.approx(study.bill.cost_usd())
        assert values["hops_max"] == study.hops.max
        assert values["allreduce_s"] == study.allreduce(2**30).time_s
        assert study.allreduce(2**30, "ecmp").time_s >= values["allreduce_s"]


def test_a_time_may_be_the_objective(front: fabric.Pareto) -> None:
    """The fastest fabric comes first when time does, and of the fastest the cheapest."""
    fast, cheap = (fabric.optimize(REQUEST, names) for names in ("allreduce,cost", "cost,allreduce"))
    assert fast.proof.objectives["allreduce_s"] == min(row["allreduce_s"] for row in front.values)
    assert fast.bill.cost_usd() == front.values[-1]["cost_usd"]
    assert cheap.bill.cost_usd() == front.values[0]["cost_usd"]
    assert fast.proof.objective_name == "allreduce_s"


def test_mean_hops_may_be_asked_for() -> None:
    """The means that are minimised are those of the design's own hops."""
    torn = {
        "gpus": 4096,
        "server": "hgx-h100",
        "family": ["fat-tree", "rail-optimized"],
        "switches": [
            {"name": "small", "ports": 64, "rate_gbps": 400, "price_usd": 1_000},
            {"name": "large", "ports": 256, "rate_gbps": 400, "price_usd": 100_000},
        ],
        "link_price_usd": 1,
    }
    study = fabric.optimize(torn, "mean_hops,cost")
    assert study.proof.objectives["hops_mean"] == pytest.approx(study.hops.mean)
    assert study.hops.mean < fabric.optimize(torn).hops.mean / 1.02


def test_one_tier_counts_where_only_a_time_is_the_objective() -> None:
    """A candidate with nothing left to choose is feasible all the same."""
    study = fabric.optimize({"gpus": 64, "server": "hgx-h100", "switches": "sn5600", "tiers": 1}, "allreduce")
    assert study.blueprint.tiers == 1
    assert fabric.optimize({"gpus": 64, "server": "hgx-h100", "switches": "sn5600"}, "allreduce").blueprint.tiers == 1


@pytest.mark.parametrize(
    ("names", "word"),
    [("cost", "two names or more"), ("cost,speed", "no objective 'speed'"), ("cost=1,allreduce=2", "takes no weight")],
)
def test_a_wrong_front_is_refused(names: str, word: str) -> None:
    """A single name, an unknown one and a weighted time are refused as bad input."""
    with pytest.raises(fabric.InputError, match=word):
        fabric.pareto(REQUEST, names)


def test_the_command_prints_and_writes_the_front(tmp_path: Path) -> None:
    """Table, JSON, CSV and picture hold the same points; nothing is wider than the terminal."""
    request = tmp_path / "mine.json"
    request.write_text(json.dumps(REQUEST))
    words = ["optimize", str(request), "--pareto", "cost,hops,allreduce"]
    printed = CliRunner().invoke(cli, [*words, "--json", "--out", str(tmp_path / "out")], catch_exceptions=False)
    document = json.loads(printed.stdout)
    assert document["status"] == "OPTIMAL"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/pareto.csv").read_text())))
    assert [float(row["cost_usd"]) for row in rows] == [point["cost_usd"] for point in document["front"]]
    assert [point["design"]["cost_usd"]["total"] for point in document["front"]] == [
        point["cost_usd"] for point in document["front"]
    ]
    assert (tmp_path / "out/pareto.svg").read_text().startswith("<?xml")
    table = CliRunner(env={"COLUMNS": "80"}).invoke(cli, words, catch_exceptions=False).stdout
    assert max(map(len, table.splitlines())) <= 80
    assert all(f"${point['cost_usd']:,.0f}" in table for point in document["front"])


def test_the_files_of_a_front_are_the_same_in_every_process(front: fabric.Pareto) -> None:
    """Another process, whose sets and dictionaries hash otherwise, writes the same rows as this one."""
    code = "import fabric; from fabric.report.pareto import pareto_csv;"
    code += f"print(pareto_csv(fabric.pareto({REQUEST!r})))"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == pareto_csv(front).strip()


def test_a_front_names_the_models_that_it_left_out() -> None:
    """A switch without a price can't be compared by cost, and the proof says that it was not considered."""
    slow = {"name": "slow", "ports": 64, "rate_gbps": 400, "latency_ns": 3000, "price_usd": 1000}
    fast = {"name": "fast", "ports": 64, "rate_gbps": 400, "latency_ns": 100}
    lines = summarize_front(fabric.pareto({**REQUEST, "switches": [slow, fast]}, "cost,allreduce")).lines
    assert "Not considered (no price): fast." in lines


def test_a_wide_ratio_stays_within_the_solvers_integers() -> None:
    """No switch has more than its ports, so a permitted ratio of 400 is no larger in the model than they are."""
    request = {"gpus": 64, "server": "hgx-h100", "switches": "sn5600", "oversubscription": 400, "tiers": [1, 2]}
    assert fabric.pareto(request, "cost,allreduce", routing="ecmp").status == "OPTIMAL"


def test_large_dragonflies_with_a_ratio_stay_within_the_solvers_integers() -> None:
    """The loads of a dragonfly are products of many sizes, and with a ratio in millionths they still have an answer."""
    words = {"family": "dragonfly", "planes": [1, 2], "switches": "any", "oversubscription": 2}
    request = {"gpus": 100_000, "server": "hgx-h100", **words}
    front = fabric.pareto(request, "cost,allreduce", budget=0.5)
    assert front.values[0]["cost_usd"] == fabric.design(request).proof.objective


@pytest.mark.parametrize(
    "family",
    [
        "torus",
        "dragonfly",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("jellyfish", "slim-fly", "dragonfly-plus", "hyperx")),
    ],
)
def test_a_front_over_a_time_starts_at_the_optimum_of_a_direct_family(family: str) -> None:
    """Knowing the features of its fabrics takes none of them away, complete graphs among the random ones neither."""
    words = {"gpus": 264, "server": "hgx-h100", "switches": "sn5600", "family": family, "oversubscription": 4}
    front = fabric.pareto(words, "cost,allreduce", budget=8)
    assert front.values[0]["cost_usd"] == fabric.design(words).proof.objective


def test_a_single_server_has_no_mean_hops() -> None:
    """A mean over no pairs is 0, and may be minimised all the same."""
    assert fabric.optimize({"gpus": 8, "server": "hgx-h100"}, "mean_hops").proof.objectives == {"hops_mean": 0}


@pytest.mark.parametrize("objectives", ["cost,hops,allreduce", "allreduce,cost"])
def test_a_front_that_exceeds_its_budget_says_which_points_are_sure(
    monkeypatch: pytest.MonkeyPatch, objectives: str
) -> None:
    """When the solve budget ends first, the proven points are on the whole front, and no bound is claimed."""
    words = {"gpus": 256, "server": "hgx-h100", "switches": "qm9700", "family": "clos", "oversubscription": 4}
    whole = fabric.pareto(words, objectives)
    monkeypatch.setattr(sys.modules["fabric.optimizer.pareto_search"], "FRONT_BUDGET", 0.5)
    part = fabric.pareto(words, objectives)
    assert (whole.status, part.status) == ("OPTIMAL", "FEASIBLE")
    assert 0 < len(part.proven) < len(whole.proven) == len(whole.studies)
    assert all(part.values[place] in whole.values for place in part.proven)
    assert any("others may be missing" in line for line in summarize_front(part).lines)
    best = fabric.optimize(words, objectives).proof
    assert best.bound is None if objectives.startswith("allreduce") else best.bound == whole.values[0]["cost_usd"]


@pytest.mark.parametrize("name", ["colossus-100k", "superpod-h100-4su", "meta-llama3-24k", "alibaba-hpn-pod"])
def test_the_features_of_a_fabric_give_its_summary(name: str) -> None:
    """The summary that flow objectives see is the same from a candidate's features and from the blueprint."""
    study = fabric.design(name)
    plan = study.blueprint
    candidate = next(
        one
        for one in comparable_candidates(study.spec, ())[0]
        if (one.topology, one.planes, one.link_gbps) == (plan.topology, plan.planes, plan.link_gbps)
    )
    found, own = summary_of(candidate, features_of(plan)), summarize(plan)
    assert dataclasses.replace(found, ratios=(), mirrors=own.mirrors) == dataclasses.replace(own, ratios=())
    assert found.ratios == pytest.approx(own.ratios, abs=1e-5)


@pytest.mark.parametrize(("server", "planes"), [("gb200-nvl72", 1), ("dgx-b300", [1, 2])])
def test_large_ratios_over_four_tiers_stay_within_the_solver(
    monkeypatch: pytest.MonkeyPatch, server: str, planes: int | list[int]
) -> None:
    """64:1 at each of three tiers is answered: ratios are distinguished as far as 64 bits allow."""
    monkeypatch.setattr(sys.modules["fabric.optimizer.pareto_search"], "FRONT_BUDGET", 1.0)
    words = {"gpus": 65_536, "server": server, "planes": planes, "oversubscription": 64, "family": "clos"}
    assert fabric.pareto({**words, "tiers": "any", "switches": ["qm9700", "sn5600"]}, "cost,allreduce").studies
