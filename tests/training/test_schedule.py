"""When the ranks of a pipeline compute: the simulation against the published forms, and against a plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.training.activations import most_in_flight
from fabric.training.pipeline_order import PipelineOrder, order_of
from fabric.training.schedule import PipelineTimes, ideal_bubble_s, simulate


@st.composite
def orders(draw: st.DrawFn) -> PipelineOrder:
    """Draw a pipeline of any schedule."""
    schedule = draw(st.sampled_from(["1f1b", "interleaved", "zero-bubble", "dualpipe"]))
    ranks = draw(st.integers(1, 6))
    if schedule == "dualpipe":
        ranks *= 2
        return order_of(schedule, ranks, 1, 2 * (ranks + draw(st.integers(0, 6))))
    if schedule == "interleaved":
        return order_of(schedule, ranks, draw(st.integers(1, 4)), ranks * draw(st.integers(1, 4)))
    return order_of(schedule, ranks, 1, draw(st.integers(1, 20)))


def with_equal_parts(order: PipelineOrder, forward_s: float, backward_s: float, weight_s: float) -> PipelineTimes:
    """Return the times of parts that share a rank's times equally."""
    parts, each = len(set(order.model_stages)), order.ranks / len(set(order.model_stages))
    return PipelineTimes(*(np.full(parts, time * each) for time in (forward_s, backward_s, weight_s)))


