"""The captions and colours of Clos fabrics, which are drawn by tiers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import links_of_pairs
from fabric.blueprint.native_ports import tier_ports
from fabric.draw.canvas import HARD_SPACE
from fabric.draw.graph_scene import GraphScene
from fabric.draw.palette import ACCENT, line_colour, rail_colour
from fabric.draw.sampling import axis_span, colour_axis, framed_axes, has_planes, nesting_depth, own_axes
from fabric.draw.words import ratio_text
from fabric.topology.clos import ClosForm
from fabric.topology.topology import PLANE, Bundle, Group, title
from fabric.units import count, count_noun

__all__ = ["ClosStyle"]

Digits = Mapping[str, int]


@dataclass(frozen=True)
class ClosStyle:
    """The style of a Clos fabric (see `fabric.draw.style`)."""

    blueprint: Blueprint
    """The blueprint."""
    form: ClosForm
    """Its topology."""

    def scene(self) -> GraphScene | None:
        """Return None: the fabric is drawn by tiers."""
        return None

    def describe_size(self) -> str:
        """Return the number of tiers."""
        return count_noun(self.form.tiers, "tier")

    def describe_group(self, group: Group) -> str:
        """Return how many devices one place has and along which axes: `32 per pod: group 16 × spine 2`."""
        sizes = {axis: axis_span(self.blueprint, axis) for axis in own_axes(self.form, group)}
        sizes = {axis: size for axis, size in sizes.items() if size > 1}
        counted = f"{count(math.prod(sizes.values()))} {where}" if (where := self._where(group)) else ""
        if len(sizes) > 1:
            factors = " × ".join(f"{title(axis)}{HARD_SPACE}{count(size)}" for axis, size in sizes.items())
            return f"{counted}: {factors}" if counted else factors
        server = group.role in self.blueprint.servers_by_role  # whose axes are all places
        named = [title(axis) for axis in sizes if not server and axis not in (group.role, *self.form.placement)]
        total = count(math.prod(sizes.values()))
        return f"{counted or total}, one per {named[0]}" if named else counted

    def _where(self, group: Group) -> str:
        """Return the innermost place that encloses the group: `per pod per plane`."""
        inside = self.form.placement[: nesting_depth(self.form, group)]
        places = [title(axis) for axis in framed_axes(self.blueprint) if axis in inside][-1:]
        planes = ["plane"] if PLANE in group.axes and has_planes(self.blueprint) else []
        return " ".join(f"per {place}" for place in places + planes)

    def describe_ports(self, group: Group) -> str:
        """Return the ports of one switch that lead down and up: `64 down, 64 up`."""
        ports = tier_ports(self.blueprint, group.role)
        down, up = ports.down, ports.up
        return f"{count(down)} down, {count(up)} up" if up else f"{count(down)} down"

    def describe_bundle(self, bundle: Bundle) -> str:
        """Return the parallel links of a pair of devices."""
        balanced = {each.name: links_of_pairs(self.blueprint, each) for each in self.form.balanced_bundles}
        least, most = balanced.get(bundle.name, (self.blueprint.sizes[bundle.name],) * 2)
        return f"{count(least)} per pair" if least == most else f"{count(least)} or {count(most)} per pair"

    def load_note(self) -> str:
        """Return the oversubscription of the tiers that have more bandwidth down than up, or less."""
        ratios = {role: self.blueprint.oversubscription(role) for role in self.form.roles}
        words = [
            f"{ratio_text(ratio)} : 1 at the {title(role)}" for role, ratio in ratios.items() if ratio and ratio != 1
        ]
        return f"Oversubscription: {', '.join(words)}." if words else ""

    def room_note(self) -> str:
        """Return which last places are only partly filled."""
        words = [
            f"the last {place.name} has {count(place.filled)} of {count(place.full)} {place.things}"
            for place in self.form.partial_places(self.blueprint.sizes)
        ]
        return f"Partly filled: {'; '.join(words)}." if words else ""

    def bundle_colour(self, _bundle: Bundle, /) -> str | None:
        """Return None: the links of a bundle have the colours of their rails."""
        return None

    def link_colour(self, _bundle: Bundle, lower: Digits, upper: Digits, /) -> str:
        """Return the colour of the rail that one of the ends belongs to."""
        axis = colour_axis(self.blueprint)
        rails = [digits[axis] for digits in (lower, upper) if axis in digits] if axis else []
        return line_colour(rail_colour(rails[0])) if rails else ACCENT

    def switch_fill(self, _role: str, digits: Digits, /) -> str:
        """Return the colour of the switch's rail."""
        axis = colour_axis(self.blueprint)
        return rail_colour(digits[axis]) if axis is not None and axis in digits else ACCENT

    def leaf_digits(self, _server: Digits, /) -> dict[str, int]:
        """Return nothing: a server's own coordinates are those of its places."""
        return {}
