"""The timeline of a step: what every stage does when, as a picture and as a trace."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.catalog import models
from fabric.draw import save
from fabric.draw.training_timeline import draw_training
from fabric.export.chrome_trace import chrome_trace
from fabric.request.parallel import Parallel
from fabric.training.model_run import ModelRun
from fabric.training.step import TrainingStep, train_step
from fabric.training.timeline import KINDS, MESSAGES, list_spans
from tests.draw.legibility import drawn_problems, words

RUNS = {
    "1f1b": Parallel(tp=8, pp=4, dp=2),
    "interleaved": Parallel(tp=8, pp=4, vp=4, dp=2, schedule="interleaved"),
    "zero-bubble": Parallel(tp=8, pp=4, dp=2, schedule="zero-bubble"),
    "dualpipe": Parallel(tp=8, pp=4, dp=2, schedule="dualpipe"),
    "one stage": Parallel(tp=8, dp=8, sharding="zero3"),
}


@pytest.fixture(scope="module", params=RUNS)
def step(request: pytest.FixtureRequest) -> TrainingStep:
    """Return a step of each schedule on 64 GPUs."""
    return step_of(request.param)


@cache
def step_of(schedule: str) -> TrainingStep:
    """Return a step of 8 or 16 micro-batches."""
    blueprint = fabric.design(gpus=64, server="dgx-h100").blueprint
    return train_step(blueprint, ModelRun(models()["llama3-70b"], RUNS[schedule], 16))


def test_spans_of_a_stage_do_not_overlap(step: TrainingStep) -> None:
    """Passes of a stage follow each other, as do its messages, and all of them are in the step."""
    spans = list_spans(step.run)
    assert spans.start_s.min() == pytest.approx(0, abs=1e-12)
    assert spans.end_s.max() == pytest.approx(step.step_s)
    for rank in range(spans.ranks):
        for lane in (False, True):
            own = (spans.rank == rank) & (np.isin(spans.kind, MESSAGES) == lane)
            turn = np.argsort(spans.start_s[own], kind="stable")
            assert (spans.start_s[own][turn][1:] >= spans.end_s[own][turn][:-1] - 1e-9).all()
    assert (spans.waits_s <= spans.end_s - spans.start_s + 1e-12).all()


def test_every_micro_batch_passes_every_part_twice(step: TrainingStep) -> None:
    """Each part of the model has one forward and one backward pass of each micro-batch."""
    spans, count = list_spans(step.run), step.run.pipeline.order.micro_batches
    for names in (("forward pass", "forward and backward pass"), ("backward pass", "forward and backward pass")):
        passes = np.isin(spans.kind, [KINDS.index(name) for name in names])
        pairs = {(part, number) for part, number in zip(spans.part[passes], spans.micro_batch[passes], strict=True)}
        if step.parallel.schedule != "dualpipe":  # whose joint spans have the numbers of their forward passes
            assert len(pairs) == passes.sum() == count * (spans.part.max() + 1)


def test_a_trace_has_the_events_of_the_format(step: TrainingStep) -> None:
    """Perfetto's complete events: microseconds, a process for each stage, a thread for passes and one for messages."""
    trace = json.loads(chrome_trace(step))
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    names = [event for event in trace["traceEvents"] if event["ph"] == "M" and event["name"] == "process_name"]
    assert len(names) == step.parallel.pp
    assert max(event["ts"] + event["dur"] for event in events) == pytest.approx(1e6 * step.step_s)
    assert all(event["dur"] >= 0 and event["tid"] in (0, 1) for event in events)
    assert trace["otherData"]["step_s"] == step.step_s


def test_the_picture_has_every_kind_of_span(tmp_path: Path) -> None:
    """The legend names what there is, and the bar of shares adds up to the step."""
    step = step_of("zero-bubble")
    spans = list_spans(step.run)
    shares = [("computation", sum(step.compute_s.values())), ("bubble", step.bubble_s), *step.exposed_s.items()]
    figure = draw_training("a step", shares, spans)
    save(figure, tmp_path / "step.svg")
    legend = {text.get_text() for text in figure.axes[1].get_legend().get_texts()}
    assert {KINDS[kind] for kind in np.unique(spans.kind)} <= legend
    assert sum(bar.get_width() for bar in figure.axes[0].patches) == pytest.approx(step.step_s - step.update_s)
    assert (tmp_path / "step.svg").stat().st_size < 400_000


def test_the_picture_is_legible(step: TrainingStep) -> None:
    """No text lies over another or leaves the page, and the last row of the legend is clear of its edge."""
    figure = draw_training("a step", [("computation", 1.0), ("TP", 0.1)], list_spans(step.run))
    assert drawn_problems(figure) == []
    legend = figure.axes[1].get_legend()
    assert legend.get_window_extent().y0 * 72 / figure.dpi > 8


@pytest.mark.parametrize(("factor", "unit"), [(1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "us")])
def test_short_steps_have_times_in_smaller_units(factor: float, unit: str) -> None:
    """The axis of time is in seconds, ms or us, with numbers as long as a step of a second has."""
    spans = list_spans(step_of("one stage").run)
    scale = factor / spans.step_s
    start_s, end_s, waits_s = (scale * each for each in (spans.start_s, spans.end_s, spans.waits_s))
    figure = draw_training(
        "a step", [("computation", 1.0)], replace(spans, start_s=start_s, end_s=end_s, waits_s=waits_s, step_s=factor)
    )
    labels = words(figure)
    assert f"time ({unit})" in labels
    assert (" 0.2 " if factor >= 1e-6 else " 0.0002 ") in labels
