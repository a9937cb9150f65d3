"""Why the ports of the switches allowed cannot carry the links of a candidate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from fabric.blueprint.port_rules import Rates, has_ports, may_have_ports
from fabric.catalog import PortGroup, Switch, switches
from fabric.topology.topology import Topology

if TYPE_CHECKING:
    from fabric.optimizer.candidates import Candidate

__all__ = ["ask_breakouts", "missing_ports", "refuse_unlike_ports", "splittable"]

Models = tuple[Switch, ...]

SHOWN = 3
"""The switches of the catalogue that are named where those of the request have not the ports; the rest are counted."""


def missing_ports(candidate: Candidate, allowed: Mapping[str, Models]) -> Iterator[str]:
    """Yield for each role that no switch in `allowed` has, or may have, the ports that its links need."""
    for role, usable in candidate.models.items():
        rates = candidate.rates_at(role)
        if not usable and not splittable(allowed[role], rates):
            yield f"{_name_missing(role, allowed[role], rates)}; {_known_models(role, allowed, rates)}"


def _name_missing(role: str, models: Models, rates: Rates) -> str:
    """Return that none of the `models` allowed for `role` has ports at both rates, with the rates that they have."""
    for rate in rates.every_down:
        if not any(model.radix(rate) for model in models):
            return f"the {role} has no ports at {rate}G ({_list_rates(models)})"
    if not any(all(map(model.radix, rates.every_down)) for model in models):
        return f"the {role} has no switch with ports at {' and '.join(f'{rate}G' for rate in rates.every_down)}"
    return f"the {role} has no ports for links up at {rates.up}G ({_list_rates(each.upward for each in models)})"


def _known_models(role: str, allowed: Mapping[str, Models], rates: Rates) -> str:
    """Return which switches of the catalogue have those ports, and a link layer that the switches of other tiers have.

    Where the request allows the same models for every tier, another link layer will do. A switch whose uplinks are
    ports of their own sets the rate of links up itself.
    """
    others = (model for models in allowed.values() if models != allowed[role] for model in models)
    layers = {model.link_layer for model in others} - {None}
    known = (
        model for model in switches().values() if has_ports(model, replace(rates, up=0) if model.uplinks else rates)
    )
    names = [model.name for model in known if not layers or model.link_layer in layers]
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"known with such ports: {', '.join(names[:SHOWN])}{more}"
    unlike = "`fabric cluster` gives unlike servers fabrics of their own"
    return f"no known switch has; {unlike if rates.others else 'describe one in the request'}"


def _list_rates(groups: Iterable[PortGroup]) -> str:
    return ", ".join(f"{each.name} at {' and '.join(f'{rate}G' for rate in each.rates)}" for each in groups)


def splittable(models: Models, rates: Rates) -> list[str]:
    """Return the models that may have ports at both rates, but whose breakouts are not known."""
    return [model.name for model in models if may_have_ports(model, rates)]


def ask_breakouts(candidate: Candidate, allowed: Mapping[str, Models]) -> Iterator[tuple[str, str]]:
    """Yield for each role without a switch that is known to have ports at its rates what is not known, and its key."""
    for role, usable in candidate.models.items():
        if not usable:
            rates = candidate.rates_at(role)
            names = " and ".join(splittable(allowed[role], rates))
            at = " and ".join(f"{rate}G" for rate in dict.fromkeys((rates.down, rates.up or rates.down)))
            remedy = "describe the switch in the request with `breakouts`"
            yield "switches", f"the breakouts of {names} to {at} are not known; {remedy}"


def refuse_unlike_ports(candidate: Candidate) -> Iterator[str]:
    """Yield why a topology cannot have unlike ports."""
    topology, models = candidate.topology, chain.from_iterable(candidate.models.values())
    unlike = any(candidate.rate(bundle) != candidate.link_gbps for bundle in topology.bundles)
    if (unlike or any(model.uplinks for model in models)) and _joins_both(topology):
        yield "its switches join servers and other switches alike, so its links have one rate and its ports are alike"
    rates = {candidate.rate(bundle) for bundle in topology.fabric_bundles}
    if not topology.layered and len(rates) > 1:
        yield f"all its links between switches have one rate, not {' and '.join(f'{rate}G' for rate in sorted(rates))}"


def _joins_both(topology: Topology) -> bool:
    """Say whether links from servers and from other switches end at the same switches from below."""
    hosts = {bundle.upper for bundle in topology.host_bundles}
    return any(bundle.upper in hosts and bundle.lower != bundle.upper for bundle in topology.fabric_bundles)
