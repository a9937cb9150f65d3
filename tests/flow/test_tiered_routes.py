"""Explicit routes against the expanded network: they are paths, shortest, spread as the routing says."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hops
from fabric.errors import InputError, TooLarge
from fabric.flow import Phase, Routes, Routing, fail, permutation, route, shift
from fabric.network.expand import expand
from tests.flow.flow_fabrics import arc_ends, crossing, fat_tree, form_of, links_of, sized, small_fabrics


def all_pairs(plan: Blueprint) -> Phase:
    """Return a flow between every two NICs of different servers."""
    nics = np.arange(links_of(plan).all_nics)
    return crossing(plan, Phase(np.repeat(nics, len(nics)), np.tile(nics, len(nics))))


def assert_paths(plan: Blueprint, phase: Phase, routes: Routes, qps: int) -> None:
    """Check that each route leads from its source's port to its target's over links that follow one another."""
    network, links, nics = expand(plan), plan.links_total, links_of(plan).nics
    copies = plan.sizes[plan.topology.bundles[0].name]
    for row in range(routes.flows):
        arcs = routes.arcs[row][routes.arcs[row] < 2 * links]
        if not len(arcs):
            assert routes.disconnected[row]
            continue
        tails, heads = arc_ends(plan, arcs, network.lower, network.upper)
        source, target = phase.source[row // qps], phase.target[row // qps]
        assert (heads[:-1] == tails[1:]).all()
        assert (tails[0], heads[-1]) == (source // nics, target // nics)
        for arc, nic in ((arcs[0], source), (arcs[-1], target)):
            port = int(network.lower_port[arc % links])
            reached = port // copies // plan.planes * copies + port % copies
            assert reached == nic % nics or (arc == arcs[0] and plan.topology.rails_meet_at is None)


@pytest.mark.parametrize("routing", [Routing("ecmp", qps=2, seed=3), Routing("dmodk"), Routing("ecmp", pxn=True)])
def test_every_route_is_a_path_of_the_network(routing: Routing) -> None:
    """On any small fabric the arcs of a flow lead from its NIC over joined devices to its target's NIC."""
    for plan, seed in small_fabrics(2):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        nics = links_of(plan).nics
        sent = phase.source // nics * nics + phase.target % nics if routing.pxn else phase.source
        routes = route(plan, phase, routing)
        assert not routes.disconnected.any()
        assert_paths(plan, Phase(sent, phase.target), routes, routing.qps)


def test_routes_around_failures_are_paths_of_links_that_are_up() -> None:
    """With a fifth of the links down every route uses those that are up, and only flows without a path have none."""
    for plan, seed in small_fabrics(2):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        up = fail(plan, ["link:20%"], seed)
        routes = route(plan, phase, Routing("ecmp", qps=3, seed=seed), up)
        used = routes.arcs[routes.arcs < 2 * plan.links_total] % plan.links_total
        assert up[used].all()
        assert_paths(plan, phase, routes, 3)
        assert (routes.disconnected.reshape(-1, 3).any(axis=1) == route(plan, phase, up=up).disconnected).all()
        assert (routes.disconnected == (routes.arcs == 2 * plan.links_total).all(axis=1)).all()


def test_hops_of_routes_are_the_closed_form() -> None:
    """Over all pairs of NICs, the switches on the routes are those that the blueprint's closed form says."""
    for plan, _ in small_fabrics(3):
        phase, closed = all_pairs(plan), hops(plan)
        if plan.topology.rails_meet_at is None:  # those are counted within a rail, see `Hops`
            nics = links_of(plan).nics
            same = phase.source % nics == phase.target % nics
            phase = Phase(phase.source[same], phase.target[same])
        routes = route(plan, phase, Routing("ecmp"))
        found = (routes.arcs < 2 * plan.links_total).sum(axis=1) - 1
        assert (found.max(), found.mean()) == (closed.max, pytest.approx(closed.mean))


def test_equal_cost_groups_hold_the_links_of_ecmp() -> None:
    """A link that ECMP takes is in the equal-cost group that adaptive routing spreads that flow over, hop by hop."""
    for plan, seed in small_fabrics(2):
        lattice = links_of(plan)
        phase = crossing(plan, permutation(np.arange(lattice.all_nics), seed))
        links, pools = (route(plan, phase, Routing(name)).arcs for name in ("ecmp", "adaptive"))
        of_link = np.append(np.tile(lattice.groups_of(np.arange(lattice.links)), 2), -1)
        of_link[lattice.links : -1] += lattice.groups
        assert ((pools == 2 * lattice.groups) == (links == 2 * lattice.links)).all()
        used = links < 2 * lattice.links
        assert (of_link[links[used]] == pools[used]).all()


