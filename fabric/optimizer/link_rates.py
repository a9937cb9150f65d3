"""The rates at which the links of a topology may run: that of the host links, or those of unlike ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fabric.blueprint.port_rules import ports_of
from fabric.catalog import Switch
from fabric.request import Spec
from fabric.topology.topology import Bundle, Topology

__all__ = ["rate_choices"]

Models = Mapping[str, tuple[Switch, ...]]


def rate_choices(spec: Spec, topology: Topology, planes: int, models: Models) -> list[dict[str, int]]:
    """Return the rates of all bundles by name, once for each combination that the switch models allow.

    Links up from a switch whose uplinks are ports of their own run at the fastest rate of these that the switches above
    have too; from any other switch, at the rate of the fastest links below. The request may say the rate of a bundle.
    """
    servers, found = spec.servers_by_role(topology.server.role), [dict[str, int]()]
    for bundle in topology.bundles:
        if bundle in topology.host_bundles:
            host = spec.host_gbps(servers[bundle.lower.role], planes)
            found = [chosen | {bundle.name: host} for chosen in found]
        else:
            found = [
                chosen | {bundle.name: rate}
                for chosen in found
                for rate in _rates_up(spec, topology, bundle, models, chosen)
            ]
    return found


def _rates_up(
    spec: Spec, topology: Topology, bundle: Bundle, models: Models, chosen: Mapping[str, int]
) -> Iterable[int]:
    """Return the rates that links of `bundle` may have where those below have the rates `chosen`."""
    if asked := spec.link_rates.get(bundle.name):
        return (asked,)
    sides = topology.port_sides(bundle.lower)
    below = max(chosen[each.name] for each, _, upward in sides if not upward)
    above = [ports_of(model, bundle.upper == bundle.lower) for model in models[bundle.upper.role]]
    rates = dict[int, None]()
    for model in models[bundle.lower.role]:
        own = model.uplinks.rates if model.uplinks and below else (below,)
        rates[next((rate for rate in own if any(each.radix(rate) for each in above)), own[0])] = None
    return rates or (below,)
