"""Balanced uplinks in sizing, against an exhaustive search and on the network laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of, uneven_bundles
from fabric.catalog import Server, Switch
from fabric.errors import Infeasible
from fabric.network.expand import expand
from fabric.optimizer import size
from fabric.optimizer.search import SizingResult
from fabric.request import Spec
from tests.marks import slow
from tests.optimizer.brute_force import Request, everything
from tests.optimizer.test_search import FAMILIES, as_spec, small_request, split_request

SHARES = (Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(4, 5))


def surviving_request(random: Random) -> Request:
    """Return a small request that must survive the loss of a switch."""
    roles = random.choice([["leaf"], ["spine"], ["spine"], ["core"], ["spine", "core"]])
    return replace(small_request(random), survive=tuple((role, random.choice(SHARES)) for role in roles))


def shared_request(random: Random) -> Request:
    """Return a small request with appliances on its leaves."""
    return replace(small_request(random), in_unit=random.choice([0, 1, 2]), in_fabric=random.choice([0, 1, 3]))


def solve(request: Request, family: str, tiers: tuple[int, ...]) -> SizingResult | None:
    """Return what sizing finds, None where it refuses."""
    try:
        return size(replace(as_spec(request, family, tiers), survive=dict(request.survive)))
    except Infeasible:
        return None


def check_wiring(blueprint: Blueprint) -> None:
    """Check on the network laid out that no port is used twice or missing, and that links are as even as they go."""
    network, topology = expand(blueprint), blueprint.topology
    ends = [
        *zip(network.lower.tolist(), network.lower_port.tolist(), strict=True),
        *zip(network.upper.tolist(), network.upper_port.tolist(), strict=True),
    ]
    assert len(set(ends)) == len(ends)
    degrees = network.degrees()
    for role in topology.roles:
        rows = network.group(role)
        assert degrees[rows.first : rows.first + rows.count].max() <= blueprint.radix(role)
    for bundle in topology.balanced_bundles:
        mask = network.bundle == [each.name for each in topology.bundles].index(bundle.name)
        pairs, links = np.unique(np.stack([network.lower[mask], network.upper[mask]]), axis=1, return_counts=True)
        _, reached = np.unique(pairs[0], return_counts=True)
        assert set(reached.tolist()) == {blueprint.evaluate(bundle.upper_only)}
        assert links.max() - links.min() in (0, blueprint.sizes[bundle.connector])
        assert links.max() <= blueprint.sizes[bundle.name]


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [12, *slow(120)])
@pytest.mark.parametrize("draw", [small_request, split_request, surviving_request, shared_request])
@pytest.mark.parametrize("family", FAMILIES)
def test_both_spreads_cost_what_exhaustive_search_finds(
    family: str, draw: Callable[[Random], Request], draws: int
) -> None:
    """An even and a balanced spread cost the least that any small fabric does, and balanced never more than even.

    With ports that are split, switches that may fail, appliances, reserved ports and growth.
    """
    random = Random(f"{family} {draw.__name__}")
    for _ in range(draws):
        request, tiers = draw(random), random.choice([(2,), (3,), (1, 2, 3)])
        found = []
        for balanced in (False, True):
            asked = replace(request, balanced=balanced)
            best = min((cost for cost, _ in everything(asked, family, tiers)), default=None)
            sized = solve(asked, family, tiers)
            assert (sized.proof.objective if sized else None) == best, (asked, family, tiers)
            found.append(float("inf") if best is None else best)
            if sized:
                check_wiring(sized.blueprint)
                left = metrics_of(sized.blueprint).survives()
                assert all(left.get(role, 1) >= share for role, share in request.survive)
        assert found[1] <= found[0]


def asked_of(ports: int, servers: int, nics: int, **words: object) -> Spec:
    """Return a request of two tiers for these servers on switches of as many ports."""
    box = Switch("box", ports, 400, price_usd=10_000)
    server = Server("server", nics, nics, 400)
    words = {"tiers": (2,), "link_price_usd": {"*": 1000.0}, "uplink_spread": "balanced", **words}
    return Spec("test", servers * nics, server, ("fat-tree",), {"*": (box,)}, 400, **words)  # type: ignore[arg-type]


def test_uplinks_that_no_number_of_spines_divides_fill_the_fewest_spines() -> None:
    """300 servers of 4 NICs on 64 ports fill 19 spines, where an even spread takes 28 with the leaves not full."""
    counts = {}
    for spread in ("even", "balanced"):
        plan = size(asked_of(64, 300, 4, uplink_spread=spread)).blueprint
        counts[spread] = plan.devices("leaf"), plan.devices("spine")
    assert counts == {"even": (43, 28), "balanced": (38, 19)}


def test_eighteen_leaves_of_64_uplinks_fill_nine_spines() -> None:
    """The ninth spine takes what an even spread, of 8 or 16 spines, has no room for."""
    plan = size(asked_of(128, 144, 8, limits=replace(asked_of(128, 1, 1).limits, parallel_links=8))).blueprint
    assert (plan.devices("leaf"), plan.devices("spine")) == (18, 9)
    assert (plan.sizes["leaf-uplinks"], plan.sizes["spine-downlinks"], plan.sizes["leaf-spine"]) == (64, 128, 8)


def test_of_equally_cheap_fabrics_one_that_spreads_evenly_is_taken() -> None:
    """16 leaves of 64 uplinks are even over 8 spines, so no pair has a link more than another."""
    assert uneven_bundles(size(asked_of(128, 128, 8)).blueprint) == ()
    assert uneven_bundles(size(asked_of(64, 300, 4)).blueprint) != ()


def test_the_uplinks_of_a_leaf_can_be_pinned() -> None:
    """A fabric has as many uplinks as are pinned, and as many links of the fullest pair."""
    plan = size(asked_of(64, 300, 4, pinned={"leaf-uplinks": 36})).blueprint
    assert plan.ports_up("leaf") == 36
    plan = size(asked_of(64, 150, 4, pinned={"leaf-spine": 3})).blueprint
    assert plan.sizes["leaf-spine"] == 3
    assert 2 < plan.ports_up("leaf") / plan.devices("spine") <= 3


@pytest.mark.parametrize("servers", [45, 52, 61, 77])
@pytest.mark.parametrize("price", [3000, 6000, 9000])
def test_the_models_in_use_say_how_many_links_stay_together(price: int, servers: int) -> None:
    """Of two spines, one of single ports and one whose connectors have two links, sizing takes the cheaper design.

    Each alone gives the least that its connectors allow, and the choice of both the lesser of these.
    """
    leaf = Switch("split", 20, 200, {100: 40}, connectors=1, price_usd=4000)
    single, double = Switch("single", 40, 100, price_usd=price), Switch("double", 20, 200, {100: 40}, price_usd=5000)
    double = replace(double, connectors=1)
    found = {}
    for spines in ((single,), (double,), (single, double)):
        asked = replace(asked_of(40, servers, 1), server=Server("server", 1, 1, 100), link_gbps=100)
        sized = size(replace(asked, switches={"leaf": (leaf,), "spine": spines}, link_price_usd={"*": 100.0}))
        found[tuple(each.name for each in spines)] = sized.proof.objective
        plan = sized.blueprint
        assert plan.sizes["leaf-connector"] == (1 if plan.models["spine"].name == "single" else 2)
        check_wiring(plan)
    assert found["single", "double"] == min(found["single",], found["double",])
