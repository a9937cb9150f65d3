"""What SONiC must be told of the ports of a switch: lanes of its chip, aliases, indices, and how ports are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric.catalog.port_names import PortPart
from fabric.frozen import FrozenMapping

__all__ = ["SonicPorts"]


@dataclass(frozen=True)
class SonicPorts:
    """The ports of a switch model in SONiC; `data/sonic_ports.yaml` describes the fields."""

    name: str
    """The model."""
    first_lanes: tuple[int, ...]
    """The first lane of the chip at each port; empty where they follow each other from 0."""
    whole: str
    """The pattern of the alias of a port that is not split."""
    split: str
    """The pattern of the alias of a part of a port."""
    first_index: int | None = None
    """The index of the first port; None where it is not known."""
    modes: Mapping[int, str] = field(default_factory=FrozenMapping)
    """The words for how a port is split, by its parts, where they are known."""
    source: str = ""
    """Where these facts come from."""

    def lanes(self, each: PortPart, port_lanes: int) -> tuple[int, ...]:
        """Return the lanes of a port, or of a part of one, of a model whose ports have `port_lanes` lanes."""
        width = port_lanes // each.parts
        first = self.first_lanes[each.port] if self.first_lanes else each.port * port_lanes
        return tuple(range(first + each.part * width, first + (each.part + 1) * width))

    def alias(self, each: PortPart) -> str:
        """Return the alias of a port, or of a part of one."""
        pattern = self.split if each.parts > 1 else self.whole
        return pattern.format(port=each.port + 1, part1=each.part + 1, letter=chr(ord("a") + each.part))

    def index(self, each: PortPart) -> int | None:
        """Return the index of a port, which all its parts share; None where it is not known."""
        return None if self.first_index is None else self.first_index + each.port
