"""A collective of a training step: what a group of ranks sends, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Message"]


@dataclass(frozen=True)
class Message:
    """A collective that every group of one kind of parallelism runs at the same time."""

    cause: str
    """The kind of parallelism that sends it: TP, CP, PP, EP or DP."""
    collective: str
    """Its name in COLLECTIVES, or `send` to the next rank of the group, from the first to the last (of a pipeline)."""
    group: tuple[str, ...]
    """What its ranks run over, such as ("cp", "dp"): axes of `fabric.training.ranks.AXES`."""
    size_bytes: float
    """Its size in bytes as nccl-tests defines it; of `send` what each rank sends."""
    what: str = ""
    """What is sent, in a few words."""
    groups: tuple[int, int] | None = None
    """Of an all-to-all, the most groups of neighbouring ranks to which a token goes, once for all of its experts in a
    server, and of how many; None: once for each expert, wherever it is."""
    copies: float = 1
    """Of an all-to-all, the experts that a token goes to, or the ranks that have them; its size counts each."""

    def servers(self, servers: int) -> float:
        """Return to how many of the servers that the group has ranks in a token goes at most; infinite for no limit."""
        if self.groups is None:
            return math.inf
        limit, groups = self.groups
        return min(servers, limit * max(1, math.ceil(servers / groups)))
