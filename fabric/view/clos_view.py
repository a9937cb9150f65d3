"""Views of Clos forms, in closed form: the devices that agree with a pod or unit on all shared axes, aggregated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.blueprint import Blueprint
from fabric.topology.clos import AxisBundle, ClosForm, filled_name
from fabric.topology.topology import Group
from fabric.view.nodes import ABOVE, INSIDE, AggregatedNode, Edges, combinations, kept_axes
from fabric.view.uneven_links import UnevenLinks

__all__ = ["ClosSplitter"]


@dataclass(frozen=True)
class ClosSplitter:
    """Splits a Clos fabric into the nodes of its views."""

    blueprint: Blueprint
    """The blueprint."""
    form: ClosForm
    """Its topology."""

    def level_axes(self) -> dict[str, tuple[str, ...]]:
        """Return the axes that number pods and units: all of the placement but the slot, and for pods but the unit."""
        placement = self.form.placement
        axes = {"pod": placement[:-2], "unit": placement[:-1]}
        return {level: names for level, names in axes.items() if names}

    def count_places(self, axes: Sequence[str], outer: Mapping[str, int], /) -> int:
        """Return the places on these axes, full or not, inside the outer place that `outer` gives."""
        return self._filled(len(outer) + len(axes), outer)

    def fills_last(self, level: str, /) -> bool:
        """Say whether the last pod or unit is full."""
        inner = self.form.placement[len(self.level_axes()[level]) :]
        return self.blueprint.servers % math.prod(self.blueprint.sizes[axis] for axis in inner) == 0

    def split(self, level: str, location: Mapping[str, int]) -> tuple[list[AggregatedNode], Edges]:
        """Return the nodes and edges of a level; `location` gives the place that it shows, or is empty."""
        nodes = [node for group in self.form.groups for node in self._split_group(group, level, location)]
        return nodes, self._edges(nodes)

    def split_switches(self) -> tuple[list[AggregatedNode], Edges]:
        """Return the whole fabric switch by switch and its servers unit by unit, groups above `INSIDE` in part."""
        return self.split("pod", {})

    def _filled(self, depth: int, fixed: Mapping[str, int]) -> int:
        """Return the places at `depth` of the placement that hold servers, inside the place that `fixed` gives."""
        placement, sizes = self.form.placement[:depth], self.blueprint.sizes
        outer = [axis for axis in placement if axis in fixed]
        if not placement or not outer:
            return sizes[filled_name(placement[-1])] if placement else 1
        first = 0
        for axis in outer:
            first = first * sizes[axis] + fixed[axis]
        step = math.prod(sizes[axis] for axis in placement[len(outer) :])
        return max(0, min(sizes[filled_name(placement[-1])], (first + 1) * step) - first * step)

    def _split_group(self, group: Group, level: str, location: Mapping[str, int]) -> list[AggregatedNode]:
        """Split one group: not at all at level fabric, fully in a unit, and elsewhere while the nodes are few."""
        places = self.form.placement_axes(group)
        fixed = {axis: value for axis, value in location.items() if axis in places}
        inside = len(fixed) == len(location)
        others = [*places, *(axis for axis in group.axes if axis not in places)]
        axes = tuple(axis for axis in others if axis not in fixed)
        sizes = {axis: self._axis_size(group, axis, fixed) for axis in axes}
        if level == "fabric":
            kept: tuple[str, ...] = ()
        elif level == "unit" and inside:
            kept = axes
        else:
            kept = kept_axes(self._own_axes(group, axes), sizes, INSIDE if inside else ABOVE)
        nodes = (self._node(group, {**fixed, **values}, inside) for values in combinations(kept, sizes))
        return [node for node in nodes if node.multiplicity]

    def _own_axes(self, group: Group, axes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the axes on which a group may be split in a pod, which shows its servers unit by unit."""
        return tuple(axis for axis in axes if group != self.form.server or axis != self.form.placement[-1])

    def _axis_size(self, group: Group, axis: str, fixed: Mapping[str, int]) -> int:
        """Return the number of values that an axis takes inside a place; only filled ones on placement axes."""
        if axis not in self.form.placement:
            return self.blueprint.sizes[axis]
        depth = self.form.placement_axes(group).index(axis) + 1
        return min(self.blueprint.sizes[axis], self._filled(depth, fixed))

    def _node(self, group: Group, fixed: Mapping[str, int], inside: bool) -> AggregatedNode:
        places = self.form.placement_axes(group)
        others = math.prod(self.blueprint.sizes[axis] for axis in group.axes if axis not in (*places, *fixed))
        return AggregatedNode(group, fixed, self._filled(len(places), fixed) * others, inside)

    def _edges(self, nodes: Sequence[AggregatedNode]) -> Edges:
        """Return the edges between nodes: the device pairs that each bundle joins, times its parallel links."""
        parts = [np.empty((0, 5), np.int64)]
        members = {group: [row for row, node in enumerate(nodes) if node.group == group] for group in self.form.groups}
        balanced = {bundle.name: UnevenLinks(self.blueprint, bundle) for bundle in self.form.balanced_bundles}
        for number, bundle in enumerate(self.form.bundles):
            uneven, alike = balanced.get(bundle.name), self._alike(bundle, nodes, members[bundle.upper])
            for low in members[bundle.lower]:
                for highs in alike:
                    pairs, links = self._count_joined(bundle, nodes[low].fixed, nodes[highs[0]].fixed)
                    if pairs:
                        found = np.array([(low, high, number, links, pairs) for high in highs])
                        if uneven:
                            ends = nodes[low].fixed, [nodes[high].fixed for high in highs]
                            found[:, 3] = uneven.count_links(pairs, *ends)
                        parts.append(found)
        low, high, bundles, links, pairs = np.concatenate(parts).T
        order = np.lexsort((high, low, bundles))
        return Edges(low[order], high[order], bundles[order], links[order], pairs[order])

    def _alike(self, bundle: AxisBundle, nodes: Sequence[AggregatedNode], rows: Sequence[int]) -> list[list[int]]:
        """Return the upper nodes in lists of those that the bundle joins to the same lower nodes, by as many pairs."""
        axes = self._alike_axes(bundle)
        alike: dict[tuple[int | None, ...], list[int]] = {}
        for row in rows:
            alike.setdefault(tuple(nodes[row].fixed.get(axis) for axis in axes), []).append(row)
        return list(alike.values())

    def _alike_axes(self, bundle: AxisBundle) -> set[str]:
        return {*bundle.shared, *self.form.placement_axes(bundle.lower)}

    def _count_joined(self, bundle: AxisBundle, low: Mapping[str, int], high: Mapping[str, int]) -> tuple[int, int]:
        """Return the pairs of devices of two nodes that the bundle joins, and the links of all of them.

        Devices are joined that agree on every shared axis.
        """
        if any(low[axis] != high[axis] for axis in bundle.shared if axis in low and axis in high):
            return 0, 0
        places, both = self.form.placement_axes(bundle.lower), {**high, **low}
        every = dict.fromkeys((*bundle.lower.axes, *bundle.upper.axes))
        free = [axis for axis in every if axis not in both and axis not in places]
        pairs = self._filled(len(places), both) * math.prod(self.blueprint.sizes[axis] for axis in free)
        return pairs, pairs * self.blueprint.sizes[bundle.name]
