"""What stands in racks before these stand anywhere: the rack of every device, and racks that stand side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fabric.layout.device_facts import DeviceFacts

__all__ = ["Block", "RackContents", "count_before"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Racks that stand side by side, in their order."""

    racks: Ints
    """The racks, shape (racks,)."""
    role: str = ""
    """The role of the switches in network racks that stand alone; empty where servers are among them."""
    central: bool = False
    """Whether its switches serve all of a fabric of several blocks: it then stands in the middle of the floor."""


@dataclass
class RackContents:
    """The rack of every device, and the blocks of racks in the order in which they fill the floor."""

    rack: Ints
    """The rack of each device, shape (devices,)."""
    unit: Ints
    """The lowest rack unit of each device, from 1, shape (devices,)."""
    height: Ints
    """The height of each device in rack units, shape (devices,)."""
    power_w: npt.NDArray[np.float64]
    """The most power of each device in W, nan where it is not known, shape (devices,)."""
    weight_kg: npt.NDArray[np.float64]
    """The weight of each device in kg, nan where it is not known, shape (devices,)."""
    server_racks: int
    """The racks for servers, which have the first numbers."""
    network_racks: int = 0
    """The network racks, which have the numbers after them."""
    blocks: list[Block] = field(default_factory=list)
    """The blocks in order."""
    facts: tuple[DeviceFacts, ...] = ()
    """The facts of every model."""
    appliances: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """The rows of the appliances among the devices, shape (appliances,)."""
    homes: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """The switch near which each appliance stands, shape (appliances,)."""
    placed: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Whether each appliance has its place, shape (appliances,)."""

    def drop_empty_racks(self) -> None:
        """Leave out the racks of places without servers, and number the others anew."""
        used = np.zeros(self.server_racks + self.network_racks, np.bool_)
        used[self.rack] = True
        number = np.cumsum(used) - 1
        self.rack = number[self.rack]
        self.server_racks = int(used[: self.server_racks].sum())
        blocks = (replace(block, racks=number[block.racks[used[block.racks]]]) for block in self.blocks)
        self.blocks = [block for block in blocks if len(block.racks)]


def count_before(values: Ints) -> Ints:
    """Return how many times each value has been there before, shape (values,)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values)) - np.repeat(starts, np.diff(np.append(starts, len(values))))
    return ranks
