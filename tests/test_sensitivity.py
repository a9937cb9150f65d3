"""Which price would change the choice, and the limits that bind: each said value is tried."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli import cli

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


@pytest.mark.parametrize("gpus", [512, 1024, 2000])
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
    """Dear links make a fabric of fewer of them worth its switches; the break-even is that of the two lines."""
    study = fabric.optimize(REQUEST, link_price_usd=100)
    (up,) = [change for change in study.sensitivity() if (change.part, change.direction) == ("link_price_usd", "up")]
    dear = fabric.optimize(REQUEST, link_price_usd=200)
    links = study.blueprint.links_total
    at_200 = (study.bill.cost_usd() or 0) + 100 * links
    assert (up.at_usd is None) == (dear.bill.cost_usd() == pytest.approx(at_200))


def test_sensitivity_needs_cost_to_decide() -> None:
    """Where hops come first no price decided."""
    with pytest.raises(fabric.InputError, match="put cost first"):
        fabric.optimize(REQUEST, "hops,cost").sensitivity()


def test_the_command_tells_the_prices() -> None:
    """The table and the JSON hold the same break-evens."""
    words = ["optimize", "examples/my-cluster.yaml", "--sensitivity"]
    rows = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).stdout)["sensitivity"]
    table = CliRunner(env={"COLUMNS": "80"}).invoke(cli, words, catch_exceptions=False).stdout
    told = [row for row in rows if row["at_usd"] is not None]
    assert told
    assert all(f"{row['change']:+.1%}" in table for row in told)
    assert max(map(len, table.splitlines())) <= 80


def test_what_binds_is_so() -> None:
    """Each limit that is said to bind, loosened as said, gives the cost that is said."""
    request = {**REQUEST, "reserve": 4, "limits": {"hops": 3}, "tiers": [2, 3]}
    study = fabric.optimize(request)
    assert {item.limit for item in study.binding} >= {"oversubscription", "reserve"}
    for item in study.binding:
        words = {
            "oversubscription": {"oversubscription": {"leaf": 4, "spine": 2, "core": 2}},
            "reserve": {"reserve": 0},
        }
        if item.limit in words:
            eased = fabric.optimize({**request, **words[item.limit]}, family=study.blueprint.form.family, tiers=2)
            assert eased.proof.objective == item.objective
        assert item.objective < study.proof.objective


def test_fewer_hops_cost_what_is_said() -> None:
    """The price of paths two switches shorter is that of the best fabric within that limit."""
    request = {**REQUEST, "gpus": 2048, "switches": ["qm9700", "sn5600"], "unit_gpus": None}
    study = fabric.optimize(request)
    if study.fewer_hops is None:
        with pytest.raises(fabric.Infeasible):
            fabric.optimize(request, limits={"hops": study.hops.max - 2})
    else:
        short = fabric.optimize(request, limits={"hops": study.fewer_hops.hops_max})
        assert short.proof.objective == study.fewer_hops.objective


def test_the_report_says_why() -> None:
    """The runner-up, the binding limit and the price of shorter paths stand in the design and in the report."""
    from fabric.report import document
    from fabric.report.markdown import report

    study = fabric.optimize("colossus-100k")
    design = document(study)
    proof = design["optimizer"]
    assert proof["runner_up"] == proof["others"][0]
    assert proof["binding"][0]["limit"] == "oversubscription"
    text = report(study, design)
    assert "The runner-up, rail-optimized in 3 tiers, rails meeting at the core" in text
    assert "What binds: oversubscription 1" in text
