"""A view as a graph for programs: GraphML and node-link JSON, written piece by piece, however large it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from fabric.export.attributes import TYPES, Attributes, edge_attributes, node_attributes, view_attributes
from fabric.view import View

__all__ = ["write_graphml", "write_node_link"]

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
PARTS: Mapping[str, tuple[str, ...]] = {
    "graph": ("name", "level", "pod", "unit"),
    "node": ("role", "multiplicity", "model", "x", "y"),
    "edge": ("bundle", "links", "pairs", "rate_gbps"),
}


def write_graphml(view: View) -> Iterator[str]:
    """Yield the view as GraphML (U. Brandes et al. 2002, doi 10.1007/3-540-45848-4_59)."""
    yield HEAD
    for part, names in PARTS.items():
        for name in names:
            yield f'  <key id="{part}.{name}" for="{part}" attr.name="{name}" attr.type="{TYPES[name]}"/>\n'
    yield '  <graph edgedefault="undirected">\n'
    yield f"{_data_elements('graph', view_attributes(view))}\n"
    for node in view.nodes():
        yield f"    <node id={quoteattr(node.name)}>{_data_elements('node', node_attributes(node))}</node>\n"
    for number, edge in enumerate(view.edges()):
        ends = f'id="{number}" source={quoteattr(edge.lower)} target={quoteattr(edge.upper)}'
        yield f"    <edge {ends}>{_data_elements('edge', edge_attributes(edge))}</edge>\n"
    yield "  </graph>\n</graphml>\n"


def _data_elements(part: str, attributes: Attributes) -> str:
    return "".join(f'<data key="{part}.{key}">{escape(str(value))}</data>' for key, value in attributes.items())


def write_node_link(view: View) -> Iterator[str]:
    """Yield the view as node-link JSON, as networkx reads it: edges under `edges`, each with its bundle as its key."""
    head = {"directed": False, "multigraph": True, "graph": view_attributes(view)}
    yield _json_text(head)[:-1] + ', "nodes": [\n'
    yield from _join_items(_json_text({"id": node.name, **node_attributes(node)}) for node in view.nodes())
    yield '], "edges": [\n'
    ends = (
        {"source": edge.lower, "target": edge.upper, "key": edge.bundle, **edge_attributes(edge)}
        for edge in view.edges()
    )
    yield from _join_items(map(_json_text, ends))
    yield "]}\n"


def _json_text(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _join_items(lines: Iterator[str]) -> Iterator[str]:
    """Yield items with commas between them."""
    before = ""
    for line in lines:
        yield f"{before}{line}"
        before = ",\n"
    yield "\n"
