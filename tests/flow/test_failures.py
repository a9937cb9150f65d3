"""Failures: throughput follows arithmetic where traffic is symmetric, never rises, and disconnection is reported."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow import (
    Phase,
    Routing,
    draw_failures,
    fail,
    failover,
    permutation,
    route,
    router_of,
    shares,
    shift,
)
from fabric.network.expand import expand
from tests.flow.flow_fabrics import crossing, fat_tree, form_of, links_of, sized, small_fabrics


def leaf_losing(plan: Blueprint, lost: int) -> np.ndarray:
    """Return which links are up when the first leaf has lost some of its uplinks."""
    up = np.ones(plan.links_total, bool)
    first = links_of(plan).layers[1].first
    up[first : first + lost] = False
    return up


def torus(planes: int) -> Blueprint:
    """Return a torus of four by four switches, each with one server of one NIC, on some planes."""
    box = {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 400}
    switch = {"name": "any", "ports": 64, "rate_gbps": 400 // planes, "price_usd": 1}
    request = {"gpus": 16, "server": box, "family": "torus", "planes": planes, "switches": switch, "link_price_usd": 1}
    return fabric.design(request, pinned={"x": 4, "y": 4}, tiers="any").blueprint


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
        numbers = [max(1, round(plan.links_total * share)) for share in (0.05, 0.1, 0.2, 0.4, 0.8)]
        steps = [fail(plan, [f"link:{number}"] * bool(number), seed) for number in (0, *numbers)]
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


def test_one_link_is_named_by_its_ends_or_a_port() -> None:
    """A link goes down alone, by its two devices in either order, by its number of parallel ones, or by a port."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=2, block=2, slot=4, rail=2, spine=2, **{"leaf-spine": 3})
    network = expand(plan)
    leaf, spine = "leaf[block=1,rail=0]", "spine[spine=1]"

    def down(*words: str) -> list[int]:
        return np.flatnonzero(~fail(plan, words)).tolist()

    ends = [[network.name(row) for row in column] for column in (network.lower.tolist(), network.upper.tolist())]
    pair = ("leaf[block=1,rail=0,plane=0]", "spine[spine=1,plane=0]")
    three = [row for row, names in enumerate(zip(*ends, strict=True)) if names == pair]
    assert len(three) == 3
    assert down(f"{leaf}--{spine}") == down(f"{spine}--{leaf}") == three
    assert [down(f"{leaf}--{spine}#{number}") for number in (1, 2, 3)] == [[row] for row in three]
    port = network.lower_port[three[1]]
    assert down(f"{leaf}:{port}") == down(f"{leaf}:{port}--{spine}") == [three[1]]
    assert down(f"{spine}:{network.upper_port[three[2]]}") == [three[2]]
    assert down(f"nic[block=1,slot=0,nic=0]--{leaf}") == down("server[block=1,slot=0]:0")
    for failed in draw_failures(plan, [f"{leaf}--{spine}", "link:20%", "leaf-spine:2"]):
        assert down(*failed.names()) == np.flatnonzero(~failed.up).tolist()


def test_a_link_of_one_group_is_named_by_its_ends() -> None:
    """On a direct network both ends are switches of one role; every name that is drawn names the same link again."""
    plan = torus(2)
    for failed in draw_failures(plan, ["link:30%", "leaf:2", "nic:2", "plane:1", "server:1"], 3):
        assert (fail(plan, failed.names()) == failed.up).all()


def test_a_failure_alone_needs_no_list() -> None:
    """A text is one failure, not one for each of its letters."""
    plan = fat_tree(2, 8, 8)
    assert (fail(plan, "link:5%", 2) == fail(plan, ["link:5%"], 2)).all()
    with pytest.raises(InputError, match=r"^failure 'leef:1': unknown kind 'leef'"):
        fail(plan, "leef:1")


