"""How the servers of scalable units fill racks: together, evenly, and with their leaves where these stand with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.errors import InputError, Mistake
from fabric.layout.device_facts import DeviceFacts
from fabric.network import Devices
from fabric.request.site import RackKind, Site
from fabric.units import count_noun

__all__ = ["UnitRacks", "plan_unit_racks"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class UnitRacks:
    """The server racks of every unit, in the order of units.

    Of unlike servers each kind has racks of its own, unless units are small enough to share one.
    """

    leaves: int
    """The leaves of a unit."""
    share: int
    """The units of a rack; 1 where a unit fills one or more."""
    first: Ints
    """The first rack of each unit, shape (units,)."""
    racks: Ints
    """The racks of each unit; 1 where units share one, shape (units,)."""
    server_rack: Ints
    """The rack of each server, shape (servers,)."""

    @property
    def units(self) -> int:
        """The number of units."""
        return len(self.first)

    @property
    def total(self) -> int:
        """The server racks of all units."""
        return int(self.first[-1] + self.racks[-1])

    def between(self, start: int, end: int) -> Ints:
        """Return the racks of the units from `start` to `end`, excluded."""
        return np.arange(self.first[start], self.first[end - 1] + self.racks[end - 1])

    def group_bounds(self, part: int, most: int) -> list[tuple[int, int]]:
        """Return the first and the last unit, excluded, of each group of at most `most` racks, or of one unit.

        A group lies in one part of the fabric, which has `part` units.
        """
        ends, bounds, start = self.first + self.racks, [], 0
        while start < self.units:
            full = int(np.searchsorted(ends, self.first[start] + most, side="right"))
            end = min(max(full, start + 1), (start // part + 1) * part, self.units)
            bounds.append((start, end))
            start = end
        return bounds


@dataclass(frozen=True)
class _Plan:
    """How the servers of one kind fill the racks of a full unit."""

    racks: int
    """The racks of a unit; 1 where units share one."""
    share: int
    """The units of a rack."""
    per_rack: int
    """The most servers of a rack."""


def plan_unit_racks(
    blueprint: Blueprint, site: Site, groups: Mapping[str, Devices], facts: Mapping[str, DeviceFacts], part: int
) -> UnitRacks:
    """Return how units fill racks, none of which units of two parts of the fabric share, each of `part` units.

    `facts` are those of servers by role, and of switches by model.
    """
    most, leaves, units = metrics_of(blueprint).unit()
    roles = [group.role for group in blueprint.topology.server_groups]
    alone = len(roles) == 1
    racks, kinds, share = np.zeros(units, np.int64), [], 1
    needs = np.zeros((units, 3))
    for role in roles:
        devices = groups[role]
        number = np.arange(devices.count) + devices.offset
        each = most if alone else devices.shape[-1]
        unit, slot = number // each, number % each
        plan = _plan_kind(blueprint, site, (each, leaves, units), facts, role)
        if alone:
            share = next(size for size in range(plan.share, 0, -1) if part % size == 0 or size == 1)
        needs += np.bincount(unit, minlength=units)[:, None] * facts[role].needs
        here = racks[unit] + slot // plan.per_rack
        racks[np.unique(unit)] += plan.racks
        kinds.append((unit, here))
    racks = np.maximum(racks, 1)
    if not alone and site.layout != "in-rack" and not any(facts[role].own_rack for role in roles):
        first, racks, whole = _share_racks(site.racks["server"], needs, racks, part)
        rack = [first[unit] + np.where(whole[unit], 0, here) for unit, here in kinds]
        return UnitRacks(leaves, 1, first, racks, np.concatenate(rack))
    first = np.arange(units) // share if share > 1 else np.cumsum(racks) - racks
    return UnitRacks(leaves, share, first, racks, np.concatenate([first[unit] + here for unit, here in kinds]))


def _share_racks(
    kind: RackKind, needs: npt.NDArray[np.float64], racks: Ints, part: int
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Return the first rack and the racks of each unit, and whether all of it stands in one rack.

    Units whose servers of all kinds fit into one rack by `needs` (rack units, W, kg, as far as known) stand in one, in
    order, and as many together as fit; units of two parts of the fabric, each of `part` units, share none.
    """
    limits = np.array([kind.units, (kind.most_kw or np.inf) * 1000, kind.weight_kg or np.inf]) * (1 + 1e-9)
    whole = np.asarray((needs <= limits).all(axis=1))
    racks = np.where(whole, 1, racks)
    first, held, after = np.zeros(len(racks), np.int64), limits + 1, 0
    for unit in range(len(racks)):
        together = held + needs[unit]
        if whole[unit] and unit % part and (together <= limits).all():
            first[unit], held = first[unit - 1], together
        else:
            first[unit], held = after, needs[unit] if whole[unit] else limits + 1
            after += int(racks[unit])
    return first, racks, whole


