"""The collectives, and their bus bandwidth as nccl-tests defines it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric.errors import InputError, nearest

__all__ = ["COLLECTIVES", "Collective", "collective"]


@dataclass(frozen=True)
class Collective:
    """A collective over n ranks of which each ends with (or begins with) `size` bytes in all.

    busbw is algbw, size over time, times `factor(n)`: doc/PERFORMANCE.md of nccl-tests. `passes` is how many times the
    data goes once around a ring: 2 for an all-reduce, 1 for its halves, 0 where no ring carries it.
    """

    name: str
    passes: int
    factor: Callable[[int], float]


def _around(ranks: int) -> float:
    return (ranks - 1) / ranks


COLLECTIVES = {
    item.name: item
    for item in (
        Collective("all-reduce", 2, lambda ranks: 2 * _around(ranks)),
        Collective("reduce-scatter", 1, _around),
        Collective("all-gather", 1, _around),
        Collective("all-to-all", 0, _around),
        Collective("broadcast", 0, lambda ranks: 1.0),
        Collective("send-recv", 0, lambda ranks: 1.0),
    )
}
"""The collectives by name."""


def collective(name: str) -> Collective:
    """Return the collective called `name`; raises InputError for another word."""
    if name not in COLLECTIVES:
        raise InputError(f"no collective '{name}'{nearest(name, COLLECTIVES)}")
    return COLLECTIVES[name]
