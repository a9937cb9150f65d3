"""Closed forms of collectives: they grow with size and scale, and stay below the hardware."""

from __future__ import annotations

import math
from itertools import product
from random import Random

import pytest

import fabric
from fabric.catalog import collectives
from fabric.errors import InputError
from fabric.flow import ALGORITHMS, COLLECTIVES, allreduce, ecmp_bottleneck, phases, place, summarize, usable
from fabric.flow.machines import sent_bytes
from fabric.flow.routings import closed_form_routings
from fabric.testing import random_blueprint
from fabric.topology.families import CLOS
from tests.network.test_network import blueprint

SIZES = [2**power for power in range(10, 36, 5)]


@pytest.mark.parametrize("routing", closed_form_routings())
def test_time_grows_with_size_and_bus_bandwidth_stays_below_the_hardware(routing: str) -> None:
    """A larger message takes longer, and busbw never exceeds what NVLink or the NICs give a GPU's ring."""
    plan = blueprint()
    estimates = [allreduce(plan, size, routing) for size in SIZES]
    times = [estimate.time_s for estimate in estimates]
    assert times == sorted(times)
    assert all(estimate.busbw_GBps <= min(450, 8 * 50) for estimate in estimates)


def test_algbw_and_busbw_are_those_of_nccl_tests() -> None:
    """Algbw is size over time, and busbw 2(n-1)/n of it."""
    estimate = allreduce(blueprint(), 2**30)
    assert math.isclose(estimate.algbw_GBps, 2**30 / estimate.time_s / 1e9)
    assert math.isclose(estimate.busbw_GBps, estimate.algbw_GBps * 2 * 99_999 / 100_000)


def test_a_flat_ring_of_a_hundred_thousand_is_all_latency() -> None:
    """A ring through 100,000 GPUs takes 199,998 steps: its time is at least that of its 24,998 network steps."""
    estimate = allreduce(blueprint(), 2**20, algorithm="ring")
    assert estimate.limited_by == "latency"
    least = min(2 * 12_499 * protocol.ring.network_us for protocol in collectives().protocols) * 1e-6
    assert estimate.time_s > least


def test_more_gpus_never_make_an_all_reduce_faster() -> None:
    """At equal size, the time does not fall as pods are added."""
    for size in (2**20, 2**30):
        times = [allreduce(blueprint(2048 * pods, pods), size).time_s for pods in (1, 2, 8, 32, 49)]
        assert times == sorted(times)


def test_adaptive_routing_is_never_slower_than_hashing() -> None:
    """At any size, on any fabric and with any algorithm, ECMP is not faster."""
    random = Random(4)
    for family in CLOS:
        for form in family.forms:
            plan = random_blueprint(form, random)
            for size, algorithm in product(SIZES, usable(summarize(plan), "all-reduce")):
                adaptive, ecmp = (allreduce(plan, size, routing, algorithm).time_s for routing in ("adaptive", "ecmp"))
                assert adaptive <= ecmp * (1 + 1e-12)


def test_no_collision_without_a_choice_of_paths() -> None:
    """Traffic that never leaves its leaf meets no collision, and one flow on many links hardly does."""
    assert ecmp_bottleneck(10, 1, 1e-9) == 1.0


def test_a_choice_at_any_tier_makes_several_paths() -> None:
    """A leaf of one uplink below a spine of many leaves a choice to routing, and one below a spine of one doesn't."""
    words = {"gpus": 512, "server": "hgx-h100", "family": "fat-tree", "tiers": 3}
    pins = {"slot": 1, "block": 8, "stripe": 1, "group": 1, "spine": 1, "leaf-spine": 1, "spine-core": 1}
    for cores, several in ((8, True), (1, False)):
        plan = fabric.design({**words, "switches": "sn5600", "oversubscription": 64, "pinned": {**pins, "core": cores}})
        assert summarize(plan.blueprint).several_paths is several


@pytest.mark.parametrize(
    "words", [{"routing": "magic"}, {"algorithm": "rings"}, {"size_bytes": 0}, {"size_bytes": "1GiB"}]
)
def test_unknown_words_are_refused(words: dict[str, object]) -> None:
    """An unknown routing or algorithm, or a size of nothing, is bad input."""
    with pytest.raises(InputError):
        allreduce(blueprint(), **{"size_bytes": 1024} | words)  # type: ignore[arg-type]


@pytest.mark.parametrize("servers", [3, 8, 9, 16, 17, 24])
def test_a_ring_in_order_passes_the_switches_that_are_counted(servers: int) -> None:
    """The mean switches between neighbours are those of the ring over the slots, one or three a step."""
    plan = fabric.design(
        gpus=8 * servers, server="hgx-h100", switches="sn5600", family="fat-tree", tiers=2, unit_gpus=64
    )
    steps = [1 if at // 8 == (at + 1) % servers // 8 else 3 for at in range(servers)]
    assert summarize(plan.blueprint).neighbour_hops == pytest.approx(sum(steps) / servers)


@pytest.mark.parametrize("servers", [2, 3, 4, 5, 8, 12])
def test_closed_form_and_flows_count_the_same_bytes_of_a_tree(servers: int) -> None:
    """The busiest server of a double binary tree sends 1, 1.5 or 2 times the bytes: on 2, 3 or more servers."""
    plan = blueprint(8 * servers, 1)
    for name in ("tree", "nvls-tree", "hierarchical-tree"):
        sent = sent_bytes(summarize(plan), COLLECTIVES["all-reduce"], ALGORITHMS[name])
        (phase,) = phases(plan.server, place(plan), "all-reduce", name)
        assert sent == pytest.approx(8 * phase.busiest) == min(servers / 2, 2)
