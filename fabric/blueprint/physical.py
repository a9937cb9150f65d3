"""The modules, fibres and cables of a blueprint, in whole pieces: what the cages and connectors of its switches need.

A device's links lie in the order of its ports, those below it first. A cage has one kind of module: where the links
below a switch and those above it take unlike parts, no cage holds both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Composition, Compositions, Ends, has_modules
from fabric.catalog import LinkPart
from fabric.topology.topology import Bundle, Group

__all__ = ["Joint", "Modules", "count_joints", "count_modules", "describe_joint"]


@dataclass(frozen=True)
class Modules:
    """Equal modules at the devices of one role."""

    role: str
    """The role."""
    links: int
    """The links of a cage."""
    count: int
    """The number of modules."""
    part: LinkPart | None
    """The module; None where it comes with a link at one price, or is not known."""
    bundle: str
    """A bundle whose links it carries; where there are several, their links take the same parts."""


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
    used_for: str = ""
    """The appliance that they are for; empty for the bundle itself."""


@dataclass(frozen=True)
class _Side:
    """The ports of a group's devices that belong to one bundle."""

    bundle: Bundle
    """The bundle."""
    below: bool
    """Whether its links lead down from the group: those ports are free where servers are missing."""
    ports: int
    """The ports of one device; below, when its part of the fabric is full."""


def count_modules(blueprint: Blueprint, parts: Compositions) -> Iterator[Modules]:
    """Yield the modules of the servers and of each role and model; copper and active optical cables have none."""
    hosts = parts[blueprint.topology.host_bundles[0].name]
    if has_modules(hosts):
        cages = blueprint.servers * (blueprint.server.cages or blueprint.server.nics)
        links = blueprint.server.links_per_cage(blueprint.planes)
        name = blueprint.topology.host_bundles[0].name
        yield Modules(blueprint.topology.server.role, links, cages, hosts.lower if hosts else None, name)
    for group in blueprint.topology.switch_groups:
        yield from _count_group(blueprint, group, parts)


def _count_group(blueprint: Blueprint, group: Group, parts: Compositions) -> Iterator[Modules]:
    sides = _sides(blueprint, group)
    kinds: dict[tuple[bool, int, LinkPart | None], list[_Side]] = {}
    for side in sides:
        kinds.setdefault(_kind_at(parts[side.bundle.name], side.below), []).append(side)
    for (optical, _, part), alike in kinds.items():
        if optical:
            above = sum(side.ports for side in sides if not side.below)
            for links, count in _count_cages(blueprint, group, above, alike):
                yield Modules(group.role, links, count, part, alike[0].bundle.name)


def _kind_at(found: Composition | None, below: bool) -> tuple[bool, int, LinkPart | None]:
    """Return whether links have modules, the tails of their fibres, and their module at the group's end."""
    if found is None:
        return True, 1, None
    return has_modules(found), found.tails, found.upper if below else found.lower


def _sides(blueprint: Blueprint, group: Group) -> list[_Side]:
    """Return the bundles of a group, each with the ports of one device; links within the group have both ends there."""
    devices, sides = blueprint.devices(group.role), []
    for bundle in blueprint.topology.bundles:
        if bundle.lower == bundle.upper == group:
            sides.append(_Side(bundle, False, -(-2 * blueprint.links(bundle) // devices)))
        elif bundle.lower == group:
            sides.append(_Side(bundle, False, -(-blueprint.links(bundle) // devices)))
    full = blueprint.ports_down(group.role)
    below = [bundle for bundle in blueprint.topology.bundles if bundle.upper == group != bundle.lower]
    return [*sides, *(_Side(bundle, True, full // len(below)) for bundle in below)]


def _count_cages(blueprint: Blueprint, group: Group, above: int, sides: Sequence[_Side]) -> Iterator[tuple[int, int]]:
    """Yield, for each model of `group`, the links of a cage and the cages in use by some of its bundles.

    `above` are the ports of a device that do not lead down. The switches stand in the order of their models, and those
    with free ports last of all.
    """
    up, below = sum(side.ports for side in sides if not side.below), any(side.below for side in sides)
    fills = [(count, ports - above if below else 0) for count, ports in blueprint.port_fills(group) if count]
    for model, count in blueprint.model_counts(group.role):
        links, first = model.links_per_cage(blueprint.link_gbps), blueprint.ports_down(group.role) if below else 0
        yield links, sum(taken * _cages_of(down, first, up, links) for taken, down in _take(fills, count))


def _cages_of(down: int, first: int, up: int, links: int) -> int:
    """Return the cages in use by the first `down` ports of a device and by `up` ports from the port `first` on.

    Links up keep their ports while servers are missing below, so that no cable is moved when they come.
    """
    below, start, end = -(-down // links), first // links, -(-(first + up) // links)
    return below + end - max(start, below) if up else below


def _take(fills: list[tuple[int, int]], count: int) -> Iterator[tuple[int, int]]:
    """Take `count` devices from the first of `fills`, and yield how many of them have the same ports in use."""
    while count:
        (equal, ports), *rest = fills
        taken = min(count, equal)
        yield taken, ports
        count -= taken
        fills[:] = [(equal - taken, ports), *rest] if equal > taken else rest


def count_joints(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Joint]:
    """Yield the fibres or cables of every bundle.

    A straight one joins connectors (or cages, if it is a cable) that are full at both ends. A splitter has its one end
    at the device that puts several links on a connector, which may be the last one of its ports, in part unused.
    """
    for bundle in blueprint.topology.bundles:
        found, (lower, upper) = parts[bundle.name], ends[bundle.name]
        joint = describe_joint(bundle.name, found, (lower, upper))
        at_upper = joint.kind == "cable" or not lower or not upper or upper.per_connector > 1
        yield replace(joint, count=_count_ends(blueprint, bundle, joint, at_upper))


def describe_joint(bundle: str, found: Composition | None, ends: Ends) -> Joint:
    """Return what joins the ends of a bundle's links, none of it yet: the fibre or cable of their parts.

    A link at one price comes with a fibre for each connector, or a splitter where one end puts several links on it.
    """
    if found and found.kind != "link":
        return Joint(bundle, found.kind, found.joint_links, found.tails, 0, found.joint)
    lower, upper = ends
    links = max(lower.per_connector, upper.per_connector) if lower and upper else 1
    straight = not lower or not upper or min(lower.per_connector, upper.per_connector) > 1
    return Joint(bundle, "fibre" if has_modules(found) else "cable", links, 1 if straight else links, 0, None)


def _count_ends(blueprint: Blueprint, bundle: Bundle, joint: Joint, at_upper: bool) -> int:
    """Return the fibres or cables of a bundle; the one end of a splitter is at the upper devices, or at the lower."""
    total, links = blueprint.links(bundle), joint.links
    if joint.tails == 1 or bundle.lower == bundle.upper:
        return -(-total // links)
    if not at_upper:
        devices = blueprint.devices(bundle.lower.role)
        return devices * -(-total // devices // links) if total % devices == 0 else -(-total // links)
    above = sum(side.ports for side in _sides(blueprint, bundle.upper) if not side.below)
    fills: Counter[int] = Counter()
    for count, ports in blueprint.port_fills(bundle.upper):
        fills[ports - above] += count
    if sum(count * ports for ports, count in fills.items()) != total:
        return -(-total // links)
    return sum(count * -(-ports // links) for ports, count in fills.items())
