"""Tables of published fabrics: every cell checked against a design, what differs explained, and files of one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from fabric.errors import InputError
from fabric.request import tables
from fabric.request.published_table import CELLS, DiffersFields, RowFields, TableFields
from fabric.request.schema import key_table
from fabric.studies.published_tables import COUNTS, CheckedTable, PublishedCell, check_table
from tests.request_fixtures import Run

PAGE = (Path(__file__).parents[2] / "docs/tables.md").read_text(encoding="utf-8")

TABLE = {
    "title": "mine",
    "source": "me",
    "common": {"server": "hgx-h100", "switches": "qm9700"},
    "rows": [
        {
            "name": "SuperPOD",
            "request": {"gpus": 256, "family": "rail-optimized", "tiers": 2},
            "published": {"switches": 12, "links": 256},
        }
    ],
}


@pytest.fixture(scope="module")
def checked() -> dict[str, CheckedTable]:
    """Return every shipped table, checked against designs."""
    return {name: check_table(name) for name in tables()}


def write_table(folder: Path, **changes: object) -> Path:
    """Write a table with one row, some of whose keys are changed or added, and return its file."""
    row = {**TABLE["rows"][0], **changes}  # type: ignore[dict-item,call-overload]
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**TABLE, "rows": [row]}, sort_keys=False))
    return file


def cells(table: CheckedTable, fabric: str) -> dict[str, tuple[float, float | None]]:
    """Return what is published of a fabric and what it is designed to, by cell."""
    (row,) = (row for row in table.rows if row.fields.name == fabric)
    return {cell.name: (cell.published, cell.ours) for cell in row.cells}


# Typed from the papers, so that a row of a file that was changed to suit the design is found.
DEEPSEEK = {
    "FT2": (2048, 96, 2048, 9, 4.39),
    "MPFT": (16384, 768, 16384, 72, 4.39),
    "FT3": (65536, 5120, 131072, 491, 7.5),
    "Slim Fly": (32928, 1568, 32928, 146, 4.4),
    "Dragonfly": (261632, 16352, 384272, 1522, 5.8),
}
ATOP = {
    "ROFT": (320, 64, 0, 12288, 24576, 1),
    "Rail-only": (192, 64, 0, 8192, 16384, 1),
    "Dragonfly (p = 6)": (876, 23, 10074, 2628, 5256, 1),
    "BCube(64,2)": (128, 64, 4096, 4096, 8192, 2),
    "HPN": (192, 128, 0, 12288, 24576, 2),
    "ZCube(16,3)-partial": (640, 48, 4096, 12288, 24576, 2),
    "ZCube(64,2)": (128, 128, 4096, 8192, 16384, 2),
}
HOPS = {
    "ROFT": 5,
    "Rail-only": 3,
    "BCube(64,2)": 3,
    "Dragonfly (p = 6)": 4,
    "Slim Fly": 3,
    "ZCube(64,2)": 2,
    "ZCube(n,3)": 3,
}


@pytest.mark.parametrize("fabric", DEEPSEEK)
def test_a_fabric_of_deepseeks_table_has_its_counts_and_costs(checked: dict[str, CheckedTable], fabric: str) -> None:
    """Endpoints, switches and links are exact and costs within 2 %, but for a Slim Fly that can't be built."""
    found = cells(checked["deepseek-isca25"], fabric)
    assert list(found) == ["endpoints", "switches", "links", "cost_musd", "cost_per_endpoint_kusd"]
    assert tuple(published for published, _ in found.values()) == DEEPSEEK[fabric]
    ours = [ours for _, ours in found.values()]
    if fabric == "Slim Fly":
        assert ours[:3] == [30618, 1458, 29889]
    else:
        assert tuple(ours[:3]) == DEEPSEEK[fabric][:3]
        assert ours[3:] == pytest.approx(DEEPSEEK[fabric][3:], rel=0.02)


def test_the_published_slim_fly_is_the_formula_at_a_size_that_has_no_graph(checked: dict[str, CheckedTable]) -> None:
    """At q = 28 the closed forms give each published number, and the largest graph below it is smaller."""
    (row,) = (row for row in checked["deepseek-isca25"].rows if row.fields.name == "Slim Fly")
    assert row.study is not None
    assert row.study.blueprint.sizes["q"] == 27
    formula = {cell.name: cell.formula for cell in row.cells}
    assert [formula[name] for name in ("endpoints", "switches", "links")] == [32928, 1568, 32928]
    assert formula["cost_musd"] == pytest.approx(145.8, abs=0.05)
    assert [cell.name for cell in row.cells if cell.verdict == "agrees"] == ["cost_per_endpoint_kusd"]
    assert {cell.verdict for cell in row.cells} == {"agrees", "explained"}


