"""The permutations that are worst for a fabric: each place sends all that it has to one other, the same number on."""

from __future__ import annotations

import math

import numpy as np

from fabric.blueprint import Blueprint
from fabric.flow.throughput import Shares, shares
from fabric.flow.tiered_routes import ADAPTIVE, Routing
from fabric.flow.traffic import shift
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE

__all__ = ["worst_permutation"]


def worst_permutation(blueprint: Blueprint, routing: Routing = ADAPTIVE) -> Shares | None:
    """Return what the flows of the worst of several shifts get; None on one server.

    All NICs send so many places on, around: past a leaf, past each larger place or line of switches there is, and half
    of all. On a dragonfly the shift by a group is the adversary of its minimal routing (J. Kim et al. 2008), on a torus
    that by half of a line (tornado). Raises TooLarge as `route` does.
    """
    nics = blueprint.servers * blueprint.server.nics
    steps = {step for step in (*_places(blueprint), nics // 2) if 0 < step < nics}
    found = [shares(blueprint, [shift(np.arange(nics), step)], routing) for step in sorted(steps)]
    return min(found, key=lambda each: (each.mean, each.min), default=None) if blueprint.servers > 1 else None


def _places(blueprint: Blueprint) -> list[int]:
    """Return the NICs of a full place of each kind, from a leaf's up, and half of the places of the next."""
    form, sizes = blueprint.topology, blueprint.sizes
    if isinstance(form, GraphForm):
        axes = [axis for axis in reversed(form.groups[1].axes) if axis not in (PLANE, "nic")]
        lines = [sizes["slot"], *(sizes[axis] for axis in axes)]
    else:
        lines = [sizes[axis] for axis in reversed(form.server.axes)]
    full = [blueprint.server.nics * math.prod(lines[: place + 1]) for place in range(len(lines))]
    return [*full, *(here * (size // 2) for here, size in zip(full, lines[1:], strict=False))]
