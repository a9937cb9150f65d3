"""How the servers of scalable units fill racks: together, evenly, and with their leaves where these stand with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.errors import InputError
from fabric.layout.device_facts import DeviceFacts
from fabric.request.site import RackKind, Site
from fabric.units import count_noun

__all__ = ["UnitRacks", "plan_unit_racks"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class UnitRacks:
    """How the servers of units fill racks."""

    servers: int
    """The servers of a full unit."""
    leaves: int
    """The leaves of a unit."""
    units: int
    """The number of units."""
    racks: int
    """The server racks of a full unit; 1 where units share one."""
    share: int
    """The units of a rack; 1 where a unit fills one or more."""
    per_rack: int
    """The most servers of a rack."""

    def rack_of(self, unit: Ints, slot: Ints) -> Ints:
        """Return the server rack of each server, given its unit and its number in it."""
        return unit // self.share if self.share > 1 else unit * self.racks + slot // self.per_rack

    def within(self, part: int) -> UnitRacks:
        """Return the same with no rack shared by units of two parts of the fabric, which are of `part` units each."""
        share = next(each for each in range(self.share, 0, -1) if part % each == 0 or each == 1)
        return replace(self, share=share)


def plan_unit_racks(
    blueprint: Blueprint, site: Site, server: DeviceFacts, facts: Mapping[str, DeviceFacts]
) -> UnitRacks:
    """Return how units fill racks."""
    servers, leaves, units = metrics_of(blueprint).unit()
    kind = site.racks["server"]
    most = server.most_in(kind)
    if most < 1:
        raise InputError(_explain_misfit(server, kind, "server"))
    if site.layout == "in-rack":
        leaf = facts[blueprint.model_counts(blueprint.topology.roles[0])[0][0].name]
        return _plan_in_rack((servers, leaves, units), most, server, leaf, kind)
    share = max(1, min(most // servers, units))
    per_rack = -(-servers // -(-servers // most))
    return UnitRacks(servers, leaves, units, -(-servers // per_rack), share, per_rack)


def _plan_in_rack(
    unit: tuple[int, int, int], most: int, server: DeviceFacts, leaf: DeviceFacts, kind: RackKind
) -> UnitRacks:
    """Return how units fill racks with their leaves in them: as many servers each as leave room for the leaves."""
    servers, leaves, units = unit
    for share in range(min(most // servers, units), 0, -1):
        if _fits(kind, server, leaf, share * servers, share * leaves):
            return UnitRacks(servers, leaves, units, 1, share, servers)
    for racks in range(-(-servers // most), servers + 1):
        per_rack = -(-servers // racks)
        if _fits(kind, server, leaf, per_rack, -(-leaves // racks)):
            return UnitRacks(servers, leaves, units, -(-servers // per_rack), 1, per_rack)
    beside = count_noun(-(-leaves // servers), "leaf", "leaves")
    raise InputError(
        f"site.layout: in-rack needs {beside} beside a server of {server.units} rack units, for which a rack of "
        f"{kind.units} has no room; write middle-of-row, or make racks higher"
    )


def _fits(kind: RackKind, server: DeviceFacts, leaf: DeviceFacts, servers: int, leaves: int) -> bool:
    """Say whether a rack has the units, the power and the weight for its servers and leaves, as far as known."""
    if server.own_rack:
        return servers <= 1 and server.units + leaves * leaf.units <= kind.units
    sums = [
        (kind.units, servers * server.units + leaves * leaf.units),
        (
            None if kind.most_kw is None else kind.most_kw * 1000,
            servers * (server.power_w or 0) + leaves * (leaf.power_w or 0),
        ),
        (kind.weight_kg, servers * (server.weight_kg or 0) + leaves * (leaf.weight_kg or 0)),
    ]
    return all(limit is None or total <= limit * (1 + 1e-9) for limit, total in sums)


def _explain_misfit(part: DeviceFacts, kind: RackKind, which: str) -> str:
    """Return why a device fits no rack, with the remedy."""
    if part.units > kind.units:
        return f"site.rack.units: {part.name} is {part.units} rack units high, but a {which} rack has {kind.units}"
    if kind.most_kw is not None and part.power_w and part.power_w > kind.most_kw * 1000:
        return (
            f"site.rack.power_kw: {part.name} draws up to {part.power_w / 1000:g} kW, but a {which} rack has "
            f"{kind.most_kw:g} kW; give racks more power"
        )
    return (
        f"site.rack.weight_kg: {part.name} weighs {part.weight_kg or 0:g} kg, but a {which} rack carries "
        f"{kind.weight_kg or 0:g} kg"
    )
