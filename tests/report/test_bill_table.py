"""The bill of materials as a file that can be ordered from."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import fabric
from fabric.report.bill_table import BILL_COLUMNS, bill_csv, bill_object, write_cell
from fabric.report.files import write_bill
from tests.request_fixtures import Run

POD = {"name": "pod", "gpus": 256, "server": "dgx-h100", "family": "rail-optimized", "unit_gpus": 256}
POD |= {"switches": "qm9700"}
PRICED = POD | {"prices_usd": {"osfp-2xsr4": 900, "mpo12-mmf": 40}}


def test_a_discount_is_taken_off_before_the_choice() -> None:
    """40 % off switches and 50 % off modules: the optimizer minimises what the bill then asks for."""
    study = fabric.design(PRICED, discount={"switch": 0.4, "module": 0.5})
    assert {row.part: row.unit_price_usd for row in study.bill.rows if row.counted} == {
        "qm9700": 0.6 * 32870,
        "osfp-2xsr4": 450,
        "mpo12-mmf": 40,
    }
    assert study.bill.cost_usd() == study.proof.objective == 12 * 19722 + 512 * 450 + 512 * 40


def test_one_discount_is_on_every_price() -> None:
    """Half off everything is half the cost, with the price of links and NICs that the request gives."""
    asked = POD | {"link_price_usd": 1000, "nic_usd": 1500}
    whole, half = (fabric.design(asked, discount=share).bill.cost_usd() for share in (0, 0.5))
    assert whole == 12 * 32870 + 512 * 1000 + 256 * 1500
    assert half == whole / 2


def test_spares_are_rounded_up_part_by_part() -> None:
    """2 % of 128 modules are 3; spares are ordered and paid for beside the parts in use."""
    study = fabric.design(PRICED, spares={"module": 0.02, "fibre": 0.05})
    spares = {(row.part, row.used_for): row.spares for row in study.bill.rows if row.spares}
    assert spares == {
        ("osfp-2xsr4", "server"): 3,
        ("osfp-2xsr4", "leaf"): 6,
        ("osfp-2xsr4", "spine"): 3,
        ("mpo12-mmf", "server-leaf"): 13,
        ("mpo12-mmf", "leaf-spine"): 13,
    }
    assert study.bill.spares_usd == 12 * 900 + 26 * 40
    assert study.bill.order_usd == (study.bill.cost_usd() or 0) + 12 * 900 + 26 * 40


def test_parts_within_the_price_of_a_link_have_spares_only_if_asked_for_by_kind() -> None:
    """A spare link has its modules; spare modules of their own have no price, which the bill says."""
    links = fabric.design(POD, spares=0.1).bill
    assert {row.kind for row in links.rows if row.spares} == {"switch", "link"}
    modules = fabric.design(POD, spares={"module": 0.1}).bill
    assert {row.kind for row in modules.rows if row.spares} == {"module"}
    assert (modules.order_usd, modules.unpriced) == (None, ("2 x 400G module",))


def test_a_file_has_the_rows_of_the_bill(tmp_path: Path) -> None:
    """CSV, workbook and JSON agree row by row, and the workbook ends with the total."""
    study = fabric.design(PRICED, spares=0.01)
    made = [write_bill(study, tmp_path / f"bill.{suffix}") for suffix in ("csv", "xlsx", "json")]
    rows = list(csv.DictReader(io.StringIO(made[0].read_text(encoding="utf-8"))))
    sheet = load_workbook(made[1])["Bill"]
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    found = json.loads(made[2].read_text(encoding="utf-8"))
    keys = ("part", "quantity", "order", "price_usd")
    parts = [tuple(row[key] for key in keys) for row in rows]
    at = [cells[0].index(key) for key in keys]
    assert parts == [tuple(str(row[index] or "").removesuffix(".0") for index in at) for row in cells[1:]]
    listed = [tuple(row[index] for index in at) for row in cells[1:] if row[0] != "total"]
    assert listed == [tuple(row[key] for key in keys) for row in found["rows"]]
    assert cells[-1][cells[0].index("order_usd")] == found["totals"]["order"] == study.bill.order_usd
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("links", [{}, {"prices_usd": PRICED["prices_usd"]}, {"link_price_usd": 1000}])
def test_columns_add_up_to_the_totals(links: dict[str, Any]) -> None:
    """A reader who sums a column gets what the bill says: no price or power is in two rows."""
    study = fabric.design(POD | links, spares=0.03, discount={"switch": 0.1}, nic_usd=1500)
    found = bill_object(study)
    sums = {key: sum(row[key] or 0 for row in found["rows"]) for key in ("price_usd", "order_usd", "power_w")}
    assert sums["price_usd"] == pytest.approx(found["totals"]["parts"]) == study.bill.cost_usd()
    assert sums["order_usd"] == pytest.approx(found["totals"]["order"]) == found["totals"]["known"]
    assert sums["power_w"] == found["power_w"]["total"]


def test_power_is_of_whole_parts() -> None:
    """With 31 servers a module of each leaf carries one link of two: 124 + 256 + 128 modules at 12 switches of 747 W.

    An SR4 module draws 15 W and nobody says how much at most; a DR4 module 16 W, at most 17.
    """
    study, modules = fabric.design(PRICED, gpus=248, unit_gpus=248), 124 + 8 * 32 + 4 * 32
    assert study.bill.quantity("module") == modules
    assert study.bill.power_w == study.bill.max_power_w == 12 * 747 + modules * 15
    assert study.bill.rounding_usd == 4 * 900
    dr4 = fabric.design(POD, gpus=248, unit_gpus=248, optics=["osfp-2xdr4", "mpo12-smf"]).bill
    assert (dr4.power_w, dr4.max_power_w) == (12 * 747 + modules * 16, 12 * 747 + modules * 17)


def test_a_discount_is_beside_each_price_that_it_is_in() -> None:
    """40 % off switches, none off fibres."""
    rows = bill_object(fabric.design(PRICED, discount={"switch": 0.4}))["rows"]
    assert {row["part"]: row["discount"] for row in rows if row["counted"]} == {
        "qm9700": 0.4,
        "osfp-2xsr4": 0,
        "mpo12-mmf": 0,
    }


def test_a_known_sum_is_no_total(tmp_path: Path) -> None:
    """Without the price of a switch the file says unknown, and what the others cost."""
    file = write_bill(fabric.design(POD, switches="qm9790"), tmp_path / "bill.csv")
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    totals = {row["part"]: row["order_usd"] for row in rows if row["kind"] == "total"}
    assert totals == {"switches": "unknown", "links": "634880", "all": "unknown", "known parts": "634880"}


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_begins_like_a_formula_is_quoted(first: str) -> None:
    """Text is, and a negative number stays a number."""
    assert write_cell(f"{first}1+1", BILL_COLUMNS[0]) == f"'{first}1+1"
    assert write_cell(-1.5, BILL_COLUMNS[0]) == "-1.50"


def test_a_name_is_never_a_formula(tmp_path: Path) -> None:
    """A switch may be called +SUM(A1); no spreadsheet computes it."""
    switch = {"name": "+SUM(A1)", "ports": 64, "rate_gbps": 400, "price_usd": 1}
    study = fabric.design(POD, switches=switch)
    assert "switch,'+SUM(A1)," in bill_csv(study.bill)
    sheet = load_workbook(write_bill(study, tmp_path / "bill.xlsx"))["Bill"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == "+SUM(A1)"]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


def test_the_same_bill_is_the_same_file(tmp_path: Path) -> None:
    """Two workbooks of one design are equal byte for byte."""
    study = fabric.design(POD)
    first, second = (write_bill(study, tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second


def test_a_workbook_needs_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sheets are made in memory: where no temporary file can be written the workbook still can."""
    study = fabric.design(POD)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", None)
    assert write_bill(study, tmp_path / "bill.xlsx").stat().st_size > 0


