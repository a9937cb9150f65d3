"""The page on extending: each of its modules is installed as a package and used through the command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, start_sandbox

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def block(heading: str) -> str:
    """Return the Python code below a heading of the page."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```python\n(.*?)```", section, re.S)[0]


@contextmanager
def sandbox(folder: Path, heading: str) -> Iterator[Sandbox]:
    """Install the module below a heading of the page, with the entry point that it names, and start the command."""
    code = block(heading)
    found = re.findall(r"^# entry point: (\S+) (\S+) = (\w+)$", code, re.M)
    assert found
    (folder / "mine.py").write_text(code)
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    points = "".join(f"[{group}]\n{name} = mine:{value}\n" for group, name, value in found)
    (info / "entry_points.txt").write_text(points)
    with start_sandbox(folder) as box:
        yield box


def request(folder: Path, **keys: object) -> str:
    """Write a request of 64 GPUs, and other keys, and return its path."""
    path = folder / "my.yaml"
    path.write_text(json.dumps({"name": "my", "gpus": 64, "server": "hgx-h100", "switches": "qm9700", **keys}))
    return str(path)


def listed(box: Sandbox, what: str) -> Sequence[str]:
    """Return the names in a list of the command."""
    return [row["name"] for row in json.loads(box.fabric("list", what, "--json"))]


def test_a_clos_topology(tmp_path: Path) -> None:
    """A formula with a role of its own is listed, sized, checked, and addressed by tier and by bundle in a request."""
    with sandbox(tmp_path, "A Clos topology") as box:
        assert "two-halls" in listed(box, "families")
        box.fabric("check_family", "two-halls")
        keys = {
            "switches": {"leaf": "qm9700", "agg": "qm9700", "core": "qm9700"},
            "link_price_usd": {"leaf-agg": 100},
            "survive": {"agg": 0.5},
            "oversubscription": {"leaf": 1, "agg": 1},
            "reserve": {"agg": 2},
            "pinned": {"leaf-agg": 4},
        }
        design = json.loads(box.fabric("design", request(tmp_path, family="two-halls", **keys), "--json"))
        assert (design["family"], design["optimizer"]["status"]) == ("two-halls", "OPTIMAL")
        wrong = box.refused("design", request(tmp_path, family="two-halls", survive={"agt": 0.5}))
        assert "did you mean 'agg'" in wrong


def test_a_direct_topology(tmp_path: Path) -> None:
    """A pattern of links is listed, checked, sized to a proven optimum, and carries flows."""
    with sandbox(tmp_path, "A direct topology") as box:
        asked = request(tmp_path, family="full-mesh", gpus=256)
        assert "full-mesh" in listed(box, "families")
        box.fabric("check_family", "full-mesh")
        design = json.loads(box.fabric("design", asked, "--json"))
        assert (design["family"], design["optimizer"]["status"]) == ("full-mesh", "OPTIMAL")
        assert "full-mesh" in box.refused("design", asked, "--family", "full-mess")
        result = json.loads(box.fabric("allreduce", asked, "--engine", "flows", "--size", "1GiB", "--json"))
        assert result["schema"] == "fabric.allreduce/1"


def test_an_export_format(tmp_path: Path) -> None:
    """A format is listed, found by name and by suffix, and what it cannot do is refused."""
    with sandbox(tmp_path, "An export format") as box:
        assert "edge-list" in listed(box, "formats")
        assert "edge-list" in box.fabric("export", "--help")
        text = box.fabric("export", request(tmp_path), "--format", "edge-list")
        assert text.splitlines()[0] == "lower,upper,bundle,links"
        box.fabric("export", request(tmp_path), "-o", "edges.csv")
        assert (tmp_path / "edges.csv").read_text() == text
        assert "edge-list" in box.refused("export", request(tmp_path), "--format", "edge-lust")


def test_a_format_of_plans(tmp_path: Path) -> None:
    """A format of plans is listed with its witness, writes a folder of files, and needs one."""
    with sandbox(tmp_path, "A format of plans") as box:
        assert "shown by: grammar: this page" in box.fabric("list", "formats")
        folder = tmp_path / "ports"
        box.fabric("export", request(tmp_path), "--format", "port-list", "-o", str(folder))
        assert "1 server-" in min(folder.iterdir()).read_text()
        assert "give --out FOLDER" in box.refused("export", request(tmp_path), "--format", "port-list")


def test_a_reader_of_discovery_files(tmp_path: Path) -> None:
    """A file of the format is known by its content, and the fabric in it is found."""
    file = tmp_path / "cables.txt"
    with sandbox(tmp_path, "A reader of discovery files") as box:
        hosts = [f"leaf{n % 2} {n} node{n} 1" for n in range(8)]
        spines = [f"leaf{n % 2} {n + 8} spine{n // 2} {n % 2}" for n in range(4)]
        file.write_text("\n".join(["# four words", *hosts, *spines]) + "\n")
        found = json.loads(box.fabric("discover", str(file), "--json"))
        assert (found["files"][0]["reader"], found["cables"], found["devices"]) == ("four-words", 12, 12)


