"""Paths of one's own: those of a routing, given back, get what the routing gets; wrong ones are named."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow import (
    ROUTINGS,
    Phase,
    Routes,
    Routing,
    RoutingPolicy,
    Workload,
    cross_rails,
    estimate_workload,
    fail,
    link_loads,
    permutation,
    route,
    route_by_paths,
    router_of,
    shares,
    solve_phase,
)
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import BUILTIN
from fabric.topology.topology import Topology
from tests.flow.flow_fabrics import fat_tree, rails

FORMS = [form for family in BUILTIN for form in family.forms[:3]]


def drawn(form: Topology, seed: int) -> tuple[Blueprint, Phase]:
    """Return a small blueprint, and flows of unlike sizes between NICs of different servers."""
    for number in range(100):
        plan = random_blueprint(form, Random(f"{form.text}{seed}{number}"))
        if plan.servers > 3:
            break
    random = np.random.default_rng(seed)
    nics = np.arange(plan.nics)
    source, target = nics, random.permutation(nics)
    apart = source // plan.server.nics != target // plan.server.nics
    phase = Phase(source[apart], target[apart], random.integers(1, 4, int(apart.sum())))
    return plan, cross_rails(plan, phase, pxn=False)


def links_of(routes: Routes, links: int) -> np.ndarray:
    """Return the links of each path in the order of travel, -1 where there are none."""
    rows = np.where(routes.arcs < 2 * links, routes.arcs % links, -1)
    order = travel(rows.shape[1], rows)
    return np.take_along_axis(rows, order, axis=1)


def travel(hops: int, rows: np.ndarray) -> np.ndarray:
    """Return the columns of each row with the padding last; on graphs the last link stands second."""
    number = np.tile(np.arange(hops), (len(rows), 1))
    return np.argsort(np.where(rows < 0, hops, number), axis=1, kind="stable")


def in_order(plan: Blueprint, routes: Routes) -> np.ndarray:
    """Return the links of each path in the order of travel: graph routers put the target's link second."""
    rows = routes.arcs
    if hasattr(router_of(plan), "paths"):
        rows = np.concatenate([rows[:, :1], rows[:, 2:], rows[:, 1:2]], axis=1)
    return links_of(Routes(rows, routes.capacity, routes.disconnected), plan.links_total)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{form.size_label}")
def test_paths_of_a_routing_given_back_get_the_same(form: Topology) -> None:
    """By rows in an array, in lists, and by names where pairs have one link: the same arcs, rates, shares and loads."""
    for seed in range(3):
        plan, phase = drawn(form, seed)
        up = fail(plan, ["link:5%"], seed) if plan.links_total > 20 else np.ones(plan.links_total, bool)
        joined = router_of(plan, up).joins(phase.source, phase.target)
        if not joined.any():
            continue
        phase = Phase(phase.source[joined], phase.target[joined], phase.shares[joined])
        routing = Routing("ecmp", qps=2 * plan.planes * max(1, form.routing.nic_levels), seed=seed)
        routes = route(plan, phase, routing, up)
        rows = in_order(plan, routes)
        given = route_by_paths(plan, phase, rows, up)
        assert (np.sort(given.arcs, axis=1) == np.sort(routes.arcs, axis=1)).all()
        found, whole = solve_phase(plan, phase, up=up, paths=rows), solve_phase(plan, phase, routing, up)
        lists = solve_phase(plan, phase, up=up, paths=[[link for link in path if link >= 0] for path in rows.tolist()])
        assert found == lists
        for name in ("rate_gbps", "share", "load", "link_gbps", "hops", "time_s"):
            assert getattr(found, name) == pytest.approx(getattr(whole, name))
        names = named(plan, phase, routing.qps, rows)
        again = in_travel(plan, route_by_paths(plan, phase, names, up))
        assert [*map(tuple, pairs_of(plan, again))] == [*map(tuple, pairs_of(plan, rows))]


def in_travel(plan: Blueprint, routes: Routes) -> np.ndarray:
    """Return the links of given paths in order."""
    return links_of(routes, plan.links_total)