@pytest.mark.skipif(sys.platform == "win32", reason="limits of resources are of POSIX")
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_full_disk_keeps_the_old_file(suffix: str, tmp_path: Path) -> None:
    """Where a bill does not fit nothing is half written, and the message is one line."""
    (tmp_path / f"bill.{suffix}").write_text("old")
    code = (
        "import resource, sys; from fabric.cli.main import main;"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)); main()"
    )
    words = ["-c", code, "-q", "bill", "superpod-h100-1su", "-o", str(tmp_path / f"bill.{suffix}")]
    run = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1), run.stderr
    assert "File too large" in run.stderr
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_limit_on_cost_is_on_discounted_prices() -> None:
    """12 switches at 32,870 and 512 links at 1,240 are 1,029,320; 10 % off is 926,388, and no less will do."""
    asked: dict[str, Any] = POD | {"discount": 0.1}
    assert fabric.design(asked, limits={"cost_usd": 926_388}).bill.cost_usd() == 926_388
    with pytest.raises(fabric.Infeasible):
        fabric.design(asked, limits={"cost_usd": 926_387})


def test_a_price_has_its_date_and_source() -> None:
    """A price of the catalogue is dated; one of the request is said to be the request's."""
    rows = bill_object(fabric.design(POD, prices_usd={"qm9700": 30_000}))["rows"]
    sources = {row["part"]: (row["price_date"], row["price_source"]) for row in rows if row["counted"]}
    assert sources["qm9700"] == ("", "the request")
    assert sources["optical-400g"][0] == "2024-10"