def test_failures_are_listed_in_a_file(tmp_path: Path) -> None:
    """A file has one failure a line and comments; with the same seed it fails what its words do."""
    plan = fat_tree(2, 8, 8)
    words = ["leaf[block=0]--spine[spine=2]#1", "link:5%", "spine:1"]
    listed = tmp_path / "down.txt"
    listed.write_text(f"# ticket 4711\n\n{words[0]}  # fibre cut\n{words[1]}\n  {words[2]}\n")
    assert (fail(plan, [f"@{listed}"], 2) == fail(plan, words, 2)).all()
    listed.write_text("leaf:1\nleef:1 # typo\n\nleaf:99\n")
    with pytest.raises(InputError) as caught:
        fail(plan, [f"@{listed}"])
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{listed}:2: failure leef:1: unknown kind 'leef'")
    assert second.startswith(f"{listed}:4: failure leaf:99: the fabric has only 8")
    listed.write_text("# nothing\n")
    with pytest.raises(InputError, match="lists no failure"):
        fail(plan, [f"@{listed}"])
    with pytest.raises(InputError, match="not readable: No such file"):
        fail(plan, [f"@{tmp_path / 'missing.txt'}"])


@pytest.mark.parametrize(
    ("broken", "left"),
    [
        (["server[block=0,slot=0]:0"], [0.5, 1.0]),
        (["server[block=0,slot=0]:0", "server[block=1,slot=0]:1"], [0.0, 1.0]),
    ],
)
def test_a_nic_reaches_another_by_the_planes_that_both_have(broken: list[str], left: list[float]) -> None:
    """Two NICs that have lost one of two planes keep what the common ones carry; without a common one, nothing."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=2, block=2, slot=4, rail=2, spine=4, plane=2)
    up = fail(plan, broken)
    moved = failover(plan, Phase(np.array([0, 1]), np.array([8, 9])), up)
    by_rail = np.bincount(moved.source, moved.shares, 2)
    assert by_rail == pytest.approx([2 * each / sum(left) for each in left])
    assert shares(plan, [moved], Routing("ecmp", qps=2), up).disconnected == 0


def test_no_plane_in_common_leaves_the_cross_of_rails() -> None:
    """Servers that have one plane each, another on every rail, meet by the NICs that have one in common."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=2, block=2, slot=4, rail=2, spine=4, plane=2)
    up = fail(plan, [f"server[block=0,slot=0]:{port}" for port in (1, 2)])
    up &= fail(plan, [f"server[block=1,slot=0]:{port}" for port in (0, 3)])
    moved = failover(plan, Phase(np.array([0, 1]), np.array([8, 9])), up)
    assert (moved.source.tolist(), moved.target.tolist(), moved.shares.tolist()) == ([0], [9], [2.0])
    for name in ("adaptive", "ecmp"):
        assert shares(plan, [moved], Routing(name, qps=2), up).disconnected == 0


@pytest.mark.parametrize("name", ["adaptive", "ecmp", "dmodk"])
def test_a_rail_cut_off_above_its_leaf_goes_by_the_others(name: str) -> None:
    """A leaf without uplinks leaves its NICs up, but servers of other units send by the other rails."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    up = fail(plan, [f"leaf[block=0,rail=1]--spine[spine={spine}]" for spine in range(4)])
    phase = crossing(plan, shift(np.arange(32), 16))
    assert shares(plan, [phase], Routing(name), up).disconnected == 8
    moved = failover(plan, phase, up)
    found = shares(plan, [moved], Routing(name), up)
    assert found.disconnected == 0
    assert moved.shares.sum() == pytest.approx(phase.shares.sum())
    if name == "adaptive":
        assert found.min == pytest.approx(3 / 4)


def test_the_other_nics_carry_the_flows_of_a_failed_one() -> None:
    """The flows of a dead NIC are split over the others of its server, and only a server without any is cut off."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    up = fail(plan, ["leaf[block=0,rail=1]", "server[block=1,slot=3]"])
    phase = crossing(plan, shift(np.arange(32), 4))
    assert shares(plan, [phase], up=up).disconnected == 2 * 4 + 5 - 1
    moved = failover(plan, phase, up)
    assert shares(plan, [moved], up=up).disconnected == 2
    first = moved.source < 4
    assert np.sort(moved.source[first]).tolist() == [0, 2, 3]
    assert moved.shares[first] == pytest.approx(4 / 3)
    assert moved.shares.sum() == pytest.approx(phase.shares.sum())


