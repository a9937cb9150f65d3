"""Networks in pandas, Arrow, scipy, igraph and networkx: each counts, measures and cuts them as the tool does."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow, shortest_path

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import bisection_gbps, hops
from fabric.errors import InputError, MissingLibrary, TooLarge
from fabric.flow import router_of
from fabric.testing import random_blueprint
from fabric.topology.families import families
from fabric.topology.topology import Topology

FORMS = [form for family in families().values() for form in family.forms]
EXPORTS = [fabric.to_pandas, fabric.to_arrow, fabric.to_scipy, fabric.to_igraph, fabric.to_networkx]
UNLIKE = [{"server": "hgx-h100", "count": 8}, {"server": "dgx-a100", "count": 4}]


def draw(form: Topology) -> Blueprint:
    """Return a small fabric of random sizes, with the servers between which its hops are counted."""
    plan = random_blueprint(form, Random(f"{form.text} export"))
    servers = plan.topology.hop_servers(plan.sizes)
    return replace(plan, sizes={**plan.sizes, plan.topology.servers_name: servers})


def summarize_distances(distances: Any, plan: Blueprint) -> tuple[int, float]:
    """Return the most and the mean switches between joined NICs of different servers, of distances in links."""
    nics = plan.servers * plan.server.nics
    between = np.asarray(distances, float)[:nics, :nics] - 1
    server = np.arange(nics) // plan.server.nics
    pairs = between[np.isfinite(between) & (server[:, None] != server)]
    return (int(pairs.max()), round(float(pairs.mean()), 9)) if len(pairs) else (0, 0.0)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family} {form.tiers} {len(form.text)}")
def test_other_libraries_find_the_same_hops_and_cuts(form: Topology) -> None:
    """Shortest paths between NICs by scipy, igraph and networkx are the hops, and a maximum flow is the bisection."""
    plan = draw(form)
    expected = hops(plan).max, round(hops(plan).mean, 9)
    matrix, graph = fabric.to_scipy(plan, nics=True), fabric.to_igraph(plan, nics=True)
    nics = plan.servers * plan.server.nics
    assert summarize_distances(shortest_path(matrix, unweighted=True, indices=range(nics)), plan) == expected
    assert summarize_distances(graph.distances(range(nics), range(nics)), plan) == expected
    other = fabric.to_networkx(plan, nics=True)
    names = list(other)
    assert names == graph.vs["name"]
    for source in names[: nics : max(1, nics // 3)]:
        found = nx.single_source_shortest_path_length(other, source)
        theirs = graph.distances(source)[0]
        assert [found.get(name, np.inf) for name in names] == theirs
    least, most = bisection_gbps(plan), bisection_gbps(plan)
    if form.balanced_bundles:
        least = 0
    for found_flow in (flow_by_scipy(plan), flow_by_igraph(plan)):
        assert least <= found_flow <= most


def flow_by_scipy(plan: Blueprint) -> int:
    """Return the greatest flow in Gb/s from the first half of the servers to the second."""
    rates = fabric.to_scipy(plan, weight="gbps")
    servers, devices = plan.servers, rates.shape[0]
    if servers < 2:
        return bisection_gbps(plan)
    joined = np.zeros((devices + 2, devices + 2), np.int32)
    joined[:devices, :devices] = rates.toarray()
    joined[devices, : servers // 2] = 2**30
    joined[servers // 2 : servers, devices + 1] = 2**30
    return int(maximum_flow(csr_array(joined).astype(np.int32), devices, devices + 1).flow_value)


def flow_by_igraph(plan: Blueprint) -> int:
    """Return the same by igraph, on a graph whose servers are endpoints."""
    graph, servers = fabric.to_igraph(plan), plan.servers
    if servers < 2:
        return bisection_gbps(plan)
    rates, devices = graph.es["rate_gbps"], graph.vcount()
    directed = igraph.Graph(devices + 2, directed=True)
    ends = np.array(graph.get_edgelist())
    half = [(devices, server) for server in range(servers // 2)]
    rest = [(server, devices + 1) for server in range(servers // 2, servers)]
    directed.add_edges([*ends.tolist(), *ends[:, ::-1].tolist(), *half, *rest])
    return int(directed.maxflow_value(devices, devices + 1, [*rates, *rates, *[2**30] * servers]))


@pytest.mark.parametrize("name", ["superpod-h100-1su", "unlike", "torus"])
@pytest.mark.parametrize("nics", [False, True])
def test_every_library_has_the_same_devices_and_links(name: str, nics: bool) -> None:
    """Names, roles, ends, rates and ports are the network's in each; NICs say their server, and take its place."""
    study = make(name)
    network = fabric.nic_network(study.blueprint) if nics else study.network
    frames, tables = fabric.to_pandas(study, nics=nics), fabric.to_arrow(study, nics=nics)
    matrix, graph = fabric.to_scipy(study, nics=nics), fabric.to_igraph(study, nics=nics)
    multigraph = fabric.to_networkx(study, nics=nics)
    names = [network.name(row) for row in range(network.devices)]
    assert names == network.names() == frames.devices["name"].tolist() == graph.vs["name"] == list(multigraph)
    assert len(set(names)) == len(names)
    assert tables.devices["name"].to_pylist() == names
    for column in ("lower", "upper", "rate_gbps", "lower_port", "upper_port"):
        values = getattr(network, column).tolist()
        assert frames.links[column].tolist() == tables.links[column].to_pylist() == values
    roles = [network.groups[index].role for index in network.role]
    assert frames.devices["role"].tolist() == tables.devices["role"].to_pylist() == graph.vs["role"] == roles
    assert frames.links["bundle"].value_counts().to_dict() == dict(network.counts())
    assert matrix.sum() == 2 * network.links == 2 * graph.ecount() == 2 * multigraph.number_of_edges()
    assert (matrix != matrix.T).nnz == 0
    assert matrix.sum(axis=0).tolist() == network.degrees().tolist() == graph.degree()
    assert fabric.to_scipy(study, weight="gbps", nics=nics).sum() == 2 * int(network.rate_gbps.sum())
    endpoint = "nic" if nics else "server"
    assert frames.devices.attrs["endpoints"] == frames.links.attrs["endpoints"] == endpoint
    assert graph["endpoints"] == multigraph.graph["endpoints"] == endpoint
    assert tables.links.schema.metadata[b"endpoints"].decode() == endpoint
    assert frames.devices["server"].dropna().unique().tolist() == [*range(study.blueprint.servers)]
    assert [data.get("server") for _, data in multigraph.nodes(data=True)] == graph.vs["server"]


