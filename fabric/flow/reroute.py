"""Paths around what is down: per hop, an even choice among the links that are up and still lead to the target."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.hashing import Keys, below, nth
from fabric.flow.tiered_router import Ends, Layer, TieredRouter

__all__ = ["Detours"]

CELLS = 1 << 22
"""Links looked at at a time: so many flows are taken together."""

RETRY = 1 << 20
"""Numbers of the hashes for second choices, beyond those of the first."""

Rows = npt.NDArray[Any]
Axes = tuple[str, ...]


@dataclass(frozen=True)
class _Named:
    """An array whose first axis is flows and whose others have names."""

    values: npt.NDArray[np.bool_]
    axes: Axes

    def within(self, axes: Axes) -> _Named:
        """Return it spread over `axes`, of which it has some."""
        order = [0, *(1 + self.axes.index(axis) for axis in axes if axis in self.axes)]
        missing = tuple(1 + place for place, axis in enumerate(axes) if axis not in self.axes)
        return _Named(np.expand_dims(self.values.transpose(order), missing), axes)

    def any(self, axes: Axes) -> _Named:
        """Return whether any is true, for all values of `axes` alone."""
        gone = tuple(1 + place for place, axis in enumerate(self.axes) if axis not in axes)
        left = tuple(axis for axis in self.axes if axis in axes)
        return _Named(np.asarray(self.values.any(axis=gone)), left).within(axes)

    def at(self, digits: dict[str, Rows], free: Axes) -> npt.NDArray[np.bool_]:
        """Return the values at each flow's digits, flat over the `free` axes: shape (flows, their sizes' product)."""
        fixed = tuple(axis for axis in self.axes if axis not in free)
        ordered = self.within((*fixed, *free)).values
        picked = ordered[(np.arange(len(ordered)), *(digits[axis] for axis in fixed))]
        return np.asarray(picked.reshape(len(ordered), -1))


@dataclass(frozen=True, eq=False)
class Detours:
    """The links of a lattice that are `up`, shape (links,), and the paths that they leave."""

    lattice: TieredRouter
    up: npt.NDArray[np.bool_]

    def joined(self, source: Rows, target: Rows, turn: Rows) -> npt.NDArray[np.bool_]:
        """Return whether any path joins each pair of NICs that would turn at the tier `turn`."""
        found = np.zeros(len(source), bool)
        for tier, some in self._parts(turn):
            ends = self.lattice.ends(source[some]), self.lattice.ends(target[some])
            found[some] = _Paths(self, tier, *ends).joined
        return found

    def around(
        self, source: Rows, target: Rows, turn: Rows, arcs: Rows, keys: Keys
    ) -> tuple[Rows, npt.NDArray[np.bool_]]:
        """Return the arcs of each flow led around what is down, and which flows no path joins.

        Each hop of `arcs` is kept where it may be, else another is drawn evenly by the flow's key: so the choice is
        even among all that may be, as ECMP's is at every switch, though the next has fewer links left.
        """
        arcs, apart = arcs.copy(), np.ones(len(source), bool)
        for tier, some in self._parts(turn):
            paths = _Paths(self, tier, self.lattice.ends(source[some]), self.lattice.ends(target[some]))
            arcs[some] = paths.drawn(arcs[some], keys[some])
            apart[some] = ~paths.joined
        return arcs, apart

    def _parts(self, turn: Rows) -> Iterator[tuple[int, Rows]]:
        """Yield the tiers and, for each, numbers of flows that turn there, as many as are looked at together."""
        for tier in range(1, self.lattice.tiers + 1):
            cells = max(layer.copies * _size(_free(layer)) for layer in self.lattice.layers[:tier])
            flows = np.flatnonzero(turn == tier)
            for part in np.array_split(flows, -(-len(flows) * cells // CELLS) or 1):
                if len(part):
                    yield tier, part


def _free(layer: Layer) -> dict[str, int]:
    """Return the free axes of the layer's links with their sizes: first those of the lower end, then the others."""
    return layer.lower_free | layer.up


