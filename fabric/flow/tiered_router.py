"""The axis algebra as routing needs it: which link, and which pool of links, lies above a NIC's place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Devices
from fabric.network.expand import lay_devices, steps
from fabric.topology.clos import filled_name
from fabric.topology.topology import Bundle

__all__ = ["Digits", "Ends", "Layer", "TieredRouter"]

Digits = Mapping[str, Any]
"""The value of each axis: whole numbers, or arrays of them that go together."""


@dataclass(frozen=True)
class Layer:
    """One bundle as arithmetic.

    A link's row is `first`, and `place_step` for each place of the lower group, `steps[axis]` for each other axis of
    either group, and the copy. A pool is all links that differ only in what routing is free to choose: it has the
    place and the lanes of its lower ends, and below the leaves the NIC. `up` are the axes chosen on the way up, `down`
    those on the way down, each with its size; `lanes` the lanes of the lower end (at a server, of the link) and
    `lower_free` its other axes but the places.
    """

    name: str
    first: int
    links: int
    copies: int
    servers: int
    place_step: int
    steps: Mapping[str, int]
    up: dict[str, int]
    down: dict[str, int]
    lanes: dict[str, int]
    lower_free: dict[str, int]
    first_pool: int
    pools: int
    chooses_copy: bool

    def link(self, server: Any, digits: Digits, copy: Any) -> Any:
        """Return the row of the link above (the devices above) `server` with these digits."""
        others = sum(digits[axis] * step for axis, step in self.steps.items())
        return self.first + server // self.servers * self.place_step + others + copy

    def pool(self, server: Any, digits: Digits, copy: Any) -> Any:
        """Return the number of the pool above `server` and its lanes; below the leaves it is the NIC's row."""
        pool = server // self.servers
        for axis, size in self.lanes.items():
            pool = pool * size + digits[axis]
        return self.first_pool + (pool if self.chooses_copy else pool * self.copies + copy)

    def pool_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the pool of each of the layer's link rows."""
        digits = {axis: self.digit(rows, axis) % size for axis, size in self.lanes.items()}
        server = (rows - self.first) // self.place_step * self.servers
        return np.asarray(self.pool(server, digits, (rows - self.first) % self.copies))

    def digit(self, rows: npt.NDArray[Any], axis: str) -> npt.NDArray[np.int64]:
        """Return the links' value on `axis` (or, of the layer's name, the copy), and more on those left of it.

        Taken modulo the axis's size it is the value itself.
        """
        return np.asarray((rows - self.first) // self.steps.get(axis, 1), np.int64)


@dataclass(frozen=True)
class Ends:
    """NICs as routing sees them: server, lane digits and the copy of the lane's host link, arrays of one shape."""

    server: Any
    lanes: Digits
    copy: Any


@dataclass(frozen=True)
class TieredRouter:
    """A blueprint's links as layers, from the host links up; NIC rows are server * `nics` + nic."""

    blueprint: Blueprint

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        devices, layers = lay_devices(self.blueprint), list[Layer]()
        for bundle in self.blueprint.topology.bundles:
            below = layers[-1] if layers else None
            layers.append(_layer(self.blueprint, bundle, devices[bundle.lower.role], below))
        return tuple(layers)

    @property
    def tiers(self) -> int:
        return self.blueprint.tiers

    @property
    def nics(self) -> int:
        """The NICs of one server: its lanes times the copies of its host links."""
        return self.blueprint.leaves_per_server * self.layers[0].copies

    @property
    def all_nics(self) -> int:
        return self.blueprint.servers * self.nics

    @property
    def line_gbps(self) -> int:
        """What a NIC sends at most, over all planes."""
        return self.blueprint.link_gbps * self.planes

    @property
    def planes(self) -> int:
        return self.blueprint.planes

    @property
    def links(self) -> int:
        return self.blueprint.links_total

    @property
    def pools(self) -> int:
        return self.layers[-1].first_pool + self.layers[-1].pools

    @cached_property
    def lanes(self) -> dict[str, int]:
        return {axis: self.blueprint.sizes[axis] for axis in self.blueprint.topology.rail_axes}

    def ends(self, nics: npt.NDArray[Any]) -> Ends:
        """Return the server, lanes and copy of NIC rows, of their shape."""
        lane, lanes = nics % self.nics // self.layers[0].copies, {}
        for axis in reversed(self.lanes):
            lanes[axis] = lane % self.lanes[axis]
            lane = lane // self.lanes[axis]
        return Ends(nics // self.nics, lanes, nics % self.layers[0].copies)

    def turn(self, source: Ends, target: Ends) -> npt.NDArray[np.int8]:
        """Return the tier at which each path turns: 0 within a server, tiers + 1 where the fabric joins no path."""
        turn: npt.NDArray[np.int8] = (source.server != target.server).astype(np.int8)
        for tier in range(1, self.tiers + 1):
            turn += turn.astype(bool) & ~self._meet(tier, source, target)
        return turn

    def _meet(self, tier: int, source: Ends, target: Ends) -> npt.NDArray[np.bool_]:
        """Return whether paths may turn at `tier`: the ends share its place, and its lanes that are still apart."""
        servers = _servers(self.blueprint, self.blueprint.topology.groups[tier].axes)
        meet = source.server // servers == target.server // servers
        for axis in self.lanes:
            if axis in self.blueprint.topology.shared_axes(tier):
                meet &= source.lanes[axis] == target.lanes[axis]
        return np.asarray(meet)

    @cached_property
    def pool_links(self) -> npt.NDArray[np.int64]:
        """The links of each pool when all are up, shape (pools,)."""
        return np.concatenate([np.full(layer.pools, layer.links // layer.pools) for layer in self.layers])

    def pools_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the pool of each link row, ascending."""
        ends = np.searchsorted(rows, [*(layer.first for layer in self.layers[1:])])
        parts = np.split(rows, ends)
        return np.concatenate([layer.pool_of(part) for layer, part in zip(self.layers, parts, strict=True)])


def _servers(blueprint: Blueprint, axes: tuple[str, ...]) -> int:
    """Return the servers of one full place of a group with these axes; all of them where it has none."""
    places = [axis for axis in blueprint.topology.server.axes if axis in axes]
    return blueprint.topology.servers_in(places[-1], blueprint.sizes) if places else max(1, blueprint.servers)


def _layer(blueprint: Blueprint, bundle: Bundle, lower: Devices, below: Layer | None) -> Layer:
    sizes, places = blueprint.sizes, blueprint.topology.server.axes
    inner = tuple(axis for axis in lower.axes if axis not in places)
    order = (*inner, *bundle.upper_only, bundle.name)
    rows = steps(order, sizes)
    lanes = {axis: sizes[axis] for axis in blueprint.topology.rail_axes if axis in (order if below is None else inner)}
    filled_places = blueprint.topology.placement_axes(bundle.lower)
    pools = (sizes[filled_name(filled_places[-1])] if filled_places else 1) * math.prod(lanes.values())
    kept = (*places, *blueprint.topology.rail_axes)
    return Layer(
        name=bundle.name,
        first=below.first + below.links if below else 0,
        links=blueprint.links(bundle),
        copies=sizes[bundle.name],
        servers=_servers(blueprint, bundle.lower.axes),
        place_step=math.prod(sizes[name] for name in order),
        steps={axis: step for axis, step in rows.items() if axis != bundle.name},
        up={axis: sizes[axis] for axis in bundle.upper_only if axis not in kept},
        down={axis: sizes[axis] for axis in bundle.lower_only if axis not in kept},
        lanes=lanes,
        lower_free={axis: sizes[axis] for axis in inner if axis not in kept},
        first_pool=below.first_pool + below.pools if below else 0,
        pools=pools if below else pools * sizes[bundle.name],
        chooses_copy=below is not None,
    )
