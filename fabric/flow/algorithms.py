"""How long each algorithm of a collective takes: latency by its steps, transfer by the slowest part, and the rise.

Bandwidths and latencies of a step are NCCL's own cost model (2.30.7, src/graph/tuning.cc), with what measured sweeps
say beyond it (catalog/data/collectives.yaml): between 1 MiB and 1 GiB calls are slower than latency plus transfer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fabric.catalog import Collectives, Generation, Protocol
from fabric.flow.collective import Collective

__all__ = ["ALGORITHMS", "Machine", "Parts"]


@dataclass(frozen=True)
class Machine:
    """What a collective runs on: GPUs in NVLink domains, and the bandwidths and latencies between them.

    `nvlink` is the line rate of a GPU, one way, and `network` what all NICs of a domain carry, in GB/s; without NVLink
    it is without end. `extra_us` is what a network step takes beyond one through a single switch; `network_limit` and
    `domain` say what holds the network back and how many GPUs a domain has.
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

    @property
    def kind(self) -> int:
        """The place in `catalog.parts.Shares`: one domain, two, or more."""
        return min(self.domains, 3) - 1

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
        """Return what a network step takes, from what it takes in NCCL's model."""
        return step_us * self.generation.network_factor + self.extra_us

    def nvlink_us(self, step_us: float) -> float:
        """Return what an NVLink step takes, likewise."""
        return step_us * self.constants.nvlink_factor


@dataclass(frozen=True)
class Parts:
    """The parts of a time, in seconds: latency; transfer, with the name of what each part waits for; and the rise."""

    protocol: str
    latency: float
    transfers: tuple[tuple[float, str], ...]
    rise: float = 0.0

    @property
    def total(self) -> float:
        return self.latency + self.rise + sum(seconds for seconds, _ in self.transfers)

    @property
    def limit(self) -> str:
        """What takes most of the time; the rise is latency too."""
        return max([(self.latency + self.rise, "latency"), *self.transfers])[1]


def _parts(machine: Machine, protocol: str, rise: str, latency_us: float, *transfers: tuple[float, str]) -> Parts:
    """Return the parts of a call, with its launch and the rise of its class (see `catalog.parts.Rise`)."""
    latency = (latency_us + machine.generation.launch_us) * 1e-6
    sent, shape = sum(seconds for seconds, _ in transfers), machine.constants.rises[rise]
    risen = shape.rise * latency * sent / (sent + shape.delay * latency) if sent else 0.0
    return Parts(protocol, latency, transfers, risen)


