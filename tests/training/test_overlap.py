"""What overlap leaves of messages: closed forms against loops that send piece after piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.training.data_parallel import DataTimes, gather_weights, reduce_gradients, time_beside
from fabric.training.overlap import contend, expose_pieces, expose_ring, stretch
from fabric.training.pipeline_order import PipelineOrder, order_of
from fabric.training.schedule import PipelineRun, PipelineTimes, simulate

seconds = st.floats(0.01, 10)
pieces = st.integers(1, 12)


@given(seconds, seconds, pieces)
def test_pieces_are_computed_when_they_are_there(sent: float, computed: float, count: int) -> None:
    """Each piece is computed after the one before and after its message; messages follow each other."""
    done = 0.0
    for piece in range(count):
        done = max(done, (piece + 1) * sent / count) + computed / count
    assert expose_pieces(sent, computed, count) == pytest.approx(done - computed)


@given(seconds, seconds, st.integers(2, 12))
def test_a_ring_passes_the_next_keys_while_attention_runs(sent: float, attention: float, ranks: int) -> None:
    """A rank has its own keys at once, and receives those of the others one after another."""
    done = 0.0
    for piece in range(ranks):
        done = max(done, piece * sent / (ranks - 1)) + attention / ranks
    assert expose_ring(sent, attention, ranks) == pytest.approx(done - attention)


@given(seconds, st.floats(1, 4), st.floats(1, 4), st.floats(0.05, 0.95))
def test_messages_beside_others_take_longer_while_these_are_sent(
    alone: float, slowed: float, others_slowed: float, duty: float
) -> None:
    """In each second of a pass its own messages take `duty`, and beside others longer, in which these get less done."""
    second = (1 - duty) + duty * others_slowed
    done = (1 - duty) / alone + duty * others_slowed / (slowed * alone)
    assert contend(alone, slowed, stretch(duty, others_slowed)) == pytest.approx(second / done)


@st.composite
def runs(draw: st.DrawFn) -> tuple[PipelineOrder, PipelineTimes, DataTimes]:
    """Draw a pipeline with the messages of its data-parallel ranks."""
    ranks, parts = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    order = order_of("interleaved" if parts > 1 else "1f1b", ranks, parts, ranks * draw(st.integers(1, 3)))
    columns = [np.array(draw(st.lists(seconds, min_size=order.stages, max_size=order.stages))) for _ in range(4)]
    buckets = np.array(draw(st.lists(pieces, min_size=order.stages, max_size=order.stages)))
    return order, PipelineTimes(columns[0], columns[1]), DataTimes(columns[2], columns[3], buckets, overlapped=True)


@settings(max_examples=40, deadline=None)
@given(runs())
def test_buckets_of_weights_and_gradients(drawn: tuple[PipelineOrder, PipelineTimes, DataTimes]) -> None:
    """Messages end as in a loop over the buckets of a rank, each of which waits for its layer, or its layer for it."""
    order, times, data = drawn
    gathered, ready = gather_weights(order, data, times.forward_s)
    run = simulate(order, times, ready)
    reduced = reduce_gradients(run, data, times.backward_s)
    for rank in range(order.ranks):
        own = np.flatnonzero(order.stage_ranks == rank)
        sent = 0.0
        for stage in own:
            each, layer = data.gather_s[stage] / data.buckets[stage], times.forward_s[stage] / data.buckets[stage]
            computed = 0.0
            for _ in range(data.buckets[stage]):
                sent += each
                computed = max(computed, sent) + layer
            assert gathered.end_s[stage] == pytest.approx(sent)
            assert ready[stage] + times.forward_s[stage] == pytest.approx(computed)
        free = 0.0
        for stage in own[np.argsort(order.last_backward[own])]:
            each, layer = data.reduce_s[stage] / data.buckets[stage], times.backward_s[stage] / data.buckets[stage]
            begin = run.start_s[order.last_backward[stage]]
            for bucket in range(data.buckets[stage]):
                free = max(free, begin + (bucket + 1) * layer) + each
            assert reduced.end_s[stage] == pytest.approx(free)


@settings(max_examples=20, deadline=None)
@given(runs())
def test_time_beside_passes(drawn: tuple[PipelineOrder, PipelineTimes, DataTimes]) -> None:
    """Messages beside a slot are those of its rank whose spans overlap it, evenly over their spans."""
    order, times, data = drawn
    gathered, ready = gather_weights(order, data, times.forward_s)
    run = simulate(order, times, ready)
    reduced = reduce_gradients(run, data, times.backward_s)
    expected = np.zeros(len(order.rank))
    for slot, rank in enumerate(order.rank):
        for each in (gathered, reduced):
            for stage in np.flatnonzero(order.stage_ranks == rank):
                expected[slot] += shared_s(run, slot, each.start_s[stage], each.end_s[stage]) * (
                    each.sent_s[stage] / (each.end_s[stage] - each.start_s[stage])
                )
    assert time_beside(run, (gathered, reduced)) == pytest.approx(expected, abs=1e-9)


def shared_s(run: PipelineRun, slot: int, start_s: float, end_s: float) -> float:
    """Return for how long a slot and a span are at the same time."""
    return max(0.0, min(float(run.end_s[slot]), end_s) - max(float(run.start_s[slot]), start_s))
