"""Views of graph forms: a pod or unit and the switches that its links lead to, with the links counted pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.topology import PLANE, Group
from fabric.view.nodes import ABOVE, AROUND, INSIDE, AggregatedNode, Edges, Rows, kept_axes, sum_edges

__all__ = ["GraphSplitter"]


@dataclass(frozen=True)
class GraphSplitter:
    """Splits a fabric of a graph form into the nodes of its views."""

    blueprint: Blueprint
    """The blueprint."""
    form: GraphForm
    """Its topology."""

    def level_axes(self) -> dict[str, tuple[str, ...]]:
        """Return the axes that number pods and units: all of a leaf's, and for pods the first of several."""
        axes = tuple(axis for axis in self.form.switch_groups[0].axes if axis != PLANE)
        return {"pod": axes[:1], "unit": axes} if len(axes) > 1 else {"unit": axes}

    def count_places(self, axes: Sequence[str], _outer: Mapping[str, int], /) -> int:
        """Return the places on these axes: all of them exist, whether servers fill them or not."""
        return int(np.prod([self.blueprint.sizes[axis] for axis in axes], dtype=np.int64))

    def fills_last(self, _level: str, /) -> bool:
        """Say that all pods and units are alike: their switches are there, whether servers fill them or not."""
        return True

    def split(self, level: str, location: Mapping[str, int]) -> tuple[list[AggregatedNode], Edges]:
        """Return the nodes and edges of a level; `location` gives the place that it shows, or is empty."""
        neighbourhood = Neighbourhood(self.blueprint, self.form, level, location)
        return neighbourhood.nodes, neighbourhood.edges()

    def split_switches(self) -> tuple[list[AggregatedNode], Edges]:
        """Raise InputError: the servers of a graph form do not stand in units."""
        raise InputError(f"{self.blueprint.name}: a {self.form.family} has no units for its servers to stand in")


