"""Designs side by side: the right values, the marks, 80 columns, JSON, and whose error it is."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

import fabric
from fabric.flow import usual_routings
from fabric.report.comparison import ComparedQuantity, summarize_comparison
from tests.request_fixtures import Run

SMALL = {"name": "small", "gpus": 64, "server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}
LARGE = SMALL | {"name": "large", "gpus": 512}
BOX = {"name": "box", "ports": 128, "rate_gbps": 400}
OTHER = SMALL | {"name": "other", "gpus": 512, "family": "rail-only", "switches": "qm9700"}


@pytest.fixture
def run(run: Run) -> Run:
    """Run `fabric compare`."""
    return partial(run, "compare")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Return three requests as files."""
    paths = [tmp_path / f"{request['name']}.json" for request in (SMALL, LARGE, OTHER)]
    for path, request in zip(paths, (SMALL, LARGE, OTHER), strict=True):
        path.write_text(json.dumps(request))
    return paths


@pytest.fixture(scope="module")
def studies() -> list[fabric.Study]:
    """Return the same three, designed."""
    return [fabric.design(request) for request in (SMALL, LARGE, OTHER)]


def line(out: str, label: str) -> str:
    """Return the first line of the quantity called `label`, its spaces made single."""
    rows = [" ".join(row.split()) for row in out.splitlines() if row[1:].lstrip(" *").startswith(f"{label}  ")]
    assert rows, label
    return rows[0]


def test_every_row_holds_what_the_designs_say(studies: list[fabric.Study]) -> None:
    """Each value is that of its design, roles that a design lacks are None, and a row differs when a value does."""
    rows = {row.quantity: row for row in fabric.compare(*studies).rows}
    assert rows["gpus"].values == (64, 512, 512)
    assert rows["switches.total"].values == tuple(study.blueprint.switches for study in studies)
    assert rows["switches.by_role.spine.count"].values[0] is None
    assert rows["switches.by_role.leaf.model"].values == ("sn5600", "sn5600", "qm9700")
    assert rows["cost_usd.total"].values == tuple(study.bill.cost_usd() for study in studies)
    assert rows["hops.max"].values == tuple(study.hops.max for study in studies)
    for routing in ("adaptive", "ecmp", "dmodk"):
        values = rows[f"allreduce.1GiB.{routing}.busbw_GBps"].values
        assert [value is None for value in values] == [
            routing not in usual_routings(study.blueprint) for study in studies
        ]
        for study, value in zip(studies, values, strict=True):
            assert value in (None, pytest.approx(study.allreduce(2**30, routing).busbw_GBps, rel=1e-5))
    assert all(row.differs == (len(set(row.values)) > 1) for row in rows.values())
    assert not rows["server"].differs
    assert rows["family"].differs


def test_rack_units_are_those_of_all_switches(studies: list[fabric.Study]) -> None:
    """Rack units are the models' heights times their counts, and None where a height is not known."""
    unknown = fabric.design(SMALL | {"switches": BOX})
    rows = {row.quantity: row for row in fabric.compare(studies[0], unknown).rows}
    assert rows["rack_units"].values == (2, None)
    assert rows["power_w.total"].values[1] is None


def test_one_design_is_not_a_comparison(studies: list[fabric.Study]) -> None:
    """Fewer than two designs are refused."""
    with pytest.raises(fabric.InputError, match="two designs or more"):
        fabric.compare(studies[0])


def test_rows_that_differ_are_marked_and_say_by_how_much(run: Run, files: list[Path]) -> None:
    """A star precedes a row that differs, numbers show their change in per cent, what a design lacks is `-`."""
    code, out, err = run(*files)
    assert (code, err) == (0, "")
    assert line(out, "GPUs") == "* GPUs 64 512 +700% 512 +700%"
    assert line(out, "server") == "server hgx-h100 hgx-h100 hgx-h100"
    assert line(out, "family") == "* family fat-tree fat-tree rail-only"
    assert line(out, "spine model").startswith("* spine model - sn5600")
    assert line(out, "cost").startswith("* cost $131,359 $")


def test_what_is_unknown_says_so(run: Run, files: list[Path]) -> None:
    """A cost that can't be known is `unknown` and shows no change."""
    unpriced = SMALL | {"name": "unpriced", "switches": BOX}
    files[1].write_text(json.dumps(unpriced))
    _, out, _ = run(*files[:2])
    assert line(out, "cost") == "* cost $131,359 unknown"


@pytest.mark.parametrize(
    ("base", "value", "shown"),
    [
        (100, 100, "100"),
        (100, 150, "150 +50%"),
        (1000, 955, "955 -4.5%"),
        (10_000, 10_004, "10,004 +0.04%"),
        (10**9, 10**9 - 1, "999,999,999 -<0.01%"),
        (10, 1010, "1,010 +10,000%"),
        (0, 3, "3"),
        (None, 3, "3"),
        (3, None, "-"),
    ],
)
def test_changes_are_as_exact_as_they_are_small(base: int | None, value: int | None, shown: str) -> None:
    """A change is in whole per cents from ten on, finer below, and never shown as nothing; 0 and None have none."""
    row = ComparedQuantity("switches.total", "switches", "count", (base, value))
    (table,) = summarize_comparison(fabric.Comparison((), (row,)), ["one", "two"], differences=False).tables
    assert table.rows[0][-1] == shown


