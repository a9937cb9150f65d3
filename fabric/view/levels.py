"""Levels of detail: the whole by groups, one pod, one unit, or every device, and the finest that can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge, nearest, whole
from fabric.network import Devices
from fabric.network.expand import expand, lay_devices, memory_bytes
from fabric.topology.graph_form import GraphForm
from fabric.units import count, size
from fabric.view.clos_view import chain_edges, chain_stacks, chain_units, filled_in
from fabric.view.graph_view import GraphSplitter, aggregated, wired_units
from fabric.view.layout import Points, Standing, positions
from fabric.view.stacks import AggregatedNode, Edges, model_of, named, names_of
from fabric.view.view import View

__all__ = [
    "LEVELS", "READABLE", "levels_of", "node_count", "part_filled", "place_of", "readable_level", "switches_of",
    "view_of",
]  # fmt: skip

LEVELS = ("fabric", "pod", "unit", "device")
"""The levels, the coarsest first."""

BYTES_PER_LINK, BYTES_PER_NODE = 100, 500
"""The memory that a view of every device takes while it is made, measured on a million GPUs."""

READABLE = 2000
"""The most nodes that a picture can be read with."""


def levels_of(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the levels that the fabric has, the coarsest first: not all have pods, nor units apart from the whole."""
    return tuple(level for level in LEVELS if level in ("fabric", "device") or level in _units(blueprint))


def view_of(blueprint: Blueprint, level: str = "fabric", *, pod: int = 0, unit: int = 0) -> View:
    """Return what is seen of the fabric at a level.

    `fabric` is one node for each group with its multiplicity and one edge for each bundle; `pod` is one pod, its
    servers by units, its switches and, in stacks, what is above or around it; `unit` is one unit, numbered in its pod,
    device by device, with the same around it; `device` is everything. Of forms by wires a unit is a leaf (in every
    plane) with its servers and the switches next to it, and a pod all leaves with the same first coordinate.

    Raises InputError for a level or a place that the fabric has not, and TooLarge, with the estimate, where every
    device would not fit in memory.
    """
    place = place_of(blueprint, level, pod, unit)
    asked = {"pod": pod, "unit": unit}
    numbers = asked if level == "unit" and "pod" in _units(blueprint) else {level: asked.get(level, 0)}
    if level == "device":
        return _of_devices(blueprint)
    if isinstance(blueprint.topology, GraphForm):
        wiring = GraphSplitter(blueprint, level, place)
        stacks, edges = wiring.parts[0], wiring.edges()
    else:
        stacks = chain_stacks(blueprint, level, place)
        edges = chain_edges(blueprint, stacks)
    return _of_stacks(blueprint, level, numbers if place else {}, stacks, edges)


def switches_of(blueprint: Blueprint) -> View:
    """Return a view of the whole switch by switch, the servers unit by unit; of tiers with few switches only.

    A group that has more than `INSIDE` devices is split as in the view of a pod. Raises InputError for forms by wires.
    """
    if isinstance(blueprint.topology, GraphForm):
        raise InputError(
            f"{blueprint.name}: a {blueprint.topology.family} has no units that its servers could stand in"
        )
    stacks = chain_stacks(blueprint, "pod", {})
    return _of_stacks(blueprint, "fabric", {}, stacks, chain_edges(blueprint, stacks))


def node_count(blueprint: Blueprint, level: str, *, pod: int = 0, unit: int = 0) -> int:
    """Return the nodes of a view, without laying out every device."""
    if level == "device":
        return blueprint.servers + blueprint.switches
    return len(view_of(blueprint, level, pod=pod, unit=unit))


def readable_level(blueprint: Blueprint, most: int = READABLE) -> str:
    """Return the finest level that has at most so many nodes in its first place; `fabric` where none has."""
    for level in reversed(levels_of(blueprint)):
        if node_count(blueprint, level) <= most:
            return level
    return "fabric"


