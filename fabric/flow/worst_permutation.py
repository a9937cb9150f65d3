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
    half of all. On a dragonfly the shift by a group is the adversary of its minimal routing (J. Kim et al. 2008). On a
    ring of k it is the one by ceil(k / 2) - 1 (tornado; W. Dally and B. Towles 2004, Principles and Practices of
    Interconnection Networks, 3.2), whose shortest paths all lead the same way around; packets that may take either way
    fare worst by half of a ring. Raises TooLarge as `route` does.
    """
    nics = blueprint.nics
    router = router_of(blueprint)
    steps = {step for step in (*_shift_steps(blueprint, router), nics // 2) if 0 < step < nics}
    found = [shares(blueprint, [shift(np.arange(nics), step)], routing, router=router) for step in sorted(steps)]
    return min(found, key=lambda each: (each.mean, each.min), default=None) if blueprint.servers > 1 else None


def _shift_steps(blueprint: Blueprint, router: Router) -> list[int]:
    """Return the NICs of each full locality, from a leaf's up, and of about half of the localities of the next."""
    lines = router.lines()
    full = [blueprint.server.nics * math.prod(lines[: depth + 1]) for depth in range(len(lines))]
    half = [here * part for here, size in zip(full, lines[1:], strict=False) for part in ((size - 1) // 2, size // 2)]
    return [*full, *half]
