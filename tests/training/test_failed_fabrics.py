"""The time of a step's messages on a fabric that has lost links, or that other jobs use."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from fabric.errors import InputError
from fabric.flow import COLLECTIVES, Job, Routing, fail, failover, interference, shares, summarize
from fabric.flow.algorithms import algorithm_of
from fabric.flow.failover import servers_up
from fabric.request.parallel import Parallel
from fabric.training.counted_network import CountedNetwork
from fabric.training.groups import Run
from fabric.training.link_loads import lay_phases
from fabric.training.message import Message
from fabric.training.network_time import NetworkTime
from tests.flow.drawn_workloads import draw_design
from tests.flow.flow_fabrics import fat_tree, form_of, sized
from tests.marks import slow
from tests.training.drawn_runs import draw_run

GROUPS = (("cp",), ("dp",), ("cp", "dp"), ("pp",), ("ep",), ("edp",))
FAILURES = ("link:2%", "link:5", "leaf:1", "nic:2", "spine:1", "spine:10%")


def compared(numbers: range, routing: Routing, seeds: int = 1) -> Iterator[tuple[int, float, float]]:
    """Yield the seconds for each byte of drawn messages on drawn failed designs, in closed form and by flows."""
    for number in numbers:
        random = Random(number)
        plan = draw_design(random)
        words = [word for word in FAILURES if word.split(":")[0] in ("link", "nic", *plan.topology.roles)]
        up = fail(plan, [random.choice(words)], number)
        run = draw_run(random, plan.gpus, plan.server.gpus)
        network = CountedNetwork(plan, summarize(plan), routing, up)
        try:
            group = Run(plan, run, None, servers_up(plan, up)).group(random.choice(GROUPS), network.summary)
        except InputError:
            continue
        collective, name = random.choice([("all-gather", "ring"), ("all-to-all", "pairwise")])
        algorithm = algorithm_of(collective, name)
        laid = [
            failover(plan, each, up, pxn=routing.pxn)
            for each in lay_phases(group.run.hosts, group.gpus, COLLECTIVES[collective], algorithm)
            if each.flows
        ]
        flows = [shares(plan, laid, replace(routing, seed=seed).over(plan.planes), up) for seed in range(seeds) if laid]
        if not flows or flows[0].disconnected:
            continue
        yield (
            number,
            network.wire(collective, group, algorithm, routing.qps).failed_s,
            statistics.fmean(each.wire_s for each in flows),
        )


@pytest.mark.parametrize("first", [*range(0, 50, 10), *slow(*range(50, 120, 10))])
def test_sprayed_messages_after_failures(first: int) -> None:
    """After failures of links, NICs, leaves and spines, what is counted takes as long as explicit flows do."""
    for number, closed, flows in compared(range(first, first + 10), Routing()):
        assert closed == pytest.approx(flows, rel=1e-6), number


@pytest.mark.slow
def test_hashed_messages_after_failures() -> None:
    """Under ECMP nine of ten are within 20 % of the mean of flows over seeds, on designs of few links."""
    off = [abs(closed / flows - 1) for _, closed, flows in compared(range(160), Routing("ecmp", qps=2), 6)]
    assert statistics.quantiles(off, n=10)[-1] < 0.20


def test_failures_cost_what_the_links_left_carry() -> None:
    """Without one of four spines a group that crosses them at line rate takes four thirds as long, another as ever."""
    plan = fat_tree(2, 4, 8)
    run = Parallel(dp=4, pp=8)
    times = [NetworkTime.of(plan, run, up=up) for up in (None, fail(plan, ["spine:1"]))]
    across, inside = Message("PP", "send", ("pp",), 2**33), Message("DP", "all-gather", ("dp",), 2**33)
    healthy, failed = (each.time(across) for each in times)
    assert failed.failures_s == pytest.approx(healthy.bandwidth_s / 3)
    assert (failed.limited_by, failed.total_s - failed.failures_s) == ("failures", pytest.approx(healthy.total_s))
    assert times[1].time(inside) == times[0].time(inside)
    assert times[1].ideal(across) == times[0].ideal(across)


def test_runs_avoid_servers_that_are_cut_off() -> None:
    """A run stands on the servers that are left, and is refused where these are too few."""
    plan = sized(form_of("rail-optimized", 2), 16, 8, block=4, slot=4, rail=8, spine=4)
    up = fail(plan, ["server:2"])
    times = NetworkTime.of(plan, Parallel(tp=8, dp=14), up=up)
    assert len(np.unique(times.run.gpus)) == 112
    assert not np.isin(times.run.gpus // 8, np.flatnonzero(~servers_up(plan, up))).any()
    with pytest.raises(InputError, match="needs 128 GPUs; failures leave 112 GPUs on 14 servers; lower dp"):
        _ = NetworkTime.of(plan, Parallel(tp=8, dp=16), up=up).run.gpus


def test_what_is_cut_off_never_ends() -> None:
    """Where ranks cannot reach each other, the step has no time."""
    plan = fat_tree(2, 4, 4)
    times = NetworkTime.of(plan, Parallel(dp=16), up=fail(plan, ["leaf-spine:100%"]))
    with pytest.raises(InputError, match="cut off some ranks"):
        times.time(Message("DP", "all-gather", ("dp",), 2**30))


@pytest.mark.parametrize("number", range(10))
def test_jobs_beside_share_links(number: int) -> None:
    """What a run's ring keeps beside a job is what explicit flows say of two jobs of these GPUs."""
    random, plan = Random(number), fat_tree(3, 4, 4, 2)
    order = random.sample(range(plan.gpus), 56)
    own, other = np.array(order[:32]), Job("other", np.array(order[32:]), "all-gather")
    found = interference(plan, [Job("own", own, "all-gather"), other])[0]
    message = Message("DP", "all-gather", ("dp",), 2**33)
    for jobs, least in (((), found.alone_min), ((other,), found.min)):
        times = NetworkTime.of(plan, Parallel(dp=32), placement=own, jobs=jobs)
        assert times.time(message).share == pytest.approx(least)


def test_jobs_stand_on_gpus_of_their_own() -> None:
    """A job that does not list its GPUs has those after the run's, and one that lists the run's is refused."""
    plan = fat_tree(2, 4, 4)
    with pytest.raises(InputError, match="which job the run has already"):
        NetworkTime.of(plan, Parallel(dp=8), jobs=[Job("other", np.array([7, 8]))])
    with pytest.raises(InputError, match="the jobs take 17 GPUs"):
        NetworkTime.of(plan, Parallel(dp=8), jobs=[Job("other", 9)])
