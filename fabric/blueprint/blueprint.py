"""A sized fabric: a form with a number on every axis and a switch model in every role, and its counts in integers.

Every count is closed form, so a blueprint of a million GPUs costs microseconds; the network lays the same one out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from fabric.catalog import Server, Switch
from fabric.topology.clos import PLANE, Bundle, ClosForm, Group, filled
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import Expression, evaluate

__all__ = ["Blueprint", "fill"]


def fill(form: ClosForm, sizes: Mapping[str, int], servers: int) -> dict[str, int]:
    """Return `sizes` with the filled places of each placement axis, for `servers` servers placed in order."""
    full, count = dict(sizes), servers
    for axis in reversed(form.placement):
        full[filled(axis)] = count
        count = -(-count // sizes[axis])
    return full


@dataclass(frozen=True)
class Blueprint:
    """A form, its sizes and its models. `sizes` holds every axis, every bundle's copies and the filled places.

    `models` holds the model of every role, or, of those roles whose devices are of several models, the one used most;
    what each of these has of each model is in `mixes`, in the order in which the devices are those models.
    `link_gbps` is the rate of each link, one direction; `gpus` those asked for, the last server perhaps in part.
    """

    name: str
    form: ClosForm
    sizes: Mapping[str, int]
    models: Mapping[str, Switch]
    server: Server
    gpus: int
    link_gbps: int
    mixes: Mapping[str, tuple[tuple[Switch, int], ...]] = field(default_factory=dict)

    @property
    def servers(self) -> int:
        return self.sizes[filled(self.form.placement[-1])]

    @property
    def planes(self) -> int:
        return self.sizes[PLANE]

    @property
    def tiers(self) -> int:
        return self.form.tiers

    @property
    def lanes(self) -> int:
        """The leaves of one plane over which a server's NICs are spread: 8 on an 8-rail fabric, 1 on a fat tree."""
        return math.prod(self.sizes[axis] for axis in self.form.lanes)

    @property
    def rails(self) -> int:
        """The rails: the lanes that the form calls so, else 1."""
        return self.sizes.get("rail", 1)

    def evaluate(self, quantity: Expression) -> int:
        """Return the count, a product of sizes or a sum of such."""
        return int(evaluate(quantity, self.sizes))

    def devices(self, role: str) -> int:
        """Return the number of devices of `role`, the servers included."""
        return self.evaluate(self.form.devices(self.form.group(role)))

    def boxes(self, role: str) -> tuple[tuple[Switch, int], ...]:
        """Return the models of `role` with the devices of each; mostly there is one."""
        return self.mixes.get(role) or ((self.models[role], self.devices(role)),)

    @property
    def switches(self) -> int:
        return sum(self.devices(role) for role in self.form.roles)

    @property
    def rack_units(self) -> int | None:
        """The rack units of all switches; None where a model's height is unknown."""
        boxes = [box for role in self.form.roles for box in self.boxes(role)]
        heights = [count * model.rack_units for model, count in boxes if model.rack_units is not None]
        return sum(heights) if len(heights) == len(boxes) else None

    def links(self, bundle: Bundle) -> int:
        """Return the links of `bundle`."""
        return self.evaluate(self.form.links(bundle))

    @property
    def links_total(self) -> int:
        return sum(self.links(bundle) for bundle in self.form.bundles)

    def ports_down(self, role: str) -> int:
        """Return the links below one device of `role`, when its part of the placement is full."""
        return sum(map(self.evaluate, self.form.ports_down(self.form.group(role))))

    def ports_up(self, role: str) -> int:
        """Return the links above one device of `role`."""
        return sum(map(self.evaluate, self.form.ports_up(self.form.group(role))))

    def radix(self, role: str) -> int:
        """Return the links that any one switch of `role` can end at this fabric's rate."""
        return min(model.radix(self.link_gbps) for model, _ in self.boxes(role))

    def oversubscription(self, role: str) -> Fraction | None:
        """Return bandwidth down over bandwidth up at `role`; None for the top tier, which has no up.

        Of switches joined by wires it is what uniform traffic puts on the busiest of their links (see `Load`).
        """
        if isinstance(self.form, GraphForm):
            return self.form.busiest(self.form.group(role), self.sizes)
        up = self.ports_up(role)
        return Fraction(self.ports_down(role), up) if up else None

    def capacity(self, bundle: Bundle) -> int:
        """Return the bandwidth of `bundle` in Gb/s, one direction."""
        return self.links(bundle) * self.link_gbps

    def fills(self, group: Group) -> tuple[tuple[int, int], ...]:
        """Return how many switches of `group`, in their order, have how many ports in use.

        Those of the last, partly filled place have free ports below. A group without places stands in the one place
        that is the whole fabric, not full while it may still grow.
        """
        count, ports = self.devices(group.role), self.ports_down(group.role) + self.ports_up(group.role)
        if isinstance(self.form, GraphForm):
            return self.form.fills(group, self.sizes)
        places = self.form.places(group)
        depth = len(places)
        if depth == len(self.form.placement):
            return ((count, ports),)
        below = self.form.placement[depth]
        around = self.sizes[filled(places[-1])] if places else 1
        missing = around * self.sizes[below] - self.sizes[filled(below)]
        if not missing:
            return ((count, ports),)
        bundle = next(bundle for bundle in self.form.bundles if bundle.upper == group)
        last = self.evaluate(tuple(axis for axis in group.axes if axis not in places))
        others = tuple(axis for axis in bundle.lower_only if axis not in self.form.placement)
        return (count - last, ports), (last, ports - missing * self.evaluate((*others, bundle.name)))
