"""The expansion: a blueprint laid out as a network, by arithmetic on index grids and no loop over links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import TooLarge
from fabric.network import Devices, Network
from fabric.resources import Work, refuse_excess
from fabric.topology.axis_bundle import AxisBundle, BalancedBundle
from fabric.topology.graph_form import PatternBundle
from fabric.topology.topology import PLANE, Bundle
from fabric.topology.unlike_servers import DealtBundle

__all__ = ["BYTES_PER_LINK", "expand", "lay_devices", "rank_ends", "steps"]

DTYPES = (np.int32, np.int32, np.uint16, np.uint16, np.uint8)
"""The columns of a link: lower and upper row, lower and upper port, bundle."""

BYTES_PER_LINK = sum(np.dtype(dtype).itemsize for dtype in DTYPES)

LAYING_BYTES_PER_LINK, LAYING_SECONDS_PER_LINK = 20, 20e-9
"""What a link takes while it is laid out: its columns, and what they are computed from (`benchmarks/resources.py`)."""


def expand(blueprint: Blueprint) -> Network:
    """Lay `blueprint` out as a Network with exactly its counts.

    Raises TooLarge, with the estimate, where the columns need more memory than this process may take.
    """
    _refuse_too_large(blueprint)
    groups = lay_devices(blueprint)
    bundles = blueprint.topology.bundles
    links = [blueprint.links(bundle) for bundle in bundles]
    columns: list[npt.NDArray[Any]] = [np.empty(sum(links), dtype) for dtype in DTYPES]
    start = 0
    for place, (bundle, count) in enumerate(zip(bundles, links, strict=True)):
        rows = [column[start : start + count] for column in columns]
        _lay_bundle(blueprint, bundle, groups, rows)
        rows[4][:] = place
        start += count
    names = tuple(bundle.name for bundle in bundles)
    lower, upper, lower_port, upper_port, index = columns
    kinds = len(blueprint.topology.server_groups)
    rates = tuple(map(blueprint.rate, bundles))
    return Network(tuple(groups.values()), names, rates, lower, upper, lower_port, upper_port, index, kinds)


def _lay_bundle(blueprint: Blueprint, bundle: Bundle, groups: dict[str, Devices], rows: list[npt.NDArray[Any]]) -> None:
    """Fill the bundle's rows: the one place of this package that distinguishes the kinds of bundle."""
    match bundle:
        case DealtBundle():
            _lay_dealt_bundle(blueprint, bundle, groups, rows)
        case BalancedBundle():
            _lay_balanced_bundle(blueprint, bundle, groups, rows)
        case AxisBundle():
            _lay_axis_bundle(blueprint, bundle, groups, rows)
        case PatternBundle():
            _lay_pattern_bundle(blueprint, bundle, groups, rows)


def lay_devices(blueprint: Blueprint) -> dict[str, Devices]:
    """Return the devices of every role, the servers first, with the rows that the network gives them."""
    groups, first, sizes = {}, 0, blueprint.sizes
    for group in blueprint.topology.groups:
        count, axes = blueprint.devices(group.role), blueprint.topology.row_axes(group)
        shape, place = tuple(sizes[axis] for axis in axes), blueprint.topology.first_place(group, sizes)
        groups[group.role] = Devices(group.role, first, count, axes, shape, place)
        first += count
    return groups


def _lay_axis_bundle(
    blueprint: Blueprint, bundle: AxisBundle, groups: dict[str, Devices], rows: list[npt.NDArray[Any]]
) -> None:
    """Fill the bundle's rows: for each lower device, its partners over the upper-only axes, link by link."""
    lower, upper = groups[bundle.lower.role], groups[bundle.upper.role]
    copies = blueprint.sizes[bundle.name]
    digits = lower.coordinates()
    partners = _grid(_strides(upper), {axis: blueprint.sizes[axis] for axis in bundle.upper_only})
    first = upper.first + _dot(_strides(upper), digits, lower.count)
    # The lower devices below one upper device in order: each has the next of its ports.
    rank = _dot(steps(bundle.lower_only, blueprint.sizes), digits, lower.count)
    grid = (lower.count, len(partners), copies)
    ports = np.arange(len(partners) * copies).reshape(1, len(partners), copies)
    rows[0].reshape(grid)[:] = np.arange(lower.first, lower.first + lower.count)[:, None, None]
    rows[1].reshape(grid)[:] = (first[:, None] + partners)[:, :, None]
    rows[2].reshape(grid)[:] = blueprint.ports_down(lower.role) + ports
    rows[3].reshape(grid)[:] = (rank * copies)[:, None, None] + np.arange(copies)


