"""The maximum flow between two groups of devices, and the cut that limits it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.checked_arrays import read_mask, read_numbers, refuse_out_of_range
from fabric.frozen_columns import FrozenColumns
from fabric.network import Network
from fabric.network.expand import expand
from fabric.resources import Work, refuse_excess

__all__ = ["CutPart", "Designed", "Group", "MaxFlow", "max_flow", "select_devices"]

ARC_BYTES = 200
"""The bytes that an arc takes while a flow is solved, those of its reverse and of the columns included."""

ARC_SECONDS = 2e-6
"""The seconds that an arc takes: 17 for the 12 million of a million GPUs."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Designed(Protocol):
    """What has a blueprint: a study."""

    @property
    def blueprint(self) -> Blueprint:
        """The fabric."""


Group = str | npt.ArrayLike
"""Devices: a regular expression that matches their whole names, or their rows in the network."""


@dataclass(frozen=True)
class CutPart:
    """The links of one bundle in a cut that are crossed in one direction."""

    bundle: str
    """The name of the bundle."""
    direction: str
    """`up` from the lower end to the upper, or `down`."""
    links: int
    """The number of links."""
    gbps: int
    """Their bandwidth together, in Gb/s."""


@dataclass(frozen=True, eq=False)
class MaxFlow(FrozenColumns):
    """The maximum flow from one group of devices to another, and a cut that lets no more through."""

    network: Network
    """The network."""
    source: Rows
    """The rows of the devices that send, shape (sources,)."""
    target: Rows
    """The rows of the devices that receive, shape (targets,)."""
    gbps: int
    """The flow in Gb/s, one direction."""
    source_side: Mask
    """The devices on the sources' side of the cut, shape (devices,): of several minimum cuts the nearest to them."""
    cut_links: Rows
    """The rows of the links that cross the cut, which are full, shape (cut,)."""
    cut_down: Mask
    """Whether each of these is crossed from its upper end to its lower, shape (cut,)."""

    @property
    def cut(self) -> tuple[CutPart, ...]:
        """The links that cross the cut, by bundle and direction; none where no path joins the groups."""
        bundle, rate = self.network.bundle[self.cut_links], self.network.rate_gbps[self.cut_links]
        found = []
        for number, name in enumerate(self.network.bundles):
            for down, direction in ((False, "up"), (True, "down")):
                of = (bundle == number) & (self.cut_down == down)
                if of.any():
                    found.append(CutPart(name, direction, int(of.sum()), int(rate[of].sum())))
        return tuple(found)

    def describe_cut(self) -> str:
        """Return what limits the flow: `64 leaf-spine links up (25,600 Gb/s)`."""
        parts = (
            f"{units.count_noun(part.links, f'{part.bundle} link')} {part.direction} ({units.count(part.gbps)} Gb/s)"
            for part in self.cut
        )
        return " and ".join(parts) or "no path joins the two groups"


def max_flow(
    fabric: Network | Blueprint | Designed,
    source: Group,
    target: Group,
    up: Mask | None = None,
    *,
    servers_forward: bool | None = None,
) -> MaxFlow:
    r"""Return the greatest flow in Gb/s from the devices of one group to those of another, with the cut that limits it.

    A group is a regular expression that matches whole names of devices, such as `server\[pod=0,.*`, or the rows of
    devices in the network. The flow is exact: the maximum over all routings of packets that may be split at will, over
    the links that are `up`, shape (links,), by default all, each with its rate in both directions (L. Ford and D.
    Fulkerson 1956, doi 10.4153/CJM-1956-045-5; solved by OR-Tools). Servers outside the groups pass nothing on, unless
    `servers_forward`, by default where the topology is built so (BCube, ZCube).

    Raises InputError for a group without devices, a device in both groups, rows that there are not, or a fabric that is
    none; and TooLarge.
    """
    network, relay = _network_of(fabric)
    forward = relay if servers_forward is None else servers_forward
    groups = select_devices(network, source, "source"), select_devices(network, target, "target")
    both = np.flatnonzero(np.isin(*groups))
    if both.size:
        name = network.name(int(groups[0][both[0]]))
        raise InputError(f"{name} is in both groups; give groups that have no device in common")
    used = np.ones(network.links, bool) if up is None else read_mask(up, "up", network.links)
    arcs = _Arcs.of(network, used, groups, forward=forward)
    gbps, side = _solve(network, groups, arcs)
    crossing = np.flatnonzero(side[arcs.tails] & ~side[arcs.heads])
    crossing = crossing[np.argsort(arcs.links[crossing], kind="stable")]
    return MaxFlow(network, *groups, gbps, side, arcs.links[crossing], arcs.down[crossing])


