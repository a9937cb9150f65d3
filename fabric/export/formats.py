"""The formats of `fabric export`: those of views, with the limit on the nodes of a picture, and those of plans."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge
from fabric.export.dot import write_dot
from fabric.export.drawio import write_drawio
from fabric.export.file_format import FileFormat, Witness
from fabric.export.graphs import write_graphml, write_node_link
from fabric.export.plan import Pieces, Plan, PlanFormat
from fabric.export.plan_formats import PLAN_FORMATS
from fabric.registry import Registry
from fabric.resources import Work, refuse_excess
from fabric.units import count
from fabric.view import READABLE, View, levels_of, node_count, readable_level, view_of

__all__ = [
    "FORMATS",
    "Format",
    "format_by_suffix",
    "list_plan_files",
    "takes_part",
    "takes_view",
    "view_for",
    "write_view_text",
]

SECONDS_PER_ROW = 5.5e-6
"""What a device or a link takes to write as text, GraphML or node-link alike (`benchmarks/resources.py`)."""


@dataclass(frozen=True)
class Format(FileFormat):
    """A file format for views; another package adds one under the entry-point group `fabric.formats`."""

    write: Callable[[View], Iterator[str]]
    """Yields the text of a view, piece by piece."""
    picture: bool = False
    """Whether people look at it, so that it shows at most `READABLE` nodes."""


FORMATS = Registry(
    "format",
    "formats",
    FileFormat,
    lambda: (
        Format(
            "graphml",
            (".graphml",),
            "networkx, Gephi, yEd, igraph",
            "all attributes, typed",
            write_graphml,
            witness=Witness("run", "networkx 3"),
        ),
        Format(
            "dot",
            (".dot", ".gv"),
            "Graphviz",
            "all attributes, labels, colours and positions",
            write_dot,
            picture=True,
            witness=Witness("run", "Graphviz 2.42"),
        ),
        Format(
            "drawio",
            (".drawio",),
            "draw.io (diagrams.net)",
            "all attributes, labels, colours, positions and layers",
            write_drawio,
            picture=True,
            witness=Witness("grammar", "the documented cells of mxGraph files"),
        ),
        Format(
            "node-link",
            (".json",),
            "networkx, D3",
            "all attributes",
            write_node_link,
            witness=Witness("run", "networkx 3"),
        ),
        *PLAN_FORMATS,
    ),
)
"""The formats by name."""


def format_by_suffix(file: str | os.PathLike[str]) -> FileFormat:
    """Return the format of a file's suffix; raises InputError for a suffix of no format."""
    suffix = Path(file).suffix.lower()
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    known = ", ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise InputError(
        f"{os.fspath(file)!r:.200}: no format has the suffix '{suffix}'; known: {known};"
        " for other files name a format of `fabric list formats`; `fabric diagram` draws pictures"
    )


def takes_view(name: str) -> bool:
    """Return whether the format called `name` is written from a view; raises InputError for an unknown one."""
    return isinstance(FORMATS.get_record(name), Format)


def takes_part(name: str) -> bool:
    """Return whether the format called `name` can be written of a pod or unit of a plan."""
    found = FORMATS.get_record(name)
    return isinstance(found, PlanFormat) and found.parts


F = TypeVar("F", bound=FileFormat)


def _take_format(name: str, kind: type[F]) -> F:
    """Return the format called `name`; raises InputError for an unknown one, and for one of the other kind."""
    found = FORMATS.get_record(name)
    if isinstance(found, kind):
        return found
    source, other = ("a view", "the whole plan") if kind is Format else ("the whole plan", "a view")
    raise InputError(f"format '{name}' is written from {other} of a fabric, not from {source}")


def list_plan_files(plan: Plan, format_name: str) -> list[tuple[str, Pieces]]:
    """Return the files of a plan in a format: the name of each, relative and with `/`, and its pieces.

    Raises InputError for an unknown format, one of views, and one that can't express the plan, and TooLarge where
    writing every device and link takes longer than a run may.
    """
    format_ = _take_format(format_name, PlanFormat)
    if plan.part and not format_.parts:
        raise InputError(f"format '{format_name}' is written of a whole fabric, not of {plan.part.title}")
    format_.fits(plan)
    rows = _count_rows(plan.blueprint)
    subject = f"{plan.name}: {count(rows)} devices and links as {format_.name}"
    work = Work(rows * format_.row.memory_bytes, rows * format_.row.seconds)
    refuse_excess(subject, work, "export a part of it, as a request of its own")
    files = list(format_.files(plan))
    names = [name for name, _ in files]
    if bad := [name for name in names if not _is_relative(name)]:
        raise InputError(f"format '{format_.name}': {bad[0]!r:.80} is no name of a file in a folder")
    if len({name.lower() for name in names}) < len(names):
        raise InputError(f"format '{format_.name}': two of its files have one name")
    if not files:
        raise InputError(f"format '{format_.name}' has no file for {plan.name}")
    return files


def _is_relative(name: str) -> bool:
    """Return whether a name is that of a file inside a folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and str(path) == name


def view_for(
    blueprint: Blueprint, format_name: str, level: str | None = None, *, pod: int | None = None, unit: int | None = None
) -> View:
    """Return the view to write in a format: of the unit or pod that is numbered, else the finest that can be read.

    Raises InputError for an unknown format or a missing place, and TooLarge for a picture of more nodes than can be
    read, with the level that can be.
    """
    format_ = _take_format(format_name, Format)
    numbered = "unit" if unit is not None else "pod" if pod is not None else None
    chosen, place = level or numbered or readable_level(blueprint), {"pod": pod or 0, "unit": unit or 0}
    if format_.picture and (nodes := node_count(blueprint, chosen, **place)) > READABLE:
        raise TooLarge(_describe_excess(blueprint, format_, chosen, nodes))
    if chosen == "device":
        _refuse_long_text(blueprint)
    return view_of(blueprint, chosen, **place)


def _refuse_long_text(blueprint: Blueprint) -> None:
    """Raise TooLarge where writing every device and every link takes more time than a run may."""
    rows = _count_rows(blueprint)
    subject = f"{blueprint.name}: {count(rows)} devices and links as text"
    coarser = ", ".join(levels_of(blueprint)[:-1])
    refuse_excess(subject, Work(0, rows * SECONDS_PER_ROW), f"choose a coarser level: {coarser}")


def _count_rows(blueprint: Blueprint) -> int:
    """Return the devices and links of a fabric."""
    return blueprint.servers + blueprint.switches + blueprint.links_total


def write_view_text(view: View, format_name: str) -> Iterator[str]:
    """Return the pieces of the view's text in a format; raises InputError and TooLarge as `view_for` does."""
    format_ = _take_format(format_name, Format)
    if format_.picture and len(view) > READABLE:
        raise TooLarge(
            f"{view.title}: {count(len(view))} nodes are too many for a picture ({format_.name}), at most"
            f" {count(READABLE)}"
        )
    return format_.write(view)


def _describe_excess(blueprint: Blueprint, format_: Format, level: str, nodes: int) -> str:
    unlimited = [other.name for other in FORMATS.values() if isinstance(other, Format) and not other.picture]
    return (
        f"{blueprint.name}: {count(nodes)} nodes at level {level} are too many for a picture ({format_.name}), at most"
        f" {count(READABLE)}; use level {readable_level(blueprint)}, or a format without a limit:"
        f" {', '.join(unlimited)}"
    )
