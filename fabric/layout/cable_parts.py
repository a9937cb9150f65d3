"""The parts of every cable: the cheapest that reach, cage by cage.

All links of a bundle could have the part that reaches the longest of them. Links that share a cage share its module or
its cable, at either end, and so do those that share one with them: such links stand together. Each such set takes,
instead of the part that reaches all of its bundle, the one that costs least in whole modules, fibres and cables of
those that cost less a link and reach the longest of its own links. A set with links of two bundles keeps the part that
it has, since a cage with links up and down has one module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.composition import Composition
from fabric.blueprint.physical import Joint, describe_joint
from fabric.blueprint.prices import Prices
from fabric.catalog import LinkPart
from fabric.layout.cables import CableKind, find_connectors, like_bundles
from fabric.layout.link_ports import LinkPorts
from fabric.network import Network

__all__ = ["USUAL_LENGTHS_M", "choose_cable_kinds", "round_up_lengths", "sold_reach_m"]

USUAL_LENGTHS_M = (0.5, 1, 1.5, 2, 2.5, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50)
"""The lengths of cables and fibres whose sold lengths are not known, in metres; above them every 10 m."""

Metres = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def round_up_lengths(way_m: Metres, part: LinkPart | None) -> npt.NDArray[np.float32]:
    """Return each length rounded up to one that is sold."""
    sold = np.array((part and part.lengths_m) or USUAL_LENGTHS_M, np.float64)
    at = np.searchsorted(sold, way_m - 1e-6)
    rounded = np.append(sold, 0)[at]
    return np.asarray(np.where(at < len(sold), rounded, np.ceil(way_m / 10 - 1e-6) * 10), np.float32)


def sold_reach_m(found: Composition) -> float:
    """Return the longest length that is sold of what joins two ends within their reach, in metres; 0 where none is."""
    reach = found.reach_m or 0.0
    sold = [each for each in found.joint.lengths_m or USUAL_LENGTHS_M if each <= reach]
    tens = 10.0 * int(reach // 10) if not found.joint.lengths_m and reach > USUAL_LENGTHS_M[-1] else 0.0
    return max([*sold, tens], default=0.0)


@dataclass(frozen=True, eq=False)
class _Sets:
    """The sets of links that stand together: columns of shape (sets,), but for the first."""

    of_link: Ints
    """The set of each link, shape (links,)."""
    bundle: Ints
    """The bundle of the topology of its links; -1 where there are several."""
    links: Ints
    """The number of links."""
    longest_m: Metres
    """The longest way."""
    lower: Ints
    """The cages at lower ends alone."""
    upper: Ints
    """The cages at upper ends."""
    both: Ints
    """How many of those at upper ends are at lower ends of other links too."""


@dataclass(frozen=True)
class _Ground:
    """The fabric whose parts are chosen."""

    blueprint: Blueprint
    network: Network
    prices: Prices
    way_m: Metres
    """The length of the way of each link, shape (links,)."""

    @cached_property
    def like(self) -> list[str]:
        """The bundle of the topology whose cages the links of each bundle of the network have."""
        return like_bundles(self.blueprint, self.network)

    @cached_property
    def offers(self) -> Mapping[str, tuple[Composition | None, ...]]:
        """The parts that the links of each bundle may have: those that reach all of them, then the cheaper ones."""
        names = (bundle.name for bundle in self.blueprint.topology.bundles)
        return {name: (self.prices.parts(name), *self.prices.cheaper_parts(name)) for name in names}

    def connectors(self, place: int, joint: Joint) -> tuple[Ints, Ints]:
        """Return the links of a bundle of the network with the numbers of their connectors (`find_connectors`)."""
        rows = np.flatnonzero(self.network.bundle == place)
        return rows, find_connectors(self.blueprint, self.network, place, joint, rows)

    def shared_connectors(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield links with the numbers of their connectors, for each way in which links may share them.

        Connectors lie within cages, but for links of two tiers that begin in the middle of one.
        """
        for place, like in enumerate(self.like):
            joints = [describe_joint(like, found, self.prices.ends[like]) for found in self.offers[like]]
            ways = {(each.links, each.tails, each.tails_below): each for each in joints if each.links > 1}
            yield from (self.connectors(place, joint) for joint in ways.values())


def choose_cable_kinds(
    blueprint: Blueprint, network: Network, prices: Prices, ports: LinkPorts, way_m: Metres
) -> tuple[tuple[CableKind, ...], npt.NDArray[np.int16]]:
    """Return the kinds of cables, bundle by bundle, and the index of that of each link, shape (links,).

    `prices` have the parts that reach the longest link of each bundle; `way_m` is the length of each link.
    """
    ground = _Ground(blueprint, network, prices, way_m)
    choice = np.zeros(network.links, np.int64)
    if any(len(each) > 1 for each in ground.offers.values()):
        bundles = [bundle.name for bundle in blueprint.topology.bundles]
        number = np.array([bundles.index(name) for name in ground.like])[network.bundle]
        sets = _find_sets(network, ports, number, way_m, ground.shared_connectors())
        chosen = np.zeros(len(sets.links), np.int64)
        for place, name in enumerate(bundles):
            if len(ground.offers[name]) > 1:
                _choose(chosen, ground, sets, place)
        choice = chosen[sets.of_link]
    kinds, kind = list[CableKind](), np.empty(network.links, np.int16)
    for place, (name, like) in enumerate(zip(network.bundles, ground.like, strict=True)):
        rows = np.flatnonzero(network.bundle == place)
        used = np.unique(choice[rows]).tolist() or [0]
        kind[rows] = len(kinds) + np.searchsorted(used, choice[rows])
        kinds += [CableKind(name, like, ground.offers[like][each]) for each in used]
    return tuple(kinds), kind


