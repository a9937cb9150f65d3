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

    Flows of unlike weights are fair where the rates over their weights are.

    Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, 6.5.2), many arcs in a round: an arc on
    which every flow has its least share is filled whatever happens to the others, so all such arcs are decided at
    once. The arc with the least share of all is one of them, so each round decides some.
    """
    rates = np.full(routes.flows, np.inf)
    rates[routes.disconnected] = 0.0
    arcs, capacity, flows = _used(routes.arcs, routes.capacity)
    weights = None if routes.weights is None else routes.weights[flows]
    load = _sums(arcs, len(capacity), weights)
    # An arc in use carries one weight or more; of one that is not, rounding may leave a trace of those subtracted.
    trace = 0.0 if weights is None or not len(weights) else weights.min() / 2
    while len(flows):
        share = np.divide(capacity, load, out=np.full(len(capacity), np.inf), where=load > trace)
        offered = share[arcs]
        least = offered.min(axis=0)
        # An arc fills in this round unless one of its flows is offered less elsewhere; a flow is done as soon as one of
        # its arcs fills.
        waiting = np.bincount(arcs[offered * (1 - TIE) > least], minlength=len(capacity)) > 0
        done = ~waiting[arcs].all(axis=0)
        part = None if weights is None else weights[done]
        decided = least[done] if part is None else least[done] * part
        rates[flows[done]] = decided
        gone = arcs[:, done]
        capacity = np.maximum(capacity - _sums(gone, len(capacity), decided), 0.0)
        load = load - _sums(gone, len(capacity), part)
        arcs, flows = arcs[:, ~done], flows[~done]
        weights = None if weights is None else weights[~done]
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


def _sums(arcs: npt.NDArray[np.int32], size: int, values: npt.NDArray[np.float64] | None) -> npt.NDArray[Any]:
    """Return the sum over each arc of the values of its flows, shape (flows,), or the number of its flows."""
    spread = None if values is None else np.tile(values, len(arcs))
    return np.bincount(arcs.reshape(-1), spread, size)
