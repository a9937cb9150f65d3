"""Flows between NICs that run at the same time, and the permutations that traffic is tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint

__all__ = ["Phase", "cross_rails", "permutation", "shift"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Phase:
    """Flows that run at the same time; the phases of a collective follow one another.

    Flows within a server are left out: NVLink carries them.
    """

    source: Rows
    """The sending NIC of each flow (server * NICs + nic), shape (flows,)."""
    target: Rows
    """The receiving NIC of each flow, shape (flows,)."""
    share: Any = 1.0
    """The bytes of each flow over the size of the collective, shape (flows,), or one number for all."""
    job: Any = 0
    """The number of the job of each flow, shape (flows,), or one number for all."""
    planned: float | None = None
    """What `busiest` was before flows were moved to other NICs; None where none were."""

    @property
    def flows(self) -> int:
        """The number of flows."""
        return len(self.source)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of each flow, shape (flows,)."""
        return np.broadcast_to(self.share, (self.flows,))

    @property
    def busiest(self) -> float:
        """The share of the bytes that the busiest NIC sends or receives, as the algorithm planned it."""
        if self.planned is not None:
            return self.planned
        return float(max(np.bincount(nics, self.shares).max() for nics in (self.source, self.target)))

    def moved(self, source: Rows, target: Rows) -> Phase:
        """Return the same flows between other NICs of their servers."""
        return replace(self, source=source, target=target, planned=self.busiest if self.flows else None)


def cross_rails(blueprint: Blueprint, phase: Phase, *, pxn: bool) -> Phase:
    """Return the flows as they leave their servers: with `pxn`, or where rails never meet, on the target's rail.

    NVLink carries them there, and is taken not to limit them. Flows that have crossed already stay as they are.
    """
    if not pxn and blueprint.topology.rails_meet_at:
        return phase
    nics = blueprint.server.nics
    return phase.moved(phase.source // nics * nics + phase.target % nics, phase.target)


def shift(nics: npt.NDArray[Any], by: int) -> Phase:
    """Return the flows from each of `nics` to the one `by` positions further on, around."""
    nics = np.asarray(nics, np.int64)
    return Phase(nics, np.roll(nics, -by))


def permutation(nics: npt.NDArray[Any], seed: int) -> Phase:
    """Return the flows of a random permutation of `nics` without a fixed point, one cycle through all of them."""
    order = np.random.default_rng(seed).permutation(np.asarray(nics, np.int64))
    return Phase(order, np.roll(order, -1))
