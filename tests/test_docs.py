"""The documents say what the program computes."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import pytest

import fabric
from fabric.catalog import failure_rates
from fabric.flow import Routing, Workload, estimate_workload
from fabric.topology.families import BUILTIN

DOCS = Path(__file__).parent.parent / "docs"
ROW = re.compile(r"^\| (?P<rule>[^|]+) \| `(?P<words>\{.*\})` \| (?P<switches>[\d,]+) \|", re.MULTILINE)
ROWS = [match.groupdict() for match in ROW.finditer((DOCS / "colossus.md").read_text())]


def test_what_each_rule_of_colossus_costs() -> None:
    """Each changed rule gives the number of switches that the page says."""
    for row in ROWS:
        study = fabric.design("colossus-100k", expected={}, **json.loads(row["words"]))
        assert f"{study.blueprint.switches:,}" == row["switches"], row["rule"]


def test_the_examples_of_the_page_on_flows_run() -> None:
    """Every example gives what the page says."""
    assert doctest.testfile(str(DOCS / "flows.md"), module_relative=False) == doctest.TestResults(0, 31)


def test_the_page_has_its_rows() -> None:
    """The table of rules is found and starts with the shipped design."""
    assert len(ROWS) == 8
    assert ROWS[0]["words"] == "{}"


def test_a_fourth_tier_costs_a_million_gpus_a_third_more() -> None:
    """On one plane a million GPUs take four tiers, 35 % dearer than three tiers on two planes."""
    two = fabric.design("colossus-1m")
    four = fabric.design("colossus-1m", planes=1)
    assert (two.blueprint.planes, two.blueprint.tiers, four.blueprint.tiers) == (2, 3, 4)
    assert four.proof.objective / two.proof.objective == pytest.approx(1.35, abs=0.005)


SHARE = re.compile(r"^\| (ecmp|adaptive) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|", re.MULTILINE)
SHARES = SHARE.findall((DOCS / "scale.md").read_text())


@pytest.mark.parametrize(
    ("routing", "qps", "mean", "least"),
    [pytest.param(*row, marks=pytest.mark.slow if int(row[1]) > 4 else ()) for row in SHARES],
)
def test_what_hashing_leaves_of_colossus(routing: str, qps: str, mean: str, least: str) -> None:
    """Explicit flows of a random ring on 100,000 GPUs get the shares of line rate that the page on scale says."""
    plan = fabric.design("colossus-100k").blueprint
    way = Routing(routing, qps=int(qps))
    (found,), bounds = estimate_workload(
        plan, Workload(algorithm="ring", placement="random", routing=way, engine="flows"), [2**30]
    )
    assert found.mean == pytest.approx(float(mean), abs=0.006)
    assert found.min == pytest.approx(float(least), abs=0.006)
    assert bounds.cut == pytest.approx(1.0)


def test_the_page_on_scale_has_its_table() -> None:
    """Five rows give what routing leaves."""
    assert len(SHARES) == 5


def test_what_the_page_on_scale_says_of_the_picture() -> None:
    """What a ring and the best reach at each size are the numbers of the text."""
    page = " ".join((DOCS / "scale.md").read_text().split())
    study = {
        gpus: fabric.design("colossus-100k", gpus=gpus, expected={}) for gpus in (1024, 16_384, 100_000, 1_048_576)
    }
    best = {gpus: each.allreduce(2**30).busbw_GBps for gpus, each in study.items()}
    assert f"{best[100_000]:.0f} GB/s on 100,000 GPUs, and at {best[1_048_576]:.0f} on a million" in page
    hashed = {gpus: study[gpus].allreduce(2**30, "ecmp").busbw_GBps / best[gpus] for gpus in (1024, 100_000)}
    assert f"from {hashed[1024]:.0%}".replace("%", " %") in page
    assert f"to {hashed[100_000]:.0%} at 100,000".replace("%", " %") in page
    rings = {gpus: each.allreduce(2**30, algorithm="ring").busbw_GBps for gpus, each in study.items()}
    full = study[1024].allreduce(2**40, algorithm="ring").busbw_GBps
    assert 0.4 < rings[1024] / full < 0.5  # more waiting than sending
    assert rings[16_384] < full / 11  # the steps take over ten times as long as the bytes
    assert 0.01 < rings[100_000] / full < 0.015  # little more than a hundredth is left


PLACED = re.findall(
    r"^\| ([\d,]+) \| (contiguous|random) \| (\d+) \| (\d+) \|", (DOCS / "scale.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("gpus", "placement", "hashed", "sprayed"), PLACED)
def test_what_the_order_of_servers_makes_of_hashing(gpus: str, placement: str, hashed: str, sprayed: str) -> None:
    """The range of an all-reduce under ECMP over the orders of servers is that of the page on scale."""
    plan = fabric.design("colossus-100k", gpus=int(gpus.replace(",", "")), expected={}).blueprint
    for routing, said in (("ecmp", hashed), ("adaptive", sprayed)):
        work = Workload(placement=placement, routing=Routing(routing, qps=2))
        (found,), _ = estimate_workload(plan, work, [2**30])
        assert f"{found.estimate.busbw_GBps:.0f}" == said


def test_the_page_on_scale_has_both_ends_of_the_range() -> None:
    """Two sizes have two orders each, and the text names the ends at 100,000 GPUs."""
    assert len(PLACED) == 4
    ends = [row[2] for row in PLACED if row[0] == "100,000"]
    page = " ".join((DOCS / "scale.md").read_text().split())
    assert f"between {min(ends, key=int)} and {max(ends, key=int)} GB/s at 100,000 GPUs" in page


def test_every_family_has_its_entry() -> None:
    """The page of families has each in its table, with its hops and reference, and the sizes of every graph form."""
    page = (DOCS / "families.md").read_text()
    for item in BUILTIN:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{item.name}` |"))
        assert item.reference.split()[-1] in row
        hops = sorted({form.diameter_text for form in item.forms})
        assert not all(text.isdigit() for text in hops) or {*hops} <= set(re.findall(r"\d", row.split("|")[3]))
        if not item.layered:
            assert f"**{item.name}**" in page


def test_the_pictures_of_the_docs_are_those_that_make_draws() -> None:
    """Every picture under docs/ is drawn by `make docs-pictures`, and none is left over."""
    rule = (DOCS.parent / "Makefile").read_text().partition("docs-pictures: ")[2].partition("\n\n")[0]
    assert {*re.findall(r"docs/pictures/(\S+)", rule)} == {each.name for each in (DOCS / "pictures").iterdir()}


def test_the_page_on_failures_has_the_rates_of_the_catalogue() -> None:
    """The table has every kind with its rate, repair time and sources."""
    page = (DOCS / "failures.md").read_text()
    table = page.split("<!-- failure rates -->\n")[1].split("<!-- end -->")[0]
    assert table == failure_rate_table()


def failure_rate_table() -> str:
    """Return the failure rates of the catalogue as Markdown."""
    rows = ["| kind | failures a year | repair | sources |", "|---|---|---|---|"]
    for kind, rate in failure_rates().items():
        repair = f"{rate.repair_h:g} h{' (assumed)' if rate.repair_assumed else ''}"
        rows.append(f"| `{kind}` | {rate.per_year:.2%} | {repair} | {rate.source}. Repair: {rate.repair_source} |")
    return "".join(f"{row}\n" for row in rows)


def test_the_page_on_failures_says_what_the_rates_predict_of_llama_3() -> None:
    """Links from NICs and the ToR switches of 16 GPUs each, over 54 days."""
    rates = failure_rates()
    parts = {"link": 16384, "switch": 16384 // 16}
    expected = sum(count * (rates[kind].per_year or 0) * 54 / 365.25 for kind, count in parts.items())
    assert f"The rates predict {expected:.0f} interruptions" in (DOCS / "failures.md").read_text()
