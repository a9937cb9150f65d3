"""The buckets in which data-parallel ranks send the weights and gradients of several layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabric.catalog import models, training_efficiency
from fabric.request.parallel import Parallel
from fabric.training.buckets import join_layers, least_bucket
from fabric.training.chunk import Chunk
from fabric.training.compute import LayerTimes
from fabric.training.messages import Call, messages_of
from fabric.training.stages import Stage, divide_into_chunks

GPT3 = models()["gpt3-175b"]
DEEPSEEK = models()["deepseek-v3"]
SOFTWARE = training_efficiency().software
MEGATRON = SOFTWARE["megatron"]


def reduced(parallel: Parallel, software: str = "megatron", chunk: int = 0) -> tuple[int, float]:
    """Return the buckets of gradients in a part of GPT-3, and the bytes of all of them."""
    stage = divide_into_chunks(GPT3, parallel)[chunk]
    calls = join_layers(messages_of(GPT3, parallel), stage, least_bucket(SOFTWARE[software], parallel))
    own = [(stage.count(each.part) * each.backward, each) for each in calls if each.message.what == "gradients"]
    return round(sum(count for count, _ in own)), sum(count * each.message.size_bytes for count, each in own)


def test_buckets_grow_with_the_ranks() -> None:
    """GPT-3's 96 layers over TP 8 have 227 M weights each: with 24,576 ranks a bucket is closed with 24,576 M.

    All 22,000 M are one bucket then. With 1,024 ranks they are 22,000 / 1,024, so 22; with 64 a layer has more than the
    64 M of a bucket, and none is divided: 96 layers and the embedding, which the output shares.
    """
    assert [reduced(Parallel(tp=8, dp=dp))[0] for dp in (64, 1024, 24576)] == [97, 22, 1]
    assert reduced(Parallel(tp=8, dp=24576))[1] == pytest.approx(reduced(Parallel(tp=8, dp=64))[1])


def test_only_the_first_chunk_has_several_buckets() -> None:
    """Behind the first of two stages with two virtual ones each all 24 layers are one bucket; so are MegaScale's."""
    run = Parallel(tp=8, pp=2, vp=2, dp=64, schedule="interleaved")
    assert [reduced(run, chunk=chunk)[0] for chunk in range(4)] == [25, 1, 1, 1]
    assert reduced(run, "megascale")[0] == 1


def test_sharded_weights_are_sent_layer_by_layer() -> None:
    """Neither FSDP nor software of which nothing is published joins layers."""
    assert reduced(Parallel(tp=8, pp=2, dp=24576, sharding="zero3"), chunk=1)[0] == 49
    assert reduced(Parallel(tp=8, pp=2, dp=24576), "hai-llm", chunk=1)[0] == 49


def test_experts_have_buckets_of_their_own() -> None:
    """Experts and what all data-parallel ranks have are reduced in unlike groups, and the fewest buckets count.

    On the first of four stages of DeepSeek-V3 are 3 dense layers and 12 with 256 / 64 = 4 experts of 44 M weights each:
    2,114 M, or 9 buckets of 256 M.
    """
    run = Parallel(pp=4, ep=64, dp=256)
    calls = messages_of(DEEPSEEK, run)
    joined = join_layers(calls, Stage(3, 12, embedding=True), least_bucket(MEGATRON, run))
    often = {each.message.group: each.backward for each in joined if each.message.what == "gradients"}
    assert often[("edp",)] == 9
    assert Chunk(Stage(3, 12, embedding=True), LayerTimes({}, {}, {}, {}), joined).buckets == min(often.values())


def test_other_messages_stay() -> None:
    """What is not about weights is sent as before."""
    run = Parallel(tp=8, pp=4, dp=64)
    calls, stage = messages_of(GPT3, run), divide_into_chunks(GPT3, run)[1]

    def others(found: tuple[Call, ...]) -> list[Call]:
        return [each for each in found if each.message.cause != "DP"]

    assert others(join_layers(calls, stage, least_bucket(MEGATRON, run))) == others(calls)
    assert join_layers(calls, stage, least_bucket(replace(MEGATRON, joins_layers=None), run)) == calls
