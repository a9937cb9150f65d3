"""The files that a design is written as are read back as that design, and it is recovered of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.export.cables import write_cables_csv
from fabric.export.plan import PlanFormat
from fabric.export.plan_formats import PLAN_FORMATS
from fabric.studies.discovered_design import recover_design

FORMATS = {each.name: each for each in PLAN_FORMATS}

REQUEST = {"gpus": 512, "server": "hgx-h100", "family": "rail-optimized", "unit_gpus": 128}


def write(format_: PlanFormat, study: fabric.Study, folder: Path) -> list[Path]:
    """Write a design in a format, and return its files."""
    paths = []
    for name, pieces in format_.files(study.plan):
        path = folder / (name or "file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces))
        paths.append(path)
    return paths


@pytest.mark.parametrize("name", ["lldp", "lldp-json", "point-to-point", "point-to-point-xlsx", "ptm"])
def test_files_of_a_plan_are_its_cables(name: str, tmp_path: Path) -> None:
    """Every link of the design is a cable once, and the design that is recovered has the same counts."""
    study = fabric.design(**REQUEST, name="own", switches="sn5600", link_gbps=400)
    check(write(FORMATS[name], study, tmp_path), study)


def test_our_tables_of_cables_are_read(tmp_path: Path) -> None:
    """The CSV file of `fabric wiring` has the rows of the network."""
    study = fabric.design(**REQUEST, name="own", switches="qm9700")
    write_cables_csv(study.wiring, tmp_path / "cables.csv")
    check([tmp_path / "cables.csv"], study)


def check(files: Iterable[Path], study: fabric.Study) -> None:
    """Hold the discovery of files to the design that they are of."""
    found = read_discovery(files)
    network = study.plan.network
    assert found.cables == network.links
    recovered = recover_design(found)
    assert recovered.agrees, recovered.refusal
    assert recovered.structure.hosts == study.blueprint.servers
