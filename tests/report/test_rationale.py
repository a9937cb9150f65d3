"""Why a fabric was chosen, in sentences."""

from __future__ import annotations

import re

import fabric
from fabric.optimizer import OBJECTIVES, find_binding_limits
from fabric.report.describe import describe
from fabric.report.markdown import markdown_report
from fabric.report.page.content import make_content
from fabric.report.rationale import describe_savings, explain_choice
from fabric.report.sentences import describe_failures, describe_objective, describe_status
from fabric.report.terminal import summarize_design

REQUEST = {"gpus": 512, "server": "hgx-h100", "switches": "qm9700"}


def explain(objective: str = "cost", **words: object) -> str:
    """Return the rationale of a design."""
    design = describe(fabric.optimize({**REQUEST, **words}, objective))
    return " ".join([*describe_savings(design), *explain_choice(design)])


def test_a_binding_limit_has_the_optimum_without_it() -> None:
    """The limit, its value, and what relaxing it would save are in one sentence, before all others."""
    assert explain(tiers=2).startswith("Savings near the request: oversubscription 2 instead of 1: $")


def test_savings_are_told_before_the_tables_the_most_first() -> None:
    """On the terminal, in the report and on the page the second sentence is what near requests would save."""
    design = describe(fabric.design(REQUEST, tiers=2, unit_gpus=64))
    (text,) = describe_savings(design)
    saved = [float(each) for each in re.findall(r"\((-[0-9.]+) %\)", text)]
    assert len(saved) > 1
    assert saved == sorted(saved)
    assert summarize_design(design).text.splitlines()[1] == text
    report = markdown_report(design)
    assert report.index("Savings near the request") < report.index("![Fabric]")
    assert make_content(design.study, "a", "a", front=False).choice.endswith(text)


def test_more_planes_without_oversubscription_are_told_where_they_cost_less() -> None:
    """Two planes of 16 ports reach in two tiers at 1:1 what one plane of 8 takes three tiers for at 1.5:1, for less."""
    box = {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 100}
    switch = {"name": "s8", "ports": 8, "rate_gbps": 100, "price_usd": 1000, "breakouts": {50: 16}, "connectors": 2}
    words = {"gpus": 128, "server": box, "switches": switch, "link_price_usd": 1, "family": "fat-tree"}
    study = fabric.design(words, oversubscription=1.5)
    (found,) = [each for each in study.binding or () if each.limit == "planes"]
    full = fabric.design(words, planes=2)
    assert (found.loosened_to, found.nonblocking) == (2, full.proof.objective)
    assert full.blueprint.oversubscription("leaf") == 1
    assert full.proof.objective < study.proof.objective
    less = study.proof.objective - full.proof.objective
    assert f", at 1:1 still ${less:,.0f} (" in " ".join(describe_savings(describe(study)))
    (same,) = [each for each in fabric.design(words).binding or () if each.limit == "planes"]
    assert same.nonblocking is None


def test_appliances_that_bind_are_named_with_their_ports() -> None:
    """Two ports of the spines of four full units take a 33rd spine or more, and what takes them is named."""
    found = explain(tiers=2, gpus=1024, appliances=[{"name": "ufm", "ports": 2, "tier": "spine"}])
    assert "without appliances 2 spine ports of the fabric for ufm: $" in found


def test_a_range_of_one_tier_leaves_the_others_at_their_default() -> None:
    """A smallest ratio that only one tier has is a limit of that tier, and the rationale is found all the same."""
    words = {"gpus": 64, "tiers": 2, "oversubscription": {"leaf": {"min": 2, "max": 3}}}
    assert "Savings near the request: tiers 1 instead of 2: $" in explain(**words)
    limits = {
        each.limit: each.value
        for each in find_binding_limits(fabric.read({**REQUEST, **words}), [OBJECTIVES["cost"]], 1e12)
    }
    assert limits["least_oversubscription"] == {"leaf": 2.0}


def test_a_weighted_sum_is_taken_apart() -> None:
    """The parts of a weighted objective have their own values."""
    assert "Weighted objective: cost $" in explain("cost=1,hops=1000")


def test_electricity_is_a_share_of_the_cost() -> None:
    """Where the request gives years and a price, electricity is compared with the cost."""
    text = explain(years=5, electricity_usd_per_kwh=0.1)
    assert "Electricity over 5 years: $" in text
    assert "% of the cost." in text


def test_objective_and_proof_are_in_the_terms_of_the_field() -> None:
    """What was minimised in order, the status, the lower bound and what remains after a failure."""
    design = describe(fabric.optimize(REQUEST, "cost,hops"))
    assert describe_objective(design) == "Objective: minimise cost, then hops."
    assert describe_status(design) == "Status: OPTIMAL (proven)."
    assert "lower bound $" in describe_status(design, bound=True)
    assert describe_failures(design).startswith("Guaranteed throughput after one failure: leaf ")


def test_a_point_of_a_front_has_no_rationale() -> None:
    """On a Pareto front no limit is said to bind."""
    (study, *_) = fabric.pareto(REQUEST, "cost,hops").studies
    assert not list(explain_choice(describe(study)))


def test_one_switch_is_suggested_only_where_it_would_do() -> None:
    """A note names the single switch that has enough ports, but not against growth, reserved ports or `survive`."""
    request = {"gpus": 48, "server": "hgx-h100", "switches": "qm9700", "tiers": 2}
    asked = ({}, {"grow_to_gpus": 128}, {"reserve": 20}, {"survive": {"leaf": 0.5}})
    notes = [" ".join(describe(fabric.design({**request, **words})).notes) for words in asked]
    assert ["One qm9700 per plane has ports for all 48 NICs" in text for text in notes] == [True, False, False, False]
