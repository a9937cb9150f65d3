"""The groups of a run as they stand on a fabric: their GPUs, and what one of them sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.fabric_summary import FabricSummary
from fabric.request.parallel import Parallel
from fabric.training.ranks import ServerGroups, gpus_of_server, group_ranks, group_servers, place_run

__all__ = ["Group", "Run"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Run:
    """A run on GPUs of a fabric."""

    blueprint: Blueprint
    """The fabric."""
    parallel: Parallel
    """How the model is divided."""
    listed: Rows | None = None
    """The GPU of each rank, shape (ranks,); None for those of the first servers, in order."""

    servers_up: npt.NDArray[np.bool_] | None = None
    """Which servers some link still joins, shape (servers,), on which the run stands; None for all."""

    def __post_init__(self) -> None:
        """Raise InputError where the run needs more GPUs than there are, or another number than are listed."""
        gpus_of_server(self.blueprint, self.parallel)
        if self.listed is not None and np.shape(self.listed) != (self.parallel.gpus,):
            count = np.size(self.listed)
            raise InputError(f"placement: {count:,} GPUs; the run has {self.parallel.gpus:,} ranks; list one for each")

    @cached_property
    def gpus(self) -> Rows:
        """The GPU of each rank, shape (ranks,)."""
        if self.listed is not None:
            return np.asarray(self.listed, np.int64)
        gpus = place_run(self.blueprint, self.parallel)
        if self.servers_up is None or self.servers_up.all():
            return gpus
        size, servers = self.blueprint.server.gpus, np.flatnonzero(self.servers_up)
        if gpus[-1] // size >= len(servers):
            left = f"{len(servers) * size:,} GPUs on {len(servers):,} servers"
            raise InputError(f"the run needs {len(gpus):,} GPUs; failures leave {left}; lower dp, or fail fewer parts")
        return np.asarray(servers[gpus // size] * size + gpus % size)

    @cached_property
    def hosts(self) -> Hosts:
        """The servers of the fabric."""
        return Hosts.of(self.blueprint)

    def refuse_unlike_servers(self) -> None:
        """Raise InputError where the run is on servers of several kinds, whose GPUs would wait for each other."""
        if not self.hosts.alike and int(self.gpus.max()) >= self.hosts.first_gpu[1]:
            kinds, first = ", ".join(self.blueprint.servers_by_role), int(self.hosts.first_gpu[1])
            raise InputError(
                f"the run needs {len(self.gpus):,} GPUs of one kind of server; {self.blueprint.name} has {kinds}, and"
                f" {first:,} GPUs of the first kind"
            )

    @property
    def on_whole_servers(self) -> bool:
        """Whether the run has all GPUs of its servers, in order."""
        size = self.blueprint.server.gpus
        placed = self.listed is None and (self.servers_up is None or bool(self.servers_up.all()))
        return placed and self.hosts.alike and gpus_of_server(self.blueprint, self.parallel) == size

    def group(self, axes: tuple[str, ...], summary: FabricSummary) -> Group:
        """Return the groups that run over `axes` on the fabric of this summary."""
        size = self.blueprint.server.gpus
        servers = group_servers(self.parallel, axes, size) if self.on_whole_servers else None
        if servers is not None:
            ranks, domains = servers.servers.shape[1] * servers.local.shape[1], servers.servers.shape[1]
        else:
            gpus = self.gpus[group_ranks(self.parallel, axes)]
            own = self.hosts.server_of_gpu(gpus)
            ranks, domains = gpus.shape[1], 1 + int((own[:, 1:] != own[:, :-1]).sum(axis=1).max(initial=0))
        return Group(self, axes, ranks, domains, _summarize_group(summary, ranks, domains), servers)


@dataclass(frozen=True, eq=False)
class Group:
    """The groups of one kind."""

    run: Run
    """The run."""
    axes: tuple[str, ...]
    """What their ranks run over."""
    ranks: int
    """The ranks of each."""
    domains: int
    """The NVLink domains (servers) of one, at most."""
    summary: FabricSummary
    """What one group sees of the fabric."""
    servers: ServerGroups | None
    """The groups on whole servers; None where servers do not divide them evenly."""

    @cached_property
    def gpus(self) -> Rows:
        """The GPU of each rank, shape (groups, ranks)."""
        return self.run.gpus[group_ranks(self.run.parallel, self.axes)]


def _summarize_group(whole: FabricSummary, ranks: int, domains: int) -> FabricSummary:
    """Return what a group of as many ranks in as many servers sees: its part of each server's GPUs and NICs."""
    server, each = whole.server, -(-ranks // domains)
    nics = max(1, server.nics * each // server.gpus)
    rate = whole.link_gbps * server.nics * each / (server.gpus * nics)
    own = replace(server, gpus=each, nics=nics)
    return replace(whole, server=own, gpus=ranks, servers=domains, link_gbps=rate)
