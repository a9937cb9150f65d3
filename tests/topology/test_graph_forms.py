"""Truths about graph forms: their published sizes, their graphs, and the flows over them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hops
from fabric.errors import InputError
from fabric.flow import (
    Answer,
    Phase,
    Routing,
    Workload,
    estimate_all,
    estimate_workload,
    lp_bound,
    permutation,
    route,
    shares,
)
from fabric.flow.algorithms import algorithm_of
from fabric.flow.engine_choice import closed_form_of
from fabric.flow.graph_shares import deviation_of
from fabric.flow.workload import answer_by_flows, lay_flows
from fabric.network.expand import expand
from fabric.optimizer import find_front, parse_objectives
from fabric.optimizer.flow_objectives import value_of
from fabric.testing import random_blueprint, searched_hops
from fabric.topology.families import BUILTIN, families, family_sets
from fabric.topology.graph_form import GraphForm
from fabric.topology.patterns import balanced, mms_global, mms_local, prime_powers, random_regular
from tests.marks import slow

ONE = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400}
GRAPH_FORMS = [form for name in family_sets()["any"] for form in families()[name].forms if not families()[name].layered]


@pytest.mark.parametrize("q", [3, 4, 5, *slow(7, 8, 9, 11, 13)])
def test_the_graphs_of_slim_fly_have_diameter_two(q: int) -> None:
    """A McKay-Miller-Siran graph has 2 q^2 switches of one degree, no two of which are more than two links apart."""
    import networkx as nx

    graph = nx.Graph()
    for low, high in (mms_local(q), mms_global(q)):
        graph.add_edges_from(zip(low.tolist(), high.tolist(), strict=True))
    degree = (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2
    assert (len(graph), set(dict(graph.degree).values()), nx.diameter(graph)) == (2 * q * q, {degree}, 2)


def test_tiers_are_a_fact_of_the_bundles() -> None:
    """A topology has tiers where each bundle joins a group to the next: Dragonfly+ without its global links has."""
    (form,) = families()["dragonfly-plus"].forms
    assert not form.layered
    assert replace(form, bundles=form.bundles[:2]).layered


def test_prime_powers_are_those() -> None:
    """From 3 to 32 there are seventeen prime powers, and 28 is none."""
    assert prime_powers(32) == (3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27, 29, 31, 32)


@pytest.mark.parametrize(("groups", "routers", "ports"), [(9, 4, 2), (5, 4, 2), (8, 4, 2), (6, 3, 3), (73, 12, 6)])
def test_every_two_groups_of_a_dragonfly_are_joined(groups: int, routers: int, ports: int) -> None:
    """All global links are used, and the numbers of links between two groups differ by one at most."""
    low, high = balanced(groups, routers, ports)
    assert set(np.bincount(np.concatenate([low, high])).tolist()) == {ports}
    joined = np.zeros((groups, groups), int)
    np.add.at(joined, (low // routers, high // routers), 1)
    each = (joined + joined.T)[~np.eye(groups, dtype=bool)]
    assert each.min() >= 1
    assert each.max() - each.min() <= 1


def test_pairs_of_switches_have_a_multiple_of_global_links_only_where_all_have_the_same() -> None:
    """They have an even number where a switch has an even number of links for each other group, and nowhere else."""
    cases = [(g, r, p) for g in range(2, 8) for r in range(1, 5) for p in range(1, 17) if r * p >= g - 1]
    for groups, routers, ports in (case for case in cases if case[0] * case[1] * case[2] % 2 == 0):
        low, high = balanced(groups, routers, ports)
        pairs = np.unique(np.minimum(low, high) * groups * routers + np.maximum(low, high), return_counts=True)[1]
        for whole in (2, 4):
            assert any(pairs % whole) != (ports % (whole * (groups - 1)) == 0), (groups, routers, ports)


@pytest.mark.parametrize(("devices", "degree"), [(10, 3), (30, 29), (60, 31), (200, 12)])
def test_a_random_graph_is_simple_and_regular(devices: int, degree: int) -> None:
    """Every switch has as many different neighbours, the same for the same seed."""
    low, high = random_regular(devices, degree, 1)
    assert set(np.bincount(np.concatenate([low, high]), minlength=devices).tolist()) == {degree}
    assert len({frozenset(pair) for pair in zip(low.tolist(), high.tolist(), strict=True)}) == devices * degree // 2
    assert np.array_equal(random_regular.__wrapped__(devices, degree, 1)[0], low)
    assert not low.flags.writeable
    assert not high.flags.writeable
    with pytest.raises(InputError):
        random_regular(5, 5, 0)


@pytest.mark.parametrize("trials", [1, *slow(3)])
@pytest.mark.parametrize(
    "form", GRAPH_FORMS, ids=lambda form: f"{form.family}-{len(form.sizing.free)}-{len(form.sizing.tables)}"
)
def test_no_routing_beats_the_linear_program(form: GraphForm, trials: int) -> None:
    """A permutation's slowest flow gets no more under any routing than the best of all would leave it."""
    random = Random(7)
    for _ in range(trials):
        plan = random_blueprint(form, random)
        nics = plan.server.nics
        every = permutation(np.arange(plan.servers * nics), 1) if plan.servers > 1 else None
        if every is None:
            continue
        apart = every.source // nics != every.target // nics
        phase = Phase(every.source[apart], every.target[apart])
        names = ["adaptive", "ecmp", "dmodk", *(name for name in form.virtual_channels if name == "valiant")]
        got = [shares(plan, [phase], Routing(name, qps=4)) for name in names]
        assert all(each.disconnected == 0 and 0 < each.min <= each.mean <= 1 for each in got)
        assert max(each.min for each in got) <= lp_bound(plan, phase) + 1e-6