class Neighbourhood:
    """The devices and links that a view of one place shows, in all planes: the place, and what its links lead to.

    `location` gives the values of the leaf axes that fix the place; it is empty in a view of the whole.
    """

    def __init__(self, blueprint: Blueprint, form: GraphForm, level: str, location: Mapping[str, int]) -> None:
        self.blueprint, self.form, self.level, self.location = blueprint, form, level, location
        self.sizes = blueprint.sizes

    def digits(self, group: Group) -> dict[str, Rows]:
        """Return the value of every device of a group on each axis; a server has its leaf's and its own number."""
        return self._digits[group]

    @cached_property
    def _digits(self) -> dict[Group, dict[str, Rows]]:
        digits = {}
        for group in self.form.switch_groups:
            values = np.indices([self.sizes[axis] for axis in group.axes]).reshape(len(group.axes), -1)
            digits[group] = dict(zip(group.axes, values, strict=True))
        axes = [axis for axis in self.form.switch_groups[0].axes if axis != PLANE]
        leaf = dict(zip(axes, np.unravel_index(self.leaf_of, [self.sizes[axis] for axis in axes]), strict=True))
        return digits | {self.form.server: {**leaf, "server": np.arange(self.servers)}}

    @property
    def servers(self) -> int:
        return self.sizes["servers"]

    @cached_property
    def leaf_of(self) -> Rows:
        """The leaf of each server, by its number in a plane."""
        server, leaf = self.form.host_patterns[0].pairs(self.sizes)
        return np.asarray(leaf[np.searchsorted(server, np.arange(self.servers))])

    @cached_property
    def inside(self) -> dict[Group, Rows]:
        """Which devices of each group belong to the place: those that have all of its axes, with its values."""
        found = {}
        for group in self.form.groups:
            digits = self.digits(group)
            there = np.full(self.blueprint.devices(group.role), self.location.keys() <= digits.keys())
            for axis, value in self.location.items():
                there &= digits.get(axis, 0) == value
            found[group] = there
        return found

    @cached_property
    def joined(self) -> tuple[tuple[Rows, Rows, Rows], ...]:
        """The pairs that each bundle joins, at least one end in the place: rows in their groups, and links."""
        found = []
        for bundle in self.form.bundles:
            low, high, links = self._pairs(bundle)
            kept = self.inside[bundle.lower][low] | self.inside[bundle.upper][high]
            found.append((low[kept], high[kept], links[kept]))
        return tuple(found)

    def _pairs(self, bundle: PatternBundle) -> tuple[Rows, Rows, Rows]:
        """Return every joined pair of devices once, over all planes, and the links of each."""
        hosts = bundle in self.form.host_patterns
        low, high = bundle.pairs(self.sizes)
        if bundle.lower == bundle.upper:
            low, high = np.minimum(low, high), np.maximum(low, high)
        width = int(high.max(initial=0)) + 1
        keys, links = np.unique(low * width + high, return_counts=True)
        planes = self.sizes[PLANE] if PLANE in bundle.upper.axes else 1
        plane = np.arange(planes)
        low = (keys // width)[:, None] * (1 if hosts else planes) + (0 * plane if hosts else plane)
        high = (keys % width)[:, None] * planes + plane
        parallel = 1 if hosts else self.sizes[bundle.name]
        return low.reshape(-1), high.reshape(-1), np.repeat(links * parallel, planes)

    @cached_property
    def near(self) -> dict[Group, Rows]:
        """Which devices of each group do not belong to the place but are joined to one that does."""
        found = {group: np.zeros(self.blueprint.devices(group.role), bool) for group in self.form.groups}
        for bundle, (low, high, _) in zip(self.form.bundles, self.joined, strict=True):
            found[bundle.lower][low] = True
            found[bundle.upper][high] = True
        return {group: there & ~self.inside[group] for group, there in found.items()}

    @cached_property
    def _parts(self) -> tuple[list[AggregatedNode], dict[Group, Rows]]:
        """The nodes of the view, and for each group the node of every device, -1 where it is not shown."""
        nodes, node_of = list[AggregatedNode](), {}
        for group in self.form.groups:
            node_of[group] = np.full(self.blueprint.devices(group.role), -1, np.int64)
            for node, rows in self._split(group):
                node_of[group][rows] = len(nodes)
                nodes.append(node)
        return nodes, node_of

    @property
    def nodes(self) -> list[AggregatedNode]:
        """The nodes of the view."""
        return self._parts[0]

    def _split(self, group: Group) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield the nodes of a group with their rows: those of the place, then those around it."""
        there, near = np.flatnonzero(self.inside[group]), np.flatnonzero(self.near[group])
        if self.level == "fabric":
            yield AggregatedNode(group, {}, len(there)), there
            return
        axes = [axis for axis in self.digits(group) if axis not in self.location]
        if self.level == "pod":
            # A pod shows its servers leaf by leaf.
            axes = [*kept_axes([axis for axis in axes if axis != "server"], self._axis_sizes(group), INSIDE)]
        yield from self._split_by(group, there, [axis for axis in self.location if axis in self.digits(group)] + axes)
        if self.level == "unit" or len(near) <= ABOVE:
            yield from self._split_by(group, near, group.axes, inside=False)
        elif len(near):
            yield from self._split_others(group)

    def _axis_sizes(self, group: Group) -> dict[str, int]:
        return {axis: int(values.max(initial=0)) + 1 for axis, values in self.digits(group).items()}

    def _split_by(
        self, group: Group, rows: Rows, axes: Sequence[str], *, inside: bool = True
    ) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield a node for each combination of values that devices in these rows have on these axes."""
        spans, key = self._axis_sizes(group), np.zeros(len(rows), np.int64)
        for axis in axes:
            key = key * spans[axis] + self.digits(group)[axis][rows]
        order = np.argsort(key, kind="stable")
        for part in np.split(rows[order], np.flatnonzero(np.diff(key[order])) + 1) if len(rows) else []:
            named = axes if len(part) > 1 else group.axes
            fixed = {axis: int(self.digits(group)[axis][part[0]]) for axis in named}
            yield AggregatedNode(group, fixed, len(part), inside), part

    def _split_others(self, group: Group) -> Iterator[tuple[AggregatedNode, Rows]]:
        """Yield the other pods that links lead to: a node for each while they are few, else one for all other pods."""
        axis, digits, outside = next(iter(self.location)), self.digits(group), ~self.inside[group]
        pods = np.unique(digits[axis][self.near[group]]) if axis in digits else np.zeros(0)
        if axis in digits and len(pods) <= AROUND:
            rows = np.flatnonzero(outside & np.isin(digits[axis], pods))
            yield from self._split_by(group, rows, [axis], inside=False)
        else:
            rows = np.flatnonzero(outside)
            yield AggregatedNode(group, {}, len(rows), inside=False, others=axis if axis in digits else None), rows

    def edges(self) -> Edges:
        """Return the edges between the nodes."""
        nodes, node_of = self._parts
        columns: list[tuple[Rows, ...]] = []
        for number, (bundle, (low, high, links)) in enumerate(zip(self.form.bundles, self.joined, strict=True)):
            ends = node_of[bundle.lower][low], node_of[bundle.upper][high]
            if bundle.lower == bundle.upper:
                ends = np.minimum(*ends), np.maximum(*ends)
            lower, upper, total, pairs = sum_edges(*ends, links, np.ones_like(links), len(nodes))
            columns.append((lower, upper, np.full(len(lower), number), total, pairs))
        return Edges(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))
