"""The time that each algorithm takes in closed form: latency by its steps, transfer by the slowest part, and filling.

Bandwidths and latencies of a step are NCCL's own cost model (2.30.7, src/graph/tuning.cc), chunks and what they fill
its src/enqueue.cc, and the rest what measured sweeps say (catalog/data/collectives.yaml).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabric.catalog import Protocol, Shares
from fabric.flow.collectives import Collective
from fabric.flow.machine import Machine

__all__ = [
    "Parts",
    "TimeModel",
    "direct_time",
    "halving_doubling_time",
    "hierarchical_ring_time",
    "hierarchical_tree_time",
    "nvls_time",
    "nvls_tree_time",
    "pairwise_time",
    "ring_time",
    "sharp_time",
    "sum_parts",
    "tree_time",
]


@dataclass(frozen=True)
class Parts:
    """The parts of a time in seconds."""

    protocol: str
    """The name of the protocol."""
    latency: float
    """The latency of all steps."""
    transfers: tuple[tuple[float, str], ...]
    """The transfers, each with the name of what limits it."""
    filling: float = 0.0
    """The time that pipelines take to fill."""

    @property
    def total(self) -> float:
        """The whole time."""
        return self.latency + self.filling + sum(seconds for seconds, _ in self.transfers)

    @property
    def limit(self) -> str:
        """What takes most of the time; filling pipelines counts as latency."""
        return max([(self.latency + self.filling, "latency"), *self.transfers])[1]


TimeModel = Callable[[Machine, Collective, Protocol, float], Parts | None]
"""Returns the parts of a collective's time for a number of GB by one protocol; None where it can't run there."""


def sum_parts(machine: Machine, name: str, latency_us: float, filling: float, *transfers: tuple[float, str]) -> Parts:
    """Return the parts of a call by the protocol `name`, whose full chunks take `filling` seconds to fill pipelines.

    Chunks shrink with the message (NCCL 2.30.7, src/enqueue.cc), so that filling f lengthens a transfer x by
    f x / (x + delay f): a share of a small one, f of a large one.
    """
    latency, sent = (latency_us + machine.generation.launch_us) * 1e-6, sum(seconds for seconds, _ in transfers)
    filled = filling * sent / (sent + machine.constants.delay * filling) if sent and filling else 0.0
    return Parts(name, latency, transfers, filled)


def ring_time(machine: Machine, collective: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Pass the parts along one ring of all n GPUs, n-1 steps for each time around.

    P. Patarasuk and X. Yuan 2009, doi 10.1016/j.jpdc.2008.09.002. Data that is not cut in parts (a
    broadcast) goes along it once, whole.
    """
    passes = collective.passes or 1
    steps, crossing = passes * (machine.gpus - 1), passes * (machine.domains - 1)
    cost = protocol.ring
    bus, limit = _bus(machine, machine.generation.ring, protocol, machine.ring_nvlink)
    latency = cost.base_us + (steps - crossing) * cost.nvlink_us
    latency += crossing * machine.network_us(cost.network_us)
    sent = (steps / machine.gpus if collective.passes else 1.0) * gigabytes / bus
    return sum_parts(machine, protocol.name, latency, protocol.fill_GB / bus, (sent, limit))


