"""The addresses and AS numbers of a fabric: unique, private, and by the rule of RFC 7938 on any design."""

from __future__ import annotations

import pickle
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from random import Random

import networkx as nx
import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.export.ethernet import addresses
from fabric.export.ethernet.addresses import AddressPlan, plan_addresses
from fabric.network import Network
from fabric.network.expand import expand
from tests.flow.drawn_workloads import draw_design
from tests.unlike_fixtures import FORMS, draw_unlike

DIRECT = ("slim-fly", "dragonfly", "hyperx", "torus", "jellyfish")


def drawn(seed: int) -> Blueprint:
    """Return a drawn design: a Clos, every other one with unlike servers."""
    random = Random(seed)
    return draw_design(random) if seed % 2 else draw_unlike(random, random.choice(FORMS))


def switch_graph(network: Network, first: int) -> nx.Graph:
    """Return the switches, each joined to those that it has a link to."""
    graph = nx.Graph()
    graph.add_nodes_from(range(first, network.devices))
    between = network.lower >= first
    graph.add_edges_from(zip(network.lower[between].tolist(), network.upper[between].tolist(), strict=True))
    return graph


def leaves_below(network: Network, first: int) -> dict[int, frozenset[int]]:
    """Return the leaves that each switch reaches going down, link by link; a leaf reaches itself."""
    leaves = range(first, first + network.groups[network.kinds].count)
    below: dict[int, set[int]] = {row: {row} if row in leaves else set() for row in range(first, network.devices)}
    for lower, upper in zip(network.lower.tolist(), network.upper.tolist(), strict=True):
        if lower >= first:
            below[upper] |= below[lower]
    return {row: frozenset(found) for row, found in below.items()}


def check_unique(plan: AddressPlan) -> None:
    """Addresses are private and unique; every host's is in the prefix of its switch, and prefixes don't overlap."""
    assert len(np.unique(plan.loopback)) == len(plan.loopback)
    assert len(np.unique(plan.gateway)) == len(plan.gateway)
    assert not (plan.gateway % 2).any()
    size = 1 << 32 - plan.prefix_length
    prefixes = np.sort(plan.host_prefix[plan.has_hosts])
    assert (np.diff(prefixes) >= size).all()
    at = np.searchsorted(prefixes, plan.gateway, side="right") - 1
    assert (plan.gateway + 1 < prefixes[at] + size).all()
    blocks = (plan.loopback, "172.16.0.0/12"), (plan.gateway, "10.0.0.0/8"), (plan.gateway + 1, "10.0.0.0/8")
    for column, block in blocks:
        network = IPv4Network(block)
        for end in (column.min(), column.max()):
            assert IPv4Address(int(end)) in network
    assert plan.asn.min() > 4_200_000_000
    assert plan.asn.max() <= 4_294_967_294


@pytest.mark.parametrize("seed", range(24))
def test_switches_share_a_number_where_they_serve_the_same_leaves(seed: int) -> None:
    """Of a tier those with the same leaves below, found by following links, and no others; leaves have their own."""
    blueprint = drawn(seed)
    network = expand(blueprint)
    plan = plan_addresses(blueprint, network)
    check_unique(plan)
    below = leaves_below(network, plan.first_switch)
    role = network.role
    key = [(int(role[row]), below[row]) for row in range(plan.first_switch, network.devices)]
    number = dict(zip(key, plan.asn.tolist(), strict=True))
    assert [number[each] for each in key] == plan.asn.tolist()
    assert len(number) == len(set(plan.asn.tolist()))


