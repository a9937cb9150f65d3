"""How many cable ends must be unplugged at least where a fabric becomes a larger one, whichever device becomes which.

Per bundle: a device with n partners and w cables to each, that becomes one with m partners and v cables to each, keeps
at most min(n, m) min(w, v) of them.

Over two bundles that meet at a tier: a device that keeps its cables to a partners below and c above keeps a c ways
from below to above. A device above reaches D devices below in the larger fabric, each in P ways; it keeps at most D P
ways, and no more than it has. What all devices keep together is the greatest value of a linear program: each has a
from 0 to A and c from 0 to C, an average of the corners (0, 0), (A, 0), (0, C) and (A, C) with the same mean of a, c
and a c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.layout.joined_sets import BothSets, JoinedSets
from fabric.layout.paired_cables import PairedCables

if TYPE_CHECKING:
    from ortools.math_opt.python import mathopt

__all__ = ["bound_unplugged"]

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def bound_unplugged(pairs: Sequence[PairedCables], devices: int) -> int:
    """Return how many cables must have an end unplugged at least, of bundles that both fabrics have.

    `devices` are those of today's fabric.
    """
    total = sum(int(pair.cables.sum()) for pair in pairs)
    return total - (_most_kept(pairs, devices) if pairs else 0)


def _most_kept(pairs: Sequence[PairedCables], devices: int) -> int:
    """Return the cables that can stay in all bundles together."""
    from ortools.math_opt.python import mathopt

    caps = [(_keep_most(pair, devices, 0), _keep_most(pair, devices, 1)) for pair in pairs]
    separately = [min(int(low.sum()), int(high.sum())) for low, high in caps]
    sets = [BothSets.of(pair, devices) for pair in pairs]
    model = mathopt.Model()
    kept = [model.add_variable(lb=0, ub=most) for most in separately]
    for one, other in product(range(len(pairs)), repeat=2):
        if np.isin(pairs[other].old_low, pairs[one].old_high).any():
            ways = _most_ways(sets[one], sets[other])
            widest = sets[one].widest, sets[other].widest
            _add_tier(model, (kept[one], kept[other]), (caps[one][1], caps[other][0]), widest, ways)
    model.maximize(sum(kept))
    result = mathopt.solve(model, mathopt.SolverType.GLOP)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return sum(separately)
    # Beyond the solver's tolerance, which is 1e-6 by default, so that the bound stays true.
    return min(sum(separately), int(result.objective_value() * (1 + 2e-6) + 1e-3))


def _keep_most(pair: PairedCables, devices: int, end: int) -> Ints:
    """Return how many cables of a bundle each device keeps at most, those at one end of it, shape (devices,)."""
    old, new = ((pair.old_low, pair.new_low), (pair.old_high, pair.new_high))[end]
    cables = np.minimum(pair.cables, pair.needed.max())
    most = np.unique(new, return_counts=True)[1].max()
    order = np.lexsort((-cables, old))
    # A device's partners with the most cables first: no more of them than a new device has.
    rank = np.arange(len(order)) - np.searchsorted(old[order], old[order])
    kept = order[rank < most]
    return np.bincount(old[kept], cables[kept], devices).astype(np.int64)


def _most_ways(below: BothSets, above: BothSets) -> int:
    """Return how many ways from a device below a tier to one above it can stay, over all devices of the tier."""
    old, new = _Ways.of(below.old, above.old), _Ways.of(below.new, above.new)
    return min(old.keep_most(new, 0), old.keep_most(new, 1))


@dataclass(frozen=True)
class _Ways:
    """The ways by the devices of a tier, for pairs of a set below it and one above; columns of shape (pairs,)."""

    sets: tuple[Ints, Ints]
    """The set below and the set above."""
    members: tuple[Ints, Ints]
    """The lower devices of the set below, and the upper ones of the set above."""
    ways: Ints
    """The ways from one lower device to one upper one: the devices of the tier that are in both sets."""

    @classmethod
    def of(cls, below: JoinedSets, above: JoinedSets) -> _Ways:
        """Return the ways from the lower ends of one bundle to the upper ends of the next."""
        tier = np.intersect1d(below.high, above.low)
        codes, ways = np.unique(below.label[tier] * above.sets + above.label[tier], return_counts=True)
        low, high = np.divmod(codes, above.sets)
        return cls((low, high), (below.count_members(0)[low], above.count_members(1)[high]), ways)

    def keep_most(self, new: _Ways, end: int) -> int:
        """Return the most ways that stay, by those of each device above (`end` 1) or below (0).

        The device has most of its ways to the first of the others, no more of these than one has in the larger fabric.
        """
        if not len(new.ways):
            return 0
        mine, ways = self.sets[end], np.minimum(self.ways, new.ways.max())
        most = int(np.bincount(new.sets[end], new.members[1 - end]).max())
        order = np.lexsort((-ways, mine))
        others = self.members[1 - end][order]
        ahead = np.cumsum(others) - others
        ahead -= ahead[np.searchsorted(mine[order], mine[order])]
        taken = np.clip(most - ahead, 0, others)
        return int((self.members[end][order] * taken * ways[order]).sum())


def _add_tier(
    model: mathopt.Model,
    kept: tuple[mathopt.Variable, mathopt.Variable],
    caps: tuple[Ints, Ints],
    widest: tuple[int, int],
    ways: int,
) -> None:
    """Add what the devices of a tier keep of the bundles below and above it.

    `caps` are the most cables that each keeps of either, shape (devices,), `widest` the most cables of a pair, and
    `ways` the most ways that all keep together.
    """
    devices = np.flatnonzero((caps[0] > 0) | (caps[1] > 0))
    kinds, counts = np.unique(np.stack([cap[devices] for cap in caps], axis=1), axis=0, return_counts=True)
    one, other, both = ([model.add_variable(lb=0, ub=float(each)) for each in counts] for _ in range(3))
    for number, each in enumerate(counts):
        model.add_linear_constraint(one[number] + other[number] + both[number] <= float(each))
    for end, alone in enumerate((one, other)):
        most = kinds[:, end].tolist()
        model.add_linear_constraint(
            kept[end] <= sum(cap * (each + more) for cap, each, more in zip(most, alone, both, strict=True))
        )
    # A pair of devices that keeps k cables keeps at least k / widest of the ways through it.
    used = kinds[:, 0] * kinds[:, 1] / (widest[0] * widest[1])
    model.add_linear_constraint(sum(cost * each for cost, each in zip(used.tolist(), both, strict=True)) <= ways)
