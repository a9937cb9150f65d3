"""Explicit flows over balanced uplinks: paths of the network, weighted hashing, and what the linear program says."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import matched_share
from fabric.export import to_networkx
from fabric.flow import Phase, Routing, cut_bound, fail, lp_bound, permutation, route, shares, shift
from fabric.network.expand import expand
from tests.flow.flow_fabrics import arc_ends, crossing, fat_tree, form_of, links_of, small_fabrics
from tests.flow.test_tiered_routes import all_pairs, assert_paths
from tests.marks import slow

EVERY = [Routing("ecmp", qps=3, seed=3), Routing("dmodk"), Routing("dmodk", qps=2), Routing("ecmp", pxn=True)]


def two_tiers(blocks: int, slots: int, uplinks: int, spines: int, connector: int = 1) -> Blueprint:
    """Return a fat tree of two tiers whose leaves have these uplinks over these spines, all places full."""
    even = fat_tree(2, slots, blocks)
    form = form_of("fat-tree", 2).balanced()
    sizes = {axis: even.sizes[axis] for axis in form.axes} | {"server-leaf": 1, "spine": spines}
    sizes |= {"leaf-uplinks": uplinks, "leaf-connector": connector}
    full = form.complete_sizes(sizes, 1, blocks * slots)
    return Blueprint("two tiers", form, full, even.models, even.server, blocks * slots, even.link_gbps)


@pytest.mark.parametrize("routing", EVERY)
def test_every_route_is_a_path_of_the_network(routing: Routing) -> None:
    """On any small balanced fabric a flow's links follow one another from its NIC to its target's NIC."""
    for plan, seed in small_fabrics(4, balanced=True):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        nics = links_of(plan).nics
        sent = phase.source // nics * nics + phase.target % nics if routing.pxn else phase.source
        routes = route(plan, phase, routing)
        assert not routes.disconnected.any()
        assert_paths(plan, Phase(sent, phase.target), routes, routing.qps)


def test_routes_around_failures_are_paths_of_links_that_are_up() -> None:
    """With a fifth of the links down routes use those that are up, and flows without a path are those of networkx."""
    for plan, seed in small_fabrics(3, balanced=True):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        up = fail(plan, ["link:20%"], seed)
        for name in ("ecmp", "dmodk"):
            routes = route(plan, phase, Routing(name, qps=3, seed=seed), up)
            used = routes.arcs[routes.arcs < 2 * plan.links_total] % plan.links_total
            assert up[used].all()
            assert_paths(plan, phase, routes, 3)
            cut_off = routes.disconnected.reshape(-1, 3).any(axis=1)
            assert (cut_off == route(plan, phase, up=up).disconnected).all()
        if plan.topology.tiers == 2 and plan.planes == 1:
            assert cut_off.tolist() == [not joined for joined in joined_by_search(plan, phase, up)]


def joined_by_search(plan: Blueprint, phase: Phase, up: np.ndarray) -> list[bool]:
    """Return whether each flow has a path of two hops up and two down over links that are up, by networkx."""
    network, graph, nics = expand(plan), nx.DiGraph(), links_of(plan).nics
    copies = plan.sizes[plan.topology.bundles[0].name]
    for link in np.flatnonzero(up).tolist():
        low, high = int(network.lower[link]), int(network.upper[link])
        if low < plan.servers:
            port = int(network.lower_port[link])
            nic = low * nics + port // copies * copies + port % copies
            graph.add_edge(("from", nic), ("up", high))
            graph.add_edge(("down", high), ("to", nic))
        else:
            graph.add_edge(("up", low), ("up", high))
            graph.add_edge(("up", high), ("down", low))
            graph.add_edge(("up", high), ("down", high))
    turned = [(node, ("down", node[1])) for node in list(graph) if node[0] == "up"]
    graph.add_edges_from(turned)
    graph.add_nodes_from((way, nic) for way in ("from", "to") for nic in range(links_of(plan).all_nics))
    pairs = zip(phase.source.tolist(), phase.target.tolist(), strict=True)
    return [nx.has_path(graph, ("from", source), ("to", target)) for source, target in pairs]


def test_equal_cost_groups_hold_the_links_of_ecmp() -> None:
    """A link that ECMP takes is in the equal-cost group that adaptive routing spreads that flow over, hop by hop."""
    for plan, seed in small_fabrics(3, balanced=True):
        lattice = links_of(plan)
        phase = crossing(plan, permutation(np.arange(lattice.all_nics), seed))
        links, pools = (route(plan, phase, Routing(name)).arcs for name in ("ecmp", "adaptive"))
        of_link = np.append(np.tile(lattice.groups_of(np.arange(lattice.links)), 2), -1)
        of_link[lattice.links : -1] += lattice.groups
        used = links < 2 * lattice.links
        assert (of_link[links[used]] == pools[used]).all()


def test_hops_of_routes_are_shortest_paths() -> None:
    """Over all pairs of NICs, routes are as long as the shortest paths of the network laid out."""
    for plan, _ in small_fabrics(1, balanced=True):
        if plan.servers < 13 and plan.topology.rails_meet_at and plan.topology.tiers < 4:
            phase = all_pairs(plan)
            graph, network = nx.Graph(to_networkx(expand(plan))), expand(plan)
            routes = route(plan, phase, Routing("ecmp"))
            for row in range(0, routes.flows, 7):
                arcs = routes.arcs[row][routes.arcs[row] < 2 * plan.links_total]
                tails, heads = arc_ends(plan, arcs, network.lower, network.upper)
                first, last = network.name(int(heads[0])), network.name(int(tails[-1]))
                assert nx.shortest_path_length(graph, first, last) == len(arcs) - 2


def test_ecmp_takes_a_spine_as_often_as_it_has_links() -> None:
    """Every uplink is hashed to alike, so that a spine with two links gets twice as much as one with one."""
    plan = two_tiers(8, 4, 7, 4)
    network = expand(plan)
    arcs = route(plan, Phase(np.zeros(1, int), np.full(1, 31)), Routing("ecmp", qps=70_000)).arcs
    uplinks = np.unique(arcs[:, 1], return_counts=True)[1]
    assert len(uplinks) == 7
    assert abs(uplinks - 10_000).max() <= 4.5 * np.sqrt(10_000)
    spines = Counter(network.upper[arcs[:, 1]].tolist())
    links = Counter(network.upper[np.unique(arcs[:, 1])].tolist())
    assert sorted(links.values()) == [1, 2, 2, 2]
    assert all(abs(spines[spine] - 10_000 * links[spine]) < 500 for spine in links)
    down = arcs[:, 2] - plan.links_total
    for spine in links:
        chosen = np.unique(down[network.upper[down] == spine], return_counts=True)[1]
        assert abs(chosen / spines[spine] - 1 / len(chosen)).max() < 0.02


@pytest.mark.parametrize("plan", [two_tiers(6, 8, 8, 3), two_tiers(5, 7, 7, 5), two_tiers(6, 8, 8, 3, connector=2)])
def test_destination_mod_k_enters_a_leaf_by_the_links_in_turn(plan: Blueprint) -> None:
    """At 1:1 every target of a permutation is entered by a link of its own, whatever leaf sends."""
    nics = np.arange(links_of(plan).all_nics)
    for phase in (permutation(nics, 1), *(shift(nics, by) for by in (1, 9, len(nics) // 2))):
        routes = route(plan, crossing(plan, phase), Routing("dmodk"))
        down = routes.arcs[:, 2][routes.arcs[:, 2] < 2 * plan.links_total]
        assert np.bincount(down).max() == 1


def test_destination_mod_k_is_as_on_an_even_fabric_where_links_divide_evenly() -> None:
    """With as many uplinks for every spine a balanced fabric is loaded as the even one is."""
    even = fat_tree(2, 8, 6)
    for by in (1, 8, 13):
        loads = [
            np.bincount(route(plan, crossing(plan, shift(np.arange(48), by)), Routing("dmodk")).arcs.reshape(-1)).max()
            for plan in (even, two_tiers(6, 8, 8, 8))
        ]
        assert loads[0] == loads[1]


@pytest.mark.parametrize("trials", [1, *slow(4)])
def test_no_routing_beats_the_program_nor_the_program_the_pool_of_uplinks(trials: int) -> None:
    """Hashed flows get at most the program's share, and that is at most what adaptive routing is taken to get."""
    for plan, seed in small_fabrics(trials, balanced=True):
        if plan.links_total > 250:
            continue
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        program, cut = lp_bound(plan, phase), cut_bound(plan, phase)
        assert program <= cut + 1e-6
        assert shares(plan, [phase]).min == pytest.approx(cut)
        for routing in EVERY[:3]:
            assert shares(plan, [phase], routing).min <= program + 1e-6
        up = fail(plan, ["link:15%"], seed)
        program = lp_bound(plan, phase, up)
        assert program <= cut_bound(plan, phase, up) + 1e-6
        for routing in EVERY[:3]:
            assert shares(plan, [phase], routing, up).min <= program + 1e-6


