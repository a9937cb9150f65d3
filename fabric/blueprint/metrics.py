"""Metrics of a blueprint that no single product gives: hops between GPUs, bisection bandwidth, what failures leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from fabric.blueprint import Blueprint
from fabric.blueprint.clos_metrics import ClosMetrics
from fabric.blueprint.graph_metrics import GraphMetrics
from fabric.blueprint.hop_shares import hop_shares
from fabric.blueprint.locality import Locality
from fabric.blueprint.unlike_metrics import UnlikeMetrics
from fabric.frozen import freeze
from fabric.topology.axis_bundle import BalancedBundle
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Bundle
from fabric.topology.unlike_servers import UnlikeForm

__all__ = [
    "Hops",
    "Metrics",
    "bisection_gbps",
    "hop_shares",
    "hops",
    "injection_gbps",
    "links_of_pairs",
    "matched_share",
    "metrics_of",
    "uneven_bundles",
]


@dataclass(frozen=True)
class Hops:
    """Switches on a shortest path between the NICs of two GPUs in different servers; a director counts several.

    A pair that the fabric does not join (different rails of a rail-only fabric) first crosses NVLink to its partner's
    rail, and counts with that rail's path. All are 0 when there is only one server.
    """

    max: int
    """The longest path."""
    mean: float
    """The average over all pairs."""
    shares: Mapping[int, float]
    """The share of the pairs by their hops."""

    def __post_init__(self) -> None:
        freeze(self)


class Metrics(Protocol):
    """What follows from a blueprint by the kind of its topology."""

    def links_per_pair(self, bundle: Bundle) -> float:
        """Return the mean links of two devices that the bundle joins."""

    def hop_shares(self) -> Mapping[int, Fraction]:
        """Return the share of the ordered pairs of NICs of different servers by their hops."""

    def peers(self) -> tuple[int, ...]:
        """Return, for every tier below the top, the servers of one full place of it."""

    def unmet_rails(self) -> tuple[int, ...]:
        """Return, for every tier below the top, the rails that have not met there; 1 where they never do."""

    def bisection_gbps(self) -> int:
        """Return the greatest flow in Gb/s, one direction, from the first half of the servers to the second.

        Halves are taken in the order of placement, so pods stay whole; an odd server counts with the second half.
        """

    def survives(self) -> dict[str, Fraction]:
        """Return the share of throughput guaranteed to remain without any one switch of a role, or without a plane."""

    def localities(self) -> tuple[Locality, ...]:
        """Return the localities of every tier below the top, from the leaf up; none where they are not alike."""

    def unit(self) -> tuple[int, int, int]:
        """Return the servers and the leaves of a full unit, and how many units there are."""


def metrics_of(blueprint: Blueprint) -> Metrics:
    """Return the metrics of a blueprint: the one place of this package that distinguishes kinds of topology."""
    match blueprint.topology:
        case UnlikeForm() as form:
            return UnlikeMetrics(blueprint, form)
        case ClosForm() as form:
            return ClosMetrics(blueprint, form)
        case GraphForm() as form:
            return GraphMetrics(blueprint, form)
        case other:
            raise TypeError(f"no metrics of a {type(other).__name__}")


def uneven_bundles(blueprint: Blueprint) -> tuple[BalancedBundle, ...]:
    """Return the balanced bundles in which some pairs of devices have more links than others."""
    each, bundles = metrics_of(blueprint).links_per_pair, blueprint.topology.balanced_bundles
    return tuple(bundle for bundle in bundles if each(bundle) != blueprint.sizes[bundle.name])


def links_of_pairs(blueprint: Blueprint, bundle: BalancedBundle) -> tuple[int, int]:
    """Return the fewest and the most links of two devices that the bundle joins."""
    most, alike = blueprint.sizes[bundle.name], bundle not in uneven_bundles(blueprint)
    return most if alike else most - blueprint.sizes[bundle.connector], most


def matched_share(blueprint: Blueprint, bundle: BalancedBundle) -> Fraction:
    """Return the least share of a device's links that meet as many of any other device, switch by switch.

    So much of its rate two devices exchange at least. With f connectors to each of S switches and one more to r of
    them, another device has one more to at least 2 r - S of the same.
    """
    switches = blueprint.evaluate(bundle.upper_only)
    connectors = blueprint.sizes[bundle.uplinks] // blueprint.sizes[bundle.connector]
    rest = connectors % switches
    return Fraction(connectors - rest + max(0, 2 * rest - switches if rest else 0), connectors)


def hops(blueprint: Blueprint) -> Hops:
    """Return the hops over all ordered pairs of NICs in different servers."""
    shares = metrics_of(blueprint).hop_shares()
    mean = float(sum(number * share for number, share in shares.items()))
    return Hops(max(shares, default=0), mean, {number: float(share) for number, share in shares.items()})


def injection_gbps(blueprint: Blueprint) -> int:
    """Return the bandwidth of all server links together, one direction."""
    return sum(map(blueprint.capacity, blueprint.topology.host_bundles))


def bisection_gbps(blueprint: Blueprint) -> int:
    """Return the greatest flow in Gb/s, one direction, from the first half of the servers to the second."""
    return metrics_of(blueprint).bisection_gbps()
