"""What is said of a design that is the cheapest on its site, and of choices that do not count lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import fabric
from fabric.report.describe import describe, describe_json
from fabric.report.load_design import load
from fabric.report.notes import list_notes
from fabric.report.pareto import summarize_front
from fabric.report.sentences import describe_objective, describe_status

NEAR: dict[str, Any] = {
    "gpus": 96, "server": {"name": "flat", "gpus": 8, "nics": 8, "nic_gbps": 400, "cage": "osfp", "rack_units": 8},
    "switches": "qm9700", "family": "fat-tree", "tiers": [1, 2], "exclude_optics": ["optical-400g"],
    "prices_usd": {"dac-split-2x400g": 100, "osfp-2xsr4": 900, "osfp-sr4-400g": 500, "mpo12-mmf": 40},
    "site": {"layout": "in-rack", "slack_m": 0.5, "rack": {"power_kw": None}},
}  # fmt: skip
LEFT_OUT = "Lengths of cables on the site, and the parts that reach, are not"


def test_a_design_says_that_its_cost_is_of_the_layout() -> None:
    """The objective names the rule of layout and the fabrics laid out; the proof is of that rule."""
    study = fabric.optimize(NEAR)
    assert study.proof.fabrics_laid_out == 1
    design = describe(study)
    assert describe_objective(design) == (
        "Objective: minimise cost on the site: cables by length and parts by reach, as 1 fabric was laid out"
        " (`in-rack`)."
    )
    assert describe_status(design) == "Status: OPTIMAL (proven under this rule of layout)."
    assert (
        design.cost.total
        == study.proof.objective
        == sum(row.price_usd or 0 for row in study.bill.rows if row.counted and row.kind != "rack")
    )
    assert not any(LEFT_OUT in note for note in list_notes(study))


def test_the_example_of_the_documentation_has_its_amounts() -> None:
    """The request of docs/site.md: two families of one cost by parts, and what either costs on the site."""
    text = Path(__file__).parents[2].joinpath("docs/site.md").read_text()
    section = text.partition("## The least cost on a site")[2]
    asked = yaml.safe_load(section.partition("```yaml")[2].partition("```")[0])
    plain, tree, best = fabric.design(asked), fabric.design(asked, family="fat-tree"), fabric.optimize(asked)
    assert (plain.blueprint.topology.family, best.blueprint) == ("rail-optimized", tree.blueprint)
    assert best.proof.fabrics_laid_out == 4
    assert [each.objectives["cost_usd"] for each in best.others] == [plain.bill.cost_usd()]
    amounts = (plain.proof.objective, tree.proof.objective, plain.bill.cost_usd(), best.proof.objective)
    assert amounts == (641_480, 641_480, 611_400, 521_160)
    assert all(f"${amount:,.0f}" in section for amount in amounts)


def test_links_of_several_parts_add_up_in_a_table() -> None:
    """A bundle of copper and fibre is one row with all its links, their average price and their sum."""
    design = describe(fabric.design(NEAR | {"family": "rail-optimized"}))
    kinds = {kind.part for kind in design.study.wiring.kinds if kind.bundle == "server-leaf"}
    (row,) = (bundle for bundle in design.links if bundle.name == "server-leaf")
    assert len(kinds) == 2
    assert row.links == 96
    links = [each for each in design.bill.of("link") if each.used_for == "server-leaf"]
    assert row.price_usd == sum(each.price_usd or 0 for each in links)
    assert row.unit_price_usd == pytest.approx((row.price_usd or 0) / 96, abs=0.01)


def test_a_written_design_keeps_how_it_was_proven(tmp_path: Path) -> None:
    """`design.json` has the number of fabrics laid out, and is read again with the same proof."""
    study = fabric.optimize(NEAR)
    (tmp_path / "design.json").write_text(json.dumps(describe_json(study)))
    again = load(str(tmp_path / "design.json"))
    assert again.proof == study.proof
    assert again.blueprint == study.blueprint


def test_choices_that_count_no_lengths_say_so() -> None:
    """A front over cost, and cost before another objective; `design` and other objectives promise nothing of cost."""
    front = fabric.pareto(NEAR, "cost,hops")
    assert any(LEFT_OUT in line for line in summarize_front(front).lines)
    assert any(LEFT_OUT in note for note in list_notes(fabric.optimize(NEAR, "cost,hops")))
    assert not any(LEFT_OUT in note for note in list_notes(fabric.design(NEAR)))
    plain = {key: value for key, value in NEAR.items() if key != "site"}
    assert not any(LEFT_OUT in line for line in summarize_front(fabric.pareto(plain, "cost,hops")).lines)


def test_parts_without_a_price_that_the_site_needs_are_named() -> None:
    """Rows of 90 m need fibre of more than 50 m, of which no price is known: the message names it."""
    halls = [{"name": "A", "rows": 2, "racks_per_row": 8, "row_pitch_m": 90}]
    site = {"halls": halls, "slack_m": 0.5, "rack": {"units": 10, "power_kw": None}, "group_racks": 4}
    with pytest.raises(fabric.InputError, match=r"no known price of .*, which lengths on the site need"):
        fabric.optimize(NEAR | {"site": site, "unit_gpus": 32})


def test_sensitivity_is_refused_on_a_site() -> None:
    """Break-even prices are of designs without a layout, and the message says what to leave out."""
    with pytest.raises(fabric.InputError, match="leave out `site`"):
        fabric.optimize(NEAR).sensitivity()