def pairs_of(plan: Blueprint, rows: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return the two devices of each link of each path."""
    network = expand(plan)
    return [
        [(int(network.lower[link]), int(network.upper[link])) for link in path if link >= 0] for path in rows.tolist()
    ]


def named(plan: Blueprint, phase: Phase, qps: int, rows: np.ndarray) -> list[list[str]]:
    """Return the devices of each path by name."""
    network, found = expand(plan), []
    for number, path in enumerate(pairs_of(plan, rows)):
        at = int(phase.source[number // qps]) // plan.server.nics
        devices = [at]
        for lower, upper in path:
            at = upper if at == lower else lower
            devices.append(at)
        found.append([network.name(device) for device in devices])
    return found


def test_flows_on_one_spine_share_it_and_on_four_they_do_not() -> None:
    """Four flows of a leaf by one uplink get a quarter each, in four paths' worth of time; by one each, all of it."""
    plan = fat_tree(2, 4, 4)
    phase = Phase(np.arange(4), np.arange(4, 8))
    server, leaf, middle = "server[block={},slot={}]", "leaf[block={},stripe=0,plane=0]", "spine[spine={},plane=0]"

    def paths(spine: Callable[[int], int]) -> list[list[str]]:
        return [
            [
                server.format(0, n),
                leaf.format(0),
                middle.format(spine(n)),
                leaf.format(1),
                server.format(1, n),
            ]
            for n in range(4)
        ]

    one, four = (solve_phase(plan, phase, Routing(transport="ideal"), paths=paths(way)) for way in (lambda _: 2, int))
    assert one.share == pytest.approx([0.25] * 4)
    assert four.share == pytest.approx([1.0] * 4)
    assert one.rate_gbps == pytest.approx([100.0] * 4)
    assert one.time_s == pytest.approx(4 * four.time_s) == pytest.approx(4 * 8e-9 / 400)
    assert one.load[:, :16].sum() == pytest.approx(8 * 0.25)
    assert (one.load[0, 16:] > 0.99).sum() == 1
    assert sorted(one.columns()) == ["gbps_down", "gbps_up", "load_down", "load_up"]
    assert all(column.shape == (plan.links_total,) for column in one.columns().values())


def test_parallel_links_are_taken_in_turn() -> None:
    """Flows by the same two switches take the links between them one after another, those that are up."""
    study = fabric.design("superpod-h100-4su")
    network, plan = study.network, study.blueprint
    pair = np.flatnonzero((network.lower == network.lower[1024]) & (network.upper == network.upper[1024]))
    assert len(pair) == 2
    leaf, spine = network.name(int(network.lower[1024])), network.name(int(network.upper[1024]))
    there = leaf.replace("block=0", "block=1")
    phase = Phase(8 * np.arange(4), 8 * np.arange(32, 36))
    paths = [[f"server[block=0,slot={n}]", leaf, spine, there, f"server[block=1,slot={n}]"] for n in range(4)]
    assert np.bincount(route_by_paths(plan, phase, paths).arcs[:, 1])[pair].tolist() == [2, 2]
    up = np.ones(plan.links_total, bool)
    up[pair[0]] = False
    assert np.bincount(route_by_paths(plan, phase, paths, up).arcs[:, 1])[pair].tolist() == [0, 4]


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (
            [[0, 16, 20]],
            "path 0: ends at leaf[block=1,stripe=0,plane=0]; its flow goes to server[block=1,slot=0] NIC 4",
        ),
        ([[1, 16, 20, 4]], "path 0: link 1 of hop 0 joins server[block=0,slot=1] NIC 1 and leaf"),
        (
            [[0, 21, 20, 4]],
            "path 0: link 21 of hop 1 joins leaf[block=1,stripe=0,plane=0] and spine[spine=1,plane=0], not",
        ),
        ([[0, 16, 99, 4]], "path 0: link 99: the network has 32, numbered from 0"),
        ([[0, 16, 2.5, 4]], "paths[0, 2] is 2.5: not a whole number from -1"),
        ([[]], "path 0: no links; give one for each hop"),
        ([[0, -1, 16, 20, 4]], "path 0: a link follows padding"),
        ([[0, 1, 1, 16, 20, 4]], "path 0: hop 1 leads to server[block=0,slot=1] NIC 1, which passes on no traffic"),
        ([[0, 16, 20, 4]] * 2 + [[0]], "path 2: ends at leaf"),
        ([], "paths: 0 of 1 flows; give one for each"),
        (7, "paths 7: give for each flow its links or the names of its devices"),
        ([["server[block=0,slot=0]"]], "path 0: fewer than two devices"),
        (
            [["server[block=0,slot=1]", "leaf[block=0,stripe=0,plane=0]"]],
            "path 0: begins at server[block=0,slot=1]",
        ),
        ([["server[block=0,slot=0]", "leaf[block=7,stripe=0,plane=0]"]], "path 0: no device 'leaf[block=7,stripe=0,"),
        ([["server[block=0,slot=0]", "leaf[block=0]"]], "path 0: no device 'leaf[block=0]'; names are like server[bl"),
        (
            [["server[block=0,slot=0]", "spine[spine=0,plane=0]"]],
            "path 0: hop 0: no link joins server[block=0,slot=0] NIC",
        ),
    ],
)
def test_the_first_wrong_path_is_named(paths: Any, text: str) -> None:
    """One message says which path, which hop, and what is wrong there."""
    with pytest.raises(InputError, match=re.escape(text)):
        route_by_paths(fat_tree(2, 4, 4), Phase([0], [4]), paths)


