"""The time of a micro-batch's kernels: its operations, what memory moves, and the constants of what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.catalog import accelerators, models, training_efficiency
from fabric.errors import InputError
from fabric.frozen import FrozenMapping
from fabric.request.parallel import Parallel
from fabric.training.compute import LayerTimes, part_times, stage_times, update_s
from fabric.training.kernels import Kernels, kernels_of
from fabric.training.operations import count_operations
from fabric.training.stages import divide


def ideal_kernels() -> Kernels:
    """Return kernels that reach the peak, on a GPU whose memory costs nothing."""
    constants = training_efficiency()
    attention = FrozenMapping({"vendor": FrozenMapping({"hopper": 1.0})})
    bare = replace(
        constants, matmul={"h100": {"bf16": 1.0}}, attention=attention, attention_backward=1.0, head_dim=0.0, inner=0.0,
        tile=1e-9, multiprocessors={"hopper": 1}, memory=1e12, launch_us=0.0, dispatch_us=0.0,
    )  # fmt: skip
    found = kernels_of(accelerators()["h100"], "bf16", "megatron", Parallel(), bare)
    return replace(found, kind=replace(found.kind, share=1.0))


@given(
    name=st.sampled_from(sorted(models())),
    tp=st.sampled_from([1, 2, 4]),
    etp=st.sampled_from([1, 2, 4]),
    micro_batch=st.integers(1, 4),
)
def test_ideal_kernels_take_the_time_of_the_operations(name: str, tp: int, etp: int, micro_batch: int) -> None:
    """On kernels at peak the time is that of the model's operations, counted from its weights.

    It is the same however experts are divided: each rank has a part of theirs, and the tokens of all that divide them.
    """
    model = models()[name]
    parallel = Parallel(tp=1 if model.latent else min(tp, model.kv_heads), etp=etp, micro_batch=micro_batch)
    times = stage_times(divide(model, parallel)[0], part_times(ideal_kernels(), model, parallel))
    one = count_operations(model, model.sequence)
    further = model.predicted_tokens  # each by a layer as the last one
    moe = model.moe_count + (further if model.experts else 0)
    matrices = (
        (model.layers + further) * one.projections
        + (model.layers + further - moe) * one.feed_forward
        + moe * (one.experts + one.shared)
        + (1 + further) * one.logits
        + further * one.joined
    )
    scores = (model.layers + further) * one.causal_scores
    # The backward pass has two matrix products for each one, but five for the two of attention.
    flops = micro_batch * model.sequence * (3 * matrices + 3.5 * scores) / parallel.tp
    assert times.total_s == pytest.approx(flops / 989e12, rel=1e-6)


@pytest.mark.parametrize(("ep", "etp"), [(2, 2), (4, 1)])
def test_experts_cost_the_same_however_they_are_divided(ep: int, etp: int) -> None:
    """Whole experts compute a rank's own part of the tokens, and divided ones a part of the expert for all of them."""
    model, kernels = models()["mixtral-8x7b"], ideal_kernels()
    found = part_times(kernels, model, Parallel(tp=2, dp=2, ep=ep, etp=etp))["moe"]
    flops = model.sequence * count_operations(model, model.sequence).experts / 2
    assert found.forward_s["experts"] == pytest.approx(flops / 989e12)


def test_fewer_key_heads_than_ranks_are_projected_by_each() -> None:
    """Of PaLM's 48 heads and one of keys and values each of 8 ranks projects 6 and that one."""
    model, kernels = models()["palm-540b"], ideal_kernels()
    flops = 2 * model.sequence * model.hidden * model.head_dim * (2 * 6 + 2)
    found = part_times(kernels, model, Parallel(tp=8))["dense"]
    assert found.forward_s["projections"] == pytest.approx(flops / 989e12)


def test_what_stands_between_products_moves_its_bytes() -> None:
    """Norms and additions read and write hidden states, rotary positions queries, and the activation its values.

    Of 2 bytes each: twice around the norm and the addition before attention and before the layers' second part, three
    queries, and the activation's two inputs and its output; of experts those of each that a token goes to. Without
    sequence parallelism every tensor-parallel rank has all hidden states. The loss reads logits in 16 bits and writes
    and reads them in 32; backward it reads and writes them in 32 twice, and writes 16.
    """
    kernels, model = ideal_kernels(), replace(models()["mixtral-8x7b"], dense_layers=1)
    byte_s = kernels.kind.passes / kernels.bytes_per_s
    for divided, ranks in ((True, 4), (False, 1)):
        found = part_times(kernels, model, Parallel(tp=4, sequence_parallel=divided))
        around = 8 * model.hidden / ranks + 6 * model.heads * model.head_dim / 4
        dense = around + 8 * model.hidden / ranks + 2 * 3 * model.ffn / 4
        assert found["dense"].forward_s["elementwise"] == pytest.approx(model.sequence * dense * byte_s)
        experts = around + 8 * model.hidden / ranks + 2 * 3 * model.top_k * model.expert_ffn / 4
        assert found["moe"].forward_s["elementwise"] == pytest.approx(model.sequence * experts * byte_s)
    product = kernels.product_s(model.sequence, model.vocabulary / 4, model.hidden, wide=True)
    loss = found["logits"].forward_s["logits"] - product, found["logits"].backward_s["logits"] - product
    logit_s = model.sequence * model.vocabulary / 4 * byte_s
    assert loss[1] / loss[0] == pytest.approx((4 + 4 + 4 + 2) / (2 + 4 + 4), rel=1e-3)
    assert sum(loss) == pytest.approx(24 * logit_s, rel=1e-3)


