"""Servers and switches in racks, by a plain rule: a unit's servers and leaves together, all other switches by role.

A rack holds what its height and its power allow. A server takes a unit of height for each GPU, as the 8-GPU boxes of
the H100 generation do, and one that is cabled in several trays is a rack of its own. Heights and powers that no source
gives are taken as `SWITCH_UNITS`, and as no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.catalog import Switch
from fabric.errors import InputError, is_whole

__all__ = ["RACK", "Floor", "Rack", "Shelf", "floor_of"]

SWITCH_UNITS = 2


@dataclass(frozen=True)
class Rack:
    """What every rack of a hall offers: its height in rack units, and the power it is fed and cooled for."""

    units: int = 42
    power_w: float = 45_000.0


RACK = Rack()


@dataclass(frozen=True)
class Shelf:
    """Racks of switches of one role: so many, `each` switches in one, a switch `height` units high."""

    role: str
    racks: int
    each: int
    height: int


@dataclass(frozen=True)
class Floor:
    """The racks of a fabric: those of the units, numbered from 0 in the servers' order, and shelves of other switches.

    `blocks` units of `block_servers` servers and `block_leaves` leaves stand in `block_racks` racks each, so many
    servers a rack; or, where units are small, `share` of them together in one rack.
    """

    rack: Rack
    blocks: int
    block_servers: int
    block_leaves: int
    block_racks: int
    rack_servers: int
    share: int
    server_units: int
    leaf_units: int
    racks: int
    shelves: tuple[Shelf, ...]

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
    _check(rack)
    servers, leaves, blocks = metrics_of(blueprint).unit()
    leaf = blueprint.boxes(blueprint.topology.roles[0])[0][0]
    height, leaf_units = _height(blueprint, rack), leaf.rack_units or SWITCH_UNITS
    power = 0.0 if blueprint.server.trays > 1 else blueprint.server.power_w or 0.0
    most = min(_most(rack, height, power, f"server {blueprint.server.name}"), servers)
    share = _shared(rack, servers * height + leaves * leaf_units, servers * power + leaves * (leaf.power_w or 0.0))
    share = min(share, blocks)
    if share > 1:
        racks, block_racks = -(-blocks // share), 1
    else:
        fewest = next((each for each in range(most, 0, -1) if _holds(blueprint, rack, servers, leaves, each)), 0)
        beside, most = not fewest, fewest or most
        block_racks = -(-servers // most)
        racks = (blocks - 1) * block_racks + max(1, -(-(blueprint.servers - (blocks - 1) * servers) // most))
    shelves = [_shelf(blueprint, group.role, rack) for group in blueprint.topology.switch_groups[1:]]
    if share == 1 and beside:
        # No room above servers that fill their racks: the leaves stand in racks of their own.
        shelves.insert(0, _shelf(blueprint, blueprint.topology.roles[0], rack))
        leaves = 0
    return Floor(
        rack, blocks, servers, leaves, block_racks, most, share, height, leaf_units, racks, tuple(shelves)
    )  # fmt: skip


def _check(rack: Rack) -> None:
    if not is_whole(rack.units, 1) or rack.units > 100:
        raise InputError(f"--rack-units {rack.units!r:.40}: a rack is 1 to 100 rack units high, mostly 42 or 48")
    if not 0 < rack.power_w < 1e7:
        raise InputError(f"--rack-kw {rack.power_w / 1000:g}: a rack is fed with more than 0 and less than 10,000 kW")


def _height(blueprint: Blueprint, rack: Rack) -> int:
    return rack.units if blueprint.server.trays > 1 else blueprint.server.gpus


def _most(rack: Rack, height: int, power_w: float, what: str) -> int:
    """Return how many devices fit a rack; raises InputError where none does."""
    by_power = int(Fraction(rack.power_w) / Fraction(power_w)) if power_w else rack.units
    if height > rack.units:
        raise InputError(f"{what}: {height} rack units high; a rack has {rack.units}, give --rack-units {height}")
    if by_power < 1:
        raise InputError(
            f"{what}: takes {power_w / 1000:g} kW; a rack has {rack.power_w / 1000:g}, give more --rack-kw"
        )
    return min(rack.units // height, by_power)


def _shared(rack: Rack, height: int, power_w: float) -> int:
    """Return how many whole units fit one rack, at least 1."""
    by_power = int(rack.power_w / power_w) if power_w else rack.units
    return max(1, min(rack.units // height, by_power))


def _holds(blueprint: Blueprint, rack: Rack, servers: int, leaves: int, each: int) -> bool:
    """Tell whether a unit's racks of `each` servers have the height, and the power, for their share of its leaves."""
    leaf = blueprint.boxes(blueprint.topology.roles[0])[0][0]
    here = -(-leaves // -(-servers // each))
    height = each * _height(blueprint, rack) + here * (leaf.rack_units or SWITCH_UNITS)
    power = each * (blueprint.server.power_w or 0.0) + here * (leaf.power_w or 0.0)
    return height <= rack.units and (power <= rack.power_w or blueprint.server.trays > 1)


def _shelf(blueprint: Blueprint, role: str, rack: Rack) -> Shelf:
    model: Switch = max((model for model, _ in blueprint.boxes(role)), key=lambda model: model.rack_units or 0)
    height = model.rack_units or SWITCH_UNITS
    each = _most(rack, height, model.power_w or 0.0, f"switch {model.name}")
    return Shelf(role, -(-blueprint.devices(role) // each), each, height)
