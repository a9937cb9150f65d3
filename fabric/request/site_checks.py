"""What the site of a request names that the rest of it cannot have: tiers, devices and cables."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fabric import catalog
from fabric.errors import nearest
from fabric.request import chosen_parts
from fabric.request.document import Keys
from fabric.request.known_names import TopologyNames
from fabric.request.model import Request

__all__ = ["check_site_names", "check_site_tiers"]


def check_site_names(request: Request) -> Iterator[tuple[Keys, str]]:
    """Yield the devices and cables that the site names and neither the catalogue nor the request has."""
    switches = {*catalog.switches(), *chosen_parts.inline_switches(request)}
    devices = switches | {*catalog.servers(), *(each.name for each in request.appliances)}
    devices |= {server.name for server in chosen_parts.chosen_servers(request)}
    cables = {*catalog.optics(), *(link.name for link in request.links)}
    systems = request.site.port_names if isinstance(request.site.port_names, dict) else {}
    known: dict[str, tuple[Collection[str], str, Collection[str]]] = {
        "heights": (request.site.heights, "server, switch or appliance", devices),
        "weights_kg": (request.site.weights_kg, "server, switch or appliance", devices),
        "power_w": (request.site.power_w, "server, switch or appliance", devices),
        "diameters_mm": (request.site.diameters_mm, "cable or fibre", cables),
        "port_names": (systems, "switch", switches | {"*"}),
    }
    for key, (named, what, names) in known.items():
        for name in named:
            if name not in names:
                yield ("site", key, name), f"unknown {what} '{name}'{nearest(name, names)}"


def check_site_tiers(request: Request, allowed: list[TopologyNames]) -> Iterator[tuple[Keys, str]]:
    """Yield the tiers that the site names and none of the `allowed` topologies has."""
    tiers = list(dict.fromkeys(role for each in allowed for role in each.roles))
    named = request.site.names if isinstance(request.site.names, dict) else {}
    for key, roles, others in (
        ("places", request.site.places, ()),
        ("first_uplinks", request.site.first_uplinks, ()),
        ("names", named, ("server", "*")),
    ):
        for role in roles:
            if allowed and role not in (*tiers, *others):
                yield ("site", key, role), f"no allowed topology has a tier '{role}'; there are {', '.join(tiers)}"
