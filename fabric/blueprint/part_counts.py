"""The parts of links in whole pieces, as a bill counts them: from a blueprint alone, or from what was laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from fabric.blueprint.appliance_parts import appliance_joints, appliance_modules
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Composition
from fabric.blueprint.physical import Joint, Modules, count_joints, count_modules
from fabric.blueprint.prices import Prices

__all__ = ["LinkUse", "PartCounts", "count_parts", "list_link_uses"]


@dataclass(frozen=True)
class LinkUse:
    """Equal links with one use."""

    bundle: str
    """The bundle of the topology that they belong to, or that the links of an appliance are like."""
    used_for: str
    """The bundle or the appliance that they are for."""
    found: Composition | None
    """The parts of one of them; None where they are not known."""
    links: int
    """The number of links."""


@dataclass(frozen=True)
class PartCounts:
    """The links of a fabric, with the modules, fibres and cables that they need."""

    links: tuple[LinkUse, ...]
    """The links."""
    modules: tuple[Modules, ...]
    """The modules."""
    joints: tuple[tuple[Joint, float], ...]
    """The fibres and cables, each with its length in metres; 0 where it is not given."""


def count_parts(blueprint: Blueprint, prices: Prices) -> PartCounts:
    """Return what the links of a blueprint need, without laying anything out."""
    parts = {bundle.name: prices.parts(bundle.name) for bundle in blueprint.topology.bundles}
    modules = chain(count_modules(blueprint, parts), appliance_modules(blueprint, parts, prices.ends))
    joints = chain(count_joints(blueprint, parts, prices.ends), appliance_joints(blueprint, parts, prices.ends))
    lengths = ((each, prices.spec.length_m(each.bundle)) for each in joints)
    return PartCounts(tuple(list_link_uses(blueprint, prices)), tuple(modules), tuple(lengths))


def list_link_uses(blueprint: Blueprint, prices: Prices) -> Iterator[LinkUse]:
    """Yield the links of each bundle and each appliance, all of the same parts."""
    for bundle in blueprint.topology.bundles:
        yield LinkUse(bundle.name, bundle.name, prices.parts(bundle.name), blueprint.links(bundle))
    for each in attach_appliances(blueprint):
        yield LinkUse(each.bundle, each.appliance.name, prices.parts(each.bundle), each.links)
