"""Families compared on one request: each result is shown once it is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from fabric.cli.main import cli
from fabric.errors import InputError
from fabric.studies import family_comparison
from fabric.studies.family_comparison import compare_families

SMALL = {"gpus": 64, "server": "hgx-h100", "switches": "sn5600"}
NAMES = "torus,fat-tree,slim-fly"


def test_each_family_is_told_before_the_next_is_sized() -> None:
    """The results come one by one, in the order asked for, and are those that are returned; so do the steps to each."""
    told: list[str] = []
    results = compare_families(
        SMALL, NAMES.split(","), progress=told.append, found=lambda result: told.append(result.family)
    )
    estimates = "estimating the all-reduce on", "estimating the all-to-all on", "searching for the worst permutation on"
    steps = {name: estimates if result.study else () for name, result in zip(NAMES.split(","), results, strict=True)}
    assert [bool(steps[name]) for name in NAMES.split(",")] == [True, True, False]
    assert told == [
        word for name in steps for word in (f"sizing {name}", *(f"{step} {name}" for step in steps[name]), name)
    ]
    assert [result.family for result in results] == NAMES.split(",")


def test_the_command_prints_a_line_for_each_family_and_json_as_one_document(tmp_path: Any) -> None:
    """The lines come first, as families are done; tables of all follow; JSON has no lines."""
    file = tmp_path / "small.json"
    file.write_text(json.dumps({**SMALL, "limits": {"cost_usd": 800_000}}))
    found = CliRunner().invoke(cli, ["compare", str(file), "--families", NAMES])
    heads, torus, fat_tree, slim_fly, title = found.stdout.splitlines()[:5]
    assert heads.split() == ["family", "size", "switches", "links", "cost", "all-reduce"]
    assert (torus.split()[0], fat_tree.split()[:4]) == ("torus", ["fat-tree", "1", "tier", "1"])
    assert slim_fly == "slim-fly        infeasible"
    assert title.startswith("fabric: 64 GPUs; 2 feasible families")
    document = json.loads(CliRunner().invoke(cli, ["compare", str(file), "--families", NAMES, "--json"]).stdout)
    assert [row["family"] for row in document["families"]] == NAMES.split(",")


def test_a_family_that_the_request_excludes_is_told_with_its_reason() -> None:
    """A dragonfly has no pods, and the others are compared; a request that excludes all of them is refused."""
    request = {**SMALL, "pod_gpus": 64}
    dragonfly, fat_tree = compare_families(request, ["dragonfly", "fat-tree"])
    assert fat_tree.study is not None
    assert (dragonfly.study, dragonfly.reason) == (
        None,
        "pod_gpus: dragonfly has no pods, which share spines; leave it out",
    )
    with pytest.raises(InputError, match="dragonfly has no pods"):
        compare_families(request, ["dragonfly", "torus"])


def test_flows_that_would_take_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where flows try too many links at a hop there is no permutation; where digits name the links there always is."""
    monkeypatch.setattr(family_comparison, "MOST_TRIED", 1)
    torus, fat_tree, _ = compare_families(SMALL, NAMES.split(","))
    assert torus.permutation is None
    assert fat_tree.permutation == 1
