"""What a collective puts on the network: phases of flows between NICs, from its algorithm and where its ranks are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.catalog import Server
from fabric.errors import InputError
from fabric.flow.algorithms import algorithm_of
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.phase import Phase
from fabric.flow.rank_runs import RankRuns

__all__ = ["phases"]


def phases(
    server: Server | Hosts, placement: npt.NDArray[Any], collective: str, algorithm: str, peers: int | None = None
) -> Iterator[Phase]:
    """Yield the phases of flows of `collective` by `algorithm` between the GPUs of `placement`.

    All servers are `server`, or they are those of a blueprint (`Hosts.of`), which may be unlike. `placement` holds the
    GPU of each rank, GPUs being numbered through, shape (ranks,), or (groups, ranks) of groups that run the same
    collective at the same time. Ranks next to each other in one server pass data by NVLink, and those of two servers
    over as many NICs as they have. `peers` bounds those that each rank of an all-to-all sends to, which are
    spread over all and weigh for the rest. Raises InputError for an algorithm that does not implement the collective,
    or has no explicit flows, and TooLarge.
    """
    chosen = algorithm_of(collective, algorithm)
    if chosen.flows is None:
        raise InputError(f"algorithm '{algorithm}' has no explicit flows; only engine closed estimates it")
    yield from chosen.flows(RankRuns.of(server, placement), COLLECTIVES[collective], peers)
