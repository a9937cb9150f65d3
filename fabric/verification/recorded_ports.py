"""The ports of a fabric that was recorded as it stood, in the place of those of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import Discovery
from fabric.discovery.graph import read_graph
from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.port_labels import spell_label
from fabric.verification.seen_ports import NO_LABEL, SeenPorts, list_seen_ports

__all__ = ["list_recorded_ports"]

Ints = npt.NDArray[np.int64]

TIERS = ("host", "leaf", "spine", "core")
"""What the tiers of switches are called, hosts first."""


class _Nodes:
    """The devices of a record, of which names and GUIDs are known, and no racks."""

    placement_axes: frozenset[str] = frozenset()

    def __init__(self, hardware: Mapping[str, str]) -> None:
        self._hardware = hardware

    def aliases(self) -> Iterator[tuple[str, int]]:
        """Yield nothing: a record has one name of each."""
        return iter(())

    def hardware(self) -> Mapping[str, str]:
        """Return the name by each GUID or address."""
        return self._hardware

    def stand(self, node: int) -> tuple[str, int | None]:  # noqa: ARG002
        """Return nothing: a record has no racks."""
        return "", None

    def coordinates(self, node: int) -> dict[str, int]:  # noqa: ARG002
        """Return nothing: a record has no axes."""
        return {}


def list_recorded_ports(record: Discovery, name: str) -> PlannedPorts:
    """Return the nodes and ports of a recorded fabric, of which every cable counts as planned."""
    seen = list_seen_ports(record)
    tier = _tiers(record, seen)
    order = np.argsort(tier > 0, kind="stable")
    number = np.empty(seen.nodes, np.int64)
    number[order] = np.arange(seen.nodes)
    flip = tier[seen.node[:, 0]] > tier[seen.node[:, 1]]
    node = np.where(flip[:, None], seen.node[:, ::-1], seen.node)
    label = np.where(flip[:, None], seen.label[:, ::-1], seen.label)
    role = tier[order]
    slot, shared = _number_slots(node, label, len(seen.labels))
    roles = tier[node]
    top = int(tier.max(initial=0)) + 1
    pairs, bundle = np.unique(roles[:, 0] * top + roles[:, 1], return_inverse=True)
    rows = seen.cable
    return PlannedPorts(
        name=name,
        names=tuple(seen.text(each) for each in order.tolist()),
        about=_Nodes({code: name for code, name in zip(record.hardware_ids, record.names, strict=True) if code}),
        hosts=int((tier == 0).sum()),
        role=role,
        node=number[node],
        slot=slot,
        slots=int(slot.max(initial=0)) + 1,
        spellings=_spell_labels(seen, roles, label),
        port_names=tuple(seen.port_text(each) for each in range(len(seen.labels))),
        port_name=label,
        bundles=tuple(f"{_tier_name(pair // top)}-{_tier_name(pair % top)}" for pair in pairs.tolist()),
        bundle=bundle.reshape(-1),
        rate_gbps=record.rate_gbps[rows].astype(np.float64),
        width=record.width[rows].astype(np.int64),
        cage=np.full(node.shape, -1),
        is_shared=shared,
    )


def _tier_name(tier: int) -> str:
    return TIERS[tier] if tier < len(TIERS) else f"tier{tier}"


def _tiers(record: Discovery, seen: SeenPorts) -> Ints:
    """Return the tier of each node, 0 of hosts; switches with no way to a host are above all others."""
    graph = read_graph(record)
    of_device = np.where(
        graph.is_switch[graph.node], np.where(graph.tier > 0, graph.tier, graph.tier.max(initial=0) + 1)[graph.node], 0
    )
    return of_device[seen.device]


def _number_slots(node: Ints, label: Ints, labels: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the slot at both ends of each cable, and whether it is at a port that has several cables.

    A slot is the label of the port. Ports without a name and further cables of one port have slots of their own.
    """
    port = (node * labels + label).reshape(-1)
    _, first, of, counts = np.unique(port, return_index=True, return_inverse=True, return_counts=True)
    named = label.reshape(-1) != NO_LABEL
    own = named & (first[of] == np.arange(len(port)))
    slot = np.where(own, label.reshape(-1), labels + np.arange(len(port)))
    shared = ~named | (counts[of] > 1)
    return slot.reshape(node.shape), shared.reshape(node.shape)


def _spell_labels(seen: SeenPorts, roles: Ints, label: Ints) -> tuple[Mapping[str, int], ...]:
    """Return the slot of each name of a port by the role of its node."""
    found: list[dict[str, int]] = [{} for _ in range(int(roles.max(initial=0)) + 1)]
    for role, spellings in enumerate(found):
        for each in np.unique(label[(roles == role) & (label != NO_LABEL)]).tolist():
            for text in spell_label(*seen.labels[each]):
                spellings.setdefault(text, each)
    return tuple(found)
