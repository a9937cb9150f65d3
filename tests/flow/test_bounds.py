"""Upper bounds on throughput: flows stay below the linear program, and that below the cut."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.errors import TooLarge
from fabric.flow import (
    Routing,
    cut_bound,
    fail,
    lp_bound,
    permutation,
    router_of,
    shares,
    shift,
)
from tests.flow.flow_fabrics import crossing, fat_tree, links_of, small_fabrics
from tests.marks import slow

EVERY = [Routing("adaptive"), Routing("ecmp"), Routing("ecmp", 4), Routing("dmodk"), Routing("ecmp", 2, pxn=True)]


@pytest.mark.parametrize("trials", [1, *slow(2)])
def test_no_routing_beats_the_program_nor_the_program_the_cut(trials: int) -> None:
    """On any small fabric, full or partly full, flows get at most the LP's share, which is at most the cut's.

    Adaptive routing gets the cut's share itself, so that the program needs no solving.
    """
    for plan, seed in small_fabrics(trials):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        assert router_of(plan).reaches_cut
        bounds = {pxn: [bound(plan, phase, pxn=pxn) for bound in (lp_bound, cut_bound)] for pxn in (False, True)}
        for routing in EVERY:
            program, cut = bounds[routing.pxn]
            got = shares(plan, [phase], routing).min
            assert got <= program + 1e-6
            assert program == pytest.approx(cut, abs=1e-6)
            assert routing.name != "adaptive" or got == pytest.approx(cut)


@pytest.mark.parametrize("trials", [1, *slow(2)])
def test_bounds_hold_after_failures_too(trials: int) -> None:
    """With links down, no hashed flow beats the LP, and the LP does not beat the cut of the links that are up."""
    for plan, seed in small_fabrics(trials):
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        up = fail(plan, ["link:15%"], seed)
        program = lp_bound(plan, phase, up)
        assert program <= cut_bound(plan, phase, up) + 1e-6
        for routing in EVERY[1:4]:
            assert shares(plan, [phase], routing, up).min <= program + 1e-6


def test_a_program_too_large_is_refused() -> None:
    """A linear program of too many variables is refused with their number."""
    with pytest.raises(TooLarge, match="variables"):
        lp_bound(fat_tree(3, 16, 32), permutation(np.arange(8192), 1))


@pytest.mark.parametrize(("half", "ratio"), [(8, 2), (6, 1), (9, 3)])
def test_leaves_that_swap_all_their_traffic_get_what_their_uplinks_carry(half: int, ratio: int) -> None:
    """The program keeps apart what each leaf sends: traffic of two leaves to each other does not stay at home."""
    plan = fat_tree(2, half, 2, ratio)
    phase = shift(np.arange(2 * half), half)
    assert lp_bound(plan, phase) == pytest.approx(1 / ratio)
    assert cut_bound(plan, phase) == pytest.approx(1 / ratio)
