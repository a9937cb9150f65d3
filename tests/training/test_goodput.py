"""What failures leave of a month: against draws of a run's life, Daly's optimum, and Llama 3's 54 days."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabric
from fabric.catalog import failure_rates
from fabric.errors import InputError
from fabric.training.goodput import Interruptions, Recovery, find_interruptions, goodput_of

LLAMA_DAYS, LLAMA_INTERRUPTIONS = 54, 419
"""The unexpected interruptions of Llama 3 405B on 16,384 GPUs (arXiv:2407.21783, section 3.3.4)."""


def every(hours: float) -> tuple[Interruptions, ...]:
    """Return interruptions with this mean time between two."""
    return (Interruptions("gpu", 1, 24 / hours),)


@pytest.mark.parametrize("hours", [0.2, 1.0, 5.0])
def test_a_drawn_life_agrees(hours: float) -> None:
    """The shares of time are those of a run that is drawn interruption by interruption."""
    recovery = Recovery(30.0, 400.0, 600.0)
    found = goodput_of(every(hours), recovery)
    shares = draw_life(np.random.default_rng(1), 3600 * hours, recovery, 20_000)
    assert (found.effective, found.checkpoints, found.rework, found.restarts) == pytest.approx(shares, abs=0.01)


def draw_life(rng: np.random.Generator, mean_s: float, recovery: Recovery, checkpoints: int) -> tuple[float, ...]:
    """Return the shares of time of a run until it has made that number of checkpoints."""
    interval, failure = float(recovery.interval_s or 0), rng.exponential(mean_s)
    clock, rework, restarts, done = 0.0, 0.0, 0.0, 0
    while done < checkpoints:
        if failure >= clock + interval + recovery.checkpoint_s:
            clock, done = clock + interval + recovery.checkpoint_s, done + 1
            continue
        rework += failure - clock
        back = failure
        while back == failure:  # a restart may itself be interrupted
            start, failure = failure, failure + rng.exponential(mean_s)
            back = min(start + recovery.restart_s, failure)
            restarts += back - start
        clock = back
    return done * interval / clock, done * recovery.checkpoint_s / clock, rework / clock, restarts / clock


@given(st.floats(0.05, 100), st.floats(0.1, 600), st.floats(0, 900))
def test_no_other_interval_leaves_more(hours: float, checkpoint_s: float, restart_s: float) -> None:
    """The interval chosen is the best one, and near Daly's approximation where checkpoints are short."""
    best = goodput_of(every(hours), Recovery(checkpoint_s, restart_s))
    interval, mean_s = float(best.recovery.interval_s or 0), 3600 * hours
    for other in (0.9, 1.1):
        assert goodput_of(every(hours), Recovery(checkpoint_s, restart_s, other * interval)).effective <= best.effective
    if checkpoint_s < mean_s / 2 and interval > 1:
        root = math.sqrt(checkpoint_s / (2 * mean_s))
        daly_s = math.sqrt(2 * checkpoint_s * mean_s) * (1 + root / 3 + root**2 / 9) - checkpoint_s
        assert interval == pytest.approx(daly_s, rel=0.01)
    assert best.effective + best.checkpoints + best.rework + best.restarts == pytest.approx(1)


def test_llama_3_trained_over_nine_tenths_of_54_days() -> None:
    """With a restart in ten minutes and short checkpoints, the rate of interruptions leaves what Meta reports.

    MegaScale comes back in under 10 minutes on average, and saves to its hosts' memory in seconds (arXiv:2402.15627,
    section 4); Meta says of its own times that they were reduced.
    """
    found = goodput_of(every(LLAMA_DAYS * 24 / LLAMA_INTERRUPTIONS), Recovery(10.0, 600.0))
    assert 0.90 < found.effective < 0.95
    assert found.hours_between == pytest.approx(3.1, abs=0.05)


def test_the_catalogue_explains_the_interruptions_of_llama_3() -> None:
    """On its fabric parts stop a job as often as they did, and links and leaves about half as often, beside software.

    The rates of GPUs, NICs and servers come from the same paper; those of links and switches do not.
    """
    design = fabric.design("meta-llama3-24k").blueprint
    found = find_interruptions(design, failure_rates(), 16_384, others_per_day=63 / LLAMA_DAYS)
    days = {each.kind: each.per_day * LLAMA_DAYS for each in found}
    assert days["gpu"] == pytest.approx(268, rel=0.01)
    assert 17 < days["server-leaf"] + days["leaf"] < 35  # Meta counts 35 of switches and cables, higher ones included
    assert sum(days.values()) == pytest.approx(LLAMA_INTERRUPTIONS, rel=0.06)


def test_tokens_of_a_month_and_whole_steps() -> None:
    """Checkpoints come after whole steps, and a month has as many tokens as its steps that are kept."""
    found = goodput_of(every(3), Recovery(20.0, 300.0, 612.0), step_s=20.0, tokens_per_step=1e6)
    assert found.recovery.interval_s == 620
    assert found.tokens_per_month == pytest.approx(found.effective * 365.25 / 12 * 86400 / 20 * 1e6)


def test_without_failures_only_checkpoints_cost() -> None:
    """A job that nothing interrupts needs no checkpoint, and loses those that it makes all the same."""
    assert goodput_of((), Recovery(20.0, 300.0)).effective == 1
    assert goodput_of((), Recovery(20.0, 300.0, 180.0)).checkpoints == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("recovery", "words"),
    [
        ({"checkpoint_s": -1.0}, "checkpoint_s -1"),
        ({"restart_s": math.nan}, "restart_s nan"),
        ({"interval_s": 0.0}, "interval_s 0"),
    ],
)
def test_times_that_make_no_sense_are_refused(recovery: dict[str, float], words: str) -> None:
    """A time below nothing is refused, and so is a job that never gets to a checkpoint."""
    with pytest.raises(InputError, match=words):
        Recovery(**{"checkpoint_s": 1.0, "restart_s": 1.0, **recovery})
    with pytest.raises(InputError, match="gets nowhere"):
        goodput_of(every(0.001), Recovery(10.0, 600.0))
    with pytest.raises(InputError, match=r"every 3,600 s gets nowhere with .* checkpoints of 1,000,000,000 s"):
        goodput_of(every(1), Recovery(1e9, 600.0))
    with pytest.raises(InputError, match="gets nowhere"):
        goodput_of(every(3), Recovery(1e300, 600.0))
