"""Networks and views as graphs of igraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.errors import MissingLibrary
from fabric.export.columns import Source, columns_of, refuse_too_large, values_of
from fabric.view import View

if TYPE_CHECKING:
    from igraph import Graph

__all__ = ["to_igraph"]


def to_igraph(source: Source | View, *, nics: bool = False) -> Graph:
    """Return a study, a blueprint, a network or a view as an undirected graph of igraph, parallel links as edges.

    Vertices and edges have the columns of `fabric.to_pandas` as attributes, and the graph has its `attrs`; the ends of
    an edge are its vertices. `nics` is as there. Raises MissingLibrary without igraph, and TooLarge above GRAPH_LINKS.
    """
    try:
        import igraph
    except ImportError:
        raise MissingLibrary.of("igraph", "frames") from None
    found = columns_of(source, nics=nics)
    refuse_too_large(len(found.ends))
    vertices = {key: values_of(column) for key, column in found.devices.items()}
    edges = {key: values_of(column) for key, column in found.links.items() if key not in ("lower", "upper")}
    return igraph.Graph(
        len(vertices["name"]), found.ends, graph_attrs=dict(found.attributes), vertex_attrs=vertices, edge_attrs=edges
    )
