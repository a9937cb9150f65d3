"""The axis algebra: a fabric's form is groups of equal devices on named axes and bundles of equal links between them.

Two devices of a bundle's groups are joined when they agree on every axis that both groups have; every other axis runs
over all its values. So each count is a product of sizes, a `Monomial`, which is read as plain integers (the blueprint),
as index grids (the network) and as CP-SAT variables (the optimizer).

The axes of the servers are the *placement*: nested, filled in order, and filled in part only at the end. A group that
has the first few of them exists for as many of those places as are filled, which is what the sizes named by
`filled(axis)` count: `pods`, `blocks`, and `slots`, which are the servers themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from fabric.errors import InputError
from fabric.topology.polynomial import Expression, Monomial

__all__ = ["PLANE", "Bundle", "ClosForm", "Group", "filled"]

PLANE = "plane"
"""The axis that parses into every group but the server: the fabric's independent planes."""

_GROUP = re.compile(r"\s*([a-z]\w*)\s*\(\s*([a-z]\w*(?:\s*,\s*[a-z]\w*)*)?\s*\)\s*")


TITLES = {"block": "unit", "super": "super core"}
"""Names for people where a form's own word is not the usual one."""


def title(word: str) -> str:
    """Return the word for people of a role or an axis."""
    return TITLES.get(word, word)


def filled(axis: str) -> str:
    """Return the name of the size that counts the filled places down to `axis`: `pod` gives `pods`."""
    return f"{axis}s"


@dataclass(frozen=True)
class Group:
    """Equal devices, one for every combination of its axes' values."""

    role: str
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """Equal links from every device of the lower group to those of the upper that agree on the axes both have.

    Its name is also the name of a size, the `copies`: parallel links between each such pair.
    """

    lower: Group
    upper: Group

    @property
    def name(self) -> str:
        return f"{self.lower.role}-{self.upper.role}"

    @property
    def shared(self) -> tuple[str, ...]:
        """The axes on which two devices must agree to be joined."""
        return tuple(axis for axis in self.lower.axes if axis in self.upper.axes)

    @property
    def lower_only(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.lower.axes if axis not in self.upper.axes)

    @property
    def upper_only(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.upper.axes if axis not in self.lower.axes)

    @property
    def ports_up(self) -> Monomial:
        """The links that a device of the lower group sends up."""
        return (*self.upper_only, self.name)

    @property
    def ports_down(self) -> Monomial:
        """The links that a device of the upper group takes from below, when its part of the placement is full."""
        return (*self.lower_only, self.name)


