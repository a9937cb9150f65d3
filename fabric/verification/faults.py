"""What is wrong with a fabric as it was built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["HARMLESS", "Fault", "FaultKind", "Move"]


class FaultKind(Enum):
    """The kinds of faults; the values are what files call them."""

    SWAPPED = "swapped pair"
    """Two cables have each other's place at one end."""
    RAILS = "rails exchanged"
    """Two cables of one host have each other's place."""
    PORT = "wrong port"
    """A cable ends at the right device, in the wrong port."""
    RAIL = "wrong rail"
    """It ends at a switch of another rail."""
    PLANE = "wrong plane"
    """It ends at a switch of another plane."""
    UNIT = "wrong unit"
    """It ends at a device of another unit or pod."""
    DEVICE = "wrong device"
    """It ends at any other wrong device."""
    MOVED = "wrong place"
    """Both its ends are elsewhere, and a planned cable of its kind is missing."""
    EXTRA = "extra"
    """It is not in the plan, and no planned cable of its kind is missing."""
    MISSING = "missing"
    """A planned cable is not there, or is down."""
    ABSENT = "absent device"
    """A planned device is nowhere in the files."""
    UNKNOWN = "unknown device"
    """A device is not in the plan, and its cables tell nothing of what it may be."""
    NAME = "wrong name"
    """A device has the name of another, whose place it has."""
    SLOW = "slow"
    """A cable runs below the planned rate."""
    NARROW = "narrow"
    """A cable has fewer lanes in use than others of its bundle."""
    TWICE = "port seen twice"
    """The files name two neighbours of one port."""
    CROSSED = "crossed lanes"
    """The two lanes of a twin-port cable are crossed, which changes nothing."""


HARMLESS = frozenset({FaultKind.CROSSED})
"""What needs no work."""


@dataclass(frozen=True)
class Move:
    """One cable end that is unplugged and put elsewhere."""

    cable: str
    """The label of the cable's other end: device and port."""
    from_device: str
    """Where it is plugged now."""
    from_port: str
    """The port there, as the files name it."""
    from_rack: str
    """The rack there; empty where the plan does not know the device."""
    from_unit: int | None
    """The rack unit there; None where the plan does not know the device."""
    to_device: str
    """Where it belongs."""
    to_port: str
    """The port there, as the plan names it."""
    to_rack: str
    """The rack there."""
    to_unit: int | None
    """The rack unit there."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and what fixes it."""

    kind: FaultKind
    """What is wrong."""
    text: str
    """What it is, for people, with devices and ports."""
    devices: tuple[str, ...]
    """The devices concerned, by the names of the plan where it knows them."""
    links: tuple[int, ...]
    """The planned cables that are not there until it is fixed, by their rows in the network, ascending."""
    cables: tuple[int, ...]
    """The cables concerned, by their rows in the discovery, ascending."""
    moves: tuple[Move, ...]
    """The cable ends to move."""
    place: str = ""
    """Where a file says it, as `file:line`; empty for what no file has."""
    share_lost: float | None = None
    """The share of all-reduce bandwidth that the GPUs left lose while its cables are down; None if not estimated."""
    gpus_lost: int | None = None
    """The GPUs that are cut off while its cables are down; None where it was not estimated."""
