"""The links of a switch within its ports: one rule where all its links are alike, else one for each kind of port.

See `fabric.blueprint.port_rules` for the rules of a model. Of several models, those in use count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric.blueprint.port_rules import PortRule, Rates, port_rules, shares_ports
from fabric.catalog import Switch
from fabric.optimizer.port_limits import PORTS, UPLINKS, drops_ports
from fabric.topology.topology import Group

if TYPE_CHECKING:
    from fabric.optimizer.model import Model

__all__ = ["bound_all_ports", "limit_switch_ports"]


def limit_switch_ports(model: Model, group: Group) -> None:
    """Keep the links of each of the group's devices, and the ports kept free for links down, within its ports."""
    role = group.role
    up = _sum_ports(model, group, upward=True)
    down = _sum_ports(model, group, upward=False) + model.spare[role] + model.free[role]
    for kind in (PORTS, UPLINKS):
        _limit_kind(model, role, kind, (down, up))
    if not drops_ports(model.relaxed, role):
        _fill_whole_ports(model, role, down, up)


def _limit_kind(model: Model, role: str, kind: str, links: tuple[Any, Any]) -> None:
    """Keep the links down and up of a device within its ports, or within its uplinks where these are apart."""
    names = {UPLINKS: {f"{UPLINKS}.{role}"}, PORTS: {PORTS, f"{PORTS}.{role}"}}[kind]
    counts, relaxed = model.candidate.counted_ports(role, uplinks=kind == UPLINKS), bool(model.relaxed & names)
    # Relaxed alone, a limit is replaced by `excess`, whose least value says what it would have to be.
    short = model.var(1, f"{role} is short of {kind}", least=0) if relaxed and len(model.relaxed) == 1 else None
    switches = zip(model.candidate.models[role], counts, model.present[role], strict=True)
    for switch, ports, used in switches:
        flags = [] if isinstance(used, int) else [used]
        # A limit on ports is that of the models with the most: relaxed, it leaves the others their ports.
        widest = relaxed and ports == max(counts)
        for rule in _rules_of(switch, model.candidate.rates_at(role), kind):
            taken = rule.down * links[0] + rule.up * links[1]
            if not widest:
                model.cp.add(taken <= rule.most).only_enforce_if(flags)
            elif short is not None:
                model.cp.add(taken <= rule.most).only_enforce_if([short.negated(), *flags])
                most = rule.most // ports * model.excess_to(2 * model.widest)
                model.cp.add(taken <= most).only_enforce_if([short, *flags])


def _rules_of(switch: Switch, rates: Rates, kind: str) -> list[PortRule]:
    """Return the rules on a model's ports, or on its uplinks where these are ports of their own."""
    apart = switch.uplinks is not None
    return [rule for rule in port_rules(switch, rates) if (apart and rule.down == 0) == (kind == UPLINKS)]


def _sum_ports(model: Model, group: Group, *, upward: bool) -> Any:
    """Return the links of one device of the group that lead up, or down."""
    sides = model.topology.port_sides(group)
    return sum(model.count(ports, model.widest) for _, ports, leads_up in sides if leads_up == upward)


def _fill_whole_ports(model: Model, role: str, down: Any, up: Any) -> None:
    """Give each shared port that is split to one side, where links down and up both split ports."""
    rates = model.candidate.rates_at(role)
    for switch, used in zip(model.candidate.models[role], model.present[role], strict=True):
        each = [switch.links_per_port(rate) for rate in (rates.down, rates.up)]
        if not shares_ports(switch, rates) and switch.uplinks is None and min(each) > 1:
            whole = model.var(switch.ports, f"ports of {switch.name} for links up", least=0)
            model.only_if(used, up <= each[1] * whole)
            model.only_if(used, down <= each[0] * (switch.ports - whole))


def bound_all_ports(model: Model, role: str, down: Any, up: Any) -> None:
    """Bound the links `down` and `up` of all the role's devices together by the rules that its models have in common.

    Redundant, but linear in links and devices (see `Model._bound_total_links`).
    """
    rules = model.candidate.port_rules(role)
    for kind in dict.fromkeys((rule.down, rule.up) for rule in rules[0]):
        most = [rule.most for each in rules for rule in each if (rule.down, rule.up) == kind]
        if len(most) == len(rules):
            model.cp.add(kind[0] * down + kind[1] * up <= model.sum_of(role, most))
