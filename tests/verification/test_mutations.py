"""Seeded mistakes in the text of a discovered fabric are found in full, with no false alarm and the fewest moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.export.plan import Plan
from fabric.request import topologies
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.verify import Verification, verify_cabling
from tests.marks import slow
from tests.verification.as_built import AsBuilt, End, Spoiled, spoil

MOST_GPUS = 2048
"""The GPUs of the designs that the quick tests spoil."""

MISTAKES = 100
"""The mistakes of a file."""


def designs(most: int, least: int = 1) -> list[str]:
    """Return the names of the shipped designs with `least` to `most` GPUs."""
    return [name for name in sorted(topologies()) if least <= fabric.read(name).gpus <= most]


def check(plan: Plan, built: AsBuilt, file: Path) -> Verification:
    """Read the text and verify it."""
    file.write_text(built.text())
    return verify_cabling(plan, read_discovery([file]))


def links_of(found: Verification, *kinds: FaultKind) -> set[int]:
    """Return the planned links of faults of some kinds."""
    return {link for fault in found.faults if fault.kind in kinds for link in fault.links}


def link_numbers(built: AsBuilt, plan: Plan) -> dict[frozenset[End], int]:
    """Return the row of the network of each cable of a fabric that is still as planned."""
    rows = {}
    for row in range(plan.network.links):
        ends = AsBuilt.ends_of(plan, row)
        rows[frozenset(ends)] = row
    assert set(rows) == {frozenset(cable) for cable in built.cables()}
    return rows


WRONG = (
    FaultKind.SWAPPED, FaultKind.RAILS, FaultKind.PORT, FaultKind.RAIL, FaultKind.PLANE, FaultKind.UNIT,
    FaultKind.DEVICE, FaultKind.MOVED,
)  # fmt: skip


def agrees(found: Verification, done: Spoiled, rows: dict[frozenset[End], int]) -> None:
    """Check that exactly what was done was found."""
    assert links_of(found, *WRONG, FaultKind.MISSING) == {rows[cable] for cable in done.planned}
    assert len(links_of(found, FaultKind.MISSING)) == done.lost
    assert found.moves == done.moves
    assert len(links_of(found, FaultKind.SLOW, FaultKind.NARROW)) == done.slow
    assert not [fault for fault in found.faults if fault.kind in (FaultKind.EXTRA, FaultKind.TWICE, FaultKind.UNKNOWN)]


@pytest.mark.parametrize("name", [*designs(MOST_GPUS), *slow(*designs(20_000, MOST_GPUS + 1))])
def test_mistakes_are_found_in_full(name: str, tmp_path: Path) -> None:
    """Exchanged, lost and slow cables of every shipped design, whatever the order of the records."""
    plan = fabric.design(name).plan
    rows = link_numbers(AsBuilt.of(plan), plan)
    assert check(plan, AsBuilt.of(plan), tmp_path / "clean").is_as_planned
    for seed in range(5):
        built = AsBuilt.of(plan)
        done = spoil(built, seed, MISTAKES)
        records = list(built.records.items())
        Random(seed).shuffle(records)
        built.records = dict(records)
        built.no_lids = seed == 1
        agrees(check(plan, built, tmp_path / "file"), done, rows)


@pytest.mark.parametrize("name", designs(MOST_GPUS))
def test_mistakes_among_wrong_names_and_absent_switches_are_found(name: str, tmp_path: Path) -> None:
    """Mixed: no cable end moves for a wrong name, and no cable of an absent switch is listed."""
    plan = fabric.design(name).plan
    rows = link_numbers(AsBuilt.of(plan), plan)
    for seed in range(2):
        built = AsBuilt.of(plan)
        done = spoil(built, seed, 20, pairs=3, switches=1)
        found = check(plan, built, tmp_path / "file")
        agrees(found, done, rows)
        assert {device for fault in faults_of(found, FaultKind.ABSENT) for device in fault.devices} == done.gone
        assert {device for fault in faults_of(found, FaultKind.NAME) for device in fault.devices} == done.renamed


@pytest.fixture(scope="module")
def ethernet() -> Plan:
    """Return a plan of switches whose ports are split and named by their vendor."""
    return fabric.design(
        name="ethernet", gpus=256, server="hgx-h100", family="rail-optimized", switches="sn5600", link_gbps=400,
        unit_gpus=128,
    ).plan  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_mistakes_in_lists_and_neighbours_are_found_in_full(seed: int, ethernet: Plan, tmp_path: Path) -> None:
    """In a CSV file and in lldpcli's JSON of each switch: exchanged and lost cables, exchanged names, a lost switch."""
    rows, random = link_numbers(AsBuilt.of(ethernet), ethernet), Random(seed)
    built = AsBuilt.of(ethernet)
    done = spoil(built, seed, 30, pairs=seed % 3, switches=seed % 2)
    file = tmp_path / "cables.csv"
    file.write_text(built.csv(random))
    neighbours = []
    for name, text in built.lldp(random).items():
        neighbours.append(tmp_path / f"{name}.json")
        neighbours[-1].write_text(text)
    random.shuffle(neighbours)
    for files in ([file], neighbours):
        found = verify_cabling(ethernet, read_discovery(files))
        known = done if files == [file] else replace(done, slow=0)  # LLDP says no rate
        agrees(found, known, rows)
        assert {name for fault in faults_of(found, FaultKind.ABSENT) for name in fault.devices} == done.gone
        assert {name for fault in faults_of(found, FaultKind.NAME) for name in fault.devices} == done.renamed


@pytest.mark.parametrize("name", designs(MOST_GPUS))
def test_a_fabric_without_any_name_is_as_planned(name: str, tmp_path: Path) -> None:
    """Its structure identifies every device, up to what looks alike."""
    plan = fabric.design(name).plan
    built = AsBuilt.of(plan)
    built.no_names = True
    assert check(plan, built, tmp_path / "file").is_as_planned


def faults_of(found: Verification, kind: FaultKind) -> list[Fault]:
    """Return the faults of a kind."""
    return [fault for fault in found.faults if fault.kind is kind]