def _ring(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Pass the parts along one ring of all n GPUs, n-1 steps for each time around.

    P. Patarasuk and X. Yuan 2009, doi 10.1016/j.jpdc.2008.09.002. A broadcast goes along it once, whole.
    """
    if not (kind.passes or kind.name == "broadcast"):
        return None
    passes = kind.passes or 1
    steps, crossing = passes * (machine.gpus - 1), passes * (machine.domains - 1)
    bus, limit = machine.bus(machine.generation.ring[protocol.name][machine.kind])
    cost = protocol.ring
    latency = cost.base_us + (steps - crossing) * machine.nvlink_us(cost.nvlink_us)
    latency += crossing * machine.network_us(cost.network_us)
    sent = (steps / machine.gpus if kind.passes else 1.0) * gigabytes / _protocol_bus(machine, protocol, bus)
    return _parts(machine, protocol.name, protocol.rise, latency, (sent, limit))


def _tree(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce and broadcast along a double binary tree over the domains, a chain inside each.

    P. Sanders et al. 2009, doi 10.1016/j.parco.2009.09.001.
    """
    if kind.name != "all-reduce":
        return None
    cost = protocol.tree
    bus, limit = machine.bus(machine.generation.tree[protocol.name][machine.kind])
    steps = (machine.domain - 1) * machine.nvlink_us(cost.nvlink_us) + machine.depth * machine.network_us(
        cost.network_us
    )
    sent = 2 * gigabytes / _protocol_bus(machine, protocol, bus)
    return _parts(machine, protocol.name, protocol.rise, cost.base_us + 2 * steps, (sent, limit))


def _protocol_bus(machine: Machine, protocol: Protocol, bus: float) -> float:
    """Return what a protocol leaves of a bus bandwidth: tuning.cc's 0.92 with LL128's flags and 0.5 with LL's."""
    if machine.domains == 1 or bus < machine.network:
        return bus
    return bus * {"ll128": 0.92, "ll": 0.5}.get(protocol.name, 1.0)


def _nvls(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of one domain: each GPU sends and receives everything once."""
    share = machine.generation.nvls
    if kind.name != "all-reduce" or machine.domains > 1 or share is None or protocol.name != "simple":
        return None
    sent = gigabytes / (machine.nvlink * share)
    return _parts(machine, protocol.name, "nvls", machine.constants.nvls_us, (sent, "NVLink"))


def _nvls_tree(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Reduce in the NVLink switches of each domain, and along a tree over the domains.

    Between two domains everything crosses once in each direction, half of what a ring's bus bandwidth counts.
    """
    shares = machine.generation.nvls_tree
    share = shares[machine.kind] if shares else None
    if kind.name != "all-reduce" or share is None or machine.domains == 1 or protocol.name != "simple":
        return None
    inside, network = machine.nvlink * share, machine.network * (2 if machine.domains == 2 else 1)
    bus, limit = min((inside, "NVLink"), (network, machine.network_limit))
    cost = machine.constants.nvls_tree
    latency = cost.base_us + 2 * machine.depth * machine.network_us(cost.network_us)
    sent = 2 * (machine.gpus - 1) / machine.gpus * gigabytes / bus
    return _parts(machine, protocol.name, "none", latency, (sent, limit))


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
        latency = cost.base_us + steps * machine.nvlink_us(cost.nvlink_us) + half * latency
        parts = ((inside, "NVLink"), (half * sent * gigabytes / machine.network, machine.network_limit))
        return _parts(machine, protocol.name, protocol.rise, latency, *parts)

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
    share = machine.generation.ring[protocol.name][0]
    inside = (machine.domain - 1) / machine.gpus * gigabytes / (machine.nvlink * share)
    outside = (machine.gpus - machine.domain) / machine.gpus * gigabytes * machine.domain / machine.network
    rounds = math.ceil((machine.gpus - 1) / machine.constants.peers_at_once)
    step = machine.network_us(protocol.ring.network_us) if machine.domains > 1 else protocol.ring.nvlink_us
    slower = max((inside, "NVLink"), (outside, machine.network_limit))
    return _parts(machine, protocol.name, protocol.rise, protocol.ring.base_us + rounds * step, slower)


def _direct(machine: Machine, kind: Collective, protocol: Protocol, gigabytes: float) -> Parts | None:
    """Send to one other GPU: of another domain where there is one, all GPUs of the domain at one time."""
    if kind.name != "send-recv" or protocol.name != "simple":
        return None
    cost = protocol.ring
    if machine.domains == 1:
        sent = (gigabytes / (machine.nvlink * machine.generation.ring[protocol.name][0]), "NVLink")
        return _parts(machine, protocol.name, protocol.rise, cost.base_us + machine.nvlink_us(cost.nvlink_us), sent)
    sent = (gigabytes * machine.domain / machine.network, machine.network_limit)
    return _parts(machine, protocol.name, protocol.rise, cost.base_us + machine.network_us(cost.network_us), sent)


Algorithm = Callable[[Machine, Collective, Protocol, float], Parts | None]
"""The parts of a collective's time for so many GB by one protocol; None where there is no such way."""

ALGORITHMS: dict[str, Algorithm] = {
    "ring": _ring,
    "tree": _tree,
    "nvls": _nvls,
    "nvls-tree": _nvls_tree,
    "hierarchical-ring": _hierarchical(_rail_ring),
    "hierarchical-tree": _hierarchical(_rail_tree, halves=False),
    "halving-doubling": _hierarchical(_halving),
    "pairwise": _pairwise,
    "direct": _direct,
}
"""The algorithms by name."""