def _lay_balanced_bundle(
    blueprint: Blueprint, bundle: BalancedBundle, groups: dict[str, Devices], rows: list[npt.NDArray[Any]]
) -> None:
    """Fill the bundle's rows: connectors numbered over the lower devices go to the upper ones in turn."""
    sizes, lower, upper = blueprint.sizes, groups[bundle.lower.role], groups[bundle.upper.role]
    digits, together = lower.coordinates(), sizes[bundle.connector]
    partners = _grid(_strides(upper), {axis: sizes[axis] for axis in bundle.upper_only})
    first = upper.first + _dot(_strides(upper), digits, lower.count)
    each = sizes[bundle.uplinks] // together
    number = _dot(steps(bundle.numbered, sizes), digits, lower.count)[:, None] * each + np.arange(each)
    grid = (lower.count, each, together)
    rows[0].reshape(grid)[:] = np.arange(lower.first, lower.first + lower.count)[:, None, None]
    rows[1].reshape(grid)[:] = (first[:, None] + partners[number % len(partners)])[:, :, None]
    rows[2].reshape(grid)[:] = blueprint.ports_down(lower.role) + np.arange(each * together).reshape(grid[1:])
    rows[3].reshape(grid)[:] = (number // len(partners) * together)[:, :, None] + np.arange(together)


def _lay_dealt_bundle(
    blueprint: Blueprint, bundle: DealtBundle, groups: dict[str, Devices], rows: list[npt.NDArray[Any]]
) -> None:
    """Fill the bundle's rows: the NICs of the servers of a unit go to its rails in turn, on every plane."""
    sizes, lower, upper = blueprint.sizes, groups[bundle.lower.role], groups[bundle.upper.role]
    digits, planes = lower.coordinates(), np.arange(sizes[PLANE])
    leaves = _grid(_strides(upper), {axis: sizes[axis] for axis in bundle.rail_axes})
    unit = upper.first + _dot(_strides(upper), digits, lower.count)
    each, row = sizes[bundle.nics], bundle.in_row(sizes)
    grid = (lower.count, each, len(planes))
    dealt = (digits[bundle.slot][:, None] * each + np.arange(each))[:, :, None]
    rail, place = dealt // row % len(leaves), dealt // (row * len(leaves)) * row + dealt % row
    port = blueprint.topology.first_port(bundle.upper, bundle, sizes)
    rows[0].reshape(grid)[:] = np.arange(lower.first, lower.first + lower.count)[:, None, None]
    rows[1].reshape(grid)[:] = unit[:, None, None] + leaves[rail] + planes * _strides(upper)[PLANE]
    rows[2].reshape(grid)[:] = np.arange(each * len(planes)).reshape(grid[1:])
    rows[3].reshape(grid)[:] = port + place


def _lay_pattern_bundle(
    blueprint: Blueprint, bundle: PatternBundle, groups: dict[str, Devices], rows: list[npt.NDArray[Any]]
) -> None:
    """Fill the bundle's rows: its pairs, link by link and plane by plane, each end on its device's next port.

    The servers' links count NIC by NIC, and a NIC's ports by plane or level.
    """
    topology, sizes = blueprint.topology, blueprint.sizes
    lower, upper = groups[bundle.lower.role], groups[bundle.upper.role]
    planes = sizes[PLANE] if PLANE in bundle.upper.axes else 1
    hosts = bundle in topology.host_bundles
    copies = 1 if hosts else sizes[bundle.name]
    low, high = (np.repeat(end, copies)[:, None] for end in bundle.pairs(sizes))
    plane = np.arange(planes)
    rows[0][:] = (lower.first + (low if hosts else low * planes + plane) + 0 * plane).reshape(-1)
    rows[1][:] = (upper.first + high * planes + plane).reshape(-1)
    if bundle.lower == bundle.upper:
        # Within one group a device is the lower end of some links and the upper of others: its ports count both.
        both = rank_ends(np.concatenate([rows[0], rows[1]]))
        rows[2][:], rows[3][:] = both[: len(rows[0])], both[len(rows[0]) :]
    else:
        rows[2][:], rows[3][:] = rank_ends(rows[0]), rank_ends(rows[1])
    if hosts and topology.routing.nic_levels:
        rows[2][:] = rows[2] * topology.routing.nic_levels + topology.host_bundles.index(bundle)
    else:
        rows[2] += topology.first_port(bundle.lower, bundle, sizes)
    rows[3] += topology.first_port(bundle.upper, bundle, sizes)


def rank_ends(ends: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return how many times each device has been an end before, shape (ends,)."""
    order = np.argsort(ends, kind="stable")
    values = ends[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    ranks = np.empty(len(ends), np.int64)
    ranks[order] = np.arange(len(ends)) - np.repeat(starts, np.diff(np.append(starts, len(ends))))
    return ranks


def _strides(group: Devices) -> dict[str, int]:
    """Return how many rows one step on each of the group's axes is."""
    return steps(group.axes, dict(zip(group.axes, group.shape, strict=True)))


def steps(axes: tuple[str, ...], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows one step on each axis is, where rows count the axes' values in order, the last fastest."""
    found, step = {}, 1
    for axis in reversed(axes):
        found[axis] = step
        step *= sizes[axis]
    return found


def _dot(strides: dict[str, int], digits: dict[str, npt.NDArray[Any]], count: int) -> npt.NDArray[np.int64]:
    """Return the sum of digit times stride over the axes in both, shape (count,)."""
    total = np.zeros(count, np.int64)
    for axis, stride in strides.items():
        if axis in digits:
            total += digits[axis] * stride
    return total


def _grid(strides: dict[str, int], sizes: dict[str, int]) -> npt.NDArray[np.int64]:
    """Return the row offsets of all values of the axes in `sizes`, in order."""
    offsets = np.zeros(1, np.int64)
    for axis, size in sizes.items():
        offsets = (offsets[:, None] + np.arange(size) * strides[axis]).reshape(-1)
    return offsets


def _refuse_too_large(blueprint: Blueprint) -> None:
    rows = blueprint.servers + blueprint.switches
    if rows > np.iinfo(np.int32).max:
        raise TooLarge(f"{blueprint.name}: {rows:,} devices are more than the 2,147,483,647 that a network can number")
    ports = max(blueprint.ports_down(g.role) + blueprint.ports_up(g.role) for g in blueprint.topology.groups)
    if ports > np.iinfo(np.uint16).max + 1:
        raise TooLarge(f"{blueprint.name}: a device with {ports:,} ports is more than a network numbers, 65,536")
    links = blueprint.links_total
    work = Work(links * LAYING_BYTES_PER_LINK, links * LAYING_SECONDS_PER_LINK)
    refuse_excess(f"{blueprint.name}: {links:,} links", work, "the blueprint's counts need no layout")
