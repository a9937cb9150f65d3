"""The width and the speed of InfiniBand links, as tools write them: `4xNDR`, `2xHDR`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.errors import InputError

__all__ = ["GENERATIONS", "LANES", "Generation", "write_width"]

LANES = 4
"""The lanes of a port that is not split."""


@dataclass(frozen=True)
class Generation:
    """A generation of InfiniBand, by the rate of one lane."""

    name: str
    """What tools call it."""
    hca: int
    """The device number of a host channel adapter of this generation (pci-ids.ucw.cz, vendor 15b3)."""
    switch: int
    """The device number of a switch of this generation."""


GENERATIONS: Mapping[int, Generation] = {
    25: Generation("EDR", 0x1013, 0xCB20),
    50: Generation("HDR", 0x101B, 0xD2F0),
    100: Generation("NDR", 0x1021, 0xD2F2),
    200: Generation("XDR", 0x1023, 0xD2F4),
}
"""The generations by the rate of a lane in Gb/s: ConnectX-4, 6, 7, 8; Switch-IB, Quantum, Quantum-2, Quantum-X800."""


def write_width(gbps: int, parts: int, newest: str = "") -> str:
    """Return the width and speed of a link, such as `4xNDR`, given its rate and the parts into which its port is split.

    With `newest`, the name of a generation, later ones are called by that name, for tools that know no later one.
    Raises InputError where the parts do not share the four lanes evenly, or no generation has that rate.
    """
    lanes, rest = divmod(LANES, parts)
    lane, more = divmod(gbps, lanes or 1)
    if rest or more or lane not in GENERATIONS:
        known = ", ".join(f"{LANES * each}" for each in GENERATIONS)
        split = f" on one of {parts} parts of a port" if parts > 1 else ""
        raise InputError(f"no InfiniBand link has {gbps} Gb/s{split}; ports that are not split have {known}")
    names = {each: generation.name for each, generation in GENERATIONS.items()}
    late = newest in names.values() and lane > next(each for each, name in names.items() if name == newest)
    return f"{lanes}x{newest if late else names[lane]}"
