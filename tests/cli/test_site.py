"""The commands that lay a fabric out and list its cables: what they print, and the files that they write."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from matplotlib.image import imread
from openpyxl import load_workbook

import fabric
from fabric.errors import TooLarge
from fabric.export.cables import COLUMNS
from fabric.export.cables_workbook import DEVICE_COLUMNS, RACK_COLUMNS
from fabric.report.site import _describe_fill
from fabric.report.site_files import write_cables
from tests.request_fixtures import Run

NAME = "superpod-h100-4su"


def test_the_layout_is_a_table_and_an_object(run: Run, tmp_path: Path) -> None:
    """The terminal counts racks by what stands in them; JSON has every device once, in a rack of its unit."""
    code, text, _ = run("layout", NAME, "-q")
    assert code == 0
    assert "37 racks (32 with servers)" in text
    assert "no arrangement of these" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    code, text, _ = run("layout", NAME, "-q", "--json", "-o", tmp_path / "layout.json")
    found = json.loads(text)
    assert found == json.loads((tmp_path / "layout.json").read_text())
    devices = [each["device"] for rack in found["racks"] for each in rack["devices"]]
    assert len(devices) == len(set(devices)) == 128 + 32 + 16
    assert {len(rack["devices"]) for rack in found["racks"] if rack["kind"] == "server"} == {4}


def test_csv_and_parquet_have_the_same_cables(run: Run, tmp_path: Path) -> None:
    """Every link is a row of both, with a label that no other has and no port twice."""
    for suffix in ("csv", "parquet"):
        assert run("wiring", NAME, "-q", "-o", tmp_path / f"cables.{suffix}")[0] == 0
    rows = pq.read_table(tmp_path / "cables.parquet").to_pylist()
    with (tmp_path / "cables.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert len(rows) == len(written) == 2048
    for row, line in zip(rows, written, strict=True):
        assert {key: type(row[key])(value) if key != "way_m" else row[key] for key, value in line.items()} == row
    assert len({row["label"] for row in rows}) == 2048
    ports = [(row[f"{end}_device"], row[f"{end}_port"]) for row in rows for end in "ab"]
    assert len(set(ports)) == len(ports)
    assert all(row["length_m"] >= row["way_m"] for row in rows)


def test_links_of_a_splitter_share_a_cable(run: Run, tmp_path: Path) -> None:
    """Links of 200G by splitters: the file has as many cables as the bill, and the terminal says so."""
    (tmp_path / "split.yaml").write_text(
        "gpus: 64\nserver: dgx-h100\nfamily: fat-tree\ntiers: 1\nswitches: qm9700\nlink_gbps: 200\n"
        "media: mmf\nsite: {slack_m: 2}\n"
    )
    code, text, _ = run("wiring", tmp_path / "split.yaml", "-q", "-o", tmp_path / "cables.parquet")
    assert code == 0
    rows = pq.read_table(tmp_path / "cables.parquet").to_pylist()
    study = fabric.design(tmp_path / "split.yaml")
    cables = {row["cable"] for row in rows}
    assert len(cables) == study.bill.quantity("fibre", "cable") < len(rows)
    assert f"{len(cables)} cables for {len(rows)} links" in text
    assert len({(row["cable"], row["length_m"]) for row in rows}) == len(cables)
    assert len({(row["trunk"], *sorted((row["a_rack"], row["b_rack"]))) for row in rows}) == len(
        {row["trunk"] for row in rows}
    )


def test_trays_over_the_limit_are_named(run: Run) -> None:
    """Colossus in rows with three cross trays: fuller than a tray of 600 x 100 mm may be."""
    code, text, _ = run("wiring", "colossus-100k", "-q")
    assert code == 0
    flat = " ".join(text.split())
    assert "The fullest tray has 22,202 cables, which take 261.6 % of its" in flat
    assert "of its cross-section (limit 50 %)" in flat
    assert "11,064 trunks between racks, 26.0 cables each on average, 42 at most." in flat
    assert "Bend radius in trays at least 75 mm for single-mode fibre." in flat
    assert "Bends not checked in trays, server racks and network racks: the site states no bend_radius_mm" in flat


def test_a_full_tray_between_halls_is_named() -> None:
    """Where the fullest stretch is in no hall, the line says so."""
    fill = fabric.design("superpod-h100-4su").tray_fill
    hall = fill.hall.copy()
    hall[fill.area_mm2.argmax()] = -1
    (line,) = _describe_fill(replace(fill, hall=hall))
    assert line.startswith(f"The fullest tray is between halls and has {fill.cables[fill.area_mm2.argmax()]:,} cables")


def test_the_same_cables_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    """Two runs write equal files."""
    for suffix in ("csv", "parquet", "xlsx"):
        files = [tmp_path / f"{each}.{suffix}" for each in "ab"]
        for file in files:
            run("wiring", NAME, "-q", "-o", file)
            time.sleep(1 if suffix == "xlsx" else 0)  # a date in it would differ
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("of", "cables"),
    [
        ("leaf[block=0,rail=3]", 64),
        ("leaf[rail=3, block=0]--spine[spine=2]", 2),
        ("spine[spine=2]--leaf[block=0,rail=3]", 2),
        ("server[block=1,slot=0]", 8),
        ("A01-05", 8 * 64),
        ("A01-01--A01-05", 32),
        ("A01-01--spine[spine=0]", 0),
        ("hall A", 2048),
    ],
)
def test_cables_of_a_device_a_rack_or_a_pair(run: Run, of: str, cables: int) -> None:
    """A leaf has 32 links down and 32 up; a rack of 4 servers has 32 to its leaves and none to a spine."""
    code, text, _ = run("wiring", NAME, "-q", "--of", of)
    assert code == 0
    assert text.startswith(f"{cables:,} cables of {of}.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--of", "leaf[rail=9]"), "there is no such device; the last is leaf[block=3,rail=7,plane=0]"),
        (("--of", "leaf[colour=9]"), "'colour=9' is no coordinate; known: block, rail, plane"),
        (("--of", "Z99"), "no hall, rack or device of that name; write a hall such as 'hall A', a rack such as A01-01"),
        (("--of", "A01-01--"), "write a device, a rack, or two of them joined by --"),
        (("-o", "cables.txt"), "unknown suffix; write cables.csv, cables.parquet, cables.xlsx or cables.pdf"),
    ],
)
def test_mistakes_are_named(run: Run, words: tuple[str, ...], message: str) -> None:
    """One message with the remedy, and exit code 2."""
    code, _, text = run("wiring", NAME, "-q", *words)
    assert code == 2
    assert message in " ".join(text.split())


def test_no_part_reaches_across_too_large_a_site(run: Run, tmp_path: Path) -> None:
    """Halls 2 km apart: the length is named and nothing is written."""
    (tmp_path / "far.yaml").write_text(
        "gpus: 1024\nserver: dgx-h100\nfamily: rail-optimized\nswitches: qm9700\nunit_gpus: 256\nmedia: mmf\nsite:\n"
        "  halls: [{name: A, rows: 2, racks_per_row: 10}, {name: B, rows: 4, racks_per_row: 10, x_m: 2000}]\n"
    )
    code, _, text = run("wiring", tmp_path / "far.yaml", "-q", "-o", tmp_path / "cables.csv")
    assert code == 2
    assert "reaches 2,0" in " ".join(text.split())
    assert not (tmp_path / "cables.csv").exists()


def test_a_workbook_has_the_cables_as_text(run: Run, tmp_path: Path) -> None:
    """Read back by another library: the head, a row a cable, numbers as numbers."""
    assert run("wiring", NAME, "-q", "-o", tmp_path / "cables.xlsx")[0] == 0
    book = load_workbook(tmp_path / "cables.xlsx", read_only=True)
    assert book.sheetnames == ["cables", "devices", "racks"]
    rows, devices, racks = (list(book[name].values) for name in book.sheetnames)
    assert rows[0] == COLUMNS
    assert len(rows) == 2049
    assert rows[1][:4] == ("A01-01-U1 mlx5_0 / A01-05-U1 1", "server-leaf", "optical-400g", 10)
    assert (devices[0], racks[0]) == (DEVICE_COLUMNS, RACK_COLUMNS)
    assert (len(devices), len(racks)) == (1 + 128 + 32 + 16, 1 + 37)
    assert devices[1] == ("server[block=0,slot=0]", "server", "A01-01", 1, 8)
    assert racks[1] == ("A01-01", "A", 1, 1, 0.3, 0, "server", 40_800, None)
    assert run("wiring", NAME, "-q", "-o", tmp_path / "one.xlsx", "--of", "spine[spine=0]")[0] == 0
    book = load_workbook(tmp_path / "one.xlsx", read_only=True)
    counts = [len(list(book[name].values)) - 1 for name in book.sheetnames]
    assert counts == [64, 33, 5]


def test_more_cables_than_a_sheet_has_rows_are_refused(tmp_path: Path) -> None:
    """A million GPUs: the message names Parquet, and nothing is written."""
    study = fabric.design("superpod-h100-1su")
    rows = np.zeros(1_048_576, np.int64)
    with pytest.raises(TooLarge, match=r"1,048,576 cables are more than the 1,048,575 rows .*write cables\.parquet"):
        write_cables(study, tmp_path / "cables.xlsx", rows)
    assert not list(tmp_path.iterdir())


SUFFIXES = ("svg", "png", "pdf", "dxf")

DRAW = """
import sys
from fabric.cli.main import main
design, folder, *suffixes = sys.argv[1:]
for suffix in suffixes:
    sys.argv = ["fabric", "layout", design, "-q", "-o", f"{folder}/floor.{suffix}"]
    try:
        main()
    except SystemExit as end:
        assert not end.code
