"""The nodes that were discovered: switches, and hosts with all their adapters, and the port at both ends of a cable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.discovery.chassis import chips_per_module, find_chassis, list_inner, number_port
from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, Discovery
from fabric.discovery.neighbours import is_host_port
from fabric.verification.name_list import plain_id

__all__ = ["NO_LABEL", "SeenPorts", "list_seen_ports", "shorten_name"]

Ints = npt.NDArray[np.int64]

MOST_LETTERS = 100
"""The letters of a name in messages: a name of more fills the terminal."""

NO_LABEL = 0
"""The label of a port that the files do not name."""


@dataclass(frozen=True, eq=False)
class SeenPorts:
    """Nodes and cables without those of SHARP's aggregation nodes, which are inside switches."""

    discovery: Discovery
    """What was read."""
    names: tuple[str, ...]
    """The name of each node, empty where the files have none, shape (nodes,)."""
    shared: tuple[str, ...]
    """The name of an adapter that another has too, down to its part: it tells neither; else empty, shape (nodes,)."""
    is_host: npt.NDArray[np.bool_]
    """Whether each node is known to be a host, shape (nodes,)."""
    is_switch: npt.NDArray[np.bool_]
    """Whether each node is known to be a switch, shape (nodes,)."""
    reports: npt.NDArray[np.bool_]
    """Whether a file says what is at the node's own ports, shape (nodes,)."""
    device: Ints
    """The first device of the discovery that is each node, shape (nodes,)."""
    cable: Ints
    """The discovery's row of each cable, shape (cables,)."""
    node: Ints
    """The node at both ends of each cable, shape (cables, 2)."""
    label: Ints
    """The label of the port at both ends of each cable, shape (cables, 2)."""
    labels: tuple[tuple[str, str], ...]
    """Labels: the part of the host that has the port, such as an adapter, and the port's name."""
    unnamed: npt.NDArray[np.bool_]
    """Whether an end is at an adapter that the files do not tell from others of its host, shape (cables, 2)."""

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.names)

    @property
    def cables(self) -> int:
        """The number of cables."""
        return len(self.cable)

    @cached_property
    def is_lone(self) -> npt.NDArray[np.bool_]:
        """Whether each node may be an adapter that nobody named, of which a host may have several, shape (nodes,)."""
        return _find_lone(list(self.names), self.is_switch, self.node)

    def text(self, node: int) -> str:
        """Return what to call a node in messages."""
        return shorten_name(self.names[node] or self.discovery.label(int(self.device[node])))

    def port_text(self, label: int) -> str:
        """Return what to call a port in messages: of an adapter with one port its name alone."""
        part, port = self.labels[label]
        return shorten_name(part if part and port in ("", "1") else f"{part} port {port}" if part else port or "?")


