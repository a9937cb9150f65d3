"""The command `optimize --train`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.request_fixtures import Run

REQUEST = (
    "gpus: 64\nserver: hgx-h100\nfamily: rail-optimized\nswitches: qm9700\nlink_price_usd: 1500\noversubscription: 4\n"
)
RUN = "model: llama3-8b\nparallel: {tp: 8}\nbatch: 64\ngpu_hour_usd: 2\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return the words for a request and a run."""
    for name, text in (("request.yaml", REQUEST), ("run.yaml", RUN)):
        (tmp_path / name).write_text(text)
    return [str(tmp_path / "request.yaml"), "--train", str(tmp_path / "run.yaml")]


def test_the_optimum_is_shown(run: Run, files: list[str]) -> None:
    """The design, the step on it and at full bandwidth, and the cost of tokens are one document."""
    code, text, _ = run("optimize", *files, "--slowdown", "3%", "--json", "-q")
    assert code == 0
    found = json.loads(text)
    assert found["slowdown"] == 0.03
    assert found["slower"] <= 0.03
    assert found["step"]["gpus"] == 64
    assert found["usd_per_trillion_tokens"] == pytest.approx(2e12 / 3600 / found["step"]["tokens_s_gpu"])
    assert found["design"]["optimizer"]["status"] == "OPTIMAL"
    code, text, _ = run("optimize", *files, "--slowdown", "0", "-q")
    shown = " ".join(text.split())
    assert "no more than the" in shown
    assert "this one costs" in shown
    assert "proven the cheapest within a slowdown of 0 %" in shown


def test_what_was_searched_and_what_it_costs_are_said(run: Run, files: list[str], tmp_path: Path) -> None:
    """A request without `oversubscription` has only fabrics of full bandwidth; prices of servers are shown in parts."""
    request = REQUEST.replace("oversubscription: 4\n", "tiers: 2\nunit_gpus: 32\n")
    (tmp_path / "full.yaml").write_text(request)
    (tmp_path / "run.yaml").write_text(RUN.replace("gpu_hour_usd: 2\n", ""))
    words = (str(tmp_path / "full.yaml"), *files[1:], "-q", "--price", "hgx-h100=280000", "--years", "4")
    shown = " ".join(run("optimize", *words)[1].split())
    assert "Searched: all fabrics that the request allows, with an `oversubscription` of 1:1." in shown
    assert "it is the request and not the slowdown that keeps the cost up" in shown
    assert "of it the network" in shown
    assert "Of that price servers are $0.998 ($2,240,000 in all)" in shown
    (tmp_path / "wide.yaml").write_text(request + "oversubscription: 16\n")
    code, text, _ = run("optimize", str(tmp_path / "wide.yaml"), *files[1:], "--slowdown", "0", "--json", "-q")
    assert code == 0
    found = json.loads(text)
    # Of a ring only one rank sends out of a unit, so the narrowest leaves are fast enough.
    assert (found["limited_by"], found["failed"], found["usd_per_trillion_tokens"]) == ("request", [], None)


def test_amounts_are_in_the_currency_of_the_request(run: Run, files: list[str], tmp_path: Path) -> None:
    """On a fat tree narrow leaves are too slow, and these, full bandwidth and tokens cost EUR and no dollars."""
    prices = "currency: EUR\nprices_usd: {qm9700: 20000, hgx-h100: 250000}\nyears: 4\n"
    request = "gpus: 64\nserver: hgx-h100\nfamily: fat-tree\nswitches: qm9700\nlink_price_usd: 1500\n" + prices
    (tmp_path / "euro.yaml").write_text(request + "oversubscription: 8\ntiers: 2\nunit_gpus: 32\n")
    (tmp_path / "run.yaml").write_text(RUN.replace("gpu_hour_usd: 2\n", ""))
    words = (str(tmp_path / "euro.yaml"), *files[1:], "--slowdown", "0", "-q")
    found = json.loads(run("optimize", *words, "--json")[1])
    assert found["limited_by"] == "slowdown"
    assert found["failed"]
    shown = " ".join(run("optimize", *words)[1].split())
    assert "$" not in shown
    assert "Cheaper fabrics that are too slow" in shown
    assert f"That one costs EUR {found['reference_usd']:,.0f}; this one costs" in shown


def test_mistakes_name_what_to_write(run: Run, files: list[str]) -> None:
    """Other objectives, fronts and words that are no shares are refused."""
    for words, message in (
        (("--objective", "hops"), "--train goes with --objective cost"),
        (("--pareto", "cost,hops"), "--train goes with --objective cost"),
        (("--slowdown", "two"), "write 2% or 0.02"),
        (("--slowdown", "2"), "may mean 2% or 200%; write which"),
    ):
        code, _, error = run("optimize", *files, *words)
        assert code == 2
        assert message in error
    code, _, error = run("optimize", files[0], "--slowdown", "2%")
    assert code == 2
    assert "--slowdown needs --train" in error
