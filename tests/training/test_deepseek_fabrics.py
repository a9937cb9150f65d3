"""DeepSeek-V3 on its two fabrics (arXiv:2505.09343, table 4), and on one that is oversubscribed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.catalog import models
from fabric.flow import lp_bound
from fabric.flow.traffic import phases
from fabric.request.parallel import Parallel
from fabric.training.message import Message
from fabric.training.model_run import ModelRun
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import prepare_step

MRFT = {"family": "rail-optimized"}
"""What the multi-rail fat tree has in place of separate planes: rails that meet in the spine."""


@cache
def small_rails(ratio: int) -> Blueprint:
    """Return 128 GPUs of H800 servers on rails that meet, with switches so small that spines are needed."""
    switch = {"name": "8 x 400G", "ports": 8, "rate_gbps": 400}
    return fabric.design(
        gpus=128, server="hgx-h800", family="rail-optimized", switches=switch, oversubscription=ratio
    ).blueprint


def step_s(blueprint: Blueprint) -> float:
    """Return the seconds of DeepSeek-V3's step on 2,048 GPUs."""
    parallel = Parallel(pp=16, ep=64, dp=128, schedule="dualpipe", recompute="modules")
    return prepare_step(blueprint, ModelRun(models()["deepseek-v3"], parallel, 15360, "fp8", "hai-llm")).step_s()


def test_multi_plane_and_multi_rail_trees_take_as_long() -> None:
    """Published: 19.926 s on eight planes (MPFT), and 19.946 s on eight rails that meet (MRFT)."""
    shipped = fabric.design("deepseek-mpft").blueprint
    planes, rails = (fabric.design("deepseek-mpft", gpus=2048, **words).blueprint for words in ({}, MRFT))
    assert shipped.server.accelerator == "h800"
    assert step_s(planes) == pytest.approx(step_s(rails), rel=0.01)
    assert step_s(shipped) == pytest.approx(step_s(planes), rel=0.01)
    assert step_s(planes) == pytest.approx(19.926, rel=0.20)


@pytest.mark.parametrize("seed", range(3))
def test_what_oversubscription_costs_is_what_a_linear_program_allows(seed: int) -> None:
    """At 4:1 the messages of experts on scattered servers take as much longer as the best of all routings leaves."""
    parallel = Parallel(dp=128, ep=32)
    servers = np.random.default_rng(seed).permutation(16)
    gpus = (servers[:, None] * 8 + np.arange(8)).ravel()
    message = Message("EP", "all-to-all", ("ep",), 2.0**30, "tokens")
    seconds, bounds = [], []
    for ratio in (1, 4):
        blueprint = small_rails(ratio)
        found = NetworkTime.of(blueprint, parallel, placement=gpus).time(message)
        seconds.append(found.total_s - found.latency_s)
        (phase,) = phases(Hosts.of(blueprint), gpus.reshape(-1, 32), "all-to-all", "pairwise")
        bounds.append(lp_bound(blueprint, phase, pxn=True))
    assert bounds[1] < 0.7 * bounds[0]
    assert seconds[1] / seconds[0] == pytest.approx(bounds[0] / bounds[1], rel=0.02)
