"""The command `verify`: exit codes, tables, JSON and CSV of a fabric that was spoiled on purpose."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import fabric
from tests.request_fixtures import Run
from tests.verification.as_built import AsBuilt, spoil

DESIGN = "superpod-h100-1su"


@pytest.fixture(scope="module")
def built() -> AsBuilt:
    """Return a fabric as planned."""
    return AsBuilt.of(fabric.design(DESIGN).plan)


def test_a_fabric_as_planned_exits_with_0(run: Run, built: AsBuilt, tmp_path: Path) -> None:
    """One line says it."""
    file = tmp_path / "found.txt"
    file.write_text(built.text())
    code, text, _ = run("verify", DESIGN, file, "-q")
    assert (code, text.strip()) == (0, f"{DESIGN}: as planned, all 512 planned cables.")
    code, text, _ = run("verify", DESIGN, file, "-q", "--any-port")
    assert (code, text.splitlines()[0]) == (0, f"{DESIGN}: as planned, all 512 planned cables.")
    assert "Compared by devices alone" in text


def test_text_object_and_rows_say_the_same(run: Run, tmp_path: Path) -> None:
    """Faults by cost with work orders, at 80 columns, and exit code 3."""
    spoiled = AsBuilt.of(fabric.design(DESIGN).plan)
    done = spoil(spoiled, 7, 8)
    file = tmp_path / "found.txt"
    file.write_text(spoiled.text())
    code, text, _ = run("verify", DESIGN, file, "-q")
    assert code == 3
    assert f"{done.moves} cable ends must move" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    code, text, _ = run("verify", DESIGN, file, "-q", "--json")
    found = json.loads(text)
    assert (code, found["moves"], found["as_planned"]) == (3, done.moves, False)
    costs = [fault["share_lost"] or 0 for fault in found["faults"]]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 0
    code, text, _ = run("verify", DESIGN, file, "-q", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 3
    moves = [row for row in rows if row["action"] == "move"]
    assert len(moves) == done.moves
    assert all(row["to_rack"] and row["to_unit"] and row["to_port"] for row in moves)


def test_what_cannot_be_verified_exits_with_2(run: Run, built: AsBuilt, tmp_path: Path) -> None:
    """A missing file, another fabric, and two ways to print."""
    file = tmp_path / "found.txt"
    file.write_text(built.text())
    code, _, said = run("verify", DESIGN, tmp_path / "none.txt", "-q")
    assert code == 2
    assert "none.txt" in said
    code, _, said = run("verify", "deepseek-ft2", file, "-q")
    assert (code, "not the fabric of deepseek-ft2" in said) == (2, True)
    assert run("verify", DESIGN, file, "-q", "--csv", "--json")[0] == 2


def test_names_by_guid_identify_what_has_none(run: Run, tmp_path: Path) -> None:
    """A file of names gives devices their places, and adapters of a host theirs by their ports."""
    spoiled = AsBuilt.of(fabric.design(DESIGN).plan)
    names = {own: record.name.split()[0] for own, record in spoiled.records.items()}
    spoiled.no_names = True
    file, guids = tmp_path / "found.txt", tmp_path / "guids.txt"
    file.write_text(spoiled.text())
    guids.write_text("# GUID name\n" + "".join(f"{own} {name}\n" for own, name in names.items()))
    code, text, _ = run("verify", DESIGN, file, "--names", guids, "-q")
    assert "256 adapters without a name of their own" in text
    assert code == 0
    guids.write_text("0x12 a\nwhat\n")
    code, _, said = run("verify", DESIGN, file, "--names", guids, "-q")
    assert code == 2
    assert "guids.txt:2: 'what': not a GUID and a name" in said


def test_links_that_flap_or_run_slower_are_named_worst_first(run: Run, tmp_path: Path) -> None:
    """One link goes down and comes back, another trains at half its rate."""
    files = []
    for time in range(3):
        built = AsBuilt.of(fabric.design(DESIGN).plan)
        flapping, slowing, *_ = built.cables()
        if time == 1:
            built.unplug(flapping[0])
        if time == 2:
            built.plug(*slowing, "4xHDR")
        files.append(tmp_path / f"{time}.txt")
        files[-1].write_text(built.text())
    code, text, _ = run("verify", DESIGN, files[2], "--since", files[0], "--since", files[1], "-q", "--json")
    found = json.loads(text)["changed"]
    assert code == 3
    assert [(each["states"], each["flaps"], each["slower_gbps"]) for each in found] == [
        (["400", "down", "400"], 2, 0.0),
        (["400", "400", "200"], 0, 200.0),
    ]
    _, text, _ = run("verify", DESIGN, files[2], "--since", files[0], "--since", files[1], "-q")
    assert "400, down, 400" in text


def test_faults_cost_what_the_flows_lose_without_their_cables(run: Run, tmp_path: Path) -> None:
    """An absent host costs its GPUs and the others nothing; two cables of one host more than two of two hosts."""
    study = fabric.design(DESIGN)
    built = AsBuilt.of(study.plan)
    host = [own for own, record in built.records.items() if record.name.startswith("server-b0-s3 ")]
    for own in host:
        built.remove(own)
    cables = [cable for cable in built.cables() if cable[0][0][0] == "H"]
    by_host = {cable[0][0]: cable for cable in cables}
    names = {own: record.name for own, record in built.records.items()}
    one, two = (next(own for own in by_host if names[own] == f"server-b0-s9 {nic}") for nic in ("mlx5_0", "mlx5_1"))
    three, four = (next(own for own in by_host if names[own] == f"server-b0-s{n} mlx5_0") for n in (11, 12))
    for first, second in ((one, two), (three, four)):
        rates, far = built.rate((first, 1)), (built.unplug((first, 1)), built.unplug((second, 1)))
        built.plug((first, 1), far[1], rates)
        built.plug((second, 1), far[0], rates)
    file = tmp_path / "found.txt"
    file.write_text(built.text())
    faults = fabric.verify(study, file).faults
    found = {fault.kind.value: (fault.share_lost, fault.gpus_lost) for fault in faults}
    assert found["absent device"] == (0.0, 8)
    assert found["rails exchanged"][0] > found["swapped pair"][0] > 0
    _, text, _ = run("verify", DESIGN, file, "-q")
    assert "0 %, 8 GPUs lost" in " ".join(text.split())
