"""The traffic whose load is drawn: a step of an all-reduce in rings, its ranks placed in some order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.failover import failover, servers_up
from fabric.flow.phase import Phase
from fabric.flow.placements import PLACEMENTS, place, without_failed
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.traffic import phases

__all__ = ["Traffic", "describe_placement", "ring_phase"]


@dataclass(frozen=True)
class Traffic:
    """An all-reduce by rings between servers."""

    routings: tuple[Routing, ...] = (Routing("ecmp", 2), ADAPTIVE)
    """The routings that are compared."""
    placement: str | None = None
    """How ranks are placed; None: at random for the load of links, in order over racks."""
    seed: int = 0
    """The seed of random placements and of failures."""
    failures: tuple[str, ...] = ()
    """What has failed, in words of `fabric.flow.fail`."""


def ring_phase(blueprint: Blueprint, placement: str, seed: int, up: npt.NDArray[np.bool_] | None = None) -> Phase:
    """Return the flows of a ring all-reduce among all servers that links which are `up` join; raises as `place` does.

    Servers spread them over the NICs that failures leave.
    """
    gpus, hosts = place(blueprint, placement, seed=seed), Hosts.of(blueprint)
    if up is not None:
        left = servers_up(blueprint, up)
        if left.sum() < 2:
            raise InputError(f"{blueprint.name}: failures leave fewer than two servers; fail fewer parts")
        gpus = without_failed(gpus, left, hosts)
    (phase,) = phases(hosts, gpus, "all-reduce", "hierarchical-ring")
    return phase if up is None else failover(blueprint, phase, up)


def describe_placement(placement: str, seed: int) -> str:
    """Return in words how ranks are placed."""
    return PLACEMENTS[placement].describe(seed)
