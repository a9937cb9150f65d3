"""The attributes of a view, under the same names in every format, and text that any format can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby

from fabric.topology.topology import title
from fabric.units import count, count_noun, rate
from fabric.view import Edge, Node, View

__all__ = [
    "INK",
    "TYPES",
    "Attributes",
    "edge_attributes",
    "edge_label",
    "node_attributes",
    "node_fill",
    "node_labels",
    "printable",
    "view_attributes",
]

Attributes = Mapping[str, str | int | float]

TYPES: Mapping[str, str] = {
    "role": "string", "multiplicity": "long", "model": "string", "x": "double", "y": "double",
    "bundle": "string", "links": "long", "pairs": "long", "rate_gbps": "long",
    "name": "string", "level": "string", "pod": "long", "unit": "long",
}  # fmt: skip
"""Every attribute of nodes, edges and the whole view, with its type in GraphML."""

FILLS, INK = ("#FFFFFF", "#CFE3F1", "#FBE3BC", "#C5E8DC", "#EFD6E4"), "#1F2933"
"""The fill of each role, from the servers up, and the colour of all text."""

LABELLED, LINE = 12, 18
"""The most edges that are labelled, and the characters of a line on a node."""

_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, and the carriage return, which its readers turn into a newline."""


def printable(text: str) -> str:
    """Return text that files of every format can hold: control characters become the replacement character."""
    return _FORBIDDEN.sub("\ufffd", text)


def view_attributes(view: View) -> Attributes:
    """Return the attributes of the whole view: the fabric's name, the level and the numbers of its pod and unit."""
    return {"name": printable(view.fabric), "level": view.level, **view.place}


def node_attributes(node: Node) -> Attributes:
    """Return a node's attributes: role, model, multiplicity and position, upward from 0."""
    what = {"role": node.role, "model": printable(node.model)}
    return {**what, "multiplicity": node.multiplicity, "x": round(node.x, 3), "y": round(node.y, 3)}


def node_fill(view: View, node: Node) -> str:
    """Return the colour of a node, by its role."""
    return FILLS[view.roles.index(node.role) % len(FILLS)]


def edge_attributes(edge: Edge) -> Attributes:
    """Return an edge's attributes: bundle, total links, pairs of devices that they join, the rate of one link."""
    return {"bundle": edge.bundle, "links": edge.links, "pairs": edge.pairs, "rate_gbps": edge.rate_gbps}


def node_labels(view: View) -> list[str]:
    """Return the label of each node of a picture: role and multiplicity, then the coordinates that distinguish it.

    Newlines separate lines. An axis on which all nodes of a role agree is left out; the title gives it.
    """
    digits = [_coordinates(name) for name in view.names]
    roles = [view.roles[index] for index in view.role.tolist()]
    coordinates = {(role, axis, value) for role, found in zip(roles, digits, strict=True) for axis, value in found}
    several = {key for key, same in groupby(sorted(coordinates), lambda item: item[:2]) if len(list(same)) > 1}
    lines = []
    for role, found, number in zip(roles, digits, view.multiplicity.tolist(), strict=True):
        head = title(role) if number == 1 else f"{title(role)} × {count(number)}"
        words = [f"{title(axis)} {value}" for axis, value in found if (role, axis) in several]
        alone = number == 1 and [word.partition(" ")[0] for word in words] == [title(role)]
        lines.append("\n".join([*([] if alone else [head]), *_pair_up(words)]))
    return lines


def _coordinates(name: str) -> list[tuple[str, str]]:
    """Return the coordinates in a node's name; `group!=3` is any group but 3."""
    words = name.partition("[")[2].rstrip("]").replace("!=", "=not ").split(",")
    return [(axis, value) for axis, equals, value in (word.partition("=") for word in words) if equals]


def _pair_up(words: list[str]) -> list[str]:
    """Return words in lines, two short words to a line."""
    lines: list[str] = []
    for word in words:
        if lines and "," not in lines[-1] and len(lines[-1]) + len(word) <= LINE - 2:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def edge_label(view: View, edge: Edge) -> str:
    """Return the label of an edge: its links, the links of each pair, and their rate; empty where edges are many."""
    if view.edge_count > LABELLED:
        return ""
    each = f"{edge.links_per_pair:.4g} per pair, " if edge.pairs > 1 else ""
    return f"{count_noun(edge.links, 'link')}\n{each}{rate(edge.rate_gbps)}"
