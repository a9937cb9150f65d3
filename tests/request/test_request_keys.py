"""The keys of a request as keyword arguments: those of the model, completed by editors and checked by mypy."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import fabric
from fabric.catalog import Server, Switch
from fabric.request.model import Request
from fabric.request.request_keys import Number, RequestKeys, Whole
from fabric.topology.family import Family

ROOT = Path(__file__).parent.parent.parent
DOORS = [fabric.read, fabric.design, fabric.optimize, fabric.pareto, fabric.scale, fabric.cluster]

HINTS = get_type_hints(RequestKeys, localns={"Server": Server, "Switch": Switch, "Family": Family})


def test_the_keyword_arguments_are_the_keys_of_the_model() -> None:
    """Every key of a request that can be a name of Python is one, and nothing else is."""
    assert set(HINTS) == {key for key, field in Request.model_fields.items() if field.alias is None}


def accepts(kind: Any, value: Any) -> bool:
    """Say whether a value is of a type, as far as a request's keys have them."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if kind in (Whole, Number):
        return isinstance(value, kind) and not isinstance(value, str)
    if origin is Literal:
        return value in inner
    if origin is not None and not isinstance(origin, type):
        return any(accepts(each, value) for each in inner)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return isinstance(value, dict) and all(
            accepts(inner[0], key) and accepts(inner[1], each) for key, each in value.items()
        )
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, list) and all(accepts(inner[0], each) for each in value)
    if inner:
        return any(accepts(each, value) for each in inner)
    return isinstance(value, kind)


@pytest.mark.parametrize("key", HINTS)
def test_the_type_of_a_key_takes_its_examples_and_its_default(key: str) -> None:
    """What the model gives as examples and as default of a key is of the type of the keyword, and the read value is."""
    field = Request.model_fields[key]
    values = [*(field.examples or []), *([] if field.is_required() else [field.default])]
    plain = [value.model_dump() if hasattr(value, "model_dump") else value for value in values]
    assert [value for value in plain if not accepts(HINTS[key], value)] == []
    assert not accepts(HINTS[key], object())


@pytest.mark.parametrize("name", ["colossus-100k", "superpod-h100-1su", "deepseek-mpft"])
def test_the_types_take_whole_requests(name: str) -> None:
    """The keys of shipped designs, with all defaults, are of the types of the keywords."""
    request = fabric.read(name).to_dict()
    assert [key for key, value in request.items() if key in HINTS and not accepts(HINTS[key], value)] == []


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_signatures_list_the_keys(door: Callable[..., Any]) -> None:
    """`help` and completion see each key once, as a keyword that may be left out."""
    parameters = inspect.signature(door).parameters
    assert set(HINTS) <= set(parameters)
    keys = [each for key, each in parameters.items() if key in HINTS and key != "gpus"]
    assert {each.kind for each in keys} == {inspect.Parameter.KEYWORD_ONLY}
    assert {repr(each.default) for each in keys} == {"..."}


@pytest.mark.parametrize("jedi", [False, True])
def test_ipython_completes_names_submodules_and_keys(jedi: bool) -> None:
    """After `fabric.` come the public names and submodules, and in a call the keys of a request."""
    shell = InteractiveShell.instance()
    shell.user_ns["fabric"] = fabric
    shell.Completer.use_jedi = jedi

    def complete(line: str) -> set[str]:
        with provisionalcompleter():
            return {each.text.lstrip(".") for each in shell.Completer.completions(line, len(line))}

    assert {"flow", "draw", "design", "Study"} <= complete("fabric.")
    assert "gpus=" in complete("fabric.design(gpu")
    assert "oversubscription=" in complete("fabric.optimize('colossus-100k', over")


USE = """
import numpy as np
import fabric

fabric.design(gpus=3, server="hgx-h100", planes="any", tiers=[2, 3])
fabric.design("colossus-100k", gpus=np.int64(3), oversubscription=np.float32(2), switches=["sn5600", "qm9700"])
fabric.scale("colossus-100k", [1024, 2048], planes=2)
fabric.read({"gpus": 3}, limits={"hops": 3}).to_dict()
fabric.flow.Workload()
study: fabric.Study = fabric.optimize("colossus-100k", "cost", prices_usd={"sn5600": 1.5})
study.diagram("tiers").axes, study.plot().axes
"""
MISUSE = ["design(gpu=3)", 'design(gpus="3")', 'design(planes="all")', 'read(mix="both")', 'scale("x", [1], size=3)']


def test_mypy_takes_the_keys_and_catches_mistakes(tmp_path: Path) -> None:
    """A wrong name, a number that is text, and an unknown choice are found before a program runs; right ones pass."""
    (tmp_path / "right.py").write_text(USE)
    (tmp_path / "wrong.py").write_text("import fabric\n" + "".join(f"fabric.{line}\n" for line in MISUSE))
    files = [str(tmp_path / name) for name in ("right.py", "wrong.py")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "setup.cfg", *files],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = {line.partition(" error:")[0].rpartition("/")[2] for line in done.stdout.splitlines() if " error:" in line}
    assert lines == {f"wrong.py:{2 + number}:" for number in range(len(MISUSE))}, done.stdout


def test_a_wrong_key_is_refused_at_run_time_too() -> None:
    """The message names the nearest key; a whole number of numpy is what Python's is."""
    with pytest.raises(fabric.InputError, match="gpu: unknown key; did you mean 'gpus'"):
        fabric.design(gpu=3)  # type: ignore[call-arg]
    assert fabric.read("superpod-h100-1su", gpus=np.int64(64)).gpus == 64
