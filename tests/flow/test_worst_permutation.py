"""The worst of the shift permutations, where it is known what limits it."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.flow import Routing, Shares, worst_permutation

SWITCH = {"name": "any", "ports": 12, "rate_gbps": 400, "price_usd": 1}
ASKED: dict[str, Any] = {"switches": SWITCH, "link_price_usd": 1, "limits": {"parallel_links": 4}}


def worst(gpus: int, *, nics: int = 1, routing: str = "adaptive", **words: Any) -> Shares | None:
    """Return what the worst shift gets on a fabric of servers with as many GPUs as NICs."""
    server = {"name": "box", "gpus": nics, "nics": nics, "nic_gbps": 400}
    plan = fabric.design(ASKED, gpus=gpus, server=server, **words).blueprint
    return worst_permutation(plan, Routing(routing, qps=16))


def test_within_one_leaf_nothing_is_lost_and_one_server_has_no_permutation() -> None:
    """A leaf carries any permutation of its NICs at line rate; one server sends nothing over the network."""
    whole = worst(8, nics=2, family="fat-tree", tiers=1)
    assert whole is not None
    assert (whole.mean, whole.min, whole.flows) == (1, 1, 8)
    assert worst(2, nics=2, family="fat-tree", tiers=1) is None


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_shift_past_a_leaf_gets_one_over_the_oversubscription(ratio: int) -> None:
    """All NICs of each leaf send up at once, and adaptive routing shares its uplinks evenly."""
    words = {"family": "fat-tree", "tiers": 2, "pinned": {"slot": 6 if ratio == 1 else 8}}
    got = worst(24, oversubscription=ratio, **words)
    assert got is not None
    assert (got.mean, got.min) == (pytest.approx(1 / ratio), pytest.approx(1 / ratio))


def test_a_shift_by_a_group_is_the_adversary_of_a_dragonfly() -> None:
    """By minimal paths all NICs of a group share the links to the next group (J. Kim et al. 2008)."""
    pinned = {"group": 3, "router": 4, "slot": 2, "global": 1}
    got = worst(24, routing="ecmp", family="dragonfly", pinned=pinned, oversubscription=4)
    assert got is not None
    assert got.mean == pytest.approx(2 / 8)


@pytest.mark.parametrize(("routing", "share"), [("ecmp", 1 / 6), ("adaptive", 1 / 4)])
def test_the_tornado_is_the_adversary_of_shortest_paths_on_a_ring(routing: str, share: float) -> None:
    """On a ring of 8 with two NICs a switch shortest paths of 3 links lead one way; half around, both ways carry 4."""
    got = worst(16, routing=routing, family="torus", pinned={"x": 8, "slot": 2, "leaf-x": 1}, oversubscription=8)
    assert got is not None
    assert got.mean == pytest.approx(share, rel=0.01)
