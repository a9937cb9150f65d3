"""The modules, fibres and cables of a blueprint, in whole pieces: what the cages and connectors of its devices need.

A device's links lie in the order of its ports, bundle by bundle, and those of appliances after them. A cage has one
kind of module: where two bundles of a switch take unlike parts, no cage holds links of both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from fabric.blueprint.appliances import Fill, fills_with_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Composition, Compositions, Ends, has_modules
from fabric.blueprint.port_rules import most_down, ports_of
from fabric.catalog import LinkPart
from fabric.topology.topology import Bundle, Group

__all__ = [
    "Joint",
    "ModuleKind",
    "Modules",
    "PortSide",
    "count_joints",
    "count_modules",
    "describe_joint",
    "first_ports",
    "list_sides",
    "module_kind",
    "share_cages",
]


@dataclass(frozen=True)
class Modules:
    """Equal modules at the devices of one role."""

    role: str
    """The role, or the name of an appliance."""
    links: int
    """The links of a cage."""
    gbps: int
    """The rate of a link in Gb/s."""
    count: int
    """The number of modules."""
    part: LinkPart | None
    """The module; None where it comes with a link at one price, or is not known."""


@dataclass(frozen=True)
class Joint:
    """The fibres or cables of one bundle."""

    bundle: str
    """The bundle."""
    kind: str
    """`fibre` or `cable`."""
    links: int
    """The links that each carries."""
    tails: int
    """Its ends at the far side: 1, or more for a splitter."""
    count: int
    """The number of fibres or cables."""
    part: LinkPart | None
    """The fibre or cable; None where it comes with a link at one price, or is not known."""
    tails_below: bool = True
    """Whether the tails of a splitter are at the lower devices."""
    used_for: str = ""
    """The appliance that they are for; empty for the bundle itself."""


@dataclass(frozen=True)
class ModuleKind:
    """What links must have in common to share cages."""

    optical: bool
    """Whether they have modules."""
    tails: int
    """The far ends of their fibres."""
    part: LinkPart | None
    """Their module, or the whole link that has it; None where it is not known."""
    apart: bool
    """Whether the module is bought by itself; otherwise it comes with a link at one price."""


@dataclass(frozen=True)
class PortSide:
    """The ports of a group's devices that belong to one bundle."""

    place: int
    """The place of the bundle among those of the topology."""
    bundle: Bundle
    """The bundle."""
    ports: int
    """The ports of one device, when its part of the fabric is full."""
    alternative: bool = False
    """Whether its ports are instead of those of other kinds of servers, which no device has beside them."""


def count_modules(blueprint: Blueprint, parts: Compositions) -> Iterator[Modules]:
    """Yield the modules of the servers and of each role and model; copper and active optical cables have none.

    Those of the links of appliances are counted at the switches; `appliance_parts` has the other ends.
    """
    first = {bundle.lower.role: bundle for bundle in reversed(blueprint.topology.host_bundles)}
    for role, server in blueprint.servers_by_role.items():
        hosts = module_kind(parts[first[role].name], below=False)
        if hosts.optical:
            cages = blueprint.devices(role) * (server.cages or server.nics)
            links, rate = server.links_per_cage(blueprint.planes), blueprint.rate(first[role])
            yield Modules(role, links, rate, cages, hosts.part if hosts.apart else None)
    for group in blueprint.topology.switch_groups:
        yield from _count_group(blueprint, group, parts)


def _count_group(blueprint: Blueprint, group: Group, parts: Compositions) -> Iterator[Modules]:
    sides = {side.bundle.name: side for side in list_sides(blueprint, group)}
    bundles = [side.bundle for side in sides.values()]
    own_uplinks = any(model.uplinks for model, _ in blueprint.model_counts(group.role))
    for alike in share_cages(group, parts, bundles, blueprint.bundle_rates, own_uplinks=own_uplinks):
        kind = module_kind(parts[alike[0].name], below=alike[0].upper == group)
        if kind.optical:
            for links, count in _count_cages(blueprint, group, [sides[bundle.name] for bundle in alike]):
                yield Modules(group.role, links, blueprint.rate(alike[0]), count, kind.part if kind.apart else None)


def share_cages(
    group: Group, parts: Compositions, bundles: Iterable[Bundle], rates: Mapping[str, int], *, own_uplinks: bool
) -> list[list[Bundle]]:
    """Return the bundles that end at a group, those together whose links may share a cage.

    Links share one where they take the same parts at the same rate; not those up and down where links up have ports of
    their own (`own_uplinks`).
    """
    kinds: dict[tuple[ModuleKind, int, bool], list[Bundle]] = {}
    for bundle in bundles:
        kind = module_kind(parts[bundle.name], below=bundle.upper == group)
        kinds.setdefault((kind, rates[bundle.name], own_uplinks and bundle.lower == group), []).append(bundle)
    return list(kinds.values())


def module_kind(found: Composition | None, *, below: bool) -> ModuleKind:
    """Return the kind of links, seen from the device above them (`below`) or below them."""
    if found is None:
        return ModuleKind(True, 1, None, apart=False)
    whole = found.kind == "link"
    part = found.joint if whole else found.upper if below else found.lower
    return ModuleKind(has_modules(found), found.tails, part, apart=not whole and not found.at_one_price)


