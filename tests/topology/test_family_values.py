"""Families passed as values, and forms whose counts name a size that they do not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import fabric
from fabric.errors import InputError
from fabric.studies.family_comparison import compare_families
from fabric.testing import check_family
from fabric.topology.families import DIRECT, FAMILIES, Family
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import count

ASKED: dict[str, Any] = {"gpus": 512, "server": "hgx-h100", "switches": "sn5600"}


def halls(name: str = "two-halls", switch: str = "agg") -> Family:
    """Return a family of three tiers that no registry has."""
    formula = f"server(hall, block, slot) - leaf(hall, block) - {switch}(hall, {switch}) - core(core)"
    return Family.of(name, "halls that meet at the cores", formula, reference="this test")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Forget the family afterwards."""
    yield
    FAMILIES.remove("two-halls")


def test_a_family_passed_as_a_value_is_designed() -> None:
    """As a keyword, in a mapping, in a list beside names, and in a comparison of families."""
    family = halls()
    studies = [
        fabric.design(family=family, **ASKED),
        fabric.design({**ASKED, "family": family}),
        fabric.design(ASKED, family=[family]),
        fabric.scale(ASKED, [512], family=family, routings=["adaptive"]).studies[0],
        compare_families(ASKED, [family])[0].study,
    ]
    assert {study.blueprint.topology.family for study in studies if study} == {"two-halls"}
    assert all(study and study.blueprint == studies[0].blueprint for study in studies)
    assert fabric.design(ASKED, family=[family, "fat-tree"]).spec.families == ("two-halls", "fat-tree")


def test_a_value_is_replaced_by_the_next_of_its_name_but_no_known_family_is() -> None:
    """A cell of a notebook may run again; a built-in or added family keeps its name."""
    fabric.design(family=halls(), **ASKED)
    changed = fabric.design(family=halls(switch="middle"), **ASKED)
    assert changed.blueprint.topology.roles == ("leaf", "middle", "core")
    with pytest.raises(InputError, match="the family 'fat-tree' exists already; give yours another name"):
        fabric.design(family=halls("fat-tree"), **ASKED)
    FAMILIES.remove("two-halls")
    FAMILIES.add(halls())
    with pytest.raises(InputError, match="the family 'two-halls' exists already"):
        fabric.design(family=halls(switch="middle"), **ASKED)
    fabric.design(family=FAMILIES["fat-tree"], **ASKED)


@pytest.mark.parametrize("family", [family for family in DIRECT if family.name in ("slim-fly", "torus", "dragonfly")])
def test_an_unknown_size_in_a_form_is_named(family: Family) -> None:
    """A count of a size that the form does not have is refused where it is written, with the nearest that it has."""
    form = family.forms[0]
    assert isinstance(form, GraphForm)
    *others, last = form.bundles
    with pytest.raises(
        InputError, match=f"family {family.name}: the links of {last.name}: unknown size 'slots'.*'slot'"
    ):
        replace(form, bundles=(*others, replace(last, total=count("slots nic"))))
    with pytest.raises(InputError, match="the capacity: unknown size 'slotz'; did you mean 'slot'"):
        check_family(replace(family, forms=(replace(form, sizing=replace(form.sizing, capacity=count("slotz"))),)))
