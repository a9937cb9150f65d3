"""The roles, bundles and axes that a request may name are those of the families, another package's among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import fabric
from fabric.topology.families import FAMILIES, Family, known_names
from tests.request_fixtures import Run, mistakes_of

AGG = Family.of("agg-pods", "", "server(block, slot) - leaf(block, stripe) - agg(agg)", reference="")
BASE = {"name": "mine", "gpus": 512, "server": "hgx-h100", "family": "agg-pods", "switches": "qm9700"}
BY_NAME: dict[str, dict[str, Any]] = {
    "switches": {"leaf": "qm9700", "agg": "qm8700"},
    "link_price_usd": {"leaf-agg": 100},
    "lengths_m": {"leaf-agg": 30},
    "oversubscription": {"leaf": 2},
    "reserve": {"agg": 2},
    "survive": {"agg": 0.5},
    "pinned": {"leaf-agg": 2, "agg": 9},
    "expected": {"agg": 9, "leaf-agg": {"value": 300, "within": 0.5}, "switches.by_role.agg.count": 9, "axes.agg": 9},
}
"""What a request may say of a family with a role `agg`, in every key that takes names."""


@pytest.fixture(autouse=True)
def agg_pods() -> Iterator[None]:
    """Register a family whose upper role is called `agg`."""
    FAMILIES.add(AGG)
    yield
    FAMILIES.remove(AGG.name)


def test_the_names_are_those_of_every_registered_family() -> None:
    """A role, a bundle and an axis are known as soon as their family is; only roles with links up have ratios."""
    names = known_names()
    assert names.roles == ("leaf", "spine", "core", "super", "agg")
    assert names.uplink_roles == ("leaf", "spine", "core")
    assert {"leaf-agg", "leaf-spine", "leaf-global"} <= set(names.bundles)
    assert {"agg", "pod", "x"} <= set(names.axes)


def test_a_role_of_another_package_is_a_name_in_every_key(tmp_path: Path, run: Run) -> None:
    """Every key that takes tiers, bundles or axes takes those of another package's family, from file to result."""
    request = tmp_path / "mine.yaml"
    request.write_text(yaml.safe_dump({**BASE, **BY_NAME, "switches": {"leaf": "qm9700", "agg": "qm9700"}}))
    code, out, err = run("-q", "design", request, "--json")
    assert code == 0, err
    design = json.loads(out)
    assert (design["family"], design["optimizer"]["status"]) == ("agg-pods", "OPTIMAL")
    assert list(design["switches"]["by_role"]) == ["leaf", "agg"]
    assert {row["key"] for row in design["expected"]} == set(BY_NAME["expected"])
    assert design["survives"]["agg"] >= 0.5


def test_every_key_takes_effect_on_such_a_role() -> None:
    """Models, prices, ratios, free ports and pins of the role are those of the fabric that is built."""
    base = fabric.design(**BASE)
    plan = base.blueprint
    links = plan.links(plan.topology.bundles[1])
    cheap = fabric.design(BASE, link_price_usd={"leaf-agg": 100, "server-leaf": 1240})
    assert cheap.bill.cost_usd() == base.bill.cost_usd() - 1140 * links
    other = fabric.design(BASE, switches=BY_NAME["switches"], link_gbps=200).blueprint
    assert [model.name for model, _ in other.model_counts("agg")] == ["qm8700"]
    assert fabric.design(BASE, oversubscription={"leaf": 2}).blueprint.devices("agg") < plan.devices("agg")
    spare = fabric.design(BASE, reserve={"agg": 2}).blueprint
    assert spare.ports_down("agg") <= 62 < plan.ports_down("agg")
    assert fabric.design(BASE, pinned=BY_NAME["pinned"]).blueprint.sizes["leaf-agg"] == 2
    assert fabric.design(BASE, survive={"agg": 0.9}).blueprint.devices("agg") >= 10 > plan.devices("agg")
    assert fabric.design(BASE, lengths_m={"leaf-agg": 30}).bill.cost_usd() == base.bill.cost_usd()


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    """No key takes a name that no family has; the answer is the nearest name of the kind."""
    for key, names in BY_NAME.items():
        for name, value in names.items():
            if "agg" in name:
                wrong = name.replace("agg", "agh")
                (mistake,) = mistakes_of(BASE, **{key: {wrong: value}})
                assert mistake.startswith(f"{key}.{wrong}: "), mistake
                assert mistake.endswith(f"did you mean '{name}'?"), mistake
    (mistake,) = mistakes_of(BASE, oversubscription={"agg": 2})
    assert mistake == "oversubscription.agg: unknown tier with uplinks 'agg'; known: core, leaf, spine"


def test_a_tier_without_a_switch_is_named_by_its_own_role() -> None:
    """Switches by tier must suffice for a topology that is allowed, whatever its roles are called."""
    (mistake,) = mistakes_of(BASE, switches={"leaf": "qm9700", "spine": "qm9700"})
    assert mistake == "switches: a fabric of 2 tiers also needs a switch for agg"
