"""The ports of a tier's switches as reports count them: in links, or in whole ports where links down differ in rate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.port_rules import most_links
from fabric.catalog import Switch

__all__ = ["TierPorts", "ports_taken", "room_of", "tier_ports"]


@dataclass(frozen=True)
class TierPorts:
    """The ports of one switch of a tier, when its part of the fabric is full."""

    down: int
    """Those of links down, on the fullest switch."""
    up: int
    """Those of links up, or to others of its kind."""
    radix: int
    """All its ports."""


def tier_ports(blueprint: Blueprint, role: str) -> TierPorts:
    """Return the ports of one switch of `role`, in links; in whole ports where servers below it differ in rate."""
    if not _in_whole_ports(blueprint, role):
        return TierPorts(blueprint.ports_down(role), blueprint.ports_up(role), blueprint.radix(role))
    topology, group = blueprint.topology, blueprint.topology.group(role)
    full = {bundle: blueprint.evaluate(ports) for bundle, ports, _ in topology.port_sides(group)}
    model = blueprint.models[role]
    down = max(
        ports_taken(blueprint, role, model, {each.name: full[each] for each in together if each.upper == group})
        for together in topology.bundles_together(group)
    )
    up = {each.name: ports for each, ports in full.items() if each.lower == group}
    return TierPorts(down, ports_taken(blueprint, role, model, up), room_of(blueprint, role, model))


def ports_taken(blueprint: Blueprint, role: str, model: Switch, links: dict[str, int]) -> int:
    """Return the ports of one switch that its links take, given those of each bundle, as `tier_ports` counts them."""
    if not _in_whole_ports(blueprint, role):
        return sum(links.values())
    by_rate = Counter[tuple[int, bool]]()
    for bundle in blueprint.topology.bundles:
        own = model.uplinks is not None and bundle.lower.role == role
        by_rate[blueprint.rate(bundle), own] += links.get(bundle.name, 0)
    groups = {True: model.upward, False: model}
    return sum(-(-count // groups[own].links_per_port(rate)) for (rate, own), count in by_rate.items() if count)


def room_of(blueprint: Blueprint, role: str, model: Switch) -> int:
    """Return the ports of one switch, as `tier_ports` counts them."""
    if not _in_whole_ports(blueprint, role):
        return most_links(model, blueprint.rates_at(role), blueprint.links_up(role))
    return model.ports + (model.uplinks.ports if model.uplinks else 0)


def _in_whole_ports(blueprint: Blueprint, role: str) -> bool:
    return bool(blueprint.rates_at(role).others)
