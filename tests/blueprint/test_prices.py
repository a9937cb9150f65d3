"""Prices of the user's own, what a fabric costs to run, and the NICs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fabric
from fabric.errors import InputError
from fabric.report.bill_table import bill_csv
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.terminal import summarize_design
from tests.request_fixtures import Run

PARTS = {"name": "mine", "server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}


MADE: dict[str, fabric.Study] = {}


def made(objective: str = "cost", **words: object) -> fabric.Study:
    """Return the best fabric of 2,048 GPUs, or as the words say, designed once."""
    key = repr((objective, words))
    if key not in MADE:
        MADE[key] = fabric.optimize({"gpus": 2048, **PARTS, **words}, objective)
    return MADE[key]


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """Return a request with a price of its own."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"gpus": 2048, **PARTS, "prices_usd": {"sn5600": 10, "optical-400g": 1}}))
    return path


def test_a_link_part_at_ones_own_price_is_used_wherever_it_would_be() -> None:
    """The whole part for a link of its rate, its share for a slower one; the power stays the catalogue's."""
    whole, half = made(prices_usd={"optical-400g": 100}), made(prices_usd={"optical-400g": 100}, link_gbps=200)
    assert whole.bill.cost_usd("link") == 100 * whole.blueprint.links_total
    assert half.bill.cost_usd("link") == 50 * half.blueprint.links_total
    assert whole.bill.power_w == made().bill.power_w
    assert made(prices_usd={"optical-400g": 0}).bill.cost_usd("link") == 0


def test_no_date_is_claimed_for_a_price_of_ones_own() -> None:
    """Notes and bill date the catalogue's prices only."""
    own = made(prices_usd={"optical-400g": 100, "sn5600": 50_000})
    assert not any("dated" in note for note in describe_json(own)["notes"])
    assert [row.note for row in own.bill.of("switch")] == [""] * len(own.blueprint.topology.roles)
    assert {row.note for row in own.bill.of("link")} == {"price from the request, both modules and the fibre"}
    (note,) = (note for note in describe_json(made(prices_usd={"optical-400g": 100}))["notes"] if "dated" in note)
    assert "optical-400g" not in note
    assert "sn5600: " in note


@pytest.mark.parametrize("name", ["prices.yaml", "prices.json"])
def test_prices_come_from_request_file_and_option_in_turn(
    request_file: Path, tmp_path: Path, name: str, run: Run
) -> None:
    """A file's price replaces the request's, one on the command line the file's, and the others stay."""
    (tmp_path / name).write_text(json.dumps({"sn5600": 20, "sn4700": 5}))
    words = ("design", str(request_file), "--json", "--prices", str(tmp_path / name))
    _, out, _ = run(*words)
    design = json.loads(out)
    assert design["request"]["prices_usd"] == {"sn5600": 20, "optical-400g": 1, "sn4700": 5}
    assert design["cost_usd"]["switches"] == 20 * design["switches"]["total"]
    _, out, _ = run(*words, "--price", "sn5600=30.5", "--price", "optical-400g = 2")
    assert json.loads(out)["request"]["prices_usd"] == {"sn5600": 30.5, "optical-400g": 2, "sn4700": 5}


@pytest.mark.parametrize("command", ["design", "optimize", "check"])
def test_a_price_may_be_given_to_every_command(request_file: Path, command: str, run: Run) -> None:
    """Each command that sizes takes a price, and refuses one of no known part with the nearest name."""
    assert run(command, str(request_file), "--price", "sn5600=7")[0] == 0
    code, out, err = run(command, str(request_file), "--price", "optical400g=7")
    assert (code, out) == (2, "")
    known = "unknown switch, server or link part 'optical400g'; did you mean 'optical-400g'?"
    assert err == f"fabric: --price optical400g: {known}\n"


def test_a_price_is_given_to_all_that_are_compared(request_file: Path, run: Run) -> None:
    """Designs are compared at the same price."""
    words = ("compare", str(request_file), str(request_file), "--json", "--price", "sn5600=7")
    designs = json.loads(run(*words)[1])["designs"]
    assert [design["request"]["prices_usd"]["sn5600"] for design in designs] == [7, 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sn5600: 7\nsn56000: 7\n",
            ":2: sn56000: unknown switch, server or link part 'sn56000'; did you mean 'sn5600'?",
        ),
        ("sn5600: 7\nsn4700: dear\n", ":2: sn4700: 'dear' is text, not a number"),
        ("sn5600: -1\n", ":1: sn5600: -1 is too small; at least 0"),
        ("sn5600: 1\nsn5600: 2\n", ":2: sn5600: set twice, first in line 1; keep one"),
        ("- 7\n", ":1: a list of prices is a mapping of names to USD such as `sn5600: 52000`, not a list"),
        ("", ": is empty; a list of prices is a mapping of names to USD"),
    ],
)
def test_a_mistake_in_a_file_of_prices_is_reported_with_its_line(
    request_file: Path, tmp_path: Path, text: str, message: str, run: Run
) -> None:
    """The message names the file of prices, not the request."""
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    code, _, err = run("design", str(request_file), "--prices", str(file))
    assert code == 2
    assert err.startswith(f"fabric: {file}{message}")


