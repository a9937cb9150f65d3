"""Whether cables may be bent as trays and racks turn, where the least bend radius and the turn are both known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog.cable_diameters import DIAMETERS_MM, RACK_BEND_DIAMETERS, TRAY_BEND_DIAMETERS
from fabric.layout.cables import CableKind
from fabric.layout.wiring import Wiring
from fabric.request.site import KINDS

__all__ = ["Bend", "list_bends"]


@dataclass(frozen=True)
class Bend:
    """The cables of one bundle, of one medium and part, where trays or one kind of rack bend them."""

    where: str
    """What bends them: `tray`, `server` or `network` for a kind of rack."""
    bundle: str
    """The bundle."""
    part: str
    """The cable or fibre; empty where none is known."""
    media: str
    """Its medium; empty where none is known."""
    cables: int
    """The cables that are bent there."""
    least_mm: float | None
    """The least radius of the cable in mm; None where its diameter is not known."""
    turn_mm: float | None
    """The radius at which the site says that cables turn, in mm; None where it says nothing."""

    @property
    def too_tight(self) -> bool | None:
        """Whether the cables are bent more than they may be; None where that is not known."""
        return None if self.least_mm is None or self.turn_mm is None else self.turn_mm < self.least_mm * (1 - 1e-9)


def list_bends(wiring: Wiring) -> Iterator[Bend]:
    """Yield where the cables of each bundle are bent: in trays between racks, and in racks of either kind."""
    layout, network = wiring.layout, wiring.network
    one, other = layout.device_rack[network.lower], layout.device_rack[network.upper]
    servers = layout.holds_servers
    bent = {"tray": one != other}
    for rack in KINDS:
        held = servers == (rack == "server")
        bent[rack] = held[one] | held[other]
    turns = {"tray": layout.site.trays.bend_radius_mm}
    turns |= {rack: layout.site.racks[rack].bend_radius_mm for rack in KINDS}
    for where, chosen in bent.items():
        for number, kind in enumerate(wiring.kinds):
            cables = _count_cables(wiring, chosen & (wiring.kind == number))
            if cables:
                media = kind.found.media if kind.found else ""
                least = _least_mm(wiring, kind, where)
                yield Bend(where, kind.bundle, kind.part, media, cables, least, turns[where])


def _count_cables(wiring: Wiring, links: npt.NDArray[np.bool_]) -> int:
    counted = np.zeros(int(wiring.cable.max(initial=-1)) + 1, np.bool_)  # far faster than to sort millions of links
    counted[wiring.cable[links]] = True
    return int(counted.sum())


def _least_mm(wiring: Wiring, kind: CableKind, where: str) -> float | None:
    """Return the least bend radius of the cables of a kind in mm; None where it is not known."""
    if kind.found is None:
        return None
    media = kind.found.media
    diameter = wiring.layout.site.diameters_mm.get(kind.part, DIAMETERS_MM.get(media))
    factor = (TRAY_BEND_DIAMETERS if where == "tray" else RACK_BEND_DIAMETERS).get(media)
    return None if diameter is None or factor is None else factor * diameter
