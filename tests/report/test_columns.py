"""The tables of a design: said once, and the same for every renderer."""

from __future__ import annotations

import re

import pytest
import yaml

import fabric
from fabric.report.columns import list_tables, text_table
from fabric.report.describe import describe
from fabric.report.design import Design
from fabric.report.markdown import markdown_report
from fabric.report.page.grid import sortable_table
from fabric.report.terminal import summarize_design

BOX = {"name": "box", "ports": 64, "rate_gbps": 400}


@pytest.fixture(scope="module")
def design() -> Design:
    """Return a design of two tiers with published numbers and a switch without a price."""
    return describe(fabric.design(gpus=512, server="hgx-h100", switches=BOX, expected={"leaf": 16, "spine": 9}))


def test_the_terminal_the_report_and_the_page_show_the_same_cells(design: Design) -> None:
    """Every cell of a table is the same text on the page and in Markdown, and the terminal has a part of the rows."""
    report, shown = markdown_report(design), {table.title: table for table in summarize_design(design).tables}
    for table in list_tables(design):
        texts = text_table(table)
        page = sortable_table(table)
        rows = [tuple(cell.text for cell in row) for row in page.rows]
        assert [*rows, *([page.total] if page.total else [])] == [tuple(row) for row in texts.rows]
        assert [head.text for head in page.heads] == list(texts.heads)
        if table.name != "hops":
            assert all(f"| {' | '.join(row)} |" in report for row in texts.rows), table.title
        if table.title in shown:
            assert set(map(tuple, shown[table.title].rows)) <= set(map(tuple, texts.rows))
    assert list(shown) == [
        "Switches",
        "Links at 400 Gb/s",
        "Estimated all-reduce, servers in random order",
        "Published numbers",
    ]


def test_what_is_unknown_says_so_and_sorts_first(design: Design) -> None:
    """A price that is not known is `unknown`, sorts below every number, and a number that is missed stands out."""
    tables = {table.name: table for table in list_tables(design)}
    (leaf, *_) = sortable_table(tables["bill"]).rows
    assert [(cell.text, cell.sort) for cell in leaf[3:5]] == [("unknown", "-1"), ("unknown", "-1")]
    assert [row[-1] for row in text_table(tables["expected"]).rows] == ["yes", "NO"]
    assert "unknown" in text_table(tables["bill"]).rows[-1]


def test_totals_are_the_sums_of_their_columns() -> None:
    """The last row of the links and of the bill is the sum of the rows above."""
    described = describe(fabric.design("superpod-h100-1su"))
    assert described.switches_total == described.blueprint.switches
    assert described.links_total == described.blueprint.links_total == sum(row.links for row in described.links)
    assert described.cost.total == sum(row.price_usd or 0 for row in described.bill_rows)
    links, bill = (text_table(table) for table in list_tables(described) if table.name in ("links", "bill"))
    assert links.rows[-1] == ("total", "512", "", "512", "", "$634,880")
    assert bill.rows[-1][:5] == ("total", "", "", "", "$1,029,320")


def test_what_draws_no_power_has_none_to_know() -> None:
    """A fibre draws none and a NIC's is the server's, whereas nobody says what this switch draws."""
    words = {"gpus": 256, "server": "dgx-h100", "switches": BOX | {"cages": 32}, "nic_usd": 1, "media": "mmf"}
    (bill,) = (table for table in list_tables(describe(fabric.design(words))) if table.name == "bill")
    powers = {(row.kind, cells[-1]) for row, cells in zip(bill.rows, text_table(bill).rows, strict=False)}
    drawn = {kind: power for kind, power in powers if kind in ("switch", "nic", "fibre")}
    assert drawn == {"switch": "unknown", "nic": "-", "fibre": "-"}
    assert ("module", "unknown") not in powers


def test_text_of_a_request_stays_inside_its_block_of_code() -> None:
    """The fence around the request is longer than any run of backticks in it, wherever YAML breaks its lines."""
    title = f"{'a' * 79} ``` ````"
    study = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", title=title, description="<script>x</script>")
    report = markdown_report(describe(study))
    fence, text = re.search(r"^(`+)yaml\n(.*?)^\1$", report, re.MULTILINE | re.DOTALL).groups()
    assert len(fence) == 5
    assert yaml.safe_load(text)["title"] == title
    assert "<script>" not in report.replace(text, "")
