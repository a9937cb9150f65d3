"""What the ranks of a training step send each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from statistics import fmean

import pytest

from fabric.catalog import models
from fabric.request.parallel import Parallel
from fabric.training.message import Message
from fabric.training.messages import PARTS, Bytes, Call, messages_of
from fabric.training.operations import count_parameters
from fabric.training.stages import divide

GPT3, LLAMA, DEEPSEEK = models()["gpt3-175b"], models()["llama3-405b"], models()["deepseek-v3"]

HALVES = {"all-gather": 1, "reduce-scatter": 1, "all-reduce": 2}
"""How often all bytes of a collective go around its ranks."""


def moved(calls: tuple[Call, ...], cause: str, part: str) -> float:
    """Return the bytes that a part of a model moves for a cause in both passes, all-reduces counted twice."""
    found = [each for each in calls if (each.message.cause, each.part) == (cause, part) and not each.beside]
    return sum(
        each.message.size_bytes * HALVES.get(each.message.collective, 1) * (each.forward + each.backward)
        for each in found
    )


def message(calls: tuple[Call, ...], cause: str, what: str = "") -> Message:
    """Return the first message of a cause."""
    return next(each.message for each in calls if each.message.cause == cause and what in each.message.what)


def test_sizes_of_hpn() -> None:
    """GPT-3 175B with TP 8, PP 8, DP 512 reduces 5.5 GB and passes on 6 MB (Alibaba HPN, SIGCOMM 2024, table 3)."""
    run = Parallel(tp=8, pp=8, dp=512, sharding="none")
    calls = messages_of(replace(GPT3, sequence=2048), run)
    stage = divide(GPT3, run)[3]
    reduced = stage.dense * message(calls, "DP").size_bytes
    assert reduced == pytest.approx(5.5e9, rel=0.03)
    assert message(calls, "PP").size_bytes == pytest.approx(6e6, rel=0.06)


def test_all_weights_are_reduced_once() -> None:
    """The gradients of all parts on all ranks of a copy are those of the model, each once; experts' beside others'."""
    for model, run in ((LLAMA, Parallel(tp=8, pp=16, dp=4)), (DEEPSEEK, Parallel(pp=16, ep=64, dp=128))):
        calls = messages_of(model, run, sent=Bytes(gradient=1))
        reduced = [each for each in calls if each.message.what == "gradients"]
        count = {"dense": model.dense_count, "moe": model.moe_count, "predicted": model.predicted_tokens}
        total = 0.0
        for each in reduced:
            ranks = run.ep * run.etp if each.message.group == ("edp",) else run.tp
            total += each.message.size_bytes * ranks * count.get(each.part, 1)
        weights = count_parameters(model)
        assert total == pytest.approx(weights.total + model.predicted_tokens * weights.predicted)


def test_full_sharding_moves_half_as_much_again() -> None:
    """ZeRO-1 moves the bytes of an all-reduce, full sharding 1.5 times these (arXiv:1910.02054, section 7)."""
    plain, states, full = (
        moved(messages_of(LLAMA, Parallel(dp=64, sharding=sharding)), "DP", "dense")
        for sharding in ("none", "zero1", "zero3")
    )
    assert states == pytest.approx(plain)
    assert full == pytest.approx(1.5 * plain)


def test_what_is_not_kept_is_sent_for_each_micro_batch() -> None:
    """Without a pipeline shares of gradients are reduced, and of weights gathered, for each micro-batch."""
    often = {}
    for sharding, pp in (("zero1", 1), ("zero2", 1), ("zero3", 1), ("zero2", 2), ("zero3", 2)):
        calls = messages_of(LLAMA, Parallel(pp=pp, dp=64, sharding=sharding))
        often[sharding, pp] = [
            (each.message.what, each.each) for each in calls if each.part == "dense" and each.message.cause == "DP"
        ]
    once = [("weights", "step"), ("gradients", "step")]
    assert often["zero1", 1] == often["zero2", 2] == often["zero3", 2] == once
    assert often["zero2", 1] == [("weights", "step"), ("gradients", "micro-batch")]
    assert often["zero3", 1] == [("weights", "micro-batch"), ("gradients", "micro-batch")]


def test_dividing_the_sequence_costs_no_bytes() -> None:
    """Sequence parallelism replaces each all-reduce by its two halves (arXiv:2205.05198, section 4.2.2)."""
    run = Parallel(tp=8, dp=8)
    divided, whole = (messages_of(LLAMA, replace(run, sequence_parallel=each)) for each in (True, False))
    assert moved(divided, "TP", "dense") == moved(whole, "TP", "dense")
    # Four all-reduces of a layer, each of all hidden states (arXiv:1909.08053, section 3).
    assert moved(whole, "TP", "dense") == 2 * 4 * LLAMA.sequence * LLAMA.hidden * 2


def test_full_recomputation_sends_again() -> None:
    """Where a layer is computed again, so are its sums: half as many messages more."""
    run = Parallel(tp=8, cp=2, dp=8)
    once, again = (messages_of(LLAMA, replace(run, recompute=each)) for each in ("none", "full"))
    assert moved(again, "TP", "dense") == 1.5 * moved(once, "TP", "dense")
    assert moved(again, "CP", "dense") == pytest.approx(4 / 3 * moved(once, "CP", "dense"))


def test_keys_and_values_go_around() -> None:
    """Each context-parallel rank gets the keys and values of all others: of 8 heads over TP 8, one each."""
    run = Parallel(tp=8, cp=4, dp=2)
    passed = next(each for each in messages_of(replace(LLAMA, sequence=131072), run) if each.message.cause == "CP")
    assert passed.forward == 3
    assert passed.message.size_bytes == 131072 / 4 * 2 * 128 * 2


def test_latent_attention_passes_on_keys_and_values_of_all_heads() -> None:
    """DeepSeek-V3's keys have 128 + 64 elements in each of 128 heads, and its values 128; a rank has half of them."""
    calls = messages_of(replace(DEEPSEEK, sequence=4096), Parallel(tp=2, cp=4))
    assert message(calls, "CP").size_bytes == 4096 / 4 * 64 * (128 + 64 + 128) * 2


