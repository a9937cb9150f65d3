"""The command `grow`: what it prints and writes, and the example of its page."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fabric.export.work_orders import ORDER_COLUMNS
from fabric.units import count, money
from tests.request_fixtures import Run

PAGE = (Path(__file__).parents[2] / "docs" / "growth.md").read_text()
ROWS = re.findall(r"^\| ([\d,]+) \| (\$[\d,]+) \|(.*)\|$", PAGE, re.MULTILINE)
REQUEST = "gpus: 512\nserver: dgx-h100\nfamily: rail-optimized\nswitches: qm9700\n"


def _write_row(step: dict[str, Any]) -> tuple[str, str, str]:
    cables = [step["cables"][name] for name in ("stay", "moved", "removed", "new")]
    cells = " | ".join(map(count, [*cables, step["bound"]]))
    return count(step["gpus"]), money(step["buy_usd"]), f" {cells} "


@pytest.mark.parametrize("steps", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_growth_of_colossus_is_that_of_the_page(run: Run, steps: int) -> None:
    """Every number of the table comes from the command; the first step is proven to move the fewest."""
    assert len(ROWS) == 2
    targets = [word for row in ROWS[:steps] for word in ("--to", row[0].replace(",", ""))]
    code, text, _ = run("grow", "colossus-100k", *targets, "-q", "--json")
    assert code == 0
    found = json.loads(text)["steps"]
    assert [_write_row(step) for step in found] == ROWS[:steps]
    assert found[0]["proven"]


def test_the_work_orders_are_what_is_counted(run: Run, tmp_path: Path) -> None:
    """Rows of moved and removed cables add up to the counts, and each move keeps one end."""
    (tmp_path / "my.yaml").write_text(REQUEST)
    words = ("grow", tmp_path / "my.yaml", "--to", 1024, "--to", 2048, "-q")
    code, text, _ = run(*words, "--json", "-o", tmp_path / "orders.csv")
    assert code == 0
    with (tmp_path / "orders.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ORDER_COLUMNS
    for number, step in enumerate(json.loads(text)["steps"], 1):
        for action, name in (("move", "moved"), ("remove", "removed"), ("add", "new")):
            chosen = [row for row in rows if (row["step"], row["action"]) == (str(number), action)]
            assert sum(int(row["cables"]) for row in chosen) == step["cables"][name]
    code, printed, _ = run(*words)
    assert "proven to be the fewest" in " ".join(printed.split())
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_a_change_order_counts_moves_as_growth_does(run: Run, tmp_path: Path) -> None:
    """Between the designs of two steps `fabric diff` has the counts of `fabric grow`, where devices may be renamed."""
    sizes = (512, 1024, 2048)
    for gpus in sizes:
        (tmp_path / f"{gpus}.yaml").write_text(REQUEST.replace("512", str(gpus)))
    words = ("grow", tmp_path / "512.yaml", "--to", 1024, "--to", 2048, "-q", "--json")
    steps = json.loads(run(*words)[1])["steps"]
    for step, before, after in zip(steps, sizes, sizes[1:], strict=False):
        found = json.loads(run("diff", tmp_path / f"{before}.yaml", tmp_path / f"{after}.yaml", "-q", "--json")[1])
        assert found["fewest"] == {name: step[name] for name in found["fewest"]}
        assert found["fewest"]["ends_unplugged"] <= found["cable_ends_moved"] + 2 * found["cables"]["remove"]


def test_mistakes_are_named(run: Run, tmp_path: Path) -> None:
    """A step that is no growth, another suffix, and no step at all."""
    (tmp_path / "my.yaml").write_text(REQUEST)
    code, _, text = run("grow", tmp_path / "my.yaml", "--to", 256, "-q")
    assert code == 2
    assert "--to 256: a step must have more GPUs than the one before, 512" in " ".join(text.split())
    code, _, text = run("grow", tmp_path / "my.yaml", "--to", 1024, "-o", tmp_path / "orders.txt")
    assert code == 2
    assert "write orders.csv" in text
    assert run("grow", tmp_path / "my.yaml")[0] == 2
    assert [each.name for each in tmp_path.iterdir()] == ["my.yaml"]
