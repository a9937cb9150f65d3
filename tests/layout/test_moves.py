"""Growth that was not planned for: no match of devices has fewer cable ends unplugged, by brute force."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from ortools.sat.python import cp_model

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.layout.moves import MovePlan, plan_moves
from fabric.network import Network

BOX = {"name": "box", "ports": 8, "rate_gbps": 400, "price_usd": 1000}
SERVER = {"name": "srv", "gpus": 2, "nics": 2, "nic_gbps": 400}
SMALL: dict[str, Any] = {
    "server": SERVER, "switches": BOX, "tiers": 2, "planes": 1, "link_price_usd": 10, "family": "fat-tree",
}  # fmt: skip


def _design(gpus: int, **given: Any) -> Blueprint:
    return fabric.design({**SMALL, "gpus": gpus, **given}).blueprint


def _weights(network: Network) -> dict[tuple[int, int], int]:
    ends = zip(network.lower.tolist(), network.upper.tolist(), strict=True)
    found: dict[tuple[int, int], int] = {}
    for pair in ends:
        found[pair] = found.get(pair, 0) + 1
    return found


def _most_moved(plan: MovePlan, place: list[int]) -> tuple[int, int]:
    """Return the cables that stay under a match, and the most others that keep one end, by a maximum matching."""
    before, after = _weights(plan.old), _weights(plan.new)
    stay, graph, missing = 0, nx.Graph(), dict(after)
    spare: list[tuple[int, int]] = []
    for (low, high), cables in before.items():
        kept = min(cables, after.get((place[low], place[high]), 0))
        stay += kept
        if kept:
            missing[place[low], place[high]] -= kept
        spare += [(low, high)] * (cables - kept)
    bundles = [(network.role[pair[0]], network.role[pair[1]]) for network in (plan.old,) for pair in spare]
    for number, ((low, high), roles) in enumerate(zip(spare, bundles, strict=True)):
        for (new_low, new_high), free in missing.items():
            if (plan.new.role[new_low], plan.new.role[new_high]) == roles and (
                place[low] == new_low or place[high] == new_high
            ):
                graph.add_edges_from((("old", number), ("new", new_low, new_high, copy)) for copy in range(free))
    return stay, len(nx.max_weight_matching(graph, maxcardinality=True))


def _every_match(plan: MovePlan, roles: tuple[str, ...]) -> list[list[int]]:
    """Return every match in which servers keep their order and the devices of these roles take any place."""
    found = [plan.place.tolist()]
    for role in roles:
        one, other = plan.old.group(role), plan.new.group(role)
        ways = permutations(range(other.first, other.first + other.count), one.count)
        found = [[*place[: one.first], *way, *place[one.first + one.count :]] for way in list(ways) for place in found]
    return found


@pytest.mark.parametrize(("today", "later"), [(8, 12), (12, 16), (8, 16), (16, 24), (10, 16)])
def test_no_match_unplugs_fewer_ends(today: int, later: int) -> None:
    """Over every match of spines, and of leaves beside, the plan has the fewest ends unplugged."""
    plan = plan_moves(_design(today), _design(later))
    total = plan.old.links
    best = 2 * total
    for place in _every_match(plan, ("spine", "leaf")):
        before, after = _weights(plan.old), _weights(plan.new)
        kept = sum(min(cables, after.get((place[a], place[b]), 0)) for (a, b), cables in before.items())
        if total - kept < best:  # otherwise it cannot have fewer
            stay, moved = _most_moved(plan, place)
            best = min(best, moved + 2 * (total - stay - moved))
    assert plan.bound <= best == plan.unplugged


def _keep_most(plan: MovePlan) -> int:
    """Return the most cables that any match of devices keeps, by an integer program over all matches."""
    model, old, new = cp_model.CpModel(), plan.old, plan.new
    becomes: dict[tuple[int, int], cp_model.IntVar] = {}
    for group in old.groups:
        target = new.group(group.role)
        rows, columns = range(group.first, group.first + group.count), range(target.first, target.first + target.count)
        becomes |= {(row, column): model.new_bool_var("") for row in rows for column in columns}
        for row in rows:
            model.add_at_most_one(becomes[row, column] for column in columns)
        for column in columns:
            model.add_at_most_one(becomes[row, column] for row in rows)
    after, kept = _weights(new), []
    for (low, high), cables in _weights(old).items():
        for place in {upper for _, upper in after if (high, upper) in becomes}:
            stays = model.new_int_var(0, cables, "")
            near = {lower: free for (lower, upper), free in after.items() if upper == place and (low, lower) in becomes}
            model.add(stays <= cables * becomes[high, place])
            model.add(stays <= sum(free * becomes[low, lower] for lower, free in near.items()))
            kept.append(stays)
    model.maximize(sum(kept))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


@pytest.mark.parametrize(
    ("family", "today", "later", "gap"),
    [
        ("fat-tree", 4, 8, 0), ("fat-tree", 6, 8, 0), ("fat-tree", 8, 12, 0), ("fat-tree", 8, 16, 0),
        ("rail-optimized", 4, 8, 0), pytest.param("rail-optimized", 8, 12, 1, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_no_match_of_three_tiers_keeps_more(family: str, today: int, later: int, gap: int) -> None:
    """Over every match of all devices at once; the bound is met but where both say by how much it is not."""
    box = {**BOX, "ports": 4}
    before, after = (_design(gpus, family=family, tiers=3, switches=box) for gpus in (today, later))
    plan = plan_moves(before, after)
    assert plan.kept == _keep_most(plan)
    assert (plan.unplugged, plan.removed) == (plan.bound + gap, 0)


def test_pods_that_are_cut_keep_their_cores_or_their_leaves() -> None:
    """Where pods shrink from 8 spines to 4 under a new tier, cores stay with whole sets; in order 516 ends move."""
    given = {"family": "rail-optimized", "unit_gpus": 16, "switches": {**BOX, "ports": 16}}
    before = _design(400, **given, tiers=3, limits={"parallel_links": 4}, pinned={"leaf-spine": 1})
    after = _design(900, **given, tiers=4, limits={"parallel_links": 4}, pinned={"leaf-spine": 4})
    plan = plan_moves(before, after)
    assert (plan.unplugged, plan.bound) == (492, 492)


REQUESTS: list[dict[str, Any]] = [
    {"family": "fat-tree", "tiers": 2},
    {"family": "fat-tree", "tiers": 3},
    {"family": "rail-optimized", "tiers": 2},
    {"family": "rail-optimized", "tiers": 3},
]


@pytest.mark.parametrize("given", REQUESTS, ids=lambda given: f"{given['family']}-{given['tiers']}")
@pytest.mark.parametrize(("today", "later"), [(16, 28), (20, 32), (24, 30)])
def test_the_work_orders_lead_from_the_one_to_the_other(given: dict[str, Any], today: int, later: int) -> None:
    """Carried out cable by cable, every move keeps one end, no pair gets too many, and all of today's are counted."""
    plan = plan_moves(_design(today, **given), _design(later, **given))
    used = plan.place[plan.place >= 0]
    assert len(np.unique(used)) == len(used)
    assert (plan.old.role[plan.place >= 0] == plan.new.role[used]).all()
    assert plan.kept + plan.moved + plan.removed == plan.old.links
    assert plan.bound <= plan.unplugged
    left, free = _weights(plan.old), _weights(plan.new)
    columns = (plan.lower, plan.upper, plan.new_lower, plan.new_upper, plan.cables)
    for low, high, new_low, new_high, cables in zip(*(column.tolist() for column in columns), strict=True):
        left[low, high] -= cables
        if new_low >= 0:
            assert (plan.place[low] == new_low) != (plan.place[high] == new_high)
            free[new_low, new_high] -= cables
    for (low, high), cables in left.items():
        if cables:
            free[int(plan.place[low]), int(plan.place[high])] -= cables
    assert min(left.values()) >= 0
    assert min(free.values()) >= 0
    assert sum(free.values()) == plan.added
    _, low, high, cables = (column.tolist() for column in plan.list_added())
    assert dict(zip(zip(low, high, strict=True), cables, strict=True)) == {
        pair: cables for pair, cables in free.items() if cables
    }
    stay, moved = _most_moved(plan, plan.place.tolist())
    assert (plan.kept, plan.moved) == (stay, moved)


def test_planned_growth_moves_nothing() -> None:
    """From a stage of a fabric that was planned for growth to the next no cable end is unplugged."""
    study = fabric.design(
        {"gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700", "tiers": 2,
         "unit_gpus": 256, "grow_to_gpus": [512, 1024]}
    )  # fmt: skip
    for before, after in zip(study.stages, study.stages[1:], strict=False):
        plan = plan_moves(before.blueprint, after.blueprint)
        assert (plan.unplugged, plan.bound) == (0, 0)


def test_a_tier_that_is_gone_is_named() -> None:
    """From three tiers to two no cable of the core could stay."""
    with pytest.raises(InputError, match=r"has no core; ask for as many tiers"):
        plan_moves(_design(16, tiers=3), _design(20))


def test_switches_of_one_tier_are_refused() -> None:
    """A torus joins switches with each other, for which no bound is known here."""
    with pytest.raises(InputError, match=r"torus joins switches of one tier; fabric diff compares"):
        plan_moves(_design(16, family="torus", tiers="any"), _design(32, family="torus", tiers="any"))
