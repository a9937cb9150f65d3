"""What a Clos takes at least, by the links that its tiers must carry together: a bound without a search.

No switch has more links down than its ports and its oversubscription allow, so the products of these over the tiers
bound the servers below one switch, and with them the room of the fabric and its longest path. A tier has as many links
up as carry what comes from below, and as many switches as have ports for both. Wholeness is left out, so that a bound
takes microseconds; most candidates of more tiers or planes than the best are far above it.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from operator import mul

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.floor import TRUST, Floor
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.weights import weights_of
from fabric.topology.clos import ClosForm

__all__ = ["ClosFloor"]


class ClosFloor(Floor):
    """What the fabrics of a candidate with equal servers and like ports take at least."""

    def __init__(self, candidate: Candidate, form: ClosForm) -> None:
        self._candidate, self._form = candidate, form

    @property
    def has_room(self) -> bool:
        # What growth adds must fit below one switch of the top tier too; below one of a rail is one link of a server.
        apart = any(axis in self._form.switch_groups[-1].axes for axis in self._form.rail_axes)
        links = 1 if apart else self._candidate.spec.server.nics
        return self._candidate.spec.grown_servers * links <= self._below[-1]

    @cached_property
    def hops(self) -> int:
        # A path climbs above a tier below a switch of which there are too few servers.
        return 1 + 2 * sum(self._candidate.spec.servers > below for below in self._below[:-1])

    @cached_property
    def _below(self) -> list[int]:
        """The most servers below one switch of each tier."""
        candidate, (*lower, top) = self._candidate, self._form.roles
        down = []
        for role in lower:
            ratio = candidate.spec.ratio(role)
            down.append(ratio.numerator * max(candidate.radix(role)) // (ratio.numerator + ratio.denominator))
        return list(accumulate([*down, max(candidate.radix(top))], mul))

    def least_total(self, objective: LinearObjective) -> float | None:
        candidate, weights = self._candidate, weights_of(objective, self._candidate)
        if weights is None:
            return None
        below = float(candidate.spec.servers * candidate.spec.server.nics * candidate.planes)
        total = float(weights.fixed + weights.hops * self.hops)
        for role, bundle in zip(self._form.roles, self._form.bundles, strict=True):
            above = 0.0 if role == self._form.roles[-1] else below / float(candidate.spec.ratio(role))
            pairs = zip(weights.switches[role], candidate.radix(role), strict=True)
            total += below * weights.links[bundle.name] + (below + above) * min(each / radix for each, radix in pairs)
            below = above
        return total * TRUST
