"""Weights and operations of models, against published numbers and formulas."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabric.catalog import Model, models
from fabric.training.operations import COUNTS, count_operations, count_parameters, flops_of_recompute

PUBLISHED = {
    "llama3-8b": 8.03, "llama3-70b": 70.6, "llama3-405b": 405.9, "llama2-7b": 6.74, "llama2-13b": 13.02,
    "llama2-70b": 68.98, "gpt3-175b": 175, "megatron-1.7b": 1.7, "megatron-3.6b": 3.6, "megatron-7.5b": 7.5,
    "megatron-18b": 18.4, "megatron-22b": 22, "megatron-39b": 39.1, "megatron-76b": 76.1, "megatron-146b": 145.6,
    "megatron-310b": 310.1, "mt-nlg-530b": 529.6, "megatron-1t": 1008.0, "megascale-175b": 175, "megascale-530b": 530,
    "opt-175b": 175, "bloom-176b": 176.25, "bloomberggpt-50b": 50.6, "palm-540b": 540.35, "glm-130b": 130,
    "nemotron4-15b": 15.6, "nemotron4-340b": 341, "mpt-1b": 1.32, "mpt-3b": 2.65, "mpt-7b": 6.66, "mpt-13b": 12.85,
    "mpt-30b": 29.98, "mpt-70b": 64.86, "grok-1": 314, "mixtral-8x7b": 46.7, "mixtral-8x22b": 141, "dbrx": 132,
    "qwen3-30b-a3b": 30.5, "qwen3-235b-a22b": 235, "gpt-oss-20b": 20.91, "gpt-oss-120b": 116.83, "deepseek-v2": 236,
    "deepseek-v3": 671, "kimi-k2": 1040,
}  # fmt: skip
"""The parameters that are published of each model, in billions."""

ACTIVE = {
    "mixtral-8x7b": 12.9, "mixtral-8x22b": 39, "dbrx": 36, "qwen3-30b-a3b": 3.3, "qwen3-235b-a22b": 22,
    "deepseek-v2": 21, "deepseek-v3": 37,
}  # fmt: skip
"""Those that are active for a token, where they are published with an input embedding."""


def test_every_shape_gives_the_published_parameters() -> None:
    """What follows from the shape of each model is within 1.5 % of what is published, or within its rounding."""
    for name, model in models().items():
        assert count_parameters(model).total / 1e9 == pytest.approx(PUBLISHED[name], rel=0.015, abs=0.06), name
    for name, billions in ACTIVE.items():
        assert count_parameters(models()[name]).active / 1e9 == pytest.approx(billions, rel=0.02), name


def test_a_layer_that_predicts_tokens_has_the_published_parameters() -> None:
    """DeepSeek-V3's has 11.5 billion of its own (github.com/deepseek-ai/DeepSeek-V3, README_WEIGHTS.md)."""
    assert count_parameters(models()["deepseek-v3"]).predicted / 1e9 == pytest.approx(11.5, rel=0.015)


# TFLOP/s per GPU over tokens/s per GPU, as published: github.com/NVIDIA/dgxc-benchmarking (GPT-3), arXiv:2406.11704
# (Nemotron), arXiv:2402.15627 (MegaScale), llm-foundry (MPT), and Megatron-Bridge's performance summary (the others).
@pytest.mark.parametrize(
    ("name", "sequence", "count", "tflops", "tokens"),
    [
        ("gpt3-175b", 2048, "full", 782.1, 728.0),
        ("nemotron4-340b", 4096, "full", 419.3, 198.8),
        ("megascale-175b", 2048, "full", 165.4, 153.6),
        ("mpt-70b", 2048, "full", 408, 1007),
        ("deepseek-v3", 4096, "causal", 1635, 6288),
        ("qwen3-30b-a3b", 4096, "causal", 1029, 44544),
        ("qwen3-235b-a22b", 4096, "causal", 1306, 8816),
        ("gpt-oss-120b", 4096, "causal", 604, 18534),
        ("llama3-405b", 8192, "causal", 2646, 1048),
        ("llama3-70b", 8192, "causal", 2348, 5248),
    ],
)
def test_operations_of_a_token_are_those_that_frameworks_count(
    name: str, sequence: int, count: str, tflops: float, tokens: float
) -> None:
    """Published TFLOP/s over published tokens/s are the operations of a token, within 0.5 %."""
    assert COUNTS[count](models()[name], sequence) == pytest.approx(tflops / tokens * 1e12, rel=0.005)


@pytest.mark.parametrize("name", ["megatron-1.7b", "megatron-18b", "megatron-146b", "mt-nlg-530b", "megatron-1t"])
def test_full_recomputation_counts_as_megatron_does(name: str) -> None:
    """With all layers recomputed a token costs 96 l h² (1 + s/6h + V/16lh) operations (arXiv:2104.04473, 5.1)."""
    model, sequence = models()[name], 2048
    layers, hidden = model.layers, model.hidden
    formula = 96 * layers * hidden**2 * (1 + sequence / (6 * hidden) + model.vocabulary / (16 * layers * hidden))
    total = COUNTS["full"](model, sequence) + flops_of_recompute(model, sequence, "full")
    assert total == pytest.approx(formula, rel=1e-12)


def test_recomputation_counts_what_is_computed_again() -> None:
    """Scores are 4 s h a layer (arXiv:2205.05198, appendix A); torchtitan computes half of all matrix products again.

    `modules` recomputes no matrix product but the up-projections of latent attention, for each of DeepSeek-V3's heads
    1,536 x (128 + 64) and 512 x (128 + 128) weights.
    """
    gpt, deepseek = models()["gpt3-175b"], models()["deepseek-v3"]
    layers, hidden = gpt.layers, gpt.hidden
    assert flops_of_recompute(gpt, 2048, "none") == 0
    assert flops_of_recompute(gpt, 2048, "selective") == layers * 4 * 2048 * hidden
    assert flops_of_recompute(gpt, 2048, "selective", products=0.5) == 0.5 * layers * 2 * 12 * hidden**2
    assert flops_of_recompute(gpt, 2048, "modules") == 0
    latent = 62 * 128 * 2 * (1536 * (128 + 64) + 512 * (128 + 128))
    assert flops_of_recompute(deepseek, 4096, "modules") == latent


def test_a_window_counts_as_by_brute_force() -> None:
    """With a window the tokens that attention meets are those counted one by one, in every other layer."""
    model = replace(models()["gpt-oss-120b"], window=48)
    one = count_operations(model, 100)
    counted = (sum(min(at, 48) for at in range(100)) + sum(range(100))) / 200
    assert one.causal_scores / (4 * model.heads * model.head_dim) == pytest.approx(counted, rel=0.02)
    wide = replace(model, window=100)
    assert count_operations(wide, 100) == count_operations(replace(model, window=None), 100)


def test_experts_change_only_what_they_are() -> None:
    """One expert to which every token goes costs a token what a dense layer of its size does, but for the router."""
    dense = models()["llama3-8b"]
    one = replace(dense, experts=1, top_k=1, expert_ffn=dense.ffn)
    router = 6 * dense.layers * dense.hidden
    assert COUNTS["full"](one, 4096) - COUNTS["full"](dense, 4096) == pytest.approx(router)
    assert count_parameters(one).total - count_parameters(dense).total == dense.layers * dense.hidden
    assert isinstance(one, Model)
