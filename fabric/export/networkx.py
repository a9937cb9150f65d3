"""The network as a networkx graph, the interchange view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.errors import TooLarge
from fabric.network import Network
from fabric.units import count

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["GRAPH_LINKS", "to_networkx"]

GRAPH_LINKS = 5_000_000
"""The most links turned into a graph: networkx takes about half a kilobyte for each, so some 2.5 GB."""


def to_networkx(network: Network) -> nx.MultiGraph:
    """Return the network as a multigraph: a node per device, an edge per link, named as `Network.name` names them.

    Nodes carry `role`; edges carry `bundle`, `rate_gbps` and each end's port, `lower_port` and `upper_port`. Raises
    TooLarge above GRAPH_LINKS.
    """
    import networkx as nx

    if network.links > GRAPH_LINKS:
        raise TooLarge(
            f"{count(network.links)} links are too many for a graph (at most {count(GRAPH_LINKS)}); use the columns"
        )
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
