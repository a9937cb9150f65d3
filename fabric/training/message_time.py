"""The time of a message of a training step, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fabric.flow.algorithm_times import Pair
from fabric.flow.time_models import Parts
from fabric.presented import Presented
from fabric.training.wire import Wire

__all__ = ["MessageTime"]


@dataclass(frozen=True)
class MessageTime(Presented):
    """The time of one call of a message, which every group of its kind makes at once, and what it is made of."""

    total_s: float = 0.0
    """The seconds of the call: the sum of the parts below."""
    latency_s: float = 0.0
    """The part that its steps take whatever their size, and until pipelines are full."""
    bandwidth_s: float = 0.0
    """The part that its bytes take on NVLink and at the line rate of NICs."""
    oversubscription_s: float = 0.0
    """What is added by cuts that are narrower than the NICs below them."""
    collisions_s: float = 0.0
    """What is added by flows that a hash puts on one link."""
    failures_s: float = 0.0
    """What is added by links that are down."""
    contention_s: float = 0.0
    """What is added by the messages and the jobs beside it."""
    limited_by: str = ""
    """What takes the most time, as in `fabric.flow.Estimate`; empty for a group of one rank."""
    share: float = 1.0
    """The share of line rate that is left to its slowest NIC."""
    algorithm: str = ""
    """The algorithm that the library chooses."""
    protocol: str = ""
    """The protocol that it chooses."""

    @classmethod
    def of(cls, parts: Sequence[Parts], wire: Wire | None, pair: Pair) -> MessageTime:
        """Return the time of a message from its parts in each of STATES of its wire, by an algorithm and protocol."""
        totals = [each.total for each in parts]
        latency = parts[0].latency + parts[0].filling
        oversubscription, collisions, failures, contention = (late - early for early, late in pairwise(totals))
        return cls(
            total_s=totals[-1],
            latency_s=latency,
            bandwidth_s=totals[0] - latency,
            oversubscription_s=oversubscription,
            collisions_s=collisions,
            failures_s=failures,
            contention_s=contention,
            limited_by=parts[-1].limit,
            share=wire.line_s / wire.shared_s if wire else 1.0,
            algorithm=pair[0],
            protocol=pair[1],
        )
