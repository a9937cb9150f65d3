"""A view as a Graphviz graph with fixed positions: `dot -Tsvg` draws it as it is laid out."""

from __future__ import annotations

from collections.abc import Iterator

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

__all__ = ["write_dot"]

STEP_PT, WIDTH_IN, HEIGHT_IN = 112, 1.28, 0.76
"""The distance in points of nodes that are 1 apart, and the size of nodes in inches, whose diagonal is less."""

FONT: Attributes = {"fontname": "Helvetica", "fontsize": 9, "fontcolor": INK}
WHOLE: Attributes = {
    "layout": "neato", "inputscale": 72, "overlap": "true", "splines": "line", "outputorder": "edgesfirst",
    "labelloc": "t", **FONT, "fontsize": 20,
}  # fmt: skip
NODE: Attributes = {
    "shape": "box", "style": "rounded,filled", "color": "#5B7083", "fixedsize": "true", "width": WIDTH_IN,
    "height": HEIGHT_IN,
}  # fmt: skip
EDGE: Attributes = {"color": "#5B708399", "penwidth": 0.7}
BESIDE = "\N{NO-BREAK SPACE}" * 2
"""Spaces that keep a label off its edge."""


def write_dot(view: View) -> Iterator[str]:
    """Yield the view in Graphviz's language: an undirected graph with positions in points, laid out by `neato`.

    Labels are plain text, whatever they contain. With `dot -Kdot` Graphviz makes a layout of its own.
    """
    yield f"graph {_quote(printable(view.fabric))} {{\n"
    whole = {**WHOLE, "label": _label_text(view.title), **_prefix_names(view_attributes(view))}
    yield f"  graph [{_attribute_list(whole)}]\n"
    yield f"  node [{_attribute_list({**NODE, **FONT})}]\n"
    yield f"  edge [{_attribute_list({**EDGE, **FONT})}]\n"
    for node, label in zip(view.nodes(), node_labels(view), strict=True):
        position = {"pos": f"{node.x * STEP_PT:.1f},{node.y * STEP_PT:.1f}!", "label": _label_text(label)}
        filled = {"fillcolor": node_fill(view, node)}
        yield f"  {_quote(node.name)} [{_attribute_list({**position, **filled, **node_attributes(node)})}]\n"
    for edge in view.edges():
        text = edge_label(view, edge)
        shown: Attributes = {"label": _label_text(text.replace("\n", f"{BESIDE}\n") + BESIDE)} if text else {}
        wide: Attributes = {"penwidth": 1.6} if edge.pairs > 1 else {}
        ends = f"{_quote(edge.lower)} -- {_quote(edge.upper)}"
        yield f"  {ends} [{_attribute_list({**shown, **wide, **edge_attributes(edge)})}]\n"
    yield "}\n"


def _prefix_names(attributes: Attributes) -> Attributes:
    """Return the attributes of the whole view under names that Graphviz does not use itself."""
    return {f"fabric_{key}": value for key, value in attributes.items()}


def _attribute_list(attributes: Attributes) -> str:
    return ", ".join(f"{key}={_quote(str(value))}" for key, value in attributes.items())


def _quote(text: str) -> str:
    """Return a string of the language, in which only backslashes and quotes need escaping."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label_text(text: str) -> str:
    """Return text for a label, in which Graphviz would expand entities."""
    return printable(text).replace("&", "&amp;")
