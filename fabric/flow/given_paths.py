"""Paths that a caller gives, checked and laid out as routes: each flow by the links or the devices that are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.checked_arrays import count_before, read_numbers
from fabric.flow.host_links import rate_of_links
from fabric.flow.phase import Phase
from fabric.flow.routes import Routes
from fabric.network import Network, axis_label
from fabric.network.expand import expand

__all__ = ["GivenPaths", "Paths"]

Paths = npt.ArrayLike | Sequence[Sequence[int]] | Sequence[Sequence[str]]
"""For each flow its links, as rows in the network, or its devices by name from the sender's server to the receiver's.

Rows may be an array of shape (paths, hops) padded with -1. Of n times as many paths as flows, n * i to n * i + n - 1
are those of flow i, which carry equal parts.
"""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")

_NAME = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")


@dataclass(frozen=True)
class GivenPaths:
    """Lays out given paths on a fabric."""

    blueprint: Blueprint
    """The fabric."""
    nic_of_links: Rows
    """The NIC of each of the servers' links, which come first in the network, shape (host links,)."""
    up: Mask | None = None
    """Which links are up, shape (links,); None for all."""
    whose: str = ""
    """What stands before the message of a mistake, such as the name of a routing; empty for none."""

    @cached_property
    def network(self) -> Network:
        """The network."""
        return expand(self.blueprint)

    @cached_property
    def ends(self) -> tuple[Rows, Rows]:
        """The vertices at the lower and the upper end of each link: NICs first, then switches, shape (links,) each."""
        nics, servers = self.blueprint.nics, self.network.server_count
        lower, upper = (column.astype(np.int64) - servers + nics for column in (self.network.lower, self.network.upper))
        lower[: len(self.nic_of_links)] = self.nic_of_links
        return lower, upper

    def route(self, phase: Phase, paths: Paths, *, optional: bool = False) -> Routes:
        """Return the routes of flows by these paths, in the order of the flows.

        Raises InputError with the first path that does not begin at its flow's NIC and end at its target's, whose links
        do not meet or are not up, or that passes through servers which do not forward; and, unless paths are
        `optional`, for an empty one between servers.
        """
        rows = self._read(phase, paths)
        used = rows >= 0
        most = rows.shape[1]
        if (gap := used[:, 1:] & ~used[:, :-1]).any():
            self._refuse(int(gap.any(axis=1).argmax()), "a link follows padding; -1 stands only at the end of a path")
        each = len(rows) // max(1, phase.flows)
        source, target = np.repeat(phase.source, each), np.repeat(phase.target, each)
        lone = ~used.any(axis=1) & (self._devices_of(source) != self._devices_of(target))
        if not optional and lone.any():
            self._refuse(int(lone.argmax()), "no links; give one for each hop")
        links = self.network.links
        at, arcs = source.copy(), np.full((len(rows), most), 2 * links, np.int32)
        for hop in range(most):
            on = np.flatnonzero(used[:, hop])
            arcs[on, hop], at[on] = self._follow(rows[on, hop], at[on], on, hop)
            if hop + 1 < most:
                self._check_forwarding(at, used[:, hop + 1], hop)
        if (wrong := used.any(axis=1) & (at != target)).any():
            path = int(wrong.argmax())
            self._refuse(path, f"ends at {self._name(at[path])}; its flow goes to {self._name(target[path])}")
        rates = rate_of_links(self.blueprint)
        return Routes(arcs, np.concatenate([rates, rates, [np.inf]]), lone)

    def _follow(self, rows: Rows, at: Rows, paths: Rows, hop: int) -> tuple[Rows, Rows]:
        """Return the arcs by which paths leave the vertices that they are `at`, and the vertices that these lead to."""
        lower, upper = self.ends
        upwards, downwards = lower[rows] == at, upper[rows] == at
        if (apart := ~(upwards | downwards)).any():
            number = int(apart.argmax())
            ends = f"{self._name(lower[rows[number]])} and {self._name(upper[rows[number]])}"
            self._refuse(
                int(paths[number]), f"link {rows[number]} of hop {hop} joins {ends}, not {self._name(at[number])}"
            )
        if self.up is not None and not self.up[rows].all():
            number = int((~self.up[rows]).argmax())
            ends = f"{self._name(lower[rows[number]])} to {self._name(upper[rows[number]])}"
            self._refuse(int(paths[number]), f"link {rows[number]} of hop {hop}, {ends}, is down")
        arcs = np.where(upwards, rows, self.network.links + rows)
        return arcs, np.where(upwards, upper[rows], lower[rows])

    def _check_forwarding(self, at: Rows, goes_on: Mask, hop: int) -> None:
        """Refuse a path that goes on from a NIC, where servers do not forward."""
        if self.blueprint.topology.routing.server_relay:
            return
        through = goes_on & (at < self.blueprint.nics)
        if through.any():
            path = int(through.argmax())
            self._refuse(path, f"hop {hop} leads to {self._name(at[path])}, which passes on no traffic of others")

    def _read(self, phase: Phase, paths: Paths) -> Rows:
        """Return the link rows of each path, padded with -1, shape (paths, hops)."""
        if isinstance(paths, str) or not hasattr(paths, "__len__"):
            text = f"paths {paths!r:.40}: give for each flow its links or the names of its devices"
            raise InputError(f"{self.whose}{text}")
        given: Any = paths
        count = len(given)
        if count != phase.flows and (not phase.flows or not count or count % phase.flows):
            text = f"paths: {count:,} of {phase.flows:,} flows; give one for each, or the same number for each"
            raise InputError(f"{self.whose}{text}")
        if not isinstance(given, np.ndarray):
            given = [[*path] for path in given]
            width = max(map(len, given), default=0)
            if any(isinstance(hop, str) for path in given for hop in path):
                return self._by_names(phase, given)
            given = [path + [-1] * (width - len(path)) for path in given]
        elif given.dtype.kind in "UO":
            return self._by_names(phase, [[hop for hop in path if hop] for path in given.tolist()])
        found = read_numbers(np.asarray(given).reshape(count, -1), f"{self.whose}paths", dims=2, least=-1)
        if (outside := found >= self.network.links).any():
            path = int(outside.any(axis=1).argmax())
            self._refuse(path, f"link {found[path].max()}: the network has {self.network.links:,}, numbered from 0")
        return found

    def _by_names(self, phase: Phase, paths: list[Any]) -> Rows:
        """Return the links by which paths pass through devices: of parallel ones that are up, flows take turns."""
        width = max(map(len, paths))
        if short := [number for number, path in enumerate(paths) if len(path) < 2]:
            self._refuse(short[0], "fewer than two devices; begin at the sender's server and end at the receiver's")
        names, inverse = np.unique([[*path, *[""] * (width - len(path))] for path in paths], return_inverse=True)
        known = np.array([self._find_device(str(name)) if name else -1 for name in names])
        devices = known[inverse].reshape(len(paths), width)
        if (unknown := devices == -2).any():
            path, hop = (int(each[0]) for each in np.nonzero(unknown))
            group = next(each for each in self.network.groups if each.count)
            self._refuse(path, f"no device '{paths[path][hop]!s:.80}'; names are like {group.name(group.first)}")
        each = len(paths) // phase.flows
        source, target = np.repeat(phase.source, each), np.repeat(phase.target, each)
        last = (devices >= 0).sum(axis=1) - 1
        at, found = source.copy(), np.full((len(paths), width - 1), -1, np.int64)
        first = self._devices_of(source)
        if (wrong := devices[:, 0] != first).any():
            path = int(wrong.argmax())
            self._refuse(path, f"begins at {paths[path][0]}; its flow leaves {self._name(source[path])}")
        for hop in range(width - 1):
            on = np.flatnonzero(last > hop)
            end = np.where(last[on] == hop + 1, target[on], -1)
            if self.blueprint.topology.routing.server_relay and hop + 2 < width:
                relays = np.flatnonzero((last[on] > hop + 1) & (devices[on, hop + 1] < self.network.server_count))
                some = on[relays]
                end[relays] = self._find_relay(at[some], devices[some, hop + 1], devices[some, hop + 2])
            found[on, hop], at[on] = self._choose(at[on], devices[on, hop + 1], end, on, paths, hop)
        return found

    def _find_relay(self, at: Rows, server: Rows, beyond: Rows) -> Rows:
        """Return the first NIC of each server that has links to the vertex before and to the device beyond; else -1."""
        hosts, (by_device, by_head) = Hosts.of(self.blueprint), self._keys
        found, first = np.full(len(at), -1, np.int64), hosts.first_nic_of(server)
        for number in range(int(hosts.nics.max())):
            nic = first + number
            joined = np.isin(self._to_vertex(at, nic), by_head) & np.isin(self._to_device(nic, beyond), by_device)
            good = (found < 0) & (number < hosts.nics_of(server)) & joined
            found[good] = nic[good]
        return found

    def _choose(self, at: Rows, device: Rows, end: Rows, paths: Rows, names: list[Any], hop: int) -> tuple[Rows, Rows]:
        """Return a link from each vertex to a device, and the vertex that it leads to: NIC `end`, unless that is -1.

        Of several links that would do, the paths take turns.
        """
        _, heads, links = self._arcs
        exact = (end >= 0) & (self._devices_of(np.maximum(end, 0)) == device)
        keys = np.where(exact, self._to_vertex(at, end), self._to_device(at, device))
        arc = np.empty(len(at), np.int64)
        for some, columns in zip((~exact, exact), self._keys, strict=True):
            order = np.argsort(columns, kind="stable")
            begin, beyond = (np.searchsorted(columns[order], keys[some], side=side) for side in _SIDES)
            if (none := beyond == begin).any():
                number = int(np.flatnonzero(some)[none.argmax()])
                path, down = int(paths[number]), "" if self.up is None else " that is up"
                there = names[path][hop + 1]
                self._refuse(path, f"hop {hop}: no link{down} joins {self._name(at[number])} and {there}")
            arc[some] = order[begin + count_before(keys[some]) % (beyond - begin)]
        return links[arc], heads[arc]

    def _to_device(self, tails: Rows, devices: Rows) -> Rows:
        """Return one number for each vertex with the device to which a link from it leads."""
        return np.asarray(tails * self.network.devices + devices)

    def _to_vertex(self, tails: Rows, heads: Rows) -> Rows:
        """Return one number for each vertex with the vertex to which a link from it leads."""
        return np.asarray(tails * (self.blueprint.nics + self.network.devices) + heads)

    @cached_property
    def _keys(self) -> tuple[Rows, Rows]:
        """The numbers of all links by device, and by vertex, shape (2 * links,) each."""
        tails, heads, _ = self._arcs
        return self._to_device(tails, self._devices_of(heads)), self._to_vertex(tails, heads)

    @cached_property
    def _arcs(self) -> tuple[Rows, Rows, Rows]:
        """The vertex that each link that is up leaves, the one it enters, in both directions, and its row."""
        lower, upper = self.ends
        links = np.arange(self.network.links) if self.up is None else np.flatnonzero(self.up)
        ends = lower[links], upper[links]
        return np.concatenate(ends), np.concatenate(ends[::-1]), np.tile(links, 2)

    def _devices_of(self, vertices: Rows) -> Rows:
        """Return the device row of each vertex: of a NIC its server's."""
        nics, servers = self.blueprint.nics, self.network.server_count
        server = Hosts.of(self.blueprint).server_of_nic(np.minimum(vertices, nics - 1))
        return np.asarray(np.where(vertices < nics, server, vertices - nics + servers), np.int64)

    def _find_device(self, name: str) -> int:
        """Return the row of the device of this name; -2 where there is none."""
        match = _NAME.fullmatch(name)
        group = next((each for each in self.network.groups if match and each.role == match[1]), None)
        if match is None or group is None:
            return -2
        axes = {axis_label(axis): axis for axis in group.axes}
        pairs = dict(part.split("=", 1) for part in match[2].split(",") if "=" in part)
        if pairs.keys() != axes.keys() or not all(value.isdecimal() and len(value) < 10 for value in pairs.values()):
            return -2
        row = group.row({axes[label]: int(value) for label, value in pairs.items()})
        inside = group.first <= row < group.first + group.count
        return row if inside and group.name(row) == name else -2

    def _name(self, vertex: Any) -> str:
        """Return the name of a vertex: a switch, or the NIC of a server."""
        nics = self.blueprint.nics
        device = int(self._devices_of(np.array([vertex]))[0])
        name = self.network.name(device)
        return name if vertex >= nics else f"{name} NIC {vertex}"

    def _refuse(self, path: int, text: str) -> NoReturn:
        raise InputError(f"{self.whose}path {path}: {text}")
