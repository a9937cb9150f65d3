"""Messages timed by explicit flows: on direct networks, and as the witness of what is counted on a Clos."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, TooLarge
from fabric.flow import Routing, Workload, estimate_workload, fail
from fabric.request.parallel import Parallel
from fabric.resources import allow_minutes
from fabric.training.flow_network import FlowNetwork
from fabric.training.message import Message
from fabric.training.network_time import NetworkTime
from tests.flow.drawn_workloads import draw_design, draw_direct_design
from tests.flow.flow_fabrics import fat_tree
from tests.marks import slow
from tests.training.drawn_runs import draw_run
from tests.unlike_fixtures import FORMS, draw_unlike

MESSAGES = (
    Message("CP", "send-recv", ("cp",), 2**33),
    Message("DP", "reduce-scatter", ("cp", "dp"), 2**36),
    Message("PP", "send", ("pp",), 2**33),
    Message("EP", "all-to-all", ("ep",), 2**33),
    Message("DP", "all-reduce", ("edp",), 2**36),
)


@pytest.mark.parametrize("number", [*range(12), *slow(*range(12, 30))])
def test_counts_and_flows_agree_on_a_clos(number: int) -> None:
    """Healthy, failed and beside another message, the whole time of a message is the same in both ways."""
    random = Random(number)
    plan = draw_design(random)
    run = draw_run(random, plan.gpus // 2 + 1, plan.server.gpus)
    up = fail(plan, ["leaf:1"], number) if number % 2 else None
    counted = NetworkTime.of(plan, run, up=up)
    flows = replace(
        counted, network=FlowNetwork(plan, counted.network.summary, counted.network.routing, up), _groups={}, _wires={}
    )
    first, second = random.sample(MESSAGES, 2)
    try:
        found = counted.time(first, [second])
    except InputError:
        return  # cut off
    assert flows.time(first, [second]).total_s == pytest.approx(found.total_s, rel=0.01)
    assert flows.time(first).latency_s == pytest.approx(counted.time(first).latency_s)
    assert flows.ideal(first, [second]).total_s == pytest.approx(counted.ideal(first, [second]).total_s, rel=0.01)


@pytest.mark.parametrize("number", range(4))
def test_one_group_on_a_direct_network(number: int) -> None:
    """One group of all GPUs takes what the flow model says of that collective in order, by flows."""
    plan = draw_direct_design(Random(number))
    message = Message("DP", "all-gather", ("dp",), 2**36)
    found = NetworkTime.of(plan, Parallel(dp=plan.gpus), "ecmp").time(message)
    workload = Workload("all-gather", placement="contiguous", routing=Routing("ecmp", qps=2), engine="flows")
    (expected,), _ = estimate_workload(plan, workload, [2**36])
    assert found.total_s == pytest.approx(expected.estimate.time_s, rel=0.01)


def test_routings_without_a_closed_form_are_solved() -> None:
    """Destination-mod-k gives a shift paths of their own where a hash makes them collide."""
    plan, message = fat_tree(2, 8, 16), Message("PP", "send", ("pp",), 2**30)
    times = {name: NetworkTime.of(plan, Parallel(dp=16, pp=8), name).time(message) for name in ("dmodk", "ecmp")}
    assert times["dmodk"].collisions_s == pytest.approx(0.0, abs=1e-9)
    assert times["ecmp"].collisions_s > 0.1 * times["ecmp"].total_s


def test_runs_have_servers_of_one_kind() -> None:
    """A run on unlike servers is refused with the GPUs of the first kind; on those it has a time."""
    plan = draw_unlike(Random(1), FORMS[1])
    first = int(Hosts.of(plan).first_gpu[1])
    with pytest.raises(
        InputError, match=f"GPUs of one kind of server; random has kind-0, .* and {first} GPUs of the first"
    ):
        NetworkTime.of(plan, Parallel(dp=first + 1))
    message = Message("DP", "all-gather", ("dp",), 2**30)
    assert NetworkTime.of(plan, Parallel(dp=first)).time(message).total_s > 0


def test_what_takes_too_long_says_what_takes_less() -> None:
    """On a direct network for which a search of paths has no time, a run is refused with the routing that has none."""
    plan, message = draw_direct_design(Random(1)), Message("DP", "all-gather", ("dp",), 2**30)
    times = NetworkTime.of(plan, Parallel(dp=plan.gpus))
    flows = "flows of a message need .*; train on fewer GPUs, or time it under ecmp, which searches no paths"
    with allow_minutes(1e-3), pytest.raises(TooLarge, match=flows):
        times.time(message)
