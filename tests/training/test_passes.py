"""How long a rank is busy with a micro-batch: its computation, and what it waits for by the rules of its software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fabric.catalog import training_efficiency
from fabric.request.parallel import Parallel
from fabric.training.chunk import Chunk
from fabric.training.compute import LayerTimes
from fabric.training.message import Message
from fabric.training.messages import Call
from fabric.training.passes import Overlap, Passes, passes_of, sent_beside
from fabric.training.stages import Stage

PLAIN = replace(
    training_efficiency().software["megatron"],
    overlaps_tp=False,
    overlaps_dp=False,
    overlaps_ep=False,
    overlaps_pp=False,
)
COMPUTE = LayerTimes(
    {"experts": 3.0, "attention": 2.0}, {"experts": 4.0, "attention": 4.0}, {"experts": 3.0}, {"experts": 1.0}
)
"""A layer that computes for 5 s forward, and backward for 8 s, 1 s of what it computes again, and 3 s for weights."""


@dataclass(frozen=True)
class Times:
    """Messages that take as long as their causes say, and beside each other `slowed` times that."""

    by_cause: Mapping[str, float]
    slowed: float = 1.0

    def seconds(self, message: Message) -> float:
        """Return the seconds of a call."""
        return self.by_cause[message.cause]

    def beside(self, message: Message, other: Message) -> float:  # noqa: ARG002
        """Return how many times as long a message takes beside another."""
        return self.slowed


def call(cause: str, **words: Any) -> Call:
    """Return a message of a layer, once in each pass."""
    return Call(
        Message(cause, "all-gather", ("dp",), 1),
        **{"part": "moe", "each": "micro-batch", "forward": 1, "backward": 1, **words},
    )


def passes(calls: list[Call], seconds: float, parallel: Parallel | None = None, **overlaps: Any) -> Passes:
    """Return the passes of the layer with messages of as many seconds, which occupy a tenth of the GPU."""
    overlap = Overlap(replace(PLAIN, **overlaps), parallel or Parallel(tp=2, cp=2), 0.1)
    chunk = Chunk(Stage(0, 1), COMPUTE, tuple(calls))
    return passes_of(chunk, overlap, Times(dict.fromkeys(("TP", "CP", "EP", "DP"), seconds)))


def test_what_nothing_hides_is_waited_for() -> None:
    """A pass is its computation and its messages, of which those of experts take their share of it."""
    found = passes([call("EP"), call("TP")], 2.0)
    assert (found.forward_s, found.backward_s, found.weight_s) == (5 + 4, 8 + 1 + 4, 3)
    assert (found.forward_waits_s, found.backward_waits_s) == (4, 4)
    assert (found.forward_duty, found.backward_duty) == pytest.approx((2 / 9, 2 / (13 + 3)))
    assert found.joint_saved_s == 0


def test_messages_of_experts_beside_another_micro_batch() -> None:
    """They cost what is longer than the pass, and while hidden a tenth of the GPU."""
    assert passes([call("EP")], 2.0, overlaps_ep=True).forward_s == pytest.approx(5 + 0.1 * 2)
    assert passes([call("EP")], 6.0, overlaps_ep=True).forward_s == pytest.approx(5 + 1 + 0.1 * 5)


def test_dual_pipe_saves_messages_of_experts_where_passes_run_together() -> None:
    """A pass alone waits for them; together both passes hide as much as they compute, less a tenth."""
    parallel = Parallel(pp=2, schedule="dualpipe")
    found = passes([call("EP")], 2.0, parallel, overlaps_ep=True)
    assert found.forward_s == 5 + 2
    assert found.joint_saved_s == pytest.approx(0.9 * (2 + 2))
    assert passes([call("EP")], 20.0, parallel, overlaps_ep=True).joint_saved_s == pytest.approx(0.9 * 17)


def test_pieces_of_tensor_parallel_messages_run_beside_products() -> None:
    """Of two pieces the first has nothing to run beside, and attention hides nothing."""
    assert passes([call("TP")], 2.0, overlaps_tp=True).forward_s == pytest.approx(5 + 1 + 0.1 * 1)
    assert passes([call("TP")], 8.0, overlaps_tp=True).forward_s == pytest.approx(5 + 4 + (4 - 3 / 2) + 0.1 * 1.5)


def test_inputs_gathered_again_run_beside_gradients_of_weights() -> None:
    """No software waits for them but for what is longer than the products of these gradients."""
    again = call("TP", forward=0, beside=True)
    assert passes([again], 2.0).backward_s == pytest.approx(9 + 0.1 * 2)
    assert passes([again], 5.0).backward_s == pytest.approx(9 + 2 + 0.1 * 3)


def test_keys_and_values_run_beside_attention() -> None:
    """Of two ranks the second half of attention has no keys to wait for: 1 s forward and 2 s backward hide them."""
    found = passes([call("CP")], 3.0)
    assert (found.forward_s, found.backward_s) == pytest.approx((5 + 2 + 0.1 * 1, 9 + 1 + 0.1 * 2))


def test_sharded_weights_run_beside_the_layers_before() -> None:
    """Of a part with one layer they hide behind nothing, of one with two behind half of its pass."""
    one = passes([call("DP")], 2.0, overlaps_dp=True)
    assert (one.forward_s, one.backward_s) == (5 + 2, 9 + 2)
    assert passes([call("DP")], 2.0).forward_s == 5 + 2
    overlap = Overlap(replace(PLAIN, overlaps_dp=True), Parallel(), 0.1)
    two = passes_of(Chunk(Stage(0, 2), COMPUTE, (call("DP"),)), overlap, Times({"DP": 1.0}))
    assert two.forward_s == pytest.approx(5 + 1 + 0.1 * 1)


def test_messages_on_the_same_links_prolong_each_other() -> None:
    """Two that get half each share links for two thirds of a pass, which one alone needs for half of it."""
    chunk = Chunk(Stage(0, 1), COMPUTE, (call("EP"), call("DP", each="step")))
    times = Times({"EP": 1.0, "DP": 1.0}, slowed=2.0)
    assert sent_beside(chunk, times, 0.5, "step", backward=False) == pytest.approx((1.5, 1 / 3))
    assert sent_beside(chunk, times, 0.0, "step", backward=False) == (1.0, 0.0)
