"""The cables of a plan and those discovered in the same terms: two ports each, and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.verification.any_port import place_cables
from fabric.verification.cable_moves import CableMoves, find_moves
from fabric.verification.match import Match, match_names_alone, match_nodes
from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.port_labels import PortLabels, read_labels
from fabric.verification.seen_ports import NO_LABEL, SeenPorts

__all__ = ["Cabling", "compare_cabling"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cabling:
    """Both sets of cables with what matches; `seen` cables are rows of `SeenPorts`, links those of the network."""

    planned: PlannedPorts
    """The plan's ports."""
    seen: SeenPorts
    """The discovered ports."""
    labels: PortLabels
    """What the names of ports mean."""
    match: Match
    """Which nodes are which."""
    at: Ints
    """The planned node at both ends of each seen cable, -1 where none is known, shape (cables, 2)."""
    slot: Ints
    """The slot there, shape (cables, 2)."""
    end: Ints
    """The planned end at each port, as 2 x link + side, -1 where the plan has none, shape (cables, 2)."""
    twice: Mask
    """Whether an end's port has another cable too, of which that one is counted, shape (cables, 2)."""
    crossed: Mask
    """Whether each seen cable is a lane of a twin-port cable whose lanes are crossed, shape (cables,)."""
    moves: CableMoves
    """What is done with each seen cable."""
    any_port: bool = False
    """Whether only the devices at both ends count, and not their ports."""

    @cached_property
    def as_planned(self) -> Mask:
        """Whether each seen cable is as planned, crossed lanes included, shape (cables,)."""
        return (self.moves.target >= 0) & ~self.moves.moved.any(axis=1)

    @cached_property
    def is_judged(self) -> Mask:
        """Whether a file says what is at one of both ends of each planned link, shape (links,)."""
        reports = np.zeros(self.planned.nodes, np.bool_)
        matched = np.flatnonzero(self.match.place >= 0)
        reports[self.match.place[matched]] |= self.seen.reports[matched]
        found: Mask = np.any(reports[self.planned.node], axis=1)
        found[self.moves.target[self.moves.target >= 0]] = True
        return found

    @cached_property
    def is_found(self) -> Mask:
        """Whether each planned node was discovered, shape (nodes,)."""
        found = np.zeros(self.planned.nodes, np.bool_)
        found[self.match.place[self.match.place >= 0]] = True
        return found


def compare_cabling(planned: PlannedPorts, seen: SeenPorts, *, any_port: bool = False) -> Cabling:
    """Return how the discovered cables differ from the planned ones, with the fewest moves between them.

    With `any_port` a cable is as planned where it joins the right devices: ports are those that the site chose.
    """
    labels = read_labels(planned, seen)
    if any_port:
        match, labels = match_names_alone(planned, seen), labels.forget()
        at = match.place[seen.node]
        slot = place_cables(planned, at)
    else:
        match = match_nodes(planned, seen, labels)
        labels = labels.learn(match.place)
        at = match.place[seen.node]
        slot = _fill_open_ports(planned, at, labels.slots(at))
        slot = _spread_shared_ports(planned, at, slot)
    end = planned.find_ends(at, slot)
    ports = _number_ports(planned, seen, at, slot)
    ports, twice = _part_twins(ports, end)
    end = np.where(twice, -1, end)
    crossed = _find_crossed(planned, end)
    own = planned.bundle
    planned_ports = planned.node * _width(planned, seen) + planned.slot
    ports = _uncross(ports, planned_ports, end, crossed)
    moves = find_moves(planned_ports, ports, own, _kinds(planned, at, end, own))
    return Cabling(planned, seen, labels, match, at, slot, end, twice, crossed, moves, any_port)


def _width(planned: PlannedPorts, seen: SeenPorts) -> int:
    """Return the number of slots that all ports may have."""
    return planned.slots + len(seen.labels)


