"""A training step for people and for machines."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import pytest

import fabric
from fabric.catalog import failure_rates, models
from fabric.report.training import (
    describe_parallel,
    list_shares,
    step_object,
    summarize_goodput,
    summarize_step,
    summarize_training,
)
from fabric.request.parallel import Parallel
from fabric.request.parallel_text import parse_parallel
from fabric.training.goodput import Recovery, find_interruptions, goodput_of
from fabric.training.gpu_hour import GpuHour
from fabric.training.model_run import ModelRun
from fabric.training.step import TrainingStep, train_step

PARALLEL = Parallel(tp=8, pp=4, vp=4, dp=2, schedule="interleaved", recompute="full")


@pytest.fixture(scope="module")
def step() -> TrainingStep:
    """Return a step of Llama 3 70B on 64 GPUs."""
    blueprint = fabric.design(gpus=64, server="dgx-h100", name="small").blueprint
    return train_step(blueprint, ModelRun(models()["llama3-70b"], PARALLEL, 16))


def test_the_object_is_plain_and_adds_up(step: TrainingStep) -> None:
    """JSON has the parts of the step, and its messages with what each takes."""
    found = json.loads(json.dumps(step_object(step)))
    parts = [*found["compute_s"].values(), *found["exposed_s"].values(), found["update_s"], found["bubble_s"]]
    assert math.fsum(parts) == pytest.approx(found["step_s"])
    assert step.to_dict() == found
    sent = {(each["collective"], each["what"]): each for each in found["messages"]}
    # Each of a rank's 20 layers gathers and scatters twice, in the forward pass and, with all recomputed, twice more.
    assert sent["reduce-scatter", "hidden states"]["calls"] == 20 * 8 * 2 * 3
    assert sent["send-recv", "hidden states"]["calls"] == 2 * 4 * 8


def test_a_step_is_a_value(step: TrainingStep) -> None:
    """A step comes back equal from a pickle, and says in a line what it is."""
    again = pickle.loads(pickle.dumps(step))
    assert again == step
    assert hash(again) == hash(step)
    assert repr(step).startswith("<TrainingStep small: llama3-70b on 64 GPUs, ")
    assert isinstance(step.plot().axes, list)
    assert "<table" in step._repr_html_()


def test_the_summary_says_what_the_step_is(step: TrainingStep) -> None:
    """The shares of the step end with all of it, and the definitions of utilization are named."""
    summary = summarize_step(step)
    assert summary.text.startswith("small: a step of llama3-70b on 64 GPUs (h100) takes")
    assert summary.tables[0].rows[-1][2] == "100.0 %"
    assert any("HFU, with what is computed again" in line for line in summary.lines)
    assert sum(seconds for _, seconds in list_shares(step)) == pytest.approx(step.step_s)


def test_degrees_are_written_as_they_are_read() -> None:
    """A run's degrees come back from the text that reports have."""
    assert parse_parallel(describe_parallel(PARALLEL)) == PARALLEL
    assert parse_parallel(describe_parallel(Parallel())) == Parallel()


def test_fabrics_side_by_side_have_a_cost_only_where_it_is_known(step: TrainingStep) -> None:
    """A row of cost stands where any fabric has one; a fabric without has none in it."""
    slow = replace(step, name="slow", step_s=1.1 * step.step_s)
    free = summarize_training([step, slow], [None, None])
    cost = step.usd_per_trillion_tokens(2.0)
    paid = replace(step, gpu_hour=GpuHour(2.0))
    priced = summarize_training([paid, slow], [None, None])
    rows = {label: values for label, *values in free.tables[0].rows}
    assert rows["vs first"] == ["100.0 %", "110.0 %"]
    assert "10^12 tokens" not in rows
    assert priced.tables[0].rows[-1] == ("10^12 tokens", f"${cost:,.0f}", "unknown")
    # 10^12 tokens take this many hours of a GPU.
    assert cost == pytest.approx(2.0 * 1e12 / step.tokens_s_gpu / 3600)
    unlike = summarize_training([step, replace(slow, accelerator="b300")], [None, None])
    assert "on 64 GPUs (h100) or 64 GPUs (b300)" in unlike.text
    assert unlike.tables[0].heads == ("", "small", "slow")
    assert unlike.tables[0].rows[0] == ("GPUs", "64 x h100", "64 x b300")
    assert unlike.lines[0] == f"Parallel layout: {describe_parallel(step.parallel).replace(',', ', ')}."
    one = summarize_training([paid], [None])
    assert f"A trillion tokens cost ${cost:,.0f}, at $2.000 for a GPU-hour." in one.lines


def test_goodput_says_what_is_lost(step: TrainingStep) -> None:
    """What failures cost is reported by cause, with the tokens of a month."""
    blueprint = fabric.design(gpus=64, server="dgx-h100").blueprint
    stops = find_interruptions(blueprint, failure_rates())
    found = goodput_of(stops, Recovery(30.0, 600.0), step_s=step.step_s, tokens_per_step=step.tokens)
    summary = summarize_goodput(found)
    assert "Goodput over a month: 99." in summary.text
    assert {row[0] for row in summary.tables[1].rows} == {"gpu", "server", "nic", "server-leaf", "leaf"}
    assert json.loads(json.dumps(found.to_dict()))["effective"] == found.effective
