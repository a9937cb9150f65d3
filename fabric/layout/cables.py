"""Which links share a cable: those of one connector where a splitter fans out, or where both ends share connectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.composition import Compositions, Ends
from fabric.blueprint.physical import Joint, describe_joint
from fabric.network import Network
from fabric.topology.topology import Bundle

__all__ = ["group_longest", "number_cables"]

Numbers = npt.NDArray[np.int32]


def number_cables(blueprint: Blueprint, network: Network, parts: Compositions, ends: Mapping[str, Ends]) -> Numbers:
    """Return the number of the fibre or cable that each link has, from 0 and bundle by bundle, shape (links,).

    Links share one where they share the connector at its one end: of a splitter that at the device which puts several
    links on a connector, of a straight cable either, here the upper one. `parts` and `ends` are by bundle.
    """
    numbers, first = np.empty(network.links, np.int32), 0
    for place, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == place)
        joint = describe_joint(bundle.name, parts[bundle.name], ends[bundle.name])
        numbers[rows] = first + _number_connectors(blueprint, network, bundle, joint, rows)
        first = int(numbers[rows].max(initial=first - 1)) + 1
    for place, each in enumerate(attach_appliances(blueprint), len(blueprint.topology.bundles)):
        rows = np.flatnonzero(network.bundle == place)
        joint = describe_joint(each.bundle, parts[each.bundle], ends[each.bundle])
        end = network.upper if joint.tails == 1 or joint.tails_below else network.lower
        starts = np.flatnonzero(np.append(True, np.diff(end[rows]) != 0))
        rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
        numbers[rows] = first + np.cumsum(rank % joint.links == 0) - 1
        first = int(numbers[rows].max(initial=first - 1)) + 1
    return numbers


def _number_connectors(
    blueprint: Blueprint, network: Network, bundle: Bundle, joint: Joint, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the number of each link's connector among those in use at the one end of the cables of a bundle."""
    if joint.links == 1:
        return np.arange(len(rows))
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
    key = (devices[rows].astype(np.int64) - network.group(group.role).first) * width + connector
    # Numbers without gaps by marking those in use: a sort of millions of links would take longer.
    used = np.zeros(int(key.max(initial=-1)) + 1, np.bool_)
    used[key] = True
    return np.asarray((np.cumsum(used) - 1)[key])


def group_longest(cables: Numbers, way_m: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the longest way among the links of each cable, shape (cables,)."""
    longest = np.zeros(int(cables.max(initial=-1)) + 1)
    np.maximum.at(longest, cables, way_m)
    return longest
