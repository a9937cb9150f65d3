"""Packets sprayed over direct networks: against the linear program, hashed paths, and the same fabric with failures."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Phase, Routing, fail, link_loads, lp_bound, permutation, route, shares
from fabric.flow.fairness import max_min
from fabric.flow.path_splits import Splits, search_seconds, split_over_paths
from fabric.flow.router import router_of
from fabric.flow.split_routes import SplitRoutes
from fabric.studies.study import design
from fabric.testing import random_blueprint
from fabric.topology.families import BUILTIN
from fabric.topology.graph_form import GraphForm
from tests.flow.flow_fabrics import progressive_filling
from tests.marks import slow

GRAPH_FORMS = [form for family in BUILTIN for form in family.forms if isinstance(form, GraphForm)]


def drawn(trials: int) -> Iterator[tuple[Blueprint, Phase]]:
    """Yield random small fabrics of every graph form, each with a random permutation of its NICs."""
    for number, form in enumerate(GRAPH_FORMS):
        for seed in range(trials):
            plan = random_blueprint(form, Random(1000 * number + seed))
            every = permutation(np.arange(plan.nics), seed) if plan.servers > 1 else None
            if every is not None:
                apart = every.source // plan.server.nics != every.target // plan.server.nics
                yield plan, Phase(every.source[apart], every.target[apart])


def test_a_demand_is_split_by_the_capacities_of_its_paths() -> None:
    """One demand over two paths of 1 and 3 fills both alike; where both have room, nothing is fuller than full."""

    def draw(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (numbers % 2)[:, None, None], np.zeros((len(numbers), 1), bool)

    for demand, fullest in ((8.0, 2.0), (2.0, 1.0)):
        splits = split_over_paths(draw, np.array([demand]), np.array([1.0, 3.0]))
        utilization = splits.loads(np.array([demand]), 2) / [1.0, 3.0]
        assert utilization.max() <= fullest * 1.005
        assert splits.shares.sum() == pytest.approx(1)


def test_a_demand_without_a_path_is_lost_and_takes_the_first_that_there_is() -> None:
    """A path that is missing at first is taken when it is drawn, and one that never comes leaves nothing."""

    def draw(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        missing = np.stack([numbers >= 0, numbers < 30], axis=1)
        return np.zeros((len(numbers), 2, 1), np.int64), missing

    splits = split_over_paths(draw, np.array([4.0, 4.0]), np.array([1.0]))
    assert splits.lost.tolist() == [True, False]
    assert splits.loads(np.array([4.0, 4.0]), 1) == pytest.approx([4.0])


@pytest.mark.parametrize("trials", [1, *slow(3)])
def test_the_slowest_flow_is_near_the_linear_program(trials: int) -> None:
    """On small fabrics of every form it gets within 4 % of what the best routing would leave it, 1 % on average."""
    kept = [
        shares(plan, [phase], Routing()).fair_min / lp_bound(plan, phase)
        for plan, phase in drawn(trials)
        if phase.flows
    ]
    assert len(kept) >= 20 * trials
    assert max(kept) <= 1 + 1e-6
    assert min(kept) > 0.96
    assert np.mean(kept) > 0.99


@pytest.mark.parametrize("trials", [1, *slow(3)])
def test_spraying_leaves_the_slowest_flow_no_less_than_hashing(trials: int) -> None:
    """Whatever paths hashes choose, sprayed packets could take them too."""
    for plan, phase in drawn(trials):
        if phase.flows:
            hashed = max(shares(plan, [phase], Routing("ecmp", qps=4, seed=seed)).fair_min for seed in range(3))
            assert shares(plan, [phase], Routing()).fair_min >= 0.98 * hashed


@pytest.mark.parametrize("trials", [1, *slow(3)])
def test_a_failed_link_never_helps(trials: int) -> None:
    """The slowest flow that still has a path gets no more than on the whole fabric, within the 2 % of its search."""
    for plan, phase in drawn(trials):
        up = fail(plan, ["link:10%"], seed=1)
        left = phase.flows and ~route(plan, phase, Routing(), up).disconnected
        if np.any(left):
            alive = Phase(phase.source[left], phase.target[left])
            whole, hit = (shares(plan, [alive], Routing(), links).fair_min for links in (None, up))
            assert hit <= 1.02 * whole


def test_loads_of_links_are_those_of_the_flows() -> None:
    """Every flow leaves and reaches its NICs at line rate, and the links of a group carry as much as each other."""
    for plan, phase in drawn(1):
        if phase.flows:
            loads, routes = link_loads(plan, phase), route(plan, phase)
            hosts = sum(plan.links(each) for each in plan.topology.host_patterns)
            assert routes.loads(np.ones(phase.flows))[-1] >= 0
            if not plan.topology.routing.server_relay:
                assert loads[0, :hosts].sum() == pytest.approx(phase.flows * plan.planes)
                assert loads[1, :hosts].sum() == pytest.approx(phase.flows * plan.planes)


def test_rates_of_split_flows_are_those_of_textbook_filling() -> None:
    """Of flows that each take one path, the rates are those of progressive filling, and the least is exact."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        paths = np.stack([rng.permutation(8)[:3] for _ in range(12)])
        capacity = rng.uniform(1, 5, 8)
        routes = SplitRoutes(
            np.zeros((12, 0), np.int32),
            np.append(capacity, np.inf),
            np.zeros(12, bool),
            demand=np.arange(12),
            splits=Splits(paths[:, None], np.ones((12, 1))),
        )
        expected, got = progressive_filling(paths.tolist(), capacity.tolist()), max_min(routes)
        assert got.min() == pytest.approx(min(expected))
        assert got == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("planes", "together"), [(1, True), (2, False)])
def test_a_failure_leaves_pairs_of_leaves_together_in_a_single_plane(planes: int, together: bool) -> None:
    """Only where planes differ is each flow a demand, and the estimate counts them; the flows lost have no path."""
    plan = design(gpus=128, server="hgx-h100", switches="sn5600", family="mesh", planes=planes).blueprint
    every = permutation(np.arange(plan.nics), 1)
    apart = every.source // plan.server.nics != every.target // plan.server.nics
    phase = Phase(every.source[apart], every.target[apart])
    up = fail(plan, ["nic:2", "link:3%"], seed=1)
    router = router_of(plan, up)
    routes = route(plan, phase, Routing(), up)
    lost = ~router.joins(phase.source, phase.target)
    assert 0 < lost.sum() < phase.flows
    assert routes.disconnected.tolist() == lost.tolist()
    assert isinstance(routes, SplitRoutes)
    assert routes.splits is not None
    demands = len(routes.splits.shares)
    assert (demands < phase.flows) == together
    seconds = [router_of(plan).work(phase.flows, Routing(), failed=failed).seconds for failed in (False, True)]
    assert (seconds[0] == seconds[1]) == together
    assert seconds[1] == router.work(phase.flows, Routing()).seconds
    assert together or seconds[1] == search_seconds(demands)
