"""The time of a step's messages in closed form, against explicit flows and what is known of simple cases."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow import COLLECTIVES, Phase, Routing, estimate, shares, summarize
from fabric.flow.algorithms import algorithm_of
from fabric.flow.traffic import phases
from fabric.request.parallel import ORDERS, Parallel
from fabric.training.counted_network import CountedNetwork
from fabric.training.groups import Run
from fabric.training.link_loads import lay_phases
from fabric.training.message import Message
from fabric.training.network_time import NetworkTime
from fabric.training.ranks import group_ranks, place_run
from tests.flow.drawn_workloads import draw_design, with_several_nics
from tests.flow.flow_fabrics import fat_tree, form_of, sized
from tests.marks import slow
from tests.training.drawn_runs import draw_run

GROUPS = (("tp",), ("cp",), ("dp",), ("cp", "dp"), ("pp",), ("ep",), ("edp",))


@pytest.mark.parametrize("number", [*range(50), *slow(*range(50, 80))])
def test_counted_loads_are_those_of_flows(number: int) -> None:
    """What is counted at each cut takes as long as explicit flows do, for any order of ranks, group and collective."""
    random = Random(number)
    plan = draw_design(random)
    plan = with_several_nics(random, plan) if number % 4 == 0 else plan
    run, routing = draw_run(random, plan.gpus, plan.server.gpus), Routing(pxn=random.random() < 0.3)
    placement = random.sample(range(plan.gpus), run.gpus) if number % 5 == 0 else None
    network = CountedNetwork(plan, summarize(plan), routing)
    group = Run(plan, run, placement).group(random.choice(GROUPS), network.summary)
    collective, name = random.choice(
        [("all-gather", "ring"), ("all-reduce", "ring"), ("all-reduce", "tree"), ("all-to-all", "pairwise")]
    )
    algorithm = algorithm_of(collective, name)
    flows = shares(plan, lay_phases(group.run.hosts, group.gpus, COLLECTIVES[collective], algorithm), routing)
    if not flows.flows:
        return
    every = [network.count_flows(collective, group, algorithm), network.count_servers(collective, group, algorithm)]
    for loads in filter(None, every):
        network._counted[collective, group.axes, algorithm.flows, False] = loads
        found = network.wire(collective, group, algorithm, 1)
        assert found.fits_s == pytest.approx(flows.wire_s, rel=1e-6)
        assert found.taken_s == pytest.approx(found.fits_s)
    if all(every):
        one, two = (each[0] for each in every)
        assert one.turns / one.turns.sum() == pytest.approx(two.turns / two.turns.sum())
        assert one.partners == two.partners
        for ours, theirs in zip(one.layers, two.layers, strict=True):
            np.testing.assert_allclose(ours, np.broadcast_to(theirs, ours.shape))


def test_most_runs_are_counted_by_server() -> None:
    """Runs of powers of two in either order are counted from server to server, whatever the group."""
    plan = sized(form_of("rail-optimized", 2), 32, 8, block=4, slot=8, rail=8, spine=8)
    network = CountedNetwork(plan, summarize(plan), Routing())
    for order in ORDERS:
        for degrees in ({"tp": 8, "pp": 4, "dp": 8}, {"tp": 2, "cp": 2, "pp": 4, "dp": 16}, {"dp": 256}):
            run = Run(plan, Parallel(**degrees, ep=16, order=order))
            assert all(run.group(axes, network.summary).servers is not None for axes in GROUPS)


@pytest.mark.parametrize("number", range(20))
def test_phases_of_equal_groups_are_those_of_placements(number: int) -> None:
    """Groups in equal numbers of servers are laid out as any placement is."""
    random = Random(number)
    plan = draw_design(random)
    run = draw_run(random, plan.gpus, plan.server.gpus)
    gpus, hosts = place_run(plan, run)[group_ranks(run, ("cp", "dp"))], Hosts.of(plan)
    try:
        whole = list(phases(hosts, gpus, "reduce-scatter", "ring"))
    except InputError:
        return  # unlike groups
    (laid,) = lay_phases(hosts, gpus, COLLECTIVES["reduce-scatter"], algorithm_of("reduce-scatter", "ring"))
    assert [laid.source.tolist(), laid.target.tolist()] == [whole[0].source.tolist(), whole[0].target.tolist()]


@pytest.mark.parametrize("number", range(30))
def test_sends_are_those_of_flows(number: int) -> None:
    """A pipeline's sends take as long as flows laid one by one from each rank to the next."""
    random = Random(number)
    plan = draw_design(random)
    run = draw_run(random, plan.gpus, plan.server.gpus)
    network = CountedNetwork(plan, summarize(plan), Routing())
    group, hosts = Run(plan, run).group(("pp",), network.summary), Hosts.of(plan)
    gpus = group.gpus
    ends = [(one, two) for row in gpus.tolist() for one, two in pairwise(row)]
    crossing = [(a, b) for a, b in ends if hosts.server_of_gpu(a) != hosts.server_of_gpu(b)]
    if not crossing:
        return
    each = hosts.shares_of_gpu(gpus)
    source, target = (
        np.array([int(hosts.nic_of_gpu(pair[end], part, each)) for pair in crossing for part in range(each)])
        for end in (0, 1)
    )
    algorithm = algorithm_of("send-recv", "direct")
    found = network.wire("send", group, algorithm, 1)
    expected = shares(plan, [Phase(source, target, 1 / each)]).wire_s
    assert found.fits_s == pytest.approx(expected, rel=1e-6)


