"""The discovered fabric as a graph: hosts of several adapters, the tier of each switch, and connected parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.discovery.chassis import find_chassis, list_inner
from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, UNKNOWN, Discovery
from fabric.discovery.guid_groups import group_adapters

__all__ = ["Graph", "components", "modal", "read_graph"]

Ints = npt.NDArray[np.int64]

GUID_DIGITS = 16

FEW_HOSTS = 0.25
"""The share of a switch's cables to hosts up to which these may be strays: its neighbours say whether it is a leaf."""

STRAY_LINKS = 0.15
"""The share of a switch's links to the tier below under which these may be strays."""

STRAY_HOSTS = 0.05
"""The share up to which they are, whatever its neighbours are."""


@dataclass(frozen=True)
class Graph:
    """Cables between nodes: a node is a switch, or a host with all its adapters."""

    node: Ints
    """The node of each device, -1 for an aggregation node, shape (devices,)."""
    nodes: int
    """The number of nodes."""
    is_switch: npt.NDArray[np.bool_]
    """Whether each node is a switch, shape (nodes,)."""
    tier: Ints
    """The tier of each switch, from 1 next to hosts; 0 of a host and of a switch with no way to one, shape (nodes,)."""
    lower: Ints
    """The node of the lower tier at each cable, a host below a switch, shape (cables,)."""
    upper: Ints
    """The node at the other end."""
    lower_device: Ints
    """The device at the lower end."""
    cable: Ints
    """The row of each cable in the discovery: those of aggregation nodes are left out."""
    guessed: bool
    """Whether what is a switch follows from the number of cables, since the files do not say."""
    grouped: int
    """The adapters that no file names and that are taken for hosts by their GUIDs and leaves."""
    chassis: Ints
    """The chassis of each device that is a chip of a director, by its first chip; -1 of others, shape (devices,)."""


def components(nodes: int, one: Ints, two: Ints) -> Ints:
    """Return the connected part of each node, by its least node, for edges between `one` and `two`."""
    label = np.arange(nodes)
    while True:
        least = np.minimum(label[one], label[two])
        new = label.copy()
        np.minimum.at(new, label[one], least)
        np.minimum.at(new, label[two], least)
        new = _to_root(new)
        if np.array_equal(new, label):
            return label
        label = new


def _to_root(parent: Ints) -> Ints:
    while not np.array_equal(up := parent[parent], parent):
        parent = up
    return parent


def modal(values: npt.NDArray[np.integer]) -> int:
    """Return the value that most have, the greatest of several; 0 of none."""
    if not len(values):
        return 0
    found, counts = np.unique(values, return_counts=True)
    return int(found[np.flatnonzero(counts == counts.max())[-1]])


def read_graph(found: Discovery) -> Graph:
    """Return the graph of a discovery. Adapters of one named host, or of one system, are one node."""
    kind, guessed = _kinds(found)
    groups, chassis = _group_unnamed(found, kind), find_chassis(found)
    node, nodes = _nodes(found, kind, np.where(chassis >= 0, chassis, groups))
    is_switch = np.zeros(nodes, np.bool_)
    is_switch[node[kind == SWITCH]] = True
    real = (node[found.a] >= 0) & (node[found.b] >= 0)
    real[list_inner(found, chassis)] = False
    cable = np.flatnonzero(real)
    a, b = node[found.a[cable]], node[found.b[cable]]
    tier = _tiers(nodes, is_switch, a, b)
    swap = np.where(is_switch[a] != is_switch[b], is_switch[a], tier[a] > tier[b])
    device_a, device_b = found.a[cable].astype(np.int64), found.b[cable].astype(np.int64)
    return Graph(
        node, nodes, is_switch, tier, np.where(swap, b, a), np.where(swap, a, b),
        np.where(swap, device_b, device_a), cable, guessed, int((groups >= 0).sum()), chassis,
    )  # fmt: skip