def test_what_slows_a_gpu_slows_products_and_attention() -> None:
    """Half of the clock, of the class's speed or of the multiprocessors doubles the time of both."""
    plain = ideal_kernels()
    slow = (
        replace(plain, constants=replace(plain.constants, clock={"h100": 0.5})),
        replace(plain, kind=replace(plain.kind, share=0.5)),
        replace(
            plain, software=replace(plain.software, reserved_multiprocessors=66),
            constants=replace(plain.constants, multiprocessors={"hopper": 132}),
        ),
    )  # fmt: skip
    for kernels in slow:
        assert kernels.attention_s(1e12, 128) == pytest.approx(2 * plain.attention_s(1e12, 128))
        assert kernels.product_s(1e4, 1e4, 1e4) == pytest.approx(2 * plain.product_s(1e4, 1e4, 1e4))


def test_the_slowest_of_many_gpus_is_that_of_draws() -> None:
    """Of normally distributed clocks the slowest of 1, 10 and 1,000 is on average what drawn ones are."""
    random = np.random.default_rng(0)
    spread = training_efficiency().spread
    for gpus in (1, 10, 1000):
        drawn = random.normal(1.0, spread, (4000, gpus)).min(axis=1).mean()
        assert replace(ideal_kernels(), gpus=gpus).slowest == pytest.approx(drawn, abs=0.06 * spread)


def test_scores_that_are_not_fused_go_through_memory() -> None:
    """Where memory alone limits, a score moves the bytes of each tensor that is as large, in each kernel that has it.

    Forward: a product writes 2, softmax reads and writes 2, dropout reads and writes 2 and a mask of 1, a product reads
    2. Backward: a product writes 2, dropout reads 2 and the mask and writes 2, softmax reads 2 + 2 and writes 2, and
    three products read 2.
    """
    kernels = replace(ideal_kernels(), software=training_efficiency().software["megatron-2022"])
    slow = replace(kernels.constants, memory=1e-9)
    kernels = replace(kernels, constants=slow, kind=replace(kernels.kind, passes=1.0))
    model = replace(models()["gpt3-175b"], sequence=2**18)
    found = part_times(kernels, model, Parallel(tp=8))["dense"]
    scores = model.heads / 8 * model.sequence**2
    forward = 2 + (2 + 2) + (2 + 2 + 1) + 2
    assert found.forward_s["attention"] * kernels.bytes_per_s / scores == pytest.approx(forward, rel=0.01)
    backward = 2 + (2 + 1 + 2) + (2 + 2 + 2) + 3 * 2
    assert found.backward_s["attention"] * kernels.bytes_per_s / scores == pytest.approx(backward, rel=0.01)


def h100(precision: str = "bf16", software: str = "megatron", recompute: str = "none", **degrees: int) -> LayerTimes:
    """Return the times of the first stage of Llama 3 70B on H100."""
    model = models()["llama3-70b"]
    parallel = Parallel(tp=8, recompute=recompute, **degrees)
    kernels = kernels_of(accelerators()["h100"], precision, software, parallel)
    return stage_times(divide(model, parallel)[0], part_times(kernels, model, parallel))


def test_full_recomputation_computes_the_layers_again_but_no_logits() -> None:
    """What is recomputed is the forward pass of the layers."""
    times = h100(recompute="full")
    assert times.recompute_s == {**times.forward_s, "logits": 0.0}
    assert not any(h100().recompute_s.values())


def test_eight_bits_are_faster_but_not_twice() -> None:
    """Quantizing, attention and the logits keep 8 bits from halving the time."""
    assert 1.2 < h100().total_s / h100("fp8").total_s < 2


def test_more_sequences_take_no_less_a_sequence() -> None:
    """Larger micro-batches fill the GPU better: their time a sequence falls, and never below a half here."""
    one, four = h100().total_s, h100(micro_batch=4).total_s / 4
    assert one / 2 < four < one


def test_updating_reads_and_writes_the_states() -> None:
    """Adam reads a gradient twice, reads and writes three values, all of 4 bytes, and writes a weight of 2."""
    kernels, bytes_of_weight = ideal_kernels(), 4 * (2 + 2 * 3) + 2
    seconds = 1e9 * bytes_of_weight / kernels.bytes_per_s
    assert update_s(kernels, 1e9) == pytest.approx(kernels.kind.passes * seconds)


@pytest.mark.parametrize(("accelerator", "precision"), [("mi300x", "bf16"), ("a100-80", "fp8")])
def test_what_was_not_measured_is_refused(accelerator: str, precision: str) -> None:
    """Without a measured run there is no constant, and the message names those that there are."""
    with pytest.raises(InputError, match="measured"):
        kernels_of(accelerators()[accelerator], precision, "megatron", Parallel())


def test_software_whose_attention_was_not_measured_on_a_gpu_is_refused() -> None:
    """Software with kernels of attention that no run on Blackwell had is refused, with what was measured there."""
    with pytest.raises(InputError, match=r"no training run of torchtitan on b300 was measured; .*megatron"):
        kernels_of(accelerators()["b300"], "bf16", "torchtitan", Parallel())