def test_mistakes_in_a_file_of_prices_are_in_the_order_of_its_lines(
    request_file: Path, tmp_path: Path, run: Run
) -> None:
    """What is wrong with the file comes before what is wrong with a later price in it."""
    file = tmp_path / "prices.yaml"
    file.write_text("sn5600: 5\nsn5600: 6\nnosuch: 1\n")
    err = run("design", str(request_file), "--prices", str(file))[2]
    assert [line.removeprefix("fabric: ")[len(str(file)) :][:3] for line in err.splitlines()] == [":2:", ":3:"]


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("sn5600", "'sn5600' is not NAME=USD; write for example sn5600=52000"),
        ("=7", "'=7' is not NAME=USD"),
        ("sn5600=dear", "--price sn5600: 'dear' is text, not a number"),
        ("sn5600=0.001", "--price sn5600: 0.001 is less than a cent"),
    ],
)
def test_a_malformed_price_is_refused(request_file: Path, price: str, message: str, run: Run) -> None:
    """An option without a name, a sign or a number says what it should be."""
    code, _, err = run("design", str(request_file), "--price", price)
    assert code == 2
    assert message in err


def test_further_prices_do_not_hide_a_mistake_in_those_of_the_request(tmp_path: Path, run: Run) -> None:
    """Where the request's prices are not a mapping, that is reported."""
    file = tmp_path / "mine.yaml"
    file.write_text("gpus: 8\nserver: hgx-h100\nprices_usd: 7\n")
    _, _, err = run("design", str(file), "--price", "sn5600=7")
    assert err.startswith(f"fabric: {file}:3: prices_usd: 7 is a number, not a mapping")


def test_a_price_without_a_line_is_reported_by_its_key() -> None:
    """In Python the key is given instead of the place."""
    with pytest.raises(
        InputError, match=r"^prices_usd.optical-40g: unknown switch, server or link part 'optical-40g'; did you mean"
    ):
        made(prices_usd={"optical-40g": 1})


RUN = {"years": 5, "electricity_usd_per_kwh": 0.08, "pue": 1.3}


def test_the_total_cost_is_that_of_the_parts_and_their_electricity() -> None:
    """Switches and modules at typical power, times the PUE, 8,766 hours a year; optimizer and bill say the same."""
    study = made("total_cost", **RUN)
    cost, watts = describe_json(study)["cost_usd"], study.bill.power_w or 0
    assert cost["electricity"] == pytest.approx(watts / 1000 * 1.3 * 8766 * 5 * 0.08, rel=1e-6)
    assert cost["total_with_electricity"] == pytest.approx(cost["total"] + cost["electricity"])
    assert study.proof.objectives == {"total_cost_usd": pytest.approx(cost["total_with_electricity"], rel=1e-12)}
    assert study.proof.status == "OPTIMAL"


def test_electricity_can_change_the_choice() -> None:
    """A switch that is cheap to buy and dear to run wins by cost alone, and loses over enough years."""
    box = {"ports": 64, "rate_gbps": 400}
    thirsty = {"name": "thirsty", **box, "price_usd": 1000, "power_w": 2000}
    frugal = {"name": "frugal", **box, "price_usd": 2000, "power_w": 500}
    words = {**RUN, "switches": [thirsty, frugal], "gpus": 64}
    assert made("cost", **words).blueprint.models["leaf"].name == "thirsty"
    assert made("total_cost", **words).blueprint.models["leaf"].name == "frugal"
    assert made("total_cost", **{**words, "years": 0.1}).blueprint.models["leaf"].name == "thirsty"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "needs years and electricity_usd_per_kwh in the request"),
        ({"years": 5}, "needs electricity_usd_per_kwh in the request"),
        ({"electricity_usd_per_kwh": 0.1}, "needs years in the request"),
    ],
)
@pytest.mark.parametrize("objective", ["total_cost", "hops,total_cost", "total_cost=1,hops=5"])
def test_the_total_cost_asks_for_the_keys_it_needs(given: dict[str, float], missing: str, objective: str) -> None:
    """Without years or a price of electricity the message says which to add, and results have null."""
    with pytest.raises(InputError, match=missing):
        made(objective, **given)
    cost = describe_json(made(**given))["cost_usd"]
    assert (cost["electricity"], cost["total_with_electricity"]) == (None, None)


def test_an_unknown_power_is_reported_where_electricity_is_minimised() -> None:
    """The total cost of a part whose power nobody has said is unknown."""
    box = {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 1000}
    with pytest.raises(InputError, match="no known power of box"):
        made("total_cost", switches=box, **RUN)
    assert describe_json(made(switches=box, **RUN))["cost_usd"]["electricity"] is None


