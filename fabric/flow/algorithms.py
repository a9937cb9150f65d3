"""How long each algorithm of a collective takes: latency by its steps, transfer by the slowest part, and filling.

Bandwidths and latencies of a step are NCCL's own cost model (2.30.7, src/graph/tuning.cc), chunks and what they fill
its src/enqueue.cc, and the rest what measured sweeps say (catalog/data/collectives.yaml).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabric.catalog import Collectives, Generation, Protocol, Shares, Steps
from fabric.flow.collective import Collective

__all__ = ["ALGORITHMS", "Machine", "Parts"]


@dataclass(frozen=True)
class Machine:
    """What a collective runs on: GPUs in NVLink domains, and the bandwidths and latencies between them.

    `nvlink` is the line rate of a GPU, one way, and `network` what all NICs of a domain carry, in GB/s; without NVLink
    it is without end. `extra_us` is what a network step takes beyond one through a single switch; `network_limit`,
    `domain` and `nics` say what holds the network back and how many GPUs and NICs a domain has. With `switches_reduce`
    the network's switches can reduce what they carry.
    """

    constants: Collectives
    generation: Generation
    gpus: int
    domains: int
    domain: int
    nvlink: float
    network: float
    network_limit: str
    extra_us: float
    nics: int
    switches_reduce: bool = False

    @property
    def kind(self) -> int:
        """The place in `catalog.parts.Shares`: one domain, two, or more."""
        return min(self.domains, 3) - 1

    @property
    def more_channels(self) -> float:
        """Channels over the usual: over several domains one a NIC, as many as NVLink feeds."""
        usual = self.constants.channels
        return max(1.0, min(self.nics, self.generation.channels) / usual) if self.domains > 1 else 1.0

    @property
    def depth(self) -> int:
        """The levels of a tree over the domains."""
        return self.domains.bit_length() - 1

    def bus(self, share: float) -> tuple[float, str]:
        """Return the bus bandwidth in GB/s where NVLink gives this share of its line rate, and what limits it."""
        inside = self.nvlink * share
        if self.domains > 1 and self.network < inside:
            return self.network, self.network_limit
        return inside, "NVLink"

    def network_us(self, step_us: float) -> float:
        """Return what a network step takes, from what it takes in the model's protocol."""
        return step_us + self.generation.network_us + self.extra_us


@dataclass(frozen=True)
class Parts:
    """The parts of a time, in seconds: latency; transfer, with the name of what each part waits for; and filling."""

    protocol: str
    latency: float
    transfers: tuple[tuple[float, str], ...]
    filling: float = 0.0

    @property
    def total(self) -> float:
        return self.latency + self.filling + sum(seconds for seconds, _ in self.transfers)

    @property
    def limit(self) -> str:
        """What takes most of the time; filling pipelines is latency too."""
        return max([(self.latency + self.filling, "latency"), *self.transfers])[1]


def _parts(machine: Machine, name: str, latency_us: float, filling: float, *transfers: tuple[float, str]) -> Parts:
    """Return the parts of a call by the protocol `name`, whose pipelines take `filling` seconds to fill when whole.

    Chunks shrink with the message (NCCL 2.30.7, src/enqueue.cc), so that filling f lengthens a transfer x by
    f x / (x + delay f): a share of a small one, f of a large one.
    """
    latency, sent = (latency_us + machine.generation.launch_us) * 1e-6, sum(seconds for seconds, _ in transfers)
    filled = filling * sent / (sent + machine.constants.delay * filling) if sent and filling else 0.0
    return Parts(name, latency, transfers, filled)


