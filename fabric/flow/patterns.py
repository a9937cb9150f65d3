"""Traffic patterns: to which other GPU each GPU sends, as networks are tested with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.registry import Registry

__all__ = ["PATTERNS", "Pattern"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pattern:
    """A traffic pattern of n ranks, each of which sends to one other."""

    name: str
    """The word by which it is asked for."""
    description: str
    """Who sends to whom, in a few words."""
    targets: Callable[[int, int], Rows]
    """Returns the rank to which each rank sends, shape (ranks,), from the number of ranks and a seed."""


def _permute(ranks: int, seed: int) -> Rows:
    """Return the next rank of each on a random cycle through all of them, so that none sends to itself."""
    order = np.random.default_rng(seed).permutation(ranks)
    targets = np.empty(ranks, np.int64)
    targets[order] = np.roll(order, -1)
    return targets


PATTERNS = Registry(
    "pattern",
    "patterns",
    Pattern,
    lambda: (Pattern("permutation", "every rank sends to one other and receives from one, drawn at random", _permute),),
)
"""The patterns by name; another package adds one under the entry-point group `fabric.patterns`."""
