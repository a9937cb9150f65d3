"""Networks and views as multigraphs of networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.export.attributes import edge_attributes, node_attributes, view_attributes
from fabric.export.columns import Source, columns_of, refuse_too_large, values_of
from fabric.view import View

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["to_networkx"]


def to_networkx(source: Source | View, *, nics: bool = False) -> nx.MultiGraph:
    """Return a study, a blueprint or a network as a multigraph: a node per device, by its name, and an edge per link.

    Nodes carry `role`, and those of servers the number `server`; edges carry `bundle`, `rate_gbps` and each end's port,
    `lower_port` and `upper_port`. With `nics` endpoints are NICs instead of servers (see `fabric.nic_network`); the
    graph's attributes say which, and what that means for hops. A view gives its nodes and edges with the attributes of
    its files, the bundle as the key of an edge. Raises TooLarge above GRAPH_LINKS.
    """
    return _of_view(source) if isinstance(source, View) and not nics else _of_network(source, nics)


def _of_view(view: View) -> nx.MultiGraph:
    import networkx as nx

    refuse_too_large(view.edge_count)
    graph = nx.MultiGraph(**view_attributes(view))
    graph.add_nodes_from((node.name, node_attributes(node)) for node in view.nodes())
    graph.add_edges_from((edge.lower, edge.upper, edge.bundle, edge_attributes(edge)) for edge in view.edges())
    return graph


def _of_network(source: Source | View, nics: bool) -> nx.MultiGraph:
    import networkx as nx

    found = columns_of(source, nics=nics)
    refuse_too_large(len(found.ends))
    lower, upper, *others = map(values_of, found.links.values())
    graph = nx.MultiGraph(**found.attributes)
    names, roles, servers = (values_of(found.devices[key]) for key in ("name", "role", "server"))
    graph.add_nodes_from(
        (name, {"role": role} if server is None else {"role": role, "server": server})
        for name, role, server in zip(names, roles, servers, strict=True)
    )
    keys = [*found.links][2:]
    graph.add_edges_from(
        (names[low], names[high], dict(zip(keys, values, strict=True)))
        for low, high, *values in zip(lower, upper, *others, strict=True)
    )
    return graph
