"""Flows between NICs that run at the same time, and the permutations that traffic is tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, is_whole
from fabric.flow.checked_arrays import read_amounts, read_matrix, read_numbers, refuse_out_of_range
from fabric.frozen_columns import FrozenColumns

__all__ = ["Phase", "cross_rails", "on_rail_of_target", "permutation", "shift"]

TIE = 1e-9
"""Shares that differ relatively by less than this are equal."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Phase(FrozenColumns):
    """Flows that run at the same time; the phases of a collective follow one another.

    Flows within a server are left out: NVLink carries them. Columns are lists or arrays. Raises InputError where they
    are not as long as each other, and with the first element that is not a NIC's number, a share, a job or channels.
    Arrays are read, not copied: one that is changed afterwards changes the phase.
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

    def __post_init__(self) -> None:
        """Check the columns as the class says; NICs that a fabric does not have are refused when they are routed."""
        source, target = (read_numbers(getattr(self, name), name) for name in ("source", "target"))
        if source.shape != target.shape:
            raise InputError(f"source has {len(source):,} NICs and target {len(target):,}; give one of each for a flow")
        share = read_amounts(self.share, "share", source.shape)
        if len(source) and not share.any():
            raise InputError("share: all shares are 0, so nothing is sent")
        checked: dict[str, Any] = {"source": source, "target": target, "share": share if share.ndim else float(share)}
        checked |= {name: _read_labels(getattr(self, name), name, len(source)) for name in ("job", "channels")}
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        super().__post_init__()

    @classmethod
    def of_matrix(cls, demands: Any) -> Phase:
        """Return the flows of a matrix: element [i, j] is the share that NIC i sends to NIC j, and 0 no flow.

        The matrix is an array of shape (NICs, NICs), or a sparse one of scipy. Raises InputError for another shape, and
        with the first element that is not a finite number from 0.
        """
        return cls(*read_matrix(demands, "demands"))

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


def _read_labels(values: Any, what: str, flows: int) -> Any:
    """Return the numbers of a label of each flow, or the one for all."""
    if is_whole(values, 0):
        return int(values)
    labels = read_numbers(values, what)
    if len(labels) != flows:
        raise InputError(f"{what}: {len(labels):,} numbers of {flows:,} flows; give one for each, or one for all")
    return labels


def cross_rails(blueprint: Blueprint, phase: Phase, *, pxn: bool) -> Phase:
    """Return the flows as they leave their servers: with `pxn`, or where rails never meet, on the target's rail.

    NVLink carries them there, and is taken not to limit them. Flows that have crossed already stay as they are. Raises
    InputError with the first NIC that the fabric does not have, and for a study in place of its blueprint.
    """
    if not isinstance(blueprint, Blueprint):
        raise InputError(f"blueprint: a {type(blueprint).__name__} is none; a study has one: study.blueprint")
    hosts = Hosts.of(blueprint)
    for name in ("source", "target"):
        refuse_out_of_range(getattr(phase, name), blueprint.nics, name, "NIC", blueprint.name)
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
    nics = read_numbers(nics, "nics")
    return Phase(nics, np.roll(nics, -by))


def permutation(nics: npt.NDArray[Any], seed: int) -> Phase:
    """Return the flows of a random permutation of `nics` without a fixed point, one cycle through all of them."""
    order = np.random.default_rng(seed).permutation(read_numbers(nics, "nics"))
    return Phase(order, np.roll(order, -1))
