"""What the sends of a pipeline take on average, against drawn hashes, flows and the simulated schedule."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow import Routing, cross_rails, route
from fabric.flow.hash_laws import Law, shared_law, thrown_law
from fabric.request.parallel import ORDERS, Parallel
from fabric.studies.training_optimum import _relate_sizes
from fabric.training.link_loads import send_to_next
from fabric.training.message import Message
from fabric.training.network_time import NetworkTime
from fabric.training.pipeline_order import order_of
from fabric.training.schedule import PipelineTimes, simulate
from fabric.training.stage_sends import StageSends
from tests.flow.flow_fabrics import fat_tree, form_of, sized

SEND = Message("PP", "send", ("pp",), 2**33)


def rail_optimized(servers: int, spines: int) -> Blueprint:
    """Return units of 16 servers of 8 GPUs, one leaf for each rail, under as many spines."""
    return sized(form_of("rail-optimized", 2), servers, 8, block=servers // 16, slot=16, rail=8, spine=spines)


CASES = {
    "one leaf a stage": (fat_tree(2, 8, 16), Parallel(dp=16, pp=8), 2),
    "tensor-parallel servers": (fat_tree(2, 16, 16), Parallel(tp=8, dp=4, pp=8), 2),
    "neighbouring stages": (fat_tree(2, 16, 16), Parallel(tp=8, dp=4, pp=8, order="tp-cp-pp-dp"), 2),
    "three tiers": (fat_tree(3, 8, 8), Parallel(tp=8, dp=8, pp=8), 2),
    "rails, oversubscribed": (rail_optimized(64, 8), Parallel(tp=8, pp=8, dp=8), 2),
    "rails, many queue pairs": (rail_optimized(64, 16), Parallel(tp=8, pp=8, dp=8), 8),
    "stages across units": (rail_optimized(96, 16), Parallel(tp=8, pp=8, dp=12), 2),
    "two ranks a server": (rail_optimized(64, 16), Parallel(tp=4, pp=8, dp=16), 2),
    "experts": (rail_optimized(64, 16), Parallel(pp=8, dp=64, ep=32), 2),
}
"""Designs and runs, with the queue pairs of a flow."""


@pytest.mark.parametrize("name", CASES)
def test_expected_sends_are_those_of_drawn_hashes(name: str) -> None:
    """Over twelve draws of all hashes the slowest pipeline's boundaries take as long on average, within 6 %."""
    plan, parallel, qps = CASES[name]
    times = NetworkTime.of(plan, parallel, Routing("ecmp", qps=qps, pxn=True))
    times.time(SEND)
    (wire,), group = times._wires.values(), times._groups["pp",]
    phase = cross_rails(plan, send_to_next(group.run.hosts, group.gpus, around=False), pxn=True)
    stages, drawn = StageSends.of(group.run.hosts, group.gpus, parallel, around=False), []
    for seed in range(12):
        routes = route(plan, phase, Routing("ecmp", qps=qps, seed=seed, pxn=True))
        # All that is on a link ends together, each sub-flow with an equal part of its flow.
        load = np.bincount(routes.arcs.reshape(-1), minlength=len(routes.capacity)) / qps / routes.capacity
        flow_s = load[routes.arcs].max(axis=1).reshape(phase.flows, qps).max(axis=1) * 8e-9
        drawn.append(stages.slowest(flow_s, wire.line_s))
    assert wire.taken_s == pytest.approx(np.mean(drawn), rel=0.06)
    assert wire.taken_s >= wire.fits_s * (1 - 1e-9)


def test_the_slowest_pipeline_is_that_of_a_plain_loop() -> None:
    """Boundaries wait for the slowest flow, and the step for the pipeline whose boundaries take longest on average."""
    random = Random(7)
    plan, parallel = fat_tree(2, 8, 16), Parallel(tp=2, dp=8, pp=8)
    group = NetworkTime.of(plan, parallel).run.group(("pp",), NetworkTime.of(plan, parallel).network.summary)
    stages = StageSends.of(Hosts.of(plan), group.gpus, parallel, around=False)
    flow_s = [random.uniform(0.5, 3.0) for _ in range(16 * 7)]
    found = []
    for pipeline in range(8):
        ends = [max(1.0, *(flow_s[row * 7 + each] for row in (2 * pipeline, 2 * pipeline + 1))) for each in range(7)]
        found.append(sum(ends) / 7)
    assert stages.slowest(np.array(flow_s), 1.0) == pytest.approx(max(found))


def test_boundaries_that_cross_no_narrow_cut_are_not_slowed() -> None:
    """On leaves with two stages of four ranks and two links up, three of seven boundaries take twice as long."""
    parallel = Parallel(tp=4, dp=2, pp=8, order="tp-cp-pp-dp")
    times = NetworkTime.of(fat_tree(2, 8, 8, 4), parallel)
    found = times.time(SEND)
    assert found.oversubscription_s == pytest.approx(3 / 7 * found.bandwidth_s, rel=1e-3)