SHIFTED = [
    fat_tree(2, 8, 16),
    fat_tree(3, 4, 8),
    fat_tree(4, 3, 3),
    sized(form_of("rail-optimized", 2), 32, gpus=4, block=4, slot=8, rail=4, spine=8),
    sized(form_of("rail-optimized", 3), 64, gpus=4, pod=4, block=2, slot=8, rail=4, group=4, spine=2, core=8),
]


@pytest.mark.parametrize("plan", SHIFTED, ids=lambda plan: plan.topology.text)
@pytest.mark.parametrize("qps", [1, 3])
def test_destination_mod_k_spreads_a_shift_perfectly(plan: Blueprint, qps: int) -> None:
    """With all links of a 1:1 fabric up no link carries more than one flow of a shift, whatever distance and seed."""
    nics = np.arange(links_of(plan).all_nics)
    for by in (1, 2, len(nics) // 2 - 1, len(nics) // 2, len(nics) - 3):
        phase = crossing(plan, shift(nics, by))
        routes = route(plan, phase, Routing("dmodk", qps))
        load = np.bincount(routes.arcs[routes.arcs < 2 * plan.links_total])
        assert load.max() == qps
        assert (routes.arcs == route(plan, phase, Routing("dmodk", qps, seed=1)).arcs).all()


def test_ecmp_takes_each_uplink_as_often() -> None:
    """The hash spreads many flows evenly: no link of a bundle is further from the mean than chance takes it."""
    plan = fat_tree(3, 4, 8)
    phase = Phase(np.zeros(100_000, int), np.full(100_000, 127))
    arcs = route(plan, phase, Routing("ecmp", 1)).arcs
    assert (arcs == arcs[0]).all()
    arcs = route(plan, Phase(phase.source[:1], phase.target[:1]), Routing("ecmp", qps=100_000)).arcs
    for column, links in zip(arcs.T, (1, 4, 16, 16, 4, 1), strict=True):
        load = np.unique(column, return_counts=True)[1]
        assert len(load) == links
        assert abs(load - 100_000 / links).max() <= 4.5 * np.sqrt(100_000 / links)


def test_a_flow_keeps_its_path_whatever_else_runs() -> None:
    """ECMP's path depends on the flow, its queue pair and the seed, not on what other flows there are."""
    plan = fat_tree(3, 4, 8)
    phase = permutation(np.arange(128), 1)
    arcs = route(plan, phase, Routing("ecmp", 2, seed=5)).arcs
    alone = route(plan, Phase(phase.source[7:8], phase.target[7:8]), Routing("ecmp", 2, seed=5)).arcs
    assert (arcs[14:16] == alone).all()
    assert (arcs != route(plan, phase, Routing("ecmp", 2, seed=6)).arcs).any()


def test_hops_choose_evenly_among_what_is_left() -> None:
    """A switch that lost uplinks is sent no less for it, and its other uplinks take the load: u / (u - q) each."""
    plan = fat_tree(3, 4, 8)
    lattice = links_of(plan)
    spine_core = lattice.layers[2]
    up = np.ones(plan.links_total, bool)
    up[spine_core.first : spine_core.first + 3] = False  # the first spine keeps one of its four
    phase = Phase(np.array([0]), np.array([127]))
    arcs = route(plan, phase, Routing("ecmp", qps=40_000), up).arcs
    to_spine = np.unique(arcs[:, 1], return_counts=True)[1]
    assert abs(to_spine - 10_000).max() < 400
    assert (arcs[:, 2] == spine_core.first + 3).sum() == to_spine[0]


def test_a_rail_only_fabric_is_crossed_by_nvlink() -> None:
    """Where rails never meet, every flow leaves its server on its target's rail, and none is disconnected."""
    plan = sized(form_of("rail-only", 2), 16, gpus=4, block=4, slot=4, rail=4, spine=4)
    phase = crossing(plan, shift(np.arange(64), 5))
    routes = route(plan, phase)
    assert not routes.disconnected.any()
    assert (routes.arcs[:, 0] == phase.source // 4 * 4 + phase.target % 4).all()


def test_what_cannot_be_routed_is_refused() -> None:
    """An unknown routing, no queue pairs, or more sub-flows than fit in memory are refused before routing."""
    with pytest.raises(InputError, match="did you mean 'ecmp'"):
        Routing("ecpm")
    with pytest.raises(InputError, match="queue pairs"):
        Routing(qps=0)
    with pytest.raises(TooLarge, match="128 flows need about 13,351"):
        route(fat_tree(2, 8, 16), permutation(np.arange(128), 0), Routing("ecmp", qps=10**9))
