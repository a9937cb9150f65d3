"""Measured runs of collectives, and what the time model predicts for them."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.catalog import Collectives, Server
from fabric.errors import InputError
from fabric.flow import FabricSummary
from fabric.flow.estimate import Estimate, estimate_without_error

__all__ = ["MeasuredRun", "one_switch"]


@dataclass(frozen=True)
class MeasuredRun:
    """A collective that ran on servers of one kind, and the time that it took for each size."""

    name: str
    """What ran, in words: a system, or the log's name."""
    server: Server
    """The servers."""
    gpus: int
    """The GPUs that took part."""
    collective: str
    """The name of the collective."""
    sizes: tuple[int, ...]
    """The message sizes in bytes, ascending."""
    times_us: tuple[float, ...]
    """The time of each size in microseconds."""
    algorithms: tuple[str, ...] = ()
    """The names of the algorithms that the library was held to; none where it chose."""
    switches_reduce: bool = False
    """Whether the network's switches may have reduced (SHARP)."""

    @property
    def domains(self) -> int:
        """The NVLink domains (servers)."""
        return -(-self.gpus // self.server.gpus)

    def estimates(self, constants: Collectives) -> tuple[Estimate, ...]:
        """Return the model's answer for each size, with one switch between the servers.

        Raises InputError where no algorithm can run it.
        """
        summary = one_switch(self.server, self.gpus, constants, switches_reduce=self.switches_reduce)
        return tuple(self._estimate(summary, size) for size in self.sizes)

    def _estimate(self, summary: FabricSummary, size: int) -> Estimate:
        found = []
        for name in self.algorithms:
            try:
                found.append(estimate_without_error(summary, self.collective, size, "ecmp", name))
            except InputError:  # as in the library, one that can't run leaves the choice to it
                continue
        if found:
            return min(found, key=lambda each: each.time_s)
        return estimate_without_error(summary, self.collective, size, "ecmp")


def one_switch(server: Server, gpus: int, constants: Collectives, *, switches_reduce: bool = False) -> FabricSummary:
    """Return servers joined by one switch of no latency of its own: what NCCL's step latencies were measured on."""
    return FabricSummary(
        server=server, gpus=gpus, servers=-(-gpus // server.gpus), planes=1, link_gbps=server.nic_gbps, tiers=1, hops=1,
        switch_ns=0.0, steps=(1,), several_paths=False, peers=(), unmet_rails=(), ratios=(), leaf_nics=server.nics,
        switches_reduce=switches_reduce, constants=constants,
    )  # fmt: skip
