"""The names of switch ports, by the rule of an operating system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.catalog.parts import Switch
from fabric.catalog.ports import PortGroup

__all__ = ["LANES", "PLAIN", "PortNames", "PortPart", "lane_count", "name_nic"]

LANES = {"osfp": 8, "qsfp-dd": 8, "qsfp112": 4, "qsfp56": 4, "qsfp28": 4, "sfp28": 1, "sfp56": 1, "rj45": 1}
"""The electrical lanes of a cage, by its form factor."""

PLAIN = "nos"
"""The rule of plain numbers, for models whose operating system is not known."""


@dataclass(frozen=True)
class PortPart:
    """A native port of a switch, or one of the equal parts into which it is split."""

    port: int
    """The native port, from 0; those for uplinks alone are counted after the others."""
    part: int
    """The part, from 0."""
    parts: int
    """The number of parts; 1 where the port is not split."""


@dataclass(frozen=True)
class PortNames:
    """How an operating system names ports; `data/port_names.yaml` describes the fields of the patterns."""

    name: str
    """The operating system."""
    whole: str
    """The pattern of a port that is not split."""
    split: str
    """The pattern of a part of a port."""
    source: str = ""
    """Where the patterns come from."""

    def spell(self, model: Switch, parts: Sequence[PortPart], alike: int = 1) -> list[str]:
        """Return the names of ports of `model`; `alike` is the greatest number of parts of any of its ports."""
        return [self._spell(model, each, alike) for each in parts]

    def _spell(self, model: Switch, each: PortPart, alike: int) -> str:
        own = model.uplinks if model.uplinks and each.port >= model.ports else None
        ports, before = (own, model.ports) if own else (model, 0)
        place = each.port - before
        per_cage = max(1, ports.ports // (ports.cages or ports.ports))
        lanes = lane_count(ports)
        step = max(1, lanes // each.parts)
        lane = (before * lane_count(model) if own else 0) + place * lanes + each.part * step
        pattern = self.split if each.parts > 1 else self.whole
        return pattern.format(
            port=each.port + 1,
            port0=each.port,
            part=each.part,
            part1=each.part + 1,
            cage=(before if own else 0) + place // per_cage + 1,
            place=place % per_cage + 1,
            lane=lane,
            lane1=each.part * step + 1,
            number=each.port * alike + each.part + 1,
        )


def lane_count(ports: PortGroup) -> int:
    """Return the electrical lanes of a native port; of cages of unknown form as many as it has parts at most."""
    per_cage = max(1, ports.ports // (ports.cages or ports.ports))
    finest = max((ports.links_per_port(rate) for rate in ports.rates), default=1)
    return max(1, LANES.get(ports.cage, finest * per_cage) // per_cage, finest)


def name_nic(names: Sequence[str], place: int) -> str:
    """Return the name of a NIC by its place in its tray, from 0: its own, or `nic3` where none is given."""
    return names[place] if place < len(names) else f"nic{place}"
