"""What is seen of a fabric at a level of detail, as columns: devices, stacks of equal devices, and what joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Edge", "Node", "View"]


@dataclass(frozen=True)
class Node:
    """A device, or a stack of `multiplicity` devices of one role, where it stands."""

    name: str
    role: str
    multiplicity: int
    model: str
    x: float
    y: float


@dataclass(frozen=True)
class Edge:
    """The links of one bundle between two nodes, a node and itself perhaps: `links` in all, between `pairs` of devices.

    `rate_gbps` is that of one link, one direction.
    """

    lower: str
    upper: str
    bundle: str
    links: int
    pairs: int
    rate_gbps: int

    @property
    def links_per_pair(self) -> float:
        """The links of one pair of joined devices, in the mean: a whole number wherever all pairs have as many."""
        each = self.links / self.pairs
        return int(each) if each.is_integer() else each


@dataclass(frozen=True, eq=False)
class View:
    """Nodes and edges as columns, a row each, read-only; the servers first, and edges bundle by bundle.

    `level` is one of `fabric`, `pod`, `unit` and `device`, and `place` says which: `{"pod": 0, "unit": 3}`. Columns of
    shape (nodes,): `role` indexes `roles` (from the servers up), `multiplicity` counts the devices, and `x` and `y` say
    where a node stands, upward from 0; no two are closer than 1. Columns of shape (edges,): `lower` and `upper` index
    the nodes, `bundle` indexes `bundles`; `links` in all, and the `pairs` of devices that they join.
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
        words = " of ".join(f"{what} {number}" for what, number in reversed([*self.place.items()]))
        whole = {"fabric": "by groups", "device": "device by device"}
        return f"{self.fabric}, {words or whole[self.level]}"

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
