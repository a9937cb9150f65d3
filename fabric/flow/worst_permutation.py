"""Adversarial shift permutations: each locality sends all its traffic to another, the same distance on."""

from __future__ import annotations

import math

import numpy as np

from fabric.blueprint import Blueprint
from fabric.flow.phase import shift
from fabric.flow.router import Router, router_of
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.throughput import Shares, shares

__all__ = ["worst_permutation"]


def worst_permutation(blueprint: Blueprint, routing: Routing = ADAPTIVE) -> Shares | None:
    """Return what the flows of the worst of several shift permutations get; None on one server.

    All NICs send the same number of NICs on, around: past a leaf, past each larger locality or line of switches, and
    half of all. On a dragonfly the shift by a group is the adversary of its minimal routing (J. Kim et al. 2008), on a
    torus that by half of a line (tornado). Raises TooLarge as `route` does.
    """
    nics = blueprint.nics
    router = router_of(blueprint)
    steps = {step for step in (*_shift_steps(blueprint, router), nics // 2) if 0 < step < nics}
    found = [shares(blueprint, [shift(np.arange(nics), step)], routing, router=router) for step in sorted(steps)]
    return min(found, key=lambda each: (each.mean, each.min), default=None) if blueprint.servers > 1 else None


def _shift_steps(blueprint: Blueprint, router: Router) -> list[int]:
    """Return the NICs of each full locality, from a leaf's up, and of half of the localities of the next."""
    lines = router.lines()
    full = [blueprint.server.nics * math.prod(lines[: depth + 1]) for depth in range(len(lines))]
    return [*full, *(here * (size // 2) for here, size in zip(full, lines[1:], strict=False))]
