"""The bounds on Clos topologies against their optima, found without them."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import fabric
from fabric.blueprint.metrics import hops
from fabric.optimizer import OBJECTIVES, LinearObjective, parse_objectives
from fabric.optimizer.build_model import build_model, build_within, floor_of
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.floor import Floor
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import Solution, minimise
from fabric.optimizer.ties import blueprint_of
from tests.marks import slow

NAMES = ("cost", "switches", "links", "hops", "power", "cost=1,hops=5000")


def request(seed: int) -> dict[str, Any]:
    """Return a small random request of one to three tiers, of every family and spread, perhaps oversubscribed."""
    draw = random.Random(f"clos floor {seed}")
    ports = draw.choice([[4], [6], [8]] if seed % 2 else [[4, 12], [6, 12]])
    watts, prices = draw.randint(100, 900), [draw.randint(100, 9000), draw.randint(100, 30_000)]
    switches = [
        {"name": f"box-{most}", "ports": most, "rate_gbps": 400, "breakouts": {200: 2 * most}, "power_w": watts}
        | {"price_usd": price}
        for most, price in zip(ports, prices, strict=False)
    ]
    nics = draw.choice([1, 2, 4])
    gpus = nics * draw.randint(2, 50)
    return {
        "gpus": gpus,
        **({"grow_to_gpus": gpus + nics * draw.randint(1, 8)} if seed % 4 == 0 else {}),
        "server": {"name": "box", "gpus": nics, "nics": nics, "nic_gbps": 400},
        "switches": switches,
        "family": ["fat-tree", "rail-optimized", "rail-only", "hpn"],
        "uplink_spread": draw.choice(["even", "balanced"]),
        "tiers": [1, 2, 3],
        "planes": [1, 2],
        "oversubscription": draw.choice([1, 1, 1.5, 2, {"leaf": 3}]),
        "link_price_usd": draw.randint(1, 900),
        "limits": {"parallel_links": draw.choice([1, 2, 4, 16])},
    }


def optimum(candidate: Candidate, objective: LinearObjective) -> Solution:
    """Return the optimum of a candidate, found without its bounds."""
    model = build_model(candidate)
    return minimise(model, [model.total(objective)])


def bounded_candidates(words: dict[str, Any]) -> list[tuple[Candidate, Floor]]:
    """Return the candidates of a request, each with its bounds."""
    found, _, _ = comparable_candidates(fabric.read(words), [OBJECTIVES["cost"]])
    return [(candidate, floor) for candidate in found if (floor := floor_of(candidate))]


@pytest.mark.parametrize("seed", [*range(8), *slow(*range(8, 80))])
def test_no_clos_is_below_its_bounds(seed: int) -> None:
    """Whatever is minimised, no optimum is below the bound, and where there is no room there is no fabric."""
    for candidate, floor in bounded_candidates(request(seed)):
        for name in NAMES[seed % 3 :: 3]:
            (objective,) = parse_objectives(name)
            assert isinstance(objective, LinearObjective)
            solution, least = optimum(candidate, objective), floor.least_total(objective)
            assert least is not None
            if solution.values:
                assert floor.has_room
                assert least <= solution.values[0], (candidate, name)
                assert floor.hops <= hops(blueprint_of(candidate, solution)).max, candidate
                assert build_within(candidate, objective, math.ceil(least) - 1) is None


@pytest.mark.parametrize(("tiers", "gpus"), [(2, 32), (3, 128), (4, 512)])
def test_a_tree_that_fills_its_switches_is_at_its_bound(tiers: int, gpus: int) -> None:
    """A fat tree of 8-port switches with all servers that it can have costs what is said; one more has no room."""
    box = {"name": "box", "ports": 8, "rate_gbps": 400, "price_usd": 1000}
    server = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400}
    words = {"gpus": gpus, "server": server, "switches": box, "family": "fat-tree", "tiers": tiers}
    cost = OBJECTIVES["cost"]
    assert isinstance(cost, LinearObjective)
    ((candidate, floor),) = bounded_candidates(words | {"link_price_usd": 10})
    assert floor.least_total(cost) == pytest.approx(optimum(candidate, cost).values[0], rel=1e-8)
    assert floor.hops == 2 * tiers - 1
    ((candidate, floor),) = bounded_candidates(words | {"link_price_usd": 10, "gpus": gpus + 1})
    assert not floor.has_room
    assert not optimum(candidate, cost).values


def test_a_limit_on_totals_excludes_without_a_model() -> None:
    """A tree of three tiers has five hops at least here, so that a limit of three leaves no model of it to solve."""
    box = {"name": "box", "ports": 8, "rate_gbps": 400, "price_usd": 1000}
    server = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400}
    words = {"gpus": 128, "server": server, "switches": box, "family": "fat-tree", "tiers": 3, "link_price_usd": 10}
    cost = OBJECTIVES["cost"]
    assert isinstance(cost, LinearObjective)
    for limit, allowed in ((3, False), (5, True)):
        ((candidate, _),) = bounded_candidates(words | {"limits": {"hops": limit}})
        assert (build_within(candidate, cost, None) is not None) == allowed
        assert bool(optimum(candidate, cost).values) == allowed
        assert build_within(candidate, cost, None, ["limits.hops"]) is not None
