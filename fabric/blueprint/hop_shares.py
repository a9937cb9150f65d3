"""How many pairs of servers meet at each tier, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["hop_shares"]


def hop_shares(servers: int, peers: Sequence[int], unmet: Sequence[int]) -> list[Fraction]:
    """Return the share of the pairs whose paths turn at each tier; all 0 when there is only one server.

    For every tier below the top, `peers` are the servers of one full place, and `unmet` the number of rails, or sets of
    rails, that have not met: two NICs meet there when their servers share the place and their rails are of one set.
    """
    if servers == 1:
        return [Fraction(0)] * (len(peers) + 1)
    pairs = servers * (servers - 1)
    within = [Fraction(_pairs_within(servers, size), pairs * sets) for size, sets in zip(peers, unmet, strict=True)]
    return [share - below for share, below in zip([*within, Fraction(1)], [Fraction(0), *within], strict=True)]


def _pairs_within(servers: int, size: int) -> int:
    """Return the ordered pairs of different servers that stand in the same place of `size` servers."""
    full, rest = divmod(servers, size)
    return full * size * (size - 1) + rest * (rest - 1)
