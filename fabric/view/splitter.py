"""How a fabric is split into the nodes of its views, by the kind of its topology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fabric.blueprint import Blueprint
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm
from fabric.topology.unlike_servers import UnlikeForm
from fabric.view.clos_view import ClosSplitter
from fabric.view.graph_view import GraphSplitter
from fabric.view.nodes import AggregatedNode, Edges
from fabric.view.unlike_view import UnlikeSplitter

__all__ = ["Splitter", "splitter_of"]


class Splitter(Protocol):
    """Splits a fabric into the nodes and edges of its views."""

    def level_axes(self) -> dict[str, tuple[str, ...]]:
        """Return the axes that number pods and units, of those levels that the fabric has."""

    def count_places(self, axes: Sequence[str], outer: Mapping[str, int], /) -> int:
        """Return the places on these axes inside the outer place that `outer` gives."""

    def fills_last(self, level: str, /) -> bool:
        """Say whether the last pod or unit is as full as the others."""

    def split(self, level: str, location: Mapping[str, int]) -> tuple[list[AggregatedNode], Edges]:
        """Return the nodes and edges of a level; `location` gives the place that it shows, or is empty."""

    def split_switches(self) -> tuple[list[AggregatedNode], Edges]:
        """Return the whole fabric switch by switch and its servers unit by unit; raises InputError without units."""


def splitter_of(blueprint: Blueprint) -> Splitter:
    """Return the splitter of a blueprint: the one place of this package that distinguishes the kinds of topology."""
    match blueprint.topology:
        case UnlikeForm() as form:
            return UnlikeSplitter(blueprint, form)
        case ClosForm() as form:
            return ClosSplitter(blueprint, form)
        case GraphForm() as form:
            return GraphSplitter(blueprint, form)
        case other:
            raise TypeError(f"no views of a {type(other).__name__}")
