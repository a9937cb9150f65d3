"""A training step put together: its parts add up, and each message costs what its overlap leaves."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog import models
from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.training.model_run import ModelRun
from fabric.training.step import TrainingStep, train_step

LLAMA_70B = Parallel(tp=4, pp=4, vp=5, cp=2, dp=8, schedule="interleaved")


@pytest.fixture(scope="module")
def superpod() -> Blueprint:
    """Return 256 GPUs in a unit."""
    return fabric.design("superpod-h100-1su").blueprint


def step_of(blueprint: Blueprint, **words: object) -> TrainingStep:
    """Return a step of Llama 3 70B, 16 micro-batches on each rank."""
    given = {"model": models()["llama3-70b"], "parallel": LLAMA_70B, "batch": 128, "precision": "fp8", **words}
    return train_step(blueprint, ModelRun(**given))  # type: ignore[arg-type]


def test_the_parts_of_a_step_add_up(superpod: Blueprint) -> None:
    """Computation, update, bubble and exposed messages are the step, by cause and by what slows messages down."""
    found = step_of(superpod)
    exposed = math.fsum(found.exposed_s.values())
    assert math.fsum([*found.compute_s.values(), found.update_s, found.bubble_s, exposed]) == pytest.approx(
        found.step_s
    )
    assert math.fsum(found.network_s.values()) == pytest.approx(exposed)
    assert min(*found.exposed_s.values(), *found.network_s.values(), found.bubble_s) >= 0
    assert found.ideal_step_s <= found.step_s


def test_gradients_are_sent_once_a_step(superpod: Blueprint) -> None:
    """The last rank, which has most to do, sends those of 20 layers and of the output, however many micro-batches."""
    for batch in (64, 128):
        found = step_of(superpod, parallel=Parallel(tp=8, pp=4, dp=8), batch=batch, software="llama3")
        calls = {"gradients": 0.0, "weights": 0.0}
        for each in found.messages:
            if each.message.what in calls:
                calls[each.message.what] += each.calls
        assert calls == {"gradients": 21, "weights": 21}


def test_definitions_of_utilization(superpod: Blueprint) -> None:
    """MFU is the model's operations over the peak, and HFU counts what full recomputation does once more."""
    found = step_of(superpod)
    again = step_of(superpod, parallel=replace(LLAMA_70B, recompute="full"))
    assert found.mfu == pytest.approx(found.flops["full"] / found.step_s / 256 / 1979e12)
    assert found.hfu == found.mfu
    assert again.mfu < found.mfu
    assert again.hfu / again.mfu == pytest.approx(4 / 3, abs=0.02)
    assert found.tokens_s_gpu == pytest.approx(128 * 8192 / found.step_s / 256)


def test_only_traffic_that_crosses_makes_a_narrow_fabric_cost() -> None:
    """On 8:1 rings over neighbours fit through a unit's uplinks, an eighth of them crosses; rings over units don't."""
    words = {"gpus": 512, "server": "dgx-h100", "family": "fat-tree", "unit_gpus": 64, "tiers": 2}
    ratios = ({"min": each, "max": each} for each in (1, 8))
    fabrics = [fabric.design(words, oversubscription=each).blueprint for each in ratios]
    parallel = Parallel(tp=8, pp=8, dp=8)
    wide, narrow = (step_of(each, parallel=parallel) for each in fabrics)
    assert narrow.exposed_s["DP"] == pytest.approx(wide.exposed_s["DP"])
    parallel = replace(parallel, order="tp-cp-pp-dp")
    wide, narrow = (step_of(each, parallel=parallel) for each in fabrics)
    assert wide.network_cost < 0.01
    assert narrow.network_cost > 0.05
    assert narrow.network_s["oversubscription"] == pytest.approx(narrow.step_s - wide.step_s, rel=0.05)


def test_messages_that_share_links_slow_each_other_down(superpod: Blueprint) -> None:
    """Tokens for experts in other servers share NICs with gradients; in one server they have NVLink alone."""
    words = {"model": models()["qwen3-30b-a3b"], "batch": 128, "precision": "bf16"}
    across, inside = (step_of(superpod, **words, parallel=Parallel(dp=64, ep=ep)) for ep in (64, 8))
    assert across.network_s["contention"] > 0.001 * across.step_s
    assert inside.network_s["contention"] == 0


def test_what_is_not_known_is_refused(superpod: Blueprint) -> None:
    """A training framework that was not measured, and a server whose GPU is not known, are refused by name."""
    with pytest.raises(InputError, match="unknown software 'megatrom'; did you mean 'megatron'"):
        step_of(superpod, software="megatrom")
    with pytest.raises(InputError, match="set `accelerator` to one of"):
        step_of(replace(superpod, server=replace(superpod.server, accelerator="")))
    with pytest.raises(InputError, match="send to each other is not known; set `nvlink_GBps`"):
        step_of(replace(superpod, server=replace(superpod.server, nvlink_GBps=None)))
