"""Max-min fair rates, compared with progressive filling as in a textbook."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from fabric.flow import Phase, Routes, Routing, fail, fairness, max_min, permutation, route, shares
from tests.flow.flow_fabrics import crossing, fat_tree, fill_in_rounds, links_of, progressive_filling, small_fabrics
from tests.marks import slow


@pytest.mark.parametrize("weighted", [False, True])
def test_rates_are_those_of_progressive_filling(weighted: bool) -> None:
    """On random arcs of random capacity the rates are the textbook's: raised together, stopped as arcs fill."""
    random = Random(3)
    for trial in range(60):
        count, depth = random.randint(2, 12), random.randint(1, 4)
        arcs = [random.sample(range(count), min(count, random.randint(1, depth))) for _ in range(random.randint(1, 40))]
        capacity = [random.choice([0.0, 1.0, 2.0, 7.5, random.uniform(0.1, 9)]) for _ in range(count)]
        padded = np.array([row + [count] * (depth - len(row)) for row in arcs], np.int32)
        weights = [random.choice([1.0, 2.0, random.uniform(0.01, 5)]) for _ in arcs] if weighted else None
        column = None if weights is None else np.array(weights)
        routes = Routes(padded, np.array([*capacity, np.inf]), np.zeros(len(arcs), bool), column)
        expected = progressive_filling(arcs, capacity, weights)
        assert max_min(routes) == pytest.approx(expected, rel=1e-6, abs=1e-9), trial


@pytest.mark.parametrize("trials", [2, *slow(8)])
def test_stages_fill_as_rounds_over_all_arcs_do(trials: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On drawn fabrics, healthy or not, rates are those of rounds over all arcs, whatever the stages."""
    for plan, seed in small_fabrics(trials):
        up = fail(plan, ["link:10%"], seed) if seed % 2 else None
        for routing in (Routing("adaptive"), Routing("ecmp", 4, seed)):
            routes = route(plan, crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed)), routing, up)
            if seed % 3:
                routes = replace(routes, weights=np.random.default_rng(seed).uniform(0.1, 4, routes.flows))
            monkeypatch.setattr(fairness, "FEW", seed)
            monkeypatch.setattr(fairness, "STAGE", Random(seed).choice([0.0, 0.02, 0.3, 0.8]))
            assert max_min(routes) == pytest.approx(fill_in_rounds(routes), rel=1e-9, abs=1e-9)


def test_many_flows_fill_in_stages_of_the_usual_size() -> None:
    """Hashed sub-flows of 8,192 hosts, enough for several stages, get what rounds over all arcs give."""
    phase = permutation(np.arange(8192), 3)
    routes = route(fat_tree(3, 16, 32), phase, Routing("ecmp", 4))
    assert routes.flows > fairness.FEW
    assert max_min(routes) == pytest.approx(fill_in_rounds(routes), rel=1e-9)


def test_a_flow_without_a_path_has_no_rate_and_one_without_an_arc_no_limit() -> None:
    """Disconnected flows get nothing, and flows that use no link are not limited."""
    routes = Routes(np.array([[0, 1], [1, 1], [1, 1]], np.int32), np.array([5.0, np.inf]), np.array([0, 1, 0], bool))
    assert max_min(routes).tolist() == [5.0, 0.0, np.inf]


@pytest.mark.parametrize("routing", ["adaptive", "ecmp"])
def test_flows_that_share_a_link_end_together(routing: str) -> None:
    """A NIC that sends three quarters to one NIC and a quarter to another serves both at line rate together."""
    phase = Phase(np.array([0, 0]), np.array([2, 3]), np.array([0.75, 0.25]))
    found = shares(fat_tree(2, 4, 2), [phase], Routing(routing))
    assert (found.mean, found.min) == pytest.approx((1, 1))


@pytest.mark.parametrize("routing", ["adaptive", "ecmp"])
def test_a_small_flow_gets_no_more_than_all_it_needs(routing: str) -> None:
    """A flow of fewer bytes that runs at line rate ends early; its share is 1 like that of the largest."""
    phase = Phase(np.array([0, 1]), np.array([2, 3]), np.array([1.0, 0.25]))
    found = shares(fat_tree(2, 4, 2), [phase], Routing(routing))
    assert (found.mean, found.min) == (1, 1)
