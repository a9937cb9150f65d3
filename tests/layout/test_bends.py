"""Bends of cables, against the racks at both ends of every cable."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.layout.bends import Bend, list_bends
from fabric.report.trunk_lines import describe_bends


def wire(**site: Any) -> fabric.Study:
    """Return a unit of 32 servers whose leaf rack is in the middle, on a site of these keys."""
    return fabric.design("superpod-h100-1su", site=site)


def bends_of(study: fabric.Study) -> dict[tuple[str, str], Bend]:
    """Return the bends of a study by place and bundle."""
    return {(bend.where, bend.bundle): bend for bend in list_bends(study.wiring)}


def test_cables_are_bent_where_they_lead() -> None:
    """Cables to servers leave their rack; those from leaves to spines stay in the network rack, and take no tray."""
    found = bends_of(wire())
    counts = {key: bend.cables for key, bend in found.items()}
    assert counts == {
        ("tray", "server-leaf"): 256,
        ("server", "server-leaf"): 256,
        ("network", "server-leaf"): 256,
        ("network", "leaf-spine"): 256,
    }
    assert {bend.too_tight for bend in found.values()} == {None}
    assert found["tray", "server-leaf"].least_mm == 75
    assert found["network", "leaf-spine"].least_mm == 60


@pytest.mark.parametrize(("turn", "tight"), [(74.9, True), (75, False), (200, False)])
def test_a_tray_may_not_turn_more_tightly_than_its_cables(turn: float, tight: bool) -> None:
    """Fibre of 3 mm needs 25 diameters, 75 mm."""
    study = wire(trays={"bend_radius_mm": turn})
    assert bends_of(study)["tray", "server-leaf"].too_tight is tight
    text = " ".join(describe_bends(study.wiring))
    assert ("Too tight: 256 cables server-leaf (optical-400g) may not be bent below 75 mm" in text) is tight
    assert "not checked in server racks and network racks:" in text


def test_each_kind_of_rack_has_its_bend() -> None:
    """The network racks alone turn cables too tightly; a thinner cable may be bent further."""
    rack = {"network": {"bend_radius_mm": 50}, "server": {"bend_radius_mm": 60}}
    tight = {key for key, bend in bends_of(wire(rack=rack)).items() if bend.too_tight}
    assert tight == {("network", "server-leaf"), ("network", "leaf-spine")}
    thin = bends_of(wire(rack=rack, diameters_mm={"optical-400g": 2.5}))
    assert not any(bend.too_tight for bend in thin.values())


def test_a_cable_of_unknown_diameter_is_not_checked() -> None:
    """It is named, whatever the site states."""
    links = [{"name": "own", "media": "rj45", "rate_gbps": 400, "reach_m": 90, "price_usd": 10}]
    site = {"trays": {"bend_radius_mm": 10}, "rack": {"bend_radius_mm": 10}}
    study = fabric.design("superpod-h100-1su", links=links, optics=["own"], site=site)
    assert list(describe_bends(study.wiring)) == [
        "Bends not checked, diameters not known: own (key site.diameters_mm)."
    ]
