"""Racks that are alike: every rack belongs to one filling, which is what stands in it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.layout.lay_out import lay_out
from fabric.layout.rack_fillings import RackItem, list_rack_fillings
from fabric.network.expand import expand
from fabric.request.site import Site
from tests.draw.fabrics import FORMS, random_blueprint
from tests.marks import slow


def models(blueprint: Blueprint) -> list[str]:
    """Return the model of every device, in the order of the network."""
    found = [blueprint.server.name] * blueprint.servers
    for role in blueprint.topology.roles:
        for model, count in blueprint.model_counts(role):
            found += [model.name] * count
    return found


@pytest.mark.parametrize("seed", [1, *slow(0, 2)])
def test_every_rack_is_of_one_filling(seed: int) -> None:
    """Device by device: each rack holds the items of its filling, no rack unit twice and none above its top."""
    for form in FORMS:
        blueprint = random_blueprint(form, Random(f"{form.text} {seed}"))
        network = expand(blueprint)
        layout = lay_out(blueprint, Site(), network)
        columns = zip(
            network.role.tolist(), models(blueprint), layout.device_unit.tolist(), layout.device_height.tolist(),
            strict=True,
        )  # fmt: skip
        items = [RackItem(network.groups[role].role, model, unit, height) for role, model, unit, height in columns]
        inside: list[list[RackItem]] = [[] for _ in range(layout.racks)]
        for item, rack in zip(items, layout.device_rack.tolist(), strict=True):
            inside[rack].append(item)
        fillings = list_rack_fillings(blueprint, layout)
        assert sorted(rack for one in fillings for rack in one.racks) == list(range(layout.racks))
        assert len({one.items for one in fillings}) == len(fillings)
        for one in fillings:
            for rack in one.racks:
                assert sorted(inside[rack], key=lambda item: item.unit) == list(one.items)
            taken = [unit for item in one.items for unit in range(item.unit, item.unit + item.height)]
            assert len(taken) == len(set(taken)) == one.used_units
            assert max(taken) <= layout.rack_kind(one.racks[0]).units


def test_the_racks_of_a_published_unit() -> None:
    """H100: 32 racks of 4 servers of 8 rack units, 4 of 8 leaves, 1 of 16 spines."""
    study = fabric.design("superpod-h100-4su")
    found = list_rack_fillings(study.blueprint, study.layout)
    assert [(len(one.racks), len(one.items), one.items[0].role) for one in found] == [
        (32, 4, "server"), (4, 8, "leaf"), (1, 16, "spine"),
    ]  # fmt: skip
    assert [item.unit for item in found[0].items] == [1, 9, 17, 25]
    assert np.isin(found[1].racks, np.flatnonzero(~study.layout.holds_servers)).all()


def test_a_server_that_is_a_rack_has_no_limits() -> None:
    """An NVL72 rack brings its own power; the network racks beside it have the site's limits."""
    layout = fabric.design("examples/superpod-gb200.yaml").layout
    limits = {bool(layout.holds_servers[rack]): layout.rack_limits(rack) for rack in range(layout.racks)}
    assert limits[True] == (None, None)
    assert limits[False][0] == layout.site.racks["network"].most_kw
