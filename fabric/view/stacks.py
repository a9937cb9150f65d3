"""Stacks of equal devices, told by the axes on which all of a stack agree, and the axes on which a group is split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Devices
from fabric.topology.topology import Group

__all__ = [
    "ABOVE",
    "AROUND",
    "INSIDE",
    "AggregatedNode",
    "Edges",
    "kept_axes",
    "model_of",
    "named",
    "names_of",
    "splits",
]

INSIDE, ABOVE, AROUND = 128, 16, 128
"""The most nodes that a group is split into: in the place that a view is of, above it, and other places beside it."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AggregatedNode:
    """So many devices of a group that agree on the axes in `fixed`; `inside` the place that a view is of, or not.

    `others` is an axis on which they have any value but that of the view.
    """

    group: Group
    fixed: Mapping[str, int]
    multiplicity: int
    inside: bool = True
    others: str | None = None


@dataclass(frozen=True)
class Edges:
    """Columns of a view's edges, arrays of shape (edges,)."""

    lower: Rows
    upper: Rows
    bundle: Rows
    links: Rows
    pairs: Rows


def kept_axes(axes: Sequence[str], sizes: Mapping[str, int], most: int) -> tuple[str, ...]:
    """Return the first axes, as many as split a group into `most` nodes at the most."""
    kept, number = list[str](), 1
    for axis in axes:
        number *= sizes[axis]
        if number > most:
            break
        kept.append(axis)
    return tuple(kept)


def splits(axes: Sequence[str], sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield every combination of the axes' values, the last fastest."""
    for values in product(*(range(sizes[axis]) for axis in axes)):
        yield dict(zip(axes, values, strict=True))


def named(stack: AggregatedNode, axes: Sequence[str], value: int = 0) -> str:
    """Return the name of a stack: of one device its own, with every axis, else what all its devices have in common.

    `axes` are the group's in the order of the network's names; `value` is that which `others` don't have.
    """
    alone = stack.multiplicity == 1 and stack.others is None
    words = [f"{axis}={stack.fixed.get(axis, 0)}" for axis in (axes if alone else stack.fixed)]
    words += [f"{stack.others}!={value}"] if stack.others else []
    return f"{stack.group.role}[{','.join(words)}]" if words or alone else stack.group.role


def names_of(group: Devices) -> Iterator[str]:
    """Yield the names of all devices of a group, as `Devices.name` gives them, in order."""
    if not group.shape:
        return iter([f"{group.role}[]"])
    values = np.unravel_index(np.arange(group.count), group.shape)
    text = f"{group.role}[{','.join(f'{axis}={{}}' for axis in group.axes)}]".format
    return map(text, *(column.tolist() for column in values))


def model_of(blueprint: Blueprint, role: str, row: int | None = None) -> str:
    """Return the model of the device in a row of its group; of a stack, that or those of the group."""
    if role == blueprint.topology.server.role:
        return blueprint.server.name
    boxes = blueprint.boxes(role)
    if row is None or len(boxes) == 1:
        return " + ".join(model.name for model, _ in boxes)
    ends = np.cumsum([count for _, count in boxes])
    return boxes[min(int(np.searchsorted(ends, row, side="right")), len(boxes) - 1)][0].name