def test_the_total_cost_may_be_limited() -> None:
    """Its least value is allowed and a dollar less is not; a limit without the price of electricity is a mistake."""
    least = made("total_cost", **RUN).proof.objective
    assert made("hops", **RUN, limits={"total_cost_usd": least}).proof.status == "OPTIMAL"
    with pytest.raises(fabric.Infeasible, match=r"limits\.total_cost_usd"):
        made("hops", **RUN, limits={"total_cost_usd": least - 1})
    with pytest.raises(InputError, match=r"limits.total_cost_usd: includes electricity; add years$"):
        made(limits={"total_cost_usd": 10**9}, electricity_usd_per_kwh=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"years": 0}, "years: 0 is too small; more than 0"),
        ({"years": "five"}, "years: 'five' is text, not a number"),
        ({"pue": 0.9}, "pue: 0.9 is too small; at least 1"),
        ({"electricity_usd_per_kwh": -1}, "electricity_usd_per_kwh: -1 is too small; at least 0"),
    ],
)
def test_running_costs_that_can_not_be_are_refused(wrong: dict[str, object], message: str) -> None:
    """Years are above 0, prices are not below it, and a PUE is at least 1."""
    with pytest.raises(InputError, match=message):
        made(**wrong)


def test_a_million_gpus_over_many_years_do_not_overflow() -> None:
    """The greatest sums stay within the solver's integers, and are exact."""
    words = {"gpus": 1_000_000, "planes": 2, "tiers": 3, "years": 100, "electricity_usd_per_kwh": 1, "pue": 2}
    study = made("total_cost", **words)
    assert study.proof.status == "OPTIMAL"
    assert study.proof.objective == pytest.approx(describe_json(study)["cost_usd"]["total_with_electricity"], rel=1e-12)


def test_electricity_is_shown_to_people_and_compared() -> None:
    """The terminal and the report have a line on it, and a comparison two rows; without it they have none."""
    study, plain = made(**RUN), made()
    design = describe(study)
    (line,) = (line for line in summarize_design(design).lines if line.startswith("Electricity"))
    assert "over 5 years at $0.08 per kWh and a PUE of 1.3; $" in line
    assert line in markdown_report(design)
    assert "Electricity" not in markdown_report(describe(plain))
    rows = {row.quantity: row.values for row in fabric.compare(study, plain).rows}
    assert rows["cost_usd.electricity"] == (design.cost.electricity, None)
    assert "cost_usd.electricity" not in {row.quantity for row in fabric.compare(plain, plain).rows}


def test_nics_are_counted_where_they_have_a_price() -> None:
    """Every NIC adds its price to total, objective and bill, and changes no count; without a price there is no row."""
    without, study = made(), made(nic_usd=1500.5)
    cost = describe_json(study)["cost_usd"]
    assert cost["nics"] == 2048 * 1500.5
    assert cost["total"] == cost["switches"] + cost["links"] + cost["nics"] == study.proof.objective
    assert study.proof.objective == without.proof.objective + cost["nics"]
    assert study.blueprint.sizes == without.blueprint.sizes
    (row,) = study.bill.of("nic")
    assert (row.part, row.used_for, row.quantity, row.unit_price_usd) == ("400G NIC", "server", 2048, 1500.5)
    assert (without.bill.of("nic"), describe_json(without)["cost_usd"]["nics"]) == ((), None)


def test_nics_count_in_limits_and_in_the_total_cost() -> None:
    """A limit on cost holds them too, and electricity comes on top."""
    study = made("total_cost", nic_usd=1000, **RUN)
    cost = describe_json(study)["cost_usd"]
    assert study.proof.objective == pytest.approx(cost["total_with_electricity"], rel=1e-12)
    least = cost["total"]
    assert made(nic_usd=1000, limits={"cost_usd": least}).bill.cost_usd() == least
    with pytest.raises(fabric.Infeasible, match=r"limits\.cost_usd"):
        made(nic_usd=1000, limits={"cost_usd": least - 1})


def test_nics_are_shown_to_people() -> None:
    """The terminal's cost and the report's table have the NICs, and the bill of materials a row."""
    study = made(nic_usd=1000)
    design = describe(study)
    assert any(", NICs $2,048,000)" in line for line in summarize_design(design).lines)
    assert "| 400G NIC | server | 2,048 | $1,000 | $2,048,000 |" in markdown_report(design)
    assert "nic,400G NIC,server,2048,1000,2048000,,,price from the request" in bill_csv(study.bill)
    assert describe_json(made(nic_usd=0))["cost_usd"]["nics"] == 0


def test_prices_of_nics_too_large_to_add_up_exactly_are_refused() -> None:
    """A NIC at the greatest price that is read, for a million GPUs, fits; for the most GPUs it is refused."""
    words = {"planes": 2, "tiers": 3, "nic_usd": 10**7}
    assert made(gpus=1_000_000, **words).bill.cost_usd("nic") == 10**13
    with pytest.raises(InputError, match="up to 1,000,000,000 USD per part: prices are too large to add up exactly"):
        made(gpus=100_000_000, nic_usd=10**9, planes=2, tiers=4)