@pytest.mark.parametrize("seed", range(1, 16, 2))
def test_no_shortest_path_meets_a_number_twice(seed: int) -> None:
    """BGP takes every shortest path between two leaves: none has an AS number twice, and longer ones come back down."""
    random = Random(seed)
    blueprint = drawn(seed)
    network = expand(blueprint)
    plan = plan_addresses(blueprint, network)
    graph = switch_graph(network, plan.first_switch)
    leaves = (np.flatnonzero(plan.has_hosts) + plan.first_switch).tolist()
    for one, other in random.sample(list(combinations(leaves, 2)), min(12, len(leaves) * (len(leaves) - 1) // 2)):
        if not nx.has_path(graph, one, other):
            continue
        for path in nx.all_shortest_paths(graph, one, other):
            numbers = [plan.asn[row - plan.first_switch] for row in path]
            assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("family", DIRECT)
def test_switches_that_join_each_other_have_numbers_of_their_own(family: str) -> None:
    """A direct network has no tiers: paths through switches of one role are the rule."""
    study = fabric.design(gpus=256, server="hgx-h100", switches="sn5600", family=family)
    plan = plan_addresses(study.blueprint, study.network)
    check_unique(plan)
    assert len(np.unique(plan.asn)) == study.blueprint.switches


def test_servers_that_forward_are_refused() -> None:
    """In a BCube the servers are routers, which this plan doesn't number."""
    study = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", family="bcube")
    with pytest.raises(InputError, match="forward"):
        plan_addresses(study.blueprint, study.network)


def test_a_million_gpus_have_addresses_of_their_own() -> None:
    """39,568 switches and 2 million host ports, on two planes and eight rails: an equal block for each."""
    study = fabric.design("colossus-1m")
    plan = plan_addresses(study.blueprint, study.network)
    check_unique(plan)
    assert len(plan.gateway) == 2_000_000
    assert plan.share_length == 12
    assert (plan.share_prefix[plan.has_hosts] < plan.host_prefix[plan.has_hosts] + 1).all()
    assert len(np.unique(plan.share_prefix[plan.has_hosts])) == 16
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_rail_has_one_block_for_each_plane() -> None:
    """A host reaches all of its rail by one route, and other rails by none of it."""
    study = fabric.design("superpod-b300-1su")
    plan = plan_addresses(study.blueprint, study.network)
    leaf = study.network.group("leaf").coordinates()
    own = plan.share_prefix[: len(leaf["rail"])]
    of_place = {}
    for rail, plane, block in zip(leaf["rail"].tolist(), leaf["plane"].tolist(), own.tolist(), strict=True):
        assert of_place.setdefault((rail, plane), block) == block
    assert len(set(of_place.values())) == len(of_place)


def test_prefixes_follow_each_other_where_blocks_have_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a block too small for equal parts prefixes are packed; in one that is too small even so, they are refused."""
    server = {"name": "odd", "gpus": 3, "nics": 3, "nic_gbps": 400}
    blueprint = fabric.design(gpus=960, server=server, switches="sn5600", family="rail-optimized").blueprint
    network = expand(blueprint)
    roomy = plan_addresses(blueprint, network)
    leaves = int(roomy.has_hosts.sum())
    needed = leaves << 32 - roomy.prefix_length
    monkeypatch.setattr(addresses, "HOSTS", (10 << 24, 32 - (needed - 1).bit_length()))
    packed = plan_addresses(blueprint, network)
    check_unique(packed)
    assert packed.share_length is None
    assert packed.gateway.max() < (10 << 24) + needed
    monkeypatch.setattr(addresses, "HOSTS", (10 << 24, 33 - (needed - 1).bit_length()))
    with pytest.raises(InputError, match=r"15 switches with hosts of 128 addresses each need"):
        plan_addresses(blueprint, network)


def test_addresses_stay_when_units_are_added() -> None:
    """Today's leaves keep their numbers, loopbacks and host addresses in the grown fabric, by name."""
    stages = fabric.design(
        gpus=512, grow_to_gpus=2048, server="hgx-h100", switches="sn5600", family="rail-optimized", unit_gpus=256
    ).stages
    plans = []
    for stage in stages:
        network = expand(stage.blueprint)
        plan = plan_addresses(stage.blueprint, network)
        names = network.names()[plan.first_switch :]
        facts = zip(plan.asn.tolist(), plan.loopback.tolist(), plan.host_prefix.tolist(), strict=True)
        plans.append(dict(zip(names, facts, strict=True)))
    assert len(plans[1]) > len(plans[0])
    assert {name: plans[1][name] for name in plans[0]} == plans[0]
