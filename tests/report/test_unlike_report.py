"""Reports on fabrics of unlike servers: counts, ports and bills kind by kind, on the case and on drawn lists."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

import fabric
from fabric.blueprint.port_use import port_use
from fabric.errors import Infeasible, InputError
from fabric.network.expand import expand
from fabric.report.describe import describe, describe_json
from fabric.report.pictures import allreduce_picture
from fabric.studies.study import Study
from tests.optimizer.test_unlike_model import CASE, draw, request_of
from tests.request_fixtures import Run


@pytest.fixture(scope="module")
def case() -> Study:
    """Return the design of the list of two generations and storage."""
    return fabric.design(**CASE)


def test_all_reduces_are_drawn_under_the_line_rate_of_the_slowest_servers(
    case: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 NICs of 200G are 200 GB/s; neither the faster servers nor storage, which has no GPUs, set the line."""
    lines: list[float] = []
    monkeypatch.setattr("fabric.report.pictures.draw_allreduce", lambda _title, _curves, line: lines.append(line))
    for study in (case, fabric.design(server="hgx-h100", gpus=64, switches="qm9700")):
        allreduce_picture(describe(study))
    assert lines == [200, 400]


def test_the_design_object_has_every_kind(case: Study) -> None:
    """Every kind has its number, rate, units and oversubscription; ports of a leaf are whole ones of the switch."""
    found = describe_json(case)
    assert found["server"] == "hgx-h100 + hgx-a100 + storage"
    assert [(each["server"], each["count"], each["link_gbps"]) for each in found["server_kinds"]] == [
        ("hgx-h100", 32, 400), ("hgx-a100", 16, 200), ("storage", 6, 200),
    ]  # fmt: skip
    assert [(each["per_unit"], each["units"], each["first_unit"]) for each in found["server_kinds"]] == [
        (4, 8, 0), (8, 2, 8), (6, 1, 10),
    ]  # fmt: skip
    assert [each["oversubscription"] for each in found["server_kinds"]] == [1, 1, 12 * 200 / (32 * 400)]
    assert (found["gpus"], found["servers"], found["unit_gpus"]) == (384, 54, None)
    leaf = found["switches"]["by_role"]["leaf"]
    assert (leaf["ports_down"], leaf["ports_up"], leaf["radix"]) == (32, 32, 64)
    assert json.loads(json.dumps(found))["request"]["servers"][0] == {"server": "hgx-h100", "count": 32}


def test_the_notes_tell_where_each_kind_stands(case: Study) -> None:
    """Notes name the units of each kind, and the kinds whose few NICs take the rails in turn."""
    notes = " ".join(describe(case).notes)
    assert (
        "hgx-h100 in units 0 to 7 (up to 4 each), hgx-a100 in units 8 to 9 (up to 8 each) and storage in unit 10 (6)"
        in notes
    )
    rails = " ".join(describe(fabric.design(**{**CASE, "family": "rail-optimized", "mix": "together"})).notes)
    assert "Each unit has some servers of every kind" in rails
    assert "NIC j of the server in slot s, with n NICs, has rail (s n + j) modulo 8" in rails


def test_the_bill_has_the_parts_of_every_kind(case: Study) -> None:
    """Links and server modules are counted kind by kind, one module for each cage."""
    rows = {(row.kind, row.used_for): row.quantity for row in case.bill.rows}
    assert rows["module", "hgx-h100"] == 256
    assert rows["module", "hgx-a100"] == 128
    assert rows["module", "storage"] == 12
    assert (rows["link", "hgx-a100-leaf"], rows["link", "leaf-spine"]) == (128, 352)


@pytest.mark.parametrize("seed", range(4))
def test_ports_in_use_are_those_of_the_network(seed: int) -> None:
    """On drawn lists the whole ports of all leaves are those that their links of each rate take on the laid network."""
    random, checked = Random(100 + seed), 0
    while checked < 6:
        try:
            study = fabric.design(**request_of(draw(random)))
        except Infeasible:
            continue
        checked += 1
        blueprint, network = study.blueprint, expand(study.blueprint)
        links: dict[int, Counter[int]] = {}
        for low, high, rate in zip(
            network.lower.tolist(), network.upper.tolist(), network.rate_gbps.tolist(), strict=True
        ):
            for end in (low, high):
                links.setdefault(end, Counter())[rate] += 1
        leaf, alike = network.group("leaf"), not blueprint.rates_at("leaf").others
        rows = range(leaf.first, leaf.first + leaf.count)
        ports = [
            sum(links[row].values()) if alike else sum(-(-n * rate // 200) for rate, n in links[row].items())
            for row in rows
        ]
        found = port_use(blueprint, "leaf")
        assert (found.least, found.most, found.total) == (min(ports), max(ports), sum(ports))
        assert found.free >= 0
        assert sum(row.quantity for row in study.bill.of("link")) == network.links


def test_every_command_tells_of_unlike_servers(run: Run, tmp_path: Path) -> None:
    """Design, bill, flows, pictures, pages and exports of a list of servers end well."""
    file = tmp_path / "servers.yaml"
    file.write_text(json.dumps(CASE))
    for words in (
        ("design", file), ("design", file, "--json"), ("bill", file), ("allreduce", file, "--size", "1GiB"),
        ("allreduce", file, "--size", "1GiB", "--gpus", "300", "--placement", "contiguous", "--fail", "hgx-a100:1"),
        ("diagram", file, "-o", tmp_path / "a.svg"), ("diagram", file, "--kind", "load", "-o", tmp_path / "b.svg"),
        ("diagram", file, "--highlight", "path:0,383", "-o", tmp_path / "c.svg"),
        ("diagram", file, "--level", "unit", "-o", tmp_path / "d.svg"),
        ("diagram", file, "--kind", "racks", "-o", tmp_path / "g.svg"), ("layout", file, "--lost"), ("wiring", file),
        ("export", file, "-o", tmp_path / "e.graphml"), ("report", file, "-o", tmp_path / "f.html"),
        ("optimize", file, "--objective", "cost,power"), ("design", file, "--out", tmp_path / "out"),
    ):  # fmt: skip
        code, _, stderr = run(*words)
        assert code == 0, (words, stderr)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("optimize", "--objective", "allreduce"), "times are of equal servers"),
        (("allreduce", "--engine", "closed"), "there is no closed form for unlike servers; use engine flows"),
    ],
)
def test_what_is_of_equal_servers_is_refused(run: Run, tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    """Where unlike servers have no answer yet, one message says so, with exit code 2."""
    file = tmp_path / "servers.yaml"
    file.write_text(json.dumps(CASE))
    command, *options = words
    code, _, stderr = run(command, file, *options)
    assert code == 2, stderr
    assert text in " ".join(stderr.split())


def test_a_platform_of_simgrid_has_equal_servers(case: Study) -> None:
    """A SimGrid platform of unlike servers is refused."""
    from fabric.export.simgrid import to_simgrid

    with pytest.raises(InputError, match="equal servers"):
        to_simgrid(case.blueprint)