def _kinds(found: Discovery) -> tuple[npt.NDArray[np.int8], bool]:
    """Return the kind of each device; unknown ones are switches where they have many cables, or no switch at hand."""
    kind = found.kind.copy()
    unknown = np.flatnonzero(kind == UNKNOWN)
    if not len(unknown):
        return kind, False
    cables = np.bincount(np.concatenate([found.a, found.b]), minlength=found.devices)
    known = cables[kind == SWITCH]
    most = int(known.max()) if len(known) else int(cables.max())
    kind[unknown] = np.where(cables[unknown] * 4 > most, SWITCH, HOST)
    return kind, True


def _group_unnamed(found: Discovery, kind: npt.NDArray[np.int8]) -> Ints:
    """Return the group of each adapter that no file names, by its first device; -1 of others, shape (devices,)."""
    groups = np.full(found.devices, -1)
    ends = np.concatenate([found.a, found.b]).astype(np.int64)
    lone = np.array([
        what == HOST and not name and len(code) == GUID_DIGITS
        for what, name, code in zip(kind.tolist(), found.names, found.hardware_ids, strict=True)
    ], np.bool_)  # fmt: skip
    far, far_port = np.concatenate([found.b, found.a]), np.concatenate([found.b_port, found.a_port])
    rows = np.flatnonzero(lone[ends] & (kind[far] == SWITCH))
    devices, first = np.unique(ends[rows], return_index=True)
    if not len(devices):
        return groups
    rows = rows[first]
    guids = np.array([int(found.hardware_ids[device], 16) for device in devices.tolist()], np.uint64)
    group = group_adapters(guids, far[rows].astype(np.int64), far_port[rows].astype(np.int64))
    groups[devices] = np.where(group >= 0, devices[group], -1)
    return groups


def _nodes(found: Discovery, kind: npt.NDArray[np.int8], groups: Ints) -> tuple[Ints, int]:
    numbered: dict[object, int] = {}
    node = np.full(found.devices, -1)
    for row, (name, system, what, group) in enumerate(
        zip(found.names, found.systems, kind.tolist(), groups.tolist(), strict=True)
    ):
        if what == AGGREGATION:
            continue
        if what == HOST and name:
            key: object = ("host", name.lower())
        elif group >= 0:
            key = ("group", group)
        else:
            key = ("system", system) if what == HOST and system else row
        node[row] = numbered.setdefault(key, len(numbered))
    return node, len(numbered)


def _tiers(nodes: int, is_switch: npt.NDArray[np.bool_], a: Ints, b: Ints) -> Ints:
    """Return the tier of each switch: its distance from hosts, where a few cables that skip a tier do not count."""
    to_host = is_switch[a] != is_switch[b]
    hosts = np.bincount(np.where(is_switch[a], a, b)[to_host], minlength=nodes)
    between = is_switch[a] & is_switch[b] & (a != b)
    one, two = np.concatenate([a[between], b[between]]), np.concatenate([b[between], a[between]])
    links = np.bincount(one, minlength=nodes)
    leaf = hosts > 0
    few = leaf & (hosts <= FEW_HOSTS * (hosts + links))
    # A switch of few hosts most of whose neighbours are leaves of many is above them; so is one of very few.
    beside = np.bincount(one, (leaf & ~few)[two].astype(np.float64), nodes)
    if (leaf & ~few).any():
        leaf &= ~(few & ((beside * 2 >= links) | (hosts <= STRAY_HOSTS * (hosts + links))))
    tier = leaf.astype(np.int64)
    reached, level = leaf, 1
    while reached.any():
        down = np.bincount(two, reached[one].astype(np.float64), nodes)
        open_ = (tier == 0) & is_switch & (down > 0)
        sure = open_ & (down >= STRAY_LINKS * links)
        reached = sure if sure.any() else open_
        level += 1
        tier[reached] = level
    return tier