def list_sides(blueprint: Blueprint, group: Group) -> list[PortSide]:
    """Return the bundles that end at a group, in the order of its ports."""
    topology, sizes = blueprint.topology, blueprint.sizes
    here = [(place, each) for place, each in enumerate(topology.bundles) if group in (each.lower, each.upper)]
    firsts = [topology.first_port(group, bundle, sizes) for _, bundle in here]
    ends = [*firsts[1:], blueprint.ports_down(group.role) + blueprint.ports_up(group.role)]
    sides = [PortSide(*each, end - first) for each, first, end in zip(here, firsts, ends, strict=True)]
    if len(topology.bundles_together(group)) == 1:
        return sides
    full = {bundle: blueprint.evaluate(ports) for bundle, ports, upward in topology.port_sides(group) if not upward}
    return [replace(side, ports=full[side.bundle], alternative=True) if side.bundle in full else side for side in sides]


def _count_cages(blueprint: Blueprint, group: Group, sides: Sequence[PortSide]) -> Iterator[tuple[int, int]]:
    """Yield, for each model of `group`, the links of a cage and the cages in use by the links of some of its bundles.

    The switches stand in the order of their models, and those with free ports last of all.
    """
    below, rates, up = (
        blueprint.topology.bundle_below(group.role),
        blueprint.rates_at(group.role),
        blueprint.links_up(group.role),
    )
    full = blueprint.ports_down(group.role) + blueprint.ports_up(group.role)
    fills = deque(fills_with_appliances(blueprint, group))
    for model, count in blueprint.model_counts(group.role):
        ports = ports_of(model, upward=all(side.bundle.lower == group for side in sides))
        links, room = ports.links_per_cage(blueprint.rate(sides[0].bundle)), most_down(model, rates, up) + up - full
        taken = _take(fills, count)
        yield links, sum(each * _cages_of(_lay_spans(sides, fill, room, below), links) for each, fill in taken)


def _lay_spans(sides: Sequence[PortSide], fill: Fill, room: int, below: Bundle) -> Iterator[tuple[int, int]]:
    """Yield the first port and the ports in use of each bundle, and then of appliances, in cages of their kind.

    A bundle keeps its ports while servers are missing, so that no cable is moved when they come. Appliances, whose
    links are like those `below` their switches, take ports that stay free when the switch is full (`room`), and only
    then those of servers that are missing.
    """
    firsts = first_ports(sides)
    later = max(0, min(fill.taken, room))
    for side, first in zip(sides, firsts, strict=False):
        yield first, fill.ports[side.place] + (fill.taken - later if side.bundle == below else 0)
    if any(side.bundle == below for side in sides):
        yield firsts[-1], later


def first_ports(sides: Sequence[PortSide]) -> list[int]:
    """Return the first port of each side, and the first after all of them; alternatives begin at the same port."""
    shared = max((side.ports for side in sides if side.alternative), default=0)
    own = accumulate((0 if side.alternative else side.ports for side in sides), initial=shared)
    starts = [*(0 if side.alternative else None for side in sides), None]
    return [first if start is None else start for start, first in zip(starts, own, strict=True)]


def _cages_of(spans: Iterator[tuple[int, int]], links: int) -> int:
    """Return the cages of `links` ports in which a port of ascending spans lies."""
    cages = end = 0
    for first, ports in spans:
        if ports:
            start, end = max(first // links, end), -(-(first + ports) // links)
            cages += end - start
    return cages


def _take(fills: deque[Fill], count: int) -> Iterator[tuple[int, Fill]]:
    """Take `count` devices from the first of `fills`, and yield how many of them have the same ports in use."""
    while count:
        first = fills.popleft()
        taken = min(count, first.devices)
        yield taken, first
        count -= taken
        if first.devices > taken:
            fills.appendleft(first._replace(devices=first.devices - taken))


def count_joints(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Joint]:
    """Yield the fibres or cables of every bundle.

    A straight one joins connectors (or cages, if it is a cable) that are full at both ends. A splitter has its one end
    at the device that puts several links on a connector, which may be the last one of its ports, in part unused.
    """
    for bundle in blueprint.topology.bundles:
        joint = describe_joint(bundle.name, parts[bundle.name], ends[bundle.name])
        yield replace(joint, count=_count_ends(blueprint, bundle, joint))


def describe_joint(bundle: str, found: Composition | None, ends: Ends) -> Joint:
    """Return what joins the ends of a bundle's links, none of it yet: the fibre or cable of their parts.

    A link at one price comes with a fibre for each connector, or a splitter where one end puts several links on it.
    """
    lower, upper = ends
    tails_below = not lower or not upper or upper.per_connector > 1 or lower.per_connector == 1
    if found and found.kind != "link":
        part = None if found.at_one_price else found.joint
        return Joint(bundle, found.kind, found.joint_links, found.tails, 0, part, found.kind == "cable" or tails_below)
    links = max(lower.per_connector, upper.per_connector) if lower and upper else 1
    straight = not lower or not upper or min(lower.per_connector, upper.per_connector) > 1
    kind = "fibre" if has_modules(found) else "cable"
    return Joint(bundle, kind, links, 1 if straight else links, 0, None, tails_below)


def _count_ends(blueprint: Blueprint, bundle: Bundle, joint: Joint) -> int:
    """Return the fibres or cables of a bundle, from their ends at the devices where a splitter has its one end."""
    if joint.tails == 1:
        return -(-blueprint.links(bundle) // joint.links)
    place = blueprint.topology.bundles.index(bundle)
    fills = blueprint.bundle_fills(bundle.upper if joint.tails_below else bundle.lower)
    return sum(count * -(-ports[place] // joint.links) for count, ports in fills)
