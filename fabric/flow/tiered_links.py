"""The links of a Clos as arithmetic: which link, and which equal-cost group of links, lies above a NIC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.balanced_layer import BalancedLayer
from fabric.flow.host_links import rate_of_links
from fabric.flow.layer import Digits, Ends, Layer
from fabric.network import Devices
from fabric.network.expand import lay_devices, steps
from fabric.topology.axis_bundle import AxisBundle, BalancedBundle
from fabric.topology.clos import ClosForm, filled_name

__all__ = ["Digits", "Ends", "Layer", "TieredLinks", "lay_layer"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TieredLinks:
    """The links of a Clos in layers, from the host links up; NIC rows are server * `nics` + nic."""

    blueprint: Blueprint
    """The fabric."""
    form: ClosForm
    """Its topology."""

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The bundles from the host links up."""
        devices, layers = lay_devices(self.blueprint), list[Layer]()
        for bundle in self.form.bundles:
            below = layers[-1] if layers else None
            layers.append(lay_layer(self.blueprint, self.form, bundle, devices[bundle.lower.role], below))
        return tuple(layers)

    @property
    def tiers(self) -> int:
        """The number of switch tiers."""
        return self.blueprint.tiers

    @property
    def nics(self) -> int:
        """The NICs of one server: its rails times the parallel host links of each."""
        return self.blueprint.leaves_per_server * self.layers[0].copies

    @property
    def all_nics(self) -> int:
        """The NICs of all servers."""
        return self.blueprint.servers * self.nics

    @property
    def planes(self) -> int:
        """The number of planes."""
        return self.blueprint.planes

    @property
    def links(self) -> int:
        """The number of links."""
        return self.blueprint.links_total

    @property
    def groups(self) -> int:
        """The number of equal-cost groups."""
        return self.layers[-1].first_group + self.layers[-1].groups

    @cached_property
    def rails(self) -> dict[str, int]:
        """The rail axes with their sizes."""
        return {axis: self.blueprint.sizes[axis] for axis in self.form.rail_axes}

    def ends(self, nics: npt.NDArray[Any]) -> Ends:
        """Return the server, rails and host link of NIC rows, in arrays of their shape."""
        rail, rails = nics % self.nics // self.layers[0].copies, {}
        for axis in reversed(self.rails):
            rails[axis] = rail % self.rails[axis]
            rail = rail // self.rails[axis]
        server = nics // self.nics
        return Ends(server, rails, nics % self.layers[0].copies, server)

    def number(self, end: Ends) -> Any:
        """Return the number of each NIC on its rail."""
        return end.server * self.layers[0].copies + end.copy

    def turn(self, source: Ends, target: Ends) -> npt.NDArray[np.int8]:
        """Return the tier at which each path turns: 0 within a server, tiers + 1 where no path joins the two."""
        turn: npt.NDArray[np.int8] = (source.own != target.own).astype(np.int8)
        for tier in range(1, self.tiers + 1):
            turn += turn.astype(bool) & ~self._meet(tier, source, target)
        return turn

    def _meet(self, tier: int, source: Ends, target: Ends) -> npt.NDArray[np.bool_]:
        """Return whether paths may turn at `tier`: the ends share its locality, and the rails not yet joined there."""
        servers = self.form.locality_size(self.form.switch_groups[tier - 1].axes, self.blueprint.sizes)
        meet = source.server // servers == target.server // servers
        for axis in self.rails:
            if axis in self.form.shared_axes(tier):
                meet &= source.rails[axis] == target.rails[axis]
        return np.asarray(meet)

    @cached_property
    def unevenness(self) -> float:
        """How many times more than others a link may be taken by flows that hash over what leads to their targets."""
        return float(math.prod(layer.unevenness for layer in self.layers))

    @cached_property
    def link_gbps(self) -> npt.NDArray[np.float64]:
        """The rate of each link in Gb/s, shape (links,)."""
        return rate_of_links(self.blueprint)

    @cached_property
    def group_gbps(self) -> npt.NDArray[np.float64]:
        """The rate of one link of each equal-cost group in Gb/s, shape (groups,)."""
        rates = [float(self.blueprint.rate(bundle)) for bundle in self.form.chain]
        return np.repeat(rates, [layer.groups for layer in self.layers])

    @cached_property
    def group_links(self) -> Rows:
        """The links of each equal-cost group when all are up, shape (groups,)."""
        return np.concatenate([np.full(layer.groups, layer.links // layer.groups) for layer in self.layers])

    def groups_of(self, rows: Rows) -> Rows:
        """Return the equal-cost group of each link row; the rows ascend."""
        ends = np.searchsorted(rows, [*(layer.first for layer in self.layers[1:])])
        parts = np.split(rows, ends)
        return np.concatenate([layer.group_of(part) for layer, part in zip(self.layers, parts, strict=True)])


def lay_layer(blueprint: Blueprint, form: ClosForm, bundle: AxisBundle, lower: Devices, below: Layer | None) -> Layer:
    """Return the links of a bundle as arithmetic, with those of the layer below."""
    sizes, places = blueprint.sizes, form.placement
    inner = tuple(axis for axis in lower.axes if axis not in places)
    order = (*inner, *bundle.ports_up)
    rows = steps(order, sizes)
    rails = {axis: sizes[axis] for axis in form.rail_axes if axis in (order if below is None else inner)}
    filled_places = form.placement_axes(bundle.lower)
    groups = (sizes[filled_name(filled_places[-1])] if filled_places else 1) * math.prod(rails.values())
    # The ends of a path fix its localities and rails; every other axis is free.
    given = (*places, *form.rail_axes)
    words: dict[str, Any] = {
        "name": bundle.name,
        "first": below.first + below.links if below else 0,
        "links": blueprint.links(bundle),
        "copies": sizes[bundle.name],
        "servers": form.locality_size(bundle.lower.axes, sizes),
        "locality_step": math.prod(sizes[name] for name in order),
        "steps": {axis: step for axis, step in rows.items() if axis != order[-1]},
        "up": {axis: sizes[axis] for axis in bundle.upper_only if axis not in given},
        "down": {axis: sizes[axis] for axis in bundle.lower_only if axis not in given},
        "rails": rails,
        "lower_free": {axis: sizes[axis] for axis in inner if axis not in given},
        "first_group": below.first_group + below.groups if below else 0,
        "groups": groups if below else groups * sizes[bundle.name],
        "chooses_copy": below is not None,
    }
    if bundle.uniform:
        return Layer(**words)
    return BalancedLayer(**words, **_numbers(cast(BalancedBundle, bundle), sizes, places))


def _numbers(bundle: BalancedBundle, sizes: Mapping[str, int], places: tuple[str, ...]) -> dict[str, Any]:
    """Return how a balanced bundle numbers its lower devices and their links."""
    within = tuple(axis for axis in bundle.numbered if axis not in places)
    return {
        "uplinks": sizes[bundle.uplinks],
        "together": sizes[bundle.connector],
        "places": math.prod(sizes[axis] for axis in bundle.numbered if axis in places),
        "ranks": steps(within, sizes),
        "ranks_of_place": math.prod(sizes[axis] for axis in within),
    }
