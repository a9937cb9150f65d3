"""What a NIC sends at the same time, in parts that are hashed one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Subflows"]


@dataclass(frozen=True)
class Subflows:
    """What a NIC sends at the same time, each part of it hashed on its own."""

    qps: float
    """The queue pairs to each of its partners."""
    partners: int = 1
    """The NICs that it sends to."""

    def in_plane(self, planes: int) -> float:
        """Return the sub-flows in each plane: a NIC deals its queue pairs over the planes, at least one in each."""
        return self.partners * max(1.0, self.qps / planes)

    def averaged(self, planes: int) -> float:
        """Return the sub-flows of one flow in each plane that would get as much on average.

        Those to one partner make up for each other and those to several do not, so that partners count to the power
        of 0.8: fitted to explicit flows of trees on two and three tiers, within 5 points.
        """
        return math.pow(self.partners, -0.2) * self.in_plane(planes)
