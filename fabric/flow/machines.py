"""The machine that a collective's traffic finds: the servers and their network, as the time models see them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fabric.catalog import USUAL_GENERATION, Collectives, Generation, LibrarySettings, Server
from fabric.flow.algorithms import Algorithm, Traffic
from fabric.flow.collectives import Collective
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.library_choice import tuning_of
from fabric.flow.machine import Machine

__all__ = ["LibraryUse", "beyond_one_switch_us", "library_use", "machine_of", "sent_bytes", "subflows_of"]

LEAST_CHANNELS = 16
"""The channels below which NCCL doubles them once more."""


@dataclass(frozen=True)
class LibraryUse:
    """The collective library that estimates assume."""

    name: str
    """The name of the library: nccl or rccl."""
    version: str | None
    """The version whose cost model chooses; None where what the GPUs' library chooses is not known."""
    channels: int
    """The channels of a communicator."""
    qps: int
    """The queue pairs of a connection."""
    stands_in: str | None
    """The generation whose constants stand in for those of GPUs that were not measured; None where none does."""


def library_use(summary: FabricSummary) -> LibraryUse:
    """Return the collective library that estimates of a fabric assume; of unlike servers that of the first kind."""
    first = summary.each_kind[0]
    machine, server = machine_of(first, (1.0, "NIC"), Traffic(ring=True), in_order=False), first.server
    tuning = tuning_of(server, first.library.version)
    return LibraryUse(
        name=tuning.library if tuning else "nccl",
        version=tuning.version if tuning else None,
        channels=machine.channels,
        qps=first.library.qps or 1,
        stands_in=None if server.generation in ("", *first.constants.generations) else USUAL_GENERATION,
    )


def usual_channels(server: Server, generation: Generation, domain: int, domains: int, most: int) -> int:
    """Return the channels that the library takes by itself on `domains` domains of `domain` GPUs each.

    Between domains it finds a ring for each NIC, the NICs of one GPU counting as one, doubles them, and once more
    where there are fewer than 16 (NCCL 2.30.7, src/graph/connect.cc).
    """
    if domains == 1:
        return generation.local_channels
    doubled = 2 * max(1, min(server.nics, domain))
    return min(most, doubled if doubled >= LEAST_CHANNELS else 2 * doubled)


def subflows_of(summary: FabricSummary) -> int:
    """Return the queue pairs of a NIC to one partner: those of a connection on every channel that the NIC carries."""
    library, server = summary.library, summary.server
    channels = summary.constants.ecmp_subflows
    if library.channels is not None:
        channels = -(-library.channels // max(1, min(server.nics, server.gpus)))
    return channels * (library.qps or 1)


def machine_of(summary: FabricSummary, share: tuple[float, str], traffic: Traffic, in_order: bool) -> Machine:
    """Return the machine that traffic finds where this share of line rate is left, with the name of what limits it."""
    constants, server = summary.constants, summary.server
    line = server.nics * summary.planes * summary.link_gbps / 8
    left, limit = share
    constants, generation = _set_steps(constants, constants.generation(server.generation), summary.library)
    domain = min(server.gpus, summary.gpus)
    usual = usual_channels(server, generation, domain, summary.servers, constants.most_channels)
    return Machine(
        constants=constants,
        generation=generation,
        gpus=summary.gpus,
        domains=summary.servers,
        domain=domain,
        nvlink=server.nvlink_GBps or math.inf,
        network=line * left * constants.network_scale,
        network_limit=limit,
        extra_us=(server.nic_us or 0.0) + _extra_us(summary, traffic, in_order),
        nics=server.nics,
        channels=summary.library.channels or usual,
        usual_channels=usual,
        switches_reduce=summary.switches_reduce,
    )


def _set_steps(
    constants: Collectives, generation: Generation, library: LibrarySettings
) -> tuple[Collectives, Generation]:
    """Return the constants with the latencies of steps that are set."""
    given = {name: value for name in ("nvlink_us", "network_us") if (value := getattr(library, name)) is not None}
    if not given:
        return constants, generation
    protocols = tuple(
        replace(each, ring=replace(each.ring, **given), tree=replace(each.tree, **given))
        for each in generation.protocols or constants.protocols
    )
    generation = replace(generation, protocols=protocols)
    if library.network_us is None:
        return constants, generation
    nvls = replace(constants.nvls, network_us=library.network_us)
    return replace(constants, nvls=nvls), replace(generation, network_us=0.0)


def _extra_us(summary: FabricSummary, traffic: Traffic, in_order: bool) -> float:
    """Return the time of a path beyond one through a single switch, in microseconds.

    For a ring it is the mean path, between neighbours in order of placement (one in m leaves a locality of m servers)
    or between any two servers; for other traffic the longest, since a tree waits for it.
    """
    ring = summary.neighbour_switches if in_order else summary.mean_switches
    return beyond_one_switch_us(summary, ring if traffic.ring else summary.hops)


def beyond_one_switch_us(summary: FabricSummary, switches: float) -> float:
    """Return the time of a path through as many switches beyond one through a single switch, in microseconds."""
    constants = summary.constants
    return max(0.0, switches - 1) * (summary.switch_ns + constants.fibre_ns_per_m * constants.cable_m) / 1000


def sent_bytes(summary: FabricSummary, collective: Collective, algorithm: Algorithm) -> float:
    """Return the bytes that all NICs of a server send for each byte of a collective, as its closed form has it."""
    if summary.servers == 1 or algorithm.time is None:
        return 0.0
    # On a machine with infinitely fast NVLink and a network of 1 GB/s, 1 GB takes as many seconds as GB are sent.
    simple = summary.constants.protocols[0]
    plain = replace(simple, ring=replace(simple.ring, bus=1.0), tree=replace(simple.tree, bus=1.0))
    machine = machine_of(summary, (1.0, "NIC"), algorithm.traffic, in_order=False)
    parts = algorithm.time(replace(machine, nvlink=math.inf, network=1.0), collective, plain, 1.0)
    return sum(seconds for seconds, _ in parts.transfers) if parts else 0.0
