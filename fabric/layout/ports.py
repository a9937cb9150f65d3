"""The vendor's name of every port: which native port of a switch, and which part of it, each link has.

Links down have the first ports, in the order of the network, and links up those after them. Links that share modules
and rate share ports and cages; others begin with a new cage, and links up with ports of their own begin with these.
Where growth or missing servers leave links out, their ports stay free, so that no cable is moved when they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.composition import Compositions
from fabric.blueprint.physical import PortSide, list_sides, share_cages
from fabric.catalog import PLAIN, PortGroup, PortPart, Server, Switch, name_nic, port_name_systems
from fabric.errors import InputError, Mistake
from fabric.request.site import Site
from fabric.topology.topology import Group

__all__ = ["PortTable", "list_nic_names", "list_port_tables", "name_cards", "place_nic_ports", "system_of"]

Rows = npt.NDArray[np.int64]

_End = tuple[int, int, int]
"""Where a side's ports end: in parts of ports, with the kind of its modules, and the parts of a port."""

NO_KIND = -1
"""The kind of ports where sides with unlike modules come before."""


@dataclass(frozen=True)
class PortTable:
    """The ports of one switch model that the links of one bundle have, in the order of the network's port numbers."""

    first: int
    """The network's number of the first."""
    parts: tuple[PortPart, ...]
    """The native port of each, and the part of it."""
    names: tuple[str, ...]
    """The name of each."""
    cages: tuple[int, ...]
    """The cage of each, numbered from 0 on the switch."""


def list_port_tables(
    blueprint: Blueprint, parts: Compositions, site: Site
) -> Mapping[tuple[str, str], tuple[PortTable, ...]]:
    """Return the ports of each role's links of each bundle, by (role, bundle), one table for each model of the role.

    Appliances have the ports that stay free, from the first on, under their own names.

    Raises InputError where `first_uplinks` of the site leaves too few ports, or names ports that links down have.
    """
    tables: dict[tuple[str, str], tuple[PortTable, ...]] = {}
    for group in blueprint.topology.switch_groups:
        sides = list_sides(blueprint, group)
        found = [
            _lay_sides(blueprint, group, model, sides, parts, site) for model, _ in blueprint.model_counts(group.role)
        ]
        for name in found[0]:
            tables[group.role, name] = tuple(each[name] for each in found)
    return tables


