"""A director is itself a fabric of switch chips, so a path through it has several hops."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import networkx as nx
import pytest

import fabric
from fabric import catalog
from fabric.errors import Infeasible
from fabric.flow import summarize
from fabric.request import LIMITS

LEAF = {"name": "lf", "ports": 8, "rate_gbps": 400, "price_usd": 1000, "power_w": 100}
DIRECTOR = {"name": "dir", "ports": 64, "rate_gbps": 400, "price_usd": 5000, "power_w": 900, "inner_hops": 3}
BOX = {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 400}
BASE: dict[str, Any] = {"gpus": 40, "server": BOX, "family": "fat-tree", "link_price_usd": 10}


def longest_and_mean(study: fabric.Study) -> tuple[int, float]:
    """Return the hops between servers by networkx: the least sums over the devices passed, each with its own."""
    plan, network = study.blueprint, study.network
    own = {"server": 0} | dict(zip(plan.topology.roles, plan.inner_hops, strict=True))
    weights = [own[network.name(row).partition("[")[0]] for row in range(network.devices)]
    graph = nx.Graph()
    for lower, upper in zip(network.lower.tolist(), network.upper.tolist(), strict=True):
        graph.add_edge(lower, upper, weight=(weights[lower] + weights[upper]) / 2)
    found = [
        length
        for server in range(network.server_count)
        for other, length in nx.single_source_dijkstra_path_length(graph, server).items()
        if other < network.server_count and other != server
    ]
    return round(max(found)), sum(found) / len(found)


@pytest.mark.parametrize("seed", range(8))
def test_hops_are_those_of_weighted_paths(seed: int) -> None:
    """On drawn trees of switches and directors the hops are the least weights of paths over the expanded network."""
    random = Random(seed)
    tiers = random.choice([2, 3])
    roles = ("leaf", "spine", "core")[:tiers]
    models = {role: {**LEAF, "name": f"m-{role}", "ports": random.choice([8, 12, 16])} for role in roles}
    for role in roles:
        models[role]["inner_hops"] = random.choice([1, 1, 3, 5])
    study = fabric.design(BASE, gpus=random.randint(20, 32 if tiers == 2 else 60), tiers=tiers, switches=models)
    longest, mean = longest_and_mean(study)
    assert study.hops.max == longest
    assert study.hops.mean == pytest.approx(mean)
    summary = summarize(study.blueprint)
    assert summary.mean_hops == pytest.approx(mean)
    least = fabric.optimize(BASE, "hops", gpus=study.spec.gpus, tiers=tiers, switches=models)
    assert least.proof.objective == least.hops.max


@pytest.mark.parametrize("family", ["hyperx", "torus", "slim-fly", "dragonfly"])
def test_on_direct_networks_every_switch_counts_alike(family: str) -> None:
    """Where all switches are directors of three hops, every path has three times the hops."""
    plain = fabric.design(BASE, family=family, switches={**LEAF, "ports": 16})
    study = fabric.design(BASE, family=family, switches={**LEAF, "ports": 16, "inner_hops": 3})
    assert study.hops.max == 3 * plain.hops.max
    assert study.hops.mean == pytest.approx(3 * plain.hops.mean)
    assert study.proof.objective == plain.proof.objective
    assert fabric.optimize(study.spec, "hops,cost").hops.max % 3 == 0


def test_fewer_hops_are_bought_with_more_switches() -> None:
    """A director as the spine makes 5 hops of two tiers, as many as a third tier has; one large switch has 1."""
    asked = {**BASE, "switches": {"leaf": LEAF, "spine": [DIRECTOR, {**LEAF, "name": "sp"}]}}
    both = {fabric.optimize(asked, aim).hops.max for aim in ("hops,cost", "cost,hops")}
    assert fabric.optimize(asked, "hops,cost", gpus=32).hops.max == 3
    assert both == {5}
    assert fabric.design(asked, gpus=32, limits={"hops": 3}).blueprint.models["spine"].name == "sp"
    with pytest.raises(Infeasible, match=r"limits\.hops 3"):
        fabric.design(asked, limits={"hops": 3})


def test_a_front_over_hops_is_that_of_each_choice_alone() -> None:
    """The front of cost and hops over a switch and a director has the best of each spine taken alone."""
    spines = [DIRECTOR, {**LEAF, "name": "sp", "ports": 16, "price_usd": 9000}]
    asked = {**BASE, "switches": {"leaf": {**LEAF, "ports": 12}, "spine": spines}, "tiers": 2}
    points = {(values["cost_usd"], values["hops_max"]) for values in fabric.pareto(asked, "cost,hops").values}
    alone = []
    for spine, aim in product(spines, ("cost,hops", "hops,cost")):
        study = fabric.optimize(asked, aim, switches={**asked["switches"], "spine": spine})
        alone.append((study.proof.objectives["cost_usd"], study.hops.max))
    best = {
        one for one in alone if not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in alone)
    }
    assert points == best
    assert len(points) == 2
    front = fabric.pareto(asked, "cost,mean_hops,allreduce")
    assert front.status == "OPTIMAL"
    for study, values in zip(front.studies, front.values, strict=True):
        assert values["hops_mean"] == pytest.approx(study.hops.mean)


def test_an_unknown_latency_counts_once_for_each_chip() -> None:
    """A director without a stated latency has that of the switches of which it is made; a stated one is kept."""
    usual = catalog.collectives().switch_latency_ns
    spine = {**DIRECTOR, "ports": 16}
    study = fabric.design(BASE, gpus=32, switches={"leaf": LEAF, "spine": spine})
    assert summarize(study.blueprint).switch_ns == 3 * usual
    known = fabric.design(
        BASE, gpus=32, switches={"leaf": {**LEAF, "latency_ns": 100}, "spine": {**spine, "latency_ns": 700}}
    )
    assert summarize(known.blueprint).switch_ns == 700
    assert known.allreduce(2**20).time_s < study.allreduce(2**20).time_s


def test_the_cs8500_has_three_chips_on_its_longest_path() -> None:
    """The catalogue's director counts 3, all other switches 1, and a design of it says so."""
    several = {name: model.inner_hops for name, model in catalog.switches().items() if model.inner_hops != 1}
    assert several == {"cs8500": 3}
    study = fabric.design(gpus=640, server="hgx-a100", family="fat-tree", switches="cs8500")
    assert (study.blueprint.switches, study.hops.max, study.hops.mean) == (1, 3, 3)
    assert LIMITS["hops"].maximum >= 3 * 7


def test_one_server_needs_no_path_through_a_director() -> None:
    """Where each switch has more hops than may be, the most GPUs are those of one server, which has no hops."""
    switch, limits = {**LEAF, "inner_hops": 3}, {"hops": 2}
    with pytest.raises(Infeasible) as caught:
        fabric.design(BASE, tiers=[1, 2], switches=switch, limits=limits)
    assert {item.limit: item.nearest for item in caught.value.conflict} == {"gpus": 1, "limits.hops": None}
    assert fabric.design(BASE, gpus=1, tiers=[1, 2], switches=switch, limits=limits).hops.max == 0
    with pytest.raises(Infeasible):
        fabric.design(BASE, gpus=2, tiers=[1, 2], switches=switch, limits=limits)
