"""Alternatives within 1 % of the cost, on the terminal, in the report, on the page and as JSON."""

from __future__ import annotations

import importlib

import pytest

import fabric
from fabric.optimizer.solve import Solution
from fabric.report.columns import list_tables
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.near_optima import describe_near_optima, list_near_optima
from fabric.report.page.content import make_content
from fabric.report.terminal import summarize_design
from tests.request_fixtures import Run

LARGE = {"gpus": 16384, "server": "hgx-h100", "switches": "sn5600", "oversubscription": 3}
TITLE = "Alternatives within 1 % of the cost"


@pytest.fixture(scope="module")
def study() -> fabric.Study:
    """Return a design whose pods are small and whose switches are joined by many links."""
    return fabric.design(LARGE)


def test_each_alternative_has_a_row_with_what_it_costs_more(study: fabric.Study) -> None:
    """The design comes first; each other row is better in what it is named for, within 1 %."""
    own, *rows = list_near_optima(describe(study))
    assert (own.what, own.more, own.objective) == ("this design", None, study.proof.objective)
    assert [row.what for row in rows] == ["larger pods", "fewer parallel links"]
    assert rows[0].blueprint.pod_gpus > own.blueprint.pod_gpus
    assert rows[1].blueprint.parallel_links < own.blueprint.parallel_links
    assert all(0 <= (row.more or 0) <= 0.01 for row in rows)


def test_the_terminal_explains_its_letters(study: fabric.Study) -> None:
    """The table is among those of the terminal, with a letter for each fabric that the lines explain."""
    summary = summarize_design(describe(study))
    (table,) = [table for table in summary.tables if table.title == TITLE]
    assert [row[1] for row in table.rows] == ["A", "B", "C"]
    for letter in "ABC":
        (line,) = [line for line in summary.lines if line.startswith(f"Fabric {letter}: ")]
        assert "fat-tree, 3 tiers (171 leaf, " in line


def test_report_and_page_have_the_same_alternatives(study: fabric.Study) -> None:
    """Every renderer has the table, and the sentences on what is proven and what no near fabric has."""
    design = describe(study)
    lines = list(describe_near_optima(design))
    assert lines[0] == "No fabric within 1 % of the cost has rails that meet later."
    assert lines[1].startswith("Each alternative is proven")
    report, page = markdown_report(design), make_content(study, "a", "a", front=False)
    assert f"## {TITLE}" in report
    assert lines[0] in report
    assert {*lines} <= {*page.rationale}
    (table,) = [table for table in list_tables(design) if table.title == TITLE]
    assert [table.title for table in page.tables].count(TITLE) == 1
    assert all(row.fabric in report.replace("\\", "") for row in table.rows)


def test_the_object_has_every_aim(study: fabric.Study) -> None:
    """An aim without a better fabric has null; with one, its sizes, switches and cost."""
    near = describe_json(study)["optimizer"]["near"]
    assert [row["aim"] for row in near] == ["larger pods", "fewer parallel links", "rails that meet later"]
    assert all(row["proven"] for row in near)
    assert near[2]["fabric"] is None
    assert near[0]["switches"]["leaf"] == 171
    assert near[0]["objectives"]["cost_usd"] > study.proof.objective


def test_one_fabric_that_is_better_in_two_aims_has_one_row() -> None:
    """The fabric of Colossus whose rails meet at the core has larger pods, too."""
    rows = list_near_optima(describe(fabric.design("colossus-100k")))
    assert [row.what for row in rows] == [
        "this design",
        "larger pods and rails that meet later",
        "fewer parallel links",
    ]


def test_what_is_not_proven_is_said_to_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the solve budget ends, no table is shown, and what is open is named."""
    study = fabric.design(LARGE)
    monkeypatch.setattr(
        importlib.import_module("fabric.optimizer.near_optima"), "minimise", lambda *_: Solution("UNKNOWN")
    )
    design = describe(study)
    assert list_near_optima(design) == []
    lines = list(describe_near_optima(design))
    assert lines[1:] == ["Not proven within the solve budget: the best of larger pods and fewer parallel links."]


def test_alternatives_fit_eighty_columns(run: Run) -> None:
    """The whole output of a design with alternatives stays within 80 columns."""
    code, out, _ = run("design", "colossus-100k")
    assert code == 0
    assert TITLE in out
    assert max(map(len, out.splitlines())) <= 80
