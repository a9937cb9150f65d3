"""The page of a cluster: the whole with its picture and bill, and every fabric below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabric
from fabric.report.page import cluster_page, write_cluster_page
from tests.request_fixtures import Run

EXAMPLE = "examples/clusters/joined-endpoints.yaml"


@pytest.fixture(scope="module")
def cluster() -> fabric.Cluster:
    """Return the example."""
    return fabric.cluster(EXAMPLE)


@pytest.fixture(scope="module")
def body(cluster: fabric.Cluster) -> str:
    """Return the page without its scripts, styles and head."""
    return cluster_page(cluster, "fabric report it.yaml").partition("<header>")[2].partition("<footer>")[0]


def test_the_whole_comes_first_and_every_fabric_has_its_part(body: str, cluster: fabric.Cluster) -> None:
    """The cluster has its picture and its totals; each fabric has an article, and the list at the top leads to all."""
    assert re.findall(r'<h2 id="[^"]*">(?:<bdi>)?([^<]*)', body) == ["Cluster", "compute", "storage", "management"]
    whole, _, fabrics = body.partition("<article")
    assert whole.count("data:image/svg+xml;base64,") == 1
    for target in ("#cluster", "#d0", "#d1", "#d2"):
        assert f'href="{target}"' in whole
    assert f"${cluster.totals['cost_usd']:,.0f}" in whole
    assert fabrics.count("<h3>Request</h3>") == 3


def test_the_bill_of_the_page_is_that_of_the_cluster(body: str, cluster: fabric.Cluster) -> None:
    """Every part to order stands in it with the price of what is ordered, and the sum of all is in its last table."""
    bill = body.partition("Bill of all fabrics")[2].partition("</section>")[0]
    for study in cluster.fabrics.values():
        for row in study.bill.of("switch"):
            assert row.part in bill
            assert f"${row.order_usd:,.0f}" in bill
    assert f"Total: ${cluster.totals['cost_usd']:,.0f}" in bill


def test_only_fabrics_with_gpus_have_times(body: str) -> None:
    """Of three fabrics, compute alone has curves of all-reduces."""
    articles = body.split("<article")[1:]
    assert ["Estimated performance" in each for each in articles] == [True, False, False]
    assert ["GPU" in each for each in articles] == [True, False, False]


def test_the_command_writes_the_page(cluster: fabric.Cluster, run: Run, tmp_path: Path) -> None:
    """`fabric report` of a cluster is one file, the same on every run but for the command in it."""
    file = tmp_path / "it.html"
    assert run("report", EXAMPLE, "-o", file)[0] == 0
    written = write_cluster_page(cluster, tmp_path / "other.html").read_text()
    assert file.read_text().partition("<footer>")[0] == written.partition("<footer>")[0]


def test_clusters_and_designs_share_no_page(run: Run, tmp_path: Path) -> None:
    """A page on several requests compares designs, and says so of a cluster among them."""
    code, _, error = run("report", EXAMPLE, "superpod-h100-1su", "-o", tmp_path / "it.html")
    assert code == 2
    assert "this is a cluster of several fabrics" in " ".join(error.split())
