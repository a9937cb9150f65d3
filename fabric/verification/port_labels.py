"""Which port of the plan is meant by the name that a discovery gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.seen_ports import NO_LABEL, SeenPorts

__all__ = ["PortLabels", "read_labels", "spell_label"]

Ints = npt.NDArray[np.int64]

COMMON = 0.8
"""The share of a label's cables that must agree on the port it means, where hosts name their ports otherwise."""

_TAIL = re.compile(r"(\d+)$")


@dataclass(frozen=True, eq=False)
class PortLabels:
    """The slot that each label of a discovery means on nodes of each role."""

    planned: PlannedPorts
    """The plan."""
    seen: SeenPorts
    """The discovery."""
    table: Ints
    """The slot of each label by role, -1 where the plan has none of that name, shape (roles, labels)."""
    learned: Mapping[str, str]
    """Labels whose meaning the cables of most hosts prove, with the port that each means."""

    def slots(self, at: Ints) -> Ints:
        """Return the slot at both ends of each cable, shape (cables, 2), given the planned node `at` each end.

        Labels that mean no planned port have slots of their own, and ports without a label -1. An adapter that nobody
        named has the slot that is planned at the far end of its cable, where that is one of its host.
        """
        label, lone = self.seen.label, self.seen.unnamed
        known = self.table[self.planned.role[at], label]
        own = np.where(label == NO_LABEL, -1, self.planned.slots + label)
        slots = np.where((at >= 0) & (known >= 0) & ~lone, known, own)
        if lone.any():
            far = self.planned.find_ends(at[:, ::-1], slots[:, ::-1])
            there = lone & (far >= 0) & (self.planned.node[(far ^ 1) // 2, (far ^ 1) % 2] == at)
            slots[there] = self.planned.slot[(far ^ 1) // 2, (far ^ 1) % 2][there]
        return slots

    def forget(self) -> PortLabels:
        """Return the labels without any meaning."""
        return replace(self, table=np.full_like(self.table, -1))

    def learn(self, place: Ints) -> PortLabels:
        """Return the labels with what those of hosts mean that the plan does not know, by how most are cabled.

        Where hosts have the very names of the plan nothing is learned, so that a mistake on most of them is seen.
        """
        table, learned = self.table.copy(), dict(self.learned)
        at = place[self.seen.node]
        host = (at >= 0) & (at < self.planned.hosts) & (self.seen.label != NO_LABEL)
        for role in np.unique(self.planned.role[at[host]]).tolist():
            ends = host & (self.planned.role[at] == role)
            found = set(np.unique(self.seen.label[ends]).tolist())
            means = self.table[role, sorted(found)]
            wanted = np.unique(self.planned.slot[:, 0][self.planned.role[self.planned.node[:, 0]] == role])
            if (means < 0).any() or not np.isin(means, wanted).all():
                for label, slot in self._vote(place, ends):
                    if table[role, label] != slot:
                        table[role, label] = slot
                        learned[self.seen.port_text(label)] = self._name_of(role, slot)
        return replace(self, table=table, learned=learned)

    def _vote(self, place: Ints, ends: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """Yield the labels on which most cables agree, with the slot."""
        at = place[self.seen.node]
        far = self.planned.find_ends(at[:, ::-1], self.slots(at)[:, ::-1])
        other = far ^ 1
        slot = self.planned.slot[other // 2, other % 2]
        proves = ends & (far >= 0) & (self.planned.node[other // 2, other % 2] == at)
        codes, count = np.unique(self.seen.label[proves] * self.planned.slots + slot[proves], return_counts=True)
        labels, slots = codes // self.planned.slots, codes % self.planned.slots
        for label in np.unique(labels).tolist():
            mine = np.flatnonzero(labels == label)
            best = mine[np.argmax(count[mine])]
            if count[best] >= COMMON * count[mine].sum():
                yield label, int(slots[best])

    def _name_of(self, role: int, slot: int) -> str:
        return next((name for name, each in self.planned.spellings[role].items() if each == slot), "?")


def read_labels(planned: PlannedPorts, seen: SeenPorts) -> PortLabels:
    """Return the meaning of all labels by the names of the plan's ports."""
    table = np.full((len(planned.spellings), len(seen.labels)), -1, np.int64)
    for role, spellings in enumerate(planned.spellings):
        for label, (part, port) in enumerate(seen.labels[1:], 1):
            table[role, label] = next((spellings[each] for each in spell_label(part, port) if each in spellings), -1)
    return PortLabels(planned, seen, table, {})


def spell_label(part: str, port: str) -> Iterator[str]:
    """Yield what a plan may call a port, in lower case, most likely first."""
    part, port = part.lower(), port.lower()
    if part:
        # An adapter's ports count from 1, the parts of a planned NIC from 0.
        if port.isdecimal():
            yield f"{part}p{int(port) - 1}"
        if port in ("", "1"):
            yield part
        yield f"{part}{port}"
        return
    yield port
    if port.isdecimal():
        yield str(int(port))
    tail = _TAIL.search(port)
    if tail and port.removesuffix(tail[1]).strip(" /") in ("port", "p", "ib1", "ib"):
        yield str(int(tail[1]))