"""


def test_the_floor_plan_is_the_same_bytes_on_every_run(run: Run, tmp_path: Path) -> None:
    """Two processes, whose hashes differ, write equal files."""
    for seed in "12":
        (tmp_path / seed).mkdir()
        words = [sys.executable, "-c", DRAW, "superpod-h100-1su", str(tmp_path / seed), *SUFFIXES]
        subprocess.run(words, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})
    for suffix in SUFFIXES:
        files = [tmp_path / seed / f"floor.{suffix}" for seed in "12"]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert run("layout", NAME, "-q", "--show", "power", "-o", tmp_path / f"c.{suffix}")[0] == 0


def test_a_plan_is_of_a_hall_on_a_page_and_a_pdf_has_the_elevations(run: Run, tmp_path: Path) -> None:
    """The page has the shape that was asked for; of several halls a PDF has the first alone, and then the racks."""
    for name, words in {"slide.png": ("--page", "16:9", "--show", "fill"), "hall.png": ("--hall", "B")}.items():
        assert run("layout", "colossus-100k", "-q", "-o", tmp_path / name, *words)[0] == 0
    height, width, _ = imread(tmp_path / "slide.png").shape
    assert width / height == pytest.approx(16 / 9, rel=1e-3)
    pages = {}
    for name in (NAME, "colossus-100k"):
        assert run("layout", name, "-q", "-o", tmp_path / "floor.pdf")[0] == 0
        pages[name] = (tmp_path / "floor.pdf").read_bytes().count(b"/Type /Page ")
    assert pages == {NAME: 2, "colossus-100k": 3}


def test_an_unknown_hall_is_named(run: Run, tmp_path: Path) -> None:
    """With the halls there are, and nothing written."""
    code, _, text = run("layout", NAME, "-q", "--hall", "X", "-o", tmp_path / "floor.svg")
    assert code == 2
    assert "no racks in hall 'X'; known: A" in " ".join(text.split())
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_file_is_followed(run: Run, tmp_path: Path) -> None:
    """What the link leads to is written and the link stays; a folder is no file to write."""
    (tmp_path / "it.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "real.csv").write_text("old")
    assert run("wiring", NAME, "-q", "-o", tmp_path / "it.csv")[0] == 0
    assert (tmp_path / "it.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith('"label"')
    (tmp_path / "folder.csv").mkdir()
    assert run("wiring", NAME, "-q", "-o", tmp_path / "folder.csv")[0] == 2
