"""Explicit flows and transports compared with packet simulations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.packets import Ring, Run, answer, fit, ring_us, rings, runs
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow import (
    TRANSPORTS,
    Phase,
    Routing,
    Workload,
    cross_rails,
    estimate_workload,
    max_min,
    permutation,
    route,
    shares,
    shift,
)
from fabric.flow.throughput import flow_shares
from fabric.topology.families import families
from tests.flow.flow_fabrics import crossing, fat_tree, form_of, sized, small_fabrics
from tests.flow.sequential_all_to_all import all_to_all_s

ATOP_MS = {"rail-optimized": 4.511, "hpn": 2.608, "dragonfly": 5.204}
"""NS-3's times of 64 MB all to all on 64 GPUs, with 5 us a link (ATOP, SIGCOMM 2025, doi 10.1145/3718958.3750503)."""


def of_atop(name: str) -> Blueprint:
    """Return the fabric that ATOP's packets ran on: 320, 192 and 876 switches."""
    if name == "dragonfly":
        return sized(form_of(name, 1), 73 * 12 * 6, group=73, router=12, slot=6, **{"global": 6})
    if name == "hpn":
        return sized(form_of(name, 2), 512, gpus=8, segment=8, slot=64, rail=8, spine=32, plane=2)
    form = next(form for form in families()[name].forms if "spine(pod, rail" in form.text)
    copies = {"leaf-spine": 2, "spine-core": 8}
    return sized(form, 512, gpus=8, pod=1, block=16, slot=32, rail=8, group=16, core=4, **copies)


@pytest.mark.parametrize(
    ("name", "seeds"), [("rail-optimized", 1), *(pytest.param(name, 3, marks=pytest.mark.slow) for name in ATOP_MS)]
)
def test_packets_all_to_all_of_atop(name: str, seeds: int) -> None:
    """GPUs that send to the others in turn, each at its own pace, under ECMP take as long as NS-3's within 10 %."""
    plan = of_atop(name)
    assert plan.switches == {"rail-optimized": 320, "hpn": 192, "dragonfly": 876}[name]
    qps = 2 if name == "hpn" else 1
    found = [all_to_all_s(plan, 64, 8, 1e6, Routing("ecmp", qps, seed), 5e-6) for seed in range(seeds)]
    assert sum(found) / seeds == pytest.approx(ATOP_MS[name] * 1e-3, rel=0.1)


@pytest.mark.parametrize("run", runs(), ids=lambda run: f"{run.transport}-{run.strategy}-{run.paths}")
def test_permutations_get_what_packets_get(run: Run) -> None:
    """The mean share of line rate of a permutation is within 8 % of the packets' on the same fat tree."""
    assert answer(run) == pytest.approx(run.mean, rel=0.08)


@pytest.mark.parametrize(
    "ring", [ring for ring in rings() if ring.chunk_bytes >= 10**6], ids=lambda r: f"{r.transport}-{r.placement}"
)
def test_rings_take_as_long_as_packets(ring: Ring) -> None:
    """A ring all-reduce with a new path for every chunk takes as long as the packets within 8 %."""
    assert ring_us(ring) == pytest.approx(ring.time_us, rel=0.08)


def test_constants_of_transports_are_those_fitted_to_packets() -> None:
    """The constants in the catalogue are those that the fit finds, rounded, but for what one size of tree can't say."""
    known, found = TRANSPORTS["ndp"], fit("ndp")
    assert (found.stream_rebalance, found.message_rebalance) == pytest.approx([known.stream_rebalance] * 2, abs=5e-3)
    for own, fitted in ((known.ordered, found.ordered), (known.sprayed, found.sprayed)):
        assert (fitted.share, fitted.tier_cost) == pytest.approx((own.share, own.tier_cost), abs=5e-4)
    known, found = TRANSPORTS["roce-pfc"], fit("roce-pfc")
    assert found.ordered.share == pytest.approx(known.ordered.share, abs=5e-4)
    assert (found.sprayed, known.sprayed) == (None, None)
    assert known.ordered.tier_cost < found.ordered.tier_cost < 1.25 * known.ordered.tier_cost


def drawn_permutations(trials: int) -> Iterator[tuple[Blueprint, Phase, int]]:
    """Yield random permutations over drawn fabrics of every built-in Clos form, as they leave servers, with seeds."""
    for plan, seed in small_fabrics(trials):
        phase = crossing(plan, permutation(np.arange(plan.servers * plan.server.nics), seed))
        if phase.flows:
            yield plan, cross_rails(plan, phase, pxn=False), seed


