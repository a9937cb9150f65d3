"""What the fabrics of a candidate take at least, found without a search."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fabric.optimizer.objective import LinearObjective

if TYPE_CHECKING:
    from fabric.optimizer.model import Model

__all__ = ["TRUST", "Floor"]

TRUST = 1 - 1e-9
"""The share of a computed bound that is sure in spite of rounding."""


class Floor(ABC):
    """What the fabrics of a candidate take at least."""

    @property
    @abstractmethod
    def has_room(self) -> bool:
        """Whether there may be a fabric with room for all servers."""

    @property
    @abstractmethod
    def hops(self) -> int:
        """The least switches on the longest minimal path."""

    @abstractmethod
    def least_total(self, objective: LinearObjective) -> float | None:
        """Return the least of an objective in its whole units; None where it has no bound."""

    def add_to(self, model: Model, objectives: Iterable[LinearObjective], most: float = math.inf) -> None:  # noqa: B027
        """State on a model what does not follow from its own limits, for fabrics with no objective above `most`."""

    def allows(self, bounds: Iterable[tuple[LinearObjective, float]]) -> bool:
        """Say whether there may be a fabric with every objective within its bound, in the objective's whole units."""
        return self.has_room and all((self.least_total(objective) or 0) <= most for objective, most in bounds)
