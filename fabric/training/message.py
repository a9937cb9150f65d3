"""A collective of a training step: what a group of ranks sends, and how often."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Message"]


@dataclass(frozen=True)
class Message:
    """A collective that every group of one kind of parallelism runs at the same time."""

    cause: str
    """The kind of parallelism that sends it: TP, CP, PP, EP or DP."""
    collective: str
    """Its name in COLLECTIVES, or `send` to the next rank of the group (of a pipeline or a ring)."""
    group: tuple[str, ...]
    """The degrees over which its ranks run, such as ("cp", "dp"), in the order of ranks."""
    size_bytes: float
    """Its size in bytes as nccl-tests defines it; of `send` what each rank sends."""
    what: str = ""
    """What is sent, in a few words."""
    node_limit: int | None = None
    """Of an all-to-all, the most servers to which a token goes, once for all of its experts there; None: no limit."""
