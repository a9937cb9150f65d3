"""The faults of a cabling, put into words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.topology.topology import PLANE
from fabric.units import count_noun
from fabric.verification.cabling import Cabling
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.rates import list_slow
from fabric.verification.seen_ports import shorten_name
from fabric.verification.wording import Wording

__all__ = ["list_faults"]

Ints = npt.NDArray[np.int64]

RAIL = "rail"


def list_faults(cabling: Cabling) -> Iterator[Fault]:
    """Yield all faults: cables in wrong places, missing and extra ones, devices, rates, and what is harmless."""
    words = Wording(cabling)
    yield from _list_wrong(cabling, words)
    yield from _list_missing(cabling, words)
    yield from _list_extra(cabling, words)
    yield from _list_devices(cabling, words)
    yield from _list_shared(cabling)
    yield from list_slow(cabling, words)
    yield from _list_crossed(cabling, words)


def _list_wrong(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the cables of which an end is moved, two that only exchange ends as one fault."""
    moves = cabling.moves
    rows = np.flatnonzero(moves.moved.any(axis=1))
    at_target = {int(moves.target[row]): row for row in rows.tolist()}
    done: set[int] = set()
    for row in rows.tolist():
        if row in done:
            continue
        partner = _find_partner(cabling, row, at_target)
        done |= {row, row if partner is None else partner}
        yield _describe_wrong(cabling, words, row) if partner is None else _describe_pair(cabling, words, row, partner)


