"""The network file of ASTRA-sim's analytical backends (github.com/astra-sim/astra-network-analytical): dimensions.

A GPU has a place in every dimension and a bandwidth of its own there: NVLink in its server, then the servers that share
its leaves, the units that share spines, and so on, with the part of the NICs' bandwidth that oversubscription leaves
above each tier. The lines of a HyperX or a torus are dimensions too. `common/network-parser/NetworkParser.cc` reads
four lists of one length, where every dimension has at least two places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat
from fabric.export.simulators.link_columns import LinkColumns, link_columns
from fabric.topology.topology import PLANE

__all__ = ["ASTRA_SIM"]

LINES = {"ring": "Ring", "clique": "FullyConnected"}
"""ASTRA-sim's name of what joins the switches of a line of a lattice."""

NVLINK_NS = 936.25
"""The latency of a link of NVLink in ns as `HGX-H100-validated.yml` of ASTRA-sim has it; none is known of others."""


@dataclass(frozen=True)
class Dimension:
    """One dimension of the network."""

    block: str
    """What joins its places: `Switch`, `Ring` or `FullyConnected`."""
    places: int
    """The number of places."""
    gbps: Fraction
    """The bandwidth of a GPU in it, of each link where there are several, in Gb/s, one direction."""
    latency_ns: float
    """The latency of a link in ns; a path through a switch has two."""


def _check(plan: Plan) -> None:
    """Raise InputError for a fabric that is no product of dimensions."""
    blueprint = plan.blueprint
    topology, server, name = blueprint.topology, blueprint.server, blueprint.name
    if blueprint.kinds or not server.gpus:
        raise InputError(f"{name}: the dimensions of ASTRA-sim are of equal servers with GPUs")
    if server.gpus > 1 and server.nvlink_GBps is None:
        raise InputError(f"{name}: the NVLink bandwidth of {server.name} is not known; give it as nvlink_GBps")
    if partial := topology.partial_places(blueprint.sizes):
        place = partial[0]
        raise InputError(
            f"{name}: ASTRA-sim has full dimensions, and the last {place.name} has {place.filled} of {place.full} "
            f"{place.things}; ask for whole ones"
        )
    lattice = topology.drawing.layout == "lattice" and topology.drawing.line in LINES
    if not topology.layered and not lattice:
        raise InputError(
            f"{name}: a {topology.family} is no product of switches, rings and all-to-all lines, the dimensions of "
            "ASTRA-sim"
        )
    room = topology.capacity(blueprint.sizes)
    if lattice and blueprint.servers < room:
        raise InputError(
            f"{name}: ASTRA-sim has full dimensions, and there are {blueprint.servers} servers on switches for {room}"
        )
    if not _dimensions(plan):
        raise InputError(f"{name}: a single GPU has no dimension of ASTRA-sim")


def _write(plan: Plan) -> Iterator[str]:
    """Yield the text, the innermost dimension first; bandwidths are in GB/s, one direction, and latencies in ns."""
    found = _dimensions(plan)
    columns: dict[str, list[str]] = {
        "topology": [each.block for each in found],
        "npus_count": [str(each.places) for each in found],
        "bandwidth": [f"{float(each.gbps / 8):.10g}" for each in found],
        "latency": [f"{each.latency_ns:.10g}" for each in found],
    }
    for key, values in columns.items():
        yield f"{key}: [ {', '.join(values)} ]\n"


def _dimensions(plan: Plan) -> list[Dimension]:
    """Return the dimensions of more than one place, the innermost first."""
    blueprint, links = plan.blueprint, link_columns(plan)
    server = blueprint.server
    nvlink = Dimension("Switch", server.gpus, Fraction(server.nvlink_GBps or 0) * 8, NVLINK_NS)
    outer = _tiers(blueprint, links) if blueprint.topology.layered else _lines(blueprint, links)
    return [each for each in (nvlink, *outer) if each.places > 1]


def _tiers(blueprint: Blueprint, links: LinkColumns) -> Iterator[Dimension]:
    """Yield a dimension for every tier: the places that its switches join, at what the tiers below it let through."""
    topology, inner = blueprint.topology, 1
    gbps, latency = _gpu_gbps(blueprint), 0.0
    for tier, role in enumerate(topology.roles, 1):
        sharing = topology.servers_sharing(tier)
        whole = blueprint.servers if sharing is None or tier == len(topology.roles) else blueprint.evaluate(sharing)
        latency += links.mean_ns(tier - 1)
        yield Dimension("Switch", whole // inner, gbps, latency)
        inner, ratio = whole, blueprint.oversubscription(role)
        gbps = gbps / max(Fraction(1), ratio) if ratio else gbps


def _lines(blueprint: Blueprint, links: LinkColumns) -> Iterator[Dimension]:
    """Yield the servers at a switch as a dimension, then every axis of a lattice of switches."""
    topology, sizes = blueprint.topology, blueprint.sizes
    sharing = topology.servers_sharing(1)
    assert sharing is not None
    at_switch = blueprint.evaluate(sharing)
    _, *others = topology.bundles
    yield Dimension("Switch", at_switch, _gpu_gbps(blueprint), links.mean_ns(0))
    axes = [axis for axis in topology.switch_groups[0].axes if axis != PLANE]
    for number, (axis, bundle) in enumerate(zip(axes, others, strict=True), 1):
        gbps = Fraction(
            blueprint.rate(bundle) * sizes[bundle.name] * blueprint.planes, at_switch * blueprint.server.gpus
        )
        yield Dimension(LINES[topology.drawing.line], sizes[axis], gbps, links.mean_ns(number))


def _gpu_gbps(blueprint: Blueprint) -> Fraction:
    """Return the bandwidth of a GPU's share of its server's NICs in Gb/s, one direction."""
    server, host = blueprint.server, blueprint.topology.host_bundles[0]
    return Fraction(server.nics * blueprint.planes * blueprint.rate(host), server.gpus)


ASTRA_SIM = PlanFormat(
    "astra-sim",
    (),
    "ASTRA-sim, analytical backends",
    "dimensions with bandwidths and latencies",
    lambda plan: iter([("network.yml", _write(plan))]),
    _check,
    witness=Witness("grammar", "NetworkParser of astra-network-analytical"),
)
"""The format of ASTRA-sim."""