def test_an_objective(tmp_path: Path) -> None:
    """A linear and a flow objective are listed in the help and minimised with proof; wrong uses are refused."""
    with sandbox(tmp_path, "An objective") as box:
        asked = request(tmp_path)
        listed = box.fabric("optimize", "--help")
        assert "tiers" in listed
        assert "switch_delay" in listed
        names = ("--objective", "tiers,switch_delay")
        proof = json.loads(box.fabric("optimize", asked, *names, "--json"))["optimizer"]
        assert (proof["objective_name"], proof["objective"], proof["bound"]) == ("tiers", 1, 1)
        assert proof["objectives"]["switch_delay_s"] > 0
        assert "minimise number of tiers" in " ".join(box.fabric("optimize", asked, *names).split())
        assert "did you mean 'tiers'" in box.refused("optimize", asked, "--objective", "tier")
        assert "switch_delay takes no weight" in box.refused("optimize", asked, "--objective", "cost=1,switch_delay=2")


def test_a_collective(tmp_path: Path) -> None:
    """A collective with an algorithm is listed in the help and estimated by both models; wrong uses are refused."""
    with sandbox(tmp_path, "A collective") as box:
        asked = (request(tmp_path), "--size", "1GiB", "--collective", "scatter")
        assert "scatter" in box.fabric("allreduce", "--help")
        times = []
        for engine in ("closed", "flows"):
            words = ("--routing", "adaptive", "--engine", engine, "--json")
            (found,) = json.loads(box.fabric("allreduce", *asked, *words))["results"]
            assert (found["collective"], found["algorithm"]) == ("scatter", "from-one")
            times.append(found["time_s"])
        assert times[0] == pytest.approx(times[1], rel=1e-3)
        wrong = box.refused("allreduce", *asked, "--algorithm", "ring")
        assert "algorithm 'ring' does not implement scatter" in wrong


def test_a_routing_that_chooses_paths_itself(tmp_path: Path) -> None:
    """It is listed in the help, and its flows collide on the spines that the function chooses; failures never help."""
    with sandbox(tmp_path, "A routing that chooses paths itself") as box:
        assert "by-number" in box.fabric("allreduce", "--help")
        words = (
            "allreduce",
            request(tmp_path, gpus=512, family="rail-optimized", tiers=2),
            "--routing",
            "by-number,ecmp",
        )
        found = json.loads(box.fabric(*words, "--algorithm", "ring", "--size", "1GiB", "--json"))["results"]
        assert [each["routing"] for each in found] == ["by-number", "ecmp"]
        assert found[0]["limited_by"] == "collisions"
        left = json.loads(
            box.fabric(*words, "--algorithm", "ring", "--size", "1GiB", "--json", "--fail", "leaf-spine:1")
        )
        assert left["results"][0]["busbw_GBps"] <= found[0]["busbw_GBps"]


def test_a_routing(tmp_path: Path) -> None:
    """A routing is listed in the help and routes flows; engines that don't know it say so."""
    with sandbox(tmp_path, "A routing") as box:
        asked = (request(tmp_path), "--size", "1GiB", "--routing", "smodk")
        assert "smodk" in box.fabric("allreduce", "--help")
        (found,) = json.loads(box.fabric("allreduce", *asked, "--json"))["results"]
        assert (found["routing"], found["engine"]) == ("smodk", "flows")
        assert "no closed form for source-mod-k routing" in box.refused("allreduce", *asked, "--engine", "closed")


def test_a_transport_and_a_traffic_pattern(tmp_path: Path) -> None:
    """Both are listed, flows get what the transport leaves, and what it was not measured for is refused."""
    with sandbox(tmp_path, "A transport and a traffic pattern") as box:
        asked = (request(tmp_path), "--collective", "mirror", "--transport", "lab", "--placement", "contiguous")
        assert "lab" in listed(box, "transports")
        assert "mirror" in box.fabric("allreduce", "--help")
        found = json.loads(box.fabric("allreduce", *asked, "--routing", "dmodk", "--seeds", "1", "--json"))
        (result,) = found["results"]
        assert (found["pattern"], result["transport"], result["sends_inside_servers"]) == ("mirror", "lab", 0)
        assert result["share_of_line_rate"]["max"] <= 0.9
        assert "'lab' was not measured with packets on several paths" in box.refused("allreduce", *asked)


def test_a_measure(tmp_path: Path) -> None:
    """A measure is listed, and takes its settings from the sweep's file."""
    with sandbox(tmp_path, "A measure") as box:
        assert "fibre" in listed(box, "measures")
        base = json.loads(Path(request(tmp_path, family="fat-tree")).read_text())
        sweep = {"base": base, "grid": {"gpus": [64, 128]}, "measures": ["links", "fibre"], "fibre": {"each": [10, 30]}}
        (tmp_path / "sweep.json").write_text(json.dumps(sweep))
        rows = json.loads(box.fabric("sweep", str(tmp_path / "sweep.json"), "--json"))["rows"]
        assert [row["fibre_each_m"] for row in rows] == [10, 30, 10, 30]
        assert all(row["fibre_m"] == row["cables_total"] * row["fibre_each_m"] > 0 for row in rows)
        sweep["fibre"] = {"eahc": 3}
        (tmp_path / "sweep.json").write_text(json.dumps(sweep))
        assert "fibre.eahc: unknown setting; did you mean 'each'?" in box.refused(
            "sweep", str(tmp_path / "sweep.json"), "--plan"
        )
