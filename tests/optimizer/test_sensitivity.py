"""Break-even prices and binding limits: each value reported is tried."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.optimizer.solve import Solution
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.rationale import explain_choice
from fabric.report.sensitivity import summarize_changes
from tests.marks import slow

REQUEST: dict[str, Any] = {
    "gpus": 1024,
    "server": "hgx-h100",
    "switches": ["sn5600", "qm9700"],
    "family": ["rail-optimized", "fat-tree"],
    "oversubscription": {"leaf": 2},
    "unit_gpus": 256,
}


def cost(study: fabric.Study, **prices: float) -> float | None:
    """Return what the study's own fabric costs at other prices of switches."""
    plan = study.blueprint
    change = sum(
        plan.devices(role) * (prices[model.name] - (model.price_usd or 0))
        for role, model in plan.models.items()
        if model.name in prices
    )
    return (study.bill.cost_usd() or 0) + change


@pytest.mark.parametrize("gpus", [512, 1024, *slow(2000)])
def test_a_break_even_is_where_the_choice_changes(gpus: int) -> None:
    """Just before it the chosen fabric is still the cheapest, just after it another is cheaper."""
    request = {**REQUEST, "gpus": gpus}
    study = fabric.optimize(request)
    changes = [change for change in study.sensitivity() if change.part in ("sn5600", "qm9700")]
    assert {change.part for change in changes} == {"sn5600", "qm9700"}
    for change in changes:
        sign = 1 if change.direction == "up" else -1
        farthest = change.price_usd * (2 if sign > 0 else 0.5)
        within = farthest if change.at_usd is None else change.at_usd - sign
        same = fabric.optimize(request, prices_usd={change.part: within})
        assert same.bill.cost_usd() == pytest.approx(cost(study, **{change.part: within}))
        if change.at_usd is not None:
            assert change.instead is not None
            beyond = change.at_usd + sign
            other = fabric.optimize(request, prices_usd={change.part: beyond})
            assert (other.bill.cost_usd() or 0) < (cost(study, **{change.part: beyond}) or 0)


def test_the_price_of_links_may_change_the_choice_too() -> None:
    """Where links are dear, fewer of them are worth more switches; both sides of the break-even are tried."""
    request = {"gpus": 100_000, "server": "hgx-h100", "switches": "sn5600", "family": "clos", "tiers": 3}
    request |= {"link_price_usd": 1240, "prices_usd": {"sn5600": 45_000}}
    study = fabric.optimize(request)
    found = [change for change in study.sensitivity() if change.part == "link_price_usd" and change.at_usd is not None]
    assert found
    for change in found:
        sign = 1 if change.direction == "up" else -1
        links = study.blueprint.links_total
        switches = study.bill.cost_usd("switch") or 0
        for step, same in ((-sign, True), (sign, False)):
            price = round((change.at_usd or 0) + step, 2)
            best = fabric.optimize(request, link_price_usd=price).bill.cost_usd() or 0
            assert (best == pytest.approx(switches + links * price, rel=1e-9)) == same


def test_nics_change_no_break_even() -> None:
    """What every fabric has alike is no reason to choose another."""
    plain, with_nics = (fabric.optimize(REQUEST, **words).sensitivity() for words in ({}, {"nic_usd": 2000}))
    assert [change.at_usd for change in plain] == [change.at_usd for change in with_nics]
    assert any(change.at_usd for change in plain)


def test_a_limit_on_cost_is_left_aside_and_one_with_electricity_refused() -> None:
    """The first moves with the price; the second lets prices decide what is allowed."""
    least = fabric.optimize(REQUEST).proof.objective
    tight, loose = (fabric.optimize(REQUEST, limits=limits).sensitivity() for limits in ({"cost_usd": least}, {}))
    assert [change.at_usd for change in tight] == [change.at_usd for change in loose]
    words = {"years": 1, "electricity_usd_per_kwh": 0.1, "limits": {"total_cost_usd": 10 * least}}
    with pytest.raises(fabric.InputError, match="total_cost_usd"):
        fabric.optimize(REQUEST, **words).sensitivity()


def test_sensitivity_needs_cost_to_decide() -> None:
    """Where hops come first no price decided."""
    with pytest.raises(fabric.InputError, match="needs cost as the first objective"):
        fabric.optimize(REQUEST, "hops,cost").sensitivity()


def test_the_command_tells_the_prices() -> None:
    """The table and the JSON hold the same break-evens."""
    words = ["optimize", "examples/my-cluster.yaml", "--sensitivity"]
    rows = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).stdout)["sensitivity"]
    table = CliRunner(env={"COLUMNS": "80"}).invoke(cli, words, catch_exceptions=False).stdout
    found = [row for row in rows if row["at_usd"] is not None]
    assert found
    assert all(f"{100 * row['change']:+.1f} %" in table for row in found)
    assert max(map(len, table.splitlines())) <= 80


BASE: dict[str, Any] = {"gpus": 4096, "server": "hgx-h100", "switches": ["sn5600", "qm9700"], "family": "clos"}