def _units(blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
    """Return the axes by which units, and pods, are numbered, of those that there are."""
    return wired_units(blueprint.topology) if isinstance(blueprint.topology, GraphForm) else chain_units(blueprint)


def place_of(blueprint: Blueprint, level: str, pod: int, unit: int) -> dict[str, int]:
    """Return the coordinates of the pod or unit that a view is of; raises InputError where there is none."""
    if level not in LEVELS:
        raise InputError(f"no level '{level}' of detail{nearest(level, LEVELS)}")
    if level not in levels_of(blueprint):
        known = ", ".join(levels_of(blueprint))
        raise InputError(
            f"{blueprint.name}: a {blueprint.topology.family} of this form has no {level}s; levels: {known}"
        )
    units = _units(blueprint)
    asked = {"pod": pod, "unit": unit}
    inner = {"pod": ("pod",), "unit": tuple(units)}.get(level, ())
    for what, number in asked.items():
        if number != 0 and what not in inner:
            raise InputError(f"--{what} {number!r:.40}: level {level} of {blueprint.name} has no {what} to choose")
    found: dict[str, int] = {}
    for what in sorted(inner):
        axes = [axis for axis in units[what] if axis not in found]
        there, number = _places(blueprint, axes, found), asked[what]
        if not whole(number, 0) or number >= there:
            where = f"pod {pod} of {blueprint.name}" if found else blueprint.name
            raise InputError(f"--{what} {number!r:.40}: {where} has {count(there)}, numbered from 0")
        for axis in reversed(axes[1:]):
            number, found[axis] = divmod(number, blueprint.sizes[axis])
        found[axes[0]] = number
    return found


def part_filled(blueprint: Blueprint, level: str) -> dict[str, int] | None:
    """Return the numbers by which the last pod or unit is seen, where it is filled in part; None where none is."""
    if isinstance(blueprint.topology, GraphForm) or level not in ("pod", "unit") or level not in levels_of(blueprint):
        return None
    units, placement = _units(blueprint), blueprint.topology.server.axes
    if blueprint.servers % math.prod(blueprint.sizes[axis] for axis in placement[len(units[level]) :]) == 0:
        return None
    found: dict[str, int] = {}
    outer: dict[str, int] = {}
    for what in ("pod", "unit")[: 1 + (level == "unit")]:
        if what in units:
            found[what] = _places(blueprint, [axis for axis in units[what] if axis not in outer], outer) - 1
            outer = place_of(blueprint, what, found.get("pod", 0), found.get("unit", 0))
    return found


def _places(blueprint: Blueprint, axes: Sequence[str], outer: dict[str, int]) -> int:
    """Return how many places there are on these axes within an outer one."""
    if isinstance(blueprint.topology, GraphForm):
        return int(np.prod([blueprint.sizes[axis] for axis in axes], dtype=np.int64))
    return filled_in(blueprint, len(outer) + len(axes), outer)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The columns of nodes, but where they stand."""

    names: tuple[str, ...]
    models: tuple[str, ...]
    role: npt.NDArray[np.uint8]
    multiplicity: npt.NDArray[np.int64]


def _of_stacks(
    blueprint: Blueprint, level: str, place: dict[str, int], stacks: list[AggregatedNode], edges: Edges
) -> View:
    laid = lay_devices(blueprint)
    value = next(iter(place.values()), 0)
    names = tuple(named(stack, laid[stack.group.role].axes, value) for stack in stacks)
    models = tuple(model_of(blueprint, stack.group.role, _row(stack, laid[stack.group.role])) for stack in stacks)
    role = np.array([blueprint.topology.groups.index(stack.group) for stack in stacks], np.uint8)
    multiplicity = np.array([stack.multiplicity for stack in stacks], np.int64)
    where = Standing(role, np.array([stack.inside for stack in stacks]), [stack.fixed for stack in stacks], edges)
    spots = positions(blueprint, level, where)
    return _columns(blueprint, level, place, _Nodes(names, models, role, multiplicity), spots, edges)


def _row(stack: AggregatedNode, group: Devices) -> int | None:
    """Return the row in its group of a stack of one device; None for more."""
    return group.row(stack.fixed) - group.first if stack.multiplicity == 1 else None


def _columns(
    blueprint: Blueprint, level: str, place: dict[str, int], nodes: _Nodes, spots: Points, edges: Edges
) -> View:
    roles = tuple(group.role for group in blueprint.topology.groups)
    bundles = tuple(bundle.name for bundle in blueprint.topology.bundles)
    lower, upper, bundle = edges.lower.astype(np.int32), edges.upper.astype(np.int32), edges.bundle.astype(np.uint8)
    return View(
        blueprint.name, level, place, blueprint.link_gbps, roles, bundles, nodes.names, nodes.models, nodes.role,
        nodes.multiplicity, *spots, lower, upper, bundle, edges.links, edges.pairs,
    )  # fmt: skip


def _of_devices(blueprint: Blueprint) -> View:
    """Return the view of every device: the expansion, with the links of each pair in one edge."""
    _refuse_too_large(blueprint)
    network = expand(blueprint)
    parts = []
    for place, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == place)
        low, high = network.lower[rows].astype(np.int64), network.upper[rows].astype(np.int64)
        if bundle.lower == bundle.upper:
            low, high = np.minimum(low, high), np.maximum(low, high)
        one = np.ones(len(rows), np.int64)
        lower, upper, links, _ = aggregated(low, high, one, one, network.devices)
        parts.append((lower, upper, np.full(len(lower), place), links, np.ones_like(lower)))
    edges = Edges(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    names = tuple(chain.from_iterable(map(names_of, network.groups)))
    models = tuple(model_of(blueprint, group.role, row) for group in network.groups for row in range(group.count))
    nodes = _Nodes(names, models, network.role, np.ones(network.devices, np.int64))
    where = Standing(network.role, np.ones(network.devices, bool), [*map(_digits, network.groups)], edges)
    return _columns(blueprint, "device", {}, nodes, positions(blueprint, "device", where), edges)


def _refuse_too_large(blueprint: Blueprint) -> None:
    devices = blueprint.servers + blueprint.switches
    needed, present = blueprint.links_total * BYTES_PER_LINK + devices * BYTES_PER_NODE, memory_bytes()
    if needed > present / 2:
        raise TooLarge(
            f"{blueprint.name}: {count(devices)} devices and {count(blueprint.links_total)} links one by one take"
            f" {size(needed)}, more than half of this machine's {size(present)}; look at a coarser level:"
            f" {', '.join(levels_of(blueprint)[:-1])}"
        )


def _digits(group: Devices) -> dict[str, npt.NDArray[np.int64]]:
    """Return the coordinates of all devices of a group, axis by axis."""
    values = np.unravel_index(np.arange(group.count), group.shape) if group.shape else ()
    return dict(zip(group.axes, values, strict=True))
