"""The modules, fibres and cables of appliances: those of links like theirs, in whole pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Compositions, Ends, has_modules
from fabric.blueprint.physical import Joint, Modules, describe_joint

__all__ = ["appliance_joints", "appliance_modules"]


def appliance_modules(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Modules]:
    """Yield the modules at both ends of the appliances' links; an appliance has the cages of what is below its tier."""
    for each in attach_appliances(blueprint):
        found, (lower, _) = parts[each.bundle], ends[each.bundle]
        if has_modules(found):
            links, name = lower.links if lower else 1, each.appliance.name
            own = each.copies * -(-each.appliance.ports // links)
            yield Modules(name, links, own, found.lower if found else None, each.bundle)
            for carried, count in each.cages.items():
                part = found.upper if found else None
                yield from [Modules(each.appliance.tier, carried, count, part, each.bundle)] if count else []


def appliance_joints(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Joint]:
    """Yield the fibres or cables of the appliances; one carries several links only where they go to one switch."""
    for each in attach_appliances(blueprint):
        joint = describe_joint(each.bundle, parts[each.bundle], ends[each.bundle])
        yield replace(joint, count=each.count_ends(joint.links), used_for=each.appliance.name)
