"""The fewest moves of cables, against every assignment of observed cables to planned ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.verification.cable_moves import CableMoves, find_moves

Ints = npt.NDArray[np.int64]


def _pairs(ports: list[int], count: int) -> Ints:
    return np.array(ports[: 2 * count], np.int64).reshape(-1, 2)


@st.composite
def _cablings(draw: st.DrawFn) -> tuple[Ints, Ints, Ints, Ints]:
    planned_count, observed_count = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    planned = _pairs(draw(st.permutations(range(12))), planned_count)
    observed = _pairs(draw(st.permutations(range(12))), observed_count)
    planned_kind = draw(st.lists(st.integers(0, 1), min_size=planned_count, max_size=planned_count))
    observed_kind = draw(st.lists(st.integers(-1, 1), min_size=observed_count, max_size=observed_count))
    return planned, observed, np.array(planned_kind, np.int64), np.array(observed_kind, np.int64)


def _ends_moved(cable: Ints, place: Ints) -> int:
    straight = int(cable[0] != place[0]) + int(cable[1] != place[1])
    return min(straight, int(cable[0] != place[1]) + int(cable[1] != place[0]))


def _best(planned: Ints, observed: Ints, planned_kind: Ints, observed_kind: Ints) -> tuple[int, int]:
    """Return the fewest planned cables that stay empty, and the fewest ends moved for it, of all assignments."""
    best = (len(planned), 0)
    places = [*range(len(planned)), *[-1] * len(observed)]
    for chosen in set(permutations(places, len(observed))):
        moves, legal = 0, True
        for cable, place in enumerate(chosen):
            if place >= 0:
                ends = _ends_moved(observed[cable], planned[place])
                legal &= ends < 2 or planned_kind[place] == observed_kind[cable]
                moves += ends
        if legal:
            best = min(best, (len(planned) - sum(place >= 0 for place in chosen), moves))
    return best


def _apply(plan: CableMoves, planned: Ints, observed: Ints) -> None:
    """Check that the cables lie as planned after the moves, each end that stays where it was."""
    assert len(set(plan.target[plan.target >= 0].tolist())) == (plan.target >= 0).sum()
    for cable in np.flatnonzero(plan.target >= 0):
        place = planned[plan.target[cable]]
        after = place[::-1] if plan.flipped[cable] else place
        assert (after[~plan.moved[cable]] == observed[cable][~plan.moved[cable]]).all()
        assert plan.moved[cable].sum() == _ends_moved(observed[cable], place)
    assert set(plan.missing) == set(range(len(planned))) - set(plan.target.tolist())


@given(_cablings())
def test_no_assignment_needs_fewer_moves(cabling: tuple[Ints, Ints, Ints, Ints]) -> None:
    """Whatever the kinds of cables are, of all ways that leave fewest planned ones missing."""
    plan = find_moves(*cabling)
    _apply(plan, *cabling[:2])
    assert (len(plan.missing), plan.moves) == _best(*cabling)


def test_a_swapped_pair_is_two_moves_and_a_turn_of_three_is_three() -> None:
    """In a turn each cable has one end where another belongs."""
    planned, none = np.array([[0, 10], [1, 11], [2, 12]]), np.zeros(3, np.int64)
    assert find_moves(planned, np.array([[0, 11], [1, 10], [2, 12]]), none, none).moves == 2
    assert find_moves(planned, np.array([[0, 11], [1, 12], [2, 10]]), none, none).moves == 3


def test_a_cable_at_two_free_ports_moves_both_ends_only_to_a_place_of_its_kind() -> None:
    """Another kind of cable is taken out, and the planned one is missing."""
    planned, observed = np.array([[0, 10]]), np.array([[7, 17]])
    assert find_moves(planned, observed, np.array([1]), np.array([1])).moves == 2
    other = find_moves(planned, observed, np.array([1]), np.array([2]))
    assert (other.moves, other.missing.tolist(), other.taken_out.tolist()) == (0, [0], [0])


def test_a_port_with_two_cables_is_refused() -> None:
    """No port holds two connectors."""
    one = np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="port 4 has two observed cables"):
        find_moves(np.array([[0, 1], [2, 3]]), np.array([[0, 4], [4, 1]]), one, one)
