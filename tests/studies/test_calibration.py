"""Calibration and acceptance by logs whose truth is known, which the flow model has no part in."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import fabric
from fabric.catalog import collectives
from fabric.errors import InputError
from fabric.report.calibration import calibration_object, write_calibration
from fabric.studies.acceptance import Acceptance, accept, find_shape
from fabric.studies.calibration import SETTLED, Calibration, calibrate
from fabric.studies.measured_runs import run_of, server_of
from fabric.studies.nccl_logs import read_log
from tests.log_fixtures import Truth, write_log

REQUEST = {"gpus": 64, "server": "hgx-h100", "switches": "sn5600"}
CROSSING = REQUEST | {"family": "fat-tree", "unit_gpus": 16, "tiers": 2}
"""Four servers of a run on this fabric are under two leaves."""


def _calibrate(path: Path, truth: Truth, seed: int = 1) -> Calibration:
    runs = read_log(write_log(path / "good.log", truth, seed=seed))
    return calibrate([run_of(run, server_of(run)) for run in runs])


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """Return the calibration of a healthy cluster, by one run of 3 % noise."""
    return _calibrate(tmp_path_factory.mktemp("healthy"), Truth())


def test_constants_are_fitted_that_the_run_settles(healthy: Calibration) -> None:
    """Each has a spread up to what counts as settled; those that are open or unused keep the catalogue's value."""
    assert healthy.fitted
    assert all(one.spread <= SETTLED for one in healthy.fitted)
    names = {one.name for one in healthy.fitted}
    assert not names & set(healthy.open)
    assert not any("ampere" in name or "blackwell" in name for name in names)
    assert healthy.constants.generations["blackwell"] == collectives().generations["blackwell"]


def test_the_fit_follows_the_bandwidth(healthy: Calibration, tmp_path: Path) -> None:
    """A cluster of 7/8 of the bandwidth gets 7/8 of the constant that bounds it, within the noise."""
    slow = _calibrate(tmp_path, Truth(bandwidth=7 / 8), seed=2)
    value = {one.name: one.value for one in healthy.fitted}
    name = "generations.hopper.channel_GBps"
    assert {one.name: one.value for one in slow.fitted}[name] == pytest.approx(7 / 8 * value[name], rel=0.03)


def test_a_calibration_predicts_the_next_run(healthy: Calibration, tmp_path: Path) -> None:
    """Nine of ten times of another run of the same cluster are inside the errors that it states."""
    inside, total = 0, 0
    for seed in range(3, 8):
        run = run_of(read_log(write_log(tmp_path / "next.log", Truth(), seed=seed))[0], healthy.server)
        for size, time_us, found in zip(run.sizes, run.times_us, run.estimates(healthy.constants), strict=True):
            error = next(error for least, error in healthy.errors().items() if size >= least)
            inside += abs(np.log(time_us / found.time_s / 1e6)) <= np.log1p(error)
            total += 1
    assert inside / total >= 0.9