def _ring(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Pass the parts along one ring of all n GPUs, n-1 steps for each time around.

    P. Patarasuk and X. Yuan 2009, doi 10.1016/j.jpdc.2008.09.002. A broadcast goes along it once, whole.
    """
    if not (kind.passes or kind.name == "broadcast"):
        return None
    passes = kind.passes or 1
    steps, crossing = passes * (machine.gpus - 1), passes * (machine.domains - 1)
    cost = protocol.ring
    bus, limit = _bus(machine, machine.generation.ring, protocol, cost)
    latency = cost.base_us + (steps - crossing) * cost.nvlink_us
    latency += crossing * machine.network_us(cost.network_us)
    sent = (steps / machine.gpus if kind.passes else 1.0) * gigabytes / bus
    return _parts(machine, protocol.name, latency, protocol.fill_GB / bus, (sent, limit))


def _tree(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce and broadcast along a double binary tree over the domains, a chain inside each.

    P. Sanders et al. 2009, doi 10.1016/j.parco.2009.09.001.
    """
    if kind.name != "all-reduce":
        return None
    cost = protocol.tree
    bus, limit = _bus(machine, machine.generation.tree, protocol, cost)
    steps = (machine.domain - 1) * cost.nvlink_us + machine.depth * machine.network_us(cost.network_us)
    sent = 2 * gigabytes / bus
    return _parts(machine, protocol.name, cost.base_us + 2 * steps, protocol.fill_GB / bus, (sent, limit))


def _bus(machine: Machine, shares: Mapping[str, Shares], protocol: Protocol, cost: Steps) -> tuple[float, str]:
    """Return the bus bandwidth of an algorithm in GB/s, and what limits it.

    What a plain ring gets, less flags and reductions, and no more than the channels carry.
    """
    bus, limit = machine.bus(machine.generation.ring["simple"][machine.kind])
    share = shares[protocol.name][machine.kind] * (1.0 if protocol.name == "ll" else machine.more_channels)
    return min((bus * cost.bus, limit), (machine.nvlink * share, "NVLink"))


def _round(machine: Machine, algbw: float) -> float:
    """Return what a round of chunks takes in the NVLink switches: one for each channel of each GPU that reduces."""
    constants = machine.constants.nvls
    chunk = constants.chunk_bytes if machine.domains < constants.deep else constants.deep_chunk_bytes
    return min(machine.domain, constants.heads) * machine.generation.nvls_channels * chunk * 1e-9 / algbw


def _reduced(machine: Machine, protocol: Protocol, domains: int) -> float | None:
    """Return the algorithm bandwidth of a reduction in the NVLink switches, in GB/s; None where there is none.

    A GPU receives what it asks for of the sums, an n-th, and then all sums: 1 + 1/n of the bytes. NCCL has none for
    two GPUs. `domains` are those that take part in what the generation keeps.
    """
    shares = machine.generation.nvls
    if shares is None or machine.domain < 3 or protocol.name != "simple":
        return None
    return machine.nvlink * min(shares[min(domains, 3) - 1], machine.constants.nvls.received / (1 + 1 / machine.domain))


def _nvls(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of one domain."""
    inside = _reduced(machine, protocol, 1)
    if kind.name != "all-reduce" or machine.domains > 1 or inside is None:
        return None
    sent = (gigabytes / inside, "NVLink")
    return _parts(machine, protocol.name, machine.constants.nvls.base_us, _round(machine, inside), sent)


def _nvls_tree(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of each domain, and along a double binary tree over the domains.

    Between two domains everything crosses once in each direction, half of what a ring's bus bandwidth counts; of more,
    a domain has two neighbours below it in one of the two trees and sends everything twice. Measured domains of more
    GPUs than can reduce for the others do without it.
    """
    constants, inside = machine.constants.nvls, _reduced(machine, protocol, machine.domains)
    if kind.name != "all-reduce" or machine.domains == 1 or inside is None or machine.domain > constants.heads:
        return None
    network = machine.network / (1 if machine.domains == 2 else 2)
    algbw, limit = min((inside, "NVLink"), (network, machine.network_limit))
    latency_us = constants.base_us + 2 * machine.depth * machine.network_us(constants.network_us)
    filling = (1 + machine.depth) * _round(machine, algbw)
    return _parts(machine, protocol.name, latency_us, filling, (gigabytes / algbw, limit))


def _sharp(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of each domain, and in the switches of the network.

    R. Graham et al. 2016, doi 10.1109/COMHPC.2016.006.
    """
    inside = _reduced(machine, protocol, 2)
    if kind.name != "all-reduce" or machine.domains == 1 or inside is None or not machine.switches_reduce:
        return None
    constants = machine.constants
    latency_us = constants.nvls.base_us + machine.network_us(constants.sharp_us)
    algbw, limit = min((inside, "NVLink"), (machine.network * constants.sharp_share, machine.network_limit))
    return _parts(machine, protocol.name, latency_us, 2 * _round(machine, algbw), (gigabytes / algbw, limit))


def _hierarchical(between: Callable[[Machine, Protocol], tuple[float, float]], *, halves: bool = True) -> Algorithm:
    """Reduce-scatter in the domain, `between` the domains on every rail, all-gather in the domain.

    `between` returns the latency in microseconds and the share of the bytes that a domain's NICs send; with `halves`,
    half of it is a reduce-scatter and half an all-gather.
    """

    def algorithm(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
        if kind.passes < 2 - halves or machine.domains == 1 or protocol.name != "simple":
            return None
        half, cost, steps = kind.passes / 2, protocol.ring, kind.passes * (machine.domain - 1)
        share = machine.generation.ring[protocol.name][0]
        inside = steps / machine.domain * gigabytes / (machine.nvlink * share)
        latency, sent = between(machine, protocol)
        latency = cost.base_us + steps * cost.nvlink_us + half * latency
        parts = ((inside, "NVLink"), (half * sent * gigabytes / machine.network, machine.network_limit))
        return _parts(machine, protocol.name, latency, protocol.fill_GB / (machine.nvlink * share), *parts)

    return algorithm


def _rail_ring(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    steps = 2 * (machine.domains - 1)
    return steps * machine.network_us(protocol.ring.network_us), steps / machine.domains


def _rail_tree(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    return 2 * machine.depth * machine.network_us(protocol.tree.network_us), 2.0


def _halving(machine: Machine, protocol: Protocol) -> tuple[float, float]:
    """Recursive halving, then doubling; R. Thakur et al. 2005, doi 10.1177/1094342005051521."""
    folds = 0.0 if machine.domains == 1 << machine.depth else 2.0
    steps = 2 * machine.depth + folds
    return steps * machine.network_us(protocol.ring.network_us), 2 * (machine.domains - 1) / machine.domains + folds


def _pairwise(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Send to every other GPU, inside the domain by NVLink and outside by the NICs, both at one time."""
    if kind.name != "all-to-all" or protocol.name != "simple":
        return None
    rate, cost = machine.nvlink * machine.generation.ring[protocol.name][0], protocol.ring
    inside = (machine.domain - 1) / machine.gpus * gigabytes / rate
    outside = (machine.gpus - machine.domain) / machine.gpus * gigabytes * machine.domain / machine.network
    rounds = math.ceil((machine.gpus - 1) / machine.constants.peers_at_once)
    step = machine.network_us(cost.network_us) if machine.domains > 1 else cost.nvlink_us
    slower = max((inside, "NVLink"), (outside, machine.network_limit))
    return _parts(machine, protocol.name, cost.base_us + rounds * step, protocol.fill_GB / rate, slower)


def _direct(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Send to one other GPU: of another domain where there is one, all GPUs of the domain at one time."""
    if kind.name != "send-recv" or protocol.name != "simple":
        return None
    cost = protocol.ring
    rate, limit, step = machine.nvlink * machine.generation.ring[protocol.name][0], "NVLink", cost.nvlink_us
    if machine.domains > 1:
        rate, limit = machine.network / machine.domain, machine.network_limit
        step = machine.network_us(cost.network_us)
    return _parts(machine, protocol.name, cost.base_us + step, 0.0, (gigabytes / rate, limit))


Algorithm = Callable[[Machine, Collective, Protocol, float], Parts | None]
"""The parts of a collective's time for so many GB by one protocol; None where there is no such way."""

ALGORITHMS: dict[str, Algorithm] = {
    "ring": _ring,
    "tree": _tree,
    "nvls": _nvls,
    "nvls-tree": _nvls_tree,
    "sharp": _sharp,
    "hierarchical-ring": _hierarchical(_rail_ring),
    "hierarchical-tree": _hierarchical(_rail_tree, halves=False),
    "halving-doubling": _hierarchical(_halving),
    "pairwise": _pairwise,
    "direct": _direct,
}
"""The algorithms by name."""
