"""Max-min fair rates of routed flows: no flow can get more without a flow of at most its rate getting less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.flow.routes import Routes
from fabric.flow.split_routes import SplitRoutes, fill_splits

__all__ = ["max_min"]

TIE = 1e-9
"""Shares that differ relatively by less than this are equal: rounding must not order equal flows."""

STAGE = 0.1
"""The part of the remaining arcs of flows that one stage fills, those of the least shares.

A smaller part makes more stages, which look at all remaining flows; a larger one more rounds of more arcs.
"""

FEW = 1 << 14
"""Flows that are filled in one stage, because choosing among their arcs takes longer."""

SAMPLE = 1 << 12
"""About how many flows the level of a stage is chosen by."""

Columns = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Rates = npt.NDArray[np.float64]


def max_min(routes: Routes) -> Rates:
    """Return the max-min fair rate of each flow in Gb/s, shape (flows,); 0 without a path, inf without arcs.

    Flows of unlike weights are fair where the rates over their weights are: a share is a rate for a weight of 1.

    Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, 6.5.2), many arcs in a round: an arc on
    which every flow has its least share is filled whatever happens to the others, so all such arcs are decided at
    once. Shares only grow as flows are decided. So arcs go in stages, those of the least shares first, until none of
    them is left below the level of the stage: whether one of them can be filled depends on others below it alone, and a
    round looks at the few arcs of a stage instead of all.
    """
    if isinstance(routes, SplitRoutes):
        return fill_splits(routes)
    filling = _Filling.of(routes)
    while len(filling.flows):
        filling.fill(filling.choose_level())
    return filling.rates


@dataclass(eq=False)
class _Filling:
    """Flows that are being given their rates, and what the arcs have left for the others; the last arc is padding."""

    rates: Rates
    """The rate of each flow in Gb/s, final for those that are not in `flows`."""
    flows: Rows
    """The flows without a rate yet."""
    arcs: Columns
    """Their arcs, shape (depth, flows left); by columns, as the arcs of one tier lie close together in memory."""
    capacity: Rates
    """What is left of each arc in Gb/s."""
    weights: Rates | None
    """The weights of the flows left; None for equal ones."""
    load: npt.NDArray[Any]
    """The weight left on each arc, or without weights the number of flows."""
    trace: float
    """What rounding may leave of a load where no flow is left."""
    share: Rates
    """What an arc has left for each unit of its load; infinite where no flow is left."""

    @classmethod
    def of(cls, routes: Routes) -> _Filling:
        """Return the start, without the flows that have no path or no arc."""
        columns, padding = routes.arcs.T, len(routes.capacity) - 1
        flows = np.flatnonzero((columns != padding).any(axis=0))
        rates = np.where(routes.disconnected, 0.0, np.inf)
        arcs = np.ascontiguousarray(columns) if len(flows) == routes.flows else columns.take(flows, axis=1)
        weights = None if routes.weights is None else routes.weights.take(flows)
        capacity = routes.capacity.astype(np.float64)
        load = np.zeros(len(capacity), np.int64 if weights is None else np.float64)
        for column in arcs:
            np.add.at(load, column, 1 if weights is None else weights)
        load[padding] = 0  # and below from here on, so that its share is infinite
        trace = 0.0 if weights is None or not len(weights) else float(weights.min()) / 2
        return cls(rates, flows, arcs, capacity, weights, load, trace, _divide(capacity, load, trace))

    def choose_level(self) -> float:
        """Return the share below which the next stage fills: that of a part of the arcs of a sample of flows."""
        if len(self.flows) <= FEW:
            return np.inf
        sample = self.share[self.arcs[:, :: max(1, len(self.flows) // SAMPLE)]]
        finite = sample[sample < np.inf]
        rank = int(len(finite) * STAGE)
        return float(np.partition(finite, rank)[rank]) * (1 + TIE) if len(finite) else np.inf

    def fill(self, level: float) -> None:
        """Give their rates to all flows that get at most `level`, and leave out these flows."""
        arcs_below = self.share <= level
        arcs_below[-1] = False
        below = np.stack([arcs_below.take(column) for column in self.arcs])
        flows, entry = np.flatnonzero(below.any(axis=0)), np.flatnonzero(below)
        number = np.empty(len(self.flows), np.int64)
        number[flows] = np.arange(len(flows))
        # Of each arc below the level of each flow: the flow, among `flows`, and the arc.
        flow, arc = number.take(entry % len(self.flows)), self.arcs.reshape(-1).take(entry).astype(np.int64)
        left = np.ones(len(self.flows), bool)
        while len(arc):
            done, shares = self._decide(flow, arc, len(flows))
            decided = np.flatnonzero(done)
            self._give(flows[decided], shares[decided])
            left[flows[decided]] = False
            rest = np.flatnonzero(~done.take(flow) & (self.share.take(arc) <= level))
            flow, arc = flow.take(rest), arc.take(rest)
        stay = np.flatnonzero(left)
        self.flows, self.arcs = self.flows[stay], self.arcs.take(stay, axis=1)
        self.weights = None if self.weights is None else self.weights[stay]

    def _decide(self, flow: Rows, arc: Rows, flows: int) -> tuple[npt.NDArray[np.bool_], Rates]:
        """Return which of `flows` flows have an arc that fills now, and the least share that each is offered.

        Each flow has the arcs that stand beside its number.
        """
        offered, least = self.share.take(arc), np.full(flows, np.inf)
        np.minimum.at(least, flow, offered)
        # An arc waits while one of its flows is offered less elsewhere.
        waiting, done = np.zeros(len(self.share), bool), np.zeros(flows, bool)
        waiting[arc.compress(offered * (1 - TIE) > least.take(flow))] = True
        done[flow.compress(~waiting.take(arc))] = True
        return done, least

    def _give(self, flows: Rows, shares: Rates) -> None:
        """Give some of the flows left their shares of their arcs, and take them off these."""
        weights = 1 if self.weights is None else self.weights.take(flows)
        self.rates[self.flows[flows]] = rates = shares * weights
        if len(flows) == len(self.flows):
            return  # none are left for whom arcs would have more
        for column in self.arcs:
            arcs = column.take(flows).astype(np.int64)
            np.subtract.at(self.capacity, arcs, rates)
            np.subtract.at(self.load, arcs, weights)
            # Rounding must not leave less than nothing.
            self.share[arcs] = _divide(np.maximum(self.capacity.take(arcs), 0.0), self.load.take(arcs), self.trace)


def _divide(capacity: Rates, load: npt.NDArray[Any], trace: float) -> Rates:
    share = np.full(len(load), np.inf)
    np.divide(capacity, load, out=share, where=load > trace)
    return share