def test_the_file_serves_every_estimate(healthy: Calibration, tmp_path: Path) -> None:
    """Read again it gives the same constants, beside a request, in it, and through a file of its own folder."""
    file, picture = write_calibration(healthy, tmp_path / "calibration.yaml")
    assert picture.stat().st_size > 1000
    inline = yaml.safe_load(file.read_text())
    assert inline == calibration_object(healthy)
    (tmp_path / "request.yaml").write_text(yaml.safe_dump(REQUEST | {"calibration": "calibration.yaml"}))
    found = [
        fabric.design(REQUEST, calibration=str(file)), fabric.design(REQUEST, calibration=inline),
        fabric.design(tmp_path / "request.yaml"),
    ]  # fmt: skip
    plain = fabric.design(REQUEST)
    times = {study.allreduce(2**30).time_s for study in found}
    assert len(times) == 1
    assert times != {plain.allreduce(2**30).time_s}
    assert fabric.design(found[0].spec.request).spec.constants == found[0].spec.constants
    assert found[0].blueprint.constants == found[0].spec.constants


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"constants": [{"name": "generations.hopper.nothing", "value": 1.0}]},
            r"constants\[0\]\.name: unknown constant",
        ),
        ({"generation": None}, "generation"),
        ({"server": "hgx-h101"}, r"server: unknown server 'hgx-h101'; did you mean 'hgx-h100'"),
        ({"generation": "hoper"}, "generation: 'hoper' is not that of hgx-h100, which is hopper"),
        ({"server": "mi300x"}, "generation: 'hopper' is not that of mi300x, which is cdna3"),
        ({"constants": [{"name": "delay", "value": -1.0}]}, "value"),
        ({"constants": [{"name": "network_scale", "value": 0.0}]}, r"value: 0 is over 1,000 times off"),
        ({"constants": [{"name": "generations.hopper.channel_GBps", "value": 1e-9}]}, r"value: 1e-09 is over"),
        (
            {"constants": [{"name": "network_scale", "value": each} for each in (0.9, 1.0)]},
            r"constants\[1\]\.name: a second 'network_scale'",
        ),
        ({"format": "fabric.calibration/2"}, "format: unknown value 'fabric.calibration/2'"),
    ],
)
def test_a_calibration_that_is_none_is_refused(tmp_path: Path, wrong: dict[str, object], words: str) -> None:
    """The message has the file, the line and the key."""
    right = {"server": "hgx-h100", "generation": "hopper", "constants": []}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(right | wrong))
    with pytest.raises(InputError, match=rf"wrong\.yaml:[0-9]+: .*{words}"):
        fabric.design(REQUEST, calibration=str(tmp_path / "wrong.yaml"))


def test_too_few_points_settle_nothing(tmp_path: Path) -> None:
    """A run of four sizes is refused."""
    path = write_log(tmp_path / "few.log", Truth())
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-14]) + "\n")
    run = read_log(path)[0]
    with pytest.raises(InputError, match="too few points, 4; give sweeps of 5 or more"):
        calibrate([run_of(run, server_of(run))])


def test_a_calibration_without_a_constant_is_not_written(healthy: Calibration, tmp_path: Path) -> None:
    """A file that calibrates nothing would be taken for one that does."""
    with pytest.raises(InputError, match=r"settle no constant of .*, so that .*none\.yaml was not written"):
        write_calibration(replace(healthy, fitted=()), tmp_path / "none.yaml")
    assert not [*tmp_path.iterdir()]


def _accept(
    path: Path, truth: Truth, own: Calibration, request: dict[str, object] | None = None, info: str = ""
) -> Acceptance:
    blueprint = fabric.design(request or REQUEST, calibration=calibration_object(own)).blueprint
    return accept(blueprint, read_log(write_log(path / "run.log", truth, seed=11, info=info))[0])


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_run_is_accepted(healthy: Calibration, tmp_path: Path, seed: int) -> None:
    """Noise of 3 % alone is accepted, with no suggestion."""
    blueprint = fabric.design(REQUEST, calibration=calibration_object(healthy)).blueprint
    found = accept(blueprint, read_log(write_log(tmp_path / "run.log", Truth(), seed=seed))[0])
    assert found.accepted
    assert not found.suggestions


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (Truth(bandwidth=7 / 8), "1 of 8 rails missing"),
        (Truth(bandwidth=6 / 8), "2 of 8 rails missing"),
        (Truth(bandwidth=1 / 2), "half of the 8 rails"),
        (Truth(bandwidth=1 / 4), "one slow NIC"),
        (Truth(latency_us=100.0), "a latency floor: every call takes"),
        (Truth(slow=(2**18, 2**20, 2.5)), "a protocol or an algorithm"),
    ],
)
def test_a_fault_is_named_by_its_shape(healthy: Calibration, tmp_path: Path, truth: Truth, words: str) -> None:
    """The first suggestion is the truth."""
    found = _accept(tmp_path, truth, healthy)
    assert not found.accepted
    assert found.suggestions[0].startswith(words)


