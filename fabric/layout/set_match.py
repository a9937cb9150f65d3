"""Which device becomes which, set by set: the devices that a bundle joins go where most of their cables stay.

Bundles take turns in a given order. Each set of a bundle goes to the set of the larger fabric where it keeps most
cables; those to devices that have a place already count. What has no room there goes to the next, while cables stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabric.layout.best_pairs import MOST_CELLS, pair_best
from fabric.layout.joined_sets import BothSets, JoinedSets

__all__ = ["match_sets"]

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def match_sets(bundles: Sequence[BothSets], order: Sequence[int], devices: int, new_devices: int) -> Ints:
    """Return the row of the larger fabric that each of today's devices becomes, or -1, shape (devices,).

    `order` is that in which the bundles take turns.
    """
    match = _SetMatch(bundles, devices, new_devices)
    for turn in order:
        for number in range(bundles[turn].old.sets):
            while match.place_some(turn, number):
                pass
    return match.place


class _SetMatch:
    """A match of devices that grows set by set."""

    def __init__(self, bundles: Sequence[BothSets], devices: int, new_devices: int) -> None:
        self.place = np.full(devices, -1, np.int64)
        """The row of the larger fabric that each of today's devices becomes, -1 while it has none."""
        self._free = np.ones(new_devices, np.bool_)
        self._bundles = bundles
        self._old = [[_list_members(each.old, end) for end in (0, 1)] for each in bundles]
        self._new = [[_list_members(each.new, end) for end in (0, 1)] for each in bundles]
        self._room = [[each.new.count_members(end) for end in (0, 1)] for each in bundles]
        self._others = [[_list_others(bundles, turn, end) for end in (0, 1)] for turn in range(len(bundles))]

    def place_some(self, turn: int, number: int) -> bool:
        """Give devices of one of a bundle's sets places in one set of the larger fabric; return whether any was given.

        They are as many as have room in the set that adds most to the cables that stay.
        """
        members = [self._old[turn][end][number] for end in (0, 1)]
        waiting = [each[self.place[each] < 0] for each in members]
        if not any(map(len, waiting)):
            return False
        bundle, room = self._bundles[turn], self._room[turn]
        there = [self._count_placed(bundle.new, each) for each in members]
        taken = [np.minimum(len(each), free) for each, free in zip(waiting, room, strict=True)]
        gain = bundle.widest * ((there[0] + taken[0]) * (there[1] + taken[1]) - there[0] * there[1]).astype(np.float64)
        for end in (0, 1):
            if len(waiting[end]):
                gain += taken[end] * self._average_elsewhere(turn, end, waiting[end])
        best = int(gain.argmax())
        if gain[best] <= 0:
            return False
        for end in (0, 1):
            self._settle(turn, end, waiting[end], self._new[turn][end][best])
        return True

    def _count_placed(self, sets: JoinedSets, devices: Ints) -> Ints:
        """Return how many of the devices have a place in each set of the larger fabric, shape (sets,)."""
        places = self.place[devices]
        return np.bincount(sets.label[places[places >= 0]], minlength=sets.sets)

    def _average_elsewhere(self, turn: int, end: int, devices: Ints) -> Numbers:
        """Return the cables of other bundles that one of the devices keeps in each set on average, shape (sets,)."""
        sets = self._bundles[turn].new
        total = np.zeros(sets.sets)
        for other, its_end in self._others[turn][end]:
            kept, which = self._keep_by_set(other, its_end, devices)
            average = np.bincount(which) @ kept / len(devices)
            if average.any():
                slots = sets.ends(end)
                slots = slots[self._free[slots]]
                total += np.bincount(sets.label[slots], average[self._bundles[other].new.label[slots]], sets.sets)
        return total / np.maximum(self._room[turn][end], 1)

    def _keep_by_set(self, other: int, end: int, devices: Ints) -> tuple[Ints, Ints]:
        """Return the cables of a bundle that devices keep in each of its sets in the larger fabric, and whose they are.

        The first are by the devices' sets today, of shape (sets today, sets), the second is the row of each device.
        """
        bundle = self._bundles[other]
        numbers, which = np.unique(bundle.old.label[devices], return_inverse=True)
        partners = [self._old[other][1 - end][number] for number in numbers]
        return np.array([self._count_placed(bundle.new, each) for each in partners]) * bundle.widest, which

    def _settle(self, turn: int, end: int, waiting: Ints, slots: Ints) -> None:
        """Give devices the free ones of these places, the best that there are by the cables of other bundles."""
        slots = slots[self._free[slots]]
        if not len(waiting) or not len(slots):
            return
        one = other = np.arange(min(len(waiting), len(slots)))
        if len(waiting) * len(slots) <= MOST_CELLS:
            total = np.zeros((len(waiting), len(slots)), np.int64)
            for bundle, its_end in self._others[turn][end]:
                kept, which = self._keep_by_set(bundle, its_end, waiting)
                total += kept[:, self._bundles[bundle].new.label[slots]][which]
            if total.min() < total.max():
                one, other = pair_best(total)
        self.place[waiting[one]] = slots[other]
        self._free[slots[other]] = False
        for each, its_end in [(turn, end), *self._others[turn][end]]:
            label = self._bundles[each].new.label[slots[other]]
            self._room[each][its_end] -= np.bincount(label, minlength=self._bundles[each].new.sets)


def _list_members(sets: JoinedSets, end: int) -> list[Ints]:
    """Return the devices at one end of each set."""
    devices = sets.ends(end)
    order = np.argsort(sets.label[devices], kind="stable")
    return np.split(devices[order], np.cumsum(sets.count_members(end))[:-1])


def _list_others(bundles: Sequence[BothSets], turn: int, end: int) -> list[tuple[int, int]]:
    """Return the other bundles with ends at the devices of an end of one, each with its end there."""
    devices = bundles[turn].old.ends(end)
    return [
        (other, its_end)
        for other, each in enumerate(bundles)
        for its_end in (0, 1)
        if other != turn and np.isin(each.old.ends(its_end), devices).any()
    ]