def test_shipped_designs_fit_eighty_columns_in_a_line_each(run: Run) -> None:
    """Three designs far apart in size and long in name fill 80 columns at most, one line to a row."""
    code, out, _ = run("superpod-h100-64su", "colossus-100k", "colossus-1m")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    lines = out.splitlines()
    rule = next(place for place, row in enumerate(lines) if "───" in row)
    table = lines[rule + 1 : next(place for place, row in enumerate(lines) if place > rule and not row.strip())]
    assert len(table) == 35
    assert all(row[3] != " " for row in table), "a row goes on in a second line"


def test_more_than_three_stand_in_several_tables(run: Run, files: list[Path]) -> None:
    """Five designs make two tables, both headed by the first design, within 80 columns."""
    code, out, _ = run(*files, "superpod-h100-1su", "alibaba-hpn-pod")
    heads = [row.split()[1:] for row in out.splitlines() if row.strip().startswith("quantity")]
    assert code == 0
    assert heads == [["small", "large", "other"], ["small", "superpod-h100-1su", "alibaba-hpn-pod"]]
    assert max(map(len, out.splitlines())) <= 80


def test_differences_leaves_out_what_is_alike(run: Run, files: list[Path]) -> None:
    """`--differences` prints only marked rows, and none at all when a request is compared with itself."""
    _, out, _ = run("--differences", *files[:2])
    assert "  GPUs " not in out.replace("* GPUs", "")
    assert "server" not in out
    assert line(out, "GPUs").startswith("*")
    code, out, _ = run("--differences", files[0], files[0])
    assert code == 0
    assert "equal in all" in out
    assert "quantity " not in out


def test_requests_of_one_name_are_distinguished_by_their_files(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two designs share a name, what was typed heads them, brackets and all."""
    monkeypatch.chdir(tmp_path)
    for name, request in (("a[b].json", SMALL), ("c.json", LARGE | {"name": "small"})):
        Path(name).write_text(json.dumps(request))
    _, out, _ = run("a[b].json", "c.json")
    assert "quantity a[b].json c.json" in " ".join(out.split())


def test_json_holds_the_designs_and_the_rows(run: Run, files: list[Path]) -> None:
    """`--json` prints the documented object: whole designs, and the rows, with `--differences` fewer."""
    code, out, _ = run("--json", *files)
    result = json.loads(out)
    assert code == 0
    assert list(result) == ["schema", "designs", "rows"]
    assert result["schema"] == "fabric.compare/1"
    assert [design["schema"] for design in result["designs"]] == ["fabric.design/1"] * 3
    assert {"quantity": "gpus", "values": [64, 512, 512], "differs": True} in result["rows"]
    fewer = json.loads(run("--json", "--differences", *files)[1])["rows"]
    assert fewer == [row for row in result["rows"] if row["differs"]]


def test_overrides_reach_every_design(run: Run, files: list[Path]) -> None:
    """A word on the command line replaces that word of all requests."""
    _, out, _ = run(*files, "--gpus", "128", "--json", "--quiet")
    assert [design["gpus"] for design in json.loads(out)["designs"]] == [128, 128, 128]


def test_an_infeasible_request_is_named(run: Run, files: list[Path]) -> None:
    """When no fabric meets one of the requests, the message names it, with exit code 1 and nothing on stdout."""
    files[1].write_text(json.dumps(LARGE | {"gpus": 1_000_000, "tiers": 2}))
    code, out, err = run(*files)
    assert (code, out) == (1, "")
    assert f"fabric: {files[1]}: no fabric for 1,000,000 GPUs meets" in err


def test_all_ill_formed_requests_are_named(run: Run, files: list[Path]) -> None:
    """The mistakes of all requests are reported at once, each with its request, and the exit code is 2."""
    files[1].write_text(json.dumps(LARGE | {"server": "hgx-h10"}))
    code, out, err = run(*files, "colossus-10k")
    assert (code, out) == (2, "")
    assert f"{files[1]}:1: server: unknown server 'hgx-h10'" in err
    assert "\ncolossus-10k: no shipped design" in err
    code, out, err = run(*files[::2], "--planes", "99")
    assert (code, out) == (2, "")
    assert [row.partition(": planes: ")[0] for row in err.splitlines()] == [f"fabric: {files[0]}", str(files[2])]


def test_a_published_number_that_no_design_has_is_the_requests_mistake(run: Run, files: list[Path]) -> None:
    """A key that no result has is reported with its file and line."""
    files[2].write_text(json.dumps(OTHER | {"expected": {"hops.least": 1}}))
    code, out, err = run(*files)
    assert (code, out) == (2, "")
    assert f"fabric: {files[2]}:1: expected.hops.least: a design has no such number" in err


def test_a_published_number_that_is_not_met_is_warned_of(run: Run, files: list[Path]) -> None:
    """The warning names the design; the comparison is printed all the same."""
    files[1].write_text(json.dumps(LARGE | {"expected": {"leaf": 999}}))
    code, out, err = run(*files)
    assert code == 0
    assert "* GPUs" in out
    assert err == "warning: large does not match every published number\n"


def test_one_request_is_bad_input(run: Run, files: list[Path]) -> None:
    """A single request exits 2 before anything is designed."""
    code, out, err = run(files[0])
    assert (code, out) == (2, "")
    assert "two requests or more" in err