def _plan_kind(
    blueprint: Blueprint, site: Site, unit: tuple[int, int, int], facts: Mapping[str, DeviceFacts], role: str
) -> _Plan:
    """Return how the servers of a role fill racks; `unit` has those of a full unit, its leaves, and the units."""
    servers, _, units = unit
    server, kind = facts[role], site.racks["server"]
    most = server.most_in(kind)
    if most < 1:
        raise InputError([_explain_misfit(server, kind, "server")])
    if site.layout == "in-rack":
        leaf = facts[blueprint.model_counts(blueprint.topology.roles[0])[0][0].name]
        return _plan_in_rack(unit, most, server, leaf, kind)
    share = max(1, min(most // servers, units))
    per_rack = -(-servers // -(-servers // most))
    return _Plan(-(-servers // per_rack), share, per_rack)


def _plan_in_rack(
    unit: tuple[int, int, int], most: int, server: DeviceFacts, leaf: DeviceFacts, kind: RackKind
) -> _Plan:
    """Return how units fill racks with their leaves in them: as many servers each as leave room for the leaves."""
    servers, leaves, units = unit
    for share in range(min(most // servers, units), 0, -1):
        if _fits(kind, server, leaf, share * servers, share * leaves):
            return _Plan(1, share, servers)
    for racks in range(-(-servers // most), servers + 1):
        per_rack = -(-servers // racks)
        if _fits(kind, server, leaf, per_rack, -(-leaves // racks)):
            return _Plan(-(-servers // per_rack), 1, per_rack)
    beside = count_noun(-(-leaves // servers), "leaf", "leaves")
    lacking = _list_lacking(kind, server, leaf, 1, -(-leaves // servers))
    text = (
        f"in-rack needs {beside} beside a {server.name}, together {' and '.join(lacking)}; "
        "write middle-of-row, or give racks more"
    )
    raise InputError([Mistake("site.layout", text)])


def _fits(kind: RackKind, server: DeviceFacts, leaf: DeviceFacts, servers: int, leaves: int) -> bool:
    """Say whether a rack has the units, the power and the weight for its servers and leaves, as far as known."""
    return not (server.own_rack and servers > 1) and not _list_lacking(kind, server, leaf, servers, leaves)


def _list_lacking(kind: RackKind, server: DeviceFacts, leaf: DeviceFacts, servers: int, leaves: int) -> list[str]:
    """Return what servers and leaves need beyond a rack's limits: `44 rack units, of which a rack has 42`."""
    needs = [servers * one + leaves * other for one, other in zip(server.needs, leaf.needs, strict=True)]
    limits = [(kind.units, "rack units", 1), (kind.most_kw, "kW", 1000), (kind.weight_kg, "kg", 1)]
    return [
        f"{need / scale:g} {unit}, of which a rack has {limit:g}"
        for need, (limit, unit, scale) in zip(needs, limits[: 1 if server.own_rack else 3], strict=False)
        if limit is not None and need > limit * scale * (1 + 1e-9)
    ]


def _explain_misfit(part: DeviceFacts, kind: RackKind, which: str) -> Mistake:
    """Return why a device fits no rack, with the remedy."""
    if part.units > kind.units:
        key, text = "units", f"is {part.units} rack units high, but a {which} rack has {kind.units}; give racks more"
    elif kind.most_kw is not None and part.power_w and part.power_w > kind.most_kw * 1000:
        key, text = "power_kw", f"draws up to {part.power_w / 1000:g} kW, but a {which} rack has {kind.most_kw:g} kW"
        text += "; give racks more power"
    else:
        key, text = (
            "weight_kg",
            f"weighs {part.weight_kg or 0:g} kg, but a {which} rack carries {kind.weight_kg or 0:g}",
        )
        text += " kg; give racks more"
    return Mistake(f"site.rack.{key}", f"{part.name} {text}")