@dataclass(frozen=True)
class ClosForm:
    """Groups from the servers up, each joined to the next by one bundle: a family at one number of tiers."""

    family: str
    groups: tuple[Group, ...]

    @classmethod
    def parse(cls, family: str, text: str) -> ClosForm:
        """Read `server(block, slot) - leaf(block, rail) - spine(spine)`, adding the plane axis to every switch group.

        Raises InputError when the text is no such chain, a group's placement axes are not the first of the server's,
        or an axis that was dropped on the way up comes back.
        """
        groups = []
        for place, part in enumerate(text.split(" - ")):
            match = _GROUP.fullmatch(part)
            if not match:
                raise InputError(f"family {family}: '{part}' is no group; write role(axis, axis)")
            axes = tuple(axis.strip() for axis in (match[2] or "").split(",") if axis.strip())
            groups.append(Group(match[1], axes if place == 0 else (*axes, PLANE)))
        form = cls(family, tuple(groups))
        _check(form)
        return form

    @property
    def text(self) -> str:
        """The form as it was written, without the plane axis."""
        axes = (", ".join(axis for axis in group.axes if axis != PLANE) for group in self.groups)
        return " - ".join(f"{group.role}({names})" for group, names in zip(self.groups, axes, strict=True))

    @property
    def longest(self) -> str:
        """The switches on its longest minimal path, written as a count."""
        return str(2 * self.tiers - 1)

    @property
    def virtual_channels(self) -> dict[str, int]:
        """The virtual channels that keep each routing from locking: up and down again, one does."""
        return {"minimal": 1}

    @property
    def tiers(self) -> int:
        """The number of switch tiers."""
        return len(self.groups) - 1

    @property
    def server(self) -> Group:
        return self.groups[0]

    @property
    def switch_groups(self) -> tuple[Group, ...]:
        return self.groups[1:]

    @property
    def roles(self) -> tuple[str, ...]:
        """The switch roles from the leaf up."""
        return tuple(group.role for group in self.switch_groups)

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        return tuple(Bundle(*pair) for pair in pairwise(self.groups))

    @property
    def host_bundles(self) -> tuple[Bundle, ...]:
        """The bundles from the servers."""
        return tuple(bundle for bundle in self.bundles if bundle.lower == self.server)

    @property
    def fabric_bundles(self) -> tuple[Bundle, ...]:
        """The bundles between switches."""
        return tuple(bundle for bundle in self.bundles if bundle.lower != self.server)

    @property
    def placement(self) -> tuple[str, ...]:
        """The servers' axes, outermost first."""
        return self.server.axes

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis, in the order of its first appearance from the servers up."""
        return tuple(dict.fromkeys(axis for group in self.groups for axis in group.axes))

    @property
    def unit(self) -> str:
        """The axis whose size is the servers that share their leaves."""
        return self.placement[-1]

    @property
    def lanes(self) -> tuple[str, ...]:
        """The axes over which a server's NICs are spread: those of its leaves that are not places or planes."""
        return tuple(axis for axis in self.bundles[0].upper_only if axis != PLANE)

    def group(self, role: str) -> Group:
        """Return the group of `role`; raises KeyError when the form has none."""
        return {group.role: group for group in self.groups}[role]

    def places(self, group: Group) -> tuple[str, ...]:
        """Return the placement axes that `group` has: the first few of the server's."""
        return tuple(axis for axis in self.placement if axis in group.axes)

    def devices(self, group: Group) -> Monomial:
        """Return the count of the group's devices: the filled places it has, times its other axes."""
        places = self.places(group)
        others = tuple(axis for axis in group.axes if axis not in places)
        return (filled(places[-1]), *others) if places else others

    def links(self, bundle: Bundle) -> Expression:
        """Return the count of the bundle's links."""
        return (*self.devices(bundle.lower), *bundle.ports_up)

    def ports_down(self, group: Group) -> tuple[Expression, ...]:
        """Return the counts of links below each device of the group, when its part of the placement is full."""
        return tuple(bundle.ports_down for bundle in self.bundles if bundle.upper == group)

    def ports_up(self, group: Group) -> tuple[Expression, ...]:
        """Return the counts of links from each device of the group up, or to others of its kind."""
        return tuple(bundle.ports_up for bundle in self.bundles if bundle.lower == group)

    def spread(self, tier: int, below: int) -> Monomial:
        """Return the count of the switches of `tier` among which one device `below` shares its traffic out.

        Below 0 is a server, which goes on with its other NICs; above the leaves each rail of it is taken alone.
        """
        group, seen = self.groups[tier], self.groups[below if tier == 1 else max(1, below)]
        planes = (PLANE,) if below == 0 and tier > 1 else ()
        return (*planes, *(axis for axis in group.axes if axis not in seen.axes))

    def kept(self, tier: int) -> tuple[str, ...]:
        """Return the leaf's axes that every group up to `tier` has: leaves agreeing on them meet at that tier."""
        groups = self.switch_groups[:tier]
        return tuple(axis for axis in groups[0].axes if all(axis in group.axes for group in groups))

    @property
    def meets(self) -> str | None:
        """The role at which the lanes (rails) of one place meet, or None when they never do."""
        for tier, group in enumerate(self.switch_groups, 1):
            if not any(axis in self.kept(tier) for axis in self.lanes):
                return group.role
        return None


def _check(form: ClosForm) -> None:
    if not form.placement:
        raise InputError(f"family {form.family}: '{form.text}': the server needs an axis, its slot")
    for axis in form.placement:
        if filled(axis) in form.axes:
            raise InputError(f"family {form.family}: an axis may not be called '{filled(axis)}' beside '{axis}'")
    if form.tiers < 1:
        raise InputError(f"family {form.family}: '{form.text}' has no switches")
    _unique(form.family, "role", form.roles)
    for group in form.groups:
        _unique(form.family, f"axis of {group.role}", group.axes)
        places = tuple(axis for axis in group.axes if axis in form.placement)
        if places != form.placement[: len(places)]:
            raise InputError(
                f"family {form.family}: {group.role} has the places {places}; they must be the server's first, in order"
            )
    for axis in form.axes:
        has = [axis in group.axes for group in form.groups]
        if True in has and not all(has[has.index(True) : len(has) - has[::-1].index(True)]):
            raise InputError(f"family {form.family}: axis {axis} is dropped on the way up and comes back")


def _unique(family: str, what: str, names: Iterable[str]) -> None:
    names = list(names)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"family {family}: {what} {name} stands twice")