def _size(sizes: dict[str, int]) -> int:
    return math.prod(sizes.values())


class _Paths:
    """All paths of some flows that turn at one tier: where they may go on from each device above either end."""

    def __init__(self, detours: Detours, tier: int, source: Ends, target: Ends) -> None:
        self.links, self.layers = detours.lattice.links, detours.lattice.layers[:tier]
        self.source, self.target = source, target
        self.above_source = [_alive(detours.up, layer, source) for layer in self.layers]
        self.above_target = [_alive(detours.up, layer, target) for layer in self.layers]
        self._narrow()
        self.joined = self.above_source[0].any(()).values

    def _narrow(self) -> None:
        """Leave of the live links those that lead on to the target: first on the way down, then on that up."""
        reach = _Named(np.ones(len(self.source.server), bool), ())
        for place, layer in enumerate(self.layers):
            links = self.above_target[place]
            links = _Named(links.values & reach.within(links.axes).values, links.axes)
            self.above_target[place] = links
            upper = tuple(axis for axis in _free(layer) if axis not in layer.down)
            reach = links.any(upper)
        for place, layer in reversed(list(enumerate(self.layers))):
            links = self.above_source[place]
            links = _Named(links.values & reach.within(links.axes).values, links.axes)
            self.above_source[place] = links
            reach = links.any(tuple(layer.lower_free))

    def drawn(self, arcs: Rows, keys: Keys) -> Rows:
        """Return a path for each flow that has one, each hop that of `arcs` where it may be."""
        digits: dict[str, Rows] = {}
        last = arcs.shape[1] - 1
        for place, layer in enumerate(self.layers):
            free, links = layer.up, self.above_source[place]
            self._draw(layer, free, links, digits, arcs[:, place], nth(keys, RETRY + place))
            arcs[:, place] = self._row(layer, self.source, digits)
        for place, layer in reversed(list(enumerate(self.layers))):
            free, links = layer.down, self.above_target[place]
            self._draw(layer, free, links, digits, arcs[:, last - place] - self.links, nth(keys, RETRY - place - 1))
            arcs[:, last - place] = self.links + self._row(layer, self.target, digits)
        return arcs

    def _draw(self, layer: Layer, free: Any, links: _Named, digits: dict[str, Rows], rows: Rows, hashes: Keys) -> None:
        """Set the digits of the `free` axes and the copy: those of link `rows` where they may be, else drawn."""
        names = (*free, layer.name)
        sizes = (*free.values(), layer.copies if layer.chooses_copy else 1)
        allowed = links.at(digits, names)
        first = np.ravel_multi_index(
            [layer.digit(rows, axis) % size for axis, size in zip(names, sizes, strict=True)], sizes
        )
        drawn = (np.cumsum(allowed, axis=1) > below(hashes, allowed.sum(axis=1))[:, None]).argmax(axis=1)
        taken = np.where(allowed[np.arange(len(rows)), first], first, drawn)
        digits |= dict(zip(names, np.unravel_index(taken, sizes), strict=True))

    @staticmethod
    def _row(layer: Layer, ends: Ends, digits: dict[str, Rows]) -> Rows:
        copy = digits[layer.name] if layer.chooses_copy else ends.copy
        return np.asarray(layer.link(ends.server, digits | dict(ends.lanes), copy))


def _alive(up: npt.NDArray[np.bool_], layer: Layer, ends: Ends) -> _Named:
    """Return which links above each end are up, over the layer's free axes and its copies."""
    sizes = _free(layer) | {layer.name: layer.copies if layer.chooses_copy else 1}
    grid = np.zeros((), np.int64)
    for axis, size in sizes.items():
        grid = grid[..., None] + np.arange(size) * layer.steps.get(axis, 1)
    nothing = dict.fromkeys(layer.steps, 0) | dict(ends.lanes)
    first = layer.link(ends.server, nothing, 0 if layer.chooses_copy else ends.copy)
    return _Named(up[first.reshape(-1, *(1,) * grid.ndim) + grid], tuple(sizes))
