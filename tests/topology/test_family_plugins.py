"""Families from elsewhere: found through the entry point, refused with a reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.errors import InputError
from fabric.topology.families import Family, family, family_sets
from tests.sandbox import start_sandbox

PACKAGE = Path(__file__).parents[2] / "examples" / "fabric-halves"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which pip has installed the example package."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE, source)
    words = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *words, "--target", str(target), str(source)], check=True)
    return target


@pytest.fixture
def installed(package: Path, tmp_path: Path) -> Path:
    """Return a folder of its own with the package."""
    return Path(shutil.copytree(package, tmp_path / "site"))


def _python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    own = os.environ | {"PYTHONPATH": path}
    return subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, env=own)


def test_a_third_party_family_is_found_sized_and_checked(installed: Path) -> None:
    """The example package is listed, passes its own tests, and is sized to a proven optimum like the built-in ones."""
    tests = _python(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(PACKAGE / "tests"))
    assert tests.returncode == 0, tests.stdout  # pytest fails where it finds no test
    request = installed / "mine.yaml"
    request.write_text((PACKAGE / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0])
    with start_sandbox(installed) as box:
        rows = json.loads(box.fabric("list", "families", "--json"))
        box.fabric("check", str(request))
        design = json.loads(box.fabric("design", str(request), "--json"))
    assert "halves" in [row["name"] for row in rows]
    assert (design["family"], design["optimizer"]["status"]) == ("halves", "OPTIMAL")
    assert list(design["switches"]["by_role"]) == ["leaf", "agg", "core"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("HALVES = 3", "is not a Family"),
        (None, "is taken"),
        ("1 / 0", "fails: ZeroDivisionError"),
        ("raise SystemExit(0)", "fails: SystemExit(0)"),
    ],
)
def test_a_wrong_entry_point_is_told(installed: Path, text: str | None, word: str) -> None:
    """An entry point that holds no Family, or takes a taken name, is named and exits 2."""
    module = installed / "fabric_halves.py"
    module.write_text(text or module.read_text().replace('"halves"', '"fat-tree"'))
    result = _python(installed, "-m", "fabric", "list", "families")
    assert result.returncode == 2
    assert word in result.stderr


def test_any_leaves_out_what_does_not_join_all_gpus() -> None:
    """`any` never chooses a rail-only fabric, whose rails meet only over NVLink."""
    assert "rail-only" not in family_sets()["any"]
    apart = Family.of("x", "", "server(block, slot) - leaf(block, rail) - spine(rail, spine)", reference="")
    assert not apart.any_to_any
    assert {"fat-tree", "rail-optimized"} <= set(family_sets()["any"])
    with pytest.raises(InputError, match="did you mean 'fat-tree'"):
        family("fattree")
