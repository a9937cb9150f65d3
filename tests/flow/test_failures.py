"""Failures: throughput follows arithmetic where traffic is symmetric, never rises, and disconnection is reported."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow import Phase, Routing, fail, failover, nics_left, permutation, route, shares, shift
from fabric.network.expand import expand
from tests.flow.flow_fabrics import crossing, fat_tree, form_of, links_of, sized, small_fabrics


def leaf_losing(plan: Blueprint, lost: int) -> np.ndarray:
    """Return which links are up when the first leaf has lost some of its uplinks."""
    up = np.ones(plan.links_total, bool)
    first = links_of(plan).layers[1].first
    up[first : first + lost] = False
    return up


@pytest.mark.parametrize("lost", [1, 3, 7])
def test_a_leaf_keeps_the_share_of_its_uplinks(lost: int) -> None:
    """A leaf that lost q of u uplinks leaves (u - q) / u to its slowest flow under adaptive routing."""
    plan = fat_tree(2, 8, 8)
    found = shares(plan, [shift(np.arange(64), 8)], up=leaf_losing(plan, lost))
    assert found.min == pytest.approx((8 - lost) / 8)
    assert (found.disconnected, found.flows) == (0, 64)


@pytest.mark.parametrize("lost", [1, 8, 24])
def test_hashing_over_what_is_left_adds_load(lost: int) -> None:
    """Under ECMP the remaining uplinks of a leaf carry u / (u - q) times their load, as evenly as before."""
    plan = sized(form_of("fat-tree", 2), 64, block=2, slot=32, spine=32)
    phase = Phase(np.arange(32), np.arange(32, 64))
    arcs = route(plan, phase, Routing("ecmp", qps=1000), leaf_losing(plan, lost)).arcs
    load = np.unique(arcs[:, 1], return_counts=True)[1]
    assert len(load) == 32 - lost
    assert load.mean() == pytest.approx(1000 * 32 / (32 - lost))
    assert abs(load - load.mean()).max() < 4.5 * np.sqrt(load.mean())


@pytest.mark.parametrize("planes", [2, 4])
def test_a_lost_plane_leaves_the_rest(planes: int) -> None:
    """Without one of p planes (p - 1) / p of the throughput is left, and hashed flows avoid the failed plane."""
    plan = sized(form_of("rail-optimized", 2), 32, gpus=4, block=4, slot=8, rail=4, spine=8, plane=planes)
    up = fail(plan, ["plane:1"], seed=1)
    phase = crossing(plan, shift(np.arange(128), 32))
    assert shares(plan, [phase], up=up).min == pytest.approx((planes - 1) / planes)
    arcs = route(plan, phase, Routing("ecmp", qps=4), up).arcs
    assert up[arcs[arcs < 2 * plan.links_total] % plan.links_total].all()


def test_removing_links_never_raises_adaptive_throughput() -> None:
    """As more and more links fail, neither the slowest flow nor all together get more."""
    for plan, seed in small_fabrics(2):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        steps = [fail(plan, [f"link:{percent}%"], seed) for percent in (0, 5, 10, 20, 40, 80)]
        assert all((after <= before).all() for before, after in itertools.pairwise(steps))
        least = [shares(plan, [phase], up=up).min for up in steps]
        assert least == sorted(least, reverse=True)


@pytest.mark.parametrize("name", ["adaptive", "ecmp", "dmodk"])
def test_disconnected_flows_are_counted(name: str) -> None:
    """A server without links has flows without rate: they are counted, the slowest share is 0, and the rest go on."""
    plan = fat_tree(3, 4, 4)
    found = shares(plan, [shift(np.arange(64), 20)], Routing(name), fail(plan, ["server[pod=0,block=1,slot=2]"]))
    assert (found.disconnected, found.min, found.flows) == (2, 0, 64)
    assert found.mean > 0.3


def test_leaves_without_a_common_spine_are_disconnected() -> None:
    """Two leaves with an uplink each, to different spines, have capacity but no path: no routing joins them."""
    plan = sized(form_of("fat-tree", 2), 4, block=2, slot=2, spine=2)
    up = np.ones(plan.links_total, bool)
    up[[4, 7]] = False  # leaf 0 keeps spine 1, leaf 1 keeps spine 0
    for name in ("adaptive", "ecmp"):
        found = shares(plan, [shift(np.arange(4), 2)], Routing(name), up)
        assert (found.disconnected, found.mean) == (4, 0)


def test_failures_are_those_of_the_network() -> None:
    """A named device goes down with all its links, and nothing else does."""
    plan = sized(form_of("rail-optimized", 3), 16, gpus=2, pod=2, block=2, slot=4, rail=2, group=2, spine=2, core=2)
    network = expand(plan)
    ends = [[network.name(row) for row in column] for column in (network.lower.tolist(), network.upper.tolist())]

    def down(word: str, seed: int = 0) -> list[tuple[str, str]]:
        gone = np.flatnonzero(~fail(plan, [word], seed))
        return [(ends[0][link], ends[1][link]) for link in gone]

    leaf = "leaf[pod=1,block=0,rail=1,plane=0]"
    assert down("leaf[pod=1,rail=1,block=0]") == [pair for pair in zip(*ends, strict=True) if leaf in pair]
    assert len(down("leaf[pod=1]")) == 4 * (4 + 4)
    assert len(down("core:2")) == 2 * 4
    assert len(down("spine-core:25%")) == 4
    assert all(lower.startswith("spine") for lower, _ in down("spine-core:25%"))
    assert down("nic[pod=0,block=1,slot=2,nic=1]") == [
        ("server[pod=0,block=1,slot=2]", "leaf[pod=0,block=1,rail=1,plane=0]")
    ]
    assert len(down("link:10%")) == round(plan.links_total / 10)
    assert down("link:10%", 1) != down("link:10%", 2)


def test_the_other_nics_carry_the_flows_of_a_failed_one() -> None:
    """The flows of a dead NIC are split over the others of its server, and only a server without any is cut off."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    up = fail(plan, ["leaf[block=0,rail=1]", "server[block=1,slot=3]"])
    phase = crossing(plan, shift(np.arange(32), 4))
    assert shares(plan, [phase], up=up).disconnected == 2 * 4 + 5 - 1
    moved = failover(phase, nics_left(plan, up), Hosts.of(plan))
    assert shares(plan, [moved], up=up).disconnected == 2
    first = moved.source < 4
    assert np.sort(moved.source[first]).tolist() == [0, 2, 3]
    assert moved.shares[first] == pytest.approx(4 / 3)
    assert moved.shares.sum() == pytest.approx(phase.shares.sum())


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_the_other_nics_share_the_load_of_failed_ones(dead: int) -> None:
    """A server with d of n NICs failed sends everything by the others, n / (n - d) times their usual load."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    up = fail(plan, [f"nic[block=0,slot=0,nic={number}]" for number in range(dead)])
    phase = failover(crossing(plan, shift(np.arange(32), 4)), nics_left(plan, up), Hosts.of(plan))
    assert shares(plan, [phase], up=up).min == pytest.approx((4 - dead) / 4)


def test_servers_without_a_common_rail_meet_above() -> None:
    """Where no rail lives at both ends, the flow goes between the first live NICs."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    words = [f"nic[block=0,slot=0,nic={nic}]" for nic in (0, 1)] + [f"nic[block=0,slot=1,nic={nic}]" for nic in (2, 3)]
    moved = failover(Phase(np.array([0]), np.array([4])), nics_left(plan, fail(plan, words)), Hosts.of(plan))
    assert (moved.source.tolist(), moved.target.tolist(), moved.shares.tolist()) == ([2], [4], [1.0])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("leaf", "write a kind"),
        ("leef:1", "did you mean 'leaf'"),
        ("leaf:99", "the fabric has only 8"),
        ("link:101%", "at most 100%"),
        ("link[pod=1]", "has no axes"),
        ("leaf[pod=1]", "no axis 'pod'"),
        ("leaf[block=x]", "whole number"),
        ("leaf[block=77]", "the fabric has no leaf"),
        ("leaf[block=999999999999]", "the fabric has no leaf"),
        ("leaf[block=9999999999999]", "whole number"),
    ],
)
def test_words_that_are_not_failures_are_refused(word: str, said: str) -> None:
    """A word that is not a failure is refused with a hint, all such words at once."""
    with pytest.raises(InputError) as caught:
        fail(fat_tree(2, 8, 8), ["spine:1", word, "moon:3"])
    assert said in str(caught.value)
    assert "unknown kind 'moon'" in str(caught.value)


@pytest.mark.parametrize("planes", [2, 4])
def test_a_direct_network_sends_by_a_plane_whose_links_are_up(planes: int) -> None:
    """A NIC that lost its link in one plane is reached through the next one; no flow is left without a path."""
    box = {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 400}
    switch = {"name": "any", "ports": 64, "rate_gbps": 400 // planes, "price_usd": 1}
    request = {"gpus": 16, "server": box, "family": "torus", "planes": planes, "switches": switch, "link_price_usd": 1}
    plan = fabric.design(request, pinned={"x": 4, "y": 4}, tiers="any").blueprint
    up = np.ones(plan.links_total, bool)
    up[0] = False
    found = shares(plan, [shift(np.arange(16), 5)], Routing("ecmp", qps=planes), up=up)
    assert found.disconnected == 0