@pytest.mark.parametrize("paths", [1, 2, 4, 16])
def test_flows_get_between_the_even_deal_and_the_sum_of_sub_flows(paths: int) -> None:
    """But for the cost of tiers, each flow gets no less than the even deal and no more than the sum of sub-flows."""
    seen = 0
    for plan, phase, seed in drawn_permutations(2):
        for transport in TRANSPORTS.values():
            routing = Routing("ecmp", paths, seed, transport=transport.name).over(plan.planes)
            if transport.delivery(sprays=False, queue_pairs=routing.qps) is None:
                continue
            routes = route(plan, phase, routing)
            rates = max_min(routes)
            each = rates.reshape(phase.flows, -1) * (phase.busiest / plan.link_gbps / plan.planes)
            got = flow_shares(plan, phase, rates, routing, transport.stream_rebalance)
            assert (got >= np.minimum(1, each.min(axis=1) * routing.qps) - 1e-9).all()
            assert (got <= np.minimum(1, each.sum(axis=1)) + 1e-9).all()
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("ratio", [1, 2])
def test_spraying_costs_more_the_more_tiers_it_crosses(ratio: int) -> None:
    """The same traffic loses more on every further tier, on an intact fabric and where the leaf is the limit."""
    got = []
    for tiers in (2, 3, 4):
        plan = fat_tree(tiers, 4, 2, ratio)
        far = shift(np.arange(plan.servers), plan.servers // 2)
        found, free = (shares(plan, [far], Routing(transport=name)) for name in ("ndp", "ideal"))
        assert free.mean == free.min == 1 / ratio
        got.append(found.mean)
    cost = TRANSPORTS["ndp"].sprayed.tier_cost
    assert got == pytest.approx([(1 - cost) ** tiers / ratio for tiers in (1, 2, 3)])


def test_spraying_costs_on_a_lone_path_too() -> None:
    """One flow through one spine pays for the tier that it climbs as all others do."""
    plan = sized(form_of("fat-tree", 2), 2, block=2, slot=1)
    lone = Phase(np.array([0]), np.array([1]))
    cost = TRANSPORTS["ndp"].sprayed.tier_cost
    assert shares(plan, [lone], Routing(transport="ndp")).min == pytest.approx(1 - cost)
    assert shares(plan, [lone], Routing("ecmp", 4, transport="ndp")).min == pytest.approx(1 - cost)


@pytest.mark.parametrize("half", [4, 8, 16])
def test_lossless_ethernet_on_one_path_is_well_below_max_min(half: int) -> None:
    """RoCE with PFC gets 13 to 16 % less than max-min fair shares on trees of 128 to 8,192 hosts on average."""
    plan, losses = fat_tree(3, half, 2 * half), []
    for seed in range(64 // half):
        phase = permutation(np.arange(plan.servers), seed)
        fair, found = (
            way.delivery.share * shares(plan, [phase], way).mean
            for way in (Routing("ecmp", 1, seed, transport=name) for name in ("ideal", "roce-pfc"))
        )
        losses.append(1 - found / fair)
    assert 0.125 < np.mean(losses) < 0.165


def test_unknown_orders_of_packets_and_transports_are_refused() -> None:
    """A transport that was not measured with packets on several paths is not sprayed, and a wrong name has a remedy."""
    with pytest.raises(InputError, match="was not measured with packets on several paths, as adaptive routing"):
        Routing(transport="roce-pfc")
    with pytest.raises(InputError, match="unknown transport 'rocepfc'; did you mean 'roce-pfc'"):
        Routing(transport="rocepfc")


def test_costs_of_packets_are_not_taken_for_collisions() -> None:
    """On an intact fabric a sprayed collective is limited by its NICs, whatever its packets cost on the way."""
    work = Workload(algorithm="ring", routing=Routing(transport="ndp"))
    found, usual = (
        estimate_workload(fat_tree(3, 4, 4), each, [2**30])[0][0] for each in (work, replace(work, routing=Routing()))
    )
    assert found.engine == "flows"
    assert found.estimate.limited_by == usual.estimate.limited_by == "NIC"
    assert found.min < usual.min
    with pytest.raises(InputError, match="no closed form for transport ndp"):
        estimate_workload(fat_tree(3, 4, 4), replace(work, engine="closed"), [2**30])


def test_a_collective_takes_as_long_as_its_transport_lets_it() -> None:
    """The network of a ring takes its bytes over the share that its slowest flow has of line rate, by any transport."""
    plan, size = fat_tree(3, 4, 4), 2**34
    for name in TRANSPORTS:
        for qps in (1, 4):
            work = Workload(algorithm="ring", routing=Routing("ecmp", qps, 5, transport=name), engine="flows")
            (found,), _ = estimate_workload(plan, work, [size])
            wire = 2 * (1 - 1 / plan.gpus) * size / (plan.link_gbps / 8 * 1e9)
            assert found.estimate.limited_by == "collisions"
            assert found.estimate.time_s == pytest.approx(wire / found.min, rel=0.02)
