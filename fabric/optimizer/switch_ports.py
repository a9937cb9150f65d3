"""The links of a switch within its ports: one rule where all its links are alike, else one for each kind of port.

See `fabric.blueprint.port_rules` for the rules of a model. Of several models, those in use count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric.blueprint.port_rules import PortRule, Rates, has_unlike_links, port_rules
from fabric.catalog import Switch
from fabric.optimizer.port_limits import PORTS, UPLINKS
from fabric.topology.topology import Group

if TYPE_CHECKING:
    from fabric.optimizer.model import Model

__all__ = ["bound_all_ports", "limit_switch_ports", "list_rooms"]


def limit_switch_ports(model: Model, group: Group) -> None:
    """Keep the links of each of the group's devices, and the ports kept free for links down, within its ports."""
    role = group.role
    up = _sum_ports(model, group, upward=True)
    down = _sum_ports(model, group, upward=False) + model.spare[role] + model.free[role]
    for kind in (PORTS, UPLINKS):
        rooms = list_rooms(model, role, kind)
        switches = zip(model.candidate.models[role], rooms, model.present[role], strict=True)
        for (switch, room, used), ports in zip(switches, _counted(model, role, kind), strict=True):
            if room is not None:
                for rule in _rules_of(switch, model.candidate.rates_at(role), kind):
                    model.only_if(used, ports * (rule.down * down + rule.up * up) <= rule.most * room)
                if kind == PORTS:
                    _fill_whole_ports(model, role, switch, used, (down, up, room))


def list_rooms(model: Model, role: str, kind: str) -> list[Any]:
    """Return the ports, or uplinks, that each model of a role may use, as `Candidate.counted_ports` counts them.

    A limit on ports is that of the models with the most; relaxed, it leaves the others their ports. Relaxed alone, it
    is replaced by `excess` where the role is short, whose least value says what it would have to be; with others None.
    """
    counts = _counted(model, role, kind)
    if model.relaxed.isdisjoint({f"{kind}.{role}"} | ({PORTS} if kind == PORTS else set())):
        return [*counts]
    beyond = None
    if len(model.relaxed) == 1:
        beyond, short = (
            model.var(2 * model.widest, f"{kind} of {role}", 0),
            model.var(1, f"{role} is short of {kind}", 0),
        )
        model.cp.add(beyond <= max(counts)).only_enforce_if(short.negated())
        model.cp.add(beyond <= model.excess_to(2 * model.widest)).only_enforce_if(short)
    return [beyond if count == max(counts) else count for count in counts]


def _counted(model: Model, role: str, kind: str) -> tuple[int, ...]:
    return model.candidate.counted_ports(role, uplinks=kind == UPLINKS)


def _rules_of(switch: Switch, rates: Rates, kind: str) -> list[PortRule]:
    """Return the rules on a model's ports, or on its uplinks where these are ports of their own."""
    apart = switch.uplinks is not None
    return [rule for rule in port_rules(switch, rates) if (apart and rule.down == 0) == (kind == UPLINKS)]


def _sum_ports(model: Model, group: Group, *, upward: bool) -> Any:
    """Return the links of one device of the group that lead up, or down."""
    sides = model.topology.port_sides(group)
    return sum(model.count(ports, model.widest) for _, ports, leads_up in sides if leads_up == upward)


def _fill_whole_ports(model: Model, role: str, switch: Switch, used: Any, links: tuple[Any, Any, Any]) -> None:
    """Give each shared port that is split to one side, where links down and up both split ports."""
    (down, up, room), rates = links, model.candidate.rates_at(role)
    each = [switch.links_per_port(rate) for rate in (rates.down, rates.up)]
    if has_unlike_links(switch, rates) and min(each) > 1:
        whole = model.var(model.upper(room), f"ports of {switch.name} for links up", least=0)
        model.only_if(used, up <= each[1] * whole)
        model.only_if(used, down <= each[0] * (room - whole))


def bound_all_ports(model: Model, role: str, down: Any, up: Any) -> None:
    """Bound the links `down` and `up` of all the role's devices together by the rules that its models have in common.

    Redundant, but linear in links and devices (see `Model._bound_total_links`).
    """
    rules = model.candidate.port_rules(role)
    for kind in dict.fromkeys((rule.down, rule.up) for rule in rules[0]):
        most = [rule.most for each in rules for rule in each if (rule.down, rule.up) == kind]
        if len(most) == len(rules):
            model.cp.add(kind[0] * down + kind[1] * up <= model.sum_of(role, most))
