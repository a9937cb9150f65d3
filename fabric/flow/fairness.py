"""Max-min fair rates of routed flows: no flow can get more without a flow of at most its rate getting less."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.routes import Routes

__all__ = ["max_min"]

TIE = 1e-9
"""Shares that differ relatively by less than this are equal: rounding must not order equal flows."""


def max_min(routes: Routes) -> npt.NDArray[np.float64]:
    """Return the max-min fair rate of each flow in Gb/s, shape (flows,); 0 without a path, inf without arcs.

    Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, 6.5.2), many arcs in a round: an arc on
    which every flow has its least share is filled whatever happens to the others, so all such arcs are decided at
    once. The arc with the least share of all is one of them, so each round decides some.
    """
    rates = np.full(routes.flows, np.inf)
    rates[routes.disconnected] = 0.0
    arcs, capacity, flows = _used(routes.arcs, routes.capacity)
    load = _counts(arcs, len(capacity))
    while len(flows):
        share = np.divide(capacity, load, out=np.full(len(capacity), np.inf), where=load > 0)
        offered = share[arcs]
        least = offered.min(axis=0)
        # An arc fills in this round unless one of its flows is offered less elsewhere; a flow is done as soon as one of
        # its arcs fills.
        waiting = _counts(arcs[offered * (1 - TIE) > least], len(capacity)) > 0
        done = ~waiting[arcs].all(axis=0)
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
    """Return the arcs in use, renumbered, shape (depth, flows); their capacity; and the flows that have any.

    The last number is that of the padding, whose capacity is infinite.
    """
    padding = len(capacity) - 1
    flows = np.flatnonzero((arcs != padding).any(axis=1))
    in_use = arcs.T if len(flows) == len(arcs) else arcs[flows].T
    used = np.zeros(len(capacity), bool)
    used[in_use.reshape(-1)] = True
    used[padding] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return np.ascontiguousarray(number[in_use]), capacity[used].astype(np.float64), flows


def _counts(arcs: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int64]:
    return np.bincount(arcs.reshape(-1), minlength=size)
