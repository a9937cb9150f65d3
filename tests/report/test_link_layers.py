"""What a report shows of a fabric is what switches of its link layer do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.flow import Routing, Workload, curve_in_network, estimate_workload, usual_routings
from fabric.report.describe import describe_json

GIB = 2**30
INFINIBAND, ETHERNET = "superpod-h100-2su", "meta-llama3-24k"


def test_a_subnet_manager_chooses_by_destination() -> None:
    """InfiniBand designs are estimated with adaptive and destination routing, Ethernet ones with adaptive and ECMP."""
    study = fabric.design(INFINIBAND)
    found = describe_json(study)
    assert list(dict.fromkeys(row["routing"] for row in found["allreduce"])) == ["adaptive", "dmodk"]
    (answer,), _ = estimate_workload(study.blueprint, Workload(routing=Routing("dmodk", qps=2)), [GIB])
    row = next(row for row in found["allreduce"] if (row["routing"], row["size_bytes"]) == ("dmodk", GIB))
    assert row["busbw_GBps"] == pytest.approx(answer.estimate.busbw_GBps, rel=1e-5)
    assert usual_routings(fabric.design(ETHERNET).blueprint) == ("adaptive", "ecmp")


def test_switches_that_reduce_are_shown_beside() -> None:
    """SHARP is on InfiniBand designs of several servers whose NVLink switches reduce too, and on no others."""
    found = describe_json(fabric.design(INFINIBAND))
    assert {row["algorithm"] for row in found["allreduce_in_network"]} == {"sharp"}
    assert describe_json(fabric.design(ETHERNET))["allreduce_in_network"] == []
    one_server = fabric.design(gpus=8, server="dgx-h100", switches="qm9700")
    assert curve_in_network(one_server.blueprint, [GIB]) == ()


def test_the_terminal_the_report_and_the_page_show_both(tmp_path: Path) -> None:
    """Every form of the report has the rows of destination routing and of SHARP, and none of ECMP."""
    run = CliRunner()
    terminal = run.invoke(cli, ["design", INFINIBAND, "--out", str(tmp_path), "-q"]).output
    markdown = (tmp_path / "report.md").read_text()
    page = tmp_path / "page.html"
    assert run.invoke(cli, ["report", INFINIBAND, "-o", str(page), "-q"]).exit_code == 0
    for text in (terminal, markdown):
        assert "dmodk" in text
        assert "sharp" in text
        assert "ecmp" not in text
    assert "busbw, 1 GiB, dmodk" in page.read_text()
    assert "reduced in switches (SHARP)" in page.read_text()
    assert "busbw, 1 GiB, ecmp" not in page.read_text()
    asked = json.loads(run.invoke(cli, ["allreduce", INFINIBAND, "--size", "1GiB", "--json"]).output)
    assert [row["routing"] for row in asked["results"]] == ["adaptive", "dmodk"]
    asked = run.invoke(cli, ["allreduce", INFINIBAND, "--size", "1GiB", "--algorithm", "sharp", "--json"])
    assert [row["routing"] for row in json.loads(asked.output)["results"]] == ["adaptive"]
