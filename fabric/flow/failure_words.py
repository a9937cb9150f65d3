"""The words in which failures are written: devices and links by name, number or share, and what they take down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, nearest
from fabric.flow.checked_arrays import count_before
from fabric.flow.host_links import bundle_rows
from fabric.flow.router import router_of
from fabric.network import Devices, Network, axis_label
from fabric.network.expand import expand, lay_devices
from fabric.topology.topology import PLANE

__all__ = ["FailableParts", "Failed"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_NUMBER = re.compile(r"([a-z][\w-]*)(?::(\d{1,12})|:(\d{0,12}\.?\d{1,12})%)")
_END = r"([a-z][\w-]*)\[([^\[\]]*)\](?::(\d{1,9}))?"
_NAMED = re.compile(_END)
_LINK = re.compile(rf"{_END}--{_END}(?:#(\d{{1,9}}))?")

PORTLESS = (PLANE, "nic", "gpu")
"""The kinds whose ports have no numbers."""

FORMS = (
    "write a kind with a number (leaf:3), a share (link:1%) or axes (leaf[pod=3]), a port (leaf[pod=3]:32), or a link"
    " by its two ends (leaf[pod=3]--spine[spine=2], with #2 the second of parallel ones)"
)


@dataclass(frozen=True, eq=False)
class Failed:
    """What one failure takes down."""

    word: str
    """The failure as it was written."""
    up: Mask
    """Which links it leaves up, shape (links,)."""
    drawn: bool
    """Whether the seed drew which parts fail."""
    parts: FailableParts
    """The parts of the fabric, which have names."""
    devices: Devices | None
    """The group of devices that fail; None where links do."""
    numbers: Rows
    """The number of each failed device in its group, or the row of each failed link."""

    def names(self, most: int | None = None) -> list[str]:
        """Return the names of the failed devices or links, by default of all.

        A link has those of its two ports: `leaf[block=0,rail=3,plane=0]:32--spine[spine=2,plane=0]:7`.
        """
        numbers = self.numbers[:most].tolist()
        if self.devices is not None:
            return [self.devices.name(self.devices.first + number) for number in numbers]
        return [self._name_link(row) for row in numbers]

    def _name_link(self, row: int) -> str:
        network = self.parts.network
        lower, upper = (network.name(int(column[row])) for column in (network.lower, network.upper))
        return f"{lower}:{network.lower_port[row]}--{upper}:{network.upper_port[row]}"


class _Ends(NamedTuple):
    """Which links have a chosen device, and port, at either end."""

    lower: Mask
    """Whether the lower end is chosen, shape (links,)."""
    upper: Mask
    """Whether the upper end is chosen, shape (links,)."""

    @property
    def either(self) -> Mask:
        return self.lower | self.upper


@dataclass(frozen=True)
class FailableParts:
    """The parts of a fabric that may fail, by the words that name them."""

    blueprint: Blueprint
    """The fabric."""

    @cached_property
    def network(self) -> Network:
        """The network, whose links words select."""
        return expand(self.blueprint)

    @cached_property
    def groups(self) -> dict[str, Devices]:
        """The kinds that have axes: the groups of devices, the NICs and GPUs of the servers, and the planes."""
        devices, planes = lay_devices(self.blueprint), self.blueprint.planes
        return (
            devices | _number_servers(self.blueprint, devices) | {PLANE: Devices(PLANE, 0, planes, (PLANE,), (planes,))}
        )

    @cached_property
    def bundles(self) -> dict[str, tuple[int, int]]:
        """The kinds of links: all together, and each bundle, with the first row and the first beyond."""
        return {"link": (0, self.blueprint.links_total), **bundle_rows(self.blueprint)}

    def fail(self, word: str, rng: np.random.Generator) -> Failed:
        """Return what a word takes down, drawn by `rng` where it only says how many; raises InputError."""
        if match := _NUMBER.fullmatch(word):
            kind, number, percent = match.groups()
            return self._draw(word, kind, number, percent, rng)
        if match := _LINK.fullmatch(word):
            return self._fail_links(word, self._find_links(match))
        match = _NAMED.fullmatch(word)
        if not match:
            raise InputError(FORMS)
        kind, axes, port = match.groups()
        if port is not None:
            return self._fail_links(word, np.flatnonzero(self._ends(kind, axes, port).either))
        group, chosen = self._select(kind, axes)
        return self._fail_devices(word, kind, group, np.flatnonzero(chosen), drawn=False)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of parts of every kind that a number may fail of."""
        links = {kind: last - first for kind, (first, last) in self.bundles.items()}
        return {**links, **{kind: group.count for kind, group in self.groups.items()}}

    def fail_numbers(self, kind: str, numbers: Rows, word: str = "", *, drawn: bool = True) -> Failed:
        """Return what the parts of a kind with these numbers, from 0, take down."""
        word = word or f"{kind}:{len(numbers)}"
        if kind in self.groups:
            return self._fail_devices(word, kind, self.groups[kind], numbers, drawn=drawn)
        return self._fail_links(word, self.bundles[kind][0] + numbers, drawn=drawn)

    def _draw(self, word: str, kind: str, number: str | None, percent: str | None, rng: np.random.Generator) -> Failed:
        """Return what a number or a share of a kind takes down: the first of all in an order that `rng` draws."""
        if kind not in self.counts:
            raise InputError(f"unknown kind '{kind}'{nearest(kind, self.counts)}")
        count = self.counts[kind]
        wanted = int(number) if number else _share(float(percent or 0), count)
        if not float(number or percent or 0):
            more = f"{kind}:1 or more" if number else f"{kind}:1%, or {kind}:1 for one of them"
            raise InputError(f"nothing fails; write {more}")
        if wanted > count:
            raise InputError(f"the fabric has only {count:,}")
        return self.fail_numbers(kind, np.sort(rng.permutation(count)[:wanted]), word)

    def _fail_links(self, word: str, rows: Rows, *, drawn: bool = False) -> Failed:
        up = np.ones(self.blueprint.links_total, bool)
        up[rows] = False
        return Failed(word, up, drawn, self, None, rows)

    def _fail_devices(self, word: str, kind: str, group: Devices, numbers: Rows, *, drawn: bool) -> Failed:
        failed = np.zeros(group.count, bool)
        failed[numbers] = True
        up = ~self._touching(kind, failed).either
        return Failed(word, up, drawn, self, group, numbers)

    def _select(self, kind: str, axes: str) -> tuple[Devices, Mask]:
        """Return a kind's group, and which of its devices have the values on axes that the text names."""
        if kind in self.bundles:
            raise InputError(f"a {kind} has no axes; write {kind}:3, {kind}:1%, or one link by its two ends: A--B")
        if kind not in self.groups:
            raise InputError(f"unknown kind '{kind}'{nearest(kind, [*self.bundles, *self.groups])}")
        return self.groups[kind], _choose(self.groups[kind], axes)

    def _find_links(self, match: re.Match[str]) -> Rows:
        """Return the rows of the links between two ends, or of one among the parallel links of each pair."""
        ends, number = (match.groups()[:3], match.groups()[3:6]), match[7]
        one, other = (self._ends(*end) for end in ends)
        rows = np.flatnonzero((one.lower & other.upper) | (one.upper & other.lower))
        if not rows.size:
            raise InputError(f"no link joins these two{self._suggest(one, ends[1][0])}")
        if number is None:
            return rows
        pairs = self.network.lower[rows].astype(np.int64) << 32 | self.network.upper[rows]
        rank = count_before(pairs) + 1
        if not (rank == int(number)).any():
            raise InputError(f"the links of a pair are numbered from 1 to {rank.max()}, so there is no #{number}")
        return np.asarray(rows[rank == int(number)])

    def _suggest(self, one: _Ends, kind: str) -> str:
        """Return a device of this kind that a chosen device does have a link to."""
        group, network = self.groups[kind], self.network
        for chosen, there in ((one.lower, network.upper), (one.upper, network.lower)):
            rows = there[chosen]
            inside = rows[(rows >= group.first) & (rows < group.first + group.count)]
            if inside.size and kind not in PORTLESS:
                return f"; the first has one to {group.name(int(inside[0]))}"
        return f"; the first has none to any {kind}"

    def _ends(self, kind: str, axes: str, port: str | None) -> _Ends:
        """Return which links end at the devices of a kind with these axes, and at this port of theirs."""
        _, chosen = self._select(kind, axes)
        ends = self._touching(kind, chosen)
        if port is None:
            return ends
        if kind in PORTLESS:
            raise InputError(f"a {kind} has no ports that are numbered; name a server or a switch")
        columns = self.network.lower_port, self.network.upper_port
        found = _Ends(*(end & (column == int(port)) for end, column in zip(ends, columns, strict=True)))
        if not found.either.any():
            used = np.concatenate([column[end] for end, column in zip(ends, columns, strict=True)])
            has = f"; its links are on ports {used.min()} to {used.max()}" if used.size else ""
            raise InputError(f"{kind}[{axes}] has no link on port {port}{has}")
        return found

    def _touching(self, kind: str, chosen: Mask) -> _Ends:
        """Return which links end at the chosen devices of a kind."""
        blueprint, network = self.blueprint, self.network
        if kind == "nic":
            nic = router_of(blueprint).nic_of_links()
            lower = np.zeros(blueprint.links_total, bool)
            lower[: len(nic)] = chosen[nic]
            return _Ends(lower, np.zeros_like(lower))
        marked = np.zeros(network.devices, bool)
        if kind == "gpu":
            marked[Hosts.of(blueprint).server_of_gpu(np.flatnonzero(chosen))] = True
        if kind == "server":
            marked[: network.server_count] = chosen
        for group in network.groups:
            if kind == PLANE and PLANE in group.axes:
                marked[group.first : group.first + group.count] = chosen[group.coordinates()[PLANE]]
            elif group.role == kind:
                marked[group.first : group.first + group.count] = chosen
        return _Ends(marked[network.lower], marked[network.upper])


