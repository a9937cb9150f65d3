"""Views of forms by wires: a place and the switches that its links lead to, with the links counted pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from fabric.blueprint import Blueprint
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.topology import PLANE, Group
from fabric.view.stacks import ABOVE, AROUND, INSIDE, AggregatedNode, Edges, Rows, kept_axes

__all__ = ["GraphSplitter", "aggregated", "wired_units"]


def wired_units(form: GraphForm) -> dict[str, tuple[str, ...]]:
    """Return the axes that a unit and a pod are numbered by: all of a leaf's, and, of several, the first."""
    axes = tuple(axis for axis in form.switch_groups[0].axes if axis != PLANE)
    return {"pod": axes[:1], "unit": axes} if len(axes) > 1 else {"unit": axes}


def aggregated(lower: Rows, upper: Rows, links: Rows, pairs: Rows, nodes: int) -> tuple[Rows, Rows, Rows, Rows]:
    """Return each pair of nodes once, with its links and its pairs of devices summed up."""
    keys, place = np.unique(lower * nodes + upper, return_inverse=True)
    links, pairs = (np.bincount(place, column, len(keys)).astype(np.int64) for column in (links, pairs))
    return keys // nodes, keys % nodes, links, pairs


class GraphSplitter:
    """The devices and pairs of a wired blueprint as a view of one place needs them, all of its planes together.

    `place` gives the values of the leaf axes that it is of, none in a view of the whole.
    """

    def __init__(self, blueprint: Blueprint, level: str, place: Mapping[str, int]) -> None:
        assert isinstance(blueprint.topology, GraphForm)
        self.blueprint, self.topology, self.level, self.place = blueprint, blueprint.topology, level, place
        self.sizes = blueprint.sizes

    def digits(self, group: Group) -> dict[str, Rows]:
        """Return the value of every device of a group on each of its axes; a server's are its leaf's and its number."""
        return self._digits[group]

    @cached_property
    def _digits(self) -> dict[Group, dict[str, Rows]]:
        found = {}
        for group in self.topology.switch_groups:
            values = np.indices([self.sizes[axis] for axis in group.axes]).reshape(len(group.axes), -1)
            found[group] = dict(zip(group.axes, values, strict=True))
        axes = [axis for axis in self.topology.switch_groups[0].axes if axis != PLANE]
        leaf = dict(zip(axes, np.unravel_index(self.leaf_of, [self.sizes[axis] for axis in axes]), strict=True))
        return found | {self.topology.server: {**leaf, "server": np.arange(self.servers)}}

    @property
    def servers(self) -> int:
        return self.sizes["servers"]

    @cached_property
    def leaf_of(self) -> Rows:
        """The leaf of each server, as its number in a plane."""
        server, leaf = self.topology.host_patterns[0].pairs(self.sizes)
        return np.asarray(leaf[np.searchsorted(server, np.arange(self.servers))])

    @cached_property
    def inside(self) -> dict[Group, Rows]:
        """Which devices of each group are of the place: those that agree with it and have all of its axes."""
        found = {}
        for group in self.topology.groups:
            digits = self.digits(group)
            there = np.full(self.blueprint.devices(group.role), self.place.keys() <= digits.keys())
            for axis, value in self.place.items():
                there &= digits.get(axis, 0) == value
            found[group] = there
        return found

    @cached_property
    def joined(self) -> tuple[tuple[Rows, Rows, Rows], ...]:
        """The pairs of devices that a wire joins, one at least of the place: rows in their groups, and links."""
        found = []
        for wire in self.topology.bundles:
            low, high, links = self._pairs(wire)
            kept = self.inside[wire.lower][low] | self.inside[wire.upper][high]
            found.append((low[kept], high[kept], links[kept]))
        return tuple(found)

    def _pairs(self, wire: PatternBundle) -> tuple[Rows, Rows, Rows]:
        """Return every joined pair of devices once, over all planes, and the links of each."""
        hosts = wire in self.topology.host_patterns
        low, high = wire.pairs(self.sizes)
        if wire.lower == wire.upper:
            low, high = np.minimum(low, high), np.maximum(low, high)
        width = int(high.max(initial=0)) + 1
        keys, links = np.unique(low * width + high, return_counts=True)
        planes = self.sizes[PLANE] if PLANE in wire.upper.axes else 1
        plane = np.arange(planes)
        low = (keys // width)[:, None] * (1 if hosts else planes) + (0 * plane if hosts else plane)
        high = (keys % width)[:, None] * planes + plane
        copies = 1 if hosts else self.sizes[wire.name]
        return low.reshape(-1), high.reshape(-1), np.repeat(links * copies, planes)

    @cached_property
    def near(self) -> dict[Group, Rows]:
        """Which devices of each group are not of the place, but joined to one that is."""
        found = {group: np.zeros(self.blueprint.devices(group.role), bool) for group in self.topology.groups}
        for wire, (low, high, _) in zip(self.topology.bundles, self.joined, strict=True):
            found[wire.lower][low] = True
            found[wire.upper][high] = True
        return {group: there & ~self.inside[group] for group, there in found.items()}

    @cached_property
    def parts(self) -> tuple[list[AggregatedNode], dict[Group, Rows]]:
        """The stacks of the view, and the stack of every device of each group, -1 for what is not seen."""
        stacks, of = list[AggregatedNode](), {}
        for group in self.topology.groups:
            part_of = np.full(self.blueprint.devices(group.role), -1, np.int64)
            for stack, rows in self._split(group):
                part_of[rows] = len(stacks)
                stacks.append(stack)
            of[group] = part_of
        return stacks, of

    def _split(self, group: Group) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield the stacks of a group with their rows: of the place, then of what is around it."""
        there, near = np.flatnonzero(self.inside[group]), np.flatnonzero(self.near[group])
        if self.level == "fabric":
            yield AggregatedNode(group, {}, len(there)), there
            return
        axes = [axis for axis in self.digits(group) if axis not in self.place]
        if self.level == "pod":
            # The servers of a pod are seen by leaves.
            axes = [*kept_axes([axis for axis in axes if axis != "server"], self._spans(group), INSIDE)]
        yield from self._by(group, there, [axis for axis in self.place if axis in self.digits(group)] + axes)
        if self.level == "unit" or len(near) <= ABOVE:
            yield from self._by(group, near, group.axes, inside=False)
        elif len(near):
            yield from self._around(group)

    def _spans(self, group: Group) -> dict[str, int]:
        return {axis: int(values.max(initial=0)) + 1 for axis, values in self.digits(group).items()}

    def _by(
        self, group: Group, rows: Rows, axes: Sequence[str], *, inside: bool = True
    ) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield a stack for each combination of values that devices in these rows have on these axes."""
        spans, key = self._spans(group), np.zeros(len(rows), np.int64)
        for axis in axes:
            key = key * spans[axis] + self.digits(group)[axis][rows]
        order = np.argsort(key, kind="stable")
        for part in np.split(rows[order], np.flatnonzero(np.diff(key[order])) + 1) if len(rows) else []:
            named = axes if len(part) > 1 else group.axes
            fixed = {axis: int(self.digits(group)[axis][part[0]]) for axis in named}
            yield AggregatedNode(group, fixed, len(part), inside), part

    def _around(self, group: Group) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield the other pods that links lead to, each as one while they are few, or all the others in one."""
        axis, digits, outside = next(iter(self.place)), self.digits(group), ~self.inside[group]
        pods = np.unique(digits[axis][self.near[group]]) if axis in digits else np.zeros(0)
        if axis in digits and len(pods) <= AROUND:
            rows = np.flatnonzero(outside & np.isin(digits[axis], pods))
            yield from self._by(group, rows, [axis], inside=False)
        else:
            rows = np.flatnonzero(outside)
            yield AggregatedNode(group, {}, len(rows), inside=False, others=axis if axis in digits else None), rows

    def edges(self) -> Edges:
        """Return the edges between the stacks."""
        stacks, of = self.parts
        columns: list[tuple[Rows, ...]] = []
        for place, (wire, (low, high, links)) in enumerate(zip(self.topology.bundles, self.joined, strict=True)):
            ends = of[wire.lower][low], of[wire.upper][high]
            if wire.lower == wire.upper:
                ends = np.minimum(*ends), np.maximum(*ends)
            lower, upper, total, pairs = aggregated(*ends, links, np.ones_like(links), len(stacks))
            columns.append((lower, upper, np.full(len(lower), place), total, pairs))
        return Edges(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))
