"""Installing: as a wheel, editable or not at all, with the example package, and beside the SSH tool called `fabric`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

from fabric import __distribution__, __version__
from tests.pythons import RELEASES, find_python

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("fabric", "fabric_designer.py", "topologies", "pyproject.toml", "setup.cfg", "README.md", "LICENSE")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def start(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that finds no Python packages but those installed for it."""
    words = [str(part) for part in command]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env=clean)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = start(*command, cwd=cwd)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def pip(python: Path, *words: str | Path) -> None:
    """Run this environment's pip for another one, without a network."""
    run(sys.executable, "-m", "pip", "--isolated", "--quiet", "--python", python, *words, cwd=python.parent)


def make_environment(home: Path) -> Path:
    """Make an environment without packages, and return its Python."""
    venv.create(home, with_pip=False, symlinks=True)
    return home / "bin" / "python"


def lend_packages(python: Path) -> None:
    """Let an environment import the packages of this one, after its own.

    Only once pip has installed into it, so that pip does not see them.
    """
    home = python.parents[1]
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    (site / "lent.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))


def make_wheel(folder: Path, name: str, release: str, files: Mapping[str, str] | None = None) -> Path:
    """Write a wheel of a few text files, or of none, that depends on nothing."""
    stem = f"{name.replace('-', '_')}-{release}"
    texts = {
        **(files or {}),
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{stem}.dist-info/RECORD"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for path, text in {**texts, record: "".join(f"{path},,\n" for path in (*texts, record))}.items():
            wheel.writestr(path, text)
    return folder / f"{stem}-py3-none-any.whl"


def make_ssh_tool(folder: Path) -> Path:
    """Write a wheel such as the SSH tool's: its distribution and import package are both called `fabric`."""
    files = {"fabric/__init__.py": "print('the SSH tool')\n", "fabric/__main__.py": "", "fabric/config.py": ""}
    return make_wheel(folder, "fabric", "99.0", files)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the distribution is made of, so that building leaves no trace in the working tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from the source distribution, so that both must hold everything."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def editable_wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of an editable install."""
    folder = tmp_path_factory.mktemp("editable")
    code = f"from setuptools.build_meta import build_editable; build_editable({str(folder)!r})"
    run(sys.executable, "-c", code, cwd=tree)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def interpreter(
    wheel: Path, editable_wheel: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Make a fresh environment that holds fabric in one of three ways and is lent the dependencies of this one."""
    python = make_environment(tmp_path_factory.mktemp(request.param))
    for built in {"wheel": [wheel], "editable": [editable_wheel], "bare": []}[request.param]:
        pip(python, "install", "--no-compile", "--no-index", "--no-deps", built)
    lend_packages(python)
    return python


def where(kind: str, python: Path, tree: Path) -> tuple[Path, Path]:
    """Return the directory to run in and the one that must hold the package that is found."""
    return {
        "wheel": (python.parent, python.parent.parent / "lib"),
        "editable": (python.parent, tree),
        "bare": (tree, tree),
    }[kind]


@pytest.mark.parametrize("interpreter", ["wheel", "editable", "bare"], indirect=True)
def test_wheel_editable_and_bare_checkout_list_the_same_topologies(
    interpreter: Path, tree: Path, request: pytest.FixtureRequest
) -> None:
    """However fabric is installed, it finds every shipped design and table, the version and itself."""
    kind = request.node.callspec.params["interpreter"]
    cwd, home = where(kind, interpreter, tree)
    found = run(interpreter, "-c", "import fabric; print(fabric.__file__, fabric.__version__)", cwd=cwd).split()
    assert Path(found[0]).is_relative_to(home)
    assert found[1] == __version__
    listed = "".join(run(interpreter, "-m", "fabric", "list", what, cwd=cwd) for what in ("topologies", "tables"))
    shipped = sorted(path.stem for path in (ROOT / "topologies").rglob("*.yaml"))
    assert shipped
    assert [name for name in shipped if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", listed)] == []


@pytest.mark.parametrize("interpreter", ["wheel", "editable"], indirect=True)
def test_an_installed_fabric_has_its_command_and_its_version(interpreter: Path) -> None:
    """The command `fabric` is installed, and its version is the distribution's."""
    code = f"from importlib.metadata import version; print(version({__distribution__!r}))"
    assert run(interpreter, "-c", code, cwd=interpreter.parent).strip() == __version__
    assert __version__ in run(interpreter.parent / "fabric", "--version", cwd=interpreter.parent)


def test_wheel_and_source_distribution_are_in_order(wheel: Path) -> None:
    """Both pass a registry's checks, warnings too; the source has what building and the licence need."""
    (source,) = wheel.parent.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, source, cwd=wheel.parent)
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "fabric/__init__.py", "topologies/colossus-100k.yaml"} <= held
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


@pytest.mark.parametrize("interpreter", ["wheel"], indirect=True)
def test_the_wheel_alone_runs_the_demo(interpreter: Path, tmp_path: Path) -> None:
    """From the wheel and its dependencies alone the demo designs Colossus and writes its report and pictures."""
    run(interpreter.parent / "fabric", "design", "colossus-100k", "--out", tmp_path / "demo", cwd=tmp_path)
    assert {"report.md", "bom.csv", "design.json", "fabric.svg"} <= {
        path.name for path in (tmp_path / "demo").iterdir()
    }
    run(interpreter.parent / "fabric", "init", "--yes", cwd=tmp_path)
    assert "OPTIMAL" in run(interpreter.parent / "fabric", "design", "my-cluster.yaml", cwd=tmp_path)


@pytest.mark.parametrize("release", [release for release in RELEASES if find_python(release)])
def test_every_python_at_hand_takes_the_package(release: str, wheel: Path, tmp_path: Path) -> None:
    """Each of those that are here compiles every module, lists the commands and writes its version.

    What designs needs compiled libraries, which are here for this Python alone.
    """
    python = find_python(release)
    assert python
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    run(python, "-m", "compileall", "-q", tmp_path / "fabric", cwd=tmp_path)
    (site,) = {path for path in sys.path if (Path(path) / "click").is_dir()}
    code = f"import sys; sys.path.append({site!r}); from fabric.cli.main import main; main()"
    assert "design" in run(python, "-c", code, "--help", cwd=tmp_path)
    assert __version__ in run(python, "-c", code, "--version", cwd=tmp_path)


def test_the_example_package_depends_on_our_distribution() -> None:
    """It asks for fabric-designer, and not for the SSH tool, whose name is that of our import package."""
    example = tomllib.loads((ROOT / "examples/fabric-halves/pyproject.toml").read_text())["project"]
    assert [re.match(r"[\w-]+", each)[0] for each in example["dependencies"]] == [__distribution__]


def test_the_package_knows_the_name_of_its_distribution() -> None:
    """The name by which the command recognises its package is the one in pyproject.toml."""
    assert __distribution__ == PROJECT["name"]


def test_the_example_package_brings_our_fabric(wheel: Path, tmp_path: Path) -> None:
    """With its dependencies from a folder of wheels, the example package brings our command, which lists its family.

    The folder holds the SSH tool too, and stand-ins for what fabric depends on.
    """
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    shutil.copytree(ROOT / "examples" / "fabric-halves", source)
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", wheels, source, cwd=tmp_path)
    shutil.copy(wheel, wheels)
    make_ssh_tool(wheels)
    for requirement in PROJECT["dependencies"]:
        name = re.match(r"[\w-]+", requirement)[0]
        make_wheel(wheels, name, version(name))
    python = make_environment(tmp_path / "environment")
    pip(python, "install", "--no-compile", "--no-index", "--find-links", wheels, "fabric-halves")
    lend_packages(python)
    rows = json.loads(run(python.parent / "fabric", "list", "families", "--json", cwd=tmp_path))
    assert "halves" in [row["name"] for row in rows]


def test_another_package_over_ours_is_reported(wheel: Path, tmp_path: Path) -> None:
    """With the SSH tool installed over ours, or taken away again, the command and its module say so and exit 2.

    It does not import what it finds, and the remedy works.
    """
    python = make_environment(tmp_path / "environment")
    commands = [(python.parent / "fabric", "--version"), (python, "-m", "fabric_designer", "--version")]
    pip(python, "install", "--no-compile", "--no-index", "--no-deps", wheel)
    lend_packages(python)
    install_other, remove_other = ("install", "--no-index", make_ssh_tool(tmp_path)), ("uninstall", "--yes", "fabric")
    reports = {install_other: "fabric/__init__.py\n", remove_other: "Found instead: no `fabric/__init__.py`\n"}
    for change, found in reports.items():
        pip(python, *change)
        for words in commands:
            done = start(*words, cwd=tmp_path)
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
            assert found in done.stderr
            assert f"pip install --force-reinstall {__distribution__}" in done.stderr
    pip(python, "install", "--no-compile", "--no-index", "--no-deps", "--force-reinstall", wheel)
    for words in commands:
        assert __version__ in run(*words, cwd=tmp_path)
