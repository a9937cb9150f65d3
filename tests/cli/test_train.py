"""The command `fabric train`: what it prints, the files that it writes, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fabric.cli.main import cli

REQUEST = (
    "name: {name}\ngpus: 128\nserver: dgx-h100\nfamily: fat-tree\nunit_gpus: 64\ntiers: 2\noversubscription: {ratio}\n"
)
RUN = "model: llama3-70b\nparallel: {tp: 8, pp: 4, dp: 4, order: tp-cp-pp-dp}\nbatch: 16\ngpu_hour_usd: 2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two requests and the file of a run, in which commands run."""
    (tmp_path / "wide.yaml").write_text(REQUEST.format(name="wide", ratio=1))
    (tmp_path / "narrow.yaml").write_text(REQUEST.format(name="narrow", ratio="{min: 8, max: 8}"))
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "jobs.yaml").write_text("jobs: [{name: other, gpus: 32}]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    """Run `fabric train`."""
    return CliRunner().invoke(cli, ["train", *words])


def test_one_fabric_with_files(folder: Path) -> None:
    """A step is printed with its parts, its cost and its goodput, and written with a timeline and a trace."""
    done = run("wide.yaml", "--model", "run.yaml", "--checkpoint", "30", "--out", "out")
    assert done.exit_code == 0, done.output
    assert "wide: a step of llama3-70b on 128 GPUs (h100) takes" in done.output.replace("\n", " ")
    assert "A trillion tokens cost $" in done.output
    assert "Goodput over a month: 99." in done.output
    names = {file.name for file in (folder / "out").iterdir()}
    assert names == {"training.json", "timeline.svg", "timeline.png", "trace.json"}
    assert "traceEvents" in json.loads((folder / "out/trace.json").read_text())


def test_fabrics_side_by_side(folder: Path) -> None:  # noqa: ARG001
    """A narrow fabric takes longer and costs more; options override what the file of the run says."""
    words = ("wide.yaml", "narrow.yaml", "--model", "run.yaml", "--json", "--precision", "fp8", "--gpu-hour-usd", "3")
    done = run(*words)
    assert done.exit_code == 0, done.output
    wide, narrow = json.loads(done.stdout)["steps"]
    assert (wide["name"], narrow["name"]) == ("wide", "narrow")
    assert wide["precision"] == "fp8"
    assert narrow["step_s"] > 1.01 * wide["step_s"]
    assert narrow["network_cost"] > wide["network_cost"]
    assert narrow["usd_per_trillion_tokens"] > wide["usd_per_trillion_tokens"] > 0
    table = run(*words[:4])
    assert "vs first" in table.output
    assert "10^12 tokens" in table.output


def test_prices_of_servers(folder: Path) -> None:  # noqa: ARG001
    """With the price of servers and the years tokens have a cost on each fabric, and without one of them a reason."""
    words = ("wide.yaml", "narrow.yaml", "--model", "llama3-8b", "--parallel", "tp=8,dp=16", "--batch", "128")
    done = run(*words, "--price", "dgx-h100=300000", "--years", "5", "--json")
    assert done.exit_code == 0, done.output
    for step in json.loads(done.stdout)["steps"]:
        hour = step["gpu_hour"]
        assert hour["servers_hour_usd"] == pytest.approx(300_000 / 8 / 5 / 8766)
        assert hour["usd"] == hour["servers_hour_usd"] + hour["fabric_hour_usd"]
        assert step["usd_per_trillion_tokens"] == pytest.approx(hour["usd"] * 1e12 / 3600 / step["tokens_s_gpu"])
    shown = " ".join(run(*words, "--price", "dgx-h100=300000").output.split())
    assert "What tokens cost is not known without `years`, or `gpu_hour_usd`." in shown
    assert "GPU-hour" not in shown
    assert "years: 0 is too small" in str(run(*words, "--years", "0").exception)


def test_failures_and_jobs(folder: Path) -> None:  # noqa: ARG001
    """Lost uplinks are counted, and a file of jobs is read."""
    words = ("narrow.yaml", "--model", "run.yaml", "--json")
    healthy, failed = (json.loads(run(*words, *more).stdout)["steps"][0] for more in ((), ("--fail", "leaf-spine:50%")))
    assert failed["network_s"]["failures"] > 0 == healthy["network_s"]["failures"]
    done = run("narrow.yaml", "--model", "run.yaml", "--jobs", "jobs.yaml")
    remedy = "the jobs take 160 GPUs of the 128 of narrow (the run 128, other 32); make them 32 smaller"
    assert remedy in str(done.exception)


def test_search(folder: Path) -> None:  # noqa: ARG001
    """The best degrees are found and proven, those that are given are kept, and the step is that of the best."""
    words = ("wide.yaml", "--model", "llama3-8b", "--batch", "32", "--search", "--parallel", "cp=1,pp=2,micro_batch=1")
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    (step,), (search,) = result["steps"], result["searches"]
    assert search["proven"]
    assert search["layouts"] > search["timed"] > len(search["others"]) > 0
    assert step["parallel"]["cp"] == step["parallel"]["micro_batch"] == 1
    assert step["step_s"] <= min(each["step_s"] for each in search["others"])
    again = run(*words[:5], "--parallel", ",".join(f"{key}={step['parallel'][key]}" for key in DEGREES), "--json")
    assert json.loads(again.stdout)["steps"][0]["step_s"] == step["step_s"]
    shown = " ".join(run(*words).output.split())
    assert f"Of {search['layouts']:,} layouts {search['timed']:,} were timed; bounds show" in shown


DEGREES = ("tp", "pp", "vp", "dp", "sharding", "recompute")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("wide.yaml", "--model", "run.yaml", "--search", "--fail", "leaf:1"), "--search excludes --fail and --jobs"),
        (("wide.yaml", "--model", "llama3-8b", "--search"), "batch: not given"),
        (("wide.yaml", "--model", "run.yaml", "--search", "--parallel", "tp=3"), "with tp=3,pp=4,dp=4,order"),
        (
            ("wide.yaml", "--model", "run.yaml", "--parallel", "pp=3"),
            "layers of llama3-70b do not divide into 3 stages",
        ),
        (("--model", "run.yaml"), "Missing argument"),
        (("wide.yaml",), "Missing option '--model'"),
        (("wide.yaml", "--model", "llama4"), "did you mean 'llama3-405b'?"),
        (("wide.yaml", "--model", "llama3-70b", "--batch", "16"), "parallel: not given"),
        (
            ("wide.yaml", "--model", "run.yaml", "--parallel", "tp=8,pp=3"),
            "80 layers of llama3-70b do not divide into 3",
        ),
        (("wide.yaml", "--model", "run.yaml", "--gpu-hour-usd", "nan"), "'nan' is not a finite number"),
        (("wide.yaml", "--model", "run.yaml", "--checkpoint", "inf"), "'inf' is not a finite number"),
        (
            ("wide.yaml", "--model", "run.yaml", "--rates", "none.yaml"),
            "--rates changes the goodput of --checkpoint",
        ),
        (("wide.yaml", "--model", "run.yaml", "--batch", "64000000000000000"), "not in the range"),
        (("wide.yaml", "--model", "run.yaml", "--software", "megatrom"), "unknown name 'megatrom'"),
    ],
)
def test_mistakes(folder: Path, words: tuple[str, ...], message: str) -> None:  # noqa: ARG001
    """Each mistake has its message, and exit code 2."""
    done = run(*words)
    assert getattr(done.exception, "exit_code", done.exit_code) == 2
    assert message in f"{done.output}{done.exception}"
