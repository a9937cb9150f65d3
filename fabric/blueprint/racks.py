"""Servers and switches in racks, by a simple rule: a unit's servers and leaves together, all other switches by role.

A rack holds what its height and its power allow, by the maximum power of what stands in it, or the typical one where
the maximum is not known. A server that is cabled in several trays is a rack of its own. Where the catalogue gives no
height, a server is assumed to take a rack unit for each GPU, as the 8-GPU servers of the H100 generation do, and a
switch `SWITCH_UNITS`; where it gives no power, power is no limit. `assumed_heights` and `unknown_maxima` name those.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.catalog import Server, Switch
from fabric.errors import InputError, is_whole

__all__ = ["RACK", "Floor", "Rack", "Shelf", "assumed_heights", "floor_of", "unknown_maxima"]

SWITCH_UNITS = 2


@dataclass(frozen=True)
class Rack:
    """What every rack offers."""

    units: int = 42
    """Its height in rack units."""
    power_w: float = 45_000.0
    """The power that it is fed with and cooled for."""


RACK = Rack()


@dataclass(frozen=True)
class Shelf:
    """The racks of the switches of one role."""

    role: str
    """The role."""
    racks: int
    """The number of racks."""
    each: int
    """The most switches of a rack."""
    height: int
    """The height of a switch in rack units."""


@dataclass(frozen=True)
class Floor:
    """The racks of a fabric: those of the units, numbered from 0 in the servers' order, and those of other switches."""

    rack: Rack
    """What every rack offers."""
    blocks: int
    """The number of units."""
    block_servers: int
    """The servers of a full unit."""
    block_leaves: int
    """The leaves that stand in the racks of a unit; 0 where leaves have racks of their own."""
    block_racks: int
    """The racks of a full unit."""
    rack_servers: int
    """The most servers of a rack."""
    share: int
    """The units that share a rack, where they are small; else 1."""
    server_units: int
    """The height of a server in rack units."""
    leaf_units: int
    """The height of a leaf in rack units."""
    racks: int
    """The racks of units."""
    shelves: tuple[Shelf, ...]
    """The racks of other switches, role by role."""

    @property
    def total(self) -> int:
        return self.racks + sum(shelf.racks for shelf in self.shelves)

    @property
    def rack_leaves(self) -> int:
        """The most leaves of a rack."""
        return self.block_leaves * self.share if self.share > 1 else -(-self.block_leaves // self.block_racks)

    def rack_of(self, servers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the rack of each server, of their shape."""
        block, slot = np.divmod(np.asarray(servers, np.int64), self.block_servers)
        if self.share > 1:
            return np.asarray(block // self.share)
        return np.asarray(block * self.block_racks + slot // self.rack_servers)


def floor_of(blueprint: Blueprint, rack: Rack = RACK) -> Floor:
    """Return the racks of a fabric; raises InputError where not even one server or switch fits a rack."""
    _check_rack(rack)
    if blueprint.kinds:
        raise InputError(
            f"{blueprint.name}: racks of unlike servers are not laid out yet; draw another kind of picture"
        )
    servers, leaves, blocks = metrics_of(blueprint).unit()
    leaf = blueprint.model_counts(blueprint.topology.roles[0])[0][0]
    height, leaf_units = _server_height(blueprint, rack), leaf.rack_units or SWITCH_UNITS
    power = 0.0 if blueprint.server.trays > 1 else blueprint.server.peak_power_w or 0.0
    most = min(_fit_devices(rack, height, power, f"server {blueprint.server.name}"), servers)
    watts = servers * power + leaves * (leaf.peak_power_w or 0.0)
    share = min(_fit_units(rack, servers * height + leaves * leaf_units, watts), blocks)
    if share > 1:
        racks, block_racks = -(-blocks // share), 1
    else:
        fewest = next((each for each in range(most, 0, -1) if _fits(blueprint, rack, servers, leaves, each)), 0)
        beside, most = not fewest, fewest or most
        block_racks = -(-servers // most)
        racks = (blocks - 1) * block_racks + max(1, -(-(blueprint.servers - (blocks - 1) * servers) // most))
    shelves = [_switch_racks(blueprint, group.role, rack) for group in blueprint.topology.switch_groups[1:]]
    if share == 1 and beside:
        # No room above servers that fill their racks: the leaves stand in racks of their own.
        shelves.insert(0, _switch_racks(blueprint, blueprint.topology.roles[0], rack))
        leaves = 0
    return Floor(
        rack, blocks, servers, leaves, block_racks, most, share, height, leaf_units, racks, tuple(shelves)
    )  # fmt: skip


def assumed_heights(blueprint: Blueprint) -> dict[str, int]:
    """Return the heights in rack units that are assumed, because they are not known, by server and switch model."""
    server = blueprint.server
    models = [model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)]
    boxes = {} if server.trays > 1 or server.rack_units else {server.name: server.gpus or 1}
    return boxes | {model.name: SWITCH_UNITS for model in models if model.rack_units is None}


def unknown_maxima(blueprint: Blueprint) -> dict[str, float | None]:
    """Return the typical power of each server and switch whose maximum is not known; None where neither is.

    A server of several trays stands alone, so its power limits nothing.
    """
    parts: list[Server | Switch] = [blueprint.server] if blueprint.server.trays == 1 else []
    parts += [model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)]
    return {part.name: part.power_w for part in parts if part.max_power_w is None}


def _check_rack(rack: Rack) -> None:
    if not is_whole(rack.units, 1) or rack.units > 100:
        raise InputError(f"--rack-units {rack.units!r:.40}: a rack is 1 to 100 rack units high, usually 42 or 48")
    if not 0 < rack.power_w < 1e7:
        raise InputError(
            f"--rack-kw {rack.power_w / 1000:g}: the power of a rack is more than 0 and less than 10,000 kW"
        )


def _server_height(blueprint: Blueprint, rack: Rack) -> int:
    """Return the height of a server, a whole rack where it has several trays, and a unit per GPU where not known."""
    server = blueprint.server
    return rack.units if server.trays > 1 else server.rack_units or server.gpus or 1


def _fit_devices(rack: Rack, height: int, power_w: float, what: str) -> int:
    """Return how many devices fit a rack; raises InputError where none does."""
    by_power = int(Fraction(rack.power_w) / Fraction(power_w)) if power_w else rack.units
    if height > rack.units:
        raise InputError(f"{what}: {height} rack units high, but a rack has {rack.units}; give --rack-units {height}")
    if by_power < 1:
        raise InputError(
            f"{what}: takes {power_w / 1000:g} kW, but a rack has {rack.power_w / 1000:g} kW; give a higher --rack-kw"
        )
    return min(rack.units // height, by_power)


def _fit_units(rack: Rack, height: int, power_w: float) -> int:
    """Return how many whole units fit one rack, at least 1."""
    by_power = int(rack.power_w / power_w) if power_w else rack.units
    return max(1, min(rack.units // height, by_power))


def _fits(blueprint: Blueprint, rack: Rack, servers: int, leaves: int, each: int) -> bool:
    """Say whether a unit's racks of `each` servers have the height, and the power, for their share of its leaves."""
    leaf = blueprint.model_counts(blueprint.topology.roles[0])[0][0]
    here = -(-leaves // -(-servers // each))
    height = each * _server_height(blueprint, rack) + here * (leaf.rack_units or SWITCH_UNITS)
    power = each * (blueprint.server.peak_power_w or 0.0) + here * (leaf.peak_power_w or 0.0)
    return height <= rack.units and (power <= rack.power_w or blueprint.server.trays > 1)


def _switch_racks(blueprint: Blueprint, role: str, rack: Rack) -> Shelf:
    model: Switch = max((model for model, _ in blueprint.model_counts(role)), key=lambda model: model.rack_units or 0)
    height = model.rack_units or SWITCH_UNITS
    each = _fit_devices(rack, height, model.peak_power_w or 0.0, f"switch {model.name}")
    return Shelf(role, -(-blueprint.devices(role) // each), each, height)