def test_fewer_key_heads_than_ranks_go_around_whole() -> None:
    """Of 8 key heads over TP 16 each rank passes on one, as over TP 8."""
    eight, sixteen = (message(messages_of(LLAMA, Parallel(tp=tp, cp=4)), "CP").size_bytes for tp in (8, 16))
    four = message(messages_of(LLAMA, Parallel(tp=4, cp=4)), "CP").size_bytes
    assert four == 2 * eight == 2 * sixteen


def test_experts_get_as_many_tokens_as_they_are_sent() -> None:
    """DeepSeek-V3 sends each token to 8 experts of 7,168 bytes in FP8, and adds up twice as many (arXiv:2412.19437)."""
    run = Parallel(pp=16, ep=64, dp=128)
    calls = messages_of(replace(DEEPSEEK, sequence=4096), run, sent=Bytes(dispatch=1))
    assert message(calls, "EP", "to experts").size_bytes == 4096 * 8 * 7168
    assert message(calls, "EP", "from experts").size_bytes == 2 * 4096 * 8 * 7168
    assert message(calls, "EP").groups == (4, 8)


@pytest.mark.parametrize(("ep", "chosen"), [(8, 2), (4, 2), (2, 3), (4, 7), (2, 8)])
def test_a_token_goes_once_to_a_rank_that_has_several_of_its_experts(ep: int, chosen: int) -> None:
    """Of all choices of a token's experts the mean number of ranks that have any, counted one by one."""
    model = replace(models()["mixtral-8x7b"], experts=8, top_k=chosen)
    calls = messages_of(model, Parallel(dp=8, ep=ep), sent=Bytes(joined=True))
    ranks = [len({expert // (8 // ep) for expert in each}) for each in combinations(range(8), chosen)]
    assert message(calls, "EP").copies == pytest.approx(fmean(ranks))
    assert message(calls, "EP").size_bytes == pytest.approx(2 * model.sequence * model.hidden * fmean(ranks))


@pytest.mark.parametrize(("ep", "chosen"), [(4, 2), (8, 3), (8, 4)])
def test_a_token_goes_to_ranks_of_as_many_groups_as_it_may(ep: int, chosen: int) -> None:
    """Of eight experts in four groups, of all choices of two groups and of experts in these."""
    model = replace(models()["mixtral-8x7b"], experts=8, top_k=chosen, expert_groups=4, group_limit=2)
    calls = messages_of(model, Parallel(dp=8, ep=ep), sent=Bytes(joined=True))
    ranks = [
        len({expert // (8 // ep) for expert in each})
        for groups in combinations(range(4), 2)
        for each in combinations([2 * group + one for group in groups for one in (0, 1)], chosen)
    ]
    assert message(calls, "EP").copies == pytest.approx(fmean(ranks))


@pytest.mark.parametrize(("servers", "most"), [(1, 1), (4, 4), (8, 4), (16, 8), (12, 8)])
def test_a_limit_of_groups_is_one_of_servers(servers: int, most: int) -> None:
    """DeepSeek-V3's tokens go to four of eight groups: of eight servers to four, of sixteen to two for each group."""
    assert message(messages_of(DEEPSEEK, Parallel(dp=64, ep=64)), "EP").servers(servers) == most


def test_copies_of_shards_are_reduced() -> None:
    """With shards in groups of 64, gathers stay there, and a 64th of the gradients is reduced over the groups."""
    calls = messages_of(LLAMA, Parallel(dp=1024, sharding="zero3", shard_group=64))
    gathered, reduced = message(calls, "DP", "weights"), message(calls, "DP", "gradients of shards")
    assert (gathered.group, reduced.group) == (("shard",), ("replica",))
    assert reduced.size_bytes == gathered.size_bytes / 64


def test_degrees_of_one_send_nothing() -> None:
    """On one GPU nothing but the weights' own collectives is left, over one rank; every part has a known name."""
    assert {each.message.cause for each in messages_of(LLAMA, Parallel())} == {"DP"}
    assert {each.part for each in messages_of(DEEPSEEK, Parallel(tp=2, pp=2, cp=2, dp=8, ep=8))} <= set(PARTS)
