"""A sweep: its rows are the designs that one would get one by one, with every mistake in its place."""

from __future__ import annotations

import csv
import json
import math
import re
from itertools import product
from pathlib import Path

import pytest

import fabric
from fabric.sweeps import MEASURES, Measure, MeasureColumn, load_sweep_table, make_plan, read_sweep
from fabric.sweeps.columns import STATUSES
from fabric.sweeps.measure import ColumnKind
from tests.request_fixtures import Run

ROOT = Path(__file__).parents[2]

BASE = {"name": "mine", "server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}
GRID = {"gpus": [64, 1024], "oversubscription": [1, 2]}


def test_rows_are_the_designs_made_one_by_one() -> None:
    """Each row has the numbers of its own study, in the order of the grid, the last key fastest."""
    sizes, routings = (2**20, 2**30), ("adaptive", "ecmp")
    settings = {"allreduce": {"size": sizes, "routing": routings}}
    table = fabric.sweep(BASE, grid=GRID, measures=["cost", "hops", "allreduce"], settings=settings, jobs=1)
    rows = iter(table.rows())
    for gpus, ratio in product(*GRID.values()):
        study = fabric.design(BASE, gpus=gpus, oversubscription=ratio)
        for size, routing in product(sizes, routings):
            row, time = next(rows), study.allreduce(size, routing)
            assert (row["gpus"], row["oversubscription"], row["status"]) == (gpus, ratio, "optimal")
            assert (row["allreduce_size_bytes"], row["allreduce_routing"]) == (size, routing)
            assert row["cost_usd"] == pytest.approx(study.bill.cost_usd(), rel=1e-11)
            assert (row["hops_max"], row["allreduce_chosen"]) == (study.hops.max, time.algorithm)
            assert row["allreduce_s"] == pytest.approx(time.time_s, rel=1e-11)
    assert next(rows, None) is None
    assert table["point"] == list(range(len(table)))


def test_rows_of_a_list_are_combined_with_the_grid() -> None:
    """Every row of `list` is taken with every point of the grid; a key that a row leaves out is missing there."""
    listed = [{"family": "torus"}, {"family": "fat-tree", "limits.parallel_links": 4}]
    table = fabric.sweep(BASE, rows=listed, grid={"gpus": [64, 128]}, measures=["fabric"], jobs=1)
    assert table["family"] == ["torus", "torus", "fat-tree", "fat-tree"] == table["fabric_family"]
    assert table["limits.parallel_links"] == [None, None, 4, 4]
    assert table["gpus"] == [64, 128, 64, 128]


def test_infeasible_and_invalid_points_are_rows() -> None:
    """A request that no fabric satisfies, and one whose keys contradict each other, have a status and a message."""
    listed = [{"gpus": 64}, {"gpus": 64, "limits": {"cost_usd": 1}}, {"gpus": 64, "grow_to_gpus": 32}]
    table = fabric.sweep(BASE, rows=listed, measures=["cost"], jobs=1)
    assert table["status"] == ["optimal", "infeasible", "invalid"]
    assert [value is None for value in table["cost_usd"]] == [False, True, True]
    assert "limits.cost_usd" in table["message"][1]
    with pytest.raises(fabric.InputError) as error:
        fabric.design(BASE, **listed[2])
    assert table["message"][2] == str(error.value)


def test_a_measure_without_an_answer_leaves_its_columns_empty() -> None:
    """What a measure refuses, or fails at, is the message of its point, and the other measures have their values."""
    failing = Measure("failing", "fails", (MeasureColumn("failed", "whole", "nothing"),), lambda study, _: 1 // 0)
    MEASURES.add(failing)
    try:
        settings = {"allreduce": {"algorithm": ["ring", "nvls"]}}
        table = fabric.sweep(
            BASE, grid={"gpus": [64]}, measures=["cost", "allreduce", "failing"], settings=settings, jobs=1
        )
    finally:
        MEASURES.remove("failing")
    assert table["failed"] == [None, None]
    assert all("failing: ZeroDivisionError" in message for message in table["message"])
    assert [value is None for value in table["allreduce_s"]] == [False, True]
    assert None not in table["cost_usd"]


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({1, 2}, "text", "{1, 2} does not fit a column of the kind text"),
        ("abc", "number", "'abc' does not fit a column of the kind number"),
        (2**70, "whole", "does not fit a column of whole numbers of 64 bits"),
        (math.inf, "whole", "inf does not fit a column of the kind whole"),
        (math.nan, "whole", None),
        (math.nan, "number", None),
    ],
)
def test_a_value_that_fits_no_column_ends_no_sweep(value: object, kind: ColumnKind, message: str | None) -> None:
    """What a measure of another package returns by mistake is the message of the point; nan is not known."""
    MEASURES.add(Measure("misfit", "", (MeasureColumn("misfit", kind, ""),), lambda study, _: [value]))
    try:
        table = fabric.sweep(BASE, grid={"gpus": [64]}, measures=["cost", "misfit"], jobs=1)
    finally:
        MEASURES.remove("misfit")
    assert table["misfit"] == [None]
    assert table["cost_usd"][0] > 0
    assert table["message"][0] is None if message is None else message in table["message"][0]


