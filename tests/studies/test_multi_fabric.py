"""Several fabrics of one cluster, together the cheapest within shared limits."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.errors import InputError
from fabric.report.files import write_cluster
from tests.marks import slow
from tests.request_fixtures import Run

CLUSTER: dict[str, Any] = {
    "name": "west",
    "common": {"server": "hgx-h100", "switches": ["sn5600", "tomahawk5-64x800g", "qm9700"], "gpus": 2048},
    "fabrics": {
        "compute": {"family": "rail-optimized"},
        "storage": {"server": {"name": "side", "gpus": 8, "nics": 1, "nic_gbps": 400}, "oversubscription": 2},
    },
}


SMALL = """
name: small
limits: {power_w: 1000000}
common: {gpus: 64, server: hgx-h100, switches: sn5600}
fabrics:
  compute: {family: rail-optimized}
  storage: {oversubscription: 2}
"""


WHOLE = ("cluster.json", "report.md", "bill.csv", "cluster.svg", "cluster.png")
"""The files of the whole."""


@pytest.fixture(scope="module")
def free() -> fabric.Cluster:
    """Return the cluster without limits."""
    return fabric.cluster(CLUSTER)


@pytest.fixture(scope="module")
def fronts() -> list[fabric.Pareto]:
    """Return the fronts of its fabrics over cost and power."""
    return [fabric.pareto({**CLUSTER["common"], **each}, "cost,power") for each in CLUSTER["fabrics"].values()]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the file of a cluster of two small fabrics."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_without_limits_each_fabric_is_its_own_cheapest(free: fabric.Cluster) -> None:
    """Nothing shared binds, so each is what it would be alone."""
    alone = fabric.optimize(CLUSTER["common"], **CLUSTER["fabrics"]["compute"])
    assert free.fabrics["compute"].bill.cost_usd() == alone.bill.cost_usd()
    assert free.totals["cost_usd"] == sum(study.bill.cost_usd() or 0 for study in free.fabrics.values())
    assert free.status == "OPTIMAL"


@pytest.mark.parametrize("share", [0.99, *slow(1, 0.995, 0.98)])
def test_a_shared_limit_is_met_at_the_least_cost(
    free: fabric.Cluster, fronts: list[fabric.Pareto], share: float
) -> None:
    """The choice is that of trying every pair of points of the two fronts over cost and power."""
    power = (free.totals["power_w"] or 0) * share
    pairs = list(product(*(front.values for front in fronts)))
    fits = [sum(row["cost_usd"] for row in pair) for pair in pairs if sum(row["power_w"] for row in pair) <= power]
    assert fits
    found = fabric.cluster({**CLUSTER, "limits": {"power_w": power}})
    assert found.totals["cost_usd"] == pytest.approx(min(fits))
    assert (found.totals["power_w"] or 0) <= power


def test_a_shared_limit_on_power_counts_the_maximum(run: Run, tmp_path: Path) -> None:
    """Two fabrics of a cheap switch, at most 3 kW each, exceed what two of one that draws 1.6 kW at most keep to."""
    hot = {"name": "hot", "ports": 64, "rate_gbps": 400, "price_usd": 1_000, "power_w": 1_000, "max_power_w": 3_000}
    cool = {**hot, "name": "cool", "price_usd": 2_000, "power_w": 1_500, "max_power_w": 1_600}
    words = {"gpus": 64, "server": "hgx-h100", "family": "fat-tree", "tiers": 1, "switches": [hot, cool]}
    request = {"name": "pair", "common": words, "fabrics": {"one": {}, "two": {}}}
    free = fabric.cluster(request)
    assert [study.blueprint.models["leaf"].name for study in free.fabrics.values()] == ["hot", "hot"]
    typical, most = free.totals["power_w"] or 0, free.totals["max_power_w"] or 0
    assert most - typical == 4_000
    found = fabric.cluster({**request, "limits": {"power_w": most - 1}})
    assert sorted(study.blueprint.models["leaf"].name for study in found.fabrics.values()) == ["cool", "hot"]
    assert found.totals["max_power_w"] == most - 1_400
    file = tmp_path / "pair.json"
    file.write_text(json.dumps({**request, "limits": {"power_w": most - 1}}))
    code, printed, _ = run("cluster", file)
    assert code == 0
    assert "max power" in printed
    assert "that of optical-400g is not known, so typical counts." in " ".join(printed.split())


def test_a_limit_too_low_is_reported_with_the_least() -> None:
    """The value that is reported is enough, and a little less is not."""
    with pytest.raises(fabric.Infeasible, match="power_w 1,000 is too low") as caught:
        fabric.cluster({**CLUSTER, "limits": {"power_w": 1000}})
    least = float(str(caught.value).rpartition(" ")[2].replace(",", ""))
    assert fabric.cluster({**CLUSTER, "limits": {"power_w": least}}).totals["power_w"] == pytest.approx(least)
    with pytest.raises(fabric.Infeasible):
        fabric.cluster({**CLUSTER, "limits": {"power_w": least - 1}})


def test_every_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
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


def test_the_command_prints_and_writes_the_cluster(run: Run, small: Path, tmp_path: Path) -> None:
    """The table fits the terminal, the JSON has every design, and each fabric's files stand in a folder of its own."""
    out = tmp_path / "out"
    code, printed, err = run("cluster", small, "--json", "--out", out)
    document = json.loads(printed)
    assert (code, err.count("wrote")) == (0, 17)
    assert document["totals"]["power_w"] <= document["limits"]["power_w"]
    assert {path.name for path in out.iterdir()} == {*WHOLE, *document["fabrics"]}
    assert (out / "compute/report.md").exists()
    code, table, _ = run("cluster", small)
    assert code == 0
    assert max(map(len, table.splitlines())) <= 80


