"""Files for those who cable a fabric: every link has both ends, as read by Graphviz, by csv and by openpyxl."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook

from fabric.errors import InputError
from fabric.export.plan import Plan
from fabric.report.plan_files import write_plan
from tests.export.operations.links import links_of, many_plans, nodes_of
from tests.export.plans import shipped_plan
from tests.export.simulators.drawn import text_of

HEAD = ["A-Rack", "A-U", "A-Node", "A-Type", "A-Port", "Z-Rack", "Z-U", "Z-Node", "Z-Type", "Z-Port"]
EDGES = 'E { printf("%s\\t%s\\t%s\\t%s\\n", tail.name, tailport, head.name, headport); }'
"""A program of gvpr, which prints the nodes and ports at both ends of every edge."""


def check_sheet(plan: Plan, rows: list[list[str]]) -> None:
    """Check that a row has the ends of a link, and the racks and rack units where the layout has their devices."""
    racks, layout = plan.layout.rack_names(), plan.layout
    places = {}
    for row, name in enumerate(plan.device_names):
        places[name] = racks[layout.device_rack[row]], str(layout.device_unit[row]), "Switch"
    for name, row in zip(plan.hosts.names, plan.hosts.device, strict=True):
        places[name] = racks[layout.device_rack[row]], str(layout.device_unit[row]), "Host"
    assert Counter(((row[2], row[4]), (row[7], row[9])) for row in rows) == links_of(plan)
    for row in rows:
        assert (row[0], row[1], row[3]) == places[row[2]]
        assert (row[5], row[6], row[8]) == places[row[7]]


def test_the_point_to_point_sheet_has_both_ends_of_every_link(tmp_path: Path) -> None:
    """The CSV and the workbook have the same cells, and a second workbook the same bytes."""
    trays = appliances = 0
    for number, plan in enumerate(many_plans(21, 8)):
        trays += plan.blueprint.server.trays > 1
        appliances += plan.network.appliances
        head, *rows = csv.reader(io.StringIO(text_of(plan, "point-to-point")))
        assert head == HEAD
        check_sheet(plan, rows)
        if number < 2:
            target = tmp_path / "sheet.xlsx"
            write_plan(plan, target, "point-to-point-xlsx")
            cells = [[str(cell) for cell in row] for row in load_workbook(target).active.values]
            assert cells == [head, *rows]
            once = target.read_bytes()
            write_plan(plan, target, "point-to-point-xlsx")
            assert target.read_bytes() == once
    assert trays
    assert appliances


def test_graphviz_reads_every_node_and_every_link() -> None:
    """Gvpr prints of PTM's file the same ends, and refuses the file without its last line."""
    if not shutil.which("gvpr"):
        here = "CI" in os.environ or os.geteuid() == 0
        (pytest.fail if here else pytest.skip)("Graphviz is missing; as root, `make apt` installs it on Debian")
    tried = 0
    for plan in many_plans(22, 8):
        if "infiniband" in {model.link_layer for model in plan.blueprint.models.values()}:
            continue
        tried += 1
        text = text_of(plan, "ptm")
        found = [line.split("\t") for line in gvpr(EDGES, text).stdout.splitlines()]
        assert Counter(((a, p), (b, q)) for a, p, b, q in found) == links_of(plan)
        assert set(gvpr("N { print(name); }", text).stdout.split()) == nodes_of(plan)
    assert tried > 5
    assert "syntax error" in gvpr(EDGES, text.removesuffix("}\n")).stderr


def gvpr(program: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a program of gvpr on a graph."""
    return subprocess.run(["gvpr", program], input=text, capture_output=True, text=True, check=False, timeout=60)


def test_ptm_is_of_ethernet() -> None:
    """InfiniBand has no LLDP that ptmd could compare."""
    with pytest.raises(InputError, match="InfiniBand"):
        text_of(shipped_plan("superpod-h100-1su"), "ptm")