def _fill_open_ports(planned: PlannedPorts, at: Ints, slot: Ints) -> Ints:
    """Return the slots with those of ports that the files do not name, where the far end is planned there."""
    far = planned.find_ends(at[:, ::-1], slot[:, ::-1])
    other = far ^ 1
    fits = (slot < 0) & (at >= 0) & (far >= 0) & (planned.node[other // 2, other % 2] == at)
    return np.asarray(np.where(fits, planned.slot[other // 2, other % 2], slot))


def _spread_shared_ports(planned: PlannedPorts, at: Ints, slot: Ints) -> Ints:
    """Return the slots with those of cables at ports that have several, or no name, in the plan too.

    Such a cable is any of the planned ones between its two devices, as the other end says or one after another.
    """
    if not planned.is_shared.any():
        return slot
    end = planned.find_ends(at, slot)
    whole = (end[:, 0] >= 0) & (end[:, 0] ^ 1 == end[:, 1])
    taken = np.zeros(planned.links, np.bool_)
    taken[end[whole, 0] // 2] = True
    free: dict[tuple[int, int], list[int]] = {}
    for link in np.flatnonzero(planned.is_shared.any(axis=1) & ~taken)[::-1].tolist():
        one, two = planned.node[link].tolist()
        free.setdefault((min(one, two), max(one, two)), []).append(link)
    slot = slot.copy()
    for row in np.flatnonzero(~whole & (at >= 0).all(axis=1)).tolist():
        one, two = at[row].tolist()
        for link in free.get((min(one, two), max(one, two)), [])[::-1]:
            flip = planned.node[link, 0] != one
            own, shared = planned.slot[link], planned.is_shared[link]
            own, shared = (own[::-1], shared[::-1]) if flip else (own, shared)
            if ((own == slot[row]) | shared).all():
                slot[row] = own
                free[min(one, two), max(one, two)].remove(link)
                break
    return slot


def _number_ports(planned: PlannedPorts, seen: SeenPorts, at: Ints, slot: Ints) -> Ints:
    """Return a number for the port at both ends of each cable, alike for planned and seen ones, shape (cables, 2)."""
    width = _width(planned, seen)
    node = np.where(at >= 0, at, planned.nodes + seen.node)
    own = np.where(at >= 0, slot, np.where(seen.label == NO_LABEL, -1, planned.slots + seen.label))
    unnamed = -1 - np.arange(node.size).reshape(node.shape)
    return np.asarray(np.where(own >= 0, node * width + own, unnamed))


def _part_twins(ports: Ints, end: Ints) -> tuple[Ints, Mask]:
    """Return the ports with new numbers where another cable has the same one, and which those are.

    The cable that is as planned keeps the port, else the first.
    """
    whole = (end[:, 0] >= 0) & (end[:, 0] ^ 1 == end[:, 1])
    rank = np.repeat(~whole, 2) * len(whole) * 2 + np.arange(2 * len(whole))
    flat = ports.reshape(-1)
    order = np.lexsort((rank, flat))
    twin = np.zeros(len(flat), np.bool_)
    twin[order[1:]] = flat[order[1:]] == flat[order[:-1]]
    free = min(0, int(flat.min(initial=0))) - 1
    flat = np.where(twin, free - np.arange(len(flat)), flat)
    return flat.reshape(ports.shape), twin.reshape(ports.shape)


def _kinds(planned: PlannedPorts, at: Ints, end: Ints, bundle: Ints) -> Ints:
    """Return the bundle of each seen cable: that of a planned port, else that between its devices' roles, else -1."""
    by_port = np.where(end >= 0, bundle[end // 2], -1).max(axis=1, initial=-1)
    if not len(bundle):
        return np.full(len(at), -1)
    roles = len(planned.spellings)
    role = planned.role[planned.node]
    pairs, first = np.unique(role[:, 0] * roles + role[:, 1], return_index=True)
    seen_role = planned.role[at]
    kind = by_port
    for one, other in ((0, 1), (1, 0)):
        code = seen_role[:, one] * roles + seen_role[:, other]
        place = np.minimum(np.searchsorted(pairs, code), len(pairs) - 1)
        fits = (kind < 0) & (pairs[place] == code) & (at >= 0).all(axis=1)
        kind = np.where(fits, bundle[first[place]], kind)
    return np.asarray(kind)


def _find_crossed(planned: PlannedPorts, end: Ints) -> Mask:
    """Return which seen cables are lanes of a cable whose two lanes are crossed, shape (cables,).

    Two cables are where both join the same two cages, each to the port beside that which is planned.
    """
    crossed = np.zeros(len(end), np.bool_)
    wrong = np.flatnonzero((end >= 0).all(axis=1) & (end[:, 0] ^ 1 != end[:, 1]))
    first, second = end[wrong].T
    cage = planned.cage.reshape(-1)
    same = (cage[first] >= 0) & (cage[first] == cage[second ^ 1])
    same &= (cage[second] >= 0) & (cage[second] == cage[first ^ 1])
    # The planned far ends of both ends of a lane are the ends of the other.
    wide = 2 * planned.links
    low, high = np.minimum(first, second), np.maximum(first, second)
    other = np.minimum(first ^ 1, second ^ 1) * wide + np.maximum(first ^ 1, second ^ 1)
    crossed[wrong] = same & np.isin(other, low * wide + high)
    return crossed


def _uncross(ports: Ints, planned_ports: Ints, end: Ints, crossed: Mask) -> Ints:
    """Return the ports with those of crossed lanes as planned: each lane is that of its lower end."""
    rows = np.flatnonzero(crossed)
    lower = np.where(end[rows, 0] % 2 == 0, end[rows, 0], end[rows, 1])
    ports = ports.copy()
    ports[rows] = planned_ports[lower // 2]
    return ports