def tree_time(machine: Machine, _: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce and broadcast along a double binary tree over the domains, a chain inside each.

    P. Sanders et al. 2009, doi 10.1016/j.parco.2009.09.001.
    """
    cost = protocol.tree
    bus, limit = _bus(machine, machine.generation.tree, protocol, machine.nvlink, machine.tree_sent / 2)
    steps = (machine.domain - 1) * cost.nvlink_us + machine.depth * machine.network_us(cost.network_us)
    sent = 2 * gigabytes / bus
    return sum_parts(machine, protocol.name, cost.base_us + 2 * steps, protocol.fill_GB / bus, (sent, limit))


def _bus(
    machine: Machine, shares: Mapping[str, Shares], protocol: Protocol, nvlink: float, crossing: float = 1.0
) -> tuple[float, str]:
    """Return the bus bandwidth of an algorithm in GB/s, and what limits it.

    It is what a plain ring gets of `nvlink`, less flags and reductions, and no more than the limit per channel times
    the channels, or with LL that of all.
    """
    place, cost = machine.size_class, protocol.ring if shares is machine.generation.ring else protocol.tree
    bus, limit = machine.bus(nvlink * machine.generation.ring["simple"][place], crossing)
    if shares is machine.generation.ring and protocol.name == "simple":
        return bus * cost.bus, limit
    share = shares[protocol.name][place] * (1.0 if protocol.name == "ll" else machine.more_channels)
    return min((bus * cost.bus, limit), (machine.nvlink * share, "NVLink"))


def _round(machine: Machine, algbw: float) -> float:
    """Return the time of a round of chunks in the NVLink switches: one for each channel of each GPU that reduces."""
    constants = machine.constants.nvls
    chunk = constants.chunk_bytes if machine.domains < constants.deep else constants.deep_chunk_bytes
    channels = next((n for gpus, n in machine.generation.nvls_channels.items() if machine.domain <= gpus), 0)
    return machine.domain * channels * chunk * 1e-9 / algbw


def _multicast_us(machine: Machine) -> float:
    """Return the latency of a call that reduces in the NVLink switches, in microseconds: every GPU is a head."""
    return machine.constants.nvls.base_us + machine.constants.nvls.head_us * machine.domain


def _reduced(machine: Machine, protocol: Protocol, domains: int) -> float | None:
    """Return the algorithm bandwidth of a reduction in the NVLink switches, in GB/s; None where they have none.

    A GPU receives what it asks for of the sums, an n-th, and then all sums: 1 + 1/n of the bytes. NCCL has none for
    two GPUs. `domains` are those that take part in what the generation keeps.
    """
    shares = machine.generation.nvls
    if shares is None or machine.domain < 3 or protocol.name != "simple":
        return None
    return machine.nvlink * min(shares[min(domains, 3) - 1], machine.constants.nvls.received / (1 + 1 / machine.domain))


def nvls_time(machine: Machine, _: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of one domain."""
    inside = _reduced(machine, protocol, 1)
    if machine.domains > 1 or inside is None:
        return None
    sent = (gigabytes / inside, "NVLink")
    return sum_parts(machine, protocol.name, _multicast_us(machine), _round(machine, inside), sent)


def nvls_tree_time(machine: Machine, _: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of each domain, and along a double binary tree over the domains."""
    constants, inside = machine.constants.nvls, _reduced(machine, protocol, machine.domains)
    if machine.domains == 1 or inside is None:
        return None
    network = min((machine.network, machine.network_limit), (machine.carried, "channels"))
    algbw, limit = min((inside, "NVLink"), (network[0] / machine.tree_sent, network[1]))
    latency_us = _multicast_us(machine) + 2 * machine.depth * machine.network_us(constants.network_us)
    filling = (1 + machine.depth) * _round(machine, algbw)
    return sum_parts(machine, protocol.name, latency_us, filling, (gigabytes / algbw, limit))


def sharp_time(machine: Machine, _: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of each domain, and in the switches of the network.

    R. Graham et al. 2016, doi 10.1109/COMHPC.2016.006.
    """
    inside = _reduced(machine, protocol, 2)
    if machine.domains == 1 or inside is None or not machine.switches_reduce:
        return None
    constants = machine.constants
    latency_us = _multicast_us(machine) + machine.network_us(constants.sharp_us)
    algbw, limit = min((inside, "NVLink"), (machine.network * constants.sharp_share, machine.network_limit))
    return sum_parts(machine, protocol.name, latency_us, 2 * _round(machine, algbw), (gigabytes / algbw, limit))


def _hierarchical(between: Callable[[Machine, Protocol], tuple[float, float]]) -> TimeModel:
    """Reduce-scatter in the domain, `between` the domains on every rail, all-gather in the domain.

    `between` returns the latency of an all-reduce in microseconds and the share of the bytes that a domain's NICs send
    in it, half of which is a reduce-scatter and half an all-gather.
    """

    def time_model(machine: Machine, collective: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
        if not collective.passes or machine.domains == 1 or protocol.name != "simple":
            return None
        half, cost, steps = collective.passes / 2, protocol.ring, collective.passes * (machine.domain - 1)
        share = machine.generation.ring[protocol.name][0]
        inside = steps / machine.domain * gigabytes / (machine.nvlink * share)
        latency, sent = between(machine, protocol)
        latency = cost.base_us + steps * cost.nvlink_us + half * latency
        parts = ((inside, "NVLink"), (half * sent * gigabytes / machine.network, machine.network_limit))
        return sum_parts(machine, protocol.name, latency, protocol.fill_GB / (machine.nvlink * share), *parts)

    return time_model


def _rail_ring(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    steps = 2 * (machine.domains - 1)
    return steps * machine.network_us(protocol.ring.network_us), steps / machine.domains


def _rail_tree(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    return 2 * machine.depth * machine.network_us(protocol.tree.network_us), machine.tree_sent


def _halving(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    """Recursive halving, then doubling; R. Thakur et al. 2005, doi 10.1177/1094342005051521."""
    folds = 0.0 if machine.domains == 1 << machine.depth else 2.0
    steps = 2 * machine.depth + folds
    return steps * machine.network_us(protocol.ring.network_us), 2 * (machine.domains - 1) / machine.domains + folds


def pairwise_time(machine: Machine, _: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Send to every other GPU, inside the domain by NVLink and outside by the NICs, both at once."""
    if protocol.name != "simple":
        return None
    rate, cost = machine.nvlink * machine.generation.ring[protocol.name][0], protocol.ring
    inside = (machine.domain - 1) / machine.gpus * gigabytes / rate
    outside = (machine.gpus - machine.domain) / machine.gpus * gigabytes * machine.domain / machine.network
    rounds = math.ceil((machine.gpus - 1) / machine.constants.peers_at_once)
    step = machine.network_us(cost.network_us) if machine.domains > 1 else cost.nvlink_us
    slower = max((inside, "NVLink"), (outside, machine.network_limit))
    return sum_parts(machine, protocol.name, cost.base_us + rounds * step, protocol.fill_GB / rate, slower)


def direct_time(machine: Machine, collective: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Send to one other GPU: of another domain where there is one, all GPUs of the domain at once.

    Parts for all others sent at once collide as they come, for which there is no closed form.
    """
    if collective.all_pairs or protocol.name != "simple":
        return None
    cost = protocol.ring
    rate, limit, step = machine.nvlink * machine.generation.ring[protocol.name][0], "NVLink", cost.nvlink_us
    if machine.domains > 1:
        rate, limit = machine.network / machine.domain, machine.network_limit
        step = machine.network_us(cost.network_us)
    return sum_parts(machine, protocol.name, cost.base_us + step, 0.0, (gigabytes / rate, limit))


hierarchical_ring_time = _hierarchical(_rail_ring)
hierarchical_tree_time = _hierarchical(_rail_tree)
halving_doubling_time = _hierarchical(_halving)
