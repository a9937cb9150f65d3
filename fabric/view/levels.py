"""The levels of detail at which a fabric is looked at, the coarsest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LEVELS", "READABLE", "Level"]

READABLE = 2000
"""The most nodes that a picture can be read with."""


@dataclass(frozen=True)
class Level:
    """A level of detail."""

    name: str
    """The word by which a person asks for it."""
    shows: str
    """What a view at this level shows, for help texts."""
    title: str = ""
    """What the title of a view of the whole says after the fabric's name; empty for parts, which are numbered."""
    part: bool = False
    """Whether it shows one numbered part of the fabric, which some fabrics do not have."""
    drawn: bool = True
    """Whether `fabric diagram` draws it."""


LEVELS: Mapping[str, Level] = {
    level.name: level
    for level in (
        Level("fabric", "one node for each group of devices", title="by groups"),
        Level("pod", "one pod", part=True),
        Level("unit", "one scalable unit, device by device", part=True),
        Level("device", "every device", title="device by device", drawn=False),
    )
}
"""The levels by name, the coarsest first."""
