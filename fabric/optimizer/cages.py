"""The cages of switches: each has one kind of module or cable, so links of unlike parts must have enough of them.

See `fabric.blueprint.physical`, which counts the cages by the same rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fabric.blueprint.physical import share_cages
from fabric.optimizer.port_limits import PORTS
from fabric.optimizer.switch_ports import list_rooms
from fabric.request import Spec
from fabric.topology.topology import Bundle, Group

if TYPE_CHECKING:
    from fabric.optimizer.candidates import Candidate
    from fabric.optimizer.model import Model


__all__ = ["CAGES", "chooses_parts", "limit_cages"]

CAGES = "cages"
"""The limit that a cage has parts of one kind."""


def chooses_parts(spec: Spec) -> bool:
    """Say whether a request chooses parts of links, so that those of a switch may be unlike."""
    chosen = (spec.media, spec.lengths_m, spec.optics, spec.exclude_optics, spec.link_parts, spec.link_price_usd)
    return any(chosen)


def _list_unlike(candidate: Candidate, group: Group, bundles: Sequence[Bundle]) -> list[list[Bundle]]:
    """Return bundles that end at a group by their rate and the kind of their parts; none where all are alike."""
    parts = {each.name: found for each in bundles if (found := candidate.prices.parts(each.name))}
    known = [each for each in bundles if each.name in parts]
    kinds = share_cages(group, parts, known, candidate.prices.rates, own_uplinks=False)
    return kinds if len(kinds) > 1 else []


def limit_cages(model: Model) -> None:
    """Let the links of each kind at a switch have cages of their own."""
    if CAGES in model.relaxed:
        model.excess = 1 if len(model.relaxed) == 1 else model.excess
        return
    for group in model.topology.switch_groups:
        for bundles in model.topology.bundles_together(group):
            _limit_kinds(model, group, _list_unlike(model.candidate, group, bundles))


def _limit_kinds(model: Model, group: Group, kinds: list[list[Bundle]]) -> None:
    """Let the links of several kinds that end at one switch have cages of their own."""
    role = group.role
    rooms, counts = list_rooms(model, role, PORTS), model.candidate.counted_ports(role)
    switches = zip(model.candidate.models[role], counts, rooms, model.present[role], strict=True)
    for switch, ports, room, used in switches:
        # Uplinks of their own have cages of their own, so that the rules on ports are enough.
        links = [switch.links_per_cage(model.candidate.rate(bundles[0])) for bundles in kinds]
        if switch.uplinks is None and max(links, default=1) > 1 and room is not None:
            taken = _count_cages(model, group, kinds, links)
            model.only_if(used, ports * taken <= (switch.cages or switch.ports) * room)


def _count_cages(model: Model, group: Group, kinds: list[list[Bundle]], links: list[int]) -> Any:
    """Return the cages that a full switch needs for links of several kinds, given the links of one cage by kind."""
    taken = [model.var(model.widest, f"cages of {group.role}", least=0) for _ in kinds]
    for number, each, bundles in zip(taken, links, kinds, strict=True):
        model.cp.add(each * number >= sum(_count_ports(model, group, bundle) for bundle in bundles))
    return sum(taken)


def _count_ports(model: Model, group: Group, bundle: Bundle) -> Any:
    """Return the ports of a full switch that a bundle takes, with those of the appliances whose links are like its."""
    topology = model.topology
    ports = next(ports for each, ports, _ in topology.port_sides(group) if each == bundle)
    own: Any = model.free[group.role] if bundle == topology.bundle_below(group.role) else 0
    return model.count(ports, model.widest) + own
