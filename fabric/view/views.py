"""Views of a fabric: the whole by groups, one pod, one unit, or every device, and the finest that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, is_whole, nearest
from fabric.network import Devices, Network
from fabric.network.expand import expand, lay_devices
from fabric.resources import Work, refuse_excess
from fabric.units import count
from fabric.view.levels import LEVELS, READABLE
from fabric.view.nodes import AggregatedNode, Edges, device_names, model_name, node_name, sum_edges
from fabric.view.positions import NodeTable, Points, positions
from fabric.view.splitter import splitter_of
from fabric.view.view import View

__all__ = ["levels_of", "location_of", "node_count", "part_axes", "partial_place", "readable_level", "switch_view",
           "view_of"]  # fmt: skip

BYTES_PER_LINK, BYTES_PER_NODE = 100, 500
SECONDS_PER_LINK, SECONDS_PER_NODE = 0.1e-6, 1e-6
"""What a view of every device takes while it is made, measured on a million GPUs."""


def levels_of(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the levels that the fabric has, the coarsest first: not all have pods, or units apart from the whole."""
    parts = splitter_of(blueprint).level_axes()
    return tuple(name for name, level in LEVELS.items() if name in parts or not level.part)


def part_axes(blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
    """Return the axes that number pods and units, of those levels that the fabric has."""
    return splitter_of(blueprint).level_axes()


def view_of(blueprint: Blueprint, level: str = "fabric", *, pod: int = 0, unit: int = 0) -> View:
    """Return the view of the fabric at a level.

    `fabric` is one node for each group with its multiplicity and one edge for each bundle; `pod` is one pod, its
    servers by units, its switches and, aggregated, what is above or around it; `unit` is one unit, numbered in its pod,
    device by device, with the same around it; `device` is everything. In a graph topology a unit is a leaf (in every
    plane) with its servers and the switches next to it, and a pod all leaves with the same first coordinate.

    Raises InputError for a level or a place that the fabric does not have, and TooLarge, with the estimate, where every
    device would not fit in memory.
    """
    location = location_of(blueprint, level, pod, unit)
    if level == "device":
        return _view_devices(blueprint)
    splitter, numbers = splitter_of(blueprint), {"pod": int(pod), "unit": int(unit)}
    place = numbers if level == "unit" and "pod" in splitter.level_axes() else {level: numbers.get(level, 0)}
    return _view_nodes(blueprint, level, place if location else {}, *splitter.split(level, location))


def switch_view(blueprint: Blueprint) -> View:
    """Return a view of the whole switch by switch, the servers unit by unit; for Clos fabrics of few switches.

    A group of more than `INSIDE` devices is split as in the view of a pod. Raises InputError for graph topologies.
    """
    return _view_nodes(blueprint, "fabric", {}, *splitter_of(blueprint).split_switches())


def node_count(blueprint: Blueprint, level: str, *, pod: int = 0, unit: int = 0) -> int:
    """Return the number of nodes of a view, without laying out every device."""
    if level == "device":
        return blueprint.servers + blueprint.switches
    return len(view_of(blueprint, level, pod=pod, unit=unit))


def readable_level(blueprint: Blueprint, most: int = READABLE) -> str:
    """Return the finest level whose first place has at most `most` nodes; `fabric` where none has."""
    for level in reversed(levels_of(blueprint)):
        if node_count(blueprint, level) <= most:
            return level
    return "fabric"


def location_of(blueprint: Blueprint, level: str, pod: int, unit: int) -> dict[str, int]:
    """Return the coordinates of the pod or unit that a view shows; raises InputError where there is none."""
    _check_level(blueprint, level)
    axes_of = part_axes(blueprint)
    numbers = {"pod": pod, "unit": unit}
    outer_first = {"pod": ["pod"], "unit": sorted(axes_of)}.get(level, [])
    for part, number in numbers.items():
        if number != 0 and part not in outer_first:
            raise InputError(f"--{part} {number!r:.40}: level {level} of {blueprint.name} has no {part} to choose")
    location: dict[str, int] = {}
    for part in outer_first:
        axes = [axis for axis in axes_of[part] if axis not in location]
        number = _check_number(blueprint, part, numbers, axes, location)
        for axis in reversed(axes[1:]):
            number, location[axis] = divmod(number, blueprint.sizes[axis])
        location[axes[0]] = number
    return location


def _check_level(blueprint: Blueprint, level: str) -> None:
    if level not in LEVELS:
        raise InputError(f"unknown level of detail '{level}'{nearest(level, LEVELS)}")
    if level not in levels_of(blueprint):
        known = ", ".join(levels_of(blueprint))
        raise InputError(f"{blueprint.name}: this {blueprint.topology.family} fabric has no {level}s; levels: {known}")


def _check_number(
    blueprint: Blueprint, part: str, numbers: Mapping[str, int], axes: list[str], outer: Mapping[str, int]
) -> int:
    """Return the number of the pod or unit to show; raises InputError where there is none of this number."""
    places, number = splitter_of(blueprint).count_places(axes, outer), numbers[part]
    if not is_whole(number, 0) or number >= places:
        where = f"pod {numbers['pod']} of {blueprint.name}" if outer else blueprint.name
        raise InputError(f"--{part} {number!r:.40}: {where} has {count(places)}, numbered from 0")
    return int(number)


def partial_place(blueprint: Blueprint, level: str) -> dict[str, int] | None:
    """Return the numbers of the last pod or unit where it is only partly filled; None where it is full."""
    splitter = splitter_of(blueprint)
    axes_of = splitter.level_axes()
    if level not in axes_of or splitter.fills_last(level):
        return None
    place: dict[str, int] = {}
    outer: dict[str, int] = {}
    for part in ("pod", "unit")[: 1 + (level == "unit")]:
        if part in axes_of:
            axes = [axis for axis in axes_of[part] if axis not in outer]
            place[part] = splitter.count_places(axes, outer) - 1
            outer = location_of(blueprint, part, place.get("pod", 0), place.get("unit", 0))
    return place


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The columns of nodes, without their positions."""

    names: tuple[str, ...]
    models: tuple[str, ...]
    role: npt.NDArray[np.uint8]
    multiplicity: npt.NDArray[np.int64]


def _view_nodes(
    blueprint: Blueprint, level: str, place: dict[str, int], nodes: list[AggregatedNode], edges: Edges
) -> View:
    devices = lay_devices(blueprint)
    number = next(iter(place.values()), 0)
    names = tuple(node_name(node, devices[node.group.role].axes, number) for node in nodes)
    models = tuple(model_name(blueprint, node.group.role, _row(node, devices[node.group.role])) for node in nodes)
    role = np.array([blueprint.topology.groups.index(node.group) for node in nodes], np.uint8)
    multiplicity = np.array([node.multiplicity for node in nodes], np.int64)
    axes = dict.fromkeys(axis for node in nodes for axis in node.fixed)
    digits = {axis: np.array([node.fixed.get(axis, 0) for node in nodes], np.int64) for axis in axes}
    table = NodeTable(role, np.array([node.inside for node in nodes]), digits, edges)
    columns = _Nodes(names, models, role, multiplicity)
    return _view(blueprint, level, place, columns, positions(blueprint, level, table), edges)


def _row(node: AggregatedNode, devices: Devices) -> int | None:
    """Return the row in its group of a node of one device; None for several devices."""
    return devices.row(node.fixed) - devices.first if node.multiplicity == 1 else None


def _view(blueprint: Blueprint, level: str, place: dict[str, int], nodes: _Nodes, points: Points, edges: Edges) -> View:
    roles = tuple(group.role for group in blueprint.topology.groups)
    bundles = tuple(bundle.name for bundle in blueprint.topology.bundles)
    rates = tuple(map(blueprint.rate, blueprint.topology.bundles))
    lower, upper, bundle = edges.lower.astype(np.int32), edges.upper.astype(np.int32), edges.bundle.astype(np.uint8)
    return View(
        blueprint.name, level, place, rates, roles, bundles, nodes.names, nodes.models, nodes.role,
        nodes.multiplicity, *points, lower, upper, bundle, edges.links, edges.pairs,
    )  # fmt: skip


def _view_devices(blueprint: Blueprint) -> View:
    """Return the view of every device: the network, with the links of each pair in one edge."""
    _refuse_too_large(blueprint)
    network = expand(blueprint)
    parts = []
    for number, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == number)
        low, high = network.lower[rows].astype(np.int64), network.upper[rows].astype(np.int64)
        if bundle.lower == bundle.upper:
            low, high = np.minimum(low, high), np.maximum(low, high)
        one = np.ones(len(rows), np.int64)
        lower, upper, links, _ = sum_edges(low, high, one, one, network.devices)
        parts.append((lower, upper, np.full(len(lower), number), links, np.ones_like(lower)))
    edges = Edges(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    names = tuple(chain.from_iterable(map(device_names, network.groups)))
    models = tuple(model_name(blueprint, group.role, row) for group in network.groups for row in range(group.count))
    nodes = _Nodes(names, models, network.role, np.ones(network.devices, np.int64))
    table = NodeTable(network.role, np.ones(network.devices, bool), _coordinates(network), edges)
    return _view(blueprint, "device", {}, nodes, positions(blueprint, "device", table), edges)


def _refuse_too_large(blueprint: Blueprint) -> None:
    devices = blueprint.servers + blueprint.switches
    links = blueprint.links_total
    work = Work(
        links * BYTES_PER_LINK + devices * BYTES_PER_NODE, links * SECONDS_PER_LINK + devices * SECONDS_PER_NODE
    )
    coarser = ", ".join(levels_of(blueprint)[:-1])
    subject = f"{blueprint.name}: {count(devices)} devices and {count(links)} links one by one"
    refuse_excess(subject, work, f"choose a coarser level: {coarser}")


def _coordinates(network: Network) -> dict[str, npt.NDArray[np.int64]]:
    """Return the value of every device on each axis, shape (devices,), 0 where it has none."""
    digits: dict[str, npt.NDArray[np.int64]] = {}
    for group in network.groups:
        for axis, column in group.coordinates().items():
            digits.setdefault(axis, np.zeros(network.devices, np.int64))[group.first : group.first + group.count] = (
                column
            )
    return digits