def test_a_file_in_a_fabrics_place_leaves_nothing_written(small: Path, tmp_path: Path) -> None:
    """Every fabric's folder is looked at before the first is written."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "storage").write_text("taken")
    with pytest.raises(fabric.FabricError):
        write_cluster(fabric.cluster(small), out)
    assert [path.name for path in out.iterdir()] == ["storage"]


def test_the_files_lead_from_the_whole_to_each_fabric(small: Path, tmp_path: Path) -> None:
    """The report of the whole has the totals and leads to each fabric's."""
    out = tmp_path / "out"
    write_cluster(fabric.cluster(small), out)
    whole = json.loads((out / "cluster.json").read_text())
    report = (out / "report.md").read_text()
    for name in whole["fabrics"]:
        assert f"({name}/report.md)" in report
        assert json.loads((out / name / "design.json").read_text()) == whole["fabrics"][name]


def test_prices_given_hold_for_all_fabrics_of_the_example() -> None:
    """The shipped example meets its limit, and costs more than twice as much at high prices."""
    file = "examples/clusters/two-fabrics.yaml"
    found = fabric.cluster(file)
    dear = fabric.cluster(file, prices_usd={"sn5600": 1e6, "qm9700": 1e6})
    assert (found.totals["power_w"] or 0) <= found.spec.limits["power_w"]
    assert (dear.totals["cost_usd"] or 0) > 2 * (found.totals["cost_usd"] or 0)


def test_a_request_is_not_a_cluster_nor_the_reverse() -> None:
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


def test_a_conflict_of_shared_limits_is_a_smallest_one(free: fabric.Cluster) -> None:
    """A limit that is in nobody's way is not named, and each that is has the nearest value that would do."""
    limits = {"rack_units": 2 * (free.totals["rack_units"] or 0), "power_w": 1000}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.cluster({**CLUSTER, "limits": limits})
    (conflict,) = caught.value.conflict
    assert conflict.limit == "limits.power_w"
    met = fabric.cluster({**CLUSTER, "limits": {**limits, "power_w": conflict.nearest}})
    assert met.totals["power_w"] == pytest.approx(conflict.nearest)


@pytest.mark.parametrize("name", [*WHOLE, "Report.md"])
def test_a_fabric_has_no_name_of_a_file_of_the_cluster(name: str) -> None:
    """Its files go to a folder of its name, which is refused where it is read, before anything is designed."""
    with pytest.raises(InputError, match=f"{re.escape(name)}.*name of a file of the cluster"):
        fabric.cluster({"fabrics": {name: {"gpus": 64, "server": "hgx-h100", "switches": "sn5600"}}})
