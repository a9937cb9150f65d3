"""The architecture: layers, outside packages, lengths, what an import costs, and links between documents."""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

import fabric
from fabric.topology.families import families

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"matplotlib", "networkx", "numpy", "ortools", "pandas", "pydantic", "scipy", "yaml"}


def lint(tree: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Check the package in `tree` by the import contracts of setup.cfg, all or the given ones."""
    words = f"no_logo=True, cache_dir=None, limit_to_contracts={contracts}"
    code = f"from importlinter.cli import lint_imports; raise SystemExit(lint_imports({words}))"
    return subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)


def test_imports_keep_to_the_contracts() -> None:
    """The import contracts hold for the tree as it is."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("topology/clos", "import fabric.blueprint.blueprint", "layers"),
        ("catalog/parts", "import fabric.request", "layers"),
        ("request/fields", "import fabric.request.parts", "request"),
        ("units", "import ortools.sat", "ortools"),
        ("report", "import matplotlib.pyplot", "matplotlib"),
        ("studies/study", "import click", "face"),
        ("network/network", "import fabric.topology.clos", "expansion"),
        ("helpers", "import json", "layers"),
    ],
)
def test_an_import_that_breaks_a_contract_is_caught(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """An import from a higher layer, of an outside package in the wrong place, or in a module without a layer fails."""
    shutil.copytree(ROOT / "fabric", tmp_path / "fabric", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    guilty = tmp_path / "fabric" / module
    guilty = guilty / "__init__.py" if guilty.is_dir() else guilty.with_suffix(".py")
    guilty.write_text(f"{guilty.read_text() if guilty.exists() else ''}\n{line}\n")
    done = lint(tmp_path, contract)
    assert done.returncode == 1, done.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    """No module imports itself by way of others, not even by imports inside functions; those for types never run."""
    imports = {module_name(path): imported_modules(path) for path in modules()}
    graph = nx.DiGraph([(module, other) for module, others in imports.items() for other in others if other in imports])
    assert not [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1]


def module_name(path: Path) -> str:
    """Return the dotted name of a module, of a package's `__init__` the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the modules that a module imports anywhere but for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else str(node.module) for name in names)


def is_module(name: str) -> bool:
    """Return whether a dotted name is a module or a package of the tree."""
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def test_kinds_of_topology_are_told_apart_in_one_place_of_each_package() -> None:
    """Only the factories that design.md lists have a type test or class pattern of a topology, bundle or family."""
    page = (ROOT / "docs/design.md").read_text(encoding="utf-8").partition("| package | strategy | chosen in |")[2]
    rows = re.findall(r"^\| (\w+) \|.*\| `(\w+)\.\w+` \|$", page.partition("\n\n")[0], re.MULTILINE)
    assert {module_name(path) for path in modules() if asks_kind(path)} == {f"fabric.{'.'.join(row)}" for row in rows}
    assert len(rows) == 6


def asks_kind(path: Path) -> bool:
    """Return whether a module has a class pattern or a type test of a topology, bundle or family."""
    kinds = {
        "AxisBundle",
        "BalancedBundle",
        "ClosForm",
        "DealtBundle",
        "GraphForm",
        "PatternBundle",
        "Topology",
        "Family",
        "UnlikeForm",
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.MatchClass(cls=ast.Name(id=name)) if name in kinds:
                return True
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, asked]):
                if kinds & {each.id for each in ast.walk(asked) if isinstance(each, ast.Name)}:
                    return True
            case _:
                pass
    return False


def test_the_layers_of_the_documentation_are_those_of_the_contract() -> None:
    """The layers that design.md shows are those that setup.cfg makes the linter check."""
    contract = ConfigParser()
    contract.read(ROOT / "setup.cfg", encoding="utf-8")
    layers = re.sub(r"[()]", "", contract["importlinter:contract:layers"]["layers"]).split("\n")[1:]
    page = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    assert "\n\n" + "".join(f"    {layer}\n" for layer in layers) + "\n" in page


def test_public_names_have_a_home_a_type_and_a_place_in_the_list() -> None:
    """Type checkers, `from fabric import *` and the first use of a name find the same names at the same places."""
    tree = ast.parse((ROOT / "fabric/__init__.py").read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "importlib"]
    typed = {
        alias.name: node.module for node in found for alias in node.names if str(node.module).startswith("fabric.")
    }
    homes = {name: f"fabric.{home}" for name, home in fabric._HOMES.items()}
    assert homes == typed
    assert sorted([*homes, "__version__"]) == fabric.__all__


def modules() -> list[Path]:
    """Return the package's modules."""
    return sorted((ROOT / "fabric").rglob("*.py"))


def test_modules_and_functions_stay_short() -> None:
    """No module is longer than 320 lines, and no function than 60 without its docstring."""
    found = [f"{path.relative_to(ROOT)}: {length} lines" for path in modules() if (length := lines(path)) > 320]
    found += [f"{path.relative_to(ROOT)}: {name}" for path in modules() for name in long_functions(path, 60)]
    assert not found


def test_every_public_field_has_a_line_of_its_own() -> None:
    """A field of a public dataclass has a docstring under it, a line under "Attributes:", or a description."""
    assert not [f"{path.relative_to(ROOT)}: {field}" for path in modules() for field in bare_fields(path)]


def bare_fields(path: Path) -> Iterator[str]:
    """Yield the fields of a module's public dataclasses that nothing describes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        plain = "dataclass" not in "".join(map(ast.unparse, node.decorator_list))
        for field, after in pairwise([*node.body, None]):
            match field, after:
                case ast.AnnAssign(), ast.Expr(value=ast.Constant()):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind), _:
                    in_class = plain or f" {name}: " in (ast.get_docstring(node) or "")
                    if not name.startswith("_") and not in_class and not ast.unparse(kind).startswith("Annotated"):
                        yield f"{node.name}.{name}"
                case _:
                    pass


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


def test_the_glossary_defines_every_role_and_axis() -> None:
    """Every role and axis of a built-in family has its entry in the glossary."""
    defined = set(re.findall(r"\*\*([^*]+)\*\*", (ROOT / "docs/glossary.md").read_text(encoding="utf-8")))
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
def test_import_and_help_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
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


@pytest.mark.parametrize("script", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda script: script.stem)
def test_every_benchmark_finds_what_it_imports(script: Path) -> None:
    """A benchmark, which no other test runs, imports names that exist."""
    assert runpy.run_path(str(script), run_name="imported")
