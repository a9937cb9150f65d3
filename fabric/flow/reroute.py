"""Paths around what is down: per hop, an even choice among the links that are up and still lead to the target."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.hashing import Keys, below, nth
from fabric.flow.layer import Ends, Layer
from fabric.flow.tiered_links import TieredLinks

__all__ = ["Reroute"]

CELLS = 1 << 22
"""Links looked at at a time, which bounds the flows that are rerouted together."""

RETRY = 1 << 20
"""Numbers of the hashes of second choices, beyond those of the first."""

Rows = npt.NDArray[Any]
Axes = tuple[str, ...]


@dataclass(frozen=True)
class _NamedAxes:
    """An array whose first axis is flows and whose others have names."""

    values: npt.NDArray[np.bool_]
    axes: Axes

    def within(self, axes: Axes) -> _NamedAxes:
        """Return it broadcast over `axes`, some of which it has."""
        order = [0, *(1 + self.axes.index(axis) for axis in axes if axis in self.axes)]
        missing = tuple(1 + index for index, axis in enumerate(axes) if axis not in self.axes)
        return _NamedAxes(np.expand_dims(self.values.transpose(order), missing), axes)

    def any(self, axes: Axes) -> _NamedAxes:
        """Return whether any value is true, for every combination of `axes`."""
        gone = tuple(1 + index for index, axis in enumerate(self.axes) if axis not in axes)
        left = tuple(axis for axis in self.axes if axis in axes)
        return _NamedAxes(np.asarray(self.values.any(axis=gone)), left).within(axes)

    def at(self, digits: dict[str, Rows], free: Axes) -> npt.NDArray[np.bool_]:
        """Return the values at each flow's digits, flat over the `free` axes: shape (flows, their sizes' product)."""
        fixed = tuple(axis for axis in self.axes if axis not in free)
        ordered = self.within((*fixed, *free)).values
        picked = ordered[(np.arange(len(ordered)), *(digits[axis] for axis in fixed))]
        return np.asarray(picked.reshape(len(ordered), -1))


@dataclass(frozen=True, eq=False)
class Reroute:
    """The paths that failures leave on a Clos."""

    links: TieredLinks
    """The links."""
    up: npt.NDArray[np.bool_]
    """Which of them are up, shape (links,)."""

    def connected(self, source: Rows, target: Rows, turn: Rows) -> npt.NDArray[np.bool_]:
        """Return whether any path joins each pair of NICs that would turn at the tier `turn`."""
        found = np.zeros(len(source), bool)
        for tier, some in self._parts(turn):
            ends = self.links.ends(source[some]), self.links.ends(target[some])
            found[some] = _Paths(self, tier, *ends).connected
        return found

    def around(
        self, source: Rows, target: Rows, turn: Rows, arcs: Rows, keys: Keys
    ) -> tuple[Rows, npt.NDArray[np.bool_]]:
        """Return the arcs of each flow around failed links, and which flows no path joins.

        Each hop of `arcs` is kept where its link still leads to the target, else another is drawn evenly by the flow's
        key: so the choice is even among all links that do, as ECMP's is at every switch, though the next switch may
        have fewer links left.
        """
        arcs, disconnected = arcs.copy(), np.ones(len(source), bool)
        for tier, some in self._parts(turn):
            paths = _Paths(self, tier, self.links.ends(source[some]), self.links.ends(target[some]))
            arcs[some] = paths.draw(arcs[some], keys[some])
            disconnected[some] = ~paths.connected
        return arcs, disconnected

    def _parts(self, turn: Rows) -> Iterator[tuple[int, Rows]]:
        """Yield each tier with numbers of flows that turn there, as many as are rerouted together."""
        for tier in range(1, self.links.tiers + 1):
            cells = max(layer.copies * math.prod(layer.free.values()) for layer in self.links.layers[:tier])
            flows = np.flatnonzero(turn == tier)
            for part in np.array_split(flows, -(-len(flows) * cells // CELLS) or 1):
                if len(part):
                    yield tier, part


class _Paths:
    """All paths of some flows that turn at one tier: which links lead on from each device above either end."""

    def __init__(self, reroute: Reroute, tier: int, source: Ends, target: Ends) -> None:
        self.links, self.layers = reroute.links.links, reroute.links.layers[:tier]
        self.source, self.target = source, target
        self.above_source = [_links_up(reroute.up, layer, source) for layer in self.layers]
        self.above_target = [_links_up(reroute.up, layer, target) for layer in self.layers]
        self._narrow()
        self.connected = self.above_source[0].any(()).values

    def _narrow(self) -> None:
        """Keep of the links that are up those that lead to the target: first on the way down, then on the way up.

        A link down is kept where a kept link below it goes on; then a link up where one above it does.
        """
        reach = _NamedAxes(np.ones(len(self.source.server), bool), ())
        for tier, layer in enumerate(self.layers):
            links = self.above_target[tier]
            links = _NamedAxes(links.values & reach.within(links.axes).values, links.axes)
            self.above_target[tier] = links
            upper = tuple(axis for axis in layer.free if axis not in layer.down)
            reach = links.any(upper)
        for tier, layer in reversed(list(enumerate(self.layers))):
            links = self.above_source[tier]
            links = _NamedAxes(links.values & reach.within(links.axes).values, links.axes)
            self.above_source[tier] = links
            reach = links.any(tuple(layer.lower_free))

    def draw(self, arcs: Rows, keys: Keys) -> Rows:
        """Return a path for each flow that has one, each hop that of `arcs` where it still leads to the target."""
        digits: dict[str, Rows] = {}
        last = arcs.shape[1] - 1
        for tier, layer in enumerate(self.layers):
            free, links = layer.up, self.above_source[tier]
            # By another hash than the first choice, or all flows of a failed link would go on together.
            self._draw_digits(layer, free, links, digits, arcs[:, tier], nth(keys, RETRY + tier))
            arcs[:, tier] = self._row(layer, self.source, digits)
        for tier, layer in reversed(list(enumerate(self.layers))):
            free, links = layer.down, self.above_target[tier]
            self._draw_digits(
                layer, free, links, digits, arcs[:, last - tier] - self.links, nth(keys, RETRY - tier - 1)
            )
            arcs[:, last - tier] = self.links + self._row(layer, self.target, digits)
        return arcs

    def _draw_digits(
        self, layer: Layer, free: Any, links: _NamedAxes, digits: dict[str, Rows], rows: Rows, hashes: Keys
    ) -> None:
        """Set the digits of the `free` axes and the parallel link: those of link `rows` where allowed, else drawn."""
        names = (*free, layer.name)
        sizes = (*free.values(), layer.copies if layer.chooses_copy else 1)
        allowed = links.at(digits, names)
        first = np.ravel_multi_index(
            [layer.digit(rows, axis) % size for axis, size in zip(names, sizes, strict=True)], sizes
        )
        # The first position at which more than the number drawn are allowed: each allowed link is equally likely.
        drawn = (np.cumsum(allowed, axis=1) > below(hashes, allowed.sum(axis=1))[:, None]).argmax(axis=1)
        taken = np.where(allowed[np.arange(len(rows)), first], first, drawn)
        digits |= dict(zip(names, np.unravel_index(taken, sizes), strict=True))

    @staticmethod
    def _row(layer: Layer, ends: Ends, digits: dict[str, Rows]) -> Rows:
        copy = digits[layer.name] if layer.chooses_copy else ends.copy
        return np.asarray(layer.link(ends.server, digits | dict(ends.rails), copy))


def _links_up(up: npt.NDArray[np.bool_], layer: Layer, ends: Ends) -> _NamedAxes:
    """Return which links above each end are up, over the layer's free axes and its parallel links."""
    rows, exists = layer.links_above(ends)
    return _NamedAxes(up[rows] & exists, (*layer.free, layer.name))
