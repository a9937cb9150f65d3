"""The command `diff`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

from fabric.export.changes import CHANGE_COLUMNS
from tests.request_fixtures import Run

ONE, TWO = "superpod-h100-1su", "superpod-h100-2su"


def test_a_design_does_not_differ_from_itself(run: Run) -> None:
    """The answer is no difference, and exit code 0 though 3 is asked for where there is one."""
    code, text, _ = run("diff", ONE, ONE, "-q", "--exit-code")
    assert code == 0
    assert "no difference" in text


def test_the_exit_code_says_that_revisions_differ_where_asked(run: Run) -> None:
    """Without the option an order that was made is a success."""
    assert run("diff", ONE, TWO, "-q")[0] == 0
    assert run("diff", ONE, TWO, "-q", "--exit-code")[0] == 3


def test_text_object_and_file_say_the_same(run: Run, tmp_path: Path) -> None:
    """Every change counted is a row of the file, and what is bought adds up to the total."""
    code, text, _ = run("diff", ONE, TWO, "-q", "--json", "-o", tmp_path / "changes.csv")
    assert code == 0
    found = json.loads(text)
    with (tmp_path / "changes.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == CHANGE_COLUMNS
    counted = Counter((row["what"], row["action"]) for row in rows)
    for what in ("device", "cable"):
        for action, number in found[f"{what}s"].items():
            assert action == "stay" or counted[what, action] == number
    bought = sum(float(row["amount_usd"] or 0) for row in rows if (row["what"], row["action"]) == ("part", "buy"))
    assert bought == found["bought_usd"]
    moves = [row for row in rows if (row["what"], row["action"]) == ("cable", "move")]
    assert all((row["old_a"] == row["new_a"]) != (row["old_b"] == row["new_b"]) for row in moves)
    assert all(row["old_label"] != row["new_label"] for row in rows if row["action"] in ("move", "relabel"))
    code, printed, _ = run("diff", ONE, TWO, "-q")
    assert f"{found['cable_ends_moved']} cable ends are unplugged" in printed
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_mistakes_are_named_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    """Another suffix, and a request that would be overwritten."""
    code, _, text = run("diff", ONE, TWO, "-q", "-o", tmp_path / "changes.txt")
    assert code == 2
    assert "unknown suffix; write changes.csv" in text
    request = tmp_path / "my.csv"
    request.write_text("gpus: 256\n")
    code, _, text = run("diff", ONE, request, "-q", "-o", request)
    assert code == 2
    assert "is an input" in text
    assert [each.name for each in tmp_path.iterdir()] == ["my.csv"]
