"""The bound of a collective, compared with all cuts of small fabrics, and with the time of every algorithm."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random

import networkx as nx
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import FabricError, InputError
from fabric.flow import (
    ALGORITHMS,
    COLLECTIVES,
    CollectiveBound,
    Routing,
    Workload,
    bound_collective,
    estimate_workload,
    place,
    router_of,
    summarize,
    usable,
)
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import families
from tests.flow.flow_fabrics import GBPS, fat_tree, rails
from tests.marks import slow


def wire(plan: Blueprint) -> nx.DiGraph:
    """Return a fabric as a graph: GPUs, each at an NVLink switch of its server and its own NIC, and the switches."""
    graph, network, nic = nx.DiGraph(), expand(plan), router_of(plan).nic_of_links()
    for gpu in range(plan.servers * plan.server.gpus):
        switch = ("nvlink", gpu // plan.server.gpus)
        for ends in ((("gpu", gpu), switch), (switch, ("gpu", gpu))):
            graph.add_edge(*ends, capacity=plan.server.nvlink_GBps)
    for row in range(network.links):
        below = ("gpu", int(nic[row])) if row < len(nic) else ("switch", int(network.lower[row]))
        above = ("switch", int(network.upper[row]))
        for ends in ((below, above), (above, below)):
            more = graph.get_edge_data(*ends, {"capacity": 0.0})["capacity"]
            graph.add_edge(*ends, capacity=more + network.rate_gbps[row] / 8)
    return graph


def partitions(ranks: list[int]) -> Iterator[list[frozenset[int]]]:
    """Yield every way to part the ranks into sets."""
    if not ranks:
        yield []
        return
    for parts in partitions(ranks[1:]):
        yield [frozenset(ranks[:1]), *parts]
        for number, part in enumerate(parts):
            yield [*parts[:number], part | {ranks[0]}, *parts[number + 1 :]]


def crossing(collective: str, inside: int, ranks: int) -> float:
    """Return what must cross the border of a set of ranks one way, over the size."""
    if collective == "all-reduce":
        return 1.0
    pairs, parts = inside * (ranks - inside), max(inside, ranks - inside)
    return (pairs if collective == "all-to-all" else parts) / ranks


def bound_by_all_cuts(plan: Blueprint, gpus: list[int], collective: str) -> float:
    """Return the least seconds per GB by every set of ranks and, for an all-reduce, every partition into sets."""
    graph, ranks = wire(plan), len(gpus)

    @cache
    def cut(inside: frozenset[int]) -> float:
        joined = graph.copy()
        for gpu in gpus:
            ends = ("all inside", ("gpu", gpu)) if gpu in inside else (("gpu", gpu), "all outside")
            joined.add_edge(*ends)
        return float(nx.maximum_flow_value(joined, "all inside", "all outside"))

    sets = [part for parts in partitions(gpus) if len(parts) == 2 for part in parts]
    found = max(crossing(collective, len(each), ranks) / cut(each) for each in sets)
    if collective != "all-reduce":
        return float(found)
    every = (parts for parts in partitions(gpus) if len(parts) > 1)
    return float(max(found, *(2 * (len(parts) - 1) / sum(map(cut, parts)) for parts in every)))


def small_plans(trials: int, most: int) -> Iterator[Blueprint]:
    """Yield drawn fabrics of every family with few enough GPUs for all cuts."""
    for family in families().values():
        for form in family.forms:
            for seed in range(trials):
                plan = random_blueprint(form, Random(f"{form.text}{seed}"))
                if plan.servers > 1 and 2 <= plan.gpus <= most:
                    yield plan


@pytest.mark.parametrize("trials", [2, *slow(20)])
def test_the_bound_is_that_of_all_cuts(trials: int) -> None:
    """On drawn fabrics, full or not, no set of ranks and no partition into sets bounds less, and few bound more.

    More does a partition into GPUs and servers, a half of a lattice, and the one switch of a server that forwards.
    """
    equal = list[bool]()
    for plan in small_plans(trials, 5 if trials < 10 else 7):
        for ranks in sorted({plan.gpus, plan.gpus - 1} - {1}):
            for collective in ("all-reduce", "all-gather", "all-to-all"):
                got = bound_collective(plan, collective, ranks)
                assert got is not None
                least = bound_by_all_cuts(plan, list(range(ranks)), collective)
                assert got.seconds_per_GB <= least * (1 + 1e-9)
                if not plan.topology.routing.server_relay:
                    equal.append(got.seconds_per_GB >= least * (1 - 1e-9))
    assert sum(equal) >= 0.98 * len(equal)


@pytest.mark.parametrize("name", ["superpod-h100-1su", "meta-llama3-24k", "oci-zettascale-131k", "deepseek-ft2"])
def test_ranks_counted_by_their_places_have_the_bound_of_those_in_order(name: str) -> None:
    """The GPUs of a placement in order, and of all servers in random order, have the bound that takes no counting."""
    plan = fabric.design(name).blueprint
    for collective in COLLECTIVES:
        for gpus in (plan.gpus, plan.gpus // 2 + 3, plan.server.gpus + 1, 2):
            counted = bound_collective(plan, collective, place(plan, "contiguous", gpus))
            assert same(counted, bound_collective(plan, collective, gpus))
        drawn = bound_collective(plan, collective, place(plan, "random", seed=2))
        assert same(drawn, bound_collective(plan, collective))


def same(bound: CollectiveBound | None, other: CollectiveBound | None) -> bool:
    """Return whether two bounds are equal within rounding."""
    assert bound is not None
    assert other is not None
    pairs = [(each.busbw_GBps, each.seconds_per_GB, each.in_network_GBps or 0.0) for each in (bound, other)]
    return bound.cut == other.cut and pairs[0] == pytest.approx(pairs[1])


def test_groups_share_what_leaves_a_server() -> None:
    """Eight rings, each of one GPU of every server, have an eighth of the NICs each; a ring of all GPUs has all."""
    plan = rails(32)
    each, whole = bound_collective(plan, gpus=place(plan, "strided", stride=8)), bound_collective(plan)
    assert each is not None
    assert whole is not None
    assert (each.cut, whole.cut) == ("server", "server")
    assert whole.busbw_GBps == pytest.approx(8 * GBPS / 8 * (255 / 256) * (32 / 31))
    assert each.busbw_GBps == pytest.approx(GBPS / 8)


def test_oversubscription_bounds_an_all_to_all() -> None:
    """Of four units of eight hosts at 4:1 each sends three quarters of its data over its two uplinks."""
    found = bound_collective(fat_tree(2, 8, 4, ratio=4), "all-to-all")
    assert found is not None
    assert found.cut == "unit"
    assert found.seconds_per_GB == pytest.approx(8 * 24 / 32 / (2 * GBPS / 8))


def test_switches_that_reduce_carry_the_data_once() -> None:
    """A host sends and receives all data once where switches reduce, and else nearly twice."""
    plan = fat_tree(2, 8, 4, ratio=4)
    plain, found = bound_collective(plan), bound_collective(plan, in_network=True)
    assert plain is not None
    assert found is not None
    assert (found.cut, plain.in_network_GBps) == ("server", None)
    assert found.busbw_GBps == pytest.approx(GBPS / 8)
    assert found.in_network_GBps == pytest.approx(2 * 31 / 32 * GBPS / 8)


def test_a_part_of_the_last_unit_bounds_halves_more_than_a_full_one() -> None:
    """Nine hosts on units of eight: the ninth needs the parts of all others over one NIC, a ratio of 8:1 or not."""
    plan = fat_tree(2, 8, 4, ratio=8)
    nine = bound_collective(plan, "all-gather", 9)
    assert nine is not None
    assert nine.seconds_per_GB == pytest.approx((8 / 9) / (GBPS / 8))


def test_nothing_is_bounded_without_partners_or_a_rule() -> None:
    """A single rank exchanges nothing; more GPUs than there are, and unknown collectives, are refused."""
    plan = rails(8)
    assert bound_collective(plan, gpus=1) is None
    with pytest.raises(InputError, match="take 1 to 64"):
        bound_collective(plan, gpus=65)
    with pytest.raises(InputError, match="all-redce"):
        bound_collective(plan, "all-redce")


@pytest.mark.parametrize("trials", [2, *slow(40)])
def test_no_algorithm_exceeds_the_bound(trials: int) -> None:
    """On drawn designs, on all GPUs in random order or on the first, no algorithm has more than the bound."""
    random, timed = Random(5), 0
    for _ in range(trials):
        plan = drawn_design(random)
        for gpus, placement in ((None, "random"), (random.randint(2, plan.gpus), "contiguous")):
            for collective, algorithm in product(COLLECTIVES, ALGORITHMS.values()):
                able = algorithm.name in usable(summarize(plan).first(gpus), collective)
                if not able or not (algorithm.flows or gpus is None):
                    continue
                bound = bound_collective(plan, collective, gpus)
                assert bound is not None
                most = bound.in_network_GBps if algorithm.name == "sharp" else bound.busbw_GBps
                assert most is not None
                # By default the closed form answers where it can.
                for engine in (None, "flows") if algorithm.flows else (None,):
                    routing = Routing(random.choice(["adaptive", "ecmp"]), 2)
                    work = Workload(collective, gpus, algorithm.name, routing, placement, engine=engine)
                    (found,), _ = estimate_workload(plan, work, [2**34])
                    assert found.estimate.busbw_GBps <= most * uniform(plan, found.engine) * (1 + 1e-9), (work, bound)
                    timed += 1
    assert timed > 10 * trials


@pytest.mark.parametrize("engine", [None, "closed"])
def test_what_has_no_flows_is_estimated_in_closed_form(engine: str | None) -> None:
    """On a direct network too, whose hashed rings take flows."""
    plan = fabric.design(gpus=72, server="hgx-h100", family="mesh", oversubscription=2).blueprint
    work = Workload("all-reduce", None, "sharp", Routing("ecmp", 2), "random", engine=engine)
    (found,), _ = estimate_workload(plan, work, [2**34])
    assert found.engine == "closed"
    assert found.estimate.busbw_GBps > 0


def uniform(plan: Blueprint, engine: str) -> float:
    """Return how much more than the cut around a switch the closed form of a direct network gives uniform traffic.

    It takes each of n servers to send to all n, itself included, and so a share of 1 / n less out of its switch.
    """
    return 1.0 if engine == "flows" or plan.topology.ratios_are_cuts else plan.servers / (plan.servers - 1)


def drawn_design(random: Random) -> Blueprint:
    """Return a design of some dozen or hundred GPUs of any family, at 1:1 to 4:1."""
    while True:
        family = random.choice([*families()])
        # Flows on direct networks take long: a dozen servers show as much as forty.
        servers = ["hgx-h100", "hgx-b200", "hgx-a100", "gb200-nvl72"]
        tiered = families()[family].layered
        words = {
            "server": random.choice(servers if tiered else servers[:3]),
            "gpus": 72 * random.randint(2, 5) if tiered else 8 * random.randint(4, 12),
            "oversubscription": random.choice([1, 2, 4]),
            "family": family,
        }
        try:
            return fabric.design(words).blueprint
        except FabricError:  # the family has no fabric of these servers, or none at this ratio
            continue
