"""Which node of a plan each discovered one is: by its name, or by what its neighbours prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabric.verification.any_port import match_by_neighbours
from fabric.verification.names import match_names
from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.port_labels import PortLabels
from fabric.verification.seen_ports import SeenPorts

__all__ = ["BY_NAME", "BY_PLACE", "UNMATCHED", "Match", "match_names_alone", "match_nodes"]

Ints = npt.NDArray[np.int64]

UNMATCHED, BY_NAME, BY_PLACE = 0, 1, 2
"""How a node was identified."""

MISNAMED = 0.6
"""The share of its cables that must prove another node before a name counts as wrong."""

LEAST_PROOFS = 2
"""The fewest cables that prove a name wrong: one may just as well be in a wrong port."""

STARTS = 24
"""The most starting points that are tried where no name helps."""

PROVEN, SURE = 0.5, 0.99
"""The shares of cables as planned at which a start without names is taken for true, and at which no other is tried."""

MOST_FAILURES = 2
"""The switches that nothing identifies after which no further one is tried."""


@dataclass(frozen=True, eq=False)
class Match:
    """The node of the plan that each discovered one is; columns of shape (nodes,)."""

    place: Ints
    """The planned node, -1 where none is known."""
    how: Ints
    """How it was found: `UNMATCHED`, `BY_NAME` or `BY_PLACE`."""
    named: Ints
    """The planned node whose name it has, which is another than `place` where the name is wrong; -1 for none.

    Several nodes may have one name.
    """

    @property
    def misnamed(self) -> Ints:
        """The nodes that have the name of one planned node and stand in the place of another."""
        return np.flatnonzero((self.named >= 0) & (self.place >= 0) & (self.named != self.place))


class _Votes(NamedTuple):
    """For pairs of a discovered and a planned node, the cables whose far end proves the one to be the other."""

    seen: Ints
    planned: Ints
    cables: Ints


def match_nodes(planned: PlannedPorts, seen: SeenPorts, labels: PortLabels) -> Match:
    """Return the match of all nodes that can be identified.

    A name counts unless at least two cables, and most of a node's, prove it to be another node whose own name is not
    proven. A name that several nodes have identifies none. What has no name of the plan is what the far ends of its
    cables prove. Where neither identifies a switch, it
    is assumed to be each of several planned ones in turn, and the one from which most cables are as planned is taken:
    fabrics look alike from several, among which no cable tells.
    """
    named = match_names(planned, seen)
    place = _complete(planned, seen, labels, _drop_doubled(planned, named))
    place = _correct_names(planned, seen, labels, place)
    place = _complete(planned, seen, labels, place)
    place = _start_without_names(planned, seen, labels, place)
    how = np.where(place < 0, UNMATCHED, np.where(place == named, BY_NAME, BY_PLACE))
    return Match(place, how, named)


def match_names_alone(planned: PlannedPorts, seen: SeenPorts) -> Match:
    """Return the match by names, and of switches without one by the neighbours that they have, whatever the ports."""
    named = match_names(planned, seen)
    place = match_by_neighbours(planned, seen, _drop_doubled(planned, named))
    return Match(place, np.where(place < 0, UNMATCHED, np.where(place == named, BY_NAME, BY_PLACE)), named)


def _drop_doubled(planned: PlannedPorts, named: Ints) -> Ints:
    """Return the match by names without those that several nodes have."""
    doubled = np.bincount(named[named >= 0], minlength=planned.nodes) > 1
    return np.where((named >= 0) & doubled[named], -1, named)


def _count_votes(planned: PlannedPorts, seen: SeenPorts, labels: PortLabels, place: Ints) -> _Votes:
    """Return how many cables prove which pairs: the plan knows the far end of a port of a node in its place."""
    near, far = seen.node, seen.node[:, ::-1]
    at = place[near]
    end = planned.find_ends(at, labels.slots(at))
    known = (end >= 0) & (near != far)
    other = end[known] ^ 1
    target = planned.node[other // 2, other % 2]
    codes, count = np.unique(far[known] * planned.nodes + target, return_counts=True)
    return _Votes(codes // planned.nodes, codes % planned.nodes, count)


def _complete(planned: PlannedPorts, seen: SeenPorts, labels: PortLabels, place: Ints) -> Ints:
    """Return the match with what the neighbours of matched nodes prove, step by step outwards."""
    while True:
        votes = _count_votes(planned, seen, labels, place)
        taken = np.zeros(planned.nodes, np.bool_)
        taken[place[place >= 0]] = True
        free = (place[votes.seen] < 0) & (~taken[votes.planned] | seen.is_lone[votes.seen])
        free &= _same_sort(planned, seen, votes)
        chosen = _choose_best(votes, free, seen.is_lone)
        if not len(chosen):
            return place
        place = place.copy()
        place[votes.seen[chosen]] = votes.planned[chosen]


def _same_sort(planned: PlannedPorts, seen: SeenPorts, votes: _Votes) -> npt.NDArray[np.bool_]:
    """Say for which pairs a known host is planned as a host, and a known switch as a switch."""
    host = votes.planned < planned.hosts
    return ~(seen.is_switch[votes.seen] & host) & ~(seen.is_host[votes.seen] & ~host)


def _choose_best(votes: _Votes, free: npt.NDArray[np.bool_], lone: npt.NDArray[np.bool_]) -> Ints:
    """Return the pairs that have more votes than any other pair of either node, of equal ones the first."""
    rows = np.flatnonzero(free)
    rows = rows[np.argsort(-votes.cables[rows], kind="stable")]
    first_of_seen = np.zeros(len(rows), np.bool_)
    first_of_seen[np.unique(votes.seen[rows], return_index=True)[1]] = True
    # Adapters without a name share their host, so that none keeps another out.
    key = np.where(lone[votes.seen[rows]], -1 - np.arange(len(rows)), votes.planned[rows])
    first_of_planned = np.zeros(len(rows), np.bool_)
    first_of_planned[np.unique(key, return_index=True)[1]] = True
    return rows[first_of_seen & first_of_planned]


def _correct_names(planned: PlannedPorts, seen: SeenPorts, labels: PortLabels, place: Ints) -> Ints:
    """Return the match without names that the cables prove wrong, which then stand where they are proven to be.

    Where a device and its neighbours seem misnamed, one of them makes the others seem so: that with most proofs is
    corrected first, and the others are judged again. Each is corrected once at most.
    """
    corrected = np.zeros(seen.nodes, np.bool_)
    while True:
        votes = _count_votes(planned, seen, labels, place)
        wrong = _are_wrong(planned, seen, votes, place) & ~corrected[votes.seen]
        chosen = _choose_best(votes, wrong, np.zeros(seen.nodes, np.bool_))
        chosen = chosen[_precede_neighbours(seen, votes.seen[chosen])]
        if not len(chosen):
            return place
        place = place.copy()
        moved, target = votes.seen[chosen], votes.planned[chosen]
        corrected[moved] = True
        place[moved] = -1
        displaced = np.flatnonzero(np.isin(place, target))
        place[displaced] = -1
        place[moved] = target
        place = _complete(planned, seen, labels, place)


def _are_wrong(planned: PlannedPorts, seen: SeenPorts, votes: _Votes, place: Ints) -> npt.NDArray[np.bool_]:
    """Say for which pairs the cables prove that a node is not where its name puts it, but the planned one."""
    total = np.bincount(votes.seen, weights=votes.cables, minlength=seen.nodes)
    own = np.zeros(seen.nodes)
    mine = votes.planned == place[votes.seen]
    own[votes.seen[mine]] = votes.cables[mine]
    holder_own = np.zeros(planned.nodes)
    matched = np.flatnonzero(place >= 0)
    holder_own[place[matched]] = own[matched]
    return np.asarray(
        (place[votes.seen] >= 0)
        & ~mine
        & (votes.cables >= LEAST_PROOFS)
        & (votes.cables > MISNAMED * total[votes.seen])
        & (votes.cables > holder_own[votes.planned])
        & _same_sort(planned, seen, votes)
    )


def _precede_neighbours(seen: SeenPorts, nodes: Ints) -> npt.NDArray[np.bool_]:
    """Say which of `nodes` have no neighbour that stands before them among `nodes`."""
    rank = np.full(seen.nodes, len(nodes))
    rank[nodes] = np.arange(len(nodes))
    one, other = seen.node[seen.node[:, 0] != seen.node[:, 1]].T
    first = np.full(seen.nodes, len(nodes))
    np.minimum.at(first, one, rank[other])
    np.minimum.at(first, other, rank[one])
    return np.asarray(rank[nodes] < first[nodes])


def _start_without_names(planned: PlannedPorts, seen: SeenPorts, labels: PortLabels, place: Ints) -> Ints:
    """Return the match with parts of the fabric that no name or neighbour identifies, such as whole planes.

    The switch with most cables is taken for planned ones in turn; that from which most cables are as planned stays.
    """
    degree = np.bincount(seen.node.reshape(-1), minlength=seen.nodes)
    planned_degree = np.bincount(planned.node.reshape(-1), minlength=planned.nodes)
    failed = 0
    for switch in np.argsort(-degree, kind="stable").tolist():
        if failed == MOST_FAILURES or degree[switch] < LEAST_PROOFS:
            break
        if place[switch] >= 0 or seen.is_host[switch]:
            continue
        taken = np.zeros(planned.nodes, np.bool_)
        taken[place[place >= 0]] = True
        best, most = place, 0.0
        for start in _list_starts(planned, planned_degree, taken):
            trial = place.copy()
            trial[switch] = start
            trial = _complete(planned, seen, labels, trial)
            share = _share_as_planned(planned, seen, labels, trial, place < 0)
            if share > most:
                best, most = trial, share
            if share >= SURE:
                break
        if most >= PROVEN:
            place, failed = best, 0
        else:
            failed += 1
    return place


def _list_starts(planned: PlannedPorts, degree: Ints, taken: npt.NDArray[np.bool_]) -> list[int]:
    """Return planned switches to start from: the first, the middle and the last of each role and number of cables."""
    switches = np.arange(planned.hosts, planned.nodes)
    switches = switches[~taken[switches]]
    sorts: dict[tuple[int, int], list[int]] = {}
    for node, role, cables in zip(
        switches.tolist(), planned.role[switches].tolist(), degree[switches].tolist(), strict=True
    ):
        sorts.setdefault((role, cables), []).append(node)
    found = [each[at] for each in sorts.values() for at in sorted({0, len(each) // 2, len(each) - 1})]
    return found[:STARTS]


def _share_as_planned(
    planned: PlannedPorts, seen: SeenPorts, labels: PortLabels, place: Ints, new: npt.NDArray[np.bool_]
) -> float:
    """Return the share of the cables at newly matched nodes that are as planned."""
    rows = (new & (place >= 0))[seen.node].any(axis=1)
    at = place[seen.node]
    end = planned.find_ends(at, labels.slots(at))
    same = (end[:, 0] >= 0) & (end[:, 0] ^ 1 == end[:, 1])
    return float(same[rows].mean()) if rows.any() else 0.0