def test_oversubscription_needs_a_run_over_several_leaves(healthy: Calibration, tmp_path: Path) -> None:
    """Half of the bandwidth may be 2:1 leaves only where the run leaves its leaf."""
    inside, across = (
        " ".join(_accept(tmp_path, Truth(bandwidth=0.5), healthy, request).suggestions)
        for request in (REQUEST, CROSSING)
    )
    assert "2:1" not in inside
    assert "2:1 oversubscription" in across


def test_bandwidth_that_changes_from_size_to_size_is_of_collisions(healthy: Calibration, tmp_path: Path) -> None:
    """Hashes that each call meets anew scatter the bandwidths, over several leaves."""
    found = _accept(tmp_path, Truth(bandwidth=0.6, scatter=0.35), healthy, CROSSING)
    assert found.suggestions[0].startswith("collisions of hashed paths")


def test_the_nics_that_the_library_names_come_first(healthy: Calibration, tmp_path: Path) -> None:
    """A log that lists four of eight NICs says why."""
    nics = " ".join(f"[{index}]mlx5_{index}:1/IB" for index in range(4))
    found = _accept(tmp_path, Truth(bandwidth=0.5), healthy, info=f"node-000:1:2 [0] NCCL INFO NET/IB : Using {nics}")
    assert found.suggestions[0].startswith("the library used 4 of 8 NICs")


def test_the_nics_of_a_rack_are_those_of_its_trays(tmp_path: Path) -> None:
    """A log names the NICs of a host, which is one of the 18 trays of a rack: four are all of them."""
    using = "x NCCL INFO NET/IB : Using [0]m0:1/IB [1]m1:1/IB [2]m2:1/IB [3]m3:1/IB"
    truth = Truth("OCI BM.GPU.GB200-v3.4 (32 nodes, 2 racks)", bandwidth=0.3)
    (log,) = read_log(write_log(tmp_path / "rack.log", truth, info=using))
    assert log.nics == 4
    rack = fabric.design({"gpus": 144, "server": "gb200-nvl72", "switches": "sn5600"}).blueprint
    found = accept(rack, log)
    assert found.suggestions
    assert not any("72" in each for each in found.suggestions)


def test_few_points_for_many_constants_say_less(healthy: Calibration) -> None:
    """The error is wider than the residuals by the degrees of freedom that the constants take."""
    fewer = replace(healthy, fitted=())
    points = sum(len(run.sizes) for run in healthy.runs)
    for least, error in healthy.errors().items():
        mean_square = (np.log1p(fewer.errors()[least]) / 1.645) ** 2 - 0.03**2
        wider = np.sqrt(mean_square * points / (points - len(healthy.fitted)) + 0.03**2)
        assert error == pytest.approx(np.expm1(1.645 * wider))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("NVIDIA H100 80GB HBM3", "AMD Instinct MI300X", r"ran on AMD Instinct MI300X, and the design has hgx-h100"),
        ("device  [4-7]", None, "4 of the 8 GPUs of a server ran, on 4 servers"),
    ],
)
def test_a_log_of_other_machines_is_refused(tmp_path: Path, old: str, new: str | None, words: str) -> None:
    """GPUs of another generation, and half of each server, are not what the design's estimate is of."""
    path = write_log(tmp_path / "run.log", Truth())
    lines = path.read_text().splitlines()
    if new is None:
        left = [line for line in lines if not re.search(old, line)]
        ranks = itertools.count()
        lines = [re.sub(r"Rank +\d+", lambda _: f"Rank {next(ranks)}", line) for line in left]
    path.write_text("\n".join(lines).replace(old, new or old) + "\n")
    with pytest.raises(InputError, match=rf"run\.log:1: {words}"):
        accept(fabric.design(REQUEST).blueprint, read_log(path)[0])


