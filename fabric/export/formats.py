"""The formats that a view is written in, and the limit on the nodes of a picture."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge
from fabric.export.dot import write_dot
from fabric.export.drawio import write_drawio
from fabric.export.graphs import write_graphml, write_node_link
from fabric.registry import Registry
from fabric.resources import Work, refuse_excess
from fabric.units import count
from fabric.view import READABLE, View, levels_of, node_count, readable_level, view_of

__all__ = ["FORMATS", "Format", "format_by_suffix", "view_for", "write_view_text"]

SECONDS_PER_ROW = 5.5e-6
"""What a device or a link takes to write as text, GraphML or node-link alike (`benchmarks/resources.py`)."""

_SUFFIX = re.compile(r"\.[a-z0-9_+-]+")


@dataclass(frozen=True)
class Format:
    """A file format for views; another package adds one under the entry-point group `fabric.formats`."""

    name: str
    """The word by which `--format` asks for it."""
    suffixes: tuple[str, ...]
    """The suffixes of its files, in lower case with the dot, such as `.dot`."""
    readers: str
    """The tools that read it, for people."""
    carries: str
    """What it carries of a view, for people."""
    write: Callable[[View], Iterator[str]]
    """Yields the text of a view, piece by piece."""
    picture: bool = False
    """Whether people look at it, so that it shows at most `READABLE` nodes."""

    def __post_init__(self) -> None:
        words = self.suffixes if isinstance(self.suffixes, tuple) else (None,)
        if not all(isinstance(word, str) and _SUFFIX.fullmatch(word) for word in words):
            raise InputError(
                f"format '{self.name}': the suffixes {self.suffixes!r:.80} are not a tuple of suffixes in lower case"
                " with the dot, such as ('.dot',)"
            )


FORMATS = Registry(
    "format",
    "formats",
    Format,
    lambda: (
        Format("graphml", (".graphml",), "networkx, Gephi, yEd, igraph", "all attributes, typed", write_graphml),
        Format(
            "dot", (".dot", ".gv"), "Graphviz", "all attributes, labels, colours and positions", write_dot, picture=True
        ),
        Format(
            "drawio",
            (".drawio",),
            "draw.io (diagrams.net)",
            "all attributes, labels, colours, positions and layers",
            write_drawio,
            picture=True,
        ),
        Format(
            "node-link",
            (".json",),
            "networkx, D3",
            "all attributes",
            write_node_link,
        ),
    ),
)
"""The formats by name."""


def format_by_suffix(file: str | os.PathLike[str]) -> Format:
    """Return the format of a file's suffix; raises InputError for a suffix of no format."""
    suffix = Path(file).suffix.lower()
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    known = ", ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise InputError(
        f"{os.fspath(file)!r:.200}: no format has the suffix '{suffix}'; known: {known};"
        " `fabric diagram` draws pictures"
    )


def view_for(
    blueprint: Blueprint, format_name: str, level: str | None = None, *, pod: int | None = None, unit: int | None = None
) -> View:
    """Return the view to write in a format: of the unit or pod that is numbered, else the finest that can be read.

    Raises InputError for an unknown format or a missing place, and TooLarge for a picture of more nodes than can be
    read, with the level that can be.
    """
    format_ = FORMATS.get_record(format_name)
    numbered = "unit" if unit is not None else "pod" if pod is not None else None
    chosen, place = level or numbered or readable_level(blueprint), {"pod": pod or 0, "unit": unit or 0}
    if format_.picture and (nodes := node_count(blueprint, chosen, **place)) > READABLE:
        raise TooLarge(_describe_excess(blueprint, format_, chosen, nodes))
    if chosen == "device":
        _refuse_long_text(blueprint)
    return view_of(blueprint, chosen, **place)


def _refuse_long_text(blueprint: Blueprint) -> None:
    """Raise TooLarge where writing every device and every link takes more time than a run may."""
    rows = blueprint.servers + blueprint.switches + blueprint.links_total
    subject = f"{blueprint.name}: {count(rows)} devices and links as text"
    coarser = ", ".join(levels_of(blueprint)[:-1])
    refuse_excess(subject, Work(0, rows * SECONDS_PER_ROW), f"choose a coarser level: {coarser}")


def write_view_text(view: View, format_name: str) -> Iterator[str]:
    """Return the pieces of the view's text in a format; raises InputError and TooLarge as `view_for` does."""
    format_ = FORMATS.get_record(format_name)
    if format_.picture and len(view) > READABLE:
        raise TooLarge(
            f"{view.title}: {count(len(view))} nodes are too many for a picture ({format_.name}), at most"
            f" {count(READABLE)}"
        )
    return format_.write(view)


def _describe_excess(blueprint: Blueprint, format_: Format, level: str, nodes: int) -> str:
    unlimited = [other.name for other in FORMATS.values() if not other.picture]
    return (
        f"{blueprint.name}: {count(nodes)} nodes at level {level} are too many for a picture ({format_.name}), at most"
        f" {count(READABLE)}; use level {readable_level(blueprint)}, or a format without a limit:"
        f" {', '.join(unlimited)}"
    )
