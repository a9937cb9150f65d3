"""Maximum flow between chosen groups: equal to networkx's and to the bisection, over a cut that is full."""

from __future__ import annotations

import json
import pickle
import re
from random import Random

import networkx as nx
import numpy as np
import pytest

import fabric
from fabric.blueprint.metrics import bisection_gbps
from fabric.errors import InputError, TooLarge
from fabric.flow import MaxFlow, Phase, fail, link_loads, max_flow, select_devices, solve_phase
from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import BUILTIN
from fabric.topology.topology import Topology
from tests.flow.flow_fabrics import fat_tree
from tests.request_fixtures import Run

FORMS = [form for family in BUILTIN for form in family.forms[:3]]


def witness(network: Network, up: np.ndarray, source: np.ndarray, target: np.ndarray, *, forward: bool) -> int:
    """Return the maximum flow by networkx, each link an arc in both directions, but for servers that do not forward."""
    graph, ends = nx.DiGraph(), {*source.tolist(), *target.tolist()}
    graph.add_nodes_from(["source", "sink", *ends])
    rates = network.rate_gbps
    for link in np.flatnonzero(up).tolist():
        lower, upper = int(network.lower[link]), int(network.upper[link])
        if lower < network.server_count and not forward and lower not in ends:
            continue
        for tail, head in ((lower, upper), (upper, lower)):
            before = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
            graph.add_edge(tail, head, capacity=before + int(rates[link]))
    if not forward:  # a sender takes in nothing, and a receiver sends nothing
        for one in source.tolist():
            graph.remove_edges_from(list(graph.in_edges(one)))
        for one in target.tolist():
            graph.remove_edges_from(list(graph.out_edges(one)))
    graph.add_edges_from(("source", one) for one in source.tolist())
    graph.add_edges_from((one, "sink") for one in target.tolist())
    return int(nx.maximum_flow_value(graph, "source", "sink"))


def check_cut(found: MaxFlow, up: np.ndarray) -> None:
    """Check that the cut has the flow's bandwidth, over links that are up, from the sources' side to the targets'."""
    network, down = found.network, found.cut_down
    assert int(network.rate_gbps[found.cut_links].sum()) == found.gbps == sum(part.gbps for part in found.cut)
    assert up[found.cut_links].all()
    tails = np.where(down, network.upper[found.cut_links], network.lower[found.cut_links])
    heads = np.where(down, network.lower[found.cut_links], network.upper[found.cut_links])
    assert found.source_side[tails].all()
    assert not found.source_side[heads].any()
    assert found.source_side[found.source].all()
    assert not found.source_side[found.target].any()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{form.size_label}")
def test_the_flow_between_drawn_groups_is_that_of_networkx(form: Topology) -> None:
    """Groups of servers, of switches and of both, with links down, on small fabrics of every family."""
    for seed in range(4):
        random = Random(f"{form.text}{seed}")
        plan = random_blueprint(form, random)
        network = expand(plan)
        if network.devices < 4:
            continue
        rows = random.sample(range(network.devices), min(network.devices, random.randint(2, 9)))
        source, target = np.array(sorted(rows[::2])), np.array(sorted(rows[1::2]))
        up = np.array([random.random() < 0.9 for _ in range(network.links)])
        found = max_flow(plan, source, target, up)
        assert found.gbps == witness(network, up, source, target, forward=form.routing.server_relay)
        check_cut(found, up)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{form.size_label}")
