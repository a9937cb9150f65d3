"""The traffic whose load is drawn: a step of an all-reduce in rings, its ranks placed in some order."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow.phase import Phase
from fabric.flow.placements import PLACEMENTS, place
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
    """The seed of random placements."""


def ring_phase(blueprint: Blueprint, placement: str, seed: int) -> Phase:
    """Return the flows of a ring all-reduce among all servers; raises as `place` does."""
    (phase,) = phases(Hosts.of(blueprint), place(blueprint, placement, seed=seed), "all-reduce", "hierarchical-ring")
    return phase


def describe_placement(placement: str, seed: int) -> str:
    """Return in words how ranks are placed."""
    return PLACEMENTS[placement].describe(seed)
