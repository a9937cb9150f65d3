"""The declared loads of uniform traffic on graph topologies, compared with shortest paths."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.network.expand import expand
from fabric.topology.families import families
from fabric.topology.graph_form import GraphForm
from tests.topology.test_virtual_channels import graph_of_switches, local_global_local


def ring(axis: str, size: int) -> dict[str, int]:
    """Return the sizes of a torus or mesh in one row of its table."""
    form = families()["torus"].forms[0]
    assert isinstance(form, GraphForm)
    row = next(row for row in form.sizing.tables[0].rows(0) if row[0] == size)
    return dict(zip([axis, f"{axis} far", f"{axis} passed", f"{axis} ends"], row, strict=True))


def full(name: str, place: int, sizes: dict[str, int]) -> Blueprint:
    """Return a fabric of a graph topology with a server of one NIC wherever there is room."""
    form = families()[name].forms[place]
    assert isinstance(form, GraphForm)
    filled = form.complete_sizes(sizes, 1, 0)
    servers, models = filled["server"], dict.fromkeys(form.roles, Switch("any", ports=999, rate_gbps=100))
    server = Server("one", 1, 1, 100, nvlink_GBps=100)
    return Blueprint("it", form, filled | {"servers": servers}, models, server, servers, 100)


def loads(plan: Blueprint) -> dict[str, list[float]]:
    """Return what a link of each bundle carries, in one direction, when every NIC sends line rate evenly to all.

    By networkx: the pairs of leaves whose traffic an edge carries, evenly over all paths of least weight.
    """
    assert isinstance(plan.topology, GraphForm)
    network, graph, weights = expand(plan), nx.Graph(), plan.topology.paths.weights
    names = [bundle.name for bundle in plan.topology.bundles]
    for lower, upper, bundle in zip(network.lower, network.upper, network.bundle, strict=True):
        if lower >= network.servers.count:
            ends = int(lower), int(upper)
            copies, name = graph.get_edge_data(*ends, {"copies": 0})["copies"], names[int(bundle)]
            graph.add_edge(*ends, copies=copies + 1, bundle=name, weight=weights.get(name, 1))
    leaves, each = sorted({int(upper) for upper in network.upper[: plan.servers]}), plan.sizes["slot"]
    passed = nx.edge_betweenness_centrality_subset(graph, leaves, leaves, normalized=False, weight="weight")
    found: dict[str, list[float]] = {}
    for ends, pairs in passed.items():
        edge = graph.edges[ends]
        found.setdefault(edge["bundle"], []).append(pairs * each**2 / plan.servers / edge["copies"])
    return found


def ratio(plan: Blueprint) -> float:
    """Return the greatest declared oversubscription."""
    return max(float(found) for role in plan.topology.roles if (found := plan.oversubscription(role)) is not None)


@pytest.mark.parametrize(
    ("name", "place", "sizes"),
    [
        ("torus", 0, {**ring("x", 8), "slot": 2}),
        ("torus", 1, {**ring("x", 4), **ring("y", 5), "slot": 1}),
        ("hyperx", 1, {"x": 4, "y": 5, "slot": 3}),
        ("hyperx", 2, {"x": 3, "y": 4, "z": 3, "leaf-z": 2, "slot": 3}),
        ("dragonfly-plus", 0, {"group": 9, "leaf": 4, "spine": 4, "global": 2, "slot": 4}),
    ],
)
def test_where_links_are_alike_the_ratio_is_exact(name: str, place: int, sizes: dict[str, int]) -> None:
    """On tori, HyperX and dragonfly+ the busiest link carries what the ratio says."""
    plan = full(name, place, sizes)
    assert max(max(found) for found in loads(plan).values()) == pytest.approx(ratio(plan))


def test_a_dragonfly_s_ratio_is_that_of_its_published_paths() -> None:
    """On paths of a local, a global and a local link the busier kind of link carries on average what the ratio says."""
    plan = full("dragonfly", 0, {"group": 9, "router": 4, "global": 2, "slot": 2})
    graph, leaves, _ = graph_of_switches(plan)
    every = {(source, target) for source in leaves for target in leaves if source != target}
    passed, paths = Counter[str](), list(local_global_local(graph, every))
    assert len(paths) == len(every)
    for path in paths:
        passed.update(bundle for *_, bundle in path)
    links = {bundle.name: 2 * plan.links(bundle) for bundle in plan.topology.fabric_bundles}
    means = {name: number * 2**2 / plan.servers / links[name] for name, number in passed.items()}
    assert max(means.values()) == pytest.approx(ratio(plan), rel=0.06)


UNEVEN = [(5, 4, 2), (6, 4, 2), (7, 4, 2), (8, 4, 2), (6, 4, 3), (12, 6, 3), (17, 6, 3), (18, 6, 3), (11, 6, 5)]
"""Groups, routers and global links, of which some don't go up evenly over the other groups."""


@pytest.mark.parametrize(("groups", "routers", "far"), UNEVEN)
@pytest.mark.parametrize(("name", "routed"), [("dragonfly", "router"), ("dragonfly-plus", "spine")])
def test_a_dragonfly_s_busiest_link_is_within_a_sixteenth(
    name: str, routed: str, groups: int, routers: int, far: int
) -> None:
    """No link carries more than a sixteenth over the ratio, which two groups with the fewest links come up to."""
    leaf = {} if routed == "router" else {"leaf": routers}
    plan = full(name, 0, {"group": groups, routed: routers, "global": far, "slot": routers // 2, **leaf})
    found, most = loads(plan), 17 / 16 * ratio(plan)
    assert max(max(each) for each in found.values()) <= most * (1 + 1e-9)
    least = routers * far // (groups - 1)
    between = routers * (routers // 2) * routers / (groups * routers)
    far_loads = next(each for bundle, each in found.items() if bundle.endswith("global"))
    assert max(far_loads) == pytest.approx(between / least)


@pytest.mark.parametrize(("degree", "slot", "switches"), [(32, 4, 40), (36, 3, 44)])
def test_a_random_graph_s_ratio_is_that_of_its_mean_link(degree: int, slot: int, switches: int) -> None:
    """A Jellyfish of diameter two uses as many links on average as the bound for its degree."""
    plan = full("jellyfish", 0, {"switch": switches, "degree": degree, "slot": slot})
    (found,) = loads(plan).values()
    assert sum(found) / len(found) == pytest.approx(ratio(plan))


@pytest.mark.parametrize(("q", "degree", "near"), [(5, 7, 2), (7, 11, 4), (8, 12, 4)])
def test_a_slim_fly_balanced_as_published_is_near_even(q: int, degree: int, near: int) -> None:
    """With half its degree of NICs, rounded up, a Slim Fly's mean link carries line rate within 6 %."""
    plan = full("slim-fly", 0, {"q": q, "column": q, "row": q, "degree": degree, "near": near, "slot": -(-degree // 2)})
    found = [load for each in loads(plan).values() for load in each]
    assert ratio(plan) <= 1
    assert sum(found) / len(found) == pytest.approx(1.0, abs=0.06)
