"""Views of forms by tiers, in closed form: what agrees with a place on every axis that both have, split into stacks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fabric.blueprint import Blueprint
from fabric.topology.clos import filled_name
from fabric.topology.topology import Bundle, Group
from fabric.view.stacks import ABOVE, INSIDE, AggregatedNode, Edges, kept_axes, splits

__all__ = ["chain_edges", "chain_stacks", "chain_units", "filled_in"]


def chain_units(blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
    """Return the axes that a unit and a pod are numbered by: all of the placement but the slot, and but the unit."""
    placement = blueprint.topology.server.axes
    found = {"pod": placement[:-2], "unit": placement[:-1]}
    return {level: axes for level, axes in found.items() if axes}


def filled_in(blueprint: Blueprint, depth: int, fixed: Mapping[str, int]) -> int:
    """Return the filled places at `depth` of the placement within the place that `fixed` says, whole or in part."""
    placement, sizes = blueprint.topology.server.axes[:depth], blueprint.sizes
    outer = [axis for axis in placement if axis in fixed]
    if not placement or not outer:
        return sizes[filled_name(placement[-1])] if placement else 1
    first = 0
    for axis in outer:
        first = first * sizes[axis] + fixed[axis]
    step = math.prod(sizes[axis] for axis in placement[len(outer) :])
    return max(0, min(sizes[filled_name(placement[-1])], (first + 1) * step) - first * step)


def chain_stacks(blueprint: Blueprint, level: str, place: Mapping[str, int]) -> list[AggregatedNode]:
    """Return the stacks of a view: `place` gives the values of the placement axes that it is of, perhaps none."""
    return [stack for group in blueprint.topology.groups for stack in _split(blueprint, group, level, place)]


def _split(blueprint: Blueprint, group: Group, level: str, place: Mapping[str, int]) -> list[AggregatedNode]:
    """Split one group: none of it in a view of the whole, all of a unit, and of what is around as much as is few."""
    form = blueprint.topology
    places = form.placement_axes(group)
    fixed = {axis: value for axis, value in place.items() if axis in places}
    inside = len(fixed) == len(place)
    rest = [*places, *(axis for axis in group.axes if axis not in places)]
    axes = tuple(axis for axis in rest if axis not in fixed)
    sizes = {axis: _values(blueprint, group, axis, fixed) for axis in axes}
    if level == "fabric":
        kept: tuple[str, ...] = ()
    elif level == "unit" and inside:
        kept = axes
    else:
        # The servers of a pod are seen by units.
        units = tuple(axis for axis in axes if group != form.server or axis != form.server.axes[-1])
        kept = kept_axes(units, sizes, INSIDE if inside else ABOVE)
    found = (_stack(blueprint, group, {**fixed, **values}, inside) for values in splits(kept, sizes))
    return [stack for stack in found if stack.multiplicity]


def _values(blueprint: Blueprint, group: Group, axis: str, fixed: Mapping[str, int]) -> int:
    """Return the values that an axis takes within a place, at the most: the filled ones, where nothing is between."""
    if axis not in blueprint.topology.server.axes:
        return blueprint.sizes[axis]
    depth = blueprint.topology.placement_axes(group).index(axis) + 1
    return min(blueprint.sizes[axis], filled_in(blueprint, depth, fixed))


def _stack(blueprint: Blueprint, group: Group, fixed: Mapping[str, int], inside: bool) -> AggregatedNode:
    places = blueprint.topology.placement_axes(group)
    others = math.prod(blueprint.sizes[axis] for axis in group.axes if axis not in places and axis not in fixed)
    return AggregatedNode(group, fixed, filled_in(blueprint, len(places), fixed) * others, inside)


def chain_edges(blueprint: Blueprint, stacks: Sequence[AggregatedNode]) -> Edges:
    """Return the edges between stacks: the pairs that the join rule gives, times the copies."""
    rows: list[tuple[int, int, int, int, int]] = []
    of = {
        group: [row for row, stack in enumerate(stacks) if stack.group == group] for group in blueprint.topology.groups
    }
    for place, bundle in enumerate(blueprint.topology.bundles):
        copies = blueprint.sizes[bundle.name]
        for low in of[bundle.lower]:
            for high in of[bundle.upper]:
                if pairs := _pairs(blueprint, bundle, stacks[low].fixed, stacks[high].fixed):
                    rows.append((low, high, place, pairs * copies, pairs))
    return Edges(*np.array(rows, np.int64).reshape(-1, 5).T)


def _pairs(blueprint: Blueprint, bundle: Bundle, low: Mapping[str, int], high: Mapping[str, int]) -> int:
    """Return the pairs of devices of two stacks that the bundle joins: those that agree on every axis both have."""
    if any(low[axis] != high[axis] for axis in bundle.shared if axis in low and axis in high):
        return 0
    places, both = blueprint.topology.placement_axes(bundle.lower), {**high, **low}
    free = [axis for axis in dict.fromkeys((*bundle.lower.axes, *bundle.upper.axes)) if axis not in (*both, *places)]
    return filled_in(blueprint, len(places), both) * math.prod(blueprint.sizes[axis] for axis in free)
