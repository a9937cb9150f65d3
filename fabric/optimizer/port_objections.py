"""Why the ports of the switches allowed cannot carry the links of a candidate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from fabric.blueprint.port_rules import Rates, may_have_ports
from fabric.catalog import PortGroup, Switch
from fabric.topology.topology import Topology

if TYPE_CHECKING:
    from fabric.optimizer.candidates import Candidate

__all__ = ["ask_breakouts", "missing_ports", "refuse_unlike_ports", "splittable"]

Models = tuple[Switch, ...]


def missing_ports(role: str, models: Models, rates: Rates) -> str:
    """Return that none of the `models` allowed for `role` has ports at both rates, with the rates that they have."""
    for rate in rates.every_down:
        if not any(model.radix(rate) for model in models):
            return f"the {role} has no ports at {rate}G ({_list_rates(models)})"
    if not any(all(map(model.radix, rates.every_down)) for model in models):
        return f"the {role} has no switch with ports at {' and '.join(f'{rate}G' for rate in rates.every_down)}"
    return f"the {role} has no ports for links up at {rates.up}G ({_list_rates(each.upward for each in models)})"


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
