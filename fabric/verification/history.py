"""What became of each link over several discoveries: which went down and came back, and which train slower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.verification.rates import ROUNDING
from fabric.verification.verify import Verification
from fabric.verification.wording import Wording

__all__ = ["DOWN", "UNKNOWN_RATE", "LinkHistory", "list_changes"]

DOWN, UNKNOWN_RATE = 0.0, -1.0
"""The rate of a link that is not there or in a wrong place, and of one that is there at a rate that no file gives."""


@dataclass(frozen=True)
class LinkHistory:
    """A planned link that was not the same at all times."""

    link: int
    """Its row in the network."""
    text: str
    """Both ends, as the plan names them."""
    rates_gbps: tuple[float | None, ...]
    """Its rate at each time in Gb/s, oldest first: `DOWN`, `UNKNOWN_RATE`, or None where no file names an end."""
    flaps: int
    """How often it went down or came back."""
    slower_gbps: float
    """How much slower it is at the last time than at its best, 0 where it is down or no rate is given."""


def list_changes(found: Sequence[Verification]) -> tuple[LinkHistory, ...]:
    """Return the links that flap or run slower than before, those that flap most first, then the slowest.

    `found` are verifications of one plan in the order of time. Raises InputError for those of several plans.
    """
    if len({each.name for each in found}) > 1:
        raise InputError("verifications of several plans; give those of one, in the order of time")
    rates = np.stack([_rates(each) for each in found])
    known = ~np.isnan(rates)
    up = np.where(known, rates != DOWN, np.nan)
    flaps = _count_flaps(up)
    last = np.where(known[-1], rates[-1], UNKNOWN_RATE)
    slower = np.where(last > 0, np.nanmax(np.where(known, rates, -np.inf), axis=0) - last, 0.0)
    slower = np.where(slower > (1 - ROUNDING) * np.maximum(last, 0), slower, 0.0)
    rows = np.flatnonzero((flaps > 0) | (slower > 0))
    rows = rows[np.lexsort((-slower[rows], -flaps[rows]))]
    words = Wording(found[-1].cabling)
    return tuple(
        LinkHistory(
            row, words.link(row), tuple(None if np.isnan(rate) else float(rate) for rate in rates[:, row]),
            int(flaps[row]), float(slower[row]),
        )
        for row in rows.tolist()
    )  # fmt: skip


def _rates(found: Verification) -> npt.NDArray[np.float64]:
    """Return the rate of each planned link, NaN where no file names an end, shape (links,)."""
    cabling = found.cabling
    rates = np.where(cabling.is_judged, DOWN, np.nan)
    rows = np.flatnonzero(cabling.as_planned)
    seen = found.discovery.rate_gbps[cabling.seen.cable[rows]]
    rates[cabling.moves.target[rows]] = np.where(np.isnan(seen), UNKNOWN_RATE, seen)
    return np.asarray(rates)


def _count_flaps(up: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return how often each column changes between 0 and 1, times without a value left out."""
    last = up[0].copy()
    flaps = np.zeros(up.shape[1], np.int64)
    for state in up[1:]:
        flaps += ~np.isnan(state) & ~np.isnan(last) & (state != last)
        last = np.where(np.isnan(state), last, state)
    return flaps