def _number_servers(blueprint: Blueprint, devices: Mapping[str, Devices]) -> dict[str, Devices]:
    """Return all servers, NICs and GPUs by place; unlike ones, whose places differ by kind, are numbered through."""
    if blueprint.kinds:
        gpus = int(Hosts.of(blueprint).first_gpu[-1])
        counts = {"server": blueprint.servers, "nic": blueprint.nics, "gpu": gpus}
        return {kind: Devices(kind, 0, count, (kind,), (count,)) for kind, count in counts.items() if count}
    server = devices[blueprint.topology.server.role]
    each = {"nic": blueprint.server.nics, "gpu": blueprint.server.gpus}
    return {
        part: Devices(part, 0, server.count * count, (*server.axes, part), (*server.shape, count))
        for part, count in each.items()
        if count
    }


def _share(percent: float, count: int) -> int:
    if percent > 100:
        raise InputError("a share is at most 100%")
    return round(percent * count / 100)


def _choose(group: Devices, text: str) -> Mask:
    """Return which devices of a group have the values on axes that `text` names: `pod=3,rail=5`."""
    chosen = np.ones(group.count, bool)
    digits = {axis_label(axis): values for axis, values in group.coordinates().items()}
    for part in text.split(","):
        axis, _, value = (word.strip() for word in part.partition("="))
        if axis not in digits:
            raise InputError(f"a {group.role} has no axis '{axis}'{nearest(axis, digits)}")
        if not (value.isdecimal() and len(value) <= 12):
            raise InputError(f"{axis} takes a whole number, not '{value:.40}'")
        chosen &= digits[axis] == int(value)
    if not chosen.any():
        raise InputError(f"the fabric has no {group.role}[{text}]")
    return chosen