def make(name: str) -> fabric.Study:
    """Return a design: a shipped one, one of unlike servers, or a torus."""
    if name == "unlike":
        return fabric.design({"servers": UNLIKE, "switches": "qm9700"})
    if name == "torus":
        box = {"name": "s64", "ports": 64, "rate_gbps": 400, "price_usd": 20_000}
        server = {"name": "box", "gpus": 4, "nics": 2, "nic_gbps": 400}
        return fabric.design(gpus=64, server=server, family="torus", switches=box, oversubscription=8)
    return fabric.design(name)


@pytest.mark.parametrize("name", ["superpod-h100-1su", "unlike", "torus"])
def test_a_nic_has_the_links_that_flows_use(name: str) -> None:
    """A NIC's links are those by which flows leave it, each of its ports is used once, and the switches are as ever."""
    study = make(name)
    plan, servers, network = study.blueprint, study.network, fabric.nic_network(study.blueprint)
    hosts = router_of(plan).nic_of_links()
    assert network.lower[: len(hosts)].tolist() == hosts.tolist()
    more = network.devices - servers.devices
    assert (network.upper - servers.upper == more).all()
    assert (network.lower[len(hosts) :] - servers.lower[len(hosts) :] == more).all()
    assert network.server_count == plan.nics
    ends = np.stack([network.lower[: len(hosts)], network.lower_port[: len(hosts)]])
    assert np.unique(ends, axis=1).shape == ends.shape
    frame = fabric.to_pandas(network).devices
    assert frame["server"].iloc[: plan.nics].value_counts(sort=False).sum() == plan.nics
    assert network.names()[servers.server_count + more :] == servers.names()[servers.server_count :]


def test_coordinates_are_columns_that_can_be_grouped_by() -> None:
    """The links between two blocks of devices are found by joining ends and coordinates, as in the view of a pod."""
    study = fabric.design("superpod-h100-16su")
    devices, links = fabric.to_pandas(study)
    leaves = links[links["bundle"] == "leaf-spine"].join(devices, on="lower")
    per_pod = leaves.groupby("pod").size()
    assert per_pod.tolist() == [1024] * 4
    assert devices.loc[devices["role"] == "server", "rail"].isna().all()


def test_a_view_is_exported_with_its_nodes_and_edges() -> None:
    """The columns of a view are in each table and graph, under the names of its files."""
    view = fabric.design("colossus-100k").view("fabric")
    frames, graph = fabric.to_pandas(view), fabric.to_igraph(view)
    assert frames.devices["multiplicity"].tolist() == view.multiplicity.tolist() == graph.vs["multiplicity"]
    assert frames.links["links"].tolist() == graph.es["links"] == fabric.to_arrow(view).links["links"].to_pylist()
    assert frames.devices.attrs["name"] == graph["name"] == "colossus-100k"


@pytest.mark.parametrize("export", EXPORTS)
def test_what_has_no_network_is_refused(export: Callable[..., Any]) -> None:
    """A network or a view has no NICs to tell apart, and text has no network."""
    study = fabric.design("superpod-h100-1su")
    for source in (study.network, *([] if export is fabric.to_scipy else [study.view("unit")])):
        with pytest.raises(InputError, match="give the study or the blueprint"):
            export(source, nics=True)
    with pytest.raises(InputError, match="a str has no network"):
        export("colossus-100k")


@pytest.mark.parametrize(
    ("export", "library"),
    [
        (fabric.to_pandas, "pandas"),
        (fabric.to_arrow, "pyarrow"),
        (fabric.to_scipy, "scipy"),
        (fabric.to_igraph, "igraph"),
    ],
)
def test_a_missing_library_is_named_with_how_to_install_it(
    export: Callable[..., Any], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library the message has the line for pip; it is an ImportError, too."""
    real = builtins.__import__

    def refuse(name: str, *words: Any, **more: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(name)
        return real(name, *words, **more)

    study = fabric.design("superpod-h100-1su")
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingLibrary, match=rf"pip install 'fabric-designer\[frames\]' or pip install {library}"):
        export(study)
    assert issubclass(MissingLibrary, ImportError)


def test_what_is_too_large_is_refused_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A matrix beyond the memory and a graph of too many links are refused; another weight is, too."""
    network = fabric.design("superpod-h100-1su").network
    with pytest.raises(InputError, match="write links or gbps"):
        fabric.to_scipy(network, weight="meters")  # type: ignore[arg-type]
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 2**15)
    with pytest.raises(TooLarge, match="512 links as a matrix need about 40 KiB"):
        fabric.to_scipy(network)
    monkeypatch.setattr("fabric.export.columns.GRAPH_LINKS", 500)
    for export in (fabric.to_igraph, fabric.to_networkx):
        with pytest.raises(TooLarge, match="512 links are too many"):
            export(network)
