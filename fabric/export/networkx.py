"""The network, or a view of a fabric, as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.errors import TooLarge
from fabric.export.attributes import edge_attributes, node_attributes, view_attributes
from fabric.network import Network
from fabric.units import count
from fabric.view import View

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["GRAPH_LINKS", "to_networkx"]

GRAPH_LINKS = 5_000_000
"""The most links turned into a graph: networkx takes about half a kilobyte for each, so some 2.5 GB."""


def to_networkx(network: Network | View) -> nx.MultiGraph:
    """Return the network as a multigraph: a node per device, an edge per link, named as by `Network.name`.

    Nodes carry `role`; edges carry `bundle`, `rate_gbps` and each end's port, `lower_port` and `upper_port`. A view
    gives its nodes and edges with the attributes of its files, the bundle as the key of an edge. Raises TooLarge above
    GRAPH_LINKS.
    """
    return _of_view(network) if isinstance(network, View) else _of_network(network)


def _refuse_too_large(links: int) -> None:
    if links > GRAPH_LINKS:
        raise TooLarge(f"{count(links)} links are too many for a graph (at most {count(GRAPH_LINKS)}); use the columns")


def _of_view(view: View) -> nx.MultiGraph:
    import networkx as nx

    _refuse_too_large(view.edge_count)
    graph = nx.MultiGraph(**view_attributes(view))
    graph.add_nodes_from((node.name, node_attributes(node)) for node in view.nodes())
    graph.add_edges_from((edge.lower, edge.upper, edge.bundle, edge_attributes(edge)) for edge in view.edges())
    return graph


def _of_network(network: Network) -> nx.MultiGraph:
    import networkx as nx

    _refuse_too_large(network.links)
    graph = nx.MultiGraph()
    names = [network.name(row) for row in range(network.devices)]
    for group in network.groups:
        graph.add_nodes_from(names[group.first : group.first + group.count], role=group.role)
    columns = (network.lower, network.upper, network.bundle, network.lower_port, network.upper_port)
    for lower, upper, bundle, lower_port, upper_port in zip(*(column.tolist() for column in columns), strict=True):
        graph.add_edge(
            names[lower],
            names[upper],
            bundle=network.bundles[bundle],
            rate_gbps=network.bundle_gbps[bundle],
            lower_port=lower_port,
            upper_port=upper_port,
        )
    return graph