LOOSENED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("oversubscription", {}, {"oversubscription": 2}),
    ("reserve", {"reserve": 8}, {"reserve": 0}),
    ("grow_to_gpus", {"grow_to_gpus": 16384}, {"grow_to_gpus": None}),
    ("planes", {"grow_to_gpus": 16384}, {"planes": "any"}),
    ("tiers", {"tiers": 3}, {"tiers": "any"}),
    ("limits.hops", {"prices_usd": {"sn5600": 300_000}, "limits": {"hops": 3}}, {"limits": {}}),
    (
        "limits.parallel_links",
        {"gpus": 512, "tiers": 2, "limits": {"parallel_links": 1}},
        {"limits": {"parallel_links": 2}},
    ),
    ("survive.spine", {"survive": {"spine": 0.99}}, {"survive": {}}),
    ("available.sn5600", {"available": {"sn5600": 60}}, {"available": {}}),
]


@pytest.mark.parametrize(("limit", "words", "eased"), LOOSENED)
def test_binding_limits_are_exact(limit: str, words: dict[str, Any], eased: dict[str, Any]) -> None:
    """A binding limit, loosened as reported, gives the cost reported, over every topology."""
    study = fabric.optimize({**BASE, **words})
    (item,) = [item for item in study.binding or () if item.limit == limit]
    assert item.objective < study.proof.objective
    if limit in ("tiers", "planes"):
        assert item.objective == fabric.optimize({**BASE, **words, limit: item.loosened_to}).proof.objective
    assert item.objective == fabric.optimize({**BASE, **words, **eased}).proof.objective


def test_fewer_hops_cost_what_is_reported() -> None:
    """The cost of paths two hops shorter is that of the best fabric within that limit."""
    request = {**BASE, "prices_usd": {"sn5600": 300_000}}
    study = fabric.optimize(request)
    assert study.fewer_hops is not None
    assert study.fewer_hops.hops_max == study.hops.max - 2
    short = fabric.optimize(request, limits={"hops": study.fewer_hops.hops_max})
    assert short.proof.objective == study.fewer_hops.objective > study.proof.objective


def test_no_fewer_hops_are_offered_where_there_are_none() -> None:
    """Two tiers of 64 ports end at 2,048 GPUs."""
    request = {**BASE, "switches": "qm9700"}
    assert fabric.optimize(request).fewer_hops is None
    with pytest.raises(fabric.Infeasible):
        fabric.optimize(request, limits={"hops": 3})


def test_the_report_says_why() -> None:
    """The runner-up and the binding limits are in the design and in the report."""
    study = fabric.design("colossus-100k")
    proof = describe_json(study)["optimizer"]
    assert proof["runner_up"]["name"] == "rail-optimized in 3 tiers, rails meeting at the core, of sn5600"
    assert proof["binding"][0]["limit"] == "oversubscription"
    text = markdown_report(describe(study))
    assert "The runner-up is rail-optimized in 3 tiers, rails meeting at the core" in text
    assert "Savings near the request: oversubscription 2 instead of 1: " in text


def test_the_runner_up_on_a_site_is_named() -> None:
    """The least cost on a site has a runner-up too, of the fabrics that were laid out."""
    study = fabric.optimize("colossus-100k")
    name = "rail-optimized in 3 tiers, rails meeting at the core, of sn5600"
    assert describe_json(study)["optimizer"]["runner_up"]["name"] == name
    assert f"The runner-up of those laid out on the site is {name}, at $" in markdown_report(describe(study))


def test_a_price_not_decided_within_the_budget_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the solver cannot decide whether anything is cheaper, the table says so."""
    words = {"gpus": 1024, "server": "hgx-h100", "switches": ["sn5600", "qm9700"]}
    study = fabric.optimize(words)
    module = importlib.import_module("fabric.optimizer.sensitivity")
    monkeypatch.setattr(module, "minimise", lambda *_: Solution("UNKNOWN"))
    changes = study.sensitivity()
    assert not any(change.settled for change in changes)
    (table,) = summarize_changes(changes, study.blueprint, "USD").tables
    assert all(row[2:] == ("undecided", "undecided") for row in table.rows)


def test_a_limit_not_decided_within_the_budget_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the solver cannot decide whether a limit binds, that is left open, and not denied."""
    study = fabric.optimize({"gpus": 1024, "server": "hgx-h100", "switches": "sn5600", "limits": {"hops": 3}})
    module = importlib.import_module("fabric.optimizer.side_by_side")
    monkeypatch.setattr(module, "minimise", lambda *_: Solution("UNKNOWN"))
    design = describe(study)
    assert study.binding
    assert all(item.objective is None for item in study.binding)
    assert "Not determined within the solve budget: whether oversubscription binds." in " ".join(explain_choice(design))


def test_every_part_with_a_price_is_varied() -> None:
    """Switches and link parts of the catalogue whose price counts are all varied, the optic too."""
    parts = {change.part for change in fabric.optimize(REQUEST).sensitivity()}
    assert {"sn5600", "qm9700", "optical-400g"} <= parts
