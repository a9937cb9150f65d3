"""The addresses and AS numbers of a routed Ethernet fabric: unique, and derived from the design alone.

Every switch speaks eBGP with every switch that it has a link to, over links without addresses (RFC 8950: IPv4 routes
with IPv6 link-local next hops). AS numbers are private ones of four bytes (RFC 6996). Where a fabric has tiers, they
follow RFC 7938, section 5.2.1: a leaf has one of its own, and switches further up that serve the same leaves share one,
so that no route comes down and goes up again (path hunting). Where switches of one tier are joined to each other, each
has its own.

The loopbacks are of 172.16.0.0/12, a quarter for each tier. The ports of hosts have a /31 each (RFC 3021) of
10.0.0.0/8, the switch the even address and the host the odd one. Those of one switch form its host prefix, and the
switches of one rail on one plane have an equal part of 10.0.0.0/8, so that a host needs one route for each of its NICs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.export.link_layer import refuse_relays
from fabric.frozen_columns import FrozenColumns
from fabric.network import Devices, Network
from fabric.topology.topology import PLANE
from fabric.units import count

__all__ = ["FIRST_ASN", "HOSTS", "LOOPBACKS", "PORT_LENGTH", "ROUTES", "AddressPlan", "plan_addresses"]

FIRST_ASN = 4_200_000_000
"""The first private AS number of four bytes; 4,294,967,294 is the last (RFC 6996)."""

TIER_ASNS = 10_000_000
"""The AS numbers set aside for a tier; the first of each is left out."""

HOSTS = 10 << 24, 8
"""The block of the hosts' addresses: 10.0.0.0/8 (RFC 1918), as a number and the length of its prefix."""

LOOPBACKS = (172 << 24) + (16 << 16), 12
"""The block of the loopbacks: 172.16.0.0/12 (RFC 1918)."""

PORT_LENGTH = 31
"""The length of the prefix of a host's port (RFC 3021): two addresses."""

LEAST_TIERS = 4
"""The parts of the block of loopbacks, one for a tier; more where there are more groups of switches."""

ROUTES = "routes between switches don't express"
"""Why servers that forward have no addresses here."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AddressPlan(FrozenColumns):
    """The AS numbers and addresses of a fabric, as numbers; switches are in the order of the network's devices."""

    first_switch: int
    """The network's row of the first switch."""
    asn: Numbers
    """The AS number of each switch, shape (switches,)."""
    loopback: Numbers
    """The loopback address of each switch, shape (switches,)."""
    has_hosts: npt.NDArray[np.bool_]
    """Whether hosts are attached to each switch, shape (switches,)."""
    host_prefix: Numbers
    """The first address of each switch's host prefix, of no meaning where it has no hosts, shape (switches,)."""
    prefix_length: int
    """The length of a host prefix."""
    share: Numbers
    """The number of the rail and plane whose block holds each switch's host prefix, shape (switches,)."""
    share_length: int | None
    """The length of the prefix of such a block; None where blocks of whole prefixes do not fit in 10.0.0.0/8."""
    host_link: Numbers
    """The network's rows of the links to hosts, ascending, shape (host links,)."""
    gateway: Numbers
    """The address of the switch on each of them, shape (host links,); the host's is the next one."""

    @property
    def share_prefix(self) -> Numbers:
        """The first address of the block of each switch's rail and plane, shape (switches,); see `share_length`."""
        width = 32 - (self.share_length or self.prefix_length)
        return (self.host_prefix >> width) << width


def plan_addresses(blueprint: Blueprint, network: Network) -> AddressPlan:
    """Return the addresses and AS numbers of a fabric; `network` has its links, with those of appliances or without.

    Raises InputError where servers forward traffic of others, and where 10.0.0.0/8, 172.16.0.0/12 or the AS numbers of
    a tier are too few.
    """
    refuse_relays(blueprint, ROUTES)
    tiers = [network.group(group.role) for group in blueprint.topology.switch_groups]
    first, switches = tiers[0].first, sum(tier.count for tier in tiers)
    hosts = np.flatnonzero((network.lower < first) | (network.lower >= first + switches))
    switch, port = network.upper[hosts].astype(np.int64) - first, network.upper_port[hosts].astype(np.int64)
    has_hosts = np.bincount(switch, minlength=switches) > 0
    share = _number_shares(blueprint, tiers)
    port_bits = _bits_for(2 * (int(port.max(initial=0)) + 1))
    prefix, share_length = _place_prefixes(blueprint, share, has_hosts, port_bits)
    return AddressPlan(
        first,
        _number_systems(blueprint, tiers),
        _number_loopbacks(blueprint, tiers),
        has_hosts,
        prefix,
        32 - port_bits,
        share,
        share_length,
        hosts,
        prefix[switch] + 2 * port,
    )