def test_a_part_without_a_price_makes_the_total_unknown(run: Run) -> None:
    """The bill names it, and what is known beside it."""
    code, out, _ = run("bill", "superpod-h100-1su", "--price", "sn5600=1", "--switches", "qm9790")
    assert code == 0
    assert "Total: unknown" in out
    assert "No price: qm9790. Known parts: $634,880." in out


@pytest.mark.parametrize("name", ["bill.pdf", "bill"])
def test_a_file_of_another_kind_is_refused(name: str, run: Run, tmp_path: Path) -> None:
    """The message lists what a bill can be."""
    code, _, error = run("bill", "superpod-h100-1su", "-o", tmp_path / name)
    assert code == 2
    assert "a bill is written as .csv, .xlsx or .json" in error
    assert not list(tmp_path.iterdir())


def test_totals_by_kind_add_up_to_the_whole() -> None:
    """12 switches at 32,870, 512 modules at 900 and 512 fibres at 40."""
    totals = bill_object(fabric.design(PRICED))["totals"]
    assert totals["by_kind"] == {"switch": 12 * 32870, "module": 512 * 900, "fibre": 512 * 40}
    assert totals["parts"] == sum(totals["by_kind"].values())


def test_a_workbook_names_the_source_of_each_price_once(tmp_path: Path) -> None:
    """The sheet Sources has each part with its price, and then what the request names."""
    study = fabric.design(POD, sources=["=HYPERLINK(1)"])
    rows = list(load_workbook(write_bill(study, tmp_path / "bill.xlsx"))["Sources"].iter_rows(values_only=True))
    assert [row[:4] for row in rows[1:3]] == [
        ("qm9700", 32870, "USD", "2026-07"),
        ("optical-400g", 1240, "USD", "2024-10"),
    ]
    assert all(row[4] for row in rows[1:3])
    assert rows[3:] == [("the request", None, None, None, "=HYPERLINK(1)")]


def test_amounts_are_as_they_are_written() -> None:
    """127 modules of 643.3 are 81,699.1, which no sum of binary numbers is; so are the sums of a bill."""
    study = fabric.design(PRICED, prices_usd={"osfp-2xsr4": 643.3, "mpo12-mmf": 0.1}, spares={"module": 0.02})
    rows = {row.used_for: row for row in study.bill.of("module")}
    assert (rows["server"].price_usd, rows["server"].order_usd) == (82342.4, 84272.3)
    assert [rows[role].order_usd for role in ("leaf", "spine")] == [168544.6, 84272.3]
    assert study.bill.cost_usd("link") == 512 * 643.3 + 51.2 == 329420.8
    assert study.bill.spares_usd == 7719.6


