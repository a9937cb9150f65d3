"""The price of a GPU-hour: what servers and fabric cost over their years."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import fabric
from fabric.report.training import summarize_training
from fabric.studies.gpu_hour import price_gpu_hour
from fabric.training.step import TrainingStep

POD = {
    "gpus": 64, "server": "hgx-h100", "family": "rail-optimized", "switches": "qm9700", "link_price_usd": 1500,
}  # fmt: skip
PRICED = {**POD, "prices_usd": {"hgx-h100": 280_000}, "years": 4}
RUN = {"model": "llama3-8b", "parallel": {"tp": 8, "dp": 8}, "batch": 64}


@cache
def train(name: str = "priced", ratio: int = 1, gpu_hour_usd: float | None = None) -> TrainingStep:
    """Return a step on 64 GPUs with prices of servers, at a ratio of the leaves."""
    run = RUN if gpu_hour_usd is None else {**RUN, "gpu_hour_usd": gpu_hour_usd}
    ratios = {"oversubscription": {"min": ratio, "max": ratio}, "tiers": 2, "unit_gpus": 32}
    return fabric.train({**PRICED, "name": name, **ratios}, run)


def test_servers_and_fabric_are_written_off_over_all_gpu_hours() -> None:
    """Eight servers, and the fabric as its bill has it with spare parts, over 64 GPUs and four years of 8,766 hours."""
    study = fabric.design(PRICED, spares=0.1)
    hour = price_gpu_hour(study)
    assert (hour.servers_usd, hour.fabric_usd) == (8 * 280_000, study.bill.order_usd)
    assert study.bill.spares_usd
    hours = 64 * 4 * 8766
    assert hour.servers_hour_usd == pytest.approx(8 * 280_000 / hours)
    assert hour.usd == pytest.approx((8 * 280_000 + study.bill.order_usd) / hours)
    assert hour.missing == ()


def test_a_price_that_is_given_wins() -> None:
    """It stands for everything: what servers and fabric cost is not added."""
    step = train(gpu_hour_usd=2)
    assert step.gpu_hour.usd == 2
    assert step.gpu_hour.servers_usd is step.gpu_hour.fabric_usd is None
    assert step.usd_per_trillion_tokens() == pytest.approx(2e12 / 3600 / step.tokens_s_gpu)
    assert "servers are" not in " ".join(summarize_training([step], [None]).lines)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ({"prices_usd": {}}, ("the price of hgx-h100 (`prices_usd`)",)),
        ({"years": None}, ("`years`",)),
        ({"prices_usd": {}, "years": None}, ("the price of hgx-h100 (`prices_usd`)", "`years`")),
        ({"switches": {"name": "mine", "ports": 64, "rate_gbps": 400}}, ("the price of mine",)),
        ({"currency": "EUR"}, ("the price of qm9700",)),
    ],
)  # fmt: skip
def test_an_unknown_part_leaves_no_price(words: dict[str, Any], missing: tuple[str, ...]) -> None:
    """What is not known is named, and never counts as nothing."""
    hour = price_gpu_hour(fabric.design(PRICED, **words))
    assert hour.usd is None
    assert hour.missing == missing


def test_prices_are_those_of_the_request_after_its_discount() -> None:
    """Those of `prices_usd` come before a server's own, and a discount is on every price, or on servers alone."""
    mine = {"name": "mine", "gpus": 8, "nics": 8, "nic_gbps": 400, "price_usd": 100}
    for words, price in (
        ({}, 100), ({"prices_usd": {"mine": 200}}, 200), ({"discount": 0.1}, 90), ({"discount": {"server": 0.2}}, 80),
        ({"discount": {"switch": 0.2}}, 100),
    ):  # fmt: skip
        assert fabric.read({**POD, "server": mine, **words}).server.price_usd == price
    assert fabric.read(POD).server.price_usd is None


def test_servers_of_all_kinds_are_bought() -> None:
    """Of unlike servers each kind has its price, also one without GPUs; the last server is bought whole."""
    kinds = [
        {"server": "hgx-h100", "count": 4},
        {"server": {"name": "store", "gpus": 0, "nics": 2, "nic_gbps": 400}, "count": 2},
    ]
    words = {"servers": kinds, "switches": "qm9700", "link_price_usd": 1500, "years": 4, "family": "fat-tree"}
    assert price_gpu_hour(fabric.design(words, prices_usd={"hgx-h100": 9})).missing == (
        "the price of store (`prices_usd`)",
    )
    assert price_gpu_hour(fabric.design(words, prices_usd={"hgx-h100": 9, "store": 5})).servers_usd == 4 * 9 + 2 * 5
    assert price_gpu_hour(fabric.design(PRICED, gpus=60)).servers_usd == 8 * 280_000


def test_a_cheaper_fabric_makes_tokens_cheaper_where_the_step_is_as_long() -> None:
    """The table of fabrics side by side has the parts of the price, and the cost of tokens follows them."""
    steps = [train("wide"), train("narrow", 4)]
    wide, narrow = steps
    assert narrow.gpu_hour.fabric_hour_usd < wide.gpu_hour.fabric_hour_usd
    for step in steps:
        assert step.usd_per_trillion_tokens() == pytest.approx(step.gpu_hour.usd * 1e12 / 3600 / step.tokens_s_gpu)
    summary = summarize_training(steps, [None, None])
    rows = {row[0]: row[1] for row in summary.tables[0].rows}
    assert rows["GPU-hour"] == f"${wide.gpu_hour.usd:.3f}"
    assert (rows["of it servers"], rows["of it the network"]) == ("$0.998", f"${wide.gpu_hour.fabric_hour_usd:.3f}")
    assert any(line.startswith("GPU-hour: what servers and fabric cost to buy, over 4 years") for line in summary.lines)
