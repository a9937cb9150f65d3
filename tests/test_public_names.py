"""Every public name is documented: what it returns, and what it raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module

import pytest

PACKAGES = (
    "",
    ".flow",
    ".view",
    ".draw",
    ".export",
    ".catalog",
    ".discovery",
    ".optimizer",
    ".sweeps",
    ".testing",
    ".errors",
)
RAISES = re.compile(r"^\s+raise (InputError|Infeasible|TooLarge)\b", re.MULTILINE)


def callables(package: str) -> Iterator[tuple[str, object]]:
    """Yield each public function and class of a package by name, and the public methods of its classes."""
    module = import_module(f"fabric{package}")
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            yield name, value
        if inspect.isclass(value):
            for method, found in vars(value).items():
                function = getattr(found, "__func__", found)
                if inspect.isfunction(function) and function.__qualname__ == f"{name}.{method}" and method[0] != "_":
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_says_what_it_is_and_what_it_raises(package: str) -> None:
    """Functions, classes and methods have a docstring; where a body raises an error of ours, it says so."""
    found = list(callables(package))
    assert found
    bare = [name for name, value in found if not inspect.getdoc(value)]
    silent = [
        name
        for name, value in found
        if inspect.isfunction(value)
        and RAISES.search(inspect.getsource(value))
        and "raises" not in (inspect.getdoc(value) or "").lower()
    ]
    assert (bare, silent) == ([], [])


@pytest.mark.parametrize("package", PACKAGES)
def test_tab_completion_offers_every_public_name(package: str) -> None:
    """`dir` of a package has the names that it exports, those too that are imported when first used."""
    module = import_module(f"fabric{package}")
    assert {*module.__all__} <= {*dir(module)}
