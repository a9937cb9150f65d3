"""The fabric laid out as columns: every device and every link with both ends' ports, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Devices", "Network"]


@dataclass(frozen=True)
class Devices:
    """The devices of one role: `count` rows from `first`, their coordinates the row's digits in the axes' sizes."""

    role: str
    first: int
    count: int
    axes: tuple[str, ...]
    shape: tuple[int, ...]

    def name(self, row: int) -> str:
        """Return the name of the device in `row`, such as `leaf[pod=3,block=0,rail=5]`; raises IndexError outside."""
        return f"{self.role}[{','.join(f'{axis}={digit}' for axis, digit in self.digits(row).items())}]"

    def digits(self, row: int) -> dict[str, int]:
        """Return the coordinates of the device in `row`; raises IndexError outside."""
        if not self.first <= row < self.first + self.count:
            raise IndexError(f"row {row} is no {self.role}")
        coordinates = np.unravel_index(row - self.first, self.shape) if self.shape else ()
        return {axis: int(value) for axis, value in zip(self.axes, coordinates, strict=True)}

    def row(self, digits: Mapping[str, int]) -> int:
        """Return the row of the device with these coordinates, those left out being 0, and other axes no matter."""
        row = 0
        for axis, size in zip(self.axes, self.shape, strict=True):
            row = row * size + digits.get(axis, 0)
        return self.first + row


@dataclass(frozen=True, eq=False)
class Network:
    """Devices and links of a fabric; a link is one row of each column, arrays of shape (links,), read-only.

    `lower` and `upper` are device rows, `lower_port` and `upper_port` the port at each end, counted from 0: on a server
    its NICs' ports, on a switch the ports down first and then those up. `bundle` indexes `bundles`, whose links run at
    `bundle_gbps`. Links stand bundle by bundle, in the order of their lower ends.
    """

    groups: tuple[Devices, ...]
    bundles: tuple[str, ...]
    bundle_gbps: tuple[int, ...]
    lower: npt.NDArray[np.int32]
    upper: npt.NDArray[np.int32]
    lower_port: npt.NDArray[np.uint16]
    upper_port: npt.NDArray[np.uint16]
    bundle: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        for column in (self.lower, self.upper, self.lower_port, self.upper_port, self.bundle):
            column.flags.writeable = False

    @property
    def devices(self) -> int:
        """The number of devices, servers included."""
        return sum(group.count for group in self.groups)

    @property
    def links(self) -> int:
        return len(self.lower)

    @property
    def servers(self) -> Devices:
        return self.groups[0]

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

    def degrees(self) -> npt.NDArray[np.int64]:
        """Return the links that end at each device, shape (devices,)."""
        ends = (self.lower, self.upper)
        return np.asarray(sum(np.bincount(end, minlength=self.devices) for end in ends), np.int64)

    def counts(self) -> Mapping[str, int]:
        """Return the number of links of each bundle, by its name."""
        totals = np.bincount(self.bundle, minlength=len(self.bundles))
        return {name: int(total) for name, total in zip(self.bundles, totals, strict=True)}
