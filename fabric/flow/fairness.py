"""Max-min fair rates of routed flows: each gets what its tightest arc leaves, and no more can be given to any."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.tiered_routes import Routes

__all__ = ["max_min"]

TIE = 1e-9
"""Shares nearer to each other than this, relatively, are one: rounding must not order equal flows."""


def max_min(routes: Routes) -> npt.NDArray[np.float64]:
    """Return the max-min fair rate of each flow in Gb/s, shape (flows,); 0 where it has no path, inf where no arc.

    Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, 6.5.2), many arcs in a round: an arc on
    which every flow has its least share is filled whatever becomes of the others, so all such arcs are settled at
    once. The arc with the least share of all is one of them, so each round settles some.
    """
    rates = np.full(routes.flows, np.inf)
    rates[routes.apart] = 0.0
    arcs, capacity, flows = _used(routes.arcs, routes.capacity)
    load = _counts(arcs, len(capacity))
    while len(flows):
        share = np.divide(capacity, load, out=np.full(len(capacity), np.inf), where=load > 0)
        offered = share[arcs]
        least = offered.min(axis=0)
        held = _counts(arcs[offered * (1 - TIE) > least], len(capacity)) > 0
        done = ~held[arcs].all(axis=0)
        rates[flows[done]] = least[done]
        gone = arcs[:, done]
        given = np.bincount(gone.reshape(-1), np.tile(least[done], len(gone)), len(capacity))
        capacity = np.maximum(capacity - given, 0.0)
        load = load - _counts(gone, len(capacity))
        arcs, flows = arcs[:, ~done], flows[~done]
    return rates


def _used(
    arcs: npt.NDArray[np.int32], capacity: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return arcs of shape (depth, flows), numbered anew, those in use alone; their capacity; the flows that have any.

    The last number is the padding's, an arc without end.
    """
    padding = len(capacity) - 1
    flows = np.flatnonzero((arcs != padding).any(axis=1))
    kept = arcs.T if len(flows) == len(arcs) else arcs[flows].T
    used = np.zeros(len(capacity), bool)
    used[kept.reshape(-1)] = True
    used[padding] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return np.ascontiguousarray(number[kept]), capacity[used].astype(np.float64), flows


def _counts(arcs: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int64]:
    return np.bincount(arcs.reshape(-1), minlength=size)