@pytest.mark.parametrize("fabric", ATOP)
def test_a_fabric_of_atops_table_has_its_parts(checked: dict[str, CheckedTable], fabric: str) -> None:
    """Switches, copper, fibres, modules and NIC ports are exact, and the ports used, but where cores are left out."""
    found = cells(checked["atop-sigcomm25"], fabric)
    found.pop("hops_max", None)
    assert list(found) == ["switches", "radix", "copper", "fibre", "modules", "nic_ports"]
    assert tuple(published for published, _ in found.values()) == ATOP[fabric]
    off = {name: ours for name, (published, ours) in found.items() if published != ours}
    assert off == ({"radix": 40} if fabric == "ZCube(16,3)-partial" else {})


@pytest.mark.parametrize("fabric", HOPS)
def test_a_fabric_of_atops_table_has_its_diameter(checked: dict[str, CheckedTable], fabric: str) -> None:
    """The most switches, and servers that pass traffic on, between two GPUs are those that were published."""
    assert cells(checked["atop-sigcomm25"], fabric)["hops_max"] == (HOPS[fabric], HOPS[fabric])


def test_shipped_tables_explain_just_what_differs(checked: dict[str, CheckedTable]) -> None:
    """Five cells of the shipped tables differ, each with an explanation, and no cell that agrees has one."""
    assert sum(table.count("explained") for table in checked.values()) == 5
    for table in checked.values():
        assert table.count("differs") == 0
        assert {cell.name for cell in table.cells if cell.why} == {
            cell.name for cell in table.cells if cell.verdict == "explained"
        }


def test_every_cell_that_a_table_may_have_is_computed() -> None:
    """What the words of a table allow is what is counted, and the hops of the design."""
    assert {*COUNTS, "hops_max"} == set(CELLS)


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        (PublishedCell("switches", 100, 100), "agrees"),
        (PublishedCell("switches", 100, 101), "differs"),
        (PublishedCell("switches", 100, 101, within=0.01), "agrees"),
        (PublishedCell("switches", 100, 102, within=0.01), "differs"),
        (PublishedCell("switches", 100, 101, why="spares"), "explained"),
        (PublishedCell("switches", 100, 99, why="no such size", formula=100), "explained"),
        (PublishedCell("switches", 100, 99, why="no such size", formula=98), "differs"),
        (PublishedCell("cost_musd", 100, None), "differs"),
        (PublishedCell("copper", 0, 1, within=1), "differs"),
    ],
)
def test_what_a_cell_is_judged_by(cell: PublishedCell, verdict: str) -> None:
    """A cell agrees within its tolerance, and an explanation by a formula holds only where that gives the number."""
    assert cell.verdict == verdict


def test_the_table_is_printed_and_ends_well(run: Run) -> None:
    """All differences explained is exit 0; the output has both numbers, the reason and the formula's own."""
    code, out, _ = run("compare", "--table", "deepseek-isca25")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "1,568     1,458   explained (-7.0 %)" in out
    text = " ".join(out.split())
    assert "28, which is not a prime power" in text
    assert "switches 1,568, switch links 32,928, cost ($M) 145.8" in text
    assert "25 cells: 21 agree, 4 explained, 0 unexplained." in text


def test_the_table_is_printed_as_json(run: Run) -> None:
    """The object has every row with its form and its cells with their verdicts."""
    code, out, _ = run("compare", "--table", "atop-sigcomm25", "--json")
    found = json.loads(out)
    assert (code, found["schema"], found["differs"]) == (0, "fabric.published/1", 0)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["HPN"]["family"] == "hpn"
    assert {cell["cell"]: cell["ours"] for cell in rows["HPN"]["cells"]}["fibre"] == 12288


def test_a_wrong_number_is_reported_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    """A cell of one's own table that no reason covers stands out, with both numbers, and the exit code is 1."""
    assert run("compare", "--table", write_table(tmp_path))[0] == 0
    file = write_table(tmp_path, published={"switches": 13, "links": 256})
    code, out, _ = run("compare", "--table", file)
    assert code == 1
    assert "DIFFERS (-7.7 %)" in out
    assert "2 cells: 1 agree, 0 explained, 1 unexplained." in out
    reasons = [{"cells": ["switches"], "why": "a spare on the shelf is counted too"}]
    code, out, _ = run(
        "compare", "--table", write_table(tmp_path, published={"switches": 13, "links": 256}, differs=reasons)
    )
    assert (code, "a spare on the shelf is counted too" in out) == (0, True)


def test_a_fabric_that_can_not_be_had_has_no_number(run: Run, tmp_path: Path) -> None:
    """A row whose request no fabric meets differs in every cell, and the limits that conflict are reported."""
    file = write_table(tmp_path, request={"gpus": 4096, "family": "rail-optimized", "tiers": 2})
    code, out, _ = run("compare", "--table", file)
    assert code == 1
    assert "no fabric for 4,096 GPUs meets" in " ".join(out.split())
    assert "2 unexplained" in out