def test_a_discount_is_told_in_full(run: Run, tmp_path: Path) -> None:
    """99.99999 % is not all of the price."""
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(POD | {"discount": {"switch": 0.9999999, "link": 0.333}}))
    printed = " ".join(run("bill", file)[1].split())
    assert "after the discount of the request: 99.99999 % on each switch, 33.3 % on each link." in printed


def test_a_workbook_has_the_request_as_a_file_would(tmp_path: Path) -> None:
    """Numbers are numbers, and lists and mappings as in YAML."""
    study = fabric.design(POD, exclude_optics=["aoc-400g"], prices_usd={"mpo12-mmf": 100})
    rows = load_workbook(write_bill(study, tmp_path / "bill.xlsx"))["Request"].iter_rows(values_only=True)
    found = {row[0]: row[1] for row in rows}
    assert (found["gpus"], found["name"]) == (256, "pod")
    assert (found["exclude_optics"], found["prices_usd"]) == ('["aoc-400g"]', '{"mpo12-mmf": 100}')


def test_vendor_numbers_are_printed(run: Run) -> None:
    """What is ordered has its number below the table."""
    assert "Vendor numbers: qm9700 MQM9700-NS2F." in run("bill", "superpod-h100-1su")[1]


def test_a_part_of_the_request_has_its_own_source_and_number() -> None:
    """A quoted link and switch name the quote; at a price of the request a part of the catalogue does not."""
    quoted = {"price_date": "2026-11-20", "source": "quote 4711", "vendor_number": "X-1"}
    link = {"name": "quoted-link", "rate_gbps": 400, "price_usd": 1} | quoted
    box = {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 1} | quoted
    facts = ("price_date", "price_source", "vendor_number")
    rows = bill_object(fabric.design(POD, switches=box, links=[link]))["rows"]
    own = {row["part"]: tuple(row[key] for key in facts) for row in rows if row["counted"]}
    assert own == dict.fromkeys(("box", "quoted-link"), ("2026-11-20", "quote 4711", "X-1"))
    rows = bill_object(fabric.design(POD, prices_usd={"qm9700": 1, "optical-400g": 1}))["rows"]
    assert {row["price_source"] for row in rows if row["counted"]} == {"the request"}


def test_a_request_that_no_fabric_meets_is_told_in_json(run: Run, tmp_path: Path) -> None:
    """`fabric bill --json` prints the object that `fabric design --json` prints, and writes no file."""
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(POD | {"tiers": 2, "unit_gpus": 512}))
    code, printed, _ = run("bill", file, "--json", "-o", tmp_path / "bill.csv")
    assert (code, json.loads(printed)["schema"]) == (1, "fabric.infeasible/1")
    assert printed == run("design", file, "--json")[1]
    assert not (tmp_path / "bill.csv").exists()


def test_twisted_pair_joins_a_management_network() -> None:
    """40 controllers at 1G on one switch: 40 cables of 80 m at $8, 4 spare ones, and $900 for the switch."""
    box = {"name": "bmc", "gpus": 1, "nics": 1, "nic_gbps": 1, "cage": "rj45"}
    switch = {"name": "mgmt", "ports": 48, "rate_gbps": 1, "cage": "rj45", "price_usd": 900}
    words = {"gpus": 40, "server": box, "switches": switch, "media": "rj45", "lengths_m": 80, "spares": {"cable": 0.1}}
    bill = fabric.design(words, prices_usd={"cat6-1g": 8}).bill
    (cable,) = bill.of("cable")
    assert (cable.part, cable.quantity, cable.spares, bill.order_usd) == ("cat6-1g", 40, 4, 1252)
