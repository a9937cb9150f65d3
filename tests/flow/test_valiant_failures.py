"""Valiant routing under failures: a flow ends without a path only where the links that are up leave none."""

from __future__ import annotations

from random import Random

import networkx as nx
import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Phase, Routing, fail, route, router_of
from fabric.flow.graph_paths import GraphPaths
from fabric.flow.hashing import flow_keys
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.bcube import BCUBE
from fabric.topology.families import DIRECT
from fabric.topology.graph_form import GraphForm
from fabric.topology.zcube import ZCUBE
from tests.flow.flow_fabrics import sized

FORMS = [form for family in DIRECT for form in family.forms if "valiant" in form.virtual_channels]


def drawn(form: GraphForm, seed: int) -> Blueprint:
    """Return a small blueprint of the form with several servers on several leaves."""
    for number in range(100):
        plan = random_blueprint(form, Random(f"{form.text}{seed}{number}"))
        if plan.servers > 3 and plan.devices(form.roles[0]) > 3:
            return plan
    raise AssertionError("no blueprint of several leaves")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{form.size_label}")
@pytest.mark.parametrize("kind", ["leaf", "top", "link"])
def test_every_flow_that_links_leave_a_path_has_one(form: GraphForm, kind: str) -> None:
    """It has one where networkx finds its NICs connected in a plane, by links that are up."""
    for seed in range(3):
        plan = drawn(form, seed)
        word = {"leaf": f"{form.roles[0]}:1", "top": f"{form.roles[-1]}:1", "link": "link:8%"}[kind]
        up, nics = fail(plan, [word], seed), np.arange(plan.nics)
        source, target = np.repeat(nics, plan.nics), np.tile(nics, plan.nics)
        apart = source // plan.server.nics != target // plan.server.nics
        phase = Phase(source[apart], target[apart])
        routes = route(plan, phase, Routing("valiant", qps=2 * plan.planes, seed=seed), up)
        assert (routes.disconnected.reshape(phase.flows, -1).all(axis=1) == ~connected(plan, phase, up)).all()
        assert not routes.disconnected.reshape(phase.flows, -1)[connected(plan, phase, up)].any()
        used = np.unique(routes.arcs[routes.arcs < 2 * plan.links_total] % plan.links_total)
        assert up[used].all()


def connected(plan: Blueprint, phase: Phase, up: np.ndarray) -> np.ndarray:
    """Return which flows have both ends in one connected part of the links that are up, in which servers forward none.

    Each NIC is a node of its own, and planes share no switches.
    """
    network, nic = expand(plan), router_of(plan).nic_of_links()
    lower = network.lower.astype(np.int64) + plan.nics
    lower[: len(nic)] = nic
    graph = nx.Graph()
    graph.add_nodes_from(range(plan.nics))
    switched = up.copy()
    switched[: len(nic)] = False
    upper = network.upper.astype(np.int64) + plan.nics
    graph.add_edges_from(zip(lower[switched].tolist(), upper[switched].tolist(), strict=True))
    part = {node: number for number, nodes in enumerate(nx.connected_components(graph)) for node in nodes}
    leaves: list[set[int]] = [set() for _ in range(plan.nics)]
    for row in np.flatnonzero(up[: len(nic)]).tolist():
        leaves[nic[row]].add(part.get(int(upper[row]), -1 - int(upper[row])))
    ends = zip(phase.source.tolist(), phase.target.tolist(), strict=True)
    return np.array([bool(leaves[source] & leaves[target]) for source, target in ends])


@pytest.mark.parametrize("name", ["ecmp", "dmodk"])
def test_a_nic_of_several_levels_takes_the_pair_that_is_left(name: str) -> None:
    """Of two NICs of which each has lost another level, the levels that are left are paired, and every flow has a path.

    That is so for all pairs of levels that fail, on every server-centric form.
    """
    for form in (form for family in (BCUBE, ZCUBE) for form in family.forms):
        plan = drawn(form, 0)
        levels, nics = form.routing.nic_levels, plan.nics
        apart = plan.server.nics
        for here, there in np.ndindex(levels, levels):
            up = np.ones(plan.links_total, bool)
            up[[here * nics, there * nics + nics - apart]] = False
            source, target = np.array([0]), np.array([nics - apart])
            assert router_of(plan, up).joins(source, target).all()
            assert not route(plan, Phase(source, target), Routing(name, qps=2), up).disconnected.any()


def test_intermediates_are_drawn_evenly_among_the_leaves_that_are_connected() -> None:
    """Of 6,000 sub-flows each of the 15 leaves that are left gets a fifteenth, and the failed one none."""
    form = next(form for form in FORMS if form.family == "hyperx" and "y" in form.axes)
    plan = sized(form, 16, x=4, y=4)
    leaves = plan.devices(form.roles[0])
    up = fail(plan, ["leaf:1"], 0)
    paths = GraphPaths(plan, form, up)
    source = np.flatnonzero(router_of(plan, up).joins(np.arange(leaves), (np.arange(leaves) + 1) % leaves))
    ends = np.zeros(6000, np.int64) + source[0]
    keys = flow_keys(ends, ends + 1, np.arange(6000), 0)
    by = paths._draw_intermediate(ends, 0 * ends, keys, np.ones(6000, bool))
    counts = np.bincount(by, minlength=leaves)
    assert (counts > 0).sum() == leaves - 1
    assert abs(counts[counts > 0] - 6000 / (leaves - 1)).max() < 5 * np.sqrt(6000 / (leaves - 1))
