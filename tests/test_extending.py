"""The page on extending: each of its modules is installed as a package and used through the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Sandbox:
    """A folder with an installed package of one module."""

    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `python` on `words` where the package is installed."""
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "80"}
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def fabric(self, *words: str) -> str:
        """Run the command and return what it prints; it must succeed."""
        done = self.run("-m", "fabric", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        """Run the command and return its message; it must be refused as bad input."""
        done = self.run("-m", "fabric", *words)
        assert done.returncode == 2, done.stdout + done.stderr
        return " ".join(done.stderr.split())


def block(heading: str) -> str:
    """Return the Python code below a heading of the page."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```python\n(.*?)```", section, re.S)[0]


def sandbox(folder: Path, heading: str) -> Sandbox:
    """Install the module below a heading of the page, with the entry point that it names."""
    code = block(heading)
    found = re.findall(r"^# entry point: (\S+) (\S+) = (\w+)$", code, re.M)
    assert found
    (folder / "mine.py").write_text(code)
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    points = "".join(f"[{group}]\n{name} = mine:{value}\n" for group, name, value in found)
    (info / "entry_points.txt").write_text(points)
    return Sandbox(folder)


def request(folder: Path, **keys: object) -> str:
    """Write a request of 64 GPUs, and other keys, and return its path."""
    path = folder / "my.yaml"
    path.write_text(json.dumps({"name": "my", "gpus": 64, "server": "hgx-h100", "switches": "qm9700", **keys}))
    return str(path)


def check_family(box: Sandbox, name: str) -> None:
    """Check a family of the sandbox with the checker, as its tests would."""
    code = f"import fabric.testing as t; from fabric.topology.families import family as f; t.check_family(f({name!r}))"
    done = box.run("-c", code)
    assert done.returncode == 0, done.stderr


def listed(box: Sandbox, what: str) -> Sequence[str]:
    """Return the names in a list of the command."""
    return [row["name"] for row in json.loads(box.fabric("list", what, "--json"))]


def test_a_clos_topology(tmp_path: Path) -> None:
    """A formula with a role of its own is listed, sized, checked, and addressed by tier and by bundle in a request."""
    box = sandbox(tmp_path, "A Clos topology")
    assert "two-halls" in listed(box, "families")
    check_family(box, "two-halls")
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


@pytest.mark.parametrize("command", ["design", "allreduce"])
def test_a_direct_topology(tmp_path: Path, command: str) -> None:
    """A pattern of links is listed, checked, sized to a proven optimum, and carries flows."""
    box = sandbox(tmp_path, "A direct topology")
    asked = request(tmp_path, family="full-mesh", gpus=256)
    if command == "design":
        assert "full-mesh" in listed(box, "families")
        check_family(box, "full-mesh")
        design = json.loads(box.fabric("design", asked, "--json"))
        assert (design["family"], design["optimizer"]["status"]) == ("full-mesh", "OPTIMAL")
        assert "full-mesh" in box.refused("design", asked, "--family", "full-mess")
    else:
        result = json.loads(box.fabric("allreduce", asked, "--engine", "flows", "--size", "1GiB", "--json"))
        assert result["schema"] == "fabric.allreduce/1"


def test_an_export_format(tmp_path: Path) -> None:
    """A format is listed, found by name and by suffix, and what it cannot do is refused."""
    box = sandbox(tmp_path, "An export format")
    assert "edge-list" in listed(box, "formats")
    assert "edge-list" in box.fabric("export", "--help")
    text = box.fabric("export", request(tmp_path), "--format", "edge-list")
    assert text.splitlines()[0] == "lower,upper,bundle,links"
    box.fabric("export", request(tmp_path), "-o", "edges.csv")
    assert (tmp_path / "edges.csv").read_text() == text
    assert "edge-list" in box.refused("export", request(tmp_path), "--format", "edge-lust")


def test_an_objective(tmp_path: Path) -> None:
    """A linear and a flow objective are listed in the help and minimised with proof; wrong uses are refused."""
    box = sandbox(tmp_path, "An objective")
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
    box = sandbox(tmp_path, "A collective")
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


def test_a_routing(tmp_path: Path) -> None:
    """A routing is listed in the help and routes flows; engines that don't know it say so."""
    box = sandbox(tmp_path, "A routing")
    asked = (request(tmp_path), "--size", "1GiB", "--routing", "smodk")
    assert "smodk" in box.fabric("allreduce", "--help")
    (found,) = json.loads(box.fabric("allreduce", *asked, "--json"))["results"]
    assert (found["routing"], found["engine"]) == ("smodk", "flows")
    assert "no closed form for source-mod-k routing" in box.refused("allreduce", *asked, "--engine", "closed")