FULL = [(5, 6, 4, 1), (5, 6, 5, 1), (6, 8, 5, 1), (4, 12, 5, 2), (7, 5, 3, 1)]
"""Leaves, their hosts and uplinks, spines, and the links of a connector: fabrics at 1:1."""


@pytest.mark.parametrize(("leaves", "uplinks", "spines", "connector"), FULL)
def test_traffic_of_all_to_all_fits_the_pool_and_that_of_two_leaves_their_links_in_common(
    leaves: int, uplinks: int, spines: int, connector: int
) -> None:
    """From every leaf to all others traffic runs at line rate by the program, and so do random permutations.

    Leaves that exchange all they have get their links in common, and more only by way of a third leaf.
    """
    plan = two_tiers(leaves, uplinks, uplinks, spines, connector)
    nics, network, hosts = np.arange(leaves * uplinks), expand(plan), leaves * uplinks
    source, target = np.repeat(nics, hosts), np.tile(nics, hosts)
    apart = source // uplinks != target // uplinks
    assert lp_bound(plan, Phase(source[apart], target[apart])) == pytest.approx(1.0)
    assert lp_bound(plan, permutation(nics, 1)) == pytest.approx(1.0)
    above = np.zeros((leaves, spines), int)
    np.add.at(above, (network.lower[hosts:] - hosts, network.upper[hosts:] - hosts - leaves), 1)
    (bundle,) = plan.topology.balanced_bundles
    least = matched_share(plan, bundle)
    for by in range(1, leaves):
        common = np.minimum(above, np.roll(above, -by, axis=0)).sum(axis=1) / uplinks
        exchange = shift(nics, by * uplinks)
        assert common.min() >= float(least) - 1e-9
        assert shares(plan, [exchange]).min == 1
        assert lp_bound(plan, exchange) >= common.min() - 1e-6


