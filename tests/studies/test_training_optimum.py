"""The cheapest fabric that keeps a training step within a slowdown."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import pytest

import fabric
from fabric.blueprint.bill import bill
from fabric.blueprint.prices import prices_of
from fabric.errors import InputError
from fabric.flow import summarize
from fabric.studies.training_optimum import TrainingOptimum, _Timer, optimize_training
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import prepare_step
from fabric.units import money

REQUEST = {
    "name": "small", "gpus": 1024, "server": "hgx-h100", "family": "rail-optimized", "tiers": 2, "switches": "qm9700",
    "link_price_usd": 1500, "oversubscription": 32,
}  # fmt: skip
RUN = {
    "model": "gpt3-175b", "parallel": {"tp": 8, "pp": 16, "dp": 8, "order": "tp-cp-pp-dp"}, "batch": 128,
}  # fmt: skip
"""A run whose data-parallel ranks are 16 servers apart."""


@cache
def optimum(slowdown: float, routing: str = "adaptive") -> TrainingOptimum:
    """Return the optimum of the small request."""
    return optimize_training(REQUEST, RUN, slowdown=slowdown, routing=routing)


@cache
def designs() -> tuple[fabric.Blueprint, ...]:
    """Return fabrics of the request with units of these sizes and as many spines."""
    found = []
    for slots, spines in product((16, 32), (2, 8)):
        try:
            found.append(fabric.design(REQUEST | {"pinned": {"slot": slots, "spine": spines}}).blueprint)
        except fabric.Infeasible:
            continue
    return tuple(found)


def step_s(blueprint: fabric.Blueprint, routing: str = "adaptive") -> float:
    """Return the step of the run on a fabric, timed by itself."""
    return prepare_step(blueprint, optimum(0.02).run, routing=routing).step_s()


def cost_usd(blueprint: fabric.Blueprint) -> float:
    """Return what switches and links cost."""
    spec = optimum(0.02).study.spec
    return bill(blueprint, prices_of(spec, blueprint)).cost_usd() or 0.0


def test_the_first_that_passes_is_the_cheapest() -> None:
    """The step keeps within the slowdown, and of some fabrics of the request none is cheaper and as fast."""
    found = optimum(0.02)
    assert found.study.proof.status == "OPTIMAL"
    assert found.step.step_s == pytest.approx(step_s(found.study.blueprint))
    assert found.slower <= 0.02
    assert found.failed
    most, cost = found.reference.step_s * 1.02, found.study.proof.objective
    assert cost == cost_usd(found.study.blueprint)
    assert not any(cost_usd(each) < cost - 1 and step_s(each) <= most for each in designs())


def test_the_example_is_that_of_the_page() -> None:
    """The costs and the slowdown of docs/training.md are those of this request."""
    page, found = (Path(__file__).parents[2] / "docs/training.md").read_text(), optimum(0.02)
    dearer, cheaper = found.reference_usd, found.failed[0]
    for cost in (dearer, found.study.proof.objective, cheaper.cost_usd):
        assert money(cost) in page
    assert f"{100 * found.slower:.2f} % longer" in page
    assert f"{100 * (cheaper.step_s / found.reference.step_s - 1):.0f} % longer" in page
    for step, cost in ((found.step, found.study.proof.objective), (found.reference, dearer)):
        hour = (128 * 280_000 + cost) / (1024 * 4 * 8766)
        assert f"| ${hour:.3f} |" in page
        assert f"| {money(step.usd_per_trillion_tokens(hour))} |" in page


@pytest.mark.slow
def test_less_may_be_spent_where_more_time_may_be() -> None:
    """A larger slowdown never costs more, and all that was tried before costs less and is slower."""
    costs = []
    for slowdown in (0.0, 0.02, 1.0):
        found = optimum(slowdown)
        costs.append(found.study.proof.objective)
        assert all(each.cost_usd <= costs[-1] for each in found.failed)
        assert all(each.step_s > found.reference.step_s * (1 + slowdown) for each in found.failed)
    assert costs == sorted(costs, reverse=True)
    assert optimum(0.0).saved_usd >= 0


@pytest.mark.slow
def test_hashed_paths_need_more_links() -> None:
    """Under ECMP the same slowdown, against adaptive routing at full bandwidth, never costs less."""
    sprayed, hashed = (optimum(0.3, routing) for routing in ("adaptive", "ecmp"))
    assert hashed.reference.step_s == sprayed.reference.step_s
    assert hashed.study.proof.objective >= sprayed.study.proof.objective
    assert hashed.step.step_s == pytest.approx(step_s(hashed.study.blueprint, "ecmp"))


def test_needs_hold_for_all_that_pass() -> None:
    """No fabric that passes misses what one that failed says is needed."""
    found = optimum(0.02)
    most = found.reference.step_s * 1.02
    timer = _Timer.of(found.study.blueprint, found.run)
    failed = found.failed[0].blueprint
    needs = [*timer.list_needs(failed, "adaptive", most)]
    assert needs
    for plan in designs():
        if timer.step_s(NetworkTime.of(plan, found.run.parallel)) <= most and plan.topology == failed.topology:
            summary = summarize(plan)
            for need in needs:
                if summary.peers[need.tier - 1] in need.servers:
                    assert summary.ratios[need.tier - 1] < need.ratio


def test_mistakes_are_refused() -> None:
    """A run without degrees or batch, a slowdown that is no share, and one that no fabric reaches."""
    with pytest.raises(InputError, match="batch"):
        optimize_training(REQUEST, {"model": "gpt3-175b", "parallel": {"tp": 8}})
    with pytest.raises(InputError, match="parallel"):
        optimize_training(REQUEST, {"model": "gpt3-175b", "batch": 64})
    with pytest.raises(InputError, match=r"slowdown 20: not a share from 0 to 10; write 0\.02 for 2 %"):
        optimize_training(REQUEST, RUN, slowdown=20)
    with pytest.raises(InputError, match=r"slowdown '2%': not a share"):
        optimize_training(REQUEST, RUN, slowdown="2%")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no run to train"):
        optimize_training(REQUEST)