LOOSER = {"torus": 4, "mesh": 4, "bcube": 2}
DENSE = ("dragonfly", "dragonfly-plus", "slim-fly", "hyperx", "jellyfish", "bcube", "zcube")
"""Families whose flows or linear program on 1,024 GPUs take long."""


@pytest.mark.parametrize(
    ("name", "gpus"),
    [(item.name, 1024) for item in BUILTIN if not item.layered and item.name not in DENSE]
    + [(name, 256) for name in DENSE]
    + [pytest.param(name, 1024, marks=pytest.mark.slow) for name in DENSE],
)
def test_closed_forms_are_near_explicit_flows(name: str, gpus: int) -> None:
    """With GPUs in random order flows are as near to the closed form as it says where it answers.

    A tree's slowest flow gets no more than the cuts and the linear program leave, and the closed form, which is of no
    order in particular, a tenth more at most than these do on average.
    """
    words = {"gpus": gpus, "server": "hgx-h100", "switches": "sn5600", "oversubscription": LOOSER.get(name, 1)}
    plan = fabric.design(words, family=name, planes=[1, 2]).blueprint
    for routing in ("adaptive", "ecmp"):
        tree = Workload("all-reduce", routing=Routing(routing, qps=2), algorithm="nvls-tree", engine="flows")
        ring, most = replace(tree, algorithm="ring"), []
        assert_near(plan, ring, answer_by_flows(lay_flows(plan, ring)[0], ring, [2**34])[0])
        for seed in range(2):
            ((flows,), bounds) = estimate_workload(plan, replace(tree, seed=seed), [2**34])
            most.append(min(bounds.cut, bounds.lp or 1))
            left = assert_near(plan, tree, flows)
            assert flows.min / tree.routing.policy.transport_share() <= most[-1] + 1e-6
        assert left <= 1.1 * sum(most) / len(most)


def assert_near(plan: Blueprint, work: Workload, flows: Answer) -> float:
    """Assert that flows get what the closed form leaves within the factor that it states, and return that."""
    assert work.algorithm
    left = closed_form_of(plan, work).left(algorithm_of(work.collective, work.algorithm)).least
    got, policy = flows.min / work.routing.policy.transport_share(), work.routing.policy
    assert left / deviation_of(policy) <= got <= left * deviation_of(policy)
    return left


