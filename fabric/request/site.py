"""The site that a fabric is laid out on: halls, racks, cable trays, and how devices and ports are placed and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric.frozen import freeze

__all__ = ["FEEDS", "KINDS", "LAYOUTS", "Hall", "Place", "RackKind", "Site", "Trays"]

LAYOUTS: dict[str, str] = {
    "middle-of-row": "the leaves of a group of units stand in network racks in the middle of its server racks",
    "end-of-row": "the leaves of a group of units stand in network racks at the end of its server racks",
    "in-rack": "leaves stand in the racks of their servers",
    "network-rows": "all switches stand together, in rows of network racks",
}
"""The rules of placement, each with what it does."""

FEEDS = ("A", "B")
"""The power feeds."""

KINDS = ("server", "network")
"""The kinds of racks: those with servers, and those with switches alone."""


@dataclass(frozen=True)
class Hall:
    """A room with equal rows of racks, whose fronts all look the same way."""

    name: str
    """Its name, which begins the names of its racks."""
    rows: int
    """Its rows."""
    racks_per_row: int
    """The rack positions of a row."""
    row_pitch_m: float = 3.0
    """From a row to the next, in metres: a rack's depth and half of both aisles."""
    rack_pitch_m: float = 0.6
    """From a rack to the next, in metres."""
    x_m: float | None = None
    """Where its first rack stands along the rows, in metres; None beside the hall before it."""
    y_m: float | None = None
    """Where its first row stands across the rows, in metres; None in line with the hall before it."""

    @property
    def positions(self) -> int:
        """The rack positions of all rows."""
        return self.rows * self.racks_per_row

    @property
    def length_m(self) -> float:
        """The length of a row in metres."""
        return self.racks_per_row * self.rack_pitch_m


@dataclass(frozen=True)
class RackKind:
    """What a kind of rack offers."""

    units: int = 42
    """Its height in rack units."""
    power_kw: float | None = 45
    """The power that it is fed with, in kW; None is no limit."""
    cooling_kw: float | None = None
    """The heat that is taken away, in kW; None is no limit beside the power."""
    weight_kg: float | None = None
    """The weight that it and the floor carry, in kg; None is not checked."""
    bend_radius_mm: float | None = None
    """The radius at which cables turn in it, in mm; None is not checked."""
    switch_units: tuple[int, ...] = ()
    """The rack units, from 1 at the foot, whose lowest unit a switch may have, in the order of use; none for the top of
    a rack with servers, and for the foot of a network rack."""

    @property
    def most_kw(self) -> float | None:
        """The most power that may be drawn in it, in kW: what it is fed with, and what is cooled."""
        known = [each for each in (self.power_kw, self.cooling_kw) if each is not None]
        return min(known) if known else None


@dataclass(frozen=True)
class Place:
    """Where switches stand: a hall, or some of its rack positions."""

    hall: str
    """The name of the hall."""
    row: int | None = None
    """The row, from 1; None for any."""
    first: int | None = None
    """The first rack position of the row, from 1; None for any."""
    last: int | None = None
    """The last rack position of the row."""


@dataclass(frozen=True)
class Trays:
    """The cable trays: one above every row, and cross trays over the rows at some places."""

    height_m: float = 2.8
    """Their height above the floor, in metres."""
    cross_aisles_m: tuple[float, ...] = ()
    """Where the cross trays are, in metres from the first rack of a row; none for both ends and the middle."""
    width_mm: float = 600
    """The inner width of a tray, in mm."""
    depth_mm: float = 100
    """The inner depth of a tray, in mm."""
    fill: float = 0.5
    """The share of a tray's cross-section that cables may take."""
    bend_radius_mm: float | None = None
    """The radius at which trays turn and cables leave them, in mm; None is not checked."""


@dataclass(frozen=True)
class Site:
    """The halls and the rules by which a fabric is laid out in them."""

    halls: tuple[Hall, ...] = ()
    """The halls, in the order in which they are filled; none for equal halls, as many as are needed."""
    racks: Mapping[str, RackKind] = field(default_factory=lambda: dict.fromkeys(KINDS, RackKind()))
    """What the racks offer, by kind of rack (`KINDS`)."""
    trays: Trays = field(default_factory=Trays)
    """The cable trays."""
    slack_m: float = 1.0
    """The slack of a cable, in metres, both ends together."""
    layout: str = "middle-of-row"
    """The rule of placement, one of `LAYOUTS`."""
    feeds: str = "both"
    """What is on one power feed: `both` where every rack has both, else racks or rows in turn (`rack`, `row`)."""
    group_racks: int = 8
    """The server racks of a group, which share network racks, in whole units."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where the switches of a role stand."""
    heights: Mapping[str, int] = field(default_factory=dict)
    """The heights of servers, switches and appliances in rack units, by name, instead of the catalogue's."""
    weights_kg: Mapping[str, float] = field(default_factory=dict)
    """The weights of servers, switches and appliances in kg, by name."""
    power_w: Mapping[str, float] = field(default_factory=dict)
    """The most power of servers, switches and appliances in W, by name, instead of the catalogue's."""
    diameters_mm: Mapping[str, float] = field(default_factory=dict)
    """The diameters of cables and fibres in mm, by name, instead of the catalogue's."""
    first_uplinks: Mapping[str, int] = field(default_factory=dict)
    """The port, from 1, at which the links up of the switches of a role begin; default: after those down."""
    port_names: Mapping[str, str] = field(default_factory=dict)
    """The operating system by whose rule ports are named, by switch model, or under `*` for all."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The patterns of names of devices, by role, or under `*` for all; default: `leaf[pod=0,block=1,rail=3]`."""

    def __post_init__(self) -> None:
        freeze(self)