def test_an_error_over_a_half_counts_as_none(healthy: Calibration) -> None:
    """The file has what the fit left, and estimates state no error that wide."""
    wide = calibration_object(healthy) | {"errors": [{"from_bytes": 1, "error": 0.7}]}
    found = fabric.design(REQUEST, calibration=wide).allreduce(2**30)
    assert found.expected_error is None
    assert found.not_measured == ("enough runs of the kind (the error would be over 50 %)",)


def test_own_runs_say_nothing_of_other_layouts_and_limits(healthy: Calibration) -> None:
    """The error of a run on four servers is of four to eight of them, not of one or two, nor of oversubscription."""
    own = calibration_object(healthy)

    def error(gpus: int, **more: object) -> float | None:
        study = fabric.design({"gpus": gpus, "server": "hgx-h100", "switches": "sn5600"} | more, calibration=own)
        return study.allreduce(2**31).expected_error

    stated = healthy.errors()[2**30]
    assert [error(gpus) == pytest.approx(stated, rel=1e-3) for gpus in (8, 16, 24, 32, 64, 72)] == [
        False, False, True, True, True, False,
    ]  # fmt: skip
    crossing = {"family": "fat-tree", "unit_gpus": 8, "tiers": 2, "oversubscription": {"min": 4, "max": 4}}
    assert error(64, **crossing) is None


def test_a_log_of_some_algorithms_is_held_to_them(tmp_path: Path) -> None:
    """Without reduction in NVLink switches estimates are of rings and trees; what can't run leaves the choice."""
    blueprint = fabric.design(REQUEST).blueprint
    words = {
        "": "nvls-tree",
        "NCCL_NVLS_ENABLE=0": "ring",
        "NCCL_ALGO=Ring,Tree": "ring",
        "NCCL_ALGO=NVLS": "nvls-tree",
    }
    for info, algorithm in words.items():
        (log,) = read_log(write_log(tmp_path / "run.log", Truth(), info=info))
        assert accept(blueprint, log).points[-1].estimate.algorithm == algorithm, info


def test_what_a_tolerance_hides_is_said(healthy: Calibration, tmp_path: Path) -> None:
    """Clusters differ by as much as a missing rail costs: only the calibration of a healthy run tells it."""
    log = read_log(write_log(tmp_path / "seven.log", Truth(bandwidth=7 / 8), seed=11))[0]
    plain = accept(fabric.design(REQUEST).blueprint, log)
    assert plain.accepted
    assert plain.hidden.startswith("The tolerance would hide one missing rail of 8, with which long messages take 1.14")
    sharp = accept(fabric.design(REQUEST, calibration=calibration_object(healthy)).blueprint, log)
    assert (sharp.accepted, sharp.hidden) == (False, "")
    assert "1 of 8 rails missing" in sharp.suggestions[0]
    assert accept(fabric.design(REQUEST).blueprint, log, within=0.1).hidden == ""


def test_a_published_sweep_is_accepted_by_its_own_machine(tmp_path: Path) -> None:
    """Sweeps of H100 servers by others are as the model expects without any calibration."""
    for system in ("H100 2-node IB cluster", "Dell XE9680 H100 x4"):
        log = read_log(write_log(tmp_path / "run.log", Truth(system, noise=0.0)))[0]
        assert accept(fabric.design(REQUEST).blueprint, log).accepted, system


def test_the_shape_of_a_sum_is_its_parts() -> None:
    """A latency and a loss of bandwidth put together are found again, from drawn sizes of each."""
    draw, sizes = np.random.default_rng(5), [1 << power for power in range(14, 34)]
    expected = 40.0 + np.array(sizes) / 3e5
    for _ in range(50):
        latency, left = draw.uniform(0, 200), draw.uniform(0.3, 1.0)
        lost = np.array(sizes) / 3e5 * (1 / left - 1)
        shape = find_shape(sizes, expected + latency + lost, expected)
        assert shape.latency_us == pytest.approx(latency, abs=1.0)
        assert shape.bandwidth == pytest.approx(left, rel=0.01)
        assert shape.bump is None
