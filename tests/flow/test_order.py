"""Order comes out of the model: what is better for traffic is never slower, and no cut carries more than it can."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import (
    FabricSummary,
    Routing,
    Workload,
    allreduce,
    estimate_workload,
    phases,
    place,
    shares,
    summarize,
)
from fabric.flow.algorithms import algorithm_of, algorithms_of
from fabric.flow.collectives import COLLECTIVES
from fabric.network.expand import expand
from tests.flow.drawn_workloads import SIZE, draw_design, draw_workload
from tests.marks import slow

SEEDS = 32
"""The seeds over which order holds on average, within two standard errors."""

NUMBERS = [range(8), *slow(range(8, 40), range(40, 72))]
"""The numbers of draws."""


def draws(numbers: range) -> Iterator[tuple[Blueprint, Workload]]:
    """Yield designs of several tiers with a collective that has flows on several of their servers."""
    for number in numbers:
        random = Random(f"order {number}")
        plan, work = None, None
        while plan is None or plan.tiers == 1 or work is None or (work.gpus or plan.gpus) <= plan.server.gpus:
            plan = draw_design(random)
            work = draw_workload(random, plan)
        named = [each.name for each in algorithms_of(COLLECTIVES[work.collective]) if each.flows and each.time]
        yield plan, replace(work, algorithm=work.algorithm or named[0])


def wire_s(plan: Blueprint, work: Workload, routing: Routing) -> float:
    """Return the seconds per byte that a workload's flows take on the links."""
    assert work.algorithm is not None
    gpus = place(plan, work.placement, work.gpus, seed=work.seed, stride=work.stride)
    qps = algorithm_of(work.collective, work.algorithm).traffic.queue_pairs(routing.qps)
    every = phases(plan.server, gpus, work.collective, work.algorithm)
    return shares(plan, every, replace(routing, qps=qps).over(plan.planes)).wire_s


def never_slower(better: list[float], worse: list[float]) -> bool:
    """Return whether paired times are no longer on average, within two standard errors."""
    more = [one / other - 1 for one, other in zip(better, worse, strict=True) if other]
    return not more or statistics.fmean(more) <= 2 * statistics.stdev(more) / math.sqrt(len(more)) + 1e-9


def hashed(plan: Blueprint, work: Workload, qps: int) -> list[float]:
    """Return the seconds per byte under ECMP with each of the seeds."""
    return [wire_s(plan, replace(work, seed=seed), Routing("ecmp", qps, seed)) for seed in range(SEEDS)]


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_adaptive_is_never_below_ecmp(numbers: range) -> None:
    """With every seed, sprayed packets take no longer on the links than hashed queue pairs."""
    for plan, work in draws(numbers):
        for seed in range(4):
            drawn = replace(work, seed=seed)
            sprayed = wire_s(plan, drawn, Routing("adaptive"))
            assert sprayed <= wire_s(plan, drawn, Routing("ecmp", 2, seed)) * (1 + 1e-9)


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_more_queue_pairs_are_never_slower(numbers: range) -> None:
    """Two, four and eight times the queue pairs that fill the planes take no longer, on average over seeds."""
    for plan, work in draws(numbers):
        if COLLECTIVES[work.collective].all_pairs:
            continue  # as many sub-flows as there are pairs of NICs, whatever the queue pairs
        times = [hashed(plan, work, 2 * plan.planes * more) for more in (1, 2, 4)]
        assert all(never_slower(after, before) for before, after in pairwise(times)), (plan, work)


def with_more_links(plan: Blueprint, bundle: int) -> Blueprint:
    """Return a design with twice the links up from one tier."""
    name = plan.topology.fabric_bundles[bundle].name
    return replace(plan, sizes={**plan.sizes, name: 2 * plan.sizes[name]})


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_less_oversubscription_is_never_slower(numbers: range) -> None:
    """Twice the links above a tier take no longer: exactly where packets are sprayed, under ECMP on average."""
    for plan, work in draws(numbers):
        if plan.topology.balanced_bundles:
            continue  # their links are counted by switch
        for bundle in range(plan.tiers - 1):
            more = with_more_links(plan, bundle)
            every = (wire_s(each, work, Routing("adaptive")) for each in (more, plan))
            assert next(every) <= next(every) * (1 + 1e-9)
            assert never_slower(hashed(more, work, 2), hashed(plan, work, 2)), (plan, work, bundle)


