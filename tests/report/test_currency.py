"""Amounts in the currency of the request."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import fabric
from fabric import units
from fabric.errors import InputError
from fabric.report.bill_table import bill_csv
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.objectives import write_axis
from fabric.report.page import page
from tests.request_fixtures import Run

POD: dict[str, Any] = {"name": "pod", "gpus": 256, "server": "dgx-h100", "family": "rail-optimized"}
POD |= {"unit_gpus": 256, "switches": "qm9700", "currency": "EUR", "years": 5, "electricity_usd_per_kwh": 0.2}
PRICES = {"qm9700": 30_000, "osfp-2xsr4": 900, "mpo12-mmf": 40}
COST = 12 * 30_000 + 512 * 900 + 512 * 40
"""12 switches, 512 twin-port modules of two links each, 512 fibres."""


def test_amounts_have_the_three_letters_of_their_currency() -> None:
    """A dollar has its sign, as amounts without a currency always had."""
    assert [units.money(5000), units.money(5000, "EUR"), units.money(4.5, "JPY")] == ["$5,000", "EUR 5,000", "JPY 4.50"]
    assert units.money(None, "EUR") == "unknown"


def test_prices_of_the_catalogue_are_not_used() -> None:
    """They are in USD: without prices of its own a request in EUR has no cost, and switches are minimised."""
    study = fabric.design(POD)
    assert (study.bill.cost_usd(), study.proof.objective_name) == (None, "switches")
    assert study.bill.unpriced == ("qm9700", "osfp-2xsr4", "mpo12-mmf")


def test_an_own_part_keeps_its_price() -> None:
    """A switch or a link that the request describes is priced in its currency."""
    box = {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 20_000}
    study = fabric.design(POD, switches=box, link_price_usd=1000)
    assert study.bill.cost_usd() == study.proof.objective == 12 * 20_000 + 512 * 1000


def test_any_means_the_switches_that_the_request_prices() -> None:
    """Where it prices none, the answer says so, and not that nothing fits."""
    priced = fabric.design(POD, switches="any", prices_usd=PRICES)
    assert {model.name for model in priced.spec.switches["*"]} == {"qm9700"}
    with pytest.raises(InputError, match=r"currency: no switch has a price in EUR for `switches: any`"):
        fabric.design(POD, switches="any")


def test_all_texts_are_in_the_currency() -> None:
    """Report and bill have no dollar, and the optimizer minimises what the bill says."""
    study = fabric.design(POD, prices_usd=PRICES)
    assert study.bill.cost_usd() == study.proof.objective == COST
    text = markdown_report(describe(study, study.sensitivity()))
    assert f"EUR {COST:,}" in text
    assert "$" not in text
    assert describe_json(study)["currency"] == "EUR"
    rows = list(csv.DictReader(io.StringIO(bill_csv(study.bill))))
    assert {row["currency"] for row in rows} == {"EUR"}


def test_a_page_is_in_the_currency() -> None:
    """No amount of it is in dollars; its scripts have other uses for the sign."""
    text = page([fabric.design(POD, prices_usd=PRICES)])
    assert f"EUR {COST:,}" in text
    assert not re.search(r"\$[0-9]{2}|\bUSD\b", text)


def test_axes_are_in_the_currency() -> None:
    """The picture of a Pareto front counts millions of it."""
    assert write_axis("cost_usd", "EUR") == "cost, million EUR"


def test_the_terminal_is_in_the_currency(run: Run, tmp_path: Path) -> None:
    """Every command that prints amounts prints them in EUR."""
    (tmp_path / "pod.json").write_text(json.dumps(POD | {"prices_usd": PRICES, "grow_to_gpus": 512}))
    path = tmp_path / "pod.json"
    for words in (
        ("design", path),
        ("bill", path),
        ("optimize", path, "--sensitivity"),
        ("optimize", path, "--pareto", "cost,power"),
        ("compare", path, path),
        ("compare", path, "--families", "rail-optimized"),
    ):
        code, out, _ = run(*words)
        assert (code, "EUR" in out, "$" in out) == (0, True, False), words


def test_amounts_of_several_currencies_are_not_compared() -> None:
    """Nothing is converted, so neither a comparison nor a cluster may mix them."""
    euro, dollar = fabric.design(POD), fabric.design(POD, currency="USD")
    with pytest.raises(InputError, match="amounts in EUR and USD can't be compared"):
        fabric.compare(euro, dollar)
    fabrics = {"one": POD, "two": POD | {"currency": "USD"}}
    for each in fabrics.values():
        each.pop("name", None)
    with pytest.raises(InputError, match=r"EUR and USD; write one `currency` under `common`"):
        fabric.cluster({"name": "both", "fabrics": fabrics})


@pytest.mark.parametrize("text", ["eur", "EURO", "", "€", "EU1"])
def test_a_currency_is_three_capitals(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(InputError, match="such as USD or EUR"):
        fabric.read(POD, currency=text)


def test_electricity_may_cost_150_won() -> None:
    """A kilowatt-hour costs hundreds in some currencies: 5 years of 8,766 hours, 16,644 W, at 150."""
    study = fabric.design(POD, currency="KRW", electricity_usd_per_kwh=150)
    electricity = describe(study).cost.electricity
    assert electricity == pytest.approx(5 * 8766 * 16.644 * 150, rel=1e-6)
