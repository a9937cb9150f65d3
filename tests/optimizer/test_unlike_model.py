"""Sizing with unlike servers: the least cost is that of exhaustive search, and designs keep to what was asked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from fabric.blueprint.metrics import metrics_of
from fabric.errors import Infeasible
from fabric.network.expand import expand
from fabric.optimizer import OBJECTIVES, find_binding_limits, size
from fabric.testing import check_blueprint
from tests.optimizer.brute_force_unlike import Asked, Kind, least_cost
from tests.request_fixtures import read

STORAGE = {"name": "storage", "gpus": 0, "nics": 2, "nic_gbps": 200}
LIST = [
    {"server": "hgx-h100", "count": 32},
    {"server": "hgx-a100", "count": 16},
    {"server": STORAGE, "count": 6},
]
CASE = {"servers": LIST, "family": "fat-tree", "switches": "qm9700"}


def draw(random: Random) -> Asked:
    """Return a drawn list of servers with a switch, rails, a ratio, and whether units have servers of every kind."""
    kinds = tuple(
        Kind(random.randint(1, 5), random.choice((1, 2, 3, 4)), random.choice((100, 200)))
        for _ in range(random.randint(2, 3))
    )
    rails = random.choice([1, 1, *(n for n in (2, 4) if max(kind.nics for kind in kinds) % n == 0)])
    price, ratio = random.choice((50, 400)), random.choice((Fraction(1), Fraction(3, 2), Fraction(3)))
    asked = Asked(kinds, random.randint(4, 12), price, 7, rails, ratio, random.random() < 0.5)
    spine_loss = random.choice((Fraction(0), Fraction(1, 2), Fraction(3, 4), Fraction(1)))
    return replace(asked, spine_loss=spine_loss, leaf_loss=random.choice((Fraction(0), Fraction(0), Fraction(2, 5))))


def request_of(asked: Asked) -> dict[str, Any]:
    """Return a drawn list as a request."""
    servers = [
        {
            "server": {"name": f"kind-{number}", "gpus": kind.nics, "nics": kind.nics, "nic_gbps": kind.gbps},
            "count": kind.count,
        }
        for number, kind in enumerate(asked.kinds)
    ]
    switch = {
        "name": "box", "ports": asked.ports, "rate_gbps": 200, "breakouts": {"100": 2 * asked.ports}, "connectors": 2,
        "price_usd": asked.price,
    }  # fmt: skip
    return {
        "servers": servers, "family": "rail-optimized" if asked.rails > 1 else "fat-tree", "tiers": 2,
        "switches": switch, "rails": asked.rails, "oversubscription": float(asked.ratio),
        "mix": "together" if asked.together else "apart", "link_price_usd": asked.link_price,
        "survive": {"spine": float(asked.spine_loss), "leaf": float(asked.leaf_loss)},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_the_least_cost_is_that_of_all_sizes_tried(seed: int) -> None:
    """On drawn lists the proven optimum, or infeasibility, is what an exhaustive search finds."""
    random = Random(seed)
    for _ in range(15):
        asked = draw(random)
        least = least_cost(asked)
        try:
            result = size(read(request_of(asked)))
        except Infeasible:
            assert least is None, asked
            continue
        assert (result.proof.status, result.proof.objective) == ("OPTIMAL", least), asked
        check_blueprint(result.blueprint)
        remains = metrics_of(result.blueprint).survives()
        assert remains["spine"] >= asked.spine_loss
        assert remains["leaf"] >= asked.leaf_loss


def test_the_ports_that_lists_lack_are_the_fewest_that_do() -> None:
    """Where the ports are too few, exhaustive search finds a fabric with those named, and none with a port less."""
    random, checked = Random("ports of lists"), 0
    for _ in range(40):
        asked = draw(random)
        try:
            size(read(request_of(asked)))
        except Infeasible as error:
            named = {item.limit: item.nearest for item in error.conflict}
        else:
            continue
        if needed := int(named.get("ports at 200G") or 0):
            assert least_cost(replace(asked, ports=needed)) is not None, asked
            assert least_cost(replace(asked, ports=needed - 1)) is None, asked
            checked += 1
    assert checked > 4


def test_uplinks_below_which_servers_are_unlike_are_named_too() -> None:
    """48 NICs of 100G need 12 uplinks of 400G, and the leaf has 8, but ports for all servers."""
    leaf = {"name": "tor", "ports": 48, "rate_gbps": 100, "uplinks": 8, "uplink_gbps": 400, "price_usd": 9000}
    spine = {"name": "agg", "ports": 32, "rate_gbps": 400, "price_usd": 20000}
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 100}
    listed = [{"server": box, "count": 12, "per_unit": 6}, {"server": {**STORAGE, "nic_gbps": 100}, "count": 2}]
    with pytest.raises(Infeasible) as caught:
        size(read(CASE, servers=listed, tiers=2, switches={"leaf": leaf, "spine": spine}))
    found = {item.limit: (item.value, item.nearest) for item in caught.value.conflict}
    assert found == {"per_unit.box": (6, 4), "uplinks of the leaf": (8, 12), "oversubscription": (1, 1.5)}


def test_generations_and_storage_share_a_fabric() -> None:
    """32 boxes of 8 x 400G, 16 of 8 x 200G and 6 of 2 x 200G: 11 leaves of 64 ports, and 8 spines of 44 links."""
    blueprint = size(read(CASE)).blueprint
    found = {each.name: (blueprint.links(each), blueprint.rate(each)) for each in blueprint.topology.bundles}
    assert found == {
        "hgx-h100-leaf": (256, 400), "hgx-a100-leaf": (128, 200), "storage-leaf": (12, 200), "leaf-spine": (352, 400),
    }  # fmt: skip
    roles = ("hgx-h100", "hgx-a100", "storage", "leaf", "spine")
    assert [blueprint.devices(role) for role in roles] == [32, 16, 6, 11, 8]
    network = expand(blueprint)
    names = [network.name(row) for row in (0, 32, 48)]
    assert names == ["hgx-h100[block=0,slot=0]", "hgx-a100[block=8,slot=0]", "storage[block=10,slot=0]"]


@pytest.mark.parametrize("mix", ["apart", "together"])
@pytest.mark.parametrize("family", ["fat-tree", "rail-optimized"])
@pytest.mark.parametrize("tiers", [2, 3])
def test_a_list_of_one_kind_costs_what_equal_servers_do(mix: str, family: str, tiers: int) -> None:
    """A list with one kind has the optimum of the same request with `server`."""
    common = {"family": family, "tiers": tiers, "switches": "qm9700"}
    plain = size(read(gpus=512, server="hgx-h100", **common))
    listed = size(read(servers=[{"server": "hgx-h100", "count": 64}], mix=mix, **common))
    assert listed.proof.objective == plain.proof.objective
    assert listed.blueprint.switches == plain.blueprint.switches


def test_the_kind_that_grows_finds_its_places_free() -> None:
    """A fabric sized for 512 GPUs more of one kind lays the links of today where the grown one has them."""
    from fabric.blueprint.stages import grow_blueprint

    spec = read(CASE, grow_to_gpus={"hgx-a100": 512})
    today = size(spec).blueprint
    grown = grow_blueprint(today, spec.stages[-1])
    assert grown.devices("hgx-a100") == 64
    check_blueprint(today)
    ours, theirs = expand(today), expand(grown)

    def cables(network: Any) -> set[tuple[str, int, str, int]]:
        ends = (network.lower, network.lower_port, network.upper, network.upper_port)
        rows = zip(*(column.tolist() for column in ends), strict=True)
        return {(network.name(low), port, network.name(high), there) for low, port, high, there in rows}

    assert cables(ours) <= cables(theirs)


def test_servers_in_a_unit_may_be_given() -> None:
    """`per_unit` fixes how many servers of a kind share leaves."""
    listed = [LIST[0], {**LIST[1], "per_unit": 5}, LIST[2]]
    sizes = size(read(CASE, servers=listed)).blueprint.sizes
    assert (sizes["slot hgx-a100"], sizes["hgx-a100-units"]) == (5, 4)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"family": "dragonfly"}, "its servers are equal; unlike `servers` need a family of tiers, such as fat-tree"),
        ({"family": "rail-only"}, "its 8 rails never meet, and storage has not a NIC for each of them"),
        ({"switches": "qm8700"}, "no ports at 400G"),
        ({"appliances": [{"name": "ufm", "ports": 2}]}, "not yet placed at leaves of unlike servers"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(words: dict[str, Any], text: str) -> None:
    """Where unlike servers have no fabric, the answer says why."""
    with pytest.raises(Infeasible) as caught:
        size(read(CASE, **words))
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            {"grow_to_gpus": {"hgx-a100": 8192}},
            "grow_to_gpus.hgx-a100 8,192 is too high; maximum feasible value (others unchanged): 3,520",
        ),
        (
            {"servers": [LIST[0], {**LIST[1], "per_unit": 40}, LIST[2]]},
            "per_unit.hgx-a100 40 is infeasible; nearest feasible value (others unchanged): 8",
        ),
    ],
)
def test_limits_on_one_kind_are_named_with_the_nearest_value(words: dict[str, Any], text: str) -> None:
    """64 spine ports allow 64 leaves: 8 of hgx-h100, 1 of storage and 55 of 8 hgx-a100, with 3,520 GPUs."""
    with pytest.raises(Infeasible) as caught:
        size(read(CASE, tiers=2, **words))
    assert text in str(caught.value)


def test_the_nearest_unit_may_have_room_for_more_servers_than_there_are() -> None:
    """12 ports take 3 servers of 2 NICs at 1:1, though there are but 2, in a list as by themselves."""
    server = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    switch = {"name": "s12", "ports": 12, "rate_gbps": 400, "breakouts": {}, "price_usd": 1}
    common = {"family": "fat-tree", "tiers": 2, "switches": switch}
    listed = [{"server": server, "count": 2, "per_unit": 8}, {"server": {**server, "name": "more"}, "count": 2}]
    for words in ({"server": server, "gpus": 4, "unit_gpus": 16}, {"servers": listed}):
        with pytest.raises(Infeasible) as caught:
            size(read({**common, **words}))
        found = {item.limit: item.nearest for item in caught.value.conflict}
        assert found.get("unit_gpus", 2 * int(found.get("per_unit.box") or 0)) == 6, found


def test_limits_on_one_kind_are_named_with_what_they_cost() -> None:
    """Without a given number of servers per unit, or without growth, the optimum is that of the request without."""
    listed = [LIST[0], {**LIST[1], "per_unit": 2}, LIST[2]]
    spec = read(CASE, tiers=2, servers=listed, grow_to_gpus={"hgx-a100": 512})
    limits = find_binding_limits(spec, [OBJECTIVES["cost"]], size(spec).proof.objective)
    found = {item.limit: item.objective for item in limits}
    loose = size(read(CASE, tiers=2, grow_to_gpus={"hgx-a100": 512})).proof.objective
    today = size(read(CASE, tiers=2, servers=listed)).proof.objective
    assert (found["per_unit.hgx-a100"], found["grow_to_gpus.hgx-a100"]) == (loose, today)


@pytest.mark.parametrize(
    "words", [{"tiers": 2}, {"tiers": 2, "mix": "together"}, {"tiers": 2, "family": "rail-optimized"}, {"tiers": 3}]
)
def test_balanced_uplinks_never_cost_more(words: dict[str, Any]) -> None:
    """Links up that may differ by one allow all that equal ones do, and lie in the network as they are counted."""
    balanced, even = (size(read(CASE, uplink_spread=spread, **words)) for spread in ("balanced", "even"))
    assert balanced.proof.objective <= even.proof.objective
    check_blueprint(balanced.blueprint)
