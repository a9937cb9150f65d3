"""What is best possible for a collective, in text, JSON, the report and the page."""

from __future__ import annotations

import json

import pytest

import fabric
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.page.content import make_content
from tests.request_fixtures import Run

INFINIBAND = "superpod-h100-1su"
ETHERNET = "meta-llama3-24k"


def test_allreduce_says_what_is_best_possible(run: Run) -> None:
    """31 servers of eight 400G NICs: 400 GB/s around a server, of bytes that cross 2 (31 - 1) / 31 times."""
    words = ("allreduce", INFINIBAND, "--gpus", "248", "--placement", "contiguous", "--size", "16GiB", "--quiet")
    text = " ".join(run(*words)[1].split())
    found = json.loads(run(*words, "--json")[1])
    bound = found["bounds"]["collective"]
    assert bound["busbw_GBps"] == pytest.approx(400 * (247 / 248) * (31 / 30))
    assert (bound["cut"], bound["in_network_GBps"]) == ("server", pytest.approx(2 * 247 / 248 * 400))
    speeds = [row["busbw_GBps"] for row in found["results"]]
    assert (
        "Best possible here: 412 GB/s of bus bandwidth (the cut around a server limits), or 797 where switches reduce"
        f" (SHARP); at 16 GiB the library gets {speeds[0]:.0f} with adaptive routing and {speeds[1]:.0f} with"
        " destination-mod-k routing."
    ) in text


@pytest.mark.parametrize("words", [(INFINIBAND, "--collective", "all-gather"), (ETHERNET,)])
def test_reduction_is_named_only_where_it_gains(words: tuple[str, ...], run: Run) -> None:
    """An all-gather reduces nothing, and Ethernet switches reduce nothing."""
    text = run("allreduce", *words, "--size", "1GiB", "--quiet")[1]
    assert "Best possible here: 4" in text
    assert "SHARP" not in text


def test_one_gpu_has_no_bound(run: Run) -> None:
    """A single GPU exchanges nothing, so nothing is said."""
    text = run("allreduce", INFINIBAND, "--gpus", "1", "--placement", "contiguous", "--size", "1GiB", "--quiet")[1]
    assert "Best possible" not in text


def test_failures_are_not_in_the_bound(run: Run) -> None:
    """The bound is that of the fabric before failures, and is said to be."""
    text = run("allreduce", INFINIBAND, "--fail", "spine:1", "--size", "1GiB", "--quiet")[1]
    assert "Best possible here before failures:" in text


@pytest.mark.parametrize("failures", [(), ("--fail", "leaf:1", "--seeds", "1")], ids=["healthy", "failed"])
def test_bounds_on_flows_are_solved_on_request(
    failures: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--bounds` neither cuts nor the program are solved; with it both outputs have them, in their order."""
    words = ("allreduce", INFINIBAND, "--size", "1GiB", "--engine", "flows", "--algorithm", "ring", "-q", *failures)
    text = " ".join(run(*words, "--bounds")[1].split())
    bounds = json.loads(run(*words, "--bounds", "--json")[1])["bounds"]
    assert 0 < bounds["lp"] <= bounds["cut"] + 1e-9 <= 1 + 1e-8
    assert f"LP {bounds['lp']:.3f}, cut {bounds['cut']:.3f}." in text

    def solve(*_: object, **__: object) -> float:
        raise AssertionError("a bound was solved that nobody asked for")

    monkeypatch.setattr("fabric.flow.explicit_flows.cut_bound", solve)
    monkeypatch.setattr("fabric.flow.explicit_flows.lp_bound", solve)
    plain = json.loads(run(*words, "--json")[1])["bounds"]
    assert plain == {**bounds, "lp": None, "cut": None}
    assert "Upper bounds" not in run(*words)[1]


def test_report_page_and_design_have_the_bound() -> None:
    """The report has the sentence, the page the figure, and design.json the numbers."""
    study = fabric.design(ETHERNET)
    assert "Best possible here for an all-reduce: 400 GB/s" in markdown_report(describe(study))
    figures = dict(make_content(study, "", "", front=False).figures)
    assert figures["busbw, best possible"] == "400 GB/s"
    bound = describe_json(study)["allreduce_bound"]
    assert (bound["cut"], bound["in_network_GBps"]) == ("server", None)
    assert bound["busbw_GBps"] == pytest.approx(400, rel=1e-3)
