"""The ports of a tier's switches: connected now, when their part of the fabric is full, and free."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.blueprint.appliances import fills_with_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.native_ports import ports_taken, room_of, tier_ports

__all__ = ["PortUse", "port_use"]


@dataclass(frozen=True)
class PortUse:
    """The ports of the switches of one role, as `native_ports.tier_ports` counts them."""

    least: int
    """The ports connected now on the switch that has fewest."""
    most: int
    """The ports connected now on the switch that has most."""
    total: int
    """The ports connected now on all switches."""
    full: int
    """The most ports of one switch that are connected when its part of the fabric is full, grown where it may grow."""
    free: int
    """The ports of all switches that nothing is connected to now."""


def port_use(blueprint: Blueprint, role: str) -> PortUse:
    """Return the ports of the switches of `role`."""
    fills, tier = fills_with_appliances(blueprint, blueprint.topology.group(role)), tier_ports(blueprint, role)
    names, model = [bundle.name for bundle in blueprint.topology.bundles], blueprint.models[role]
    connected = [
        ports_taken(blueprint, role, model, dict(zip(names, fill.ports, strict=True))) + fill.taken for fill in fills
    ]
    total = sum(fill.devices * ports for fill, ports in zip(fills, connected, strict=True))
    room = sum(count * room_of(blueprint, role, model) for model, count in blueprint.model_counts(role))
    used = tier.down + tier.up
    full = min(used + max(fill.taken for fill in fills), max(used, tier.radix))
    return PortUse(min(connected), max(connected), total, full, room - total)