def _find_partner(cabling: Cabling, row: int, at_target: dict[int, int]) -> int | None:
    """Return the cable that has this one's place at one end and goes where this one is, if there is one."""
    moves = cabling.moves
    side = np.flatnonzero(moves.moved[row])
    if len(side) != 1:
        return None
    here = int(cabling.end[row, side[0]])
    other = at_target.get(here // 2) if here >= 0 else None
    if other is None or other == row or moves.moved[other].sum() != 1:
        return None
    there = int(cabling.end[other, np.flatnonzero(moves.moved[other])[0]])
    return other if there // 2 == moves.target[row] and there >= 0 else None


def _describe_pair(cabling: Cabling, words: Wording, row: int, other: int) -> Fault:
    """Return the fault of two cables that have each other's place at one end."""
    moves, planned = cabling.moves, cabling.planned
    links = sorted(int(moves.target[each]) for each in (row, other))
    hosts = {int(planned.node[link, 0]) for link in links}
    same_host = len(hosts) == 1 and min(hosts) < planned.hosts
    kind = FaultKind.RAILS if same_host else FaultKind.SWAPPED
    both = " and ".join(words.link(link) for link in links)
    moved = words.moves(row) + words.moves(other)
    where = moved[0].from_device, moved[1].from_device
    text = f"{both} are exchanged at {' and '.join(dict.fromkeys(where))}"
    return Fault(
        kind, text, words.devices((row, other)), tuple(links), words.cables((row, other)), moved,
        words.place(row),
    )  # fmt: skip


def _describe_wrong(cabling: Cabling, words: Wording, row: int) -> Fault:
    """Return the fault of a cable that is in no pair."""
    link = int(cabling.moves.target[row])
    moved = words.moves(row)
    sides = np.flatnonzero(cabling.moves.moved[row])
    kind = FaultKind.MOVED if len(sides) == 2 else _kind_of(cabling, row, int(sides[0]))
    now = words.seen(row)
    text = f"{words.link(link)} is at {now}" if len(sides) == 2 else (
        f"{words.link(link)}: the end at {moved[0].to_device} is in {moved[0].from_device} {moved[0].from_port}"
    )  # fmt: skip
    return Fault(kind, text, words.devices((row,)), (link,), words.cables((row,)), moved, words.place(row))


def _kind_of(cabling: Cabling, row: int, side: int) -> FaultKind:
    """Return what is wrong with the one end of a cable that is moved."""
    planned, moves = cabling.planned, cabling.moves
    here = int(cabling.at[row, side])
    link = int(moves.target[row])
    right = int(planned.node[link, side ^ int(moves.flipped[row])])
    if here < 0:
        return FaultKind.DEVICE
    if here == right:
        return FaultKind.PORT
    if planned.role[here] != planned.role[right]:
        return FaultKind.DEVICE
    one, other = planned.about.coordinates(here), planned.about.coordinates(right)
    differs = {axis for axis in one if one[axis] != other.get(axis)}
    if PLANE in differs:
        return FaultKind.PLANE
    if differs & planned.about.placement_axes:
        return FaultKind.UNIT
    return FaultKind.RAIL if RAIL in differs else FaultKind.DEVICE


def _list_missing(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the planned cables that are not there, and the devices that are nowhere with all of theirs."""
    planned, found = cabling.planned, cabling.is_found
    links = cabling.moves.missing
    links = links[cabling.is_judged[links]]
    absent = ~found[planned.node[links]]
    for link in links[~absent.any(axis=1)].tolist():
        yield Fault(FaultKind.MISSING, f"{words.link(link)} is not there or down", words.ends_of(link), (link,), (), ())
    gone = np.unique(planned.node[links][absent])
    for node in gone.tolist():
        mine = links[(planned.node[links] == node).any(axis=1)]
        text = f"{planned.names[node]} is not in the files, with {count_noun(len(mine), 'cable')}"
        yield Fault(FaultKind.ABSENT, text, (planned.names[node],), tuple(mine.tolist()), (), ())


def _list_extra(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the cables that are taken out, those of a device that the plan does not know together."""
    rows = cabling.moves.taken_out
    unknown = cabling.at[rows] < 0
    for row in rows[~unknown.any(axis=1)].tolist():
        twice = cabling.twice[row].any()
        kind = FaultKind.TWICE if twice else FaultKind.EXTRA
        text = f"{words.seen(row)} is not in the plan"
        if twice:
            text = f"{words.seen(row)}: the files have another cable at one of these ports"
        yield Fault(kind, text, words.devices((row,)), (), words.cables((row,)), (), words.place(row))
    seen = cabling.seen
    strangers = np.unique(seen.node[rows][unknown])
    for node in strangers.tolist():
        mine = rows[(seen.node[rows] == node).any(axis=1)]
        text = (
            f"{seen.text(node)} is not in the plan; it has {count_noun(len(mine), 'cable')}: {words.seen(int(mine[0]))}"
        )
        yield Fault(
            FaultKind.UNKNOWN, text, (seen.text(node),), (), words.cables(mine.tolist()), (),
            words.place(int(mine[0])),
        )  # fmt: skip


def _list_devices(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the devices that have the name of another."""
    match, planned, seen = cabling.match, cabling.planned, cabling.seen
    # The planned nodes whose names devices in their places have: a name that two have needs no exchange.
    kept = np.zeros(planned.nodes, np.bool_)
    kept[match.named[(match.named >= 0) & (match.named == match.place)]] = True
    for node in match.misnamed.tolist():
        right = planned.names[int(match.place[node])]
        remedy = "give it that name" if kept[match.named[node]] else "give it that name, or exchange both"
        text = f"{seen.text(node)} has the place of {right}: its cables prove it; {remedy}"
        yield Fault(FaultKind.NAME, text, (seen.text(node), right), (), (), ())
    for node in np.flatnonzero((match.named < 0) & (match.place >= 0) & ~seen.is_lone).tolist():
        if seen.names[node] and words.any_named:
            right = planned.names[int(match.place[node])]
            text = f"{seen.text(node)} has the place of {right}, and a name that the plan does not have"
            yield Fault(FaultKind.NAME, text, (seen.text(node), right), (), (), ())


def _list_shared(cabling: Cabling) -> Iterator[Fault]:
    """Yield the names that the adapters of several hosts have."""
    match, planned, seen = cabling.match, cabling.planned, cabling.seen
    places: dict[str, set[int]] = {}
    for node in np.flatnonzero(match.place >= 0).tolist():
        if seen.shared[node]:
            places.setdefault(seen.shared[node], set()).add(int(match.place[node]))
    for name, nodes in places.items():
        if len(nodes) > 1:
            hosts = tuple(planned.names[node] for node in sorted(nodes))
            some = ", ".join(hosts[:4]) + (", ..." if len(hosts) > 4 else "")
            text = f"{len(hosts)} hosts have the name {shorten_name(name)}, by their cables {some}; give each its own"
            yield Fault(FaultKind.NAME, text, hosts, (), (), ())


def _list_crossed(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the twin-port cables whose lanes are crossed, each pair of lanes once."""
    done: set[int] = set()
    for row in np.flatnonzero(cabling.crossed).tolist():
        link = int(cabling.moves.target[row])
        if link in done:
            continue
        end = cabling.end[row]
        other = int(end[end // 2 != link][0]) // 2
        done |= {link, other}
        text = f"the lanes of {words.link(link)} and {words.link(other)} are crossed, which changes nothing"
        yield Fault(FaultKind.CROSSED, text, words.ends_of(link), (), words.cables((row,)), ())