def shorten_name(name: str) -> str:
    """Return a name as messages have it: of a long one its beginning."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}..."


def list_seen_ports(
    discovery: Discovery, names: Mapping[str, str] | None = None, recorded: Mapping[str, str] | None = None
) -> SeenPorts:
    """Return the nodes of a discovery.

    `names` are of devices by their GUID or address, and come before those read; `recorded` are those of devices to
    which the files give no name, or one that others have too.
    """
    given = {plain_id(key): name for key, name in (names or {}).items()}
    recorded = recorded or {}
    kind, doubled = discovery.kind, _find_doubled(discovery)
    own = [
        given.get(code.lstrip("0"), recorded.get(code, "") if twice or not name else name)
        for code, name, twice in zip(discovery.hardware_ids, discovery.names, doubled, strict=True)
    ]
    chassis = find_chassis(discovery)
    node_of, texts = _group_devices(own, kind, chassis)
    device = np.full(len(texts), discovery.devices, np.int64)
    rows = np.flatnonzero(node_of >= 0)
    np.minimum.at(device, node_of[rows], rows)
    reports, is_host, is_switch = (np.zeros(len(texts), np.bool_) for _ in range(3))
    for marks, holds in ((reports, discovery.own_record), (is_host, kind == HOST), (is_switch, kind == SWITCH)):
        np.logical_or.at(marks, node_of[rows], holds[rows])
    ends = np.column_stack((discovery.a, discovery.b)).astype(np.int64)
    kept: npt.NDArray[np.bool_] = np.all(node_of[ends] >= 0, axis=1)
    kept[list_inner(discovery, chassis)] = False
    cable = np.flatnonzero(kept)
    ports = np.column_stack((discovery.a_port, discovery.b_port)).astype(np.int64)[cable]
    label, labels = _label_ports(discovery, _name_parts(discovery, chassis), ends[cable], ports)
    node = node_of[ends[cable]]
    bare = np.array([not part for part in discovery.parts], np.bool_)
    several = np.bincount(node_of[rows], minlength=len(texts)) > 1
    unnamed = bare[ends[cable]] & several[node] & ~is_switch[node] & ~_tell_adapters(labels, node, label)
    shared = tuple(discovery.names[row] if doubled[row] and not own[row] else "" for row in device.tolist())
    return SeenPorts(
        discovery, tuple(texts), shared, is_host, is_switch, reports, device, cable, node, label, labels,
        unnamed | _find_lone(texts, is_switch, node)[node],
    )  # fmt: skip


def _tell_adapters(labels: tuple[tuple[str, str], ...], node: Ints, label: Ints) -> npt.NDArray[np.bool_]:
    """Return which ports have a name such as `mlx5_3`, which says the adapter, and no other of the host has it."""
    named = np.array([is_host_port(port) for _, port in labels], np.bool_)
    _, of, counts = np.unique(node * len(labels) + label, return_inverse=True, return_counts=True)
    return np.asarray(named[label] & (counts[of].reshape(label.shape) == 1))


def _find_doubled(discovery: Discovery) -> list[bool]:
    """Return which devices are adapters whose name another has too, host and part, as on hosts of one disk image."""
    keys = [
        (name, part) if name and part and kind not in (SWITCH, AGGREGATION) else None
        for name, part, kind in zip(discovery.names, discovery.parts, discovery.kind.tolist(), strict=True)
    ]
    counts = Counter(keys)
    return [key is not None and counts[key] > 1 for key in keys]


def _find_lone(names: list[str], is_switch: npt.NDArray[np.bool_], node: Ints) -> npt.NDArray[np.bool_]:
    """Return which nodes may be adapters that nobody named, of which a host may have several, shape (nodes,)."""
    named = np.array([bool(name) for name in names], np.bool_)
    return ~named & ~is_switch & (np.bincount(node.reshape(-1), minlength=len(names)) <= 2)


def _group_devices(names: list[str], kind: npt.NDArray[np.int8], chassis: Ints) -> tuple[Ints, list[str]]:
    """Return the node of each device, -1 of aggregation nodes, and the name of each node.

    What is not a switch and has the same name is one host, and the chips of a chassis are one switch.
    """
    node_of, texts, hosts = np.full(len(names), -1), list[str](), dict[str, int]()
    for row, (name, each) in enumerate(zip(names, kind.tolist(), strict=True)):
        if each == AGGREGATION:
            continue
        if 0 <= chassis[row] < row:
            node_of[row] = node_of[chassis[row]]
            continue
        if name and each != SWITCH and name in hosts:
            node_of[row] = hosts[name]
            continue
        node_of[row] = len(texts)
        if name and each != SWITCH:
            hosts[name] = len(texts)
        texts.append(name)
    return node_of, texts


def _name_parts(discovery: Discovery, chassis: Ints) -> list[tuple[str, int, int]]:
    """Return for each device its part, and of a director's chip the ports it has and the chips of a module; else 0."""
    found = [(part, 0, 0) for part in discovery.parts]
    for first in np.unique(chassis[chassis >= 0]).tolist():
        chips = np.flatnonzero(chassis == first).tolist()
        modules = chips_per_module([discovery.parts[chip] for chip in chips])
        for chip in chips:
            found[chip] = (discovery.parts[chip], int(discovery.ports[chip]), modules)
    return found


def _label_ports(
    discovery: Discovery, own: list[tuple[str, int, int]], device: Ints, port: Ints
) -> tuple[Ints, tuple[tuple[str, str], ...]]:
    """Return the label of the port at each end, of the shape of `device`, and all labels, the first that of none.

    A label is a part of a device with a port of it; a port on a director's panel has a number of the whole.
    """
    parts = {part: code for code, part in enumerate(dict.fromkeys(own))}
    part_of = np.array([parts[part] for part in own], np.int64)
    width = len(discovery.port_names) + 1
    codes, label = np.unique(part_of[device] * width + port + 1, return_inverse=True)
    words = list(parts)
    labels: dict[tuple[str, str], int] = {}
    own_label = np.zeros(len(codes), np.int64)
    for row, code in enumerate(codes.tolist()):
        (part, ports, chips), name = words[code // width], _port(discovery, code % width - 1)
        number = number_port(part, name, ports, chips) if chips else ""
        own_label[row] = labels.setdefault(("", number) if number else (part, name), len(labels) + 1)
    return own_label[label].reshape(device.shape), (("", ""), *labels)


def _port(discovery: Discovery, code: int) -> str:
    return discovery.port_names[code] if code >= 0 else ""
