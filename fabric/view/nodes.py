"""Aggregated nodes of equal devices, their names and models, and the axes on which a group is split into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Devices, axis_label
from fabric.topology.topology import Group

__all__ = [
    "ABOVE", "AROUND", "INSIDE", "AggregatedNode", "Edges", "Rows", "combinations", "device_names", "kept_axes",
    "model_name", "node_name", "sum_edges",
]  # fmt: skip

INSIDE, ABOVE, AROUND = 128, 16, 128
"""The most nodes that a group is split into: inside the pod or unit of a view, above it, and in other pods."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AggregatedNode:
    """Devices of one group that agree on some axes, shown as one node."""

    group: Group
    """The group of the devices."""
    fixed: Mapping[str, int]
    """The axes on which the devices agree, with their values."""
    multiplicity: int
    """The number of devices."""
    inside: bool = True
    """Whether they belong to the pod or unit that the view shows."""
    others: str | None = None
    """An axis on which they have any value except that of the view."""


@dataclass(frozen=True)
class Edges:
    """The columns of a view's edges, arrays of shape (edges,) (see `View`)."""

    lower: Rows
    """The row of the lower node."""
    upper: Rows
    """The row of the upper node."""
    bundle: Rows
    """The number of the bundle."""
    links: Rows
    """The links in total."""
    pairs: Rows
    """The pairs of devices that they join."""


def sum_edges(lower: Rows, upper: Rows, links: Rows, pairs: Rows, nodes: int) -> tuple[Rows, Rows, Rows, Rows]:
    """Return each pair of nodes once, with the sums of its links and of its pairs of devices; all shape (edges,)."""
    keys, edge = np.unique(lower * nodes + upper, return_inverse=True)
    links, pairs = (np.bincount(edge, column, len(keys)).astype(np.int64) for column in (links, pairs))
    return keys // nodes, keys % nodes, links, pairs


def kept_axes(axes: Sequence[str], sizes: Mapping[str, int], most: int) -> tuple[str, ...]:
    """Return the first axes, as many as split a group into at most `most` nodes."""
    kept, number = list[str](), 1
    for axis in axes:
        number *= sizes[axis]
        if number > most:
            break
        kept.append(axis)
    return tuple(kept)


def combinations(axes: Sequence[str], sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield every combination of the axes' values, the last fastest."""
    for values in product(*(range(sizes[axis]) for axis in axes)):
        yield dict(zip(axes, values, strict=True))


def node_name(node: AggregatedNode, axes: Sequence[str], value: int = 0) -> str:
    """Return the name of a node: of one device its own, with every axis, else the values its devices have in common.

    `axes` are the group's in the order of the network's names; `value` is the one that the axis `others` excludes.
    """
    alone = node.multiplicity == 1 and node.others is None
    parts = [f"{axis_label(axis)}={node.fixed.get(axis, 0)}" for axis in (axes if alone else node.fixed)]
    parts += [f"{node.others}!={value}"] if node.others else []
    return f"{node.group.role}[{','.join(parts)}]" if parts or alone else node.group.role


def device_names(group: Devices) -> Iterator[str]:
    """Yield the names of all devices of a group, as `Devices.name` gives them, in order."""
    if not group.shape:
        return iter([f"{group.role}[]"])
    text = f"{group.role}[{','.join(f'{axis_label(axis)}={{}}' for axis in group.axes)}]".format
    return map(text, *(column.tolist() for column in group.coordinates().values()))


def model_name(blueprint: Blueprint, role: str, row: int | None = None) -> str:
    """Return the model of the device in a row of its group; without a row, the models of the group."""
    if server := blueprint.servers_by_role.get(role):
        return server.name
    pairs = blueprint.model_counts(role)
    if row is None or len(pairs) == 1:
        return " + ".join(model.name for model, _ in pairs)
    ends = np.cumsum([count for _, count in pairs])
    return pairs[min(int(np.searchsorted(ends, row, side="right")), len(pairs) - 1)][0].name
