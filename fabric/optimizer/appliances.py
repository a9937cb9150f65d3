"""The ports that appliances take beside the servers, kept free in every unit or in the whole fabric.

In every unit the switches of a tier must have the ports when the unit is full. In the whole fabric places that no
server takes count as well, unless the fabric grows, since then they are filled, or links up have unlike ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ortools.sat.python import cp_model

from fabric.blueprint.port_rules import shares_ports
from fabric.optimizer.port_limits import drops_ports
from fabric.request.spec import Appliance
from fabric.topology.polynomial import Monomial
from fabric.topology.topology import Group

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["APPLIANCES", "place_appliances", "takes_ports"]

APPLIANCES = "appliances"
"""The name of the limit."""


def takes_ports(model: Model, role: str) -> bool:
    """Say whether appliances take ports of the switches of `role`; relaxed with other limits, they take none."""
    dropped = APPLIANCES in model.relaxed and len(model.relaxed) > 1
    return not dropped and any(each.tier == role for each in model.candidate.spec.appliances)


def place_appliances(model: Model) -> dict[str, Any]:
    """Keep ports free for the appliances, and return their links by the bundle that links like them belong to."""
    found: dict[str, Any] = {}
    kept: list[Term] = []
    for group in model.topology.switch_groups:
        if asked := _at(model, group.role):
            bundle = model.topology.bundle_below(group.role)
            found[bundle.name] = found.get(bundle.name, 0) + _place(model, group, asked)
            kept += [ports for _, ports in asked]
    if kept and APPLIANCES in model.relaxed:
        most = sum(each.ports for each in model.candidate.spec.appliances)
        model.cp.add(model.excess_to(most, least=0) == sum(kept))
    return found


def _at(model: Model, role: str) -> list[tuple[Appliance, Term]]:
    """Return the appliances at the switches of `role` with their ports, variables where the limit is relaxed alone."""
    asked = [each for each in model.candidate.spec.appliances if each.tier == role and takes_ports(model, role)]
    if APPLIANCES not in model.relaxed:
        return [(each, each.ports) for each in asked]
    return [(each, model.var(each.ports, f"ports of {each.name}", least=0)) for each in asked]


def _place(model: Model, group: Group, asked: list[tuple[Appliance, Term]]) -> Any:
    """Keep the ports free on a group's switches, and return how many there are."""
    in_unit: Any = sum(ports for each, ports in asked if each.per_unit)
    in_fabric: Any = sum(ports for each, ports in asked if not each.per_unit)
    units, switches = model.topology.units_of(group) or ((), ())
    total: Any = in_fabric
    if any(each.per_unit for each, _ in asked):
        model.cp.add(_free_ports(model, group, switches) >= in_unit)
        total += _in_all_units(model, in_unit, units)
    if any(not each.per_unit for each, _ in asked):
        _keep_in_fabric(model, group, total)
    return total


def _in_all_units(model: Model, ports: Any, units: Monomial) -> Any:
    number = model.product(units)
    if isinstance(ports, int):
        return ports * number
    variable = model.var(model.widest**2, "ports of a unit", least=0)
    model.cp.add(variable == ports)
    return model.times(variable, number, "ports of all units", model.widest**2 * model.upper(number))


def _free_ports(model: Model, group: Group, switches: Monomial) -> Term:
    """Return the ports that a number of the group's switches have left when they are full."""
    number = model.product(switches)
    most = model.upper(number) * model.widest
    return model.times(number, model.free[group.role], f"free ports of {'*'.join(switches)} {group.role}", most)


def _keep_in_fabric(model: Model, group: Group, total: Any) -> None:
    """Keep `total` ports free on all switches of the group together."""
    full = _free_ports(model, group, model.topology.devices(group)) >= total
    candidate, rates = model.candidate, model.candidate.rates_at(group.role)
    apart = not all(shares_ports(each, rates) for each in candidate.models[group.role])
    if drops_ports(model.relaxed, group.role) or _grows(model) is True or apart:
        model.cp.add(full)
        return
    ends: Any = sum(
        (1 + (bundle.lower == bundle.upper)) * model.links(bundle)
        for bundle in model.topology.bundles
        if group in (bundle.lower, bundle.upper)
    )
    devices, spare = model.devices(group), model.spare[group.role]
    kept = model.times(spare, devices, f"spare of all {group.role}", model.widest * model.upper(devices))
    room: Any = model.sum_of(group.role, candidate.radix(group.role))
    model.cp.add(room - kept - ends >= total)
    grows = _grows(model)
    if not isinstance(grows, bool):
        model.cp.add(full).only_enforce_if(grows)


def _grows(model: Model) -> bool | cp_model.IntVar:
    """Return whether the fabric grows beyond today's servers; a flag where it is open to what it grows."""
    spec = model.candidate.spec
    if spec.grown_servers == spec.servers:
        return False
    if "grow_to_gpus" not in model.relaxed:
        return True
    if len(model.relaxed) > 1:
        return False
    flag = model.var(1, "grows", least=0)
    model.cp.add(model.excess_to(spec.grown_servers) <= spec.servers).only_enforce_if(flag.negated())
    return flag