def test_the_flow_between_halves_is_the_bisection(form: Topology) -> None:
    """From the first half of the servers to the second it is what the tool computes in closed form."""
    for seed in range(3):
        plan = random_blueprint(form, Random(f"bisection{form.text}{seed}"))
        if plan.servers > 1 and not form.balanced_bundles:
            half = np.arange(plan.servers // 2)
            found = max_flow(plan, half, np.arange(plan.servers // 2, plan.servers))
            assert found.gbps == bisection_gbps(plan)


def test_groups_are_named_by_regular_expressions() -> None:
    """Names are matched as a whole, and the cut is named by bundle and direction; failures reduce it."""
    plan = fat_tree(2, 4, 4, ratio=2)
    found = max_flow(plan, r"server\[block=0,.*", r"server\[block=[12],.*")
    assert found.gbps == 2 * 400
    assert found.describe_cut() == "2 leaf-spine links up (800 Gb/s)"
    assert found.source.tolist() == [0, 1, 2, 3]
    assert found.target.tolist() == list(range(4, 12))
    up = fail(plan, ["leaf[block=0,stripe=0]--spine[spine=1]"])
    left = max_flow(plan, r"server\[block=0,.*", r"server\[block=[12],.*", up)
    assert (left.gbps, left.describe_cut()) == (400, "1 leaf-spine link up (400 Gb/s)")
    into = max_flow(plan, r"spine\[.*", r"server\[block=3,slot=1\]")
    assert into.describe_cut() == "1 server-leaf link down (400 Gb/s)"
    nothing = max_flow(plan, [0], [1], np.zeros(plan.links_total, bool))
    assert (nothing.gbps, nothing.cut, nothing.describe_cut()) == (0, (), "no path joins the two groups")
    assert pickle.loads(pickle.dumps(found)) == found != left


def test_servers_pass_nothing_on_unless_asked() -> None:
    """Where rails never meet, two of their leaves are joined only through servers."""
    study = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", family="rail-only", tiers=1)
    rails = r"leaf\[.*rail=0.*", r"leaf\[.*rail=1.*"
    assert max_flow(study, *rails).gbps == 0
    assert max_flow(study, *rails, servers_forward=True).gbps == 8 * 400
    assert max_flow(study.network, *rails).gbps == 0


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        (r"serv(", "leaf.*", "source 'serv(': not a regular expression"),
        (
            "server",
            "leaf.*",
            "'server': matches no whole name of a device; names are like server[block=0,slot=0]",
        ),
        (r"leaf.*", "leaf.*", "leaf[block=0,stripe=0,plane=0] is in both groups"),
        ([0, 2.5], [1], "source[1] is 2.5: not a whole number from 0"),
        ([0], [99], "target[0] is 99: the network has 24 devices, numbered from 0"),
        ([], [1], "source: no devices"),
    ],
)
def test_groups_that_are_none_are_refused(source: object, target: object, text: str) -> None:
    """The message names the group, its value, and what names are like."""
    with pytest.raises(InputError, match=re.escape(text)):
        max_flow(fat_tree(2, 4, 4), source, target)  # type: ignore[arg-type]


def test_links_that_are_up_are_booleans_one_a_link() -> None:
    """Rows of links in place of a mask, or a mask of another fabric, are refused."""
    plan = fat_tree(2, 4, 4)
    for up in (np.arange(3), np.ones(3, bool)):
        with pytest.raises(InputError, match=r"give booleans of shape \(32,\)"):
            max_flow(plan, [0], [1], up)


def test_a_flow_that_memory_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with its estimate before it is solved."""
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 4096)
    with pytest.raises(TooLarge, match="the 60 arcs of the maximum flow need about 11 KiB of memory"):
        max_flow(fat_tree(2, 4, 4), [0, 1], [4, 5], servers_forward=True)


def test_rows_are_selected_in_order() -> None:
    """A group in any order, with repetitions, is one group."""
    network = expand(fat_tree(2, 4, 4))
    assert select_devices(network, [3, 1, 3]).tolist() == [1, 3]
    assert select_devices(network, np.array(2)).tolist() == [2]


def test_the_command_shows_the_flow_and_its_cut(run: Run) -> None:
    """It has the numbers of the function, after failures too, as text and as JSON; a bad group is bad input."""
    words = ("maxflow", "superpod-h100-4su", "--from", r"server\[block=0,.*", "--to", r"server\[block=1,.*")
    code, text, _ = run(*words, "--fail", "spine:4", "--seed", "3")
    assert code == 0
    study = fabric.design("superpod-h100-4su")
    found = max_flow(study, r"server\[block=0,.*", r"server\[block=1,.*", fail(study.blueprint, ["spine:4"], 3))
    assert f"maximum flow from 32 devices to 32 devices: {found.gbps / 1000:.4g} Tb/s" in text
    assert re.search(r"leaf-spine +up +192 +76.8 Tb/s", text)
    code, text, _ = run(*words, "--json")
    item = json.loads(text)
    assert (code, item["schema"], item["gbps"]) == (0, "fabric.maxflow/1", 102400)
    assert item["cut"] == [{"bundle": "server-leaf", "direction": "up", "links": 256, "gbps": 102400}]
    assert item["cut_links"][0] == ["server[block=0,slot=0]", "leaf[block=0,rail=0,plane=0]"]
    code, _, text = run("maxflow", "superpod-h100-4su", "--from", "x", "--to", "y")
    assert code == 2
    assert "source 'x': matches no whole name of a device" in text


def test_what_is_no_fabric_is_refused() -> None:
    """A number, and a study where a blueprint is due, are bad input and not an AttributeError."""
    study = fabric.design("superpod-h100-1su")
    phase = Phase([0], [8])
    with pytest.raises(InputError, match="3 is no network, blueprint or study"):
        max_flow(3, "server.*", "leaf.*")  # type: ignore[arg-type]
    for function in (solve_phase, link_loads):
        with pytest.raises(InputError, match=r"a Study is none; a study has one: study\.blueprint"):
            function(study, phase)  # type: ignore[arg-type]