def test_links_that_are_down_are_refused() -> None:
    """By rows and by names the message says that the link is down."""
    plan = fat_tree(2, 4, 4)
    up = np.arange(plan.links_total) != 16
    with pytest.raises(InputError, match=r"path 0: link 16 of hop 1, leaf\[.*\] to spine\[.*\], is down"):
        route_by_paths(plan, Phase([0], [4]), [[0, 16, 20, 4]], up)
    names = ["server[block=0,slot=0]", "leaf[block=0,stripe=0,plane=0]", "spine[spine=0,plane=0]"]
    with pytest.raises(InputError, match="path 0: hop 1: no link that is up joins leaf"):
        route_by_paths(plan, Phase([0], [4]), [names], up)
    with pytest.raises(InputError, match="have no path by adaptive routing: first from server"):
        solve_phase(plan, Phase([0], [4]), up=np.arange(plan.links_total) != 0)


@pytest.mark.parametrize("name", ["ecmp", "adaptive"])
def test_a_flow_inside_a_server_has_all_it_needs(name: str) -> None:
    """It takes no link: by a routing, and by an empty path of one's own."""
    plan = rails(32)
    phase = Phase([0, 8], [3, 72])
    found = solve_phase(plan, phase, Routing(name, qps=2, transport="ideal"))
    assert found.share == pytest.approx([1.0, 1.0])
    assert found.hops.tolist() == [0, 4]
    assert found.load.sum() == pytest.approx(4.0)
    names = ["server[block=0,slot=1]", "leaf[block=0,rail=0,plane=0]", "spine[spine=3,plane=0]"]
    path = [*names, "leaf[block=1,rail=0,plane=0]", "server[block=1,slot=1]"]
    rows = in_order(plan, route_by_paths(plan, Phase([8], [72]), [path]))
    given = solve_phase(plan, phase, Routing(transport="ideal"), paths=[[], rows[0].tolist()])
    assert given.share == pytest.approx([1.0, 1.0])


def least_loaded(plan: Blueprint, phase: Phase, routing: Routing, up: Any) -> np.ndarray:
    """Return paths as ECMP has them, by a hash of another seed."""
    routes = route(plan, phase, Routing("ecmp", routing.qps, routing.seed + 1), up)
    return in_order(plan, routes)


@pytest.fixture
def policy() -> Any:
    """Return a routing of a third party that chooses its own paths, registered meanwhile."""
    ROUTINGS.add(RoutingPolicy("own", "own", "as a function says", choose_paths=least_loaded))
    yield ROUTINGS["own"]
    ROUTINGS.remove("own")


def test_a_routing_may_choose_the_paths_itself(policy: RoutingPolicy) -> None:
    """What is registered with `choose_paths` has the shares, loads and estimates of the paths that it returns."""
    plan = rails(32)
    phase = permutation(np.arange(0, plan.nics, 8), 3)
    own, same = Routing(policy.name, qps=2, seed=0), Routing("ecmp", qps=2, seed=1)
    assert shares(plan, [phase], own) == shares(plan, [phase], same)
    assert link_loads(plan, phase, own) == pytest.approx(link_loads(plan, phase, same))
    words = {"engine": "flows", "algorithm": "ring"}
    one, two = (estimate_workload(plan, Workload(routing=each, **words), [2**30])[0][0] for each in (own, same))
    assert one.estimate.time_s == two.estimate.time_s
    up = fail(plan, ["spine:1"], 0)
    assert shares(plan, [phase], own, up) == shares(plan, [phase], same, up)


@pytest.mark.parametrize(
    ("choose", "text"),
    [
        (lambda plan, phase, routing, up: np.zeros((phase.flows, 4)), "wrong routing: path 1: link 0 of hop 0 joins"),
        (lambda plan, phase, routing, up: np.zeros((1, 4)), "wrong routing: paths: 1 of 4 flows"),
        (lambda plan, phase, routing, up: np.full((2 * phase.flows, 1), -1), "returned 8 paths of 4 flows of 1 queue"),
    ],
)
def test_what_a_routing_returns_is_checked(choose: Any, text: str) -> None:
    """The message names the routing; rows of -1 are flows without a path."""
    ROUTINGS.add(RoutingPolicy("wrong", "wrong", "as a function says", choose_paths=choose))
    try:
        with pytest.raises(InputError, match=text):
            route(fat_tree(2, 4, 4), Phase(range(4), range(4, 8)), Routing("wrong"))
    finally:
        ROUTINGS.remove("wrong")
    with pytest.raises(InputError, match="leave sprays False"):
        RoutingPolicy("x", "x", "x", sprays=True, choose_paths=choose)
