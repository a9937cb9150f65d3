"""What real machines say about their cabling: the devices that were found and the cables between them, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns

__all__ = ["AGGREGATION", "HOST", "KINDS", "SWITCH", "UNKNOWN", "Discovery", "Note"]

Kind = Literal["unknown", "switch", "host", "aggregation"]

KINDS: tuple[Kind, ...] = ("unknown", "switch", "host", "aggregation")
"""The kinds of devices, by number: `host` is a host or one of its adapters, `aggregation` SHARP's node in a switch."""

UNKNOWN, SWITCH, HOST, AGGREGATION = range(len(KINDS))


@dataclass(frozen=True)
class Note:
    """What a reader left out or found odd, and why."""

    place: str
    """`file:line`, or the file alone where its format has no lines."""
    text: str
    """What it is, for people."""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, eq=False)
class Discovery(FrozenColumns):
    """The devices and cables that one or more files of discovery tools name, in read-only columns.

    A device is whatever has ports of its own in the files: a switch, a chip of a director switch, a host, or on
    InfiniBand each adapter of a host. A cable is a row, its end `a` the one that was read first. Devices and cables
    stand in the order in which the files name them.
    """

    files: tuple[str, ...]
    """The files, as they were given."""
    formats: tuple[str, ...]
    """The name of the reader that read each file, shape (files,)."""
    texts: tuple[str, ...]
    """What the files call each device, as written, shape (devices,): `node00001 mlx5_0`, `MF0;leaf1:MQM9700/U1`."""
    names: tuple[str, ...]
    """The name that its owner gave each device or its host, empty where the files have none: `node00001`, `leaf1`."""
    parts: tuple[str, ...]
    """Which part of its host or chassis each device is, empty where it is the whole: `mlx5_0`, `HCA-1`, `L11/U1`."""
    hardware_ids: tuple[str, ...]
    """The GUID in 16 hexadecimal digits, or the chassis' address in 12; empty where the files have none."""
    systems: tuple[str, ...]
    """The GUID of the system that each device is part of, in 16 hexadecimal digits; empty where the files have none."""
    models: tuple[str, ...]
    """The model, as far as the files say: `MQM9700`, `MT4129 ConnectX7`; empty where they do not."""
    kind: npt.NDArray[np.int8]
    """What each device is, an index into `KINDS`."""
    ports: npt.NDArray[np.int32]
    """The ports for cables that each device has, without that of an aggregation node; -1 where the files do not say."""
    own_record: npt.NDArray[np.bool_]
    """Whether a file says what is at the device's own ports; otherwise it is known from its neighbours only."""
    device_file: npt.NDArray[np.int32]
    """The file in which each device was found first, an index into `files`."""
    device_line: npt.NDArray[np.int64]
    """The line there, from 1; 0 where the format has no lines."""
    port_names: tuple[str, ...]
    """The names of ports, each once."""
    a: npt.NDArray[np.int32]
    """The device at the first end of each cable, shape (cables,)."""
    b: npt.NDArray[np.int32]
    """The device at the second end."""
    a_port: npt.NDArray[np.int32]
    """The port at the first end, an index into `port_names`; -1 where the files do not say."""
    b_port: npt.NDArray[np.int32]
    """The port at the second end."""
    width: npt.NDArray[np.int8]
    """The lanes of each cable in use, as InfiniBand counts them (4 for `4xNDR`); -1 where the files do not say."""
    rate_gbps: npt.NDArray[np.float64]
    """The rate at which each cable runs, in Gb/s in one direction; NaN where the files do not say."""
    both_sides: npt.NDArray[np.bool_]
    """Whether both ends name the cable, or the file is a list of cables; otherwise only end `a` does."""
    cable_file: npt.NDArray[np.int32]
    """The file that names each cable first, an index into `files`."""
    cable_line: npt.NDArray[np.int64]
    """The line there, from 1; 0 where the format has no lines."""
    notes: tuple[Note, ...] = ()
    """What was left out or is odd, in the order of the files."""

    @property
    def devices(self) -> int:
        """The number of devices."""
        return len(self.texts)

    @property
    def cables(self) -> int:
        """The number of cables."""
        return len(self.a)

    def label(self, device: int) -> str:
        """Return what to call a device in messages: its text, else its hardware's number."""
        return self.texts[device] or self.hardware_ids[device] or "a device without a name"

    def port(self, code: int) -> str:
        """Return the name of a port by its index; `?` for -1."""
        return self.port_names[code] if code >= 0 else "?"

    def place(self, cable: int) -> str:
        """Return where a file names a cable, as `file:line`."""
        line = int(self.cable_line[cable])
        file = self.files[self.cable_file[cable]]
        return f"{file}:{line}" if line else file
