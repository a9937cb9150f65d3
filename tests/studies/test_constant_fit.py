"""The fit of constants: it finds those that made the times, and knows which it cannot find."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fabric.catalog import Collectives, collectives, constant_at, servers, with_constants
from fabric.studies.constant_fit import fit_constants, fit_settled
from fabric.studies.measured_runs import MeasuredRun

SIZES = tuple(1 << power for power in range(16, 34, 2))
TRUTH = {"generations.hopper.channel_GBps": 17.0, "generations.hopper.launch_us": 25.0, "delay": 2.0}


def _run(gpus: int, constants: Collectives, noise: float = 0.0, seed: int = 0) -> MeasuredRun:
    """Return a run whose times the model makes, with noise."""
    run = MeasuredRun("made", servers()["hgx-h100"], gpus, "all-reduce", SIZES, (1.0,) * len(SIZES))
    draw = np.random.default_rng(seed)
    times = [each.time_s * 1e6 * (1 + draw.normal(0, noise)) for each in run.estimates(constants)]
    return MeasuredRun("made", run.server, gpus, "all-reduce", SIZES, tuple(times))


def _residuals(run: MeasuredRun, constants: Collectives) -> npt.NDArray[np.float64]:
    return np.log(np.array([each.time_s * 1e6 for each in run.estimates(constants)]) / run.times_us)


def test_constants_that_made_the_times_are_found() -> None:
    """Without noise each comes out within two per cent, one that begins at 0 too."""
    run = _run(32, with_constants(collectives(), TRUTH))
    found, fitted = fit_constants(collectives(), tuple(TRUTH), lambda constants: _residuals(run, constants))
    assert {one.name: one.value for one in fitted} == pytest.approx(TRUTH, rel=0.02)
    assert constant_at(found, "delay") == pytest.approx(2.0, rel=0.02)


def test_a_spread_is_how_far_noise_moves_a_constant() -> None:
    """Over drawn noise the bandwidth varies as much as its stated spread, within a factor of two."""
    truth, name = with_constants(collectives(), TRUTH), "generations.hopper.channel_GBps"
    logs, spreads = [], []
    for seed in range(6):
        run = _run(32, truth, 0.03, seed)
        _, (one,) = fit_constants(truth, (name,), lambda constants, run=run: _residuals(run, constants))
        logs.append(np.log(one.value / TRUTH[name]))
        spreads.append(one.spread)
    assert np.mean(spreads) / 2 < np.sqrt(np.mean(np.square(logs))) < 2 * np.mean(spreads)


def test_constants_that_no_point_tells_apart_stay_open() -> None:
    """What a call and a network step add cannot be separated by one run; what moves no time never is."""
    run = _run(32, with_constants(collectives(), TRUTH), 0.03)
    names = (*TRUTH, "generations.hopper.network_us", "generations.ampere.launch_us")
    _, fitted, left = fit_settled(collectives(), names, lambda constants: _residuals(run, constants), 0.15)
    assert "generations.ampere.launch_us" in left
    assert "generations.hopper.channel_GBps" in {one.name for one in fitted}
    assert {*(one.name for one in fitted), *left} == set(names)
    assert all(one.spread <= 0.15 for one in fitted)


def test_a_limit_that_another_takes_over_is_settled_by_what_less_would_give() -> None:
    """Where channels carry more than the NICs, the times have no slope by them, and exclude the catalogue's value."""
    name = "generations.hopper.channel_GBps"
    run = _run(32, with_constants(collectives(), {name: 40.0}), 0.03)
    _, (one,), left = fit_settled(collectives(), (name,), lambda constants: _residuals(run, constants), 0.15)
    assert not left
    assert one.value > 1.02 * one.before


@pytest.mark.parametrize("name", ["nothing", "generations.hopper", "generations.mars.launch_us", "protocols.ll.x"])
def test_an_unknown_constant_is_refused(name: str) -> None:
    """A name must lead to a number."""
    with pytest.raises(KeyError):
        with_constants(collectives(), {name: 1.0})
