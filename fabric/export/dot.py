"""A view as a graph of Graphviz, every node in its place: `dot -Tsvg` draws it as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.export.attributes import INK, Attributes, edge_words, fill, labels, of_edge, of_node, of_view, plain
from fabric.view import View

__all__ = ["dot"]

STEP_PT, WIDTH_IN, HEIGHT_IN = 112, 1.28, 0.76
"""How far apart nodes are that stand 1 apart, and their size, whose diagonal is less."""

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
"""What keeps a label off the edge that it ends at."""


def dot(view: View) -> Iterator[str]:
    """Yield the view in Graphviz's language: an undirected graph with positions in points, laid out by `neato`.

    Its labels are text, whatever stands in them. With `dot -Kdot` Graphviz makes a layout of its own.
    """
    yield f"graph {_quoted(plain(view.fabric))} {{\n"
    yield f"  graph [{_list({**WHOLE, 'label': _text(view.title), **_prefixed(of_view(view))})}]\n"
    yield f"  node [{_list({**NODE, **FONT})}]\n"
    yield f"  edge [{_list({**EDGE, **FONT})}]\n"
    for node, label in zip(view.nodes(), labels(view), strict=True):
        place = {"pos": f"{node.x * STEP_PT:.1f},{node.y * STEP_PT:.1f}!", "label": _text(label)}
        filled = {"fillcolor": fill(view, node)}
        yield f"  {_quoted(node.name)} [{_list({**place, **filled, **of_node(node)})}]\n"
    for edge in view.edges():
        words = edge_words(view, edge)
        shown: Attributes = {"label": _text(words.replace("\n", f"{BESIDE}\n") + BESIDE)} if words else {}
        wide: Attributes = {"penwidth": 1.6} if edge.pairs > 1 else {}
        ends = f"{_quoted(edge.lower)} -- {_quoted(edge.upper)}"
        yield f"  {ends} [{_list({**shown, **wide, **of_edge(edge)})}]\n"
    yield "}\n"


def _prefixed(attributes: Attributes) -> Attributes:
    """Return the attributes of the whole by names that are none of Graphviz's own."""
    return {f"fabric_{key}": value for key, value in attributes.items()}


def _list(attributes: Attributes) -> str:
    return ", ".join(f"{key}={_quoted(str(value))}" for key, value in attributes.items())


def _quoted(text: str) -> str:
    """Return a string of the language; only a backslash and a quote mean anything in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    """Return text for a label, in which Graphviz reads entities."""
    return plain(text).replace("&", "&amp;")
