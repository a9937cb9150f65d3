"""A fabric in its halls: the position of every rack, and the rack and rack unit of every device."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns
from fabric.layout.spots import Spots, spots_of
from fabric.network import Network
from fabric.request.site import Hall, RackKind, Site

__all__ = ["FOOT_M", "RACK_DEPTH_M", "UNIT_M", "Layout"]

RACK_DEPTH_M = 1.2
"""The depth of a rack as it is drawn, in metres."""

UNIT_M = 0.04445
"""The height of a rack unit in metres (EIA-310)."""

FOOT_M = 0.1
"""The height of the lowest rack unit above the floor, in metres."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Layout(FrozenColumns):
    """Racks and devices on the floor, in read-only columns.

    Racks are numbered hall by hall and row by row, devices as in `network`.
    """

    site: Site
    """The site as it was asked for."""
    network: Network
    """The devices and links that are laid out: those of the fabric, and its appliances after them."""
    halls: tuple[Hall, ...]
    """The halls that are used, with their places."""
    hall: Ints
    """The index in `halls` of each rack's hall, shape (racks,)."""
    row: Ints
    """The row of each rack, from 0, shape (racks,)."""
    position: Ints
    """The position of each rack in its row, from 0, shape (racks,)."""
    holds_servers: npt.NDArray[np.bool_]
    """Whether each rack is one for servers; the others are network racks, shape (racks,)."""
    device_rack: Ints
    """The rack of each device, shape (devices,)."""
    device_unit: Ints
    """The lowest rack unit of each device, from 1 at the foot, shape (devices,)."""
    device_height: Ints
    """The height of each device in rack units, shape (devices,)."""
    rack_w: npt.NDArray[np.float64]
    """The most power of the devices of each rack whose power is known, in W, shape (racks,)."""
    rack_kg: npt.NDArray[np.float64]
    """The weight of the devices of each rack whose weight is known, in kg, shape (racks,)."""
    power_known: npt.NDArray[np.bool_]
    """Whether `rack_w` is all of a rack's power, shape (racks,)."""
    weight_known: npt.NDArray[np.bool_]
    """Whether `rack_kg` is all of a rack's weight, shape (racks,)."""
    assumed_heights: tuple[str, ...] = ()
    """The models whose height is not known and assumed."""
    unknown_power: tuple[str, ...] = ()
    """The models whose power is not known: racks are not checked for theirs."""
    unknown_weights: tuple[str, ...] = ()
    """The models whose weight is not known: racks are not checked for theirs."""
    own_racks: bool = False
    """Whether a server is a rack itself, which brings its own power and weight."""
    reserved: Ints = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    """The positions reserved for racks of later stages of growth: hall, row and position, shape (positions, 3)."""
    reserved_units: Ints = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    """Room reserved in these racks for devices of later stages: rack, lowest unit and height, shape (devices, 3)."""

    @property
    def racks(self) -> int:
        """The number of racks."""
        return len(self.hall)

    def rack_limits(self, rack: int) -> tuple[float | None, float | None]:
        """Return the most power in kW and the most weight in kg of a rack; None where there is no limit."""
        if self.own_racks and self.holds_servers[rack]:
            return None, None
        kind = self.rack_kind(rack)
        return kind.most_kw, kind.weight_kg

    def rack_kind(self, rack: int) -> RackKind:
        """Return what a rack offers."""
        return self.site.racks["server" if self.holds_servers[rack] else "network"]

    @property
    def spots(self) -> Spots:
        """The position of each rack, with the middle of it in metres, columns of shape (racks,)."""
        return spots_of(self.halls, self.hall, self.row, self.position)

    @property
    def device_z_m(self) -> npt.NDArray[np.float64]:
        """The height of the middle of each device above the floor, in metres, shape (devices,)."""
        return np.asarray(FOOT_M + (self.device_unit - 1 + self.device_height / 2) * UNIT_M)

    def rack_names(self) -> list[str]:
        """Return the name of every rack: hall, row and position, such as `A03-12`."""
        rows = len(str(max(hall.rows for hall in self.halls)))
        places = max(2, len(str(max(hall.racks_per_row for hall in self.halls))))
        halls = [hall.name for hall in self.halls]
        return [
            f"{halls[hall]}{row + 1:0{max(2, rows)}d}-{position + 1:0{places}d}"
            for hall, row, position in zip(self.hall.tolist(), self.row.tolist(), self.position.tolist(), strict=True)
        ]
