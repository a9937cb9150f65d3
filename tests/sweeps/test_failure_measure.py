"""Failures as a measure, and the front and pictures that a sweep names."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import fabric
from fabric.errors import InputError
from fabric.flow import Routing, Workload
from fabric.sweeps import make_plan, read_sweep
from tests.request_fixtures import Run

BASE = {"name": "mine", "server": "hgx-h100", "family": "fat-tree", "switches": "qm9700", "tiers": 2}
EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "sweeps"
GRID = {"gpus": [128, 256], "oversubscription": [1, 4]}
COST = ["cost", "hops", "bisection"]


def test_the_measure_is_the_simulation() -> None:
    """Each row has the numbers of `simulate_failures` with its settings."""
    rates = {"leaf": {"per_year": 50, "repair_h": 20}}
    settings = {"failures": {"counts": [None, {"link": 2}], "draws": 3, "rates": rates, "threshold": 0.9, "seed": 3}}
    table = fabric.sweep(BASE, grid={"gpus": [128]}, measures=["failures"], settings=settings, jobs=1)
    assert table["message"] == [None, None]
    study = fabric.design(BASE, gpus=128)
    work = Workload(routing=Routing("adaptive"))
    for row, counts in zip(table.rows(), (None, {"link": 2}), strict=True):
        found = fabric.simulate_failures(study, rates={"leaf": (50, 20)}, counts=counts, draws=3, workload=work, seed=3)
        assert row["failures_kept_mean"] == pytest.approx(found.mean, rel=1e-11)
        assert row["failures_kept_p5"] == pytest.approx(found.percentiles[5], rel=1e-11)
        assert row["failures_time_at_threshold"] == pytest.approx(found.time_at_least(0.9))
        assert row["failures_draws_made"] == 3
        assert (row["failures_per_month"] is None) == (counts is not None)
        assert json.loads(row["failures_rates"]) == rates


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"draws": 0}, "0 is not a positive whole number of draws"),
        ({"seed": -1}, "-1 is not a whole number"),
        ({"threshold": 2}, "2 is not a share"),
        ({"rates": {"leaf": 3}}, "is not a mapping of rates"),
        ({"rates": {"leaf": {"per_year": -1, "repair_h": 1}}}, "failure rate of leaf"),
        ({"counts": {"leaf": 0.5}}, "leaf: 0.5 is not a whole number from 0"),
    ],
)
def test_bad_settings_are_refused(section: dict[str, object], message: str) -> None:
    """Each has its message before anything is designed."""
    with pytest.raises(InputError, match=message):
        read_sweep({"base": BASE, "measures": ["failures"], "failures": section})


def test_the_front_of_a_sweep_is_a_column(tmp_path: Path, run: Run) -> None:
    """It is in the files, another one computes nothing again, and the least of all objectives is on it."""
    file, out = tmp_path / "sweep.yaml", tmp_path / "out"
    asked = {"base": BASE, "grid": GRID, "measures": COST, "pareto": ["cost_usd", "max:bisection_gbps"]}
    file.write_text(json.dumps(asked))
    assert run("sweep", file, "-o", out, "--jobs", 1)[0] == 0
    chunks = {path: path.stat().st_mtime_ns for path in (out / "chunks").iterdir()}
    rows = list(csv.DictReader((out / "sweep.csv").open()))
    cheapest = min(rows, key=lambda row: float(row["cost_usd"]))
    assert cheapest["on_front"] == "True"
    fastest = max(rows, key=lambda row: float(row["bisection_gbps"]))
    assert fastest["on_front"] == "True" or fastest["cost_usd"] != cheapest["cost_usd"]
    file.write_text(json.dumps({**asked, "pareto": {"columns": ["cost_usd", "hops_mean"], "by": ["gpus"]}}))
    assert run("sweep", file, "-o", out, "--jobs", 1)[0] == 0
    again = list(csv.DictReader((out / "sweep.csv").open()))
    assert {path: path.stat().st_mtime_ns for path in (out / "chunks").iterdir()} == chunks
    for gpus in ("128", "256"):
        group = [row for row in again if row["gpus"] == gpus]
        assert min(group, key=lambda row: float(row["cost_usd"]))["on_front"] == "True"
    table = fabric.sweeps.load_sweep_table(out)
    assert table.find_front("cost_usd", "hops_mean", by=["gpus"])["on_front"] == table["on_front"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("pareto", ["cost_usd"], "two different columns"),
        ("pareto", ["cost_usd", "alreduce_s"], "no such column"),
        ("pictures", ["pie:x=gpus"], "unknown kind"),
        ("pictures", ["heat:x=gpus,y=oversubscription"], "value missing"),
        ("pictures", ["heat:x=gpus,y=oversubscription,value=cost"], "did you mean 'cost_usd'"),
        ("pictures", ["heat:x=gpus,y=oversubscription,colour=cost"], "unknown part"),
        ("pictures", ["curves:x=message,y=cost_usd"], "holds text"),
        ("pictures", ["bands:x=gpus"], "measure 'failures', which is not among"),
        ("pictures", [{"kind": "curves", "x": "gpus", "y": "cost_usd", "by": [1]}], "not the name of a column"),
        ("pictures", ["curves:x=gpus,y=cost_usd,by=a+b+c"], "one or two columns"),
    ],
)
def test_what_cannot_be_shown_is_refused_first(key: str, value: object, message: str) -> None:
    """A front or a picture of an unknown column is a mistake in the sweep, before anything is designed."""
    with pytest.raises(InputError, match=message):
        make_plan(read_sweep({"base": BASE, "grid": GRID, "measures": COST, key: value}))


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_are_valid(file: Path) -> None:
    """Their points, fronts and pictures are; what they compute is that of the measures."""
    plan = make_plan(read_sweep(file))
    assert plan.points > 1
    assert plan.work_s < 600


def test_pictures_are_written_beside_the_table(tmp_path: Path, run: Run) -> None:
    """Those of the options take the place of the file's, and without a folder they are refused."""
    file, out = tmp_path / "sweep.yaml", tmp_path / "out"
    pictures = [{"kind": "curves", "x": "gpus", "y": "cost_usd", "colour": "oversubscription"}]
    file.write_text(json.dumps({"base": BASE, "grid": GRID, "measures": COST, "pictures": pictures}))
    assert run("sweep", file, "-o", out, "--jobs", 1)[0] == 0
    heat = "heat:x=gpus,y=oversubscription,value=hops_mean"
    code, text, _ = run("sweep", file, "-o", out, "--picture", heat, "--pareto", "cost_usd,hops_mean")
    assert code == 0
    assert "Pareto front: " in text
    names = ("curves-cost_usd-gpus-oversubscription", "heat-hops_mean-oversubscription-gpus")
    assert {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")} < {each.name for each in out.iterdir()}
    doubled = ["sweep", file, "-o", out, "--picture", "curves:x=gpus,y=cost_usd"]
    code, _, error = run(*doubled)
    assert code == 2
    assert "differ in oversubscription" in error
    assert run("sweep", file, "--json", "--picture", heat)[0] == 2
    assert run("sweep", file, "-o", out, "--pareto-by", "gpus")[0] == 2
