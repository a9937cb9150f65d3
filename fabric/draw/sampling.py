"""Which devices a picture shows: the first few and the last on every axis, joined by the fabric's own rule.

The sample of an axis is the same in every group, so each line drawn is a bundle that the fabric has, and two devices
that are drawn without a line have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

from fabric.blueprint import Blueprint
from fabric.topology.clos import filled_name
from fabric.topology.topology import PLANE, Group, Topology

__all__ = [
    "CARDS",
    "Card",
    "axis_span",
    "colour_axis",
    "framed_axes",
    "has_planes",
    "joined_cards",
    "nesting_depth",
    "own_axes",
    "rail_number",
    "rails_drawn",
    "sample_axis",
    "sample_cards",
    "step_between",
]

CARDS, AXES = 10, 2
"""The most cards in a row, and the most axes on which they differ."""

Step = Literal["next", "turn", "gap"]


@dataclass(frozen=True)
class Card:
    """A device as drawn."""

    values: Mapping[str, int]
    """Its value on each axis shown."""
    pile: int
    """The devices that it represents, where the other axes are not shown."""


def nesting_depth(form: Topology, group: Group) -> int:
    """Return how many places enclose `group`: the servers stand in the innermost place that any switch has."""
    leaf = max(len(form.placement_axes(item)) for item in form.switch_groups)
    return min(leaf, len(form.placement_axes(group)))


def framed_axes(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the placement axes drawn as frames, outermost first: those with more than one place on them."""
    form = blueprint.topology
    inside = form.server.axes[: nesting_depth(form, form.server)]
    return tuple(axis for axis in inside if axis_span(blueprint, axis) > 1)


def has_planes(blueprint: Blueprint) -> bool:
    """Say whether there are several planes; the planes of a server-centric topology are levels of one network."""
    return blueprint.planes > 1 and not blueprint.topology.routing.nic_levels


def axis_span(blueprint: Blueprint, axis: str) -> int:
    """Return the size of an axis; of a placement axis the filled part, where there is but one parent."""
    size = blueprint.sizes[axis]
    return min(size, blueprint.sizes[filled_name(axis)]) if axis in blueprint.topology.server.axes else size


def own_axes(form: Topology, group: Group) -> tuple[str, ...]:
    """Return the axes on which the devices of `group` differ within one place and plane."""
    outer = form.server.axes[: nesting_depth(form, group)]
    return tuple(axis for axis in group.axes if axis not in outer and axis != PLANE)


def sample_axis(blueprint: Blueprint, axis: str) -> tuple[int, ...]:
    """Return the values of `axis` that are drawn: all when they are few, else the first few and the last."""
    size = axis_span(blueprint, axis)
    most, head = (8, 3) if _may_fill_row(blueprint, axis) else (4, 2)
    return tuple(range(size)) if size <= most else (*range(head), size - 1)


def _may_fill_row(blueprint: Blueprint, axis: str) -> bool:
    """Say whether `axis` may take a whole row: it numbers rails, or is the only one of its group."""
    form = blueprint.topology
    alone = all(len(_varying_axes(blueprint, group)) == 1 for group in form.groups if axis in own_axes(form, group))
    return axis in form.rail_axes or alone


def _varying_axes(blueprint: Blueprint, group: Group) -> tuple[str, ...]:
    return tuple(axis for axis in own_axes(blueprint.topology, group) if axis_span(blueprint, axis) > 1)


def sample_cards(blueprint: Blueprint, group: Group) -> tuple[Card, ...]:
    """Return the cards of one place of `group`: its axes are shown in order while they fit, the others aggregated."""
    shown: dict[str, tuple[int, ...]] = {}
    for axis in _varying_axes(blueprint, group)[:AXES]:
        values = sample_axis(blueprint, axis)
        if math.prod(map(len, shown.values())) * len(values) > CARDS:
            break
        shown[axis] = values
    pile = math.prod(axis_span(blueprint, axis) for axis in own_axes(blueprint.topology, group) if axis not in shown)
    return tuple(Card(dict(zip(shown, values, strict=True)), pile) for values in product(*shown.values()))


def step_between(left: Card, right: Card) -> Step:
    """Return how two neighbours follow: values left out between them (`gap`), a new outer value (`turn`), or `next`."""
    pairs = [(axis, left.values[axis], right.values[axis]) for axis in left.values]
    axis, before, after = next(pair for pair in pairs if pair[1] != pair[2])
    if after - before > 1:
        return "gap"
    return "next" if axis == list(left.values)[-1] else "turn"


def joined_cards(lowers: tuple[Card, ...], uppers: tuple[Card, ...]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of cards, by their numbers in their rows, that agree on every axis that both have."""
    for low, lower in enumerate(lowers):
        for high, upper in enumerate(uppers):
            both = lower.values.keys() & upper.values.keys()
            if all(lower.values[axis] == upper.values[axis] for axis in both):
                yield low, high


def rail_number(blueprint: Blueprint, *linked: Card) -> int | None:
    """Return the number of the rail that a card, or the line between two cards, belongs to."""
    axis = colour_axis(blueprint)
    values = [card.values[axis] for card in linked if axis in card.values] if axis else []
    return values[0] if values else None


def rails_drawn(blueprint: Blueprint) -> tuple[int, ...]:
    """Return the numbers of the rails that are drawn; none where there is only one."""
    axis = colour_axis(blueprint)
    return tuple(sample_axis(blueprint, axis)) if axis else ()


def colour_axis(blueprint: Blueprint) -> str | None:
    """Return the axis whose values have colours: the first rail axis of more than one value."""
    return next((axis for axis in blueprint.topology.rail_axes if blueprint.sizes[axis] > 1), None)
