"""A fabric compared with its own cables as they were recorded: real files, and designs in any format."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.discovery.cable_record import record_text
from fabric.discovery.discovery import AGGREGATION
from fabric.export.plan_formats import PLAN_FORMATS
from fabric.request import topologies
from fabric.verification.faults import FaultKind
from fabric.verification.recorded_ports import list_recorded_ports
from fabric.verification.verify import Verification, verify_cabling
from tests.discovery.mutate import Mutated, drop_lids, exchange, reorder, strip_names
from tests.marks import slow
from tests.request_fixtures import Run

DATA = Path(__file__).parents[1] / "discovery" / "data"

FILES = [
    "psmn_X5.topofile", "suzieq_cumulus_lldp.output.gz", "netq_topologyGraph.json", "canu_paddle_full.json",
    "canu_shcd_full.xlsx", "sonic_lab_links.csv", "lldpcli_one_neighbour.json", "lldpcli_two_neighbours.json0",
]  # fmt: skip

FORMATS = {each.name: each for each in PLAN_FORMATS}

SMALL = [name for name in sorted(topologies()) if fabric.read(name).gpus <= 512]
OTHERS = [name for name in sorted(topologies()) if 512 < fabric.read(name).gpus <= 20_000]


def compare(before: Path, after: Path, folder: Path) -> Verification:
    """Record a discovery, and verify another by the record."""
    record = folder / "record.csv"
    record.write_text(record_text(read_discovery([before])))
    return verify_cabling(list_recorded_ports(read_discovery([record]), "record"), read_discovery([after]))


def unpack(name: str, folder: Path) -> Path:
    """Return a file of the data, unpacked where it is packed."""
    path = DATA / name
    if path.suffix != ".gz":
        return path
    found = folder / path.stem
    found.write_bytes(gzip.decompress(path.read_bytes()))
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_real_fabric_is_as_it_was_recorded(name: str, tmp_path: Path) -> None:
    """Every cable, also those of unnamed devices, at ports without a name and at ports that several share."""
    file = unpack(name, tmp_path)
    found = compare(file, file, tmp_path)
    assert found.is_as_planned
    assert found.as_planned == found.links == read_discovery([file]).cables


@pytest.mark.parametrize("seed", range(10))
def test_exchanged_cables_of_a_real_cluster_are_found(seed: int, tmp_path: Path) -> None:
    """Two moves for each pair and no other fault, whatever names, LIDs and order the later file has."""
    file, later, random = DATA / "psmn_X5.topofile", tmp_path / "later", Random(seed)
    changed = exchange(Mutated(file.read_text()), random, 4)
    for spoil in random.sample([strip_names, drop_lids, reorder], 2):
        spoil(changed, random)
    later.write_text(changed.text)
    found = compare(file, later, tmp_path)
    ends = {frozenset(end) for end in changed.gone}
    assert len(ends) == 8
    wrong = [fault for fault in found.faults if fault.moves]
    assert {len(fault.links) for fault in wrong} == {2}
    assert (len(wrong), found.moves, found.as_planned) == (4, 8, found.links - 8)
    # Of hosts whose names were stripped nothing is said: their GUIDs are those recorded.
    assert {fault.kind for fault in found.faults} <= {FaultKind.SWAPPED, FaultKind.RAILS}


@pytest.mark.parametrize("format_", ["lldp", "ibnetdiscover", "lldp-json"])
@pytest.mark.parametrize("name", [*SMALL, *slow(*OTHERS)])
def test_a_design_is_as_the_request_that_is_discovered_of_it(name: str, format_: str, run: Run, tmp_path: Path) -> None:
    """The files of a design, the request that `discover` writes of them, and the same files verified by it."""
    study = fabric.design(name)
    if format_ == "lldp-json" and name not in SMALL:
        pytest.skip("thousands of files")
    files = []
    for own, pieces in FORMATS[format_].files(study.plan):
        file = tmp_path / (own or "file")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces))
        files.append(str(file))
    request = str(tmp_path / "found.yaml")
    code, _, said = run("discover", *files, "-o", request, "-q")
    assert code == 0, said
    code, text, said = run("verify", request, *files, "-q")
    assert code == 0, said
    assert f"as planned, all {study.plan.network.links:,} planned cables" in " ".join(text.split())


def test_a_list_of_cables_stands_for_a_request(run: Run, tmp_path: Path) -> None:
    """Of a network of which no request is recovered; a lost cable is then found, and options of requests refused."""
    source, cables = DATA / "canu_paddle_full.json", tmp_path / "cables.csv"
    assert run("discover", source, "-o", cables, "-q")[0] == 0
    code, text, _ = run("verify", cables, source, "-q")
    assert (code, text.splitlines()[0]) == (0, "cables: as planned, all 96 planned cables.")
    assert "counts as planned, since it was recorded so: 14 cables join switches" in " ".join(text.split())
    later = tmp_path / "later.csv"
    later.write_text("".join(cables.read_text().splitlines(keepends=True)[:-1]))
    code, text, _ = run("verify", cables, later, "-q")
    assert code == 3
    assert "1 fault" in text
    code, _, said = run("verify", cables, later, "-q", "--gpus", "8")
    assert code == 2
    assert "a list of cables takes no gpus" in said


def test_aggregation_nodes_are_not_recorded(tmp_path: Path) -> None:
    """They are inside switches."""
    file = tmp_path / "file"
    file.write_text(
        'Switch 41 "S-1" # "a"\n[1] "S-2"[1] # "b" lid 1 4xHDR\n'
        '[41] "H-3"[1] # "Mellanox Technologies Aggregation Node"\n'
        'Switch 40 "S-2" # "b"\n[1] "S-1"[1] # "a" lid 1 4xHDR\n'
    )
    found = read_discovery([file])
    assert (found.kind == AGGREGATION).sum() == 1
    assert len(record_text(found).splitlines()) == 2


def test_two_cables_of_a_host_exchanged_show_in_a_later_list(tmp_path: Path) -> None:
    """The names of ports say which adapter is meant, though each is a device with a GUID of its own."""
    source, later = tmp_path / "source", tmp_path / "later.csv"
    [(_, pieces)] = FORMATS["ibnetdiscover"].files(fabric.design("superpod-h100-1su").plan)
    source.write_text("".join(map(str, pieces)))
    rows = [row.split(",") for row in record_text(read_discovery([source])).splitlines()]
    assert (rows[1][0], rows[1][1], rows[1][3]) == (rows[2][0], "host", "mlx5_0")
    rows[1][4:8], rows[2][4:8] = rows[2][4:8], rows[1][4:8]
    later.write_text("\n".join(map(",".join, rows)) + "\n")
    found = compare(source, later, tmp_path)
    assert (found.moves, found.as_planned) == (2, found.links - 2)
