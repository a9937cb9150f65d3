"""Flows between NICs that run at the same time, and the permutations that traffic is tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts

__all__ = ["Phase", "cross_rails", "on_rail_of_target", "permutation", "shift"]

TIE = 1e-9
"""Shares that differ relatively by less than this are equal."""

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
    channels: Any = 0
    """The number of the set of channels by which each flow goes, shape (flows,), or one number for all.

    Flows between the same NICs by other channels are other connections, each with its own queue pairs.
    """
    planned: float | None = None
    """What `busiest` was before flows were moved to other NICs; None where none were."""
    speeds: npt.NDArray[np.float64] | None = None
    """The rate of every NIC over that of the fastest, shape (NICs,); None where all are alike."""

    @property
    def flows(self) -> int:
        """The number of flows."""
        return len(self.source)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of each flow, shape (flows,)."""
        return np.broadcast_to(self.share, (self.flows,))

    @property
    def alike(self) -> bool:
        """Whether all flows carry as many bytes."""
        return np.ndim(self.share) == 0 or not self.flows or bool(np.ptp(self.shares) <= TIE * self.shares.max())

    @property
    def busiest(self) -> float:
        """The share of the bytes that the busiest NIC sends or receives, as the algorithm planned it.

        A NIC that is slower than the fastest counts as many times as busy.
        """
        if self.planned is not None:
            return self.planned
        return float(max(self._load(nics).max() for nics in (self.source, self.target)))

    def _load(self, nics: Rows) -> npt.NDArray[np.float64]:
        load = np.asarray(np.bincount(nics, self.shares), np.float64)
        return load if self.speeds is None else load / self.speeds[: len(load)]

    def moved(self, source: Rows, target: Rows) -> Phase:
        """Return the same flows between other NICs of their servers."""
        return replace(self, source=source, target=target, planned=self.busiest if self.flows else None)


def cross_rails(blueprint: Blueprint, phase: Phase, *, pxn: bool) -> Phase:
    """Return the flows as they leave their servers: with `pxn`, or where rails never meet, on the target's rail.

    NVLink carries them there, and is taken not to limit them. Flows that have crossed already stay as they are.
    """
    hosts = Hosts.of(blueprint)
    if phase.speeds is None:
        phase = replace(phase, speeds=hosts.speeds)
    if not pxn and blueprint.topology.rails_meet_at:
        return phase
    return phase.moved(on_rail_of_target(hosts, phase), phase.target)


def on_rail_of_target(hosts: Hosts, phase: Phase) -> Rows:
    """Return the NIC of each flow's source that stands in its server where the target's does, in proportion."""
    servers = [hosts.server_of_nic(nics) for nics in (phase.source, phase.target)]
    first, theirs = (hosts.first_nic_of(server) for server in servers)
    if hosts.alike:
        return np.asarray(first + phase.target - theirs)
    ours, many = (hosts.nics_of(server) for server in servers)
    beside = (phase.source - first) % np.maximum(1, ours // many)
    return np.asarray(first + (phase.target - theirs) * ours // many + beside)


def shift(nics: npt.NDArray[Any], by: int) -> Phase:
    """Return the flows from each of `nics` to the one `by` positions further on, around."""
    nics = np.asarray(nics, np.int64)
    return Phase(nics, np.roll(nics, -by))


def permutation(nics: npt.NDArray[Any], seed: int) -> Phase:
    """Return the flows of a random permutation of `nics` without a fixed point, one cycle through all of them."""
    order = np.random.default_rng(seed).permutation(np.asarray(nics, np.int64))
    return Phase(order, np.roll(order, -1))
