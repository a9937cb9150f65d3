"""The modules, fibres and cables of appliances: those of links like theirs, in whole pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Composition, End
from fabric.blueprint.physical import Joint, Modules
from fabric.catalog.link_parts import FIBRE

__all__ = ["appliance_joints", "appliance_modules"]

Compositions = Mapping[str, Composition | None]
"""The parts of one link of each bundle; None where they are not known."""

Ends = Mapping[str, tuple[End | None, End | None]]
"""The cages at the lower and the upper end of each bundle's links."""


def appliance_modules(blueprint: Blueprint, parts: Compositions, ends: Ends) -> Iterator[Modules]:
    """Yield the modules at both ends of the appliances' links; an appliance has the cages of what is below its tier."""
    for each in attach_appliances(blueprint):
        found, (lower, _) = parts[each.bundle], ends[each.bundle]
        if _is_optical(found):
            links, name = lower.links if lower else 1, each.appliance.name
            own = each.copies * -(-each.appliance.ports // links)
            yield Modules(name, links, own, found.lower if found else None, each.bundle)
            for carried, count in each.cages.items():
                part = found.upper if found else None
                yield from [Modules(each.appliance.tier, carried, count, part, each.bundle)] if count else []


def appliance_joints(blueprint: Blueprint, parts: Compositions, ends: Ends) -> Iterator[Joint]:
    """Yield the fibres or cables of the appliances; one carries several links only where they go to one switch."""
    for each in attach_appliances(blueprint):
        found = parts[each.bundle]
        own = found if found and found.kind != "link" else None
        links = own.joint_links if own else _links_of(*ends[each.bundle])
        kind = "cable" if (own and own.kind == "cable") or not _is_optical(found) else "fibre"
        tails = own.tails if own else 1
        part, count = own.joint if own else None, each.ends(links)
        yield Joint(each.bundle, kind, links, tails, count, part, used_for=each.appliance.name)


def _is_optical(found: Composition | None) -> bool:
    return found is None or found.media in FIBRE


def _links_of(lower: End | None, upper: End | None) -> int:
    """Return the links of a fibre: those that share a connector."""
    return max(lower.per_connector, upper.per_connector) if lower and upper else 1