@pytest.mark.parametrize("number", range(6))
def test_needs_of_one_size_of_places_carry_over_to_others(number: int) -> None:
    """A pipeline is as slow on places of any size, at a ratio that is as much lower as these send more, by plain loops.

    So where steps are too long on some places, they are on those, too.
    """
    random = Random(number)
    degrees = random.choice([{"pp": 8, "dp": 8}, {"pp": 4, "dp": 12}, {"pp": 12, "dp": 5}, {"pp": 6, "cp": 2, "dp": 5}])
    parallel = Parallel(tp=8, **degrees, order=random.choice(ORDERS))
    times, sizes = NetworkTime.of(rail_optimized(64, 16), parallel), np.arange(1, 40)
    sent, own = times.fullest(SEND, 1, sizes.tolist()), sizes == random.choice([4, 8, 15, 16])
    assert sent is not None
    servers = (times._groups["pp",].gpus // 8).reshape(-1, 8 * parallel.cp, parallel.pp)[:, ::8].tolist()

    def mean_of_slowest(size: int, ratio: float) -> float:
        ends = [(one // size, two // size) for rows in servers for row in rows for one, two in pairwise(row)]
        leaving = Counter(one for one, two in ends if one != two)
        entering = Counter(two for one, two in ends if one != two)
        load = {pair: max(leaving[pair[0]], entering[pair[1]]) if pair[0] != pair[1] else 0 for pair in ends}
        found = []
        for rows in servers:
            waits = [
                max(1.0, *(ratio * load[row[each] // size, row[each + 1] // size] / size for row in rows))
                for each in range(parallel.pp - 1)
            ]
            found.append(sum(waits) / len(waits))
        return max(found)

    for size, as_full in zip(sizes.tolist(), _relate_sizes(sent, own).tolist(), strict=True):
        for ratio in (1.0, 3.0, 20.0):
            least = mean_of_slowest(int(sizes[own][0]), ratio)
            if 0 < as_full < np.inf:
                assert mean_of_slowest(size, ratio / as_full) >= least * (1 - 1e-9)
            elif as_full == np.inf:
                assert least == 1.0


@pytest.mark.parametrize(("own", "balls", "boxes"), [(1, 10, 8), (16, 64, 32), (16, 32, 4), (3, 3, 2), (4, 4, 1)])
def test_shared_boxes_are_those_of_draws(own: int, balls: int, boxes: int) -> None:
    """The most balls in any box of some of them are within 3 % what throwing them gives."""
    draw = np.random.default_rng(1).integers(0, boxes, (3000, balls))
    most = [np.bincount(row, minlength=boxes)[row[:own]].max() for row in draw]
    assert mean_of(shared_law(own, balls, boxes)) == pytest.approx(np.mean(most), rel=0.03)


def test_all_balls_share_as_they_are_thrown() -> None:
    """Where all balls are one's own, the law is that of all boxes."""
    assert mean_of(shared_law(16, 16, 8)) == pytest.approx(mean_of(thrown_law(16, 8, 1.0)))


def mean_of(law: Law) -> float:
    """Return the mean of a law."""
    counts, within = law
    return float(counts[0] + (1 - within[:-1]) @ np.diff(counts))


@pytest.mark.parametrize(
    ("schedule", "ranks", "parts", "micro_batches", "least", "most"),
    [
        ("interleaved", 16, 8, 16, 0.98, 1.02),
        ("interleaved", 8, 4, 64, 0.95, 1.05),
        ("zero-bubble", 8, 1, 32, 1.0, 1.06),
        ("1f1b", 16, 1, 64, 1.0, 1.2),
        ("dualpipe", 16, 1, 32, 1.0, 1.2),
    ],
)
def test_unlike_boundaries_add_what_their_mean_does(
    schedule: str, ranks: int, parts: int, micro_batches: int, least: float, most: float
) -> None:
    """A pipeline with unlike boundaries is longer by as much as one with their mean, with 1F1B by some more."""
    order, random = order_of(schedule, ranks, parts, micro_batches), np.random.default_rng(3)
    count = int(order.model_stages.max()) + 1
    split = schedule in ("zero-bubble", "dualpipe")
    forward, backward = np.full(count, 15.0), np.full(count, 15.0 if split else 30.0)

    def added(sends: np.ndarray | float) -> float:
        times = PipelineTimes(forward, backward, 15.0 if split else 0.0, sends)
        return simulate(order, times).pipeline_s - alone

    alone = 0.0
    alone = added(0.0)
    boundaries = ranks if parts > 1 else ranks - 1
    for _ in range(5):
        unlike = random.choice([1.0, 1.5, 2.0, 2.5, 3.0], boundaries)
        ratio = added(np.resize(unlike, count)) / added(float(unlike.mean()))
        assert least - 1e-9 <= ratio <= most, ratio
