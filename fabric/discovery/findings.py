"""What a reader finds in one file, before files are merged: devices, and the neighbour that each says to have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import UNKNOWN, Note

__all__ = ["Findings", "PortEnds", "SeenDevice", "port_codes"]


@dataclass
class SeenDevice:
    """A device that a file names."""

    text: str = ""
    """What the file calls it, as written."""
    name: str = ""
    """The name that its owner gave it."""
    part: str = ""
    """Which part of its host or chassis it is."""
    hardware_id: str = ""
    """Its GUID in 16 hexadecimal digits, or its chassis' address in 12."""
    system: str = ""
    """The GUID of its system."""
    model: str = ""
    """Its model."""
    kind: int = UNKNOWN
    """An index into `KINDS`."""
    ports: int = -1
    """Its ports for cables, -1 where the file does not say."""
    own_record: bool = False
    """Whether the file says what is at its own ports."""
    line: int = 0
    """The line where the file names it first, from 1; 0 where the format has no lines."""


@dataclass
class PortEnds:
    """What devices say about their own ports: a row for each neighbour of a port, in columns."""

    device: npt.NDArray[np.int32]
    """The device that says it, a row of the file's devices."""
    port: npt.NDArray[np.int32]
    """Its port, an index into the file's port names, -1 where the file does not say."""
    peer: npt.NDArray[np.int32]
    """The device at the other end."""
    peer_port: npt.NDArray[np.int32]
    """The port there."""
    width: npt.NDArray[np.int8]
    """Lanes, -1 where the file does not say."""
    rate_gbps: npt.NDArray[np.float64]
    """Gb/s in one direction, NaN where the file does not say."""
    line: npt.NDArray[np.int64]
    """The line, from 1; 0 where the format has no lines."""
    peer_alias: npt.NDArray[np.int32]
    """Another name of the port at the other end, such as its description; -1 where there is none."""

    @classmethod
    def of(
        cls,
        near: tuple[npt.ArrayLike, npt.ArrayLike],
        far: tuple[npt.ArrayLike, npt.ArrayLike],
        *,
        width: npt.ArrayLike = -1,
        rate_gbps: npt.ArrayLike = np.nan,
        line: npt.ArrayLike = 0,
        peer_alias: npt.ArrayLike = -1,
    ) -> PortEnds:
        """Return ends in columns of the right types: device and port near and far; one value is that of every row."""
        rows = len(np.atleast_1d(np.asarray(near[0])))
        kinds = (np.int32, np.int32, np.int32, np.int32, np.int8, np.float64, np.int64, np.int32)
        values = (*near, *far, width, rate_gbps, line, peer_alias)
        return cls(*(np.broadcast_to(np.asarray(v, k), rows) for v, k in zip(values, kinds, strict=True)))


@dataclass
class Findings:
    """What a file says."""

    devices: list[SeenDevice]
    """The devices that it names, each once."""
    port_names: tuple[str, ...]
    """The names of ports, each once."""
    ends: PortEnds
    """What is at whose port."""
    both_sides: bool = False
    """Whether each row is a cable of a list, which holds for both ends."""
    loose_ports: bool = False
    """Whether a device may call a neighbour's port otherwise than the neighbour does, as by LLDP."""
    notes: list[Note] = field(default_factory=list)
    """What was left out or is odd."""


def port_codes(names: list[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Return the names of ports, each once, and the index of each; an empty name has none, which is -1."""
    unique = {name: code for code, name in enumerate(dict.fromkeys(name for name in names if name))}
    return tuple(unique), np.array([unique.get(name, -1) for name in names], np.int32)
