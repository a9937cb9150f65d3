"""The heights, the power and the weights of the devices of a fabric, as the site and the catalogue have them."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.request.site import RackKind, Site

__all__ = [
    "ASSUMED_SWITCH_UNITS",
    "DeviceFacts",
    "appliance_facts",
    "describe_rack_limits",
    "facts_of",
    "server_facts",
    "switch_facts",
]

ASSUMED_SWITCH_UNITS = 2
"""The height of a switch or an appliance whose height is not known."""


@dataclass(frozen=True)
class DeviceFacts:
    """What a rack must offer for one device."""

    name: str
    """The model."""
    units: int
    """Its height in rack units."""
    power_w: float | None
    """The most power that it draws, typical where the most is not known; None where neither is."""
    weight_kg: float | None
    """Its weight; None where it is not known."""
    assumed: bool
    """Whether its height is assumed."""
    own_rack: bool = False
    """Whether it is a rack itself, which brings its own power and weight."""

    @property
    def needs(self) -> tuple[float, float, float]:
        """What it takes of a rack: rack units, power in W and weight in kg, 0 for what is not known."""
        return float(self.units), self.power_w or 0.0, self.weight_kg or 0.0

    def most_in(self, rack: RackKind) -> int:
        """Return how many fit into an empty rack by units, power and weight."""
        return 1 if self.own_rack else min(self._limits_in(rack).values())

    def describe_most_in(self, rack: RackKind) -> str:
        """Return how many fit into an empty rack, with the limit that binds: `3 dgx-h100 by power`."""
        if self.own_rack:
            return f"1 {self.name}, which is a rack itself"
        limits, most = self._limits_in(rack), self.most_in(rack)
        return f"{most} {self.name} by {' and '.join(name for name, fit in limits.items() if fit == most)}"

    def _limits_in(self, rack: RackKind) -> dict[str, int]:
        """Return how many fit into an empty rack by each limit that is known."""
        limits = {"rack units": rack.units // self.units}
        if rack.most_kw is not None and self.power_w:
            cooled = rack.cooling_kw is not None and rack.cooling_kw == rack.most_kw != rack.power_kw
            limits["cooling" if cooled else "power"] = int(rack.most_kw * 1000 / self.power_w + 1e-9)
        if rack.weight_kg is not None and self.weight_kg:
            limits["weight"] = int(rack.weight_kg / self.weight_kg + 1e-9)
        return limits


def server_facts(blueprint: Blueprint, site: Site) -> dict[str, DeviceFacts]:
    """Return the facts of each kind of server, by role; one of several trays is a rack of its own."""
    return {
        role: facts_of(server, site, server.gpus or 1, own_rack=server.trays > 1)
        for role, server in blueprint.servers_by_role.items()
    }


def switch_facts(blueprint: Blueprint, site: Site) -> dict[str, DeviceFacts]:
    """Return the facts of each switch model, by name."""
    models = [model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)]
    return {model.name: facts_of(model, site, ASSUMED_SWITCH_UNITS) for model in models}


def appliance_facts(blueprint: Blueprint, site: Site) -> dict[str, DeviceFacts]:
    """Return the facts of each appliance, of which only the site has any, by name."""
    return {
        name: DeviceFacts(
            name,
            site.heights.get(name, ASSUMED_SWITCH_UNITS),
            site.power_w.get(name),
            site.weights_kg.get(name),
            name not in site.heights,
        )
        for name in (each.name for each in blueprint.appliances)
    }


def describe_rack_limits(blueprint: Blueprint, site: Site) -> str:
    """Return how many servers and switches of each model fit into an empty rack, each with the limit that binds."""
    found = []
    for kind, facts in (("server", server_facts(blueprint, site)), ("network", switch_facts(blueprint, site))):
        models = {each.name: each.describe_most_in(site.racks[kind]) for each in facts.values()}
        found.append(f"a {kind} rack takes {' or '.join(models.values())}")
    return ", ".join(found)


def facts_of(part: Server | Switch, site: Site, usual_units: int, *, own_rack: bool = False) -> DeviceFacts:
    """Return what a rack must offer for a model, `usual_units` high where nobody says how high it is."""
    known = site.heights.get(part.name, part.rack_units)
    units = site.racks["server"].units if own_rack and known is None else known or usual_units
    power = site.power_w.get(part.name, part.peak_power_w)
    return DeviceFacts(
        part.name, units, power, site.weights_kg.get(part.name), known is None and not own_rack, own_rack
    )
