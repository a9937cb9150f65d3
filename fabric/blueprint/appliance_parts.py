"""The modules of appliances, and the fibres and cables of their links: those of links like theirs, in whole pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Compositions, Ends, has_modules
from fabric.blueprint.physical import Joint, Modules, describe_joint

__all__ = ["appliance_joints", "appliance_modules"]


def appliance_modules(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Modules]:
    """Yield the modules in the appliances, which have the cages of what is below their tier."""
    for each in attach_appliances(blueprint):
        found, (lower, _) = parts[each.bundle], ends[each.bundle]
        if has_modules(found):
            links, below = lower.links if lower else 1, blueprint.topology.bundle_below(each.appliance.tier)
            part = None if found is None or found.at_one_price else found.lower
            yield Modules(
                each.appliance.name, links, blueprint.rate(below), each.count_ends(links, at_switches=False), part
            )


def appliance_joints(blueprint: Blueprint, parts: Compositions, ends: Mapping[str, Ends]) -> Iterator[Joint]:
    """Yield the fibres or cables of the appliances; a straight one has several links only where they share a switch."""
    for each in attach_appliances(blueprint):
        joint = describe_joint(each.bundle, parts[each.bundle], ends[each.bundle])
        count = each.count_ends(joint.links, at_switches=joint.tails == 1 or joint.tails_below)
        yield replace(joint, count=count, used_for=each.appliance.name)
