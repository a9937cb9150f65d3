"""Whether cables may be bent as trays and racks turn, where the least bend radius and the turn are both known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog.cable_diameters import DIAMETERS_MM, RACK_BEND_DIAMETERS, TRAY_BEND_DIAMETERS
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
    for kind in KINDS:
        held = servers == (kind == "server")
        bent[kind] = held[one] | held[other]
    turns = {"tray": layout.site.trays.bend_radius_mm}
    turns |= {kind: layout.site.racks[kind].bend_radius_mm for kind in KINDS}
    for where, chosen in bent.items():
        for number, bundle in enumerate(network.bundles):
            cables = _count_cables(wiring, chosen & (network.bundle == number))
            if cables:
                part = wiring.compositions[bundle]
                names = (part.joint.name, part.media) if part else ("", "")
                yield Bend(where, bundle, *names, cables, _least_mm(wiring, bundle, where), turns[where])


def _count_cables(wiring: Wiring, links: npt.NDArray[np.bool_]) -> int:
    return len(np.unique(wiring.cable[links]))


def _least_mm(wiring: Wiring, bundle: str, where: str) -> float | None:
    """Return the least bend radius of the cables of a bundle in mm; None where it is not known."""
    part = wiring.compositions[bundle]
    if part is None:
        return None
    diameter = wiring.layout.site.diameters_mm.get(part.joint.name, DIAMETERS_MM.get(part.media))
    factor = (TRAY_BEND_DIAMETERS if where == "tray" else RACK_BEND_DIAMETERS).get(part.media)
    return None if diameter is None or factor is None else factor * diameter