def _find_sets(
    network: Network, ports: LinkPorts, bundle: Ints, way_m: Metres, shared: Iterable[tuple[Ints, Ints]]
) -> _Sets:
    """Return the sets of links that share cages, or connectors as `shared` has them."""
    width = 1 + max(int(ports.a_cage.max(initial=0)), int(ports.b_cage.max(initial=0)))
    lower = network.lower.astype(np.int64) * width + ports.a_cage
    upper = network.upper.astype(np.int64) * width + ports.b_cage
    cages = nodes = network.devices * width
    edges = [(lower, upper)]
    for rows, connector in shared:
        edges.append((lower[rows], nodes + connector))
        nodes += int(connector.max(initial=-1)) + 1
    one, other = (np.concatenate(each) for each in zip(*edges, strict=True))
    joined = _join(one, other, nodes)
    _, of_link = np.unique(joined[lower], return_inverse=True)
    number = int(of_link.max(initial=-1)) + 1
    least, most, longest = np.full(number, len(network.bundles)), np.full(number, -1), np.zeros(number)
    np.minimum.at(least, of_link, bundle)
    np.maximum.at(most, of_link, bundle)
    np.maximum.at(longest, of_link, way_m)
    below, above, of_cage = np.zeros(cages, np.bool_), np.zeros(cages, np.bool_), np.zeros(cages, np.int64)
    below[lower] = above[upper] = True
    of_cage[lower] = of_cage[upper] = of_link
    ends = (below & ~above, above, below & above)
    counts = (np.bincount(of_cage[each], minlength=number) for each in ends)
    links = np.bincount(of_link, minlength=number)
    return _Sets(of_link, np.where(least == most, least, -1), links, longest, *counts)


def _join(one: Ints, other: Ints, nodes: int) -> Ints:
    """Return a label of each node, the same for all that edges between `one` and `other` join.

    Each round joins every node's label to the least beside it, and follows labels to their ends, so that rounds are as
    few as the logarithm of the longest chain.
    """
    label = np.arange(nodes)
    while True:
        least = np.minimum(label[one], label[other])
        before = label.copy()
        np.minimum.at(label, before[one], least)
        np.minimum.at(label, before[other], least)
        while True:
            further = label[label]
            if np.array_equal(further, label):
                break
            label = further
        if np.array_equal(label, before):
            return label


def _choose(chosen: Ints, ground: _Ground, sets: _Sets, place: int) -> None:
    """Set which of the parts offered each set of a bundle takes: the first unless another costs less."""
    mine = sets.bundle == place
    bundle = ground.blueprint.topology.bundles[place].name
    least = np.full(len(mine), np.inf)
    for number, found in enumerate(ground.offers[bundle]):
        if found is None or found.price_at(0) is None:
            continue
        fits = mine if number == 0 else mine & _fits(sets, found)
        if fits.any():
            cost = _price_sets(ground, sets, bundle, found)
            better = fits & (cost < least - 1e-6)
            least[better], chosen[better] = cost[better], number


def _fits(sets: _Sets, found: Composition) -> npt.NDArray[np.bool_]:
    """Say which sets parts reach and fit: a cable with several links has all those of a cage."""
    fits = sets.longest_m <= sold_reach_m(found) + 1e-6
    if found.kind == "cable" and found.joint_links > 1:
        fits &= (sets.upper == 1) & (sets.both == 0) & (sets.lower <= found.tails)
    elif found.lower != found.upper:
        fits &= sets.both == 0
    return np.asarray(fits)


def _price_sets(ground: _Ground, sets: _Sets, bundle: str, found: Composition) -> Metres:
    """Return what each set of a bundle costs in whole parts, in USD, if it took these."""
    joint, total = describe_joint(bundle, found, ground.prices.ends[bundle]), np.zeros(len(sets.links))
    for place, like in enumerate(ground.like):
        if like != bundle:
            continue
        rows, connector = ground.connectors(place, joint)
        if found.kind == "link":
            connector = np.arange(len(rows))
        _, firsts, which = np.unique(connector, return_index=True, return_inverse=True)
        longest = np.zeros(len(firsts))
        np.maximum.at(longest, which, ground.way_m[rows])
        metres = round_up_lengths(longest, found.joint).astype(np.float64)
        price = (found.joint.price_usd or 0) + (found.joint.price_usd_per_m or 0) * metres
        total += np.bincount(sets.of_link[rows[firsts]], price, len(total))
    if found.kind == "link":
        return total * float(found.shares[0][1])
    lower, upper = (float((part and part.price_usd) or 0) for part in (found.lower, found.upper))
    return np.asarray(sets.lower * lower + sets.upper * upper + total)
