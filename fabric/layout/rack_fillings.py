"""The racks of a layout that are alike: the same models in the same rack units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.layout.layout import Layout

__all__ = ["RESERVED", "RackFilling", "RackItem", "list_models", "list_rack_fillings"]

Ints = npt.NDArray[np.int64]

RESERVED = "reserved"
"""The role of room that is reserved for devices of later stages of growth."""


@dataclass(frozen=True)
class RackItem:
    """A device in a rack."""

    role: str
    """Its role."""
    model: str
    """Its model."""
    unit: int
    """Its lowest rack unit, from 1 at the foot."""
    height: int
    """Its height in rack units."""


@dataclass(frozen=True)
class RackFilling:
    """Racks with the same devices in the same rack units, and the same of them reserved."""

    racks: tuple[int, ...]
    """The racks, in order."""
    items: tuple[RackItem, ...]
    """What stands in each, or has its room reserved, from the foot up."""

    @property
    def used_units(self) -> int:
        """The rack units that are taken now."""
        return sum(item.height for item in self.items if item.role != RESERVED)


def list_rack_fillings(blueprint: Blueprint, layout: Layout) -> list[RackFilling]:
    """Return the distinct racks of a layout, those with servers first and then the commonest."""
    models = [*list_models(blueprint), (RESERVED, "later stage", len(layout.reserved_units))]
    model = np.repeat(np.arange(len(models)), [count for *_, count in models])
    devices = np.stack([layout.device_rack, layout.device_unit, layout.device_height], axis=1)
    rack, unit, height = np.concatenate([devices, layout.reserved_units]).astype(np.int64).T
    order = np.lexsort((unit, rack))
    first = np.searchsorted(rack[order], np.arange(layout.racks))
    place = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    highest = int((unit + height).max()) + 1
    codes = ((model * highest + unit) * highest + height)[order]
    table = np.full((layout.racks, int(place.max()) + 1), -1, np.int64)
    table[rack[order], place] = codes
    kinds, kind = np.unique(table, axis=0, return_inverse=True)
    groups = np.split(np.argsort(kind, kind="stable"), np.cumsum(np.bincount(kind, minlength=len(kinds)))[:-1])
    found = [
        RackFilling(tuple(racks.tolist()), tuple(_item(code, models, highest) for code in codes if code >= 0))
        for racks, codes in zip(groups, kinds.tolist(), strict=True)
    ]
    return sorted(found, key=lambda one: (not layout.holds_servers[one.racks[0]], -len(one.racks), one.racks[0]))


def list_models(blueprint: Blueprint) -> list[tuple[str, str, int]]:
    """Return role, model and number of devices, in the order of the network with its appliances."""
    servers = [
        (group.role, blueprint.servers_by_role[group.role].name, blueprint.devices(group.role))
        for group in blueprint.topology.server_groups
    ]
    roles = blueprint.topology.roles
    switches = [(role, model.name, count) for role in roles for model, count in blueprint.model_counts(role)]
    boxes = [(each.appliance.name, each.appliance.name, each.copies) for each in attach_appliances(blueprint)]
    return servers + switches + boxes


def _item(code: int, models: list[tuple[str, str, int]], highest: int) -> RackItem:
    rest, height = divmod(code, highest)
    number, unit = divmod(rest, highest)
    return RackItem(*models[number][:2], unit, height)
