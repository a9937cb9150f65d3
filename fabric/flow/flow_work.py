"""What the explicit flows of a workload take, estimated before any is laid out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fabric.blueprint import Blueprint
from fabric.flow.algorithms import Algorithm
from fabric.flow.rank_runs import BYTES_PER_FLOW
from fabric.flow.router import router_of
from fabric.flow.routings import Routing
from fabric.resources import Work

__all__ = ["FEWEST_PEERS", "MOST_FLOWS", "most_peers", "work_of_flows"]

MOST_FLOWS = 1 << 20
"""The flows of an all-to-all that are laid out, where more stand for all: some seconds."""

FEWEST_PEERS = 16
"""The peers of a rank that are laid out at any number of ranks."""


def most_peers(ranks: int, routing: Routing) -> int | None:
    """Return to how many peers of each rank an all-to-all is laid out; None: to all of them.

    Of sprayed flows some load the links as all do; of hashed ones fewer would collide more.
    """
    return max(FEWEST_PEERS, MOST_FLOWS // ranks) if routing.policy.sprays else None


def work_of_flows(
    blueprint: Blueprint, algorithms: Iterable[Algorithm], routing: Routing, gpus: int, *, failed: bool = False
) -> Work:
    """Return what laying out, routing and solving the flows of each algorithm on as many GPUs takes, each once.

    A NIC has a flow to each of an algorithm's partners, and in an all-to-all one to each of its peers. `failed` says
    that links will be down.
    """
    router, whole = router_of(blueprint), Work()
    nics = blueprint.nics * gpus / blueprint.gpus
    for algorithm in {each.flows: each for each in algorithms}.values():
        peers = min(most_peers(gpus, routing) or gpus, gpus - 1)
        flows = nics * (peers if algorithm.traffic.uniform else algorithm.traffic.partners)
        if gpus > blueprint.server.gpus:
            own = replace(routing, qps=algorithm.traffic.queue_pairs(routing.qps))
            work = router.work(flows, own, failed=failed)
            whole = whole.then(replace(work, memory_bytes=max(work.memory_bytes, flows * BYTES_PER_FLOW)))
    return whole
