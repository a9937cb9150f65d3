"""Fabrics near the optimum that are better in what costs nothing by itself: against an exhaustive search."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import Infeasible
from fabric.optimizer import find_near_optima, size
from fabric.optimizer.near_optima import within_margin
from fabric.optimizer.solve import Solution
from tests.marks import slow
from tests.optimizer.brute_force import Found, fabrics
from tests.optimizer.test_search import as_spec, small_request

LARGE: dict[str, Any] = {"gpus": 16384, "server": "hgx-h100", "switches": "sn5600", "oversubscription": 3}

FOUND: dict[str, Callable[[Found], int]] = {
    "larger pods": lambda found: found.pod,
    "fewer parallel links": lambda found: -found.parallel,
    "rails that meet later": lambda found: found.meets,
}
"""What is better of a fabric of the exhaustive search, as a number that had better be large."""


def pod_of(plan: Blueprint, grown: int) -> int:
    """Return the servers of a pod, no more than there may be."""
    sharing = plan.topology.servers_sharing(2)
    assert sharing is not None
    return min(plan.evaluate(sharing), grown)


def value_of(aim: str, plan: Blueprint, grown: int) -> int:
    """Return the same number of a blueprint."""
    return {
        "larger pods": pod_of(plan, grown),
        "fewer parallel links": -max((plan.sizes[bundle.name] for bundle in plan.topology.fabric_bundles), default=0),
        "rails that meet later": max(0, plan.rails_meet_tier - 1),
    }[aim]


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [40, *slow(300)])
def test_near_optima_are_those_of_an_exhaustive_search(draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a tenth of the least cost, over two families, none is better in an aim, nor as good in it for less."""
    monkeypatch.setattr(importlib.import_module("fabric.optimizer.near_optima"), "MARGIN", 10)
    random, better, none = Random("near"), 0, 0
    for _ in range(draws):
        request, tiers = small_request(random), random.choice([(2,), (3,), (2, 3), (1, 2, 3)])
        spec = replace(as_spec(request, "fat-tree", tiers), families=("fat-tree", "rail-optimized"))
        every = [one for name in spec.families for one in fabrics(request, name, tiers)]
        try:
            sized = size(spec)
        except Infeasible:
            assert not every
            continue
        least = round(100 * sized.proof.objective)
        near = [one for one in every if 100 * one.cost <= within_margin(least)]
        for item in find_near_optima(sized.blueprint, sized.objectives, [least], sized.near):
            best = max(map(FOUND[item.aim], near))
            assert item.proven
            if item.blueprint is None:
                assert best <= value_of(item.aim, sized.blueprint, request.grown), (request, tiers, item.aim)
                none += 1
            else:
                cost = min(one.cost for one in near if FOUND[item.aim](one) == best)
                assert value_of(item.aim, item.blueprint, request.grown) == best, (request, tiers, item.aim)
                assert item.objectives == {"cost_usd": cost}
                better += 1
    assert min(better, none) > draws // 8


def test_pods_of_288_gpus_are_not_the_only_choice() -> None:
    """At 3:1 the cheapest fabric has 57 pods and 32 links between switches; within 1 % are fewer and larger ones."""
    study = fabric.design(LARGE)
    near = {item.aim: item for item in study.near_optima or ()}
    larger, fewer = near["larger pods"].blueprint, near["fewer parallel links"].blueprint
    assert larger is not None
    assert fewer is not None
    assert (larger.pod_gpus or 0) > 10 * (study.blueprint.pod_gpus or 0)
    assert 4 * fewer.parallel_links == study.blueprint.parallel_links
    for item in near.values():
        if item.blueprint is not None:
            assert study.proof.objective <= item.objectives["cost_usd"] <= 1.01 * study.proof.objective


def test_what_is_near_can_be_asked_for() -> None:
    """The size of a pod and the links of a pair, given in the request, are built at the cost named."""
    study = fabric.design(LARGE)
    near = {item.aim: item for item in study.near_optima or ()}
    plan = near["larger pods"].blueprint
    assert plan is not None
    asked = fabric.design(LARGE, pod_gpus={"min": plan.pod_gpus})
    assert asked.proof.objective == near["larger pods"].objectives["cost_usd"]
    fewer = fabric.design(LARGE, limits={"parallel_links": 4})  # of two links each
    assert fewer.proof.objective == near["fewer parallel links"].objectives["cost_usd"]


def test_rails_are_kept_apart_where_that_costs_little() -> None:
    """A fabric whose rails meet at the core may be within 1 % of one where they meet at the spine."""
    study = fabric.design("colossus-100k")
    (item,) = [item for item in study.near_optima or () if item.aim == "rails that meet later"]
    assert item.blueprint is not None
    assert (study.blueprint.rails_meet_tier, item.blueprint.rails_meet_tier) == (2, 3)
    assert item.objectives["cost_usd"] == study.others[0].objectives["cost_usd"]


def test_rails_are_no_aim_where_the_request_allows_no_family_with_rails() -> None:
    """A fat-tree has all NICs of a server on a leaf; that none has rails that meet later is no finding."""
    near = {family: fabric.design(LARGE, family=family).near_optima or () for family in ("fat-tree", "clos")}
    assert {item.aim for item in near["clos"]} - {item.aim for item in near["fat-tree"]} == {"rails that meet later"}


def test_where_no_objective_has_room_there_is_nothing_near() -> None:
    """Of hops alone 1 % is no hop, and a fabric at any cost would be as near as another."""
    assert fabric.optimize(LARGE, "hops").near_optima == ()
    assert fabric.optimize(LARGE, "hops,cost").near_optima


def test_what_the_budget_leaves_open_is_not_called_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a solve ends undecided, there is no alternative, and none is denied but where no solve is needed."""
    study = fabric.design(LARGE)
    monkeypatch.setattr(
        importlib.import_module("fabric.optimizer.near_optima"), "minimise", lambda *_: Solution("UNKNOWN")
    )
    pods, parallel, rails = study.near_optima or ()
    assert not any(item.proven or item.blueprint for item in (pods, parallel))
    assert rails.proven, "no near topology has rails, which takes no solve"


def test_a_point_of_a_front_has_no_alternatives() -> None:
    """On a Pareto front nothing is said of what is near."""
    words = {"gpus": 512, "server": "hgx-h100", "switches": "qm9700"}
    assert fabric.pareto(words, "cost,hops").studies[0].near_optima is None


def test_a_choice_of_rails_is_looked_through() -> None:
    """Where a request allows several numbers of rails, fabrics near the optimum are found all the same."""
    words = {"gpus": 2048, "server": "hgx-h100", "family": "rail-optimized", "switches": "qm9700"}
    study = fabric.design(words, tiers=3, rails=[1, 8])
    assert study.blueprint.rails in (1, 8)
    assert study.near_optima is not None
