"""The ports of a tier's switches: connected now, when their part of the fabric is full, and free."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.blueprint.appliances import fills_with_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.port_rules import most_links

__all__ = ["PortUse", "port_use"]


@dataclass(frozen=True)
class PortUse:
    """The ports of the switches of one role, at the rates of their links."""

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
    group = blueprint.topology.group(role)
    fills = fills_with_appliances(blueprint, group)
    connected = [sum(fill.ports) + fill.taken for fill in fills]
    total = sum(fill.devices * ports for fill, ports in zip(fills, connected, strict=True))
    rates, up = blueprint.rates_at(role), blueprint.links_up(role)
    room = sum(count * most_links(model, rates, up) for model, count in blueprint.model_counts(role))
    used = blueprint.ports_down(role) + blueprint.ports_up(role)
    full = min(used + max(fill.taken for fill in fills), max(used, blueprint.radix(role)))
    return PortUse(min(connected), max(connected), total, full, room - total)