@pytest.mark.parametrize("schedule", ["1f1b", "interleaved", "zero-bubble", "dualpipe"])
@pytest.mark.parametrize("ranks", [2, 4, 8])
@pytest.mark.parametrize("turns", [3, 5])
def test_the_bubble_is_as_published(schedule: str, ranks: int, turns: int) -> None:
    """With equal stages and free transfers each schedule waits as long as its paper says."""
    order = order_of(schedule, ranks, 3 if schedule == "interleaved" else 1, turns * ranks + turns * ranks % 2)
    run = simulate(order, with_equal_parts(order, 1.0, 1.0, 1.0))
    assert run.busy_s == pytest.approx(3.0 * order.micro_batches)
    assert run.pipeline_s - run.busy_s[0] == pytest.approx(ideal_bubble_s(order, 1.0, 1.0, 1.0), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(orders())
def test_activations_in_flight_are_as_published(order: PipelineOrder) -> None:
    """Each rank holds as many micro-batches of its part as the closed forms of the schedules' papers say."""
    schedule, parts = order.schedule, max(1, order.stages // order.ranks)
    parallel = Parallel(pp=order.ranks, vp=1 if schedule == "dualpipe" else parts, schedule=schedule)
    closed = [most_in_flight(parallel, order.micro_batches, rank) for rank in range(order.ranks)]
    assert order.in_flight() == pytest.approx(closed)


@settings(max_examples=40, deadline=None)
@given(orders(), st.data())
def test_a_plain_simulation_agrees(order: PipelineOrder, data: st.DataObject) -> None:
    """Times of unlike parts are those of a loop that starts one pass after another, with and without blocking."""
    parts = int(order.model_stages.max()) + 1
    times = PipelineTimes(
        *(np.array(data.draw(st.lists(st.floats(0.1, 2), min_size=parts, max_size=parts))) for _ in range(4)),
        joint_saved_s=np.array(data.draw(st.lists(st.floats(0, 0.3), min_size=parts, max_size=parts))),
        blocking=data.draw(st.booleans()),
    )
    run = simulate(order, times)
    assert run.end_s == pytest.approx(ends_one_by_one(order, times))


def ends_one_by_one(order: PipelineOrder, times: PipelineTimes) -> list[float]:
    """Return when each slot ends, by a loop over the ranks that finds what can run next."""
    count, last = order.micro_batches, order.stages - 1
    arrived: dict[tuple[str, int], float] = {}
    free, following = [0.0] * order.ranks, [int(np.searchsorted(order.rank, rank)) for rank in range(order.ranks)]
    ends = [0.0] * len(order.rank)
    for stage in range(order.stages):
        if order.previous[stage] < 0:
            arrived |= {("forward", stage * count + each): 0.0 for each in range(count)}
        if stage == last or order.previous[stage + 1] < 0:
            arrived |= {("backward", stage * count + each): 0.0 for each in range(count)}
    while any(at < len(ends) and order.rank[at] == rank for rank, at in enumerate(following)):
        for rank, at in enumerate(following):
            if at == len(ends) or order.rank[at] != rank:
                continue
            needs = [(kind, int(getattr(order, kind)[at])) for kind in ("forward", "backward")]
            needs = [each for each in needs if each[1] >= 0]
            if not all(each in arrived for each in needs):
                continue
            work = [(getattr(times, f"{kind}_s"), int(getattr(order, kind)[at])) for kind in KINDS]
            spent = sum(column[order.model_stages[number // count]] for column, number in work if number >= 0)
            if len(needs) == 2:  # a forward and a backward pass together
                spent -= times.joint_saved_s[order.model_stages[needs[0][1] // count]]
            ends[at] = max([free[rank], *(arrived[each] for each in needs)]) + spent
            free[rank] = ends[at]
            following[rank] += 1
            for kind, number in needs:
                there, seconds = transfer(order, times, kind, number)
                free[rank] += seconds * times.blocking
                arrived[kind, there] = free[rank] if times.blocking else ends[at] + seconds
    return ends


KINDS = ("forward", "backward", "weight")


def transfer(order: PipelineOrder, times: PipelineTimes, kind: str, number: int) -> tuple[int, float]:
    """Return the pass that waits for what a pass sends, and the seconds of the transfer; -1: none waits."""
    stage, micro_batch = divmod(number, order.micro_batches)
    ahead = stage + 1 if stage + 1 < order.stages and order.previous[stage + 1] >= 0 else -1
    there = ahead if kind == "forward" else int(order.previous[stage])
    if there < 0:
        return -1, 0.0
    part = order.model_stages[min(stage, there)]
    near = order.stage_ranks[stage] == order.stage_ranks[there]
    sends = np.broadcast_to(np.asarray(times.send_s, float), (int(order.model_stages.max()) + 1,))
    return there * order.micro_batches + micro_batch, 0.0 if near else float(sends[part])


def test_transfers_delay_every_micro_batch_of_one_part_a_rank() -> None:
    """With 1F1B p micro-batches take a round trip of 2(p-1) transfers; with two parts a rank has slack for these."""
    delays = []
    for micro_batches in (40, 80):
        order = order_of("1f1b", 4, 1, micro_batches)
        delays.append(simulate(order, unit_times(4, 0.25)).pipeline_s - simulate(order, unit_times(4)).pipeline_s)
    assert delays[1] - delays[0] == pytest.approx(0.25 * 40 * 6 / 4)
    order = order_of("interleaved", 4, 2, 40)
    delay = simulate(order, unit_times(8, 0.25)).pipeline_s - simulate(order, unit_times(8)).pipeline_s
    assert delay == pytest.approx(0.25 * 2 * 7)


def unit_times(parts: int, send_s: float = 0.0) -> PipelineTimes:
    """Return a second for every pass."""
    return PipelineTimes(np.ones(parts), np.ones(parts), send_s=send_s)


def test_weights_that_come_late_delay_the_first_pass() -> None:
    """A virtual stage starts when its weights are there; waiting that a later stage would do anyway costs nothing."""
    order, times = order_of("1f1b", 4, 1, 8), PipelineTimes(np.ones(4), np.ones(4))
    plain = simulate(order, times)
    assert simulate(order, times, np.arange(4.0)).pipeline_s == plain.pipeline_s
    assert simulate(order, times, np.array([0.5, 0, 0, 0])).pipeline_s == plain.pipeline_s + 0.5


def test_a_longer_pass_delays_a_step_where_nothing_waits() -> None:
    """A longer last backward pass of the first stage is the end of all; one of a later stage delays those before it."""
    order, times = order_of("1f1b", 4, 1, 8), PipelineTimes(np.ones(4), np.ones(4))
    plain = simulate(order, times)
    for slot in (order.first_forward[0], order.first_forward[3], order.last_backward[0], order.last_backward[3]):
        longer = np.where(np.arange(len(order.rank)) == slot, 0.25, 0.0)
        assert simulate(order, times, longer_s=longer).pipeline_s == plain.pipeline_s + 0.25


@pytest.mark.parametrize(
    ("schedule", "ranks", "parts", "micro_batches", "words"),
    [
        ("interleaved", 4, 2, 10, "multiple of the stages, 4, not 10; nearest: 8 or 12"),
        ("1f1b", 4, 2, 8, "use interleaved, or vp=1"),
        ("dualpipe", 4, 1, 6, "at least 8 of these"),
        ("gpipe", 4, 1, 8, "unknown; known: 1f1b"),
    ],
)
def test_what_a_schedule_cannot_have(schedule: str, ranks: int, parts: int, micro_batches: int, words: str) -> None:
    """Numbers that a schedule cannot have are refused, with what it can."""
    with pytest.raises(InputError, match=words):
        order_of(schedule, ranks, parts, micro_batches)
