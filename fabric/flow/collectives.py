"""The collectives, and their bus bandwidth as nccl-tests defines it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.registry import Registry

__all__ = ["COLLECTIVES", "Collective"]


Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Collective:
    """A collective over n ranks, each of which begins or ends with `size` bytes in all."""

    name: str
    """The word by which it is asked for."""
    description: str
    """What it does, in a few words."""
    bus_factor: Callable[[int], float]
    """Returns bus bandwidth over algorithm bandwidth (size over time) for n ranks: doc/PERFORMANCE.md of nccl-tests."""
    algorithms: tuple[str, ...] = ()
    """The names of algorithms that implement it, the usual first; algorithms may name it, too (`Algorithm`)."""
    crossing: Callable[[Counts, int], Shares] | None = None
    """Returns the bytes over the size that must cross the border of a set of ranks one way, whatever the algorithm.

    From the numbers of ranks in sets, and that of all ranks. None: no bound is known.
    """
    passes: int = 0
    """How often all data goes around a ring: 2 for an all-reduce, 1 for its halves, 0 where it isn't cut in parts."""
    all_pairs: bool = False
    """Whether every rank has a part of its own data for every other."""


def _cross_whole(inside: Counts, _: int) -> Shares:
    return np.ones(len(inside))


def _cross_parts(inside: Counts, ranks: int) -> Shares:
    """Parts of the data belong to ranks: those of a set go to all others, or those of all others to it."""
    return np.maximum(inside, ranks - inside) / ranks


def _cross_pairs(inside: Counts, ranks: int) -> Shares:
    return inside * (ranks - inside) / ranks


def _ring_factor(ranks: int) -> float:
    return (ranks - 1) / ranks


def _one(_: int) -> float:
    return 1.0


_HALVES = ("ring", "hierarchical-ring", "halving-doubling")
"""The algorithms of both halves of an all-reduce."""

COLLECTIVES = Registry(
    "collective",
    "collectives",
    Collective,
    lambda: (
        Collective(
            "all-reduce",
            "every rank ends with the sum of all",
            lambda ranks: 2 * _ring_factor(ranks),
            (
                "ring", "tree", "nvls", "nvls-tree", "sharp", "hierarchical-ring", "hierarchical-tree",
                "halving-doubling",
            ),
            _cross_whole,
            passes=2,
        ),
        Collective("reduce-scatter", "every rank ends with a part of the sum", _ring_factor, _HALVES, _cross_parts, 1),
        Collective("all-gather", "every rank ends with the parts of all", _ring_factor, _HALVES, _cross_parts, 1),
        Collective(
            "all-to-all", "every rank sends a part to every other", _ring_factor, ("pairwise", "direct"), _cross_pairs,
            all_pairs=True,
        ),
        Collective("broadcast", "every rank ends with the data of one", _one, ("ring",), _cross_whole),
        Collective("send-recv", "every rank sends to the next", _one, ("direct",), _cross_whole),
    ),
)  # fmt: skip
"""The collectives by name; another package adds one under the entry-point group `fabric.collectives`."""
