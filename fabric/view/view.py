"""A view of a fabric at a level of detail, as columns: nodes, which are one or several equal devices, and edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.view.levels import LEVELS

__all__ = ["Edge", "Node", "View"]


@dataclass(frozen=True)
class Node:
    """A device, or `multiplicity` devices of one role, with its position."""

    name: str
    role: str
    multiplicity: int
    model: str
    x: float
    y: float


@dataclass(frozen=True)
class Edge:
    """The links of one bundle between two nodes, which may be the same: `links` in total, between `pairs` of devices.

    `rate_gbps` is the rate of one link, one direction.
    """

    lower: str
    upper: str
    bundle: str
    links: int
    pairs: int
    rate_gbps: int

    @property
    def links_per_pair(self) -> float:
        """The links of one pair of joined devices, on average: a whole number wherever all pairs have equally many."""
        each = self.links / self.pairs
        return int(each) if each.is_integer() else each


@dataclass(frozen=True, eq=False)
class View:
    """Nodes and edges as columns, a row each, read-only; the servers first, and edges bundle by bundle.

    `level` is one of `LEVELS`, and `place` numbers the pod or unit: `{"pod": 0, "unit": 3}`. Columns of shape (nodes,):
    `role` indexes `roles` (from the servers up), `multiplicity` counts the devices, and `x` and `y` are the position,
    upward from 0; no two nodes are closer than 1. Columns of shape (edges,): `lower` and `upper` index the nodes,
    `bundle` indexes `bundles`; `links` is the total, and `pairs` the number of device pairs that they join.
    """

    fabric: str
    level: str
    place: Mapping[str, int]
    rate_gbps: int
    roles: tuple[str, ...]
    bundles: tuple[str, ...]
    names: tuple[str, ...]
    models: tuple[str, ...]
    role: npt.NDArray[np.uint8]
    multiplicity: npt.NDArray[np.int64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    lower: npt.NDArray[np.int32]
    upper: npt.NDArray[np.int32]
    bundle: npt.NDArray[np.uint8]
    links: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        columns = (self.role, self.multiplicity, self.x, self.y, self.lower, self.upper, self.bundle)
        for column in (*columns, self.links, self.pairs):
            column.flags.writeable = False

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
            yield Edge(*ends, self.bundles[bundle], links, pairs, self.rate_gbps)
