"""A view of a fabric at a level of detail, as columns: nodes, which are one or several equal devices, and edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.frozen_columns import FrozenColumns
from fabric.presented import Presented
from fabric.view.levels import LEVELS

__all__ = ["Edge", "Node", "View"]


@dataclass(frozen=True)
class Node:
    """A device, or `multiplicity` devices of one role, with its position."""

    name: str
    """Its name, which gives the coordinates of its devices."""
    role: str
    """The role of its devices."""
    multiplicity: int
    """The number of its devices."""
    model: str
    """The model of its devices."""
    x: float
    """Its position to the right."""
    y: float
    """Its position upward."""


@dataclass(frozen=True)
class Edge:
    """The links of one bundle between two nodes, which may be the same."""

    lower: str
    """The name of the node nearer to the servers."""
    upper: str
    """The name of the other node."""
    bundle: str
    """The bundle of its links."""
    links: int
    """The links in total."""
    pairs: int
    """The pairs of devices that they join."""
    rate_gbps: int
    """The rate of one link, one direction."""

    @property
    def links_per_pair(self) -> float:
        """The links of one pair of joined devices, on average: a whole number wherever all pairs have equally many."""
        each = self.links / self.pairs
        return int(each) if each.is_integer() else each


@dataclass(frozen=True, eq=False, repr=False)
class View(FrozenColumns, Presented):
    """Nodes and edges as columns, a row each, read-only; the servers first, and edges bundle by bundle."""

    fabric: str
    """The name of the fabric."""
    level: str
    """The level of detail, one of `LEVELS`."""
    place: Mapping[str, int]
    """The numbers of the pod and unit shown: `{"pod": 0, "unit": 3}`; empty for the whole fabric."""
    bundle_gbps: tuple[int, ...]
    """The rate of one link of each bundle, one direction."""
    roles: tuple[str, ...]
    """The roles, from the servers up."""
    bundles: tuple[str, ...]
    """The bundles, from the servers up."""
    names: tuple[str, ...]
    """The names of the nodes."""
    models: tuple[str, ...]
    """The models of their devices."""
    role: npt.NDArray[np.uint8]
    """The role of each node, an index of `roles`, shape (nodes,)."""
    multiplicity: npt.NDArray[np.int64]
    """The devices of each node, shape (nodes,)."""
    x: npt.NDArray[np.float64]
    """The positions to the right, shape (nodes,); no two nodes are closer than 1."""
    y: npt.NDArray[np.float64]
    """The positions upward from 0, shape (nodes,)."""
    lower: npt.NDArray[np.int32]
    """The lower node of each edge, by row, shape (edges,)."""
    upper: npt.NDArray[np.int32]
    """The upper node of each edge, by row, shape (edges,)."""
    bundle: npt.NDArray[np.uint8]
    """The bundle of each edge, an index of `bundles`, shape (edges,)."""
    links: npt.NDArray[np.int64]
    """The links of each edge in total, shape (edges,)."""
    pairs: npt.NDArray[np.int64]
    """The pairs of devices that they join, shape (edges,)."""

    def __repr__(self) -> str:
        nodes, edges = units.count_noun(len(self), "node"), units.count_noun(self.edge_count, "edge")
        return f"<View {self.title}: {nodes}, {edges}>"

    def __len__(self) -> int:
        return len(self.names)

    @property
    def edge_count(self) -> int:
        return len(self.lower)

    @property
    def title(self) -> str:
        """The view in words: `my-cluster, unit 3 of pod 0`."""
        words = " of ".join(f"{part} {number}" for part, number in reversed([*self.place.items()]))
        return f"{self.fabric}, {words or LEVELS[self.level].title}"

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes in order."""
        columns = (self.role, self.multiplicity, self.x, self.y)
        for name, model, role, number, x, y in zip(
            self.names, self.models, *(column.tolist() for column in columns), strict=True
        ):
            yield Node(name, self.roles[role], number, model, x, y)

    def edges(self) -> Iterator[Edge]:
        """Yield the edges in order."""
        columns = (self.lower, self.upper, self.bundle, self.links, self.pairs)
        for lower, upper, bundle, links, pairs in zip(*(column.tolist() for column in columns), strict=True):
            ends = self.names[lower], self.names[upper]
            yield Edge(*ends, self.bundles[bundle], links, pairs, self.bundle_gbps[bundle])
