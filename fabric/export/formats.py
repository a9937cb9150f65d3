"""The formats that a view is written in, and what is too much for a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge, nearest
from fabric.export.dot import dot
from fabric.export.drawio import drawio
from fabric.export.graphs import graphml, node_link
from fabric.units import count
from fabric.view import READABLE, View, node_count, readable_level, view_of

__all__ = ["FORMATS", "PICTURES", "SUFFIXES", "format_of", "view_for", "written"]

FORMATS: Mapping[str, Callable[[View], Iterator[str]]] = {
    "graphml": graphml,
    "dot": dot,
    "drawio": drawio,
    "node-link": node_link,
}
PICTURES = ("dot", "drawio")
"""The formats that people look at, of READABLE nodes at the most."""

SUFFIXES: Mapping[str, str] = {
    ".graphml": "graphml", ".dot": "dot", ".gv": "dot", ".drawio": "drawio", ".json": "node-link"
}  # fmt: skip


def format_of(file: str | os.PathLike[str]) -> str:
    """Return the format that a file's suffix says; raises InputError for another."""
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{os.fspath(file)!r:.200}: no format has the suffix '{suffix}'; known: {', '.join(SUFFIXES)};"
            " `fabric diagram` draws pictures"
        )
    return SUFFIXES[suffix]


def view_for(
    blueprint: Blueprint, format_: str, level: str | None = None, *, pod: int | None = None, unit: int | None = None
) -> View:
    """Return the view to be written in a format: of a unit or pod where one is named, else the finest to be read.

    Raises InputError for a format or place that there is not, and TooLarge for a picture of more nodes than can be
    read, with the level that can be.
    """
    _known(format_)
    named = "unit" if unit is not None else "pod" if pod is not None else None
    fine, place = level or named or readable_level(blueprint), {"pod": pod or 0, "unit": unit or 0}
    if format_ in PICTURES and (nodes := node_count(blueprint, fine, **place)) > READABLE:
        raise TooLarge(_too_many(blueprint, format_, fine, nodes))
    return view_of(blueprint, fine, **place)


def written(view: View, format_: str) -> Iterator[str]:
    """Return the pieces of the view's text in a format; raises InputError and TooLarge as `view_for` does."""
    write = FORMATS[_known(format_)]
    if format_ in PICTURES and len(view) > READABLE:
        raise TooLarge(f"{view.title}: {count(len(view))} nodes; a {format_} file is a picture, of {count(READABLE)}")
    return write(view)


def _known(format_: str) -> str:
    if format_ not in FORMATS:
        raise InputError(f"no format '{format_:.40}' of a view{nearest(format_, FORMATS)}")
    return format_


def _too_many(blueprint: Blueprint, format_: str, level: str, nodes: int) -> str:
    return (
        f"{blueprint.name}: {count(nodes)} nodes at level {level} are too many for a picture ({format_}), at most"
        f" {count(READABLE)}; level {readable_level(blueprint)} can be read, and graphml and node-link take any level"
    )