def test_every_mistake_has_its_file_and_line(tmp_path: Path, run: Run) -> None:
    """Unknown keys, values, measures and settings are refused together, each at its line with the nearest name."""
    file = tmp_path / "sweep.yaml"
    text = """\
base: {server: hgx-h100, famly: fat-tree}
grid:
  gpus: [64, 0]
  limits.paralel_links: [4]
"""
    file.write_text(text)
    code, _, err = run("sweep", file, "--plan")
    assert code == 2
    said = " ".join(err.split())
    for line, what in (
        (1, "famly: unknown key; did you mean 'family'?"),
        (3, "gpus: 0 is too small; at least 1"),
        (4, "limits.paralel_links: unknown key; did you mean 'parallel_links'?"),
    ):
        assert f"{file}:{line}: {what}" in said
    file.write_text(
        "bse: {}\nmeasures: [csot]\nallreduce: {size: 1XB, speed: 3}\ngrid: {hops.x: [1], gpus: []}\nlist: [1]\n"
    )
    code, _, err = run("sweep", file, "--plan")
    said = " ".join(err.split())
    for line, what in (
        (1, "bse: unknown key; did you mean 'base'?"),
        (2, "measures[0]: unknown measure 'csot'; did you mean 'cost'?"),
        (3, "allreduce.size: '1XB' is not a size in bytes"),
        (3, "allreduce.speed: unknown setting; known: algorithm, routing, size"),
        (4, "grid.gpus: is empty; give one value or more"),
        (5, "list[0]: is not a mapping of keys"),
    ):
        assert f"{file}:{line}: {what}" in said
    assert code == 2


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"grid": {"server.nic_gbps": [400]}}, "grid.server.nic_gbps[0]: leads into 'hgx-h100'"),
        ({"grid": {"limits": [{}], "limits.hops": [3]}}, "is varied in `grid` too"),
        ({"grid": {"gpus": [8]}, "list": [{"gpus": 64}]}, "is varied in `list` too"),
        ({"grid": {"status": [8]}}, "two columns of the table would be called 'status'"),
        ({"grid": {"allreduce.size": [8]}, "measures": ["cost"]}, "which is not among the measures"),
        ({"grid": {"gpus": list(range(1, 1000)), "rails": list(range(1, 1000))}}, "a sweep of 998,001 points"),
    ],
)
def test_what_can_not_be_swept_is_refused(sweep: dict[str, object], message: str) -> None:
    """A path into text, a key varied twice, a name that the table has, and too many points are refused."""
    with pytest.raises(fabric.FabricError) as error:
        make_plan(read_sweep({"base": BASE, **sweep}))
    assert message in str(error.value)


