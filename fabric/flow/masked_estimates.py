"""What a collective keeps of its bandwidth under masks of links: each mask, and each set of GPUs, estimated once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.engine_choice import choose_engine
from fabric.flow.engines import FLOWS, Engine
from fabric.flow.estimate import Estimate
from fabric.flow.explicit_flows import ExplicitFlows, NoPath
from fabric.flow.workload import Workload, answer_by_flows, lay_flows, refuse_long_runs

__all__ = ["KeptShare", "MaskedEstimates"]

SAME = 1e-9
"""Shares that differ by less than this are equal."""

MOST_SETS = 4
"""The sets of GPUs whose healthy flows are kept: the first, which is mostly that of all GPUs, and the last ones."""

Mask = npt.NDArray[np.bool_]


class KeptShare(NamedTuple):
    """What is left of a collective when some links are down."""

    share: float
    """The share of its bandwidth that is kept; 0 where some flow has no path."""
    gpus_lost: int
    """The GPUs in servers that are cut off, without which the collective runs."""

    @property
    def stopped(self) -> bool:
        """Whether some flow has no path, so that the collective never ends."""
        return not self.share


@dataclass(frozen=True, eq=False)
class MaskedEstimates:
    """Estimates of one workload, whose placement and hashes stay, under masks of links.

    The share kept is that of `estimate_impact`: the time of the same GPUs with all links up over their time after the
    failures, by the same engine.
    """

    blueprint: Blueprint
    """The fabric."""
    workload: Workload
    """The collective, its placement and routing."""
    size_bytes: int
    """The size of the collective."""
    engine: Engine
    """The engine."""
    _found: dict[bytes, KeptShare] = field(default_factory=dict)
    _solved_healthy: dict[bytes, dict[Any, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, blueprint: Blueprint, workload: Workload, size_bytes: int) -> MaskedEstimates:
        """Return the estimates of a workload, with the engine that estimates it after a failure."""
        blueprint = replace(blueprint, library=workload.library.over(blueprint.library))
        # Any failure excludes the closed form, which counts on all links being up.
        engine = choose_engine(blueprint, replace(workload, failures=("link:1",)))
        return cls(blueprint, replace(workload, failures=()), size_bytes, engine)

    @cached_property
    def healthy(self) -> Estimate:
        """The estimate with all links up."""
        flows, _ = lay_flows(self.blueprint, self.workload, self.engine)
        return answer_by_flows(flows, self.workload, [self.size_bytes])[0].estimate

    def refuse_long_runs(self, masks: float, fewer: str = "draws or GPUs") -> None:
        """Raise TooLarge where estimating this many masks needs more memory or time than a run may take.

        `fewer` says of what there may be fewer.
        """
        if self.engine is FLOWS:
            direct = self.workload.routing.policy.sprays and not self.blueprint.topology.ratios_are_cuts
            remedy = f"take fewer {fewer}" + (", or ECMP routing, which is solved at once" if direct else "")
            refuse_long_runs(self.blueprint, self.workload, masks, remedy)

    def keep(self, up: Mask) -> KeptShare:
        """Return what is kept when the links of `up`, shape (links,), are up."""
        if up.all():
            return KeptShare(1.0, 0)
        key = _digest(np.packbits(up))
        if key not in self._found:
            self._found[key] = self._estimate(up)
        return self._found[key]

    def _estimate(self, up: Mask) -> KeptShare:
        try:
            flows, lost = lay_flows(self.blueprint, self.workload, self.engine, up)
        except NoPath:
            return KeptShare(0.0, self.workload.gpus or self.blueprint.gpus)
        flows = replace(flows, solved_healthy=self._keep_healthy(_digest(flows.gpus)))
        healthy = self._time(flows.healthy())
        try:
            share = healthy / self._time(flows)
        except NoPath:
            return KeptShare(0.0, lost)
        return KeptShare(1.0 if abs(share - 1) < SAME else share, lost)

    def _keep_healthy(self, gpus: bytes) -> dict[Any, Any]:
        """Return where the solutions of the same GPUs with all links up are kept, for the masks that leave them.

        Most masks leave all GPUs, and those without one kind of failure follow each other; each set may take megabytes.
        """
        kept = self._solved_healthy
        if gpus not in kept and len(kept) == MOST_SETS:
            kept.pop(next(islice(kept, 1, None)))
        return kept.setdefault(gpus, {})

    def _time(self, flows: ExplicitFlows) -> float:
        return answer_by_flows(flows, self.workload, [self.size_bytes])[0].estimate.time_s


def _digest(values: npt.NDArray[Any]) -> bytes:
    """Return 16 bytes that stand for an array, which itself may have a megabyte."""
    return blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()