@pytest.mark.parametrize(("leaves", "uplinks", "spines"), [(12, 16, 15), (12, 16, 12), (12, 16, 9), (18, 32, 19)])
def test_hashing_loses_little_of_a_random_permutation(leaves: int, uplinks: int, spines: int) -> None:
    """On average over seeds, ECMP gets at most 5 points less than evenly, and its slowest flow keeps four fifths."""
    nics = np.arange(leaves * uplinks)
    plans = two_tiers(leaves, uplinks, uplinks, uplinks), two_tiers(leaves, uplinks, uplinks, spines)
    even, balanced = (
        [shares(plan, [crossing(plan, permutation(nics, seed))], Routing("ecmp", 4, seed)) for seed in range(8)]
        for plan in plans
    )
    means = [np.mean([found.mean for found in each]) for each in (even, balanced)]
    slowest = [np.mean([found.min for found in each]) for each in (even, balanced)]
    assert means[0] - 0.05 < means[1] < means[0] + 0.01
    assert 0.8 * slowest[0] < slowest[1] < slowest[0] + 0.01


@pytest.mark.parametrize(("leaves", "uplinks", "spines", "connector"), FULL)
def test_the_least_share_of_links_in_common_occurs(leaves: int, uplinks: int, spines: int, connector: int) -> None:
    """Of enough leaves, some two have no more links in common than the closed form says."""
    plan = two_tiers(spines * leaves, uplinks, uplinks, spines, connector)
    network, (bundle,) = expand(plan), plan.topology.balanced_bundles
    first = network.servers.count
    above = np.zeros((spines * leaves, spines), int)
    np.add.at(above, (network.lower[first:] - first, network.upper[first:] - first - spines * leaves), 1)
    common = min(np.minimum(above, np.roll(above, by, axis=0)).sum(axis=1).min() for by in range(1, spines))
    assert common / uplinks == pytest.approx(float(matched_share(plan, bundle)))