def test_connections_of_other_channels_stay_apart() -> None:
    """Flows that move to the same NICs grow together only where they are of one connection: of the same channels."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=2, block=2, slot=4, rail=2, spine=4)
    up = fail(plan, ["nic[block=0,slot=0,nic=0]"])
    phase = Phase(np.array([0, 0, 1]), np.array([8, 8, 9]), channels=np.array([0, 1, 1]))
    moved = failover(plan, phase, up)
    assert (moved.source.tolist(), moved.target.tolist()) == ([1, 1], [9, 9])
    assert dict(zip(moved.channels.tolist(), moved.shares.tolist(), strict=True)) == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_the_other_nics_share_the_load_of_failed_ones(dead: int) -> None:
    """A server with d of n NICs failed sends everything by the others, n / (n - d) times their usual load."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    up = fail(plan, [f"nic[block=0,slot=0,nic={number}]" for number in range(dead)])
    phase = failover(plan, crossing(plan, shift(np.arange(32), 4)), up)
    assert shares(plan, [phase], up=up).min == pytest.approx((4 - dead) / 4)


def test_servers_without_a_common_rail_meet_above() -> None:
    """Where no rail lives at both ends, the flow goes between the first live NICs."""
    plan = sized(form_of("rail-optimized", 2), 8, gpus=4, block=2, slot=4, rail=4, spine=4)
    words = [f"nic[block=0,slot=0,nic={nic}]" for nic in (0, 1)] + [f"nic[block=0,slot=1,nic={nic}]" for nic in (2, 3)]
    moved = failover(plan, Phase(np.array([0]), np.array([4])), fail(plan, words))
    assert (moved.source.tolist(), moved.target.tolist(), moved.shares.tolist()) == ([2], [4], [1.0])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("leaf", "write a kind"),
        ("leef:1", "did you mean 'leaf'"),
        ("leaf:99", "the fabric has only 8"),
        ("link:101%", "at most 100%"),
        ("link:0%", "nothing fails; write link:1%, or link:1 for one of them"),
        ("link:0.00%", "nothing fails; write link:1%, or link:1 for one of them"),
        ("leaf:0", "nothing fails; write leaf:1 or more"),
        ("link[pod=1]", "has no axes"),
        ("leaf[pod=1]", "no axis 'pod'"),
        ("leaf[block=x]", "whole number"),
        ("leaf[block=77]", "the fabric has no leaf"),
        ("leaf[block=999999999999]", "the fabric has no leaf"),
        ("leaf[block=9999999999999]", "whole number"),
        ("leaf[block=0]--spine[spine=9]", "the fabric has no spine"),
        ("leaf[block=0]--leaf[block=1]", "the first has none to any leaf"),
        ("leaf[block=0]--server[block=1,slot=0]", "the first has one to server[block=0,slot=0]"),
        ("leaf[block=0]--spine[spine=0]#2", "numbered from 1 to 1"),
        ("leaf[block=0]--spine[spine=0]#0", "numbered from 1 to 1"),
        ("leaf[block=0]--", "write a kind"),
        ("leaf[block=0]:99", "its links are on ports 0 to 15"),
        ("plane[plane=0]:1", "no ports that are numbered"),
        ("link[x=1]--leaf[block=0]", "one link by its two ends"),
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
    plan = torus(planes)
    up = np.ones(plan.links_total, bool)
    up[0] = False
    found = shares(plan, [shift(np.arange(16), 5)], Routing("ecmp", qps=planes), up=up)
    assert found.disconnected == 0


@pytest.mark.parametrize("name", ["ecmp", "valiant", "adaptive"])
def test_a_plane_broken_further_up_is_left_for_another(name: str) -> None:
    """Where switches of one plane are cut off from each other, all flows between them take another plane."""
    plan = torus(2)
    ring = [f"leaf[x=0,y={y},plane=0]" for y in range(4)]
    up = fail(plan, [f"{end}--{other}" for end in ring for other in ("leaf[x=1,plane=0]", "leaf[x=3,plane=0]")])
    found = shares(plan, [shift(np.arange(16), 5)], Routing(name, qps=2), up=up)
    assert found.disconnected == 0
    assert router_of(plan, up).joins(np.arange(16), (np.arange(16) + 5) % 16).all()