def test_a_formula_of_a_chain_of_tiers_is_read_too(tmp_path: Path) -> None:
    """Sizes named by a row replace those of the design, with every place filled, and all counts follow."""
    file = write_table(tmp_path, formula={"block": 4, "slot": 32, "spine": 16, "leaf-spine": 2})
    (row,) = check_table(file).rows
    assert {cell.name: cell.formula for cell in row.cells} == {"switches": 48, "links": 1024}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"published": {"switchez": 12}},
            "rows[0].published.switchez: unknown cell 'switchez'; did you mean 'switches'?",
        ),
        ({"published": {"switches": "12"}}, "rows[0].published.switches: '12' is text, not a number"),
        ({"publishd": {}}, "publishd: unknown key; did you mean 'published'?"),
        ({"request": {"gpus": 256, "famly": "fat-tree"}}, "SuperPOD: famly: unknown key; did you mean 'family'?"),
        ({"request": {"family": "fat-tree"}}, "mine.yaml:8: SuperPOD: gpus: missing"),
        ({"copper": ["leaf-core"]}, "rows[0].copper[0]: SuperPOD: rail-optimized has no 'leaf-core'"),
        ({"formula": {"q": 28}}, "rows[0].formula.q: SuperPOD: rail-optimized has no 'q'"),
        ({"differs": [{"cells": ["radix"], "why": "x"}]}, "SuperPOD has no published radix; known: switches, links"),
        ({"differs": [{"cells": ["links"] * 2, "why": "x"}]}, "links is explained twice; keep one"),
    ],
)
def test_a_mistake_in_a_table_is_reported_with_its_line(
    run: Run, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    """A table that is ill-formed ends with 2, and each mistake names file, line, value and remedy."""
    code, out, err = run("compare", "--table", write_table(tmp_path, **changes))
    assert (code, out) == (2, "")
    assert message in err
    assert f"{tmp_path}/mine.yaml:" in err


@pytest.mark.parametrize("text", ["", "- a list\n", "rows: *alias\n", "{" * 100, "\x07", "title: t\nrows: 7\n"])
def test_a_hostile_file_gets_one_clear_message(run: Run, tmp_path: Path, text: str) -> None:
    """What is not a table is refused by name, without a trace of the program."""
    file = tmp_path / "hostile.yaml"
    file.write_text(text)
    code, out, err = run("compare", "--table", file)
    assert (code, out) == (2, "")
    assert err.startswith(f"fabric: {file}")
    assert "Traceback" not in err


def test_a_name_that_is_not_a_table_gets_those_there_are(run: Run) -> None:
    """A wrong name is answered with all shipped tables, which `fabric list tables` shows too."""
    code, _, err = run("compare", "--table", "deepseek-isca24")
    assert code == 2
    assert f"no shipped table and no file of that name; known: {', '.join(tables())}" in err
    assert all(name in run("list", "tables")[1] for name in tables())


@pytest.mark.parametrize("more", [["colossus-100k"], ["--differences"], ["--families", "all"], ["--gpus", "8"]])
def test_a_table_stands_alone(run: Run, more: list[str]) -> None:
    """A table has its own requests, so further requests and overrides are refused."""
    code, _, err = run("compare", "--table", "deepseek-isca25", *more)
    assert code == 2
    assert "--table excludes all other options" in err


def test_a_duplicate_name_is_refused(tmp_path: Path) -> None:
    """Two rows with the same name could not be distinguished."""
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps({**TABLE, "rows": [*TABLE["rows"], *TABLE["rows"]]}))  # type: ignore[misc]
    with pytest.raises(InputError, match="duplicate name 'SuperPOD'"):
        check_table(file)


def test_a_wrong_explanation_is_placed_at_its_row_and_cell(tmp_path: Path) -> None:
    """A cell that a row does not have is named by the row, the explanation and the position in it."""
    rows = list(TABLE["rows"])  # type: ignore[call-overload]
    wrong = {**rows[0], "name": "other", "differs": [{"cells": ["switches", "radix"], "why": "x"}]}
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps({**TABLE, "rows": [*rows, wrong]}))
    with pytest.raises(InputError, match=r"rows\[1\].differs\[0\].cells\[1\]: other has no published radix"):
        check_table(file)


@pytest.mark.parametrize("model", [TableFields, RowFields, DiffersFields])
def test_every_key_of_a_table_is_documented(model: type[TableFields]) -> None:
    """The page on tables has each key in the model's own words."""
    assert key_table(model) in PAGE


def test_the_table_of_the_page_is_one(tmp_path: Path) -> None:
    """The example of the page is a table all of whose differences are explained, and the page has every cell."""
    file = tmp_path / "example.yaml"
    file.write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    table = check_table(file)
    assert [cell.name for cell in table.cells if cell.verdict != "agrees"] == ["radix"]
    assert table.count("differs") == 0
    assert re.findall(r"^\| `(\w+)` \| (?=.*$)", PAGE.partition("## The cells")[2], re.MULTILINE) == list(CELLS)