def test_files_hold_the_table_and_the_sweep(tmp_path: Path, run: Run) -> None:
    """The command writes Parquet and CSV with the same cells, and a sweep file that gives the same table again."""
    (tmp_path / "mine.yaml").write_text("name: mine\nserver: hgx-h100\nfamily: fat-tree\nswitches: sn5600\n")
    (tmp_path / "sweep.yaml").write_text("base: mine.yaml\ngrid: {gpus: [64, 128]}\nmeasures: [cost]\n")
    code, out, err = run("sweep", tmp_path / "sweep.yaml", "-o", tmp_path / "out")
    assert (code, err) == (0, "2 points, 2 designs, about 1 s of work on one core, in 1 chunk\n")
    assert "designed, and proven to be the best" in out
    table = load_sweep_table(tmp_path / "out")
    with (tmp_path / "out" / "sweep.csv").open(newline="") as file:
        heads, *rows = csv.reader(file)
    assert heads == list(table.names)
    assert rows == [["" if value is None else str(value) for value in row.values()] for row in table.rows()]
    assert fabric.sweep(tmp_path / "out" / "request.yaml", jobs=1) == table
    assert table.to_pandas()["cost_usd"].tolist() == table["cost_usd"]
    assert re.search("<td[^>]*>64</td>", table._repr_html_())
    assert "2 points: 2 optimal" in table._repr_html_()


def test_the_page_shows_the_example_and_what_it_prints(tmp_path: Path, run: Run) -> None:
    """The sweep of docs/sweeps.md is the example's, and its line is the one that the command writes."""
    page = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    example = ROOT / "examples" / "sweeps" / "ratios.yaml"
    assert f"```yaml\n{example.read_text(encoding='utf-8')}```" in page
    code, _, err = run("sweep", example, "-o", tmp_path / "out")
    assert code == 0
    assert f"    $ fabric sweep examples/sweeps/ratios.yaml -o out/\n    {err}" in page
    table = load_sweep_table(tmp_path / "out")
    assert set(table["status"]) == {"optimal"}
    rows = page.partition("| `status` | |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z ]+)` \|", rows, re.MULTILINE) == list(STATUSES)


def test_a_long_list_is_read(tmp_path: Path) -> None:
    """A sweep may have more values than a request, up to a limit that the message names."""
    rows = "".join(f"  - {{gpus: {8 * number}, oversubscription: 1}}\n" for number in range(1, 8001))
    (tmp_path / "long.yaml").write_text(f"base: {{server: hgx-h100}}\nlist:\n{rows}")
    sweep = read_sweep(tmp_path / "long.yaml")
    assert (len(sweep.rows), sweep.rows[-1].values["gpus"]) == (8000, 64000)
    with pytest.raises(fabric.InputError, match="over 400,000 values"):
        fabric.sweep(rows=[{"gpus": 8}] * 200_000)


def test_a_plan_is_json_where_asked(tmp_path: Path, run: Run) -> None:
    """`--plan --json` prints the size of the sweep as data, and computes nothing."""
    file = tmp_path / "sweep.yaml"
    file.write_text("base: {server: hgx-h100, family: fat-tree}\ngrid: {gpus: [64, 128], oversubscription: [1, 2]}\n")
    code, out, _ = run("sweep", file, "--plan", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["points"], found["designs"], found["chunks"]) == (4, 4, 1)
    assert found["work_s"] > 0


@pytest.mark.parametrize("key", ["a..b", ".gpus", "limits."])
def test_a_key_with_an_empty_name_is_refused_at_its_line(key: str, tmp_path: Path) -> None:
    """The message has the whole key, as it stands in the file."""
    file = tmp_path / "sweep.yaml"
    file.write_text(f"base: {{server: hgx-h100}}\nmeasures: [cost]\ngrid:\n  gpus: [128]\n  {key}: [1]\n")
    with pytest.raises(fabric.InputError, match=rf"sweep\.yaml:5: grid\.{re.escape(key)}: is no key of a request"):
        read_sweep(file)
