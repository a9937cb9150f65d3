"""How a fabric becomes a larger one that was not planned for: which device becomes which, and which cable ends move.

Devices keep their role and model, and a cable its bundle and rate. A cable whose two devices are joined in the larger
fabric too stays. Any other has at least one end unplugged: it is moved where it keeps the other, and otherwise removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.frozen_columns import FrozenColumns
from fabric.layout.device_match import match_all
from fabric.layout.move_bound import bound_unplugged
from fabric.layout.paired_cables import BothFabrics, PairedCables, count_pairs
from fabric.network import Network

__all__ = ["MovePlan", "plan_moves"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MovePlan(FrozenColumns):
    """What happens to the cables of a fabric that becomes another one.

    Columns of shape (changes,) have a row for equal cables between two devices that do not stay.
    """

    old: Network
    """Today's devices and links."""
    new: Network
    """Those of the larger fabric."""
    place: Ints
    """The row of the larger fabric that each device becomes, -1 where it is not used again, shape (devices,)."""
    kept: int
    """The cables that stay."""
    bound: int
    """The fewest cable ends that must be unplugged, however devices are matched."""
    lower: Ints
    """The device at the lower end, a row of today's network."""
    upper: Ints
    """The device at the upper end, a row of today's network."""
    new_lower: Ints
    """The device at the lower end after the move, a row of the larger network; -1 where the cable is removed."""
    new_upper: Ints
    """The device at the upper end after the move; -1 where the cable is removed."""
    bundle: Ints
    """The bundle, by its index in today's network."""
    cables: Ints
    """How many cables."""

    @property
    def moved(self) -> int:
        """The cables of which one end is unplugged and put elsewhere."""
        return int(self.cables[self.new_lower >= 0].sum())

    @property
    def removed(self) -> int:
        """The cables that are unplugged at both ends and become free."""
        return int(self.cables[self.new_lower < 0].sum())

    @property
    def added(self) -> int:
        """The cables that are new."""
        return self.new.links - self.kept - self.moved

    @property
    def unplugged(self) -> int:
        """The cable ends that are unplugged: one of each that is moved, two of each that is removed."""
        return self.moved + 2 * self.removed

    def list_added(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the new cables: bundle, lower and upper device of the larger fabric, and how many, shape (pairs,)."""
        new, old = self.new, self.old
        index = np.array([new.bundles.index(name) if name in new.bundles else -1 for name in old.bundles], np.int64)
        pairs = [count_pairs(new, number) for number in range(len(new.bundles))]
        low, high, needed = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
        bundle = np.repeat(np.arange(len(pairs)), [len(each[0]) for each in pairs])
        codes = (bundle * new.devices + low) * new.devices + high
        # What is there: today's cables at their new places, less those that are unplugged, and those moved there.
        changes = [(self.place[self.lower], self.place[self.upper], -self.cables, self.bundle)]
        changes.append((self.new_lower, self.new_upper, self.cables, self.bundle))
        for number in range(len(old.bundles)):
            one, other, cables = count_pairs(old, number)
            changes.append((self.place[one], self.place[other], cables, np.full(len(one), number)))
        for one, other, cables, numbered in changes:
            wanted = (index[numbered] * new.devices + one) * new.devices + other
            at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
            there = (codes[at] == wanted) & (one >= 0) & (other >= 0) & (index[numbered] >= 0)
            needed = needed - np.bincount(at[there], cables[there], len(codes)).astype(np.int64)
        rest = np.flatnonzero(needed)
        return bundle[rest], low[rest], high[rest], needed[rest]


def plan_moves(before: Blueprint, after: Blueprint) -> MovePlan:
    """Return how the one fabric becomes the other, with few cable ends unplugged, and a bound on the fewest.

    Given the match of devices (`match_all`), the cables that are moved with one end are the most possible, a maximum
    flow. Raises TooLarge as `expand` does, and InputError where a tier of today's is gone, and
    for switches of one tier that are joined with each other.
    """
    for each in (before, after):
        if any(bundle.lower.role == bundle.upper.role for bundle in each.topology.bundles):
            raise InputError(
                f"{each.name}: moves are planned for tiers of switches, and {each.topology.family} joins "
                "switches of one tier; fabric diff compares two designs of it"
            )
    missing = {group.role for group in before.topology.groups} - {group.role for group in after.topology.groups}
    if missing:
        raise InputError(
            f"{before.name}: the larger fabric has no {sorted(missing)[0]}; ask for as many tiers or more (key tiers)"
        )
    both = BothFabrics.of(before, after)
    old = both.old
    fewest = bound_unplugged(both.pairs, old.devices)
    place = match_all(both, sum(int(pair.cables.sum()) for pair in both.pairs) - fewest)
    used = {pair.number for pair in both.pairs}
    lost = [number for number in range(len(old.bundles)) if number not in used]
    kept = [pair.keep(place) for pair in both.pairs]
    columns = [_move_rest(pair, place, stay) for pair, stay in zip(both.pairs, kept, strict=True)]
    columns += [_remove_all(old, number) for number in lost]
    bound = fewest + 2 * int(np.isin(old.bundle, lost).sum())
    return MovePlan(
        old, both.new, place, sum(int(stay.sum()) for stay in kept), bound, *np.concatenate(columns, axis=1)
    )


def _move_rest(pair: PairedCables, place: Ints, stay: Ints) -> Ints:
    """Return the rows of the cables that do not stay: the most are moved with one end."""
    rest = np.flatnonzero(pair.cables > stay)
    spare = pair.cables[rest] - stay[rest]
    low, high = pair.old_low[rest], pair.old_high[rest]
    kept = np.flatnonzero(stay)
    at, _ = pair.find(place[pair.old_low[kept]], place[pair.old_high[kept]])
    missing = pair.needed - np.bincount(at, stay[kept], len(pair.needed)).astype(np.int64)
    rows, targets, moved = _flow_most(pair, (place[low], place[high]), spare, missing)
    gone = spare - np.bincount(rows, moved, len(rest)).astype(np.int64)
    left = np.flatnonzero(gone)
    none = np.full(len(left), -1)
    rows, counts = np.concatenate([rows, left]), np.concatenate([moved, gone[left]])
    new_low, new_high = (np.concatenate([ends[targets], none]) for ends in (pair.new_low, pair.new_high))
    return np.stack([low[rows], high[rows], new_low, new_high, np.full(len(rows), pair.number), counts])


def _flow_most(pair: PairedCables, ends: tuple[Ints, Ints], spare: Ints, missing: Ints) -> tuple[Ints, Ints, Ints]:
    """Return cables, the pair of the larger fabric that they go to, and how many, with one end where it is.

    The flow is from cables that do not stay over an end that stays to cables that are missing there.
    """
    from ortools.graph.python.max_flow import SimpleMaxFlow

    empty = np.zeros(0, np.int64)
    open_pairs = np.flatnonzero(missing)
    if not len(spare) or not len(open_pairs):
        return empty, empty, empty
    devices, inverse = np.unique(
        np.concatenate([pair.new_low[open_pairs], pair.new_high[open_pairs]]), return_inverse=True
    )
    first_end, first_open = len(spare), len(spare) + len(devices)
    source, target = first_open + len(open_pairs), first_open + len(open_pairs) + 1
    tails, heads, most = [np.full(len(spare), source)], [np.arange(len(spare))], [spare]
    for device in ends:
        at = np.minimum(np.searchsorted(devices, device), len(devices) - 1)
        there = np.flatnonzero(devices[at] == device)
        tails.append(there)
        heads.append(first_end + at[there])
        most.append(spare[there])
    tails += [first_end + inverse, first_open + np.arange(len(open_pairs))]
    heads += [first_open + np.tile(np.arange(len(open_pairs)), 2), np.full(len(open_pairs), target)]
    most += [np.tile(missing[open_pairs], 2), missing[open_pairs]]
    solver = SimpleMaxFlow()
    solver.add_arcs_with_capacity(np.concatenate(tails), np.concatenate(heads), np.concatenate(most))
    if solver.solve(source, target) != solver.OPTIMAL:
        return empty, empty, empty
    flows = np.asarray(solver.flows(np.arange(sum(map(len, tails)))), np.int64)
    parts = np.split(flows, np.cumsum([len(each) for each in tails])[:-1])
    into = np.concatenate(heads[1:3]) - first_end, np.concatenate(tails[1:3])
    return _join_flows(into, np.concatenate(parts[1:3]), (inverse, np.tile(open_pairs, 2)), parts[3])


def _join_flows(into: tuple[Ints, Ints], amounts: Ints, out: tuple[Ints, Ints], taken: Ints) -> tuple[Ints, Ints, Ints]:
    """Return cables, where each goes, and how many: the flows into each end meet those out of it in order."""
    first, second = (np.lexsort((each[1], each[0])) for each in (into, out))
    one, other = first[amounts[first] > 0], second[taken[second] > 0]
    bounds = [np.cumsum(flow[order]) for flow, order in ((amounts, one), (taken, other))]
    cuts = np.unique(np.concatenate(bounds))
    at = [np.searchsorted(bound, cuts) for bound in bounds]
    return into[1][one[at[0]]], out[1][other[at[1]]], np.diff(cuts, prepend=0)


def _remove_all(network: Network, number: int) -> Ints:
    """Return the rows of a bundle whose cables the larger fabric cannot use."""
    low, high, cables = count_pairs(network, number)
    none = np.full(len(low), -1)
    return np.stack([low, high, none, none, np.full(len(low), number), cables])
