"""The attributes that every format of a view has, by the same names, and text that any of them can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby

from fabric.topology.topology import title
from fabric.units import count, rate
from fabric.view import Edge, Node, View

__all__ = ["INK", "TYPES", "Attributes", "edge_words", "fill", "labels", "of_edge", "of_node", "of_view", "plain"]

Attributes = Mapping[str, str | int | float]

TYPES: Mapping[str, str] = {
    "role": "string", "multiplicity": "long", "model": "string", "x": "double", "y": "double",
    "bundle": "string", "links": "long", "pairs": "long", "rate_gbps": "long",
    "name": "string", "level": "string", "pod": "long", "unit": "long",
}  # fmt: skip
"""Every attribute of nodes, edges and the whole, with its type in GraphML."""

FILLS, INK = ("#FFFFFF", "#CFE3F1", "#FBE3BC", "#C5E8DC", "#EFD6E4"), "#1F2933"
"""The fill of each role, from the servers up, all under the same ink."""

LABELLED, LINE = 12, 18
"""The most edges that are labelled, and the letters of a line on a node."""

_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML can hold; and the carriage return, which its readers turn into a newline."""


def plain(text: str) -> str:
    """Return text without what files of these formats can't hold: control characters become the sign for unknown."""
    return _FORBIDDEN.sub("\ufffd", text)


def of_view(view: View) -> Attributes:
    """Return the attributes of the whole: the fabric's name, the level and the place."""
    return {"name": plain(view.fabric), "level": view.level, **view.place}


def of_node(node: Node) -> Attributes:
    """Return a node's attributes: role, multiplicity, model and where it stands, in steps upward from 0."""
    what = {"role": node.role, "model": plain(node.model)}
    return {**what, "multiplicity": node.multiplicity, "x": round(node.x, 3), "y": round(node.y, 3)}


def fill(view: View, node: Node) -> str:
    """Return the colour of a node, by its role."""
    return FILLS[view.roles.index(node.role) % len(FILLS)]


def of_edge(edge: Edge) -> Attributes:
    """Return an edge's attributes: bundle, links in all, pairs of devices that they join, the rate of one link."""
    return {"bundle": edge.bundle, "links": edge.links, "pairs": edge.pairs, "rate_gbps": edge.rate_gbps}


def labels(view: View) -> list[str]:
    """Return what to write on each node of a picture: role and multiplicity, then the coordinates that tell it apart.

    Lines are parted by newlines. An axis on which all nodes of a role agree is left out, and said by the title.
    """
    digits = [_digits(name) for name in view.names]
    roles = [view.roles[place] for place in view.role.tolist()]
    seen = {(role, axis, value) for role, found in zip(roles, digits, strict=True) for axis, value in found}
    several = {key for key, same in groupby(sorted(seen), lambda item: item[:2]) if len(list(same)) > 1}
    lines = []
    for role, found, number in zip(roles, digits, view.multiplicity.tolist(), strict=True):
        head = title(role) if number == 1 else f"{title(role)} × {count(number)}"
        words = [f"{title(axis)} {value}" for axis, value in found if (role, axis) in several]
        alone = number == 1 and [word.partition(" ")[0] for word in words] == [title(role)]
        lines.append("\n".join([*([] if alone else [head]), *_paired(words)]))
    return lines


def _digits(name: str) -> list[tuple[str, str]]:
    """Return the coordinates that a node's name says; `group!=3` is any group but 3."""
    words = name.partition("[")[2].rstrip("]").replace("!=", "=not ").split(",")
    return [(axis, value) for axis, equals, value in (word.partition("=") for word in words) if equals]


def _paired(words: list[str]) -> list[str]:
    """Return words in lines, two short ones to a line."""
    lines: list[str] = []
    for word in words:
        if lines and "," not in lines[-1] and len(lines[-1]) + len(word) <= LINE - 2:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def edge_words(view: View, edge: Edge) -> str:
    """Return what to write on an edge, where there are not too many: its links, those of each pair, and their rate."""
    if view.edge_count > LABELLED:
        return ""
    each = f"{edge.links_per_pair:.4g} a pair, " if edge.pairs > 1 else ""
    return f"{count(edge.links)} link{'s'[: edge.links > 1]}\n{each}{rate(edge.rate_gbps)}"
