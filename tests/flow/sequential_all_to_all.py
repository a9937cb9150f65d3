"""A fabric's GPUs sending to each other one after another, each at its own pace: events over the library's flows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow import Phase, Routing
from fabric.flow.fairness import max_min
from fabric.flow.router import route
from fabric.flow.routes import Routes

NVLINK_BYTES_S = 450e9
NVLINK_S = 1e-6


def all_to_all_s(plan: Blueprint, gpus: int, server: int, size: float, routing: Routing, link_s: float) -> float:
    """Return the seconds in which the first `gpus` GPUs, one to a NIC, send `size` bytes to each other.

    GPU g sends to g + 1, g + 2 and so on around, to the next once the last has arrived, for nobody else waits. Those
    who send at one time share links max-min fairly; a message arrives `link_s` after its last byte for each link
    passed. NVLink, of 900 GB/s both ways and 1 us, joins the GPUs of a `server`.
    """
    way, links, capacity = _paths(plan, gpus, routing)
    here, turn, now = np.arange(gpus), np.zeros(gpus, np.int64), 0.0
    left, arrives = np.zeros((gpus, routing.qps)), np.zeros(gpus)
    while (turn < gpus).any():
        begin = (turn < gpus) & (left.sum(axis=1) == 0) & (arrives <= now)
        turn[begin] += 1
        sends = begin & (turn < gpus)
        there = (here + turn) % gpus
        near = sends & (here // server == there // server)
        arrives[near] = now + NVLINK_S + size / NVLINK_BYTES_S
        left[sends & ~near] = size / routing.qps
        gpu, number = np.nonzero(left)
        arcs = way[gpu, there[gpu], number]
        rates = max_min(Routes(arcs, capacity, np.zeros(len(gpu), bool))) * 1e9 / 8
        waits = arrives[(turn < gpus) & (left.sum(axis=1) == 0)] - now
        step = min((left[gpu, number] / rates).min(initial=np.inf), waits.min(initial=np.inf))
        if not np.isfinite(step):
            break
        now += step
        rest = left[gpu, number] - rates * step
        left[gpu, number] = np.where(rest > size * 1e-9, rest, 0)
        done = np.unique(gpu[left[gpu].sum(axis=1) == 0])
        arrives[done] = now + link_s * links[done, there[done]]
    return now


def _paths(plan: Blueprint, gpus: int, routing: Routing) -> tuple[npt.NDArray[np.int64], ...]:
    """Return the arcs from each GPU to each by each queue pair, the links of the longest, and all arcs' capacity."""
    source, target = np.nonzero(~np.eye(gpus, dtype=bool))
    routes = route(plan, Phase(source, target), routing)
    arcs = routes.arcs.reshape(len(source), routing.qps, -1)
    way = np.full((gpus, gpus, *arcs.shape[1:]), len(routes.capacity) - 1, np.int64)
    way[source, target] = arcs
    # Few of the arcs are used: numbered again, they make every solution cheaper.
    used, numbers = np.unique(way, return_inverse=True)
    way, capacity = numbers.reshape(way.shape), routes.capacity[used]
    return way, np.isfinite(capacity[way]).sum(axis=3).max(axis=2), capacity
