"""Families from elsewhere: found through the entry point, refused with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.errors import InputError
from fabric.families import Family, any_to_any, family

MODULE = """
from fabric.families import Family

FAMILY = Family.of("collapsed", "a fat tree whose spine pairs serve one half each",
                   "server(half, block, slot) - leaf(half, block) - spine(half, spine) - core(core)",
                   reference="none")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with an installed package that exports a family."""
    (tmp_path / "collapsed_fabric.py").write_text(MODULE)
    info = tmp_path / "collapsed_fabric-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: collapsed-fabric\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fabric.families]\ncollapsed = collapsed_fabric:FAMILY\n")
    return tmp_path


def _python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(Path(__file__).parent.parent)])
    own = os.environ | {"PYTHONPATH": path}
    return subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, env=own)


def test_a_third_party_family_is_found_sized_and_checked(installed: Path) -> None:
    """An exported constant is listed, passes the checker, and is sized to a proven optimum like the built-in ones."""
    rows = json.loads(_python(installed, "-m", "fabric", "list", "families", "--json").stdout)
    assert "collapsed" in [row["name"] for row in rows]
    check = "import fabric.families as f, fabric.testing as t; t.check_family(f.family('collapsed'))"
    assert _python(installed, "-c", check).returncode == 0
    request = installed / "mine.yaml"
    request.write_text("name: mine\ngpus: 512\nserver: hgx-h100\nfamily: collapsed\nswitches: qm9700\n")
    design = json.loads(_python(installed, "-m", "fabric", "design", str(request), "--json").stdout)
    assert (design["family"], design["optimizer"]["status"]) == ("collapsed", "OPTIMAL")


@pytest.mark.parametrize(
    ("text", "word"),
    [("FAMILY = 3", "is no fabric.families.Family"), (None, "is taken"), ("1 / 0", "fails: ZeroDivisionError")],
)
def test_a_wrong_entry_point_is_told(installed: Path, text: str | None, word: str) -> None:
    """An entry point that holds no Family, or takes a taken name, is named and exits 2."""
    (installed / "collapsed_fabric.py").write_text(text or MODULE.replace('"collapsed"', '"fat-tree"'))
    result = _python(installed, "-m", "fabric", "list", "families")
    assert result.returncode == 2
    assert word in result.stderr


def test_any_leaves_out_what_does_not_join_all_gpus() -> None:
    """`any` never chooses a rail-only fabric, whose rails meet only over NVLink."""
    assert "rail-only" not in any_to_any()
    apart = Family.of("x", "", "server(block, slot) - leaf(block, rail) - spine(rail, spine)", reference="")
    assert not apart.any_to_any
    assert {"fat-tree", "rail-optimized"} <= set(any_to_any())
    with pytest.raises(InputError, match="did you mean 'fat-tree'"):
        family("fattree")
