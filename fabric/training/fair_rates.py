"""How messages that are sent at the same time share links.

All rates of a message go together, since its slowest flow holds up the others, and grow alike until a link is full
(max-min fairness); the messages that use it keep their rate, and the others have what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fabric.training.link_loads import LinkLoads

__all__ = ["fair_rates"]

SAME = 1e-9
"""Rates that differ relatively by less than this are equal."""


def fair_rates(loads: Sequence[LinkLoads], capacity: Sequence[float]) -> list[float]:
    """Return the max-min fair rate of the busiest NIC of each message in bytes per second.

    `capacity` is that of an equal-cost group of each of the first layers, in bytes per second; others limit nothing.
    """
    rates, left = dict[int, float](), set(range(len(loads)))
    while left:
        level = min(
            _room(limit, [each.layers[layer] for each in loads], left, rates) for layer, limit in enumerate(capacity)
        )
        at = dict.fromkeys(left, level) | rates
        full = {each for each in left if _is_full(loads, each, at, capacity)}
        rates |= dict.fromkeys(full, level)
        left -= full
    return [rates[each] for each in range(len(loads))]


def _room(limit: float, loads: Sequence[npt.NDArray[np.float64]], left: set[int], rates: Mapping[int, float]) -> float:
    """Return the rate at which the messages `left` fill the first link of a layer, beside the others' `rates`."""
    waiting = sum((loads[each] for each in left), np.zeros(1))
    free = limit - sum((loads[each] * rate for each, rate in rates.items()), np.zeros(np.shape(waiting)))
    return float(np.divide(free, waiting, out=np.full(free.shape, np.inf), where=waiting > 0).min())


def _is_full(loads: Sequence[LinkLoads], own: int, rates: Mapping[int, float], capacity: Sequence[float]) -> bool:
    """Return whether a message uses a link that is full at these rates of all."""
    for layer, limit in enumerate(capacity):
        used = sum((loads[each].layers[layer] * rate for each, rate in rates.items()), np.zeros(1))
        if ((used >= limit * (1 - SAME)) & (loads[own].layers[layer] > 0)).any():
            return True
    return False
