"""Truths about ports: connected now, when full, and free."""

from __future__ import annotations

from random import Random

import pytest

import fabric
from fabric.blueprint.port_use import port_use
from fabric.network.expand import expand
from fabric.report.describe import describe, describe_json
from fabric.testing import random_blueprint
from tests.draw.fabrics import BALANCED_FORMS, FORMS

GROWS = {"gpus": 256, "server": "dgx-h100", "switches": "qm9700", "unit_gpus": 256, "tiers": 2}
"""A SuperPOD of one unit."""


@pytest.mark.parametrize(
    "form", [*FORMS, *BALANCED_FORMS], ids=lambda form: f"{form.family}-{form.tiers}-{len(form.balanced_bundles)}"
)
def test_ports_in_use_are_the_ends_of_links(form: object) -> None:
    """Of every form the ports connected now are the degrees of the network's switches, and no more than when full."""
    for seed in range(5):
        blueprint = random_blueprint(form, Random(seed))
        network = expand(blueprint)
        for role in blueprint.topology.roles:
            group, use = network.group(role), port_use(blueprint, role)
            degrees = network.degrees()[group.first : group.first + group.count]
            assert (use.least, use.most, use.total) == (degrees.min(), degrees.max(), degrees.sum())
            assert use.most <= use.full
            assert use.free == blueprint.radix(role) * group.count - use.total


def test_a_spine_bought_for_four_units_is_three_quarters_free() -> None:
    """The spine of one unit that grows to four shows 16 ports now, 64 when full, and 48 on each of 16 spines free."""
    found = describe_json(fabric.design(GROWS, grow_to_gpus=1024))["switches"]["by_role"]
    assert found["spine"]["ports_now"] == {"min": 16, "max": 16, "total": 256}
    assert (found["spine"]["ports_full"], found["spine"]["ports_free"]) == (64, 16 * 48)
    assert (found["leaf"]["ports_full"], found["leaf"]["ports_free"]) == (64, 0)


@pytest.mark.parametrize(("words", "full"), [({}, True), ({"gpus": 248}, False), ({"reserve": 2}, False)])
def test_leaves_without_a_free_port_are_told(words: dict[str, object], full: bool) -> None:
    """A full SuperPOD says that no port is left for UFM; with one server fewer, or ports in reserve, one is."""
    notes = describe(fabric.design(GROWS | words | ({"unit_gpus": None} if "reserve" in words else {}))).notes
    assert any(note.startswith("Every leaf and spine port is in use") for note in notes) == full
