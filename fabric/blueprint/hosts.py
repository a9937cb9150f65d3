"""The servers of a blueprint as columns: which server a NIC or a GPU is in, and which of its own, kind by kind.

Servers, their NICs and their GPUs are numbered through, the servers of one kind after those of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint.blueprint import Blueprint
from fabric.catalog import Server

__all__ = ["Hosts"]

Rows = npt.NDArray[np.int64]

_UNBOUNDED = 2**40
"""More servers than any fabric has."""


@dataclass(frozen=True, eq=False)
class Hosts:
    """The servers as columns, one row for each kind."""

    nics: Rows
    """The NICs of a server of each kind, shape (kinds,)."""
    gpus: Rows
    """The GPUs of a server of each kind, shape (kinds,)."""
    gbps: Rows
    """The rate of a NIC of each kind over all planes, in Gb/s, shape (kinds,)."""
    first_server: Rows
    """The first server of each kind, and the number of all, shape (kinds + 1,)."""
    first_nic: Rows
    """The same for their NICs."""
    first_gpu: Rows
    """The same for their GPUs."""

    @classmethod
    def of(cls, blueprint: Blueprint) -> Hosts:
        """Return the servers of a blueprint."""
        topology, kinds = blueprint.topology, blueprint.servers_by_role
        rates = {bundle.lower.role: blueprint.rate(bundle) * blueprint.planes for bundle in topology.host_bundles}
        return cls._build((server, blueprint.devices(role), rates[role]) for role, server in kinds.items())

    @classmethod
    def equal(cls, server: Server) -> Hosts:
        """Return servers of one kind, as many as there may be."""
        return cls._build([(server, _UNBOUNDED, server.nic_gbps)])

    @classmethod
    def _build(cls, kinds: Iterable[tuple[Server, int, int]]) -> Hosts:
        rows = [(server.nics, server.gpus, gbps, count) for server, count, gbps in kinds]
        nics, gpus, gbps, count = np.array(rows, np.int64).T
        ends = (np.concatenate([[0], np.cumsum(count * each)]) for each in (1, nics, gpus))
        return cls(nics, gpus, gbps, *ends)

    @property
    def alike(self) -> bool:
        """Whether all servers are of one kind."""
        return len(self.nics) == 1

    @property
    def speeds(self) -> npt.NDArray[np.float64] | None:
        """The rate of every NIC over that of the fastest, shape (NICs,); None where all are alike."""
        if (self.gbps == self.gbps[0]).all():
            return None
        return np.repeat(self.gbps / self.gbps.max(), np.diff(self.first_nic))

    def server_of_nic(self, nic: Any) -> Any:
        """Return the server of each NIC, of their shape."""
        if self.alike:
            return nic // self.nics[0]
        kind = self._kind(self.first_nic, nic)
        return self.first_server[kind] + (nic - self.first_nic[kind]) // self.nics[kind]

    def server_of_gpu(self, gpu: Any) -> Any:
        """Return the server of each GPU, of their shape."""
        if self.alike:
            return gpu // self.gpus[0]
        kind = self._kind(self.first_gpu, gpu)
        return self.first_server[kind] + (gpu - self.first_gpu[kind]) // self.gpus[kind]

    def first_nic_of(self, server: Any) -> Any:
        """Return the first NIC of each server, of their shape."""
        if self.alike:
            return server * self.nics[0]
        kind = self._kind(self.first_server, server)
        return self.first_nic[kind] + (server - self.first_server[kind]) * self.nics[kind]

    def first_gpu_of(self, server: Any) -> Any:
        """Return the first GPU of each server, of their shape."""
        kind = self._kind(self.first_server, server)
        return self.first_gpu[kind] + (server - self.first_server[kind]) * self.gpus[kind]

    def nics_of(self, server: Any) -> Any:
        """Return the NICs of each server, of their shape."""
        return self.nics[self._kind(self.first_server, server)]

    def nic_of_gpu(self, gpu: Any, number: Any = 0, numbers: int = 1) -> Any:
        """Return the NIC that each GPU sends from, of their shape; where it has several, that of a share of its data.

        Of `numbers` equal shares, `number` is the one that is sent.
        """
        kind = self._kind(self.first_gpu, gpu)
        server, own = np.divmod(gpu - self.first_gpu[kind], self.gpus[kind])
        nics, gpus = self.nics[kind], self.gpus[kind]
        each = np.maximum(1, nics // gpus)
        return self.first_nic[kind] + server * nics + own * nics // gpus + number * each // numbers

    def shares_of_gpu(self, gpu: Any) -> int:
        """Return the equal shares into which these GPUs split their data, so that each of their NICs has as many."""
        kinds = np.unique(self._kind(self.first_gpu, gpu))
        return int(np.lcm.reduce(np.maximum(1, self.nics[kinds] // np.maximum(1, self.gpus[kinds]))))

    def _kind(self, first: Rows, number: Any) -> Any:
        """Return the kind of each number, given the first number of each; kinds without any have none."""
        if self.alike:
            return np.zeros(np.shape(number), np.int64)
        return np.searchsorted(first, number, side="right") - 1
