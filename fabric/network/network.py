"""The network laid out as numpy columns: every device and every link a row, with the ports at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.frozen_columns import FrozenColumns
from fabric.presented import Presented

__all__ = ["Devices", "Network", "axis_label"]


def axis_label(axis: str) -> str:
    """Return the name of an axis in those of devices: `slot` of `slot hgx-h100`, which only these servers have."""
    return axis.partition(" ")[0]


@dataclass(frozen=True)
class Devices:
    """The devices of one role, in consecutive rows."""

    role: str
    """The role: `server`, `leaf` and so on."""
    first: int
    """The row of the first device."""
    count: int
    """The number of devices."""
    axes: tuple[str, ...]
    """The axes of a device's coordinates, which are the digits of its row, the last fastest."""
    shape: tuple[int, ...]
    """The size of each axis."""
    offset: int = 0
    """The places before that of the first device, where places on these axes are numbered through."""

    def name(self, row: int) -> str:
        """Return the name of the device in `row`, such as `leaf[pod=3,block=0,rail=5]`; raises IndexError outside."""
        return f"{self.role}[{','.join(f'{axis_label(axis)}={digit}' for axis, digit in self.digits(row).items())}]"

    def digits(self, row: int) -> dict[str, int]:
        """Return the coordinates of the device in `row`; raises IndexError outside."""
        if not self.first <= row < self.first + self.count:
            raise IndexError(f"row {row} is not a {self.role}")
        return self.digits_of(row - self.first)

    def digits_of(self, number: int) -> dict[str, int]:
        """Return the coordinates of the group's device of this number, from 0."""
        coordinates = np.unravel_index(number + self.offset, self.shape) if self.shape else ()
        return {axis: int(value) for axis, value in zip(self.axes, coordinates, strict=True)}

    def coordinates(self) -> dict[str, npt.NDArray[np.int64]]:
        """Return the coordinate of every device on each axis, arrays of shape (count,)."""
        values = np.unravel_index(np.arange(self.count) + self.offset, self.shape) if self.shape else ()
        return dict(zip(self.axes, values, strict=True))

    def names(self) -> list[str]:
        """Return the names of all devices, in order."""
        coordinates = self.coordinates()
        if not coordinates:
            return [f"{self.role}[]"] * self.count
        form = f"{self.role}[{','.join(f'{axis_label(axis)}={{}}' for axis in coordinates)}]"
        return list(map(form.format, *(column.tolist() for column in coordinates.values())))

    def row(self, digits: Mapping[str, int]) -> int:
        """Return the row of the device with these coordinates, 0 where left out; other axes are ignored."""
        row = 0
        for axis, size in zip(self.axes, self.shape, strict=True):
            row = row * size + digits.get(axis, 0)
        return self.first + row - self.offset


@dataclass(frozen=True, eq=False, repr=False)
class Network(FrozenColumns, Presented):
    """Devices and links of a fabric. A link is one row of every column; columns are read-only, shape (links,).

    Links are ordered by bundle, and within a bundle by their lower end.
    """

    groups: tuple[Devices, ...]
    """The devices, role by role, the servers first."""
    bundles: tuple[str, ...]
    """The names of the bundles."""
    bundle_gbps: tuple[int, ...]
    """The rate of each bundle's links in Gb/s, one direction."""
    lower: npt.NDArray[np.int32]
    """The row of the device at the lower end."""
    upper: npt.NDArray[np.int32]
    """The row of the device at the upper end."""
    lower_port: npt.NDArray[np.uint16]
    """The port at the lower end, from 0: of a server those of its NICs, of a switch the ports down, then those up."""
    upper_port: npt.NDArray[np.uint16]
    """The port at the upper end, numbered likewise."""
    bundle: npt.NDArray[np.uint8]
    """The index of the link's bundle in `bundles`."""
    kinds: int = 1
    """The kinds of servers: the first of `groups`."""
    appliances: int = 0
    """The appliances, where they are among the devices: the last of `groups` and of `bundles`."""

    def __repr__(self) -> str:
        return f"<Network: {units.count_noun(self.devices, 'device')}, {units.count_noun(self.links, 'link')}>"

    @property
    def devices(self) -> int:
        """The number of devices, servers included."""
        return sum(group.count for group in self.groups)

    @property
    def links(self) -> int:
        return len(self.lower)

    @property
    def servers(self) -> Devices:
        """The servers; of unlike ones the first kind."""
        return self.groups[0]

    @property
    def server_count(self) -> int:
        """The number of servers of all kinds, whose rows come first."""
        return sum(group.count for group in self.groups[: self.kinds])

    @property
    def rate_gbps(self) -> npt.NDArray[np.int32]:
        """The rate of each link in Gb/s, one direction, shape (links,)."""
        return np.asarray(self.bundle_gbps, np.int32)[self.bundle]

    @property
    def role(self) -> npt.NDArray[np.uint8]:
        """The index in `groups` of each device, shape (devices,)."""
        return np.repeat(np.arange(len(self.groups), dtype=np.uint8), [group.count for group in self.groups])

    @property
    def nbytes(self) -> int:
        """The bytes that the columns take."""
        return sum(column.nbytes for column in (self.lower, self.upper, self.lower_port, self.upper_port, self.bundle))

    def group(self, role: str) -> Devices:
        """Return the devices of `role`; raises KeyError when there are none."""
        return {group.role: group for group in self.groups}[role]

    def name(self, row: int) -> str:
        """Return the name of the device in `row`; raises IndexError outside."""
        for group in self.groups:
            if row < group.first + group.count:
                return group.name(row)
        raise IndexError(f"row {row} of {self.devices} devices")

    def names(self) -> list[str]:
        """Return the names of all devices, row by row."""
        return [name for group in self.groups for name in group.names()]

    def degrees(self) -> npt.NDArray[np.int64]:
        """Return the links that end at each device, shape (devices,)."""
        ends = (self.lower, self.upper)
        return np.asarray(sum(np.bincount(end, minlength=self.devices) for end in ends), np.int64)

    def counts(self) -> Mapping[str, int]:
        """Return the number of links of each bundle, by its name."""
        totals = np.bincount(self.bundle, minlength=len(self.bundles))
        return {name: int(total) for name, total in zip(self.bundles, totals, strict=True)}
