"""The house: its layers and doors, its light entrance, and the three ways to install it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric import __version__
from fabric.topology.families import families

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("fabric", "topologies", "pyproject.toml", "setup.cfg", "README.md", "LICENSE")
HEAVY = {"matplotlib", "networkx", "numpy", "ortools", "pandas", "pydantic", "scipy", "yaml"}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and return what it prints, its complaint in the failure if it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


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


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Hold the import contracts of setup.cfg against the package in `tree`."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_logo=True, cache_dir=None))"
    return subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)


def test_every_import_goes_down_the_layers_and_through_its_door() -> None:
    """The import contracts hold for the tree as it is."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("form", "import fabric.blueprint.blueprint", "layers"),
        ("catalog/parts", "import fabric.request", "layers"),
        ("units", "import ortools.sat", "OR-Tools"),
        ("report", "import matplotlib.pyplot", "matplotlib"),
        ("studies/study", "import click", "click"),
        ("network/network", "import fabric.topology.clos", "Only the expansion"),
        ("helpers", "import json", "layers"),
    ],
)
def test_an_import_against_the_grain_is_caught(
    tree: Path, tmp_path: Path, module: str, line: str, contract: str
) -> None:
    """An import upwards, past a door, or in a module that no layer names breaks a contract."""
    shutil.copytree(tree / "fabric", tmp_path / "fabric")
    shutil.copy(tree / "setup.cfg", tmp_path)
    guilty = tmp_path / "fabric" / module
    guilty = guilty / "__init__.py" if guilty.is_dir() else guilty.with_suffix(".py")
    guilty.write_text(f"{guilty.read_text() if guilty.exists() else ''}\n{line}\n")
    done = lint(tmp_path)
    broken = " ".join(row for row in done.stdout.splitlines() if row.endswith("BROKEN"))
    assert done.returncode == 1, done.stdout
    assert contract in broken, done.stdout


def modules() -> list[Path]:
    """Return the package's modules."""
    return sorted((ROOT / "fabric").rglob("*.py"))


def test_modules_and_functions_stay_short() -> None:
    """No module is longer than 320 lines, and no function than 60 without its docstring."""
    found = [f"{path.relative_to(ROOT)}: {length} lines" for path in modules() if (length := lines(path)) > 320]
    found += [f"{path.relative_to(ROOT)}: {name}" for path in modules() for name in long_functions(path, 60)]
    assert not found


def lines(path: Path) -> int:
    """Return the lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(path: Path, most: int) -> Iterator[str]:
    """Yield the functions of a module that have more lines than `most`, not counting their docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            docstring = (ast.get_docstring(node) or "").count("\n") + 1
            length = (node.end_lineno or 0) - node.lineno + 1 - docstring
            if length > most:
                yield f"{node.name}, {length} lines"


def test_the_glossary_knows_every_word_of_the_families() -> None:
    """Every role and axis of a built-in family has its entry in the glossary."""
    defined = set(re.findall(r"^\*\*([^*]+)\*\*", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.M))
    entries = {word.strip() for entry in defined for word in entry.split(",")}
    forms = [form for family in families().values() for form in family.forms]
    words = {word for form in forms for word in (*form.axes, *(group.role for group in form.groups))}
    assert words <= entries


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
)
def test_every_file_that_a_page_points_to_exists(page: str) -> None:
    """A relative link in the documents leads to a file of the tree."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [name for name in targets if "://" not in name and not ((ROOT / page).parent / name).exists()]
    assert not missing


@pytest.mark.parametrize("arguments", [("-c", "import fabric"), ("-m", "fabric", "--help")])
def test_the_entrance_is_light(arguments: tuple[str, ...]) -> None:
    """Neither `import fabric` nor `fabric --help` loads numpy, a solver, a plotter or a validator."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {row.rpartition("|")[2].strip().partition(".")[0] for row in done.stderr.splitlines()}
    assert "fabric" in imported
    assert not imported & HEAVY


def test_the_distribution_lists_every_package() -> None:
    """The packages that pyproject.toml lists are those of the tree, and the topologies."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    packages = [".".join(path.parent.relative_to(ROOT).parts) for path in modules() if path.name == "__init__.py"]
    assert sorted(listed) == sorted([*packages, "fabric.topologies"])


@pytest.fixture(scope="module")
def interpreter(tree: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Make a fresh environment that holds fabric in one of the three ways and borrows the dependencies of this one.

    The wheel is made from the source distribution, so both must hold everything.
    """
    home = tmp_path_factory.mktemp(request.param)
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    if request.param == "wheel":
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", home / "dist", tree, cwd=home)
    if request.param == "editable":
        code = f"from setuptools.build_meta import build_editable; build_editable({str(home / 'dist')!r})"
        (home / "dist").mkdir()
        run(sys.executable, "-c", code, cwd=tree)
    for wheel in home.glob("dist/*.whl"):
        run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=home)
    # Only now, so that pip does not take the fabric of this environment for one that is installed already.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    borrowed = [path for path in sys.path if path.endswith("-packages")]
    (site / "borrowed.pth").write_text("\n".join(borrowed))
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
    code = "from importlib.metadata import version; print(version('fabric-designer'))"
    assert run(interpreter, "-c", code, cwd=interpreter.parent).strip() == __version__
    assert __version__ in run(interpreter.parent / "fabric", "--version", cwd=interpreter.parent)
