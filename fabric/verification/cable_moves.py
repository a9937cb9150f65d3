"""The fewest cable ends to unplug and put elsewhere, so that a fabric is cabled as planned.

A port has at most one cable, observed or planned. An observed cable that takes the place of a planned one with which it
shares a port moves one end; one with which it shares none, both. Which cable takes which place is a flow of least cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns

__all__ = ["CableMoves", "find_moves"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CableMoves(FrozenColumns):
    """What is done with each observed cable, in read-only columns."""

    target: Ints
    """The planned cable that each observed one is or becomes, -1 for one that is taken out, shape (observed,)."""
    moved: npt.NDArray[np.bool_]
    """Whether the first and the second end of each observed cable is moved, shape (observed, 2)."""
    flipped: npt.NDArray[np.bool_]
    """Whether the first end of each observed cable belongs at the second end of its planned one, shape (observed,)."""
    missing: Ints
    """The planned cables that no observed one becomes, ascending: each needs a new cable."""

    @property
    def moves(self) -> int:
        """The cable ends that are unplugged and put elsewhere."""
        return int(self.moved.sum())

    @property
    def taken_out(self) -> Ints:
        """The observed cables that are taken out, ascending."""
        return np.flatnonzero(self.target < 0)


def find_moves(planned: Ints, observed: Ints, planned_kind: Ints, observed_kind: Ints) -> CableMoves:
    """Return the moves after which every planned cable that some observed one can become is there.

    `planned` and `observed` are the ports of both ends of each cable, shape (cables, 2), any integers; a port has at
    most one cable of each. Kinds are the types of cables, at least 0: a cable moves both ends only to a place of its
    kind, and never where its kind is -1. No way leaves fewer planned cables missing, and none of those that leave as
    few unplugs fewer ends.

    Raises ValueError where a port has two cables.
    """
    owner = _own_ports(planned, observed)
    target = np.full(len(observed), -1)
    whole = (owner[:, 0] == owner[:, 1]) & (owner[:, 0] >= 0)
    target[whole] = owner[whole, 0]
    taken = np.zeros(len(planned), np.bool_)
    taken[target[whole]] = True
    wrong = np.flatnonzero(~whole & ((owner >= 0).any(axis=1) | (observed_kind >= 0)))
    empty = np.flatnonzero(~taken)
    if len(wrong) and len(empty):
        place = _assign(owner[wrong], observed_kind[wrong], empty, planned_kind[empty])
        placed = np.flatnonzero(place >= 0)
        target[wrong[placed]] = empty[place[placed]]
        taken[target[wrong[placed]]] = True
    to = target[:, None]
    stays = (owner == to) & (to >= 0)
    moved = ~stays & (to >= 0)
    flipped, kept = np.zeros(len(observed), np.bool_), np.flatnonzero(target >= 0)
    first, second = stays[kept].T
    flipped[kept] = np.where(
        second & ~first,
        observed[kept, 1] == planned[target[kept], 0],
        observed[kept, 0] == planned[target[kept], 1],
    )
    return CableMoves(target, moved, flipped, np.flatnonzero(~taken))


def _own_ports(planned: Ints, observed: Ints) -> Ints:
    """Return the planned cable of the port at each end of the observed ones, or -1, shape (observed, 2)."""
    ports, order = np.unique(planned, return_index=True)
    for name, pairs in (("planned", planned), ("observed", observed)):
        found, counts = np.unique(pairs, return_counts=True)
        if (counts > 1).any():
            raise ValueError(f"port {found[counts > 1][0]} has two {name} cables")
    if not len(ports):
        return np.full(observed.shape, -1)
    at = np.minimum(np.searchsorted(ports, observed), len(ports) - 1)
    return np.where(ports[at] == observed, order[at] // 2, -1)


def _assign(owner: Ints, kinds: Ints, empty: Ints, empty_kinds: Ints) -> Ints:
    """Return the place of each cable among the `empty` planned ones, -1 for none, by a flow of least cost.

    A unit of flow leads from a cable to a place whose port it has, for one move, or by way of its kind to any of that
    kind, for two. The greatest flow leaves fewest places empty.
    """
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    cables, places = len(owner), len(empty)
    cable, end = np.nonzero(owner >= 0)
    shared = np.unique(np.column_stack((cable, np.searchsorted(empty, owner[cable, end]))), axis=0)
    every, each = np.arange(cables), np.arange(places)
    source, sink = cables + places, cables + places + 1
    names, kind_of_place = np.unique(empty_kinds, return_inverse=True)
    able = np.flatnonzero(np.isin(kinds, names) & (kinds >= 0))
    kind = sink + 1 + np.searchsorted(names, kinds[able])
    # Of two cables that could take a place, one of a known kind does; this never outweighs a move.
    move = cables + 1
    flow, one = SimpleMinCostFlow(), np.ones(cables + places, np.int64)
    add = flow.add_arcs_with_capacity_and_unit_cost
    add(np.full(cables, source), every, one[:cables], (kinds < 0).astype(np.int64))
    at_port = add(shared[:, 0], cables + shared[:, 1], one[: len(shared)], np.full(len(shared), move))
    to_kind = add(able, kind, one[: len(able)], np.full(len(able), 2 * move))
    of_kind = add(sink + 1 + kind_of_place, cables + each, one[:places], 0 * each)
    add(cables + each, np.full(places, sink), one[:places], 0 * each)
    flow.set_node_supply(source, min(cables, places))
    flow.set_node_supply(sink, -min(cables, places))
    status = flow.solve_max_flow_with_min_cost()
    assert status == flow.OPTIMAL, status
    place = np.full(cables, -1)
    kept = shared[flow.flows(at_port) > 0]
    place[kept[:, 0]] = kept[:, 1]
    # Those that came by their kind have its places in order.
    chosen, filled = flow.flows(to_kind) > 0, np.flatnonzero(flow.flows(of_kind) > 0)
    cables_of_kind = able[chosen][np.argsort(kind[chosen], kind="stable")]
    place[cables_of_kind] = filled[np.argsort(kind_of_place[filled], kind="stable")]
    return place
