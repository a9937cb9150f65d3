"""What ECMP and oversubscription leave in closed form, compared with explicit flows."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.flow import (
    ALGORITHMS,
    Phase,
    Routing,
    ecmp_bottleneck,
    ecmp_mean,
    permutation,
    phases,
    place,
    route,
    shares,
    shift,
    summarize,
)
from fabric.flow.algorithms import TREE
from fabric.flow.closed_form import ClosedForm, Left
from tests.flow.flow_fabrics import fat_tree, form_of, sized


def left(plan: Blueprint, placement: str, routing: str = "adaptive", algorithm: str = "ring") -> Left:
    """Return what the closed form of an all-reduce leaves to its flows."""
    return ClosedForm.of(summarize(plan), "all-reduce", routing, placement).left(ALGORITHMS[algorithm])


@pytest.mark.parametrize("ratio", [1, 2, 4, 8])
def test_adaptive_flows_get_exactly_the_closed_form(ratio: int) -> None:
    """Traffic that all leaves the leaf gets 1 / ratio; a ring in order loses nothing: one server in m sends up."""
    plan = fat_tree(2, 8, 8, ratio)
    every = shares(plan, [shift(np.arange(64), 8)])
    assert every.min == every.mean == left(plan, "random", algorithm="sharp").least == 1 / ratio
    ring = shares(plan, phases(plan.server, place(plan), "all-reduce", "ring"))
    assert ring.min == left(plan, "contiguous").least == 1


@pytest.mark.parametrize(("first", "second"), [*product([1, 2, 4], [1, 2, 4])])
def test_oversubscription_multiplies_going_up(first: int, second: int) -> None:
    """On three tiers adaptive flows between pods get exactly the closed form's share, in order and all at once."""
    sizes = {"pod": 4, "block": 2, "slot": 8, "rail": 2, "group": 8 // first, "core": 4 // second}
    plan = sized(form_of("rail-optimized", 3), 64, gpus=2, **sizes)
    found = shares(plan, [shift(np.arange(128), 32)])
    assert found.min == pytest.approx(left(plan, "random", algorithm="sharp").least)
    ring = shares(plan, phases(plan.server, place(plan), "all-reduce", "ring"))
    assert ring.min == pytest.approx(left(plan, "contiguous").least)


KNOWN = [(2, 1, 0.50), (2, 2, 0.66), (3, 2, 0.57)]
"""Tiers, queue pairs and the max-min mean of a random permutation on a large 1:1 fat tree under ECMP."""


@pytest.mark.parametrize(("tiers", "qps", "known"), KNOWN)
def test_permutations_get_the_known_means(tiers: int, qps: int, known: float) -> None:
    """A random permutation on a 1:1 fat tree gets the known mean within 2 points, as flows and in closed form."""
    plan = fat_tree(2, 64, 64) if tiers == 2 else fat_tree(3, 16, 32)
    hosts = np.arange(plan.gpus)
    found = np.mean([shares(plan, [permutation(hosts, s)], Routing("ecmp", qps, s)).mean for s in range(3)])
    assert found == pytest.approx(known, abs=0.02)
    assert ecmp_mean((1,) * (tiers - 1), qps) == pytest.approx(known, abs=0.02)


@pytest.mark.parametrize("qps", [1, 4, *(pytest.param(qps, marks=pytest.mark.slow) for qps in (2, 8, 16))])
@pytest.mark.parametrize(("tiers", "ratio"), [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (2, 4)])
def test_the_mean_in_closed_form_is_that_of_flows(tiers: int, ratio: int, qps: int) -> None:
    """The closed form of the mean share is within 2 points of explicit flows, on two to four tiers, 1:1 to 4:1.

    Flows that stay within a leaf or a pod, of which a large fabric has few, are not asked.
    """
    half, places = {2: (32, 64), 3: (16, 16), 4: (8, 8)}[tiers]
    plan = fat_tree(tiers, half, places, ratio)
    phase = Phase(np.arange(plan.gpus), _between_places(plan.gpus, plan.gpus // places))
    found = shares(plan, [phase], Routing("ecmp", qps, 1)).mean
    assert ecmp_mean(summarize(plan).ratios, qps) == pytest.approx(found, abs=0.02)


def _between_places(hosts: int, place: int) -> np.ndarray:
    """Return a random permutation that takes every host to another locality of `place` hosts."""
    rng = np.random.default_rng(7)
    inside = np.concatenate([rng.permutation(place) + first for first in range(0, hosts, place)])
    spread = np.arange(hosts).reshape(-1, place)
    for column in range(place):
        spread[:, column] = np.roll(spread[:, column], 1 + rng.integers(hosts // place - 1))
    return spread.reshape(-1)[inside]


def test_more_queue_pairs_are_never_worse_and_spraying_is_best() -> None:
    """From 1 to 256 queue pairs the mean and the slowest share of a permutation rise, and adaptive routing has all."""
    plan = fat_tree(2, 16, 32)
    phase = permutation(np.arange(plan.gpus), 2)
    found = [shares(plan, [phase], Routing("ecmp", 4**power, 1)) for power in range(5)]
    means, least = [one.mean for one in found], [one.min for one in found]
    assert means == sorted(means)
    assert least == sorted(least)
    sprayed = shares(plan, [phase])
    assert sprayed.mean == sprayed.min == 1 > means[-1]


@pytest.mark.parametrize(
    ("subflows", "ratio"), [(1, 1), (2, 1), (4, 1), (8, 1), pytest.param(16, 1, marks=pytest.mark.slow), (2, 2)]
)
def test_the_ecmp_bottleneck_is_that_of_explicit_flows(subflows: int, ratio: int) -> None:
    """The mean share of the slowest flow, in closed form, is within 2 points of flows on the network."""
    plan = fat_tree(2, 32, 32, ratio)
    slowest = []
    for seed in range(30):
        phase = Phase(np.arange(plan.gpus), _between_places(plan.gpus, plan.gpus // 32))
        slowest.append(shares(plan, [phase], Routing("ecmp", subflows, seed)).min)
    links = 2 * plan.gpus // ratio
    assert ecmp_bottleneck(links, subflows, ratio) == pytest.approx(np.mean(slowest), abs=0.02)


RINGS = [
    sized(form_of("rail-optimized", 3), 256, gpus=8, pod=4, block=2, slot=32, rail=8, group=16, spine=2, core=16),
    sized(form_of("rail-only", 2), 128, gpus=4, block=4, slot=32, rail=4, spine=32),
    sized(form_of("fat-tree", 2), 128, gpus=8, block=4, slot=32, spine=32, **{"server-leaf": 8, "leaf-spine": 8}),
    sized(form_of("fat-tree", 2), 64, gpus=8, block=8, slot=8, spine=16, **{"server-leaf": 8}),
]


@pytest.mark.parametrize("plan", RINGS, ids=lambda plan: plan.topology.text)
def test_a_hashed_ring_in_order_gets_the_closed_form(plan: Blueprint) -> None:
    """A ring in order meets no collision on rails, and elsewhere those of the closed form."""
    queue_pairs, ring = collectives().ecmp_subflows, list(phases(plan.server, place(plan), "all-reduce", "ring"))
    found = [shares(plan, ring, Routing("ecmp", queue_pairs, seed)).min for seed in range(100)]
    # The closed form has the expected time, of which the slowest share is one over.
    assert left(plan, "contiguous", "ecmp").least == pytest.approx(1 / np.mean(1 / np.array(found)), rel=0.05)
    assert plan.topology.family == "fat-tree" or np.median(found) == 1


@pytest.mark.parametrize(("planes", "qps"), [(2, 2), (2, 8), (4, 4)])
def test_queue_pairs_are_spread_over_the_planes(planes: int, qps: int) -> None:
    """With as many queue pairs as planes a NIC sends on all, and hashing leaves it the share of the closed form."""
    plan = sized(form_of("fat-tree", 2), 1024, block=32, slot=32, spine=32, plane=planes)
    arcs = route(plan, shift(np.arange(1024), 1), Routing("ecmp", qps)).arcs[:, 0].reshape(-1, qps)
    assert (np.sort(arcs % planes)[:, :: qps // planes] == np.arange(planes)).all()
    phase = Phase(np.arange(1024), _between_places(1024, 32))
    found = [shares(plan, [phase], Routing("ecmp", qps, seed)) for seed in range(20)]
    closed = ecmp_bottleneck(2 * 1024 * planes, qps / planes, 1.0)
    assert closed == pytest.approx(np.mean([one.min for one in found]), abs=0.02)
    assert ecmp_mean((1.0,), qps / planes) == pytest.approx(np.mean([one.mean for one in found]), abs=0.02)


def test_a_thousand_flows_load_sixteen_links_unevenly() -> None:
    """Of 1,000 flows hashed on 16 uplinks the busiest has more than 1.2 times the mean (Meta, SIGCOMM 2024)."""
    plan = sized(form_of("fat-tree", 2), 2000, block=2, slot=1000, spine=16)
    worst = []
    for seed in range(60):
        arcs = route(plan, shift(np.arange(2000), 1000), Routing("ecmp", seed=seed)).arcs
        loads = np.unique(arcs[:, 1], return_counts=True)[1].reshape(2, 16)
        worst.append(loads.max(axis=1).mean() / 62.5)
    assert np.mean(worst) > 1.2


def test_the_closed_forms_never_rise_as_a_fabric_gets_worse() -> None:
    """More links at risk, more crossing, more tiers or a larger ratio never raise the closed forms of ECMP's share."""
    crossings = np.geomspace(0.01, 64, 40)
    for links, subflows in product([16, 1024, 10**6], [1, 2, 8]):
        sharing = [ecmp_bottleneck(links / crossing, subflows, crossing) for crossing in crossings[20:]]
        assert all(after <= before + 1e-9 for before, after in pairwise(sharing))
        falling = [ecmp_bottleneck(links, subflows, crossing) for crossing in crossings]
        assert all(after <= before + 1e-9 for before, after in pairwise(falling))
        assert ecmp_bottleneck(2 * links, subflows, 1.0) <= ecmp_bottleneck(links, subflows, 1.0) + 1e-9
    ratios = np.geomspace(1, 32, 30)
    for subflows, other in product([1, 2, 8], [1.0, 2.0, 7.0]):
        rising = [ecmp_mean((min(other, ratio), max(other, ratio)), subflows) for ratio in ratios]
        assert all(after <= before + 1e-9 for before, after in pairwise(rising))
        assert ecmp_mean((other, other), subflows) < ecmp_mean((other,), subflows)
    assert ecmp_mean((), 2) == 1


def test_the_ecmp_bottleneck_agrees_with_a_monte_carlo() -> None:
    """With F sub-flows per NIC hashed on a leaf's uplinks, the slowest gets what random draws give, within 2 points."""
    rng = np.random.default_rng(5)
    for subflows in (1, 2, 4, 8):
        leaves, uplinks, trials = 32, 32, 40
        slowest = []
        for _ in range(trials):
            load = np.zeros((leaves, uplinks), int)
            draws = rng.integers(0, uplinks, (leaves, uplinks * subflows))
            for leaf in range(leaves):
                load[leaf] = np.bincount(draws[leaf], minlength=uplinks)
            slowest.append(min(1.0, subflows / load.max()))
        predicted = ecmp_bottleneck(leaves * uplinks, subflows, 1.0)
        assert predicted == pytest.approx(np.mean(slowest), abs=0.02)


def test_oversubscription_adds_collisions() -> None:
    """Twice the flows on each uplink leave less than half."""
    assert ecmp_bottleneck(2048, 2, 1.0) == pytest.approx(0.24, abs=0.01)
    assert ecmp_bottleneck(2048, 2, 2.0) == pytest.approx(1 / 6, abs=0.01)


def test_the_bottleneck_of_many_flows_is_found_too() -> None:
    """Where a link carries thousands of flows, its share nears that of an even spread, from below."""
    for crossing in (370, 380, 5000):
        share = ecmp_bottleneck(10_000, 2, crossing)
        assert 0.8 / crossing < share < 1 / crossing
    assert ecmp_bottleneck(10_000, 2, 0) == 1


def test_each_tree_runs_on_half_of_the_channels() -> None:
    """Two queue pairs of a NIC make four sub-flows of a tree, one to each partner, and never fewer than one."""
    assert [TREE.subflows(qps).in_plane(1) for qps in (1, 2, 3, 8)] == [4, 4, 8, 16]
    assert TREE.subflows(2).in_plane(2) == 4