def _lay_sides(
    blueprint: Blueprint, group: Group, model: Switch, sides: list[PortSide], parts: Compositions, site: Site
) -> dict[str, PortTable]:
    """Return the table of each side of a group's devices, and of each appliance there, of one of its models."""
    kinds = share_cages(
        group, parts, [side.bundle for side in sides], blueprint.bundle_rates, own_uplinks=model.uplinks is not None
    )
    kind_of = {bundle.name: number for number, alike in enumerate(kinds) for bundle in alike}
    names = port_name_systems()[system_of(model, site)]
    splits = [_ports_at(model, group, side).links_per_port(blueprint.rate(side.bundle)) for side in sides]
    tables: dict[str, PortTable] = {}
    ends: dict[bool, _End] = {}
    for side, split in zip(sides, splits, strict=True):
        upward = side.bundle.lower == group
        own = upward and model.uplinks is not None
        ports, kind = _ports_at(model, group, side), kind_of[side.bundle.name]
        asked = site.first_uplinks.get(group.role) if upward else None
        start = _first_part(ports, ends.get(own), kind, split, asked, group.role)
        if side.alternative:
            start = 0
        before = model.ports if own else 0
        slots = range(start, start + side.ports)
        laid = tuple(PortPart(before + slot // split, slot % split, split) for slot in slots)
        _check_room(ports, laid, before, group.role, asked)
        end = slots.stop, kind, split
        ends[own] = _join_ends(ends[own], end) if side.alternative and own in ends else end
        first = blueprint.topology.first_port(group, side.bundle, blueprint.sizes)
        tables[side.bundle.name] = _make_table(first, model, laid, names.spell(model, laid, max(splits)))
    boxes = [each.name for each in blueprint.appliances if each.tier == group.role]
    if boxes:
        below = blueprint.topology.bundle_below(group.role)
        split = splits[[side.bundle.name for side in sides].index(below.name)]
        alike = [name for name in tables if kind_of[name] == kind_of[below.name]]
        free = tuple(_list_free_parts(model, tables, alike, split))
        first = blueprint.ports_down(group.role) + blueprint.ports_up(group.role)
        tables |= dict.fromkeys(boxes, _make_table(first, model, free, names.spell(model, free, max(splits))))
    return tables


def _make_table(first: int, model: Switch, laid: tuple[PortPart, ...], names: Iterable[str]) -> PortTable:
    cages = []
    for each in laid:
        own = each.port >= model.ports and model.uplinks is not None
        cage = (each.port - model.ports) // _cage_ports(model.upward) if own else each.port // _cage_ports(model)
        cages.append(cage + (model.cages or model.ports if own else 0))
    return PortTable(first, laid, tuple(names), tuple(cages))


def _cage_ports(ports: PortGroup) -> int:
    """Return the native ports of one cage."""
    return max(1, ports.ports // (ports.cages or ports.ports))


def _list_free_parts(
    model: Switch, tables: Mapping[str, PortTable], alike: Collection[str], split: int
) -> Iterator[PortPart]:
    """Yield the parts of ports down that no side has; cages with modules of another kind than `alike` have none."""
    cage = _cage_ports(model)
    taken: set[tuple[int, int]] = set()
    for name, table in tables.items():
        for each in table.parts:
            if name not in alike:
                ports = range(each.port // cage * cage, (each.port // cage + 1) * cage)
                taken |= {(port, part) for port in ports for part in range(split)}
            elif each.parts == split:
                taken.add((each.port, each.part))
            else:
                taken |= {(each.port, part) for part in range(split)}
    for port in range(model.ports):
        for part in range(split):
            if (port, part) not in taken:
                yield PortPart(port, part, split)


def _ports_at(model: Switch, group: Group, side: PortSide) -> PortGroup:
    return model.upward if side.bundle.lower == group else model


def _first_part(ports: PortGroup, end: _End | None, kind: int, split: int, asked: int | None, role: str) -> int:
    """Return the first part, counted in parts of this side, after the `end` of the sides before it.

    Links of another kind begin with the next cage, and those of another split with the next port.
    """
    after, before, parts = end or (0, kind, split)
    native = -(-after // parts)
    if asked is not None:
        if asked - 1 < native:
            text = f"port {asked} belongs to links down, which end at port {native}; write {native + 1} or more"
            raise InputError([Mistake(f"site.first_uplinks.{role}", text)])
        return (asked - 1) * split
    if before == kind and parts == split:
        return after
    cage = _cage_ports(ports)
    return (native if before == kind else -(-native // cage) * cage) * split


def _join_ends(one: _End, other: _End) -> _End:
    """Return where the ports of two alternatives end: where the longer does, in a new cage unless they are alike."""
    if one[1:] == other[1:]:
        return max(one, other)
    return max(-(-one[0] // one[2]), -(-other[0] // other[2])), NO_KIND, 1


def _check_room(ports: PortGroup, laid: tuple[PortPart, ...], before: int, role: str, asked: int | None) -> None:
    if laid and laid[-1].port - before >= ports.ports:
        needed = laid[-1].port - laid[0].port + 1
        remedy = f"write {ports.ports - needed + 1} or less" if asked else "leave a tier more ports in reserve"
        key = f"site.first_uplinks.{role}" if asked else role
        last = laid[-1].port - before + 1
        raise InputError(
            [Mistake(key, f"links need ports up to {last} of {ports.name}, which has {ports.ports}; {remedy}")]
        )


def system_of(model: Switch, site: Site) -> str:
    """Return the operating system whose names the ports of a model have."""
    return site.port_names.get(model.name) or site.port_names.get("*") or model.port_names or PLAIN


def list_nic_names(server: Server, planes: int, rails: int) -> tuple[str, ...]:
    """Return the name of every NIC port of a server, in the order of the network's port numbers.

    A server of several trays has its NICs rail by rail, and within a rail tray by tray; without rails, tray by tray.
    Where several cards count as one NIC, each is named, as a NIC of its own.
    """
    per_card = planes // server.cards
    tray, place, part = place_nic_ports(server, planes, np.arange(server.nics * planes), rails)
    names = name_cards(server, int(place.max(initial=0)) + 1, per_card)
    found = [names[number] for number in (place * per_card + part).tolist()]
    if server.trays == 1:
        return tuple(found)
    return tuple(f"tray{number + 1:02d} {name}" for number, name in zip(tray.tolist(), found, strict=True))


def name_cards(server: Server, cards: int, per_card: int) -> tuple[str, ...]:
    """Return the name of every port of the first cards of a tray, of one or several ports each."""
    ends = [f"p{part}" for part in range(per_card)] if per_card > 1 else [""]
    return tuple(f"{name_nic(server.nic_names, card)}{end}" for card in range(cards) for end in ends)


def place_nic_ports(server: Server, planes: int, port: Rows, rails: int) -> tuple[Rows, Rows, Rows]:
    """Return the tray of each NIC port of a server, its card's place in the tray, and its place on the card, from 0.

    `port` counts through all NICs, each with a port for every plane; all are of its shape.
    """
    nic, plane = np.divmod(port, planes)
    card, part = np.divmod(plane, planes // server.cards)
    if server.trays > 1 and rails > 1:
        return nic % server.trays, nic // server.trays * server.cards + card, part
    tray, place = np.divmod(nic * server.cards + card, max(1, server.cards_total // server.trays))
    return tray, place, part
