"""Which links share a cable: those of one connector where a splitter fans out, or where both ends share connectors.

A bundle may have cables of several kinds, since short links take cheaper parts; those of one connector are of one kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.composition import Composition, Ends
from fabric.blueprint.physical import Joint, describe_joint
from fabric.network import Network
from fabric.topology.topology import Bundle

__all__ = ["CableKind", "find_connectors", "group_longest", "like_bundles", "number_cables"]

Numbers = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CableKind:
    """The links of one bundle, or of one appliance, that have the same parts."""

    bundle: str
    """The bundle or the appliance."""
    like: str
    """The bundle of the topology whose cages they have: of an appliance that of the links below its switches."""
    found: Composition | None
    """The parts of one link; None where they are not known."""

    @property
    def is_appliance(self) -> bool:
        """Whether they are links of an appliance."""
        return self.bundle != self.like

    @property
    def part(self) -> str:
        """The name of the cable, the fibre or the whole link; empty where it is not known."""
        return self.found.joint.name if self.found else ""


def like_bundles(blueprint: Blueprint, network: Network) -> list[str]:
    """Return the bundle of the topology whose cages the links of each bundle of the network have."""
    alike = {each.appliance.name: each.bundle for each in attach_appliances(blueprint)}
    return [alike.get(name, name) for name in network.bundles]


def number_cables(
    blueprint: Blueprint,
    network: Network,
    kinds: Sequence[CableKind],
    kind: npt.NDArray[np.integer],
    ends: Mapping[str, Ends],
) -> Numbers:
    """Return the number of the fibre or cable that each link has, from 0 and kind by kind, shape (links,).

    Links share one where they share the connector at its one end: of a splitter that at the device which puts several
    links on a connector, of a straight cable either, here the upper one. `kind` is the index in `kinds` of each link,
    and `ends` are by bundle of the topology.
    """
    numbers, first = np.empty(network.links, np.int32), 0
    for place, name in enumerate(network.bundles):
        rows = np.flatnonzero(network.bundle == place)
        for number, each in enumerate(kinds):
            if each.bundle == name:
                chosen = kind[rows] == number
                joint = describe_joint(each.like, each.found, ends[each.like])
                keys = find_connectors(blueprint, network, place, joint, rows)[chosen]
                numbers[rows[chosen]] = first + _close_gaps(keys)
                first = int(numbers[rows[chosen]].max(initial=first - 1)) + 1
    return numbers


def find_connectors(blueprint: Blueprint, network: Network, place: int, joint: Joint, rows: Ints) -> Ints:
    """Return a number for each of `rows`, all links of a bundle of the network: equal for those of one connector.

    It is the connector at the one end of the cables that `joint` describes.
    """
    if joint.links == 1:
        return np.arange(len(rows))
    if place < len(blueprint.topology.bundles):
        return _number_connectors(blueprint, network, blueprint.topology.bundles[place], joint, rows)
    end = (network.upper if joint.tails == 1 or joint.tails_below else network.lower)[rows]
    starts = np.flatnonzero(np.append(True, np.diff(end) != 0))
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    return np.asarray(np.cumsum(rank % joint.links == 0) - 1)


def _number_connectors(blueprint: Blueprint, network: Network, bundle: Bundle, joint: Joint, rows: Ints) -> Ints:
    """Return the number of each link's connector at the one end of the cables of a bundle."""
    at_upper = joint.tails == 1 or joint.tails_below
    group = bundle.upper if at_upper else bundle.lower
    devices, ports = (network.upper, network.upper_port) if at_upper else (network.lower, network.lower_port)
    first = blueprint.topology.first_port(group, bundle, blueprint.sizes)
    slot = ports[rows].astype(np.int64) - first
    if group in blueprint.topology.server_groups:
        # The ports of a server may alternate between bundles (BCube); the bill counts those of each by themselves.
        slot = np.unique(slot, return_inverse=True)[1]
    connector = slot // joint.links
    width = int(connector.max(initial=0)) + 1
    return np.asarray((devices[rows].astype(np.int64) - network.group(group.role).first) * width + connector)


def _close_gaps(keys: Ints) -> Ints:
    """Return keys numbered from 0 without gaps, in order."""
    # By marking those in use: a sort of millions of links would take longer.
    used = np.zeros(int(keys.max(initial=-1)) + 1, np.bool_)
    used[keys] = True
    return np.asarray((np.cumsum(used) - 1)[keys])


def group_longest(cables: Numbers, way_m: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the longest way among the links of each cable, shape (cables,)."""
    longest = np.zeros(int(cables.max(initial=-1)) + 1)
    np.maximum.at(longest, cables, way_m)
    return longest