def test_minimal_ways_of_a_dragonfly_have_one_global_link() -> None:
    """Hashed flows between all pairs of NICs pass one global link at the most, and exactly one between groups."""
    words = {"gpus": 144, "server": ONE, "switches": {"name": "any", "ports": 12, "rate_gbps": 400, "price_usd": 1}}
    pinned = {"router": 8, "slot": 2, "global": 2, "group": 9}
    plan = fabric.design(words, link_price_usd=1, family="dragonfly", pinned=pinned, oversubscription=2).blueprint
    source, target = (ends.reshape(-1) for ends in np.indices((144, 144)))
    phase = Phase(source[source != target], target[source != target])
    routes, network = route(plan, phase, Routing("ecmp")), expand(plan)
    far = [bundle.name for bundle in plan.topology.bundles].index("leaf-global")
    links = np.append(np.tile(network.bundle == far, 2), False)
    passed = links[routes.arcs].sum(axis=1)
    assert (passed == (phase.source // 16 != phase.target // 16)).all()


def test_a_torus_of_a_tpu_pod_is_sized() -> None:
    """A pod of 4,096 chips, 16 a side, has 12,288 links between them and 25 chips on its longest path."""
    switch = {"name": "chip", "ports": 8, "rate_gbps": 400, "price_usd": 1}
    words = {"gpus": 4096, "server": ONE, "switches": switch, "link_price_usd": 1, "oversubscription": 2}
    study = fabric.design(words, family="torus", pinned={"x": 16, "y": 16, "z": 16, "slot": 1})
    assert study.blueprint.links_total - 4096 == 12_288
    assert study.hops.max == 25


@pytest.mark.parametrize("gpus", [64, 1024, *slow(16_384)])
def test_any_is_no_dearer_than_the_trees(gpus: int) -> None:
    """`family: any` finds nothing dearer than `clos`, and both are proven."""
    words = {"gpus": gpus, "server": "hgx-h100", "switches": "sn5600"}
    dear, cheap = (fabric.design(words, family=name) for name in ("clos", "any"))
    assert {dear.proof.status, cheap.proof.status} == {"OPTIMAL"}
    assert cheap.proof.objective <= dear.proof.objective


def test_a_limit_on_hops_that_only_a_direct_network_meets() -> None:
    """8,192 GPUs of 128-port switches within two hops are answered with a network of no tiers."""
    words = {"gpus": 8192, "server": "hgx-h100", "switches": "sn5600", "planes": [1, 2], "limits": {"hops": 2}}
    study = fabric.design(words, family="any")
    assert study.blueprint.topology.family in family_sets()["direct"]
    assert hops(study.blueprint).max == 2
    with pytest.raises(fabric.Infeasible):
        fabric.design(words, family="clos")


@pytest.mark.parametrize("gpus", [128, *slow(32, 512)])
@pytest.mark.parametrize("name", [item.name for item in BUILTIN])
def test_hops_of_designs_are_those_of_a_search(name: str, gpus: int) -> None:
    """At every size the hops of every family's design, largest and mean, are those of a breadth-first search."""
    server = {"name": "two", "gpus": 2, "nics": 2, "nic_gbps": 400, "nvlink_GBps": 100}
    switch = {"name": "32 x 200G", "ports": 32, "rate_gbps": 200, "price_usd": 1}
    words = {"gpus": gpus, "server": server, "switches": switch, "link_price_usd": 1, "oversubscription": 8}
    plan = fabric.design(words, family=name, planes=2).blueprint
    levels = plan.topology.routing.nic_levels
    full = replace(plan, sizes={**plan.sizes, "servers": plan.sizes.get("server", plan.servers)})
    assert (hops(plan).max, round(hops(plan).mean, 9)) == searched_hops(expand(full), levels or 1)


@pytest.mark.parametrize("name", ["dragonfly", "hyperx", "bcube"])
def test_a_front_of_networks_without_tiers_is_proven(name: str) -> None:
    """Cost, hops and the time of an all-reduce have a whole front, whose times are those of its designs' reports.

    The search proves it by its own times; where those of flows are beyond the tolerance the front says so.
    """
    words = {
        "gpus": 64 if name == "bcube" else 256,
        "server": "hgx-h100",
        "switches": "sn5600",
        "oversubscription": LOOSER.get(name, 1),
    }
    request, objectives = fabric.read(words, family=name, planes=[1, 2]), parse_objectives("cost,hops,allreduce")
    found, front = find_front(request, objectives), fabric.pareto(request, "cost,hops,allreduce")
    assert found.status == "OPTIMAL"
    assert front.values[0]["cost_usd"] == fabric.design(request).proof.objective
    for point in found.points:
        assert found.values(point)["allreduce_s"] == pytest.approx(value_of(objectives[2], point.blueprint), abs=1e-9)
    for study, values in zip(front.studies, front.values, strict=True):
        assert values["allreduce_s"] == study.allreduce(2**30).time_s
    ratios = [
        estimate_all(point.blueprint, "all-reduce", [2**30])[0].time_s / found.values(point)["allreduce_s"]
        for point in found.points
    ]
    moved = any(not 1 / 1.02 <= ratio <= 1.02 for ratio in ratios)
    assert (front.status, front.moved) == ("FEASIBLE" if moved else "OPTIMAL", moved)
    assert len(front.proven) == (0 if moved else len(front.studies))


def test_a_line_too_long_is_told_with_the_longest() -> None:
    """A pinned size that no line of a torus has is refused with the sizes that there are."""
    words = {"gpus": 64, "server": "hgx-h100", "switches": "sn5600", "pinned": {"x": 300}, "oversubscription": 64}
    with pytest.raises(fabric.Infeasible, match="2 to 256 switches: the nearest is 256"):
        fabric.design(words, family="torus")


def test_groups_of_a_dragonfly_share_their_links_evenly() -> None:
    """Nine groups of four routers with two global links each have one link for every pair, and three groups four."""
    form = families()["dragonfly"].forms[0]
    sizes = form.complete_sizes({"group": 9, "router": 4, "global": 2, "slot": 2, "plane": 1}, 1, 72)
    assert (sizes["pair"], sizes["server"]) == (1, 72)
    three = form.complete_sizes({"group": 3, "router": 4, "global": 2, "slot": 2, "plane": 1}, 1, 24)
    assert three["pair"] == 4
