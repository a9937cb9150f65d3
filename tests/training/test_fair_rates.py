"""The rates of messages that share links: max-min fair, as its definition says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.training.fair_rates import fair_rates
from fabric.training.link_loads import LinkLoads


def load_of(links: list[float]) -> LinkLoads:
    """Return a message with these loads on the links of one layer."""
    return LinkLoads((np.array(links).reshape(1, -1, 1),), (1,), 1, np.ones(1))


def test_who_shares_no_full_link_has_what_is_left() -> None:
    """Of three messages on a link each has a third; a fourth beside one of them on another has the rest of that."""
    loads = [load_of(each) for each in ([1, 0], [1, 1], [0, 1], [0, 1])]
    assert fair_rates(loads, [6.0]) == pytest.approx([4, 2, 2, 2])


@given(st.lists(st.lists(st.sampled_from([0, 0.5, 1]), min_size=4, max_size=4).filter(any), min_size=1, max_size=5))
def test_each_message_has_a_full_link_on_which_none_is_faster(links: list[list[float]]) -> None:
    """That is what makes rates max-min fair: no message can have more without another of no higher rate having less."""
    rates, loads = np.array(fair_rates([load_of(each) for each in links], [1.0])), np.array(links)
    used = rates @ loads
    assert (used <= 1 + 1e-9).all()
    for rate, own in zip(rates, loads, strict=True):
        full = (used > 1 - 1e-6) & (own > 0)
        assert any(rate >= rates[loads[:, link] > 0].max() - 1e-9 for link in np.flatnonzero(full))
