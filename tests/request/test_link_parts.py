"""Link parts by reach, where lengths are known."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.report.describe import describe

DAC = {"name": "dac", "rate_gbps": 400, "price_usd": 100, "reach_m": 3, "power_w": 0.2, "media": "copper"}
SR = {"name": "sr", "rate_gbps": 400, "price_usd": 700, "reach_m": 50, "power_w": 16}
REQUEST: dict[str, Any] = {
    "gpus": 1024,
    "server": "hgx-h100",
    "switches": "qm9700",
    "family": "fat-tree",
    "tiers": 2,
    "links": [DAC, SR],
}


def parts(**words: Any) -> dict[str, str]:
    """Return the link part of each bundle."""
    return {row.used_for: row.part for row in fabric.design(REQUEST, **words).bill.of("link")}


def test_each_bundle_takes_the_cheapest_part_that_reaches() -> None:
    """Short links are copper, longer ones multimode, and what neither reaches is the catalogue's."""
    assert parts(lengths_m={"server-leaf": 3, "leaf-spine": 40}) == {"server-leaf": "dac", "leaf-spine": "sr"}
    assert parts(lengths_m={"server-leaf": 3.5, "leaf-spine": 51}) == {
        "server-leaf": "sr",
        "leaf-spine": "optical-400g",
    }
    assert parts(lengths_m=3) == {"server-leaf": "dac", "leaf-spine": "dac"}


def test_a_part_without_a_stated_reach_is_noted() -> None:
    """A length that only a part without a stated reach covers is the reader's to check."""
    study = fabric.design(REQUEST, lengths_m={"server-leaf": 3, "leaf-spine": 5000})
    notes = [note for note in describe(study).notes if "reach" in note]
    assert notes == ["The reach of optical-400g is not stated; check that it covers 5000 m (leaf-spine)."]


def test_the_cost_and_power_are_those_of_the_parts() -> None:
    """The bill adds up part by part, and is what was minimised."""
    study = fabric.design(REQUEST, lengths_m={"server-leaf": 2, "leaf-spine": 30})
    plan = study.blueprint
    below, above = (plan.links(bundle) for bundle in plan.topology.bundles)
    assert study.bill.cost_usd("link") == 100 * below + 700 * above
    assert study.proof.objective == study.bill.cost_usd()
    power = fabric.optimize(REQUEST, "power", lengths_m={"server-leaf": 2, "leaf-spine": 30})
    assert power.proof.objective == pytest.approx(power.bill.power_w)


def test_a_length_that_nothing_reaches_is_refused() -> None:
    """Where no part with a price reaches, the cost cannot be minimised, and the link is named with its length."""
    words = {"lengths_m": 40, "links": [DAC | {"rate_gbps": 100}], "link_gbps": 300}
    server = {"name": "odd", "gpus": 8, "nics": 8, "nic_gbps": 300}
    box = {"name": "box", "ports": 64, "rate_gbps": 300, "price_usd": 1000}
    with pytest.raises(fabric.InputError, match="300G link of 40 m"):
        fabric.optimize({**REQUEST, **words, "server": server, "switches": box})
