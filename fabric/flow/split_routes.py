"""Routes of flows whose packets are split over several paths, and what such flows get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.path_splits import Splits
from fabric.flow.routes import Routes

__all__ = ["SplitRoutes", "fill_splits"]

STAGE = 0.01
"""Arcs whose shares are within this part of the least fill together, each at its own share."""

Rows = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Rates = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SplitRoutes(Routes):
    """Routes that begin and end on arcs of their own and between them share the paths of a demand, in its proportions.

    `arcs` are the arcs of a flow beside those of its demand, shape (flows, arcs).
    """

    demand: Rows = field(kw_only=True)
    """The demand of which each flow is a part, shape (flows,)."""
    splits: Splits = field(kw_only=True)
    """How the demands are split over paths."""

    @property
    def hops(self) -> npt.NDArray[Any]:
        """The links on the paths of each flow, on average, shape (flows,)."""
        lengths = (self.splits.arcs != len(self.capacity) - 1).sum(axis=2)
        return np.asarray(super().hops + (lengths * self.splits.shares).sum(axis=1)[self.demand])

    def loads(self, rates: Rates) -> Rates:
        total = np.asarray(np.bincount(self.demand, rates, len(self.splits.shares)), np.float64)
        return np.asarray(super().loads(rates) + np.append(self.splits.loads(total, len(self.capacity) - 1), 0.0))

    def only(self, flows: Rows) -> SplitRoutes:
        """Return the routes of some of the flows."""
        return replace(self, arcs=self.arcs[flows], disconnected=self.disconnected[flows], demand=self.demand[flows])


def fill_splits(routes: SplitRoutes) -> Rates:
    """Return the rates of flows in Gb/s that are max-min fair for these splits, shape (flows,); 0 without a path.

    Progressive filling, as by `fabric.flow.fairness.max_min`: a flow takes of each arc the part of its packets that
    pass there. The least rate is exact. Stages of arcs that fill together leave others up to 1 % below their fair rate.
    """
    rates = np.where(routes.disconnected, 0.0, np.inf)
    weights = np.ones(routes.flows) if routes.weights is None else routes.weights
    flows, capacity = np.flatnonzero(~routes.disconnected), routes.capacity.astype(np.float64)
    padding = len(capacity) - 1
    carried = routes.splits.shares > 0
    paths = np.where(carried[:, :, None], routes.splits.arcs, padding).reshape(len(carried), -1)
    while len(flows):
        left = replace(routes.only(flows), weights=None)
        load = left.loads(weights[flows])
        share = np.full(len(load), np.inf)
        np.divide(capacity, load, out=share, where=load > 0)
        share[padding] = np.inf
        offered = share[paths].min(axis=1, initial=np.inf)[left.demand]
        offered = np.minimum(offered, share[left.arcs].min(axis=1, initial=np.inf))
        done = offered <= offered.min() * (1 + STAGE)
        rates[flows[done]] = offered[done] * weights[flows[done]]
        finite = np.where(done & (offered < np.inf), offered * weights[flows], 0.0)
        capacity = np.maximum(capacity - left.loads(finite), 0.0)
        flows = flows[~done]
    return rates
