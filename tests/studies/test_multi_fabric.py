"""Several fabrics of one cluster, together the cheapest within shared limits."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.errors import InputError

CLUSTER: dict[str, Any] = {
    "name": "west",
    "common": {"server": "hgx-h100", "switches": ["sn5600", "tomahawk5-64x800g", "qm9700"], "gpus": 2048},
    "fabrics": {
        "compute": {"family": "rail-optimized"},
        "storage": {"server": {"name": "side", "gpus": 8, "nics": 1, "nic_gbps": 400}, "oversubscription": 2},
    },
}


def test_without_limits_each_fabric_is_its_own_cheapest() -> None:
    """Nothing shared binds, so each is what it would be alone."""
    found = fabric.cluster(CLUSTER)
    alone = fabric.optimize(CLUSTER["common"], **CLUSTER["fabrics"]["compute"])
    assert found.fabrics["compute"].bill.cost_usd() == alone.bill.cost_usd()
    assert found.totals["cost_usd"] == sum(study.bill.cost_usd() or 0 for study in found.fabrics.values())
    assert found.status == "OPTIMAL"


@pytest.mark.parametrize("share", [1, 0.995, 0.99, 0.98])
def test_a_shared_limit_is_met_at_the_least_cost(share: float) -> None:
    """The choice is that of trying every pair of points of the two fronts over cost and power."""
    power = (fabric.cluster(CLUSTER).totals["power_w"] or 0) * share
    fronts = [fabric.pareto({**CLUSTER["common"], **each}, "cost,power") for each in CLUSTER["fabrics"].values()]
    pairs = list(product(*(front.values for front in fronts)))
    fits = [sum(row["cost_usd"] for row in pair) for pair in pairs if sum(row["power_w"] for row in pair) <= power]
    assert fits
    found = fabric.cluster({**CLUSTER, "limits": {"power_w": power}})
    assert found.totals["cost_usd"] == pytest.approx(min(fits))
    assert (found.totals["power_w"] or 0) <= power


def test_what_is_short_is_told_with_the_least() -> None:
    """The value that is told is enough, and a little less is not."""
    with pytest.raises(fabric.Infeasible, match="power_w 1,000 is too low") as caught:
        fabric.cluster({**CLUSTER, "limits": {"power_w": 1000}})
    least = float(str(caught.value).rpartition(" ")[2].replace(",", ""))
    assert fabric.cluster({**CLUSTER, "limits": {"power_w": least}}).totals["power_w"] == pytest.approx(least)
    with pytest.raises(fabric.Infeasible):
        fabric.cluster({**CLUSTER, "limits": {"power_w": least - 1}})


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    """Mistakes of the cluster and of its fabrics come together."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "limits: {powr: 1, power_w: no}\ncommon:\n  server: hgx\nfabrics:\n  one: {gpus: 64}\n"
        "  two:\n    gpus: many\n    server: hgx-h100\n  three: 3\n"
    )
    with pytest.raises(fabric.InputError) as caught:
        fabric.cluster(file)
    text = str(caught.value)
    for part in (":1: limits.powr", ":1: limits.power_w", ":3: server", ":7: gpus", ":9: fabrics.three"):
        assert f"mine.yaml{part}" in text


ONE = {"fabrics": {"one": {"gpus": 64, "server": "hgx-h100"}}}


@pytest.mark.parametrize(
    "cluster",
    [
        {},
        {"fabrics": {}},
        {"fabrics": []},
        {"fabric": {}},
        {**ONE, "limits": 0},
        {**ONE, "common": ""},
        {"fabrics": {"": ONE["fabrics"]["one"]}},
    ],
)
def test_a_cluster_needs_named_fabrics_and_mappings(cluster: dict[str, Any]) -> None:
    """Without any fabric, with one of no name, or with a word where a mapping belongs, it is bad input."""
    with pytest.raises(fabric.InputError):
        fabric.cluster(cluster)


def test_the_command_prints_and_writes_the_cluster(tmp_path: Path) -> None:
    """The table fits the terminal, the JSON has every design, and each fabric's files stand in a folder of its own."""
    words = ["cluster", "examples/clusters/two-fabrics.yaml"]
    printed = CliRunner().invoke(cli, [*words, "--json", "--out", str(tmp_path)], catch_exceptions=False)
    document = json.loads(printed.stdout)
    assert document["totals"]["power_w"] <= document["limits"]["power_w"]
    assert {path.name for path in tmp_path.iterdir()} == {"cluster.json", "report.md", *document["fabrics"]}
    assert (tmp_path / "compute/report.md").exists()
    table = CliRunner(env={"COLUMNS": "80"}).invoke(cli, words, catch_exceptions=False).stdout
    assert max(map(len, table.splitlines())) <= 80


def test_a_file_in_a_fabrics_place_leaves_nothing_written(tmp_path: Path) -> None:
    """Every fabric's folder is looked at before the first is written."""
    (tmp_path / "storage").write_text("taken")
    done = CliRunner().invoke(cli, ["cluster", "examples/clusters/two-fabrics.yaml", "--out", str(tmp_path)])
    assert isinstance(done.exception, fabric.FabricError)
    assert [path.name for path in tmp_path.iterdir()] == ["storage"]


def test_the_files_lead_from_the_whole_to_each_fabric(tmp_path: Path) -> None:
    """The report of the whole has the totals and leads to each fabric's, and prices given hold for all."""
    words = ["cluster", "examples/clusters/two-fabrics.yaml", "--out", str(tmp_path), "--quiet"]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    whole = json.loads((tmp_path / "cluster.json").read_text())
    report = (tmp_path / "report.md").read_text()
    for name in whole["fabrics"]:
        assert f"({name}/report.md)" in report
        assert json.loads((tmp_path / name / "design.json").read_text()) == whole["fabrics"][name]
    dear = fabric.cluster("examples/clusters/two-fabrics.yaml", prices_usd={"sn5600": 1e6, "qm9700": 1e6})
    assert dear.totals["cost_usd"] > 2 * whole["totals"]["cost_usd"]


def test_a_request_is_no_cluster_and_a_cluster_no_request() -> None:
    """Each of the two says which command takes it."""
    for command, name, other in (
        ("cluster", "my-cluster.yaml", "design"),
        ("design", "clusters/two-fabrics.yaml", "cluster"),
    ):
        done = CliRunner().invoke(cli, [command, f"examples/{name}"])
        assert isinstance(done.exception, fabric.InputError)
        assert f"use `fabric {other}`" in str(done.exception)


@pytest.mark.parametrize("name", ["a/b", "..", "."])
def test_a_fabric_has_a_name_that_a_folder_may_have(name: str) -> None:
    """A fabric's name that would lead out of the folder of the whole is bad input."""
    with pytest.raises(InputError, match="is not valid"):
        fabric.cluster({"fabrics": {name: {"gpus": 8, "server": "hgx-h100"}}})


def test_a_conflict_of_shared_limits_is_a_smallest_one() -> None:
    """A limit that is in nobody's way is not named, and each that is has the nearest value that would do."""
    free = fabric.cluster(CLUSTER).totals
    limits = {"rack_units": 2 * (free["rack_units"] or 0), "power_w": 1000}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.cluster({**CLUSTER, "limits": limits})
    (conflict,) = caught.value.conflict
    assert conflict.limit == "limits.power_w"
    met = fabric.cluster({**CLUSTER, "limits": {**limits, "power_w": conflict.nearest}})
    assert met.totals["power_w"] == pytest.approx(conflict.nearest)
