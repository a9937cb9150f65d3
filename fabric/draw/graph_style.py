"""The captions, colours and natural layouts of graph topologies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hops
from fabric.draw.canvas import HARD_SPACE
from fabric.draw.cubes import draw_levels
from fabric.draw.dragonfly import draw_group_circle, draw_switch_circle
from fabric.draw.graph_scene import GraphFabric, GraphScene
from fabric.draw.lattices import draw_lattice
from fabric.draw.palette import ACCENT
from fabric.draw.sampling import axis_span, has_planes, own_axes
from fabric.draw.slim_fly import draw_halves
from fabric.draw.words import ratio_text, role_plural
from fabric.errors import InputError
from fabric.registry import Registry
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.topology import PLANE, Bundle, Group, title
from fabric.units import count, count_noun

__all__ = ["SCENES", "GraphStyle", "Scene"]

SEARCHED = 4096
"""The most switches of a graph without symmetry that is searched for its longest path, only to be drawn."""

Digits = Mapping[str, int]


@dataclass(frozen=True)
class Scene:
    """A natural layout of graph topologies."""

    name: str
    """The word by which `Drawing.layout` asks for it."""
    draw: Callable[[GraphFabric], GraphScene]
    """Draws it."""
    sizes: tuple[str, ...] = ()
    """The sizes that a topology drawn so must have."""


SCENES = Registry("drawing layout", "scenes", Scene, lambda: (
    Scene("circle", draw_switch_circle),
    Scene("groups", draw_group_circle, ("group", "global", "slot")),
    Scene("halves", draw_halves, ("q", "near")),
    Scene("lattice", draw_lattice),
    Scene("levels", draw_levels, ("nic", "slot")),
))  # fmt: skip
"""The natural layouts by name."""


@dataclass(frozen=True)
class GraphStyle:
    """The style of a fabric of a graph form (see `fabric.draw.style`)."""

    blueprint: Blueprint
    """The blueprint."""
    form: GraphForm
    """Its topology."""

    @property
    def graph(self) -> GraphFabric:
        """The fabric as scenes read it."""
        return GraphFabric(self.blueprint, self.form)

    def scene(self) -> GraphScene | None:
        """Return the natural layout; raises InputError where the topology lacks a size that the layout needs."""
        scene = SCENES.get_record(self.form.drawing.layout)
        missing = [name for name in scene.sizes if name not in self.blueprint.sizes]
        if missing:
            raise InputError(f"family {self.form.family}: layout '{scene.name}' needs the size {', '.join(missing)}")
        return scene.draw(self.graph)

    def describe_size(self) -> str:
        """Return the length of the longest path; of a large random graph the most that its sizes allow."""
        quick = self.form.paths.hop_histogram or self.form.paths.representatives or self.blueprint.switches <= SEARCHED
        longest = hops(self.blueprint).max if quick else int(self.blueprint.evaluate(self.form.paths.diameter))
        return f"at most {count_noun(longest, 'hop')}"

    def describe_group(self, group: Group) -> str:
        """Return how many devices one plane has and along which axes; of servers, how many a leaf has."""
        if group == self.form.server:
            return f"{count(self.blueprint.sizes[self.form.unit_axis])} per {title(self.form.roles[0])}"
        sizes = {axis: axis_span(self.blueprint, axis) for axis in own_axes(self.form, group)}
        sizes = {axis: size for axis, size in sizes.items() if size > 1}
        where = "per plane" if PLANE in group.axes and has_planes(self.blueprint) else ""
        counted = f"{count(math.prod(sizes.values()))} {where}" if where else ""
        if len(sizes) > 1 or (sizes and not where):
            factors = " × ".join(f"{title(axis)}{HARD_SPACE}{count(size)}" for axis, size in sizes.items())
            return f"{counted}: {factors}" if where else factors
        return counted

    def describe_ports(self, group: Group) -> str:
        """Return the ports of one switch by the role at their other end."""
        ends = self._ports_by_role(group).items()
        return ", ".join(f"{count(ports)} to {role_plural(role)}" for role, ports in ends)

    def _ports_by_role(self, group: Group) -> dict[str, int]:
        found: dict[str, int] = {}
        for bundle in self.form.bundles:
            if group in (bundle.lower, bundle.upper):
                at_upper = bundle.upper == group
                ports, other = (bundle.upper_ports, bundle.lower) if at_upper else (bundle.lower_ports, bundle.upper)
                found[other.role] = found.get(other.role, 0) + self.blueprint.evaluate(ports)
        return {role: ports for role, ports in found.items() if ports}

    def describe_bundle(self, bundle: Bundle) -> str:
        """Return the links of one device at either end."""
        pattern, links = self._pattern(bundle), self.blueprint.links(bundle)
        words = []
        for role, polynomial in {
            bundle.lower.role: pattern.lower_ports, bundle.upper.role: pattern.upper_ports
        }.items():  # fmt: skip
            ports = self.blueprint.evaluate(polynomial)
            uneven = ports * self.blueprint.devices(role) > links * (1 + (bundle.lower == bundle.upper))
            words.append(f"{'up to ' if uneven else ''}{count(ports)} per {title(role)}")
        return ", ".join(words)

    def _pattern(self, bundle: Bundle) -> PatternBundle:
        return self.form.bundles[self.form.bundles.index(bundle)]

    def load_note(self) -> str:
        """Return what uniform traffic loads on the busiest links at each role."""
        ratios = {role: self.blueprint.oversubscription(role) for role in self.form.roles}
        words = [f"{ratio_text(ratio)} : 1 at the {title(role)}" for role, ratio in ratios.items() if ratio]
        return f"Uniform traffic by minimal routing loads the busiest links {', '.join(words)}." if words else ""

    def room_note(self) -> str:
        """Return for how many servers there is room, where there are fewer."""
        room = self.blueprint.sizes["server"]
        return f"There is room for {count_noun(room, 'server')}." if room > self.blueprint.servers else ""

    def bundle_colour(self, bundle: Bundle) -> str | None:
        """Return the colour of a bundle's links."""
        return self.graph.colour(self._pattern(bundle))

    def link_colour(self, bundle: Bundle, _lower: Digits, _upper: Digits, /) -> str:
        """Return the colour of the bundle."""
        return self.graph.colour(self._pattern(bundle))

    def switch_fill(self, role: str, _digits: Digits, /) -> str:
        """Return the colour of the role."""
        return self.graph.fills.get(role, ACCENT)

    def leaf_digits(self, server: Digits) -> dict[str, int]:
        """Return the coordinates of the server's leaf in its plane."""
        axes = [axis for axis in self.form.switch_groups[0].axes if axis != PLANE]
        values = np.unravel_index(
            server["server"] // self.blueprint.sizes["slot"], [self.blueprint.sizes[axis] for axis in axes]
        )
        return dict(zip(axes, map(int, values), strict=True))
