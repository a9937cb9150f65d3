"""The expansion at size: its columns, names and graph."""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import servers, switches
from fabric.errors import TooLarge
from fabric.export import to_networkx
from fabric.network.expand import BYTES_PER_LINK, expand
from fabric.topology.clos import filled_name
from fabric.topology.families import families


def blueprint(gpus: int = 100_000, pods: int = 49) -> Blueprint:
    """Return Colossus' form with as many pods as asked, on SN5600s."""
    form = families()["rail-optimized"].forms[2]
    sizes = {"pod": pods, "block": 4, "slot": 64, "rail": 8, "group": 16, "spine": 2, "core": 64, "plane": 1}
    sizes |= {"server-leaf": 1, "leaf-spine": 2, "spine-core": 1}
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    return Blueprint("test", form, form.complete_sizes(sizes, 8, gpus // 8), models, servers()["hgx-h100"], gpus, 400)


def test_a_hundred_thousand_gpus_lay_out_with_the_counts_of_their_blueprint() -> None:
    """Every server has a link per NIC, every leaf is full, and partly filled units keep their uplinks."""
    plan = blueprint()
    network = expand(plan)
    assert network.links == plan.links_total == 100_000 + 2 * 100_352
    assert dict(network.counts()) == {bundle.name: plan.links(bundle) for bundle in plan.topology.bundles}
    degrees = network.degrees()
    assert set(degrees[: network.servers.count]) == {8}
    leaf = network.group("leaf")
    leaves = degrees[leaf.first : leaf.first + leaf.count]
    assert sorted(set(leaves)) == [84, 128]
    assert (leaves == 84).sum() == 8
    assert set(network.rate_gbps) == {400}


def test_columns_are_read_only_and_as_small_as_promised() -> None:
    """A network can't be edited, and takes 13 bytes a link."""
    network = expand(blueprint(4096, 2))
    assert network.nbytes == BYTES_PER_LINK * network.links
    columns = (network.lower, network.upper, network.lower_port, network.upper_port, network.bundle)
    assert not any(column.flags.writeable for column in columns)


def test_names_say_the_coordinates() -> None:
    """A device's name is its role and its coordinates, each name stands once, and rows outside have none."""
    network = expand(blueprint(4096, 2))
    names = [network.name(row) for row in range(network.devices)]
    assert len(set(names)) == network.devices
    assert names[0] == "server[pod=0,block=0,slot=0]"
    assert names[network.group("leaf").first + 9] == "leaf[pod=0,block=1,rail=1,plane=0]"
    with pytest.raises(IndexError):
        network.name(network.devices)


def test_the_graph_is_the_network() -> None:
    """The networkx view has a node per device and an edge per link, with each end's port, and is one piece."""
    network = expand(blueprint(4096, 2))
    graph = to_networkx(network)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (network.devices, network.links)
    assert nx.is_connected(graph)
    ports = [
        (end, data[f"{side}_port"])
        for *ends, data in graph.edges(data=True)
        for side, end in zip(("lower", "upper"), sorted(ends, key=_tier), strict=True)
    ]
    assert len(set(ports)) == 2 * network.links
    assert {data["rate_gbps"] for *_, data in graph.edges(data=True)} == {400}


def _tier(name: str) -> int:
    return ["server", "leaf", "spine", "core"].index(name.split("[", maxsplit=1)[0])


def test_rails_that_never_meet_are_separate_graphs() -> None:
    """Without its servers, a rail-only fabric falls into one piece per rail and plane."""
    form = families()["rail-only"].forms[1]
    sizes = {"block": 2, "slot": 4, "rail": 4, "spine": 2, "plane": 2, "server-leaf": 1, "leaf-spine": 2}
    plan = Blueprint(
        "r",
        form,
        form.complete_sizes(sizes, 8, 7),
        dict.fromkeys(form.roles, switches()["sn5600"]),
        servers()["hgx-h100"],
        56,
        200,
    )
    network = expand(plan)
    graph = to_networkx(network)
    graph.remove_nodes_from([name for name in list(graph) if name.startswith("server")])
    assert nx.number_connected_components(graph) == 8
    assert np.unique(network.bundle).tolist() == [0, 1]


def test_what_does_not_fit_in_memory_is_refused_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layout larger than what is free is refused before it is tried, and says how large it would be."""
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 2**20)
    with pytest.raises(TooLarge, match=r"links need about 5 MiB of memory, and 1 MiB are available"):
        expand(blueprint())


def test_more_ports_than_can_be_numbered_are_refused() -> None:
    """A device with over 65,536 ports has no column wide enough, so it is not laid out with wrong ones."""
    form = families()["fat-tree"].forms[0]
    sizes = {"slot": 10_000, "plane": 1, "server-leaf": 8}
    box = dataclasses.replace(switches()["sn5600"], ports=100_000, rate_gbps=400)
    plan = Blueprint(
        "wide", form, form.complete_sizes(sizes, 8, 10_000), {"leaf": box}, servers()["hgx-h100"], 80_000, 400
    )
    with pytest.raises(TooLarge, match="80,000 ports"):
        expand(plan)


def test_filled_places_follow_from_the_servers() -> None:
    """12,500 servers in units of 64 fill 196 units, the last one in part, and 49 pods of 4."""
    plan = blueprint()
    assert [plan.sizes[filled_name(axis)] for axis in plan.topology.server.axes] == [49, 196, 12_500]
    assert plan.port_fills(plan.topology.group("leaf"))[-1] == (8, plan.ports_down("leaf") + plan.ports_up("leaf") - 44)