def test_a_ring_also_sends_from_its_last_rank() -> None:
    """Keys and values go around: a group of two under two leaves crosses both ways, a pipeline of two one way."""
    plan = fat_tree(2, 4, 4)
    network = CountedNetwork(plan, summarize(plan), Routing())
    group, direct = Run(plan, Parallel(dp=8, pp=2)).group(("pp",), network.summary), algorithm_of("send-recv", "direct")
    once, around = (network.loads(name, group, direct, failed=False)[0] for name in ("send", "send-recv"))
    assert around.layers[0].sum() == 2 * once.layers[0].sum()
    assert around.layers[1].sum() == 2 * once.layers[1].sum() > 0


@pytest.mark.parametrize("collective", ["all-gather", "reduce-scatter", "all-reduce", "all-to-all"])
def test_one_group_is_a_collective_of_its_own(collective: str) -> None:
    """One group of all GPUs takes what the flow model says of that collective over all GPUs in order."""
    plan = sized(form_of("rail-optimized", 2), 32, 8, block=4, slot=8, rail=8, spine=8)
    times = NetworkTime.of(plan, Parallel(dp=256))
    found = times.time(Message("DP", collective, ("dp",), 2**30))
    expected = estimate(plan, collective, 2**30, placement="contiguous")
    assert (found.algorithm, found.protocol) == (expected.algorithm, expected.protocol)
    assert found.total_s == pytest.approx(expected.time_s, rel=0.002)


def test_tensor_parallel_groups_run_on_nvlink() -> None:
    """Groups inside servers take the same time on any network, and no part of it is the network's."""
    message = Message("TP", "all-gather", ("tp",), 2**28)
    run = Parallel(tp=8, dp=16)
    wide, narrow = (
        NetworkTime.of(sized(form_of("rail-optimized", 2), 16, 8, block=4, slot=4, rail=8, spine=spines), run)
        for spines in (4, 1)
    )
    assert wide.time(message) == narrow.time(message) == wide.ideal(message)
    assert wide.time(message).limited_by in ("NVLink", "channels")


def test_parts_add_up() -> None:
    """The parts of a time are its whole; a narrow cut and collisions add to what NICs take."""
    run = Parallel(tp=2, pp=4, dp=16)
    message = Message("DP", "reduce-scatter", ("dp",), 2**32)
    for routing in ("adaptive", "ecmp"):
        times = NetworkTime.of(fat_tree(3, 8, 8, 2), run, routing)
        found = times.time(message, [Message("PP", "send", ("pp",), 2**20)])
        parts = found.latency_s, found.bandwidth_s, found.oversubscription_s, found.collisions_s, found.contention_s
        assert sum(parts) == pytest.approx(found.total_s)
        assert min(parts) > -1e-12
        assert times.ideal(message).total_s <= times.time(message).total_s <= found.total_s


def test_a_pod_that_holds_a_group_saves_the_top() -> None:
    """Ranks whose groups stay below a leaf take what they do at 1:1, however narrow the fabric is above."""
    run = Parallel(dp=4, pp=16)
    message = Message("DP", "all-gather", ("dp",), 2**30)
    wide, narrow = (NetworkTime.of(fat_tree(2, 4, 16, ratio), run) for ratio in (1, 4))
    assert wide.time(message) == narrow.time(message)
    across = Message("PP", "send", ("pp",), 2**30)
    assert narrow.time(across).oversubscription_s == pytest.approx(3 * wide.time(across).bandwidth_s, rel=0.01)


def test_limited_tokens_cross_once_for_each_server() -> None:
    """With at most 4 servers for the 8 experts of a token half of the bytes cross the network (arXiv:2412.19437)."""
    plan = sized(form_of("rail-optimized", 2), 16, 8, block=4, slot=4, rail=8, spine=4)
    times = NetworkTime.of(plan, Parallel(dp=128, ep=64))
    free = Message("EP", "all-to-all", ("ep",), 2**30, copies=8)
    limited = Message("EP", "all-to-all", ("ep",), 2**30, groups=(4, 8), copies=8)
    assert times.time(limited).bandwidth_s == pytest.approx(times.time(free).bandwidth_s / 2, rel=0.01)


def test_groups_of_one_rank_take_no_time() -> None:
    """A degree of one sends nothing."""
    times = NetworkTime.of(fat_tree(2, 4, 4), Parallel(dp=16))
    assert times.time(Message("TP", "all-gather", ("tp",), 2**30)).total_s == 0


def test_rates_beside_others_are_fair() -> None:
    """Two messages of all NICs get half of each, and one that uses other NICs is not in the way."""
    run = Parallel(pp=2, dp=8)
    times = NetworkTime.of(fat_tree(2, 4, 4), run)
    gather = Message("DP", "all-gather", ("dp",), 2**33)
    alone, beside = times.time(gather), times.time(gather, [Message("EP", "reduce-scatter", ("dp",), 2**20)])
    assert beside.contention_s == pytest.approx(alone.bandwidth_s, rel=0.01)
