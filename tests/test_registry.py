"""Registries refuse records that could not be asked for, or would fail later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fabric.errors import InputError
from fabric.export import FORMATS, Format
from fabric.registry import Registry
from fabric.topology.families import FAMILIES


@dataclass(frozen=True)
class Colour:
    """A record."""

    name: Any


def colours() -> Registry[Colour]:
    """Return a registry of one colour, in which another word is reserved."""
    return Registry("colour", "colours", Colour, lambda: (Colour("red"),), reserved=("any",))


@pytest.mark.parametrize("name", ["", "a,b", "a b", "--level", "x\n\x1b[31m", 7, None, "x=1"])
def test_a_name_that_no_list_can_hold_is_refused(name: object) -> None:
    """A name is text without spaces, commas or control characters, and doesn't look like an option."""
    registry = colours()
    with pytest.raises(InputError, match="is not valid; use letters"):
        registry.add(Colour(name))
    assert list(registry) == ["red"]


def test_a_record_of_another_class_is_refused() -> None:
    """What is not a record of the registry is refused when it is added."""
    for record in ("red", Colour, None, FORMATS["dot"]):
        with pytest.raises(InputError, match="is not a Colour"):
            colours().add(record)  # type: ignore[arg-type]


def test_a_name_that_is_taken_or_reserved_is_refused() -> None:
    """A record hides neither another one nor a word that asks for something else."""
    with pytest.raises(InputError, match="the colour 'red' exists already"):
        colours().add(Colour("red"))
    with pytest.raises(InputError, match="the name 'any' is reserved"):
        colours().add(Colour("any"))
    for word in ("any", "clos", "direct"):
        with pytest.raises(InputError, match="is reserved"):
            FAMILIES.add(replace(FAMILIES["fat-tree"], name=word))


@pytest.mark.parametrize("suffixes", [".csv", ("csv",), (".CSV",), (".",), (3,), None])
def test_a_format_with_suffixes_that_no_file_matches_is_refused(suffixes: Any) -> None:
    """The suffixes of a format are a tuple, each in lower case with its dot."""
    with pytest.raises(InputError, match="not a tuple of suffixes"):
        Format("mine", suffixes, "", "", lambda _: iter(()))
