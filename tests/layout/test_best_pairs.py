"""The best assignment of devices to places, against every assignment."""

from __future__ import annotations

import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.layout.best_pairs import pair_best


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_no_assignment_gains_more_or_stays_nearer(rows: int, columns: int, most: int, seed: int) -> None:
    """All of the fewer are paired; of assignments that gain as much none is nearer to the diagonal."""
    gains = np.random.default_rng(seed).integers(0, most, (rows, columns))
    one, other = pair_best(gains)
    assert np.array_equal(np.unique(one), one)
    assert len(np.unique(other)) == len(other) == len(one) == min(rows, columns)

    def rank(left: np.ndarray, right: np.ndarray) -> tuple[int, int]:
        return int(gains[left, right].sum()), -int(np.abs(left - right).sum())

    order, few = np.arange(max(rows, columns)), min(rows, columns)
    ways = (np.array(way) for way in permutations(order, few))
    assert rank(one, other) == max(rank(way, order[:few]) if rows > columns else rank(order[:few], way) for way in ways)


@pytest.mark.parametrize("shape", [(2, 20_000), (20_000, 2)])
def test_few_devices_of_many_places_take_little_memory(shape: tuple[int, int]) -> None:
    """A square of 20,000 places would take 3 GB."""
    gains = np.zeros(shape, np.int64)
    gains[tuple(each - 1 for each in shape)] = 7
    tracemalloc.start()
    one, other = pair_best(gains)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (one.tolist(), other.tolist()) == (([0, 1], [0, 19_999]) if shape[0] == 2 else ([0, 19_999], [0, 1]))
    assert peak < 20e6
