"""The keys of the site that a fabric is laid out on."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator

from fabric.catalog import port_name_systems
from fabric.request.fields import (
    AxisOrAll,
    HallName,
    Name,
    NameOrAll,
    Role,
    StrictModel,
    Text,
    custom_error,
    known_name,
)
from fabric.request.site import KINDS, Hall, Place, RackKind, Site, Trays

__all__ = ["HallKeys", "RackKeys", "SiteKeys", "TrayKeys", "site_of"]

_PLACE = re.compile(r"hall (\S+)(?: row ([0-9]{1,6})(?: racks? ([0-9]{1,6})(?:-([0-9]{1,6}))?)?)?")
Metres = Annotated[float, Field(ge=0, le=10_000)]
Pitch = Annotated[float, Field(gt=0, le=100)]
Units = Annotated[int, Field(ge=1, le=100)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Coordinate = Annotated[float, Field(ge=-100_000, le=100_000)]


class HallKeys(StrictModel):
    """A hall with equal rows of racks."""

    name: HallName = Field(examples=["A"])
    """Its name, which begins the names of its racks."""
    rows: Annotated[int, Field(ge=1, le=10_000)] = Field(examples=[10])
    """Rows of racks."""
    racks_per_row: Annotated[int, Field(ge=1, le=10_000)] = Field(examples=[20])
    """Rack positions of a row."""
    row_pitch_m: Pitch = 3.0
    """From a row to the next in metres: the depth of a rack and half of the aisles on both sides."""
    rack_pitch_m: Pitch = 0.6
    """From a rack to the next in metres."""
    x_m: Coordinate | None = Field(default=None, examples=[0])
    """Where its first rack stands along the rows in metres; default: 3 m beyond the hall before it."""
    y_m: Coordinate | None = Field(default=None, examples=[0])
    """Where its first row stands across the rows in metres; default: as the hall before it."""


class RackKeys(StrictModel):
    """What a rack offers."""

    units: Units = Field(default=42, examples=[48])
    """Height in rack units."""
    power_kw: Positive | None = Field(default=45, examples=[45])
    """Power that it is fed with in kW; null for no limit."""
    cooling_kw: Positive | None = Field(default=None, examples=[45])
    """Heat that is taken away in kW; default: as much as it is fed with."""
    weight_kg: Positive | None = Field(default=None, examples=[1500])
    """Weight that the rack and the floor carry in kg; default: not checked."""
    bend_radius_mm: Positive | None = Field(default=None, examples=[80])
    """Radius at which cables turn in the rack in mm; default: not checked."""
    switch_units: list[Units] = Field(default=[], max_length=100, examples=[[42, 41, 40]])
    """Lowest rack unit of each switch in order, from 1 at the foot; default: the top of a rack with servers."""

    @field_validator("switch_units")
    @classmethod
    def _check_once(cls, units: list[int]) -> list[int]:
        if len(set(units)) < len(units):
            raise custom_error("has a rack unit twice; write each once")
        return units


class TrayKeys(StrictModel):
    """The cable trays: one above every row, and cross trays over the rows."""

    height_m: Metres = Field(default=2.8, examples=[2.8])
    """Height above the floor in metres."""
    cross_aisles_m: list[Metres] = Field(default=[], max_length=1000, examples=[[0, 12]])
    """Cross trays, in metres from the first rack of a row; default: at both ends and in the middle."""
    width_mm: Positive = Field(default=600, examples=[600])
    """Inner width of a tray in mm."""
    depth_mm: Positive = Field(default=100, examples=[100])
    """Inner depth of a tray in mm."""
    fill: Annotated[float, Field(gt=0, le=1)] = Field(default=0.5, examples=[0.5])
    """Share of the cross-section of a tray that cables may take."""
    bend_radius_mm: Positive | None = Field(default=None, examples=[100])
    """Radius at which trays turn and cables leave them in mm; default: not checked."""


def _tag_rack(value: Any) -> str:
    """Return the tag of a rack; a mapping by kind of rack is known by its keys."""
    return "<by kind>" if isinstance(value, dict) and set(value) & set(KINDS) else "<rack>"


def _tag_text(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<name>"


def _check_place(text: str) -> str:
    found = _PLACE.fullmatch(text)
    if not found:
        raise custom_error(f"'{text}' is no place; write `hall A`, `hall A row 3` or `hall A row 3 racks 5-8`")
    if found[3] and found[4] and int(found[4]) < int(found[3]):
        raise custom_error(f"'{text}' ends before it begins; write `racks {found[4]}-{found[3]}`")
    return text


PlaceText = Annotated[str, AfterValidator(_check_place)]
SystemName = Annotated[Name, known_name("operating system", port_name_systems)]
NamedRole = Annotated[AxisOrAll, known_name("tier", lambda: ("server", "*"))]
"""The role of devices that have names: servers, switches of a tier, or `*` for all others."""
Kind = Literal["server", "network"]


class SiteKeys(StrictModel):
    """The site: halls, racks, trays, and how devices and ports are placed and named."""

    halls: list[HallKeys] = Field(
        default=[], max_length=1000, examples=[[{"name": "A", "rows": 10, "racks_per_row": 20}]]
    )
    """Halls in the order in which they are filled; default: equal ones with rows of about 24 racks."""
    rack: Annotated[
        Annotated[RackKeys, Tag("<rack>")] | Annotated[dict[Kind, RackKeys], Tag("<by kind>"), Field(min_length=1)],
        Discriminator(_tag_rack),
    ] = RackKeys()
    """What a rack offers: one for all, or by kind of rack (server, network)."""
    trays: TrayKeys = TrayKeys()
    """Cable trays."""
    slack_m: Metres = Field(default=1.0, examples=[2])
    """Slack of a cable in metres, both ends together."""
    layout: Literal["middle-of-row", "end-of-row", "in-rack", "network-rows"] = Field(
        default="middle-of-row", examples=["in-rack"]
    )
    """Where leaves stand: in network racks in the middle or at the end of a group's racks, with servers, or in rows."""
    feeds: Literal["both", "rack", "row"] = Field(default="both", examples=["row"])
    """Power feeds A and B: every rack has both and runs on either, or racks of a row, or rows, have them in turn."""
    group_racks: Annotated[int, Field(ge=1, le=10_000)] = Field(default=8, examples=[8])
    """Server racks of a group, in whole units, which share network racks in one row."""
    places: dict[Role, PlaceText] = Field(default={}, examples=[{"spine": "hall B row 3"}])
    """Where the switches of a tier stand; default: where cables are shortest."""
    heights: dict[Name, Units] = Field(default={}, examples=[{"hgx-h100": 4}])
    """Heights of servers, switches and appliances in rack units by name, instead of the catalogue's."""
    weights_kg: dict[Name, Positive] = Field(default={}, examples=[{"dgx-h100": 130}])
    """Weights of servers, switches and appliances in kg by name; what has none is not checked."""
    power_w: dict[Name, Positive] = Field(default={}, examples=[{"sn5600": 2200}])
    """Most power of servers, switches and appliances in W by name, instead of the catalogue's."""
    diameters_mm: dict[Name, Positive] = Field(default={}, examples=[{"mpo12-mmf": 3}])
    """Diameters of cables and fibres in mm by name, for the fill of trays; what has none is not checked."""
    first_uplinks: dict[Role, Annotated[int, Field(ge=1, le=100_000)]] = Field(default={}, examples=[{"leaf": 33}])
    """Port, from 1, at which the links up of a tier's switches begin; default: the first after those down."""
    port_names: (
        Annotated[
            Annotated[SystemName, Tag("<name>")]
            | Annotated[dict[NameOrAll, SystemName], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(_tag_text),
        ]
        | None
    ) = Field(default=None, examples=["sonic", {"sn5600": "cumulus"}])
    """Operating system whose port names are used: one, or by switch model (`*`: others); default: the usual one."""
    names: (
        Annotated[
            Annotated[Text, Tag("<name>")] | Annotated[dict[NamedRole, Text], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(_tag_text),
        ]
        | None
    ) = Field(default=None, examples=[{"leaf": "{rack}-leaf-{rail}", "server": "node{number:05}"}])
    """Pattern of device names, one or by tier (`*`: others): role, number, hall, row, position, rack, unit, rail..."""

    @field_validator("halls")
    @classmethod
    def _check_names(cls, halls: list[HallKeys]) -> list[HallKeys]:
        names = [hall.name for hall in halls]
        if len(set(names)) < len(names):
            raise custom_error("has two halls of one name; give each its own")
        return halls


def site_of(keys: SiteKeys) -> Site:
    """Return the site that the keys describe."""
    rack = keys.rack
    racks = {str(kind): each for kind, each in rack.items()} if isinstance(rack, dict) else dict.fromkeys(KINDS, rack)
    return Site(
        halls=tuple(Hall(**vars(hall)) for hall in keys.halls),
        racks={kind: _rack_of(racks.get(kind, RackKeys())) for kind in KINDS},
        trays=Trays(**{**vars(keys.trays), "cross_aisles_m": tuple(sorted(keys.trays.cross_aisles_m))}),
        slack_m=keys.slack_m,
        layout=keys.layout,
        feeds=keys.feeds,
        group_racks=keys.group_racks,
        places={role: _place_of(text) for role, text in keys.places.items()},
        heights=dict(keys.heights),
        weights_kg=dict(keys.weights_kg),
        power_w=dict(keys.power_w),
        diameters_mm=dict(keys.diameters_mm),
        first_uplinks=dict(keys.first_uplinks),
        port_names=_by_name(keys.port_names),
        names=_by_name(keys.names),
    )


def _rack_of(keys: RackKeys) -> RackKind:
    return RackKind(**{**vars(keys), "switch_units": tuple(keys.switch_units)})


def _place_of(text: str) -> Place:
    found = _PLACE.fullmatch(text)
    assert found
    row, first, last = (None if each is None else int(each) for each in found.groups()[1:])
    return Place(found[1], row, first, first if last is None else last)


def _by_name(asked: str | dict[str, str] | None) -> dict[str, str]:
    return dict(asked) if isinstance(asked, dict) else {} if asked is None else {"*": asked}