@pytest.mark.parametrize("engine", [None, "flows"])
@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_no_leaf_sends_more_than_its_links_carry(numbers: range, engine: str | None) -> None:
    """The bytes that go out of a leaf of the network laid out take the time of a collective or less, by both engines.

    The closed form may be as far below as it may be from flows.
    """
    room = 1.05 if engine is None else 1 + 1e-6
    for plan, work in draws(numbers):
        (found,), _ = estimate_workload(plan, replace(work, engine=engine), [SIZE])
        assert leaf_s(plan, work) * SIZE <= found.estimate.time_s * room


def leaf_s(plan: Blueprint, work: Workload) -> float:
    """Return the seconds per byte that the busiest leaf's links up take, one phase after another, by the network.

    Rails are those of the NICs where they meet; where they never do, traffic stays on them.
    """
    network = expand(plan)
    leaves = network.group(plan.topology.roles[0])
    hosts = sum(plan.links(bundle) for bundle in plan.topology.host_bundles)
    up = np.zeros(network.devices)
    np.add.at(up, network.lower[hosts:], network.rate_gbps[hosts:])
    up = up[leaves.first : leaves.first + leaves.count] * 1e9 / 8
    nic = nic_rows(plan)
    leaf_of = np.zeros((plan.nics, plan.planes), np.int64)
    rows = np.argsort(nic, kind="stable")
    leaf_of[nic[rows], np.tile(np.arange(plan.planes), plan.nics)] = network.upper[:hosts][rows] - leaves.first
    gpus = place(plan, work.placement, work.gpus, seed=work.seed, stride=work.stride)
    total = 0.0
    for phase in phases(plan.server, gpus, work.collective, work.algorithm or ""):
        if not plan.topology.rails_meet_at or not phase.flows:
            return 0.0  # NVLink may keep them below the leaf
        load = np.zeros(leaves.count)
        for plane in range(plan.planes):
            source, target = leaf_of[phase.source, plane], leaf_of[phase.target, plane]
            out = source != target
            np.add.at(load, source[out], phase.shares[out] / plan.planes)
        total += float(np.divide(load, up, out=np.zeros(len(load)), where=up > 0).max())
    return total


def nic_rows(plan: Blueprint) -> np.ndarray:
    """Return the NIC of each host link."""
    from fabric.flow import router_of

    return router_of(plan).nic_of_links()


@pytest.mark.parametrize("routing", ["adaptive", "ecmp"])
def test_a_better_summary_is_never_slower(routing: str) -> None:
    """In random order larger places, lower ratios and fewer rails that have not met never cost time, as proofs need."""
    for number in range(150):
        random = Random(f"summary {number}")
        plan = draw_design(random)
        summary = replace(
            summarize(plan), ratios=tuple(random.choice([1.0, 1.5, 2.0, 4.0]) for _ in range(plan.tiers - 1))
        )
        for algorithm in ("ring", "tree"):
            before = allreduce(summary, SIZE, routing, algorithm).time_s
            for better in improved(summary):
                assert allreduce(better, SIZE, routing, algorithm).time_s <= before * (1 + 1e-9), (summary, better)


def improved(summary: FabricSummary) -> Iterator[FabricSummary]:
    """Yield summaries that are better in one number."""
    for tier in range(len(summary.ratios)):
        peers, ratios, unmet = (list(each) for each in (summary.peers, summary.ratios, summary.unmet_rails))
        peers[tier:] = [each * 2 for each in peers[tier:]]
        ratios[tier] = max(1.0, ratios[tier] - 0.5)
        unmet[tier] = 1 if unmet[tier] == 2 else unmet[tier]
        yield replace(summary, peers=tuple(peers))
        yield replace(summary, ratios=tuple(ratios))
        yield replace(summary, unmet_rails=tuple(unmet))


KINDS: tuple[Callable[[Blueprint], int], ...] = (lambda plan: plan.tiers, lambda plan: plan.planes)


def test_draws_differ() -> None:
    """Among the draws are several numbers of tiers and planes."""
    plans = [plan for plan, _ in draws(range(40))]
    assert all(len({kind(plan) for plan in plans}) > 1 for kind in KINDS)