def _number_systems(blueprint: Blueprint, tiers: list[Devices]) -> Numbers:
    """Return the AS number of each switch: one of its own, or one for those of a tier that serve the same leaves."""
    systems, leaves = [], tiers[0].axes
    for number, tier in enumerate(tiers):
        own = tier is tiers[0] or not blueprint.topology.layered
        sets = np.arange(tier.count) if own else _number_places(tier, [axis for axis in tier.axes if axis in leaves])
        if (most := int(sets.max(initial=0)) + 1) >= TIER_ASNS:
            raise InputError(
                f"{blueprint.name}: {count(most)} AS numbers for tier {tier.role} are more than the"
                f" {count(TIER_ASNS - 1)} of a tier; export a part of the fabric as a request of its own"
            )
        systems.append(FIRST_ASN + number * TIER_ASNS + 1 + sets)
    return np.concatenate(systems)


def _number_places(devices: Devices, axes: Collection[str]) -> Numbers:
    """Return the place of each device of a group on some of its axes, numbered in their order, shape (devices,)."""
    sizes, digits = dict(zip(devices.axes, devices.shape, strict=True)), devices.coordinates()
    number = np.zeros(devices.count, np.int64)
    for axis in axes:
        number = number * sizes[axis] + digits[axis]
    return number


def _number_loopbacks(blueprint: Blueprint, tiers: list[Devices]) -> Numbers:
    """Return the loopback of each switch; the first address of a tier's part of the block is left out."""
    first, length = LOOPBACKS
    each = (1 << 32 - length) // (1 << _bits_for(max(LEAST_TIERS, len(tiers))))
    for tier in tiers:
        if tier.count >= each:
            raise InputError(
                f"{blueprint.name}: {count(tier.count)} switches of tier {tier.role} are more than the"
                f" {count(each - 1)} loopbacks of a tier in 172.16.0.0/12; export a part of the fabric as a request of"
                " its own"
            )
    return np.concatenate([first + number * each + 1 + np.arange(tier.count) for number, tier in enumerate(tiers)])


def _number_shares(blueprint: Blueprint, tiers: list[Devices]) -> Numbers:
    """Return the number of each switch's tier, rail and plane, of which each has a block of host addresses."""
    shares, first = [], 0
    for tier in tiers:
        number = _number_places(tier, [axis for axis in tier.axes if axis in (PLANE, *blueprint.topology.rail_axes)])
        shares.append(first + number)
        first += int(number.max(initial=0)) + 1
    return np.concatenate(shares)


def _place_prefixes(
    blueprint: Blueprint, share: Numbers, has_hosts: npt.NDArray[np.bool_], port_bits: int
) -> tuple[Numbers, int | None]:
    """Return the first address of each switch's host prefix, and the length of the prefix of a rail and plane.

    Every rail and plane has an equal part of the block where that has room for all, so that the addresses in use stay
    as they are when a fabric grows; else prefixes follow each other.
    """
    first, length = HOSTS
    rows = np.flatnonzero(has_hosts)
    shares, group = np.unique(share[rows], return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(shares)))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - starts[group[order]]
    prefix = np.zeros(len(share), np.int64)
    room = 32 - length - port_bits
    share_bits = _bits_for(len(shares))
    if share_bits + _bits_for(int(rank.max(initial=0)) + 1) <= room:
        prefix[rows] = first + (group << room - share_bits + port_bits) + (rank << port_bits)
        return prefix, length + share_bits
    if len(rows) > 1 << max(0, room):
        needed = len(rows) << port_bits
        raise InputError(
            f"{blueprint.name}: {count(len(rows))} switches with hosts of {count(1 << port_bits)} addresses each need"
            f" {count(needed)}, and 10.0.0.0/8 has {count(1 << 32 - length)}; export a pod or a plane as a request of"
            " its own"
        )
    position = np.empty(len(rows), np.int64)
    position[order] = np.arange(len(rows))
    prefix[rows] = first + (position << port_bits)
    return prefix, None


def _bits_for(values: int) -> int:
    """Return the bits of a number that takes this many values."""
    return max(0, values - 1).bit_length()
