"""A view as a draw.io (diagrams.net) drawing: every node a shape at its position, its attributes the shape's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from fabric.export.attributes import (
    INK,
    Attributes,
    edge_attributes,
    edge_label,
    node_attributes,
    node_fill,
    node_labels,
    printable,
    view_attributes,
)
from fabric.view import View

__all__ = ["write_drawio"]

STEP, WIDTH, HEIGHT, MARGIN = 140, 118, 68, 60
"""The distance of nodes that are 1 apart, and the size of nodes, whose diagonal is less; and the page margin."""

NODE = (
    f"rounded=1;whiteSpace=wrap;html=0;arcSize=12;fontSize=11;fillColor={{fill}};strokeColor=#5B7083;fontColor={INK};"
)
EDGE = (
    "html=0;endArrow=none;strokeColor=#5B7083;opacity=60;strokeWidth={width};"
    f"fontColor={INK};fontSize=10;labelBackgroundColor=#FFFFFF;"
)
TITLE = (
    "text;html=0;strokeColor=none;fillColor=none;align=left;verticalAlign=middle;fontSize=20;fontStyle=1;"
    f"fontColor={INK};"
)
LAYERS: Mapping[str, str] = {"1": "links", "2": "devices"}
"""The layers by their ids, the lower first: links run below the shapes, whatever their order in the file."""


def write_drawio(view: View) -> Iterator[str]:
    """Yield the view as an uncompressed draw.io file whose labels are plain text, not HTML."""
    file = ElementTree.Element("mxfile", {"host": "fabric"})
    page = ElementTree.SubElement(file, "diagram", {"id": "view", "name": printable(view.title)})
    model = ElementTree.SubElement(page, "mxGraphModel", {"grid": "0", "page": "0", "background": "#FFFFFF"})
    root = ElementTree.SubElement(model, "root")
    ElementTree.SubElement(root, "mxCell", {"id": "0"})
    for layer, name in LAYERS.items():
        ElementTree.SubElement(root, "mxCell", {"id": layer, "value": name, "parent": "0"})
    _add_title(root, view)
    top, names = float(view.y.max()), {name: f"n{number}" for number, name in enumerate(view.names)}
    for node, label in zip(view.nodes(), node_labels(view), strict=True):
        data = {"name": node.name, **node_attributes(node)}
        style = NODE.format(fill=node_fill(view, node))
        cell = _add_object(root, names[node.name], label, data, {"style": style, "vertex": "1", "parent": "2"})
        _add_geometry(cell, MARGIN + STEP * node.x, 2 * MARGIN + STEP * (top - node.y), WIDTH, HEIGHT)
    for number, edge in enumerate(view.edges()):
        ends = {"source": names[edge.lower], "target": names[edge.upper]}
        style = EDGE.format(width=2 if edge.pairs > 1 else 1)
        inner = {"style": style, "edge": "1", "parent": "1", **ends}
        cell = _add_object(root, f"e{number}", edge_label(view, edge), edge_attributes(edge), inner)
        ElementTree.SubElement(cell, "mxGeometry", {"relative": "1", "as": "geometry"})
    ElementTree.indent(file)
    yield ElementTree.tostring(file, encoding="unicode") + "\n"


def _add_title(root: ElementTree.Element, view: View) -> None:
    cell = _add_object(root, "title", view.title, view_attributes(view), {"style": TITLE, "vertex": "1", "parent": "2"})
    _add_geometry(cell, MARGIN, MARGIN / 2, 900, 40)


def _add_object(
    root: ElementTree.Element, id_: str, label: str, data: Attributes, cell: Mapping[str, str]
) -> ElementTree.Element:
    """Add a cell with its data, which draw.io shows under Edit Data."""
    texts = {key: str(value) for key, value in data.items()}
    outer = ElementTree.SubElement(root, "object", {"label": printable(label), **texts, "id": id_})
    return ElementTree.SubElement(outer, "mxCell", dict(cell))


def _add_geometry(cell: ElementTree.Element, x: float, y: float, width: float, height: float) -> None:
    sizes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width}", "height": f"{height}"}
    ElementTree.SubElement(cell, "mxGeometry", {**sizes, "as": "geometry"})
