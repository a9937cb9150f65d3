"""The commands that take logs of nccl-tests: what they print, write, and end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.log_fixtures import Truth, write_log
from tests.request_fixtures import Run

REQUEST = "gpus: 64\nserver: hgx-h100\nswitches: sn5600\n"


@pytest.fixture
def request_yaml(tmp_path: Path) -> Path:
    """Return a request for 64 H100."""
    (tmp_path / "request.yaml").write_text(REQUEST)
    return tmp_path / "request.yaml"


def test_a_log_calibrates_every_estimate(run: Run, tmp_path: Path, request_yaml: Path) -> None:
    """The table says what was fitted, the file is read by allreduce, scale and design, and the plot is there."""
    log, file = write_log(tmp_path / "good.log", Truth()), tmp_path / "own" / "calibration.yaml"
    code, text, _ = run("calibrate", log, "-o", file, "-q")
    assert code == 0
    assert "Constants that these runs settle" in text
    assert "generations.hopper.channel_GBps" in text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("wrote"))
    assert yaml.safe_load(file.read_text())["runs"][0]["gpus"] == 32
    assert file.with_suffix(".svg").read_text().startswith("<?xml")
    words = ("allreduce", request_yaml, "--size", "1GiB", "--gpus", 32, "--json", "-q")
    plain, own = (json.loads(run(*words, *more)[1]) for more in ((), ("--calibration", file)))
    assert plain["results"][0]["time_s"] != own["results"][0]["time_s"]
    assert own["results"][0]["expected_error"] == yaml.safe_load(file.read_text())["errors"][0]["error"]
    for command in (("design", request_yaml), ("scale", request_yaml, "--gpus", "64")):
        code, text, _ = run(*command, "--calibration", file, "-q")
        assert code == 0
        assert "of the model by runs of this cluster" in " ".join(text.split())
    _, text, _ = run("allreduce", "superpod-b300-1su", "--size", "1GiB", "--calibration", file, "-q")
    assert "by runs on other GPUs (hopper)" in " ".join(text.split())


def test_the_json_of_a_calibration_is_its_file(run: Run, tmp_path: Path) -> None:
    """What --json prints and what -o writes are one object."""
    log, file = write_log(tmp_path / "good.log", Truth()), tmp_path / "calibration.yaml"
    code, text, _ = run("calibrate", log, "-o", file, "--json", "-q")
    assert code == 0
    assert json.loads(text) == yaml.safe_load(file.read_text())


def test_exit_codes_say_whether_a_run_is_accepted(run: Run, tmp_path: Path, request_yaml: Path) -> None:
    """A healthy run ends with 0, a slow one with 3 and its cause, and a log that is none with 2."""
    good, bad = write_log(tmp_path / "good.log", Truth()), write_log(tmp_path / "bad.log", Truth(bandwidth=0.5))
    (tmp_path / "none.log").write_text("hello\n")
    assert run("accept", request_yaml, good, "-q")[0] == 0
    code, text, _ = run("accept", request_yaml, bad, "-q")
    assert code == 3
    assert "half of the 8 rails" in " ".join(text.split())
    code, _, error = run("accept", request_yaml, tmp_path / "none.log", "-q")
    assert code == 2
    assert "no table of times" in " ".join(error.split())


def test_a_tolerance_can_be_asked_for(run: Run, tmp_path: Path, request_yaml: Path) -> None:
    """--within decides instead of the error to expect, and JSON has the verdict point by point."""
    log = write_log(tmp_path / "slower.log", Truth(bandwidth=0.9))
    words = ("accept", request_yaml, log, "--json", "-q", "--within")
    found = {within: run(*words, within) for within in ("60%", "0.1")}
    assert [code for code, _, _ in found.values()] == [0, 3]
    result = json.loads(found["60%"][1])["runs"][0]
    assert result["accepted"]
    assert {point["tolerance"] for point in result["points"]} == {0.6}
    assert run(*words, "much")[0] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("calibrate", "none.log"), "not readable"),
        (("calibrate", "-"), "standard input is not read; name a file"),
        (("accept", "request.yaml", "-"), "standard input is not read; name a file"),
        (("allreduce", "request.yaml", "--traffic", "-"), "standard input is not read; name a file"),
        (("calibrate", "good.log", "-o", "calibration.txt"), "a calibration is YAML"),
        (("calibrate", "good.log", "-o", "good.log"), "is an input"),
        (("calibrate", "good.log", "--server", "hgx-h101"), "hgx-h100"),
        (("accept", "small.yaml", "good.log"), "the design has 16"),
        (("accept", "request.yaml", "good.log", "--calibration", "none.yaml"), "none.yaml: not readable"),
    ],
)
def test_bad_input_is_one_message(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    """It ends with 2, says what is wrong, and leaves no file behind."""
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "good.log", Truth())
    (tmp_path / "request.yaml").write_text(REQUEST)
    (tmp_path / "small.yaml").write_text(REQUEST.replace("64", "16"))
    before = {path.name for path in tmp_path.iterdir()}
    code, _, error = run(*words, "-q")
    assert code == 2
    assert message in " ".join(error.split())
    assert {path.name for path in tmp_path.iterdir()} == before