def select_devices(network: Network, group: Group, what: str = "devices") -> Rows:
    """Return the rows of a group of devices, in ascending order.

    Raises InputError for a regular expression that is not one, and for a group without devices, or with rows that the
    network does not have; `what` is the group's name in messages.
    """
    if not isinstance(group, str):
        rows = np.unique(read_numbers(np.atleast_1d(np.asarray(group)), what))
        refuse_out_of_range(rows, network.devices, what, "device", "the network")
        if not rows.size:
            raise InputError(f"{what}: no devices; give a regular expression, or the rows of one or more")
        return rows
    try:
        matches = re.compile(group).fullmatch
    except re.error as error:
        raise InputError(f"{what} '{group:.80}': not a regular expression: {error}") from None
    found = np.flatnonzero([matches(name) is not None for name in network.names()])
    if not found.size:
        names = ", ".join(each.name(each.first) for each in network.groups if each.count)
        raise InputError(f"{what} '{group:.80}': matches no whole name of a device; names are like {names}")
    return found.astype(np.int64)


def _network_of(fabric: Network | Blueprint | Designed) -> tuple[Network, bool]:
    """Return the network, and whether its servers pass on traffic of others."""
    if isinstance(fabric, Network):
        return fabric, False
    blueprint = fabric if isinstance(fabric, Blueprint) else getattr(fabric, "blueprint", None)
    if not isinstance(blueprint, Blueprint):
        raise InputError(f"fabric: {fabric!s:.40} is no network, blueprint or study")
    return expand(blueprint), blueprint.topology.routing.server_relay


@dataclass(frozen=True)
class _Arcs:
    """The links that the flow may take, each in one direction."""

    links: Rows
    """The row of the link of each, shape (arcs,)."""
    tails: Rows
    """The device that it leaves."""
    heads: Rows
    """The device that it enters."""
    down: Mask
    """Whether it leads from the upper end of the link to the lower."""

    @classmethod
    def of(cls, network: Network, used: Mask, groups: tuple[Rows, Rows], *, forward: bool) -> _Arcs:
        """Return those of the links that are `used`, none into a source or out of a target."""
        sends, receives = np.ones(network.devices, bool), np.ones(network.devices, bool)
        if not forward:
            sends[: network.server_count] = receives[: network.server_count] = False
        sends[groups[0]], receives[groups[0]] = True, False
        sends[groups[1]], receives[groups[1]] = False, True
        links = np.flatnonzero(used)
        lower, upper = network.lower[links].astype(np.int64), network.upper[links].astype(np.int64)
        tails, heads = np.concatenate([lower, upper]), np.concatenate([upper, lower])
        kept = sends[tails] & receives[heads]
        down = np.repeat([False, True], len(links))
        return cls(np.tile(links, 2)[kept], tails[kept], heads[kept], down[kept])


def _solve(network: Network, groups: tuple[Rows, Rows], arcs: _Arcs) -> tuple[int, Mask]:
    """Return the maximum flow in Gb/s, and which devices are on its sources' side."""
    from ortools.graph.python import max_flow as solvers

    count = len(arcs.links)
    work = Work(ARC_BYTES * count, ARC_SECONDS * count)
    refuse_excess(f"the {units.count(count)} arcs of the maximum flow", work, "take fewer GPUs")
    # Parallel links are one arc; whole Gb/s make the flow exact.
    pairs, pair = np.unique(arcs.tails * network.devices + arcs.heads, return_inverse=True)
    capacity = np.bincount(pair, network.rate_gbps[arcs.links], len(pairs)).astype(np.int64)
    source, sink, unlimited = network.devices, network.devices + 1, int(capacity.sum()) + 1
    solver = solvers.SimpleMaxFlow()
    solver.add_arcs_with_capacity(pairs // network.devices, pairs % network.devices, capacity)
    for tails, heads in ((np.full_like(groups[0], source), groups[0]), (groups[1], np.full_like(groups[1], sink))):
        solver.add_arcs_with_capacity(tails, heads, np.full(len(tails), unlimited, np.int64))
    status = solver.solve(source, sink)
    assert status == solver.OPTIMAL, status  # whole capacities that add up to less than 2**63 always end so
    side = np.zeros(network.devices + 2, bool)
    side[solver.get_source_side_min_cut()] = True
    return int(solver.optimal_flow()), side[: network.devices]
