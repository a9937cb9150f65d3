"""What routing gives: the arcs that each flow takes, and what those arcs carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Routes"]


@dataclass(frozen=True, eq=False)
class Routes:
    """The arcs of each flow, from its NIC up and down, and their capacity.

    Arc a < links is link row a upwards, and arc links + a is the same link downwards. Where packets are sprayed over a
    Clos, an arc is an equal-cost group of links instead of one link. The last arc pads short paths.
    """

    arcs: npt.NDArray[np.int32]
    """The arcs, shape (flows, hops); of a flow split over q queue pairs, rows q * i to q * i + q - 1."""
    capacity: npt.NDArray[np.float64]
    """The capacity of each arc in Gb/s; that of the padding is infinite."""
    disconnected: npt.NDArray[np.bool_]
    """Which flows no path joins, shape (flows,)."""
    weights: npt.NDArray[np.float64] | None = None
    """What each flow has to carry, shape (flows,): rates on a shared arc are in proportion; None for equal ones.

    The channels of a collective carry equal parts, so a flow that carries more has more connections.
    """

    @property
    def flows(self) -> int:
        """The number of flows, every sub-flow by itself."""
        return len(self.arcs)

    @property
    def hops(self) -> npt.NDArray[np.int64]:
        """The links on the path of each flow, shape (flows,)."""
        return np.asarray((self.arcs != len(self.capacity) - 1).sum(axis=1))

    def loads(self, rates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what flows at these `rates`, shape (flows,), put on each arc together, shape (arcs,)."""
        total = np.zeros(len(self.capacity))
        for column in self.arcs.T:
            total += np.bincount(column, rates, len(total))
        return total

    def only(self, flows: npt.NDArray[Any]) -> Routes:
        """Return the routes of some of the flows."""
        weights = None if self.weights is None else self.weights[flows]
        return replace(self, arcs=self.arcs[flows], disconnected=self.disconnected[flows], weights=weights)
