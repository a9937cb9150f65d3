"""The bill of a cluster: the parts of all its fabrics, and totals that add up over them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook

import fabric
from fabric.report.bill_table import BILL_KEYS
from tests.request_fixtures import Run

EXAMPLE = Path("examples/clusters/joined-endpoints.yaml")


@pytest.fixture(scope="module")
def cluster() -> fabric.Cluster:
    """Return the example."""
    return fabric.cluster(EXAMPLE, spares={"switch": 0.1})


def test_rows_add_up_to_the_totals_of_each_fabric_and_of_all(cluster: fabric.Cluster, tmp_path: Path) -> None:
    """In the CSV, what is ordered of every part is the total of its fabric, and these are the total of all."""
    with fabric.write_bill(cluster, tmp_path / "bill.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["fabric", *BILL_KEYS]
    sums, totals = Counter[str](), {}
    for row in rows:
        if row["kind"] == "total":
            totals[row["fabric"], row["part"]] = float(row["order_usd"])
        elif row["order_usd"]:
            sums[row["fabric"]] += round(100 * float(row["order_usd"]))
    for name, study in cluster.fabrics.items():
        assert totals[name, "all"] == sums[name] / 100 == study.bill.order_usd
    assert totals["all fabrics", "all"] == sums.total() / 100
    assert totals["all fabrics", "all"] == totals["all fabrics", "switches"] + totals["all fabrics", "links"]


def test_parts_are_those_of_the_bills_of_its_fabrics(cluster: fabric.Cluster, tmp_path: Path) -> None:
    """The JSON has the bill of every fabric, and the workbook the same rows as the CSV."""
    document = json.loads(fabric.write_bill(cluster, tmp_path / "bill.json").read_text())
    assert document["schema"] == "fabric.cluster-bill/1"
    parts = sum(each["totals"]["parts"] for each in document["fabrics"].values())
    assert document["totals"]["parts"] == parts == cluster.totals["cost_usd"]
    assert document["totals"]["order"] == parts + document["totals"]["spares"]
    assert document["power_w"]["total"] is None
    book = load_workbook(fabric.write_bill(cluster, tmp_path / "bill.xlsx"))
    with fabric.write_bill(cluster, tmp_path / "bill.csv").open() as stream:
        rows = list(csv.reader(stream))
    cells = list(book["Bill"].iter_rows(values_only=True))
    assert [[cell or "" for cell in row[:4]] for row in cells] == [row[:4] for row in rows]
    assert {row[0] for row in list(book["Requests"].iter_rows(values_only=True))[1:]} == set(cluster.fabrics)
    assert ("sn2201", 4500, "USD") in [row[:3] for row in book["Sources"].iter_rows(values_only=True)]


def test_the_same_cluster_gives_the_same_bytes(cluster: fabric.Cluster, tmp_path: Path) -> None:
    """Every file of a bill is the same on every run."""
    for suffix in ("csv", "xlsx", "json"):
        files = [fabric.write_bill(cluster, tmp_path / f"{name}.{suffix}") for name in ("one", "two")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_the_command_prints_one_bill(run: Run, tmp_path: Path) -> None:
    """`fabric bill` of a cluster has the parts and the sum of each fabric, 80 columns wide, and that of all."""
    code, printed, _ = run("bill", EXAMPLE)
    assert code == 0
    assert max(map(len, printed.splitlines())) <= 80
    total = fabric.cluster(EXAMPLE).totals["cost_usd"] or 0
    assert f"Total: ${total:,.0f} (switches " in " ".join(printed.split())
    assert all(name in printed for name in ("compute", "storage", "management"))
    code, printed, _ = run("bill", EXAMPLE, "--json", "-o", tmp_path / "bill.csv")
    assert (code, set(json.loads(printed)["fabrics"])) == (0, {"compute", "storage", "management"})
    assert (tmp_path / "bill.csv").exists()
