"""Mutants: small changes of the code that counts, prices and estimates, each of which some test must notice.

Cosmic Ray proposes the changes; a number of places are drawn with a fixed seed, and one change at each. A mutant runs
the tests of its own package, and, if they pass, those of the others that compare numbers. What survives is listed: a
missing test, or a change that means the same.

    python -m tests.mutants --count 120 --seed 0 --out build/mutants
    python -m tests.mutants --survivors build/mutants/mutants.json --out build/again   (after writing the missing tests)
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "fabric/topology/polynomial.py",
    "fabric/topology/topology.py",
    "fabric/topology/clos.py",
    "fabric/topology/graph_form.py",
    "fabric/topology/patterns.py",
    "fabric/topology/switch_graph.py",
    "fabric/network/expand.py",
    "fabric/blueprint/*.py",
    "fabric/flow/*.py",
    "fabric/optimizer/*.py",
    "fabric/training/*.py",
)
"""The modules of counts, metrics, the bill, flows, the optimizer and training."""
FOLDERS = ("fabric", "tests", "topologies", "examples", "benchmarks", "docs", "requirements")
FILES = ("setup.cfg", "pyproject.toml", "fabric_designer.py", "README.md", "CHANGELOG.md", "LICENSE", "Makefile")
"""What the tests need of the tree."""
NUMBERS = ("topology", "blueprint", "network", "flow", "optimizer", "training", "studies", "report", "export")
"""The folders of tests that compare numbers."""
TIMEOUT_S = 900
"""A mutant whose tests take longer is taken for an endless loop, which a person would notice."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    operator: str
    occurrence: int
    line: int


@dataclass(frozen=True)
class Outcome:
    """What the tests said of a mutant: killed, survived or timeout, and by which tests it was decided."""

    mutant: Mutant
    outcome: str
    by: str
    change: str


def main() -> None:
    """Draw mutants, run the tests on each and print the survivors."""
    options = _options()
    # A job in the background ignores these signals, and so would the processes that the tests of signals start.
    signal.signal(signal.SIGHUP, lambda *_: None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options.out.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(mutant, "survived", "", "") for mutant in _mutants(options)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.workers) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.workers):
            trees.put(_copy_tree(Path(folder) / str(number)))
        # The tests of the module's own package notice most mutants soon; only those left take the time of the others.
        for stage in (_own_tests, _other_tests):
            left = [each.mutant for each in outcomes if each.outcome == "survived"]
            runs = [pool.submit(_run_in_free_tree, mutant, stage(mutant), trees) for mutant in left]
            decided = {}
            for run in as_completed(runs):
                outcome = run.result()
                decided[outcome.mutant] = outcome
                print(f"{outcome.outcome:8} {outcome.mutant.module}:{outcome.mutant.line} {outcome.change}", flush=True)
            outcomes = [decided.get(each.mutant, each) for each in outcomes]
            (options.out / "mutants.json").write_text(json.dumps([asdict(each) for each in outcomes], indent=1))
    survivors = [each for each in outcomes if each.outcome == "survived"]
    print(f"\n{len(outcomes)} mutants, {len(survivors)} survived")


def _own_tests(mutant: Mutant) -> list[str]:
    return [f"tests/{mutant.module.split('/')[1]}"]


def _other_tests(mutant: Mutant) -> list[str]:
    return [f"tests/{name}" for name in NUMBERS if name != mutant.module.split("/")[1]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=120, help="mutants to draw")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--survivors", type=Path, help="run those that survived in this mutants.json instead of a draw")
    parser.add_argument("--workers", type=int, default=2, help="mutants tested at a time")
    parser.add_argument("--out", type=Path, default=Path("build/mutants"), help="folder of the results")
    return parser.parse_args()


def _mutants(options: argparse.Namespace) -> list[Mutant]:
    if not options.survivors:
        return draw_mutants(options.count, options.seed)
    earlier = json.loads(options.survivors.read_text(encoding="utf-8"))
    return [Mutant(**each["mutant"]) for each in earlier if each["outcome"] == "survived"]


def draw_mutants(count: int, seed: int) -> list[Mutant]:
    """Return `count` mutants at places drawn at random, the same for the same seed and code."""
    places: dict[tuple[str, int, int], list[Mutant]] = defaultdict(list)
    modules = sorted(path for pattern in MODULES for path in ROOT.glob(pattern))
    for path in modules:
        module = path.relative_to(ROOT).as_posix()
        for operator, occurrence, start in _mutations(path.read_text(encoding="utf-8")):
            places[module, *start].append(Mutant(module, operator, occurrence, start[0]))
    generator = random.Random(seed)
    order = generator.sample(sorted(places), len(places))
    drawn = (generator.choice(places[place]) for place in order)
    return list(islice((mutant for mutant in drawn if _changes_program(mutant)), count))


def _changes_program(mutant: Mutant) -> bool:
    """Say whether a mutant is valid Python and changes more than type annotations, which nothing evaluates."""
    before = (ROOT / mutant.module).read_text(encoding="utf-8")
    try:
        after = _without_annotations(_mutate(mutant, before))
    except SyntaxError:
        return False
    return ast.dump(_without_annotations(before)) != ast.dump(after)


def _without_annotations(source: str) -> ast.AST:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return tree


def _mutate(mutant: Mutant, source: str) -> str:
    after = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    assert after is not None
    return str(after)


def _mutations(source: str) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """Yield each mutation that Cosmic Ray has for the source: operator, occurrence, line and column."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(name for name in operator_names() if not get_operator(name).arguments()):
        operator, occurrence = get_operator(name)(), 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                yield name, occurrence, start
                occurrence += 1


def _copy_tree(target: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in FILES:
        shutil.copy(ROOT / name, target / name)
    return target


def _run_in_free_tree(mutant: Mutant, tests: list[str], trees: SimpleQueue[Path]) -> Outcome:
    tree = trees.get()
    try:
        return _run_mutant(mutant, tests, tree)
    finally:
        trees.put(tree)


def _run_mutant(mutant: Mutant, tests: list[str], tree: Path) -> Outcome:
    """Apply the mutant in `tree`, run the tests, and undo it."""
    path = tree / mutant.module
    before = path.read_text(encoding="utf-8")
    after = _mutate(mutant, before)
    path.write_text(after, encoding="utf-8")
    try:
        return Outcome(mutant, _test(tree, tests), " ".join(tests), _change(before, after))
    finally:
        path.write_text(before, encoding="utf-8")


def _change(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return " => ".join(line[1:].strip() for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


def _test(tree: Path, tests: list[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "timeout"
    return "survived" if done.returncode == 0 else "killed"


if __name__ == "__main__":
    main()
