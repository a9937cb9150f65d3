"""A fabric that grows on its site: nothing that stands is moved, and what comes later is reserved and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fabric
from fabric.export.cables import cable_batches
from fabric.layout.appliances import add_appliances
from fabric.layout.device_names import list_device_names
from fabric.layout.lay_out import lay_out
from fabric.layout.layout import Layout
from fabric.layout.wiring import Wiring
from fabric.network.expand import expand

GROWS: dict[str, Any] = {"gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700"}
REQUESTS: dict[str, dict[str, Any]] = {
    "units": {"unit_gpus": 256, "tiers": 2, "grow_to_gpus": [512, 1024], "site": {"slack_m": 2}},
    "fat-tree": {"gpus": 500, "family": "fat-tree", "tiers": 2, "grow_to_gpus": [1000]},
    "three-tiers": {"gpus": 1000, "tiers": 3, "grow_to_gpus": [2500, 4000], "site": {"layout": "end-of-row"}},
    "appliances": {
        "tiers": 2, "unit_gpus": 248, "grow_to_gpus": [496, 800],
        "appliances": [{"name": "ufm", "ports": 2, "tier": "spine"}, {"name": "box", "ports": 1, "per": "unit"}],
    },
    "network-rows": {"gpus": 1000, "tiers": 3, "grow_to_gpus": [4000], "site": {"layout": "network-rows"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=REQUESTS)
def study(request: pytest.FixtureRequest) -> fabric.Study:
    """Return a design that grows."""
    return fabric.design(GROWS | REQUESTS[request.param])


def _cables(wiring: Wiring) -> list[dict[str, Any]]:
    """Return the rows of all cables, without the numbers that count those of this wiring alone."""
    rows = [row for batch in cable_batches(wiring) for row in batch.to_pylist()]
    return [{key: value for key, value in row.items() if key not in ("cable", "trunk")} for row in rows]


def _list_positions(layout: Layout) -> list[tuple[int, ...]]:
    return list(zip(layout.hall.tolist(), layout.row.tolist(), layout.position.tolist(), strict=True))


def _places(wiring: Wiring) -> dict[str, tuple[str, int, int]]:
    layout = wiring.layout
    racks = [layout.rack_names()[rack] for rack in layout.device_rack.tolist()]
    columns = zip(racks, layout.device_unit.tolist(), layout.device_height.tolist(), strict=True)
    return dict(zip(list_device_names(layout, wiring.network), columns, strict=True))


def test_what_stands_keeps_its_place_at_every_stage(study: fabric.Study) -> None:
    """Devices and cables of each stage, whole rows with label, ports, part and length, are those of the last."""
    growth = study.grown_floor
    assert growth is not None
    places, cables = _places(growth.wiring), _cables(growth.wiring)
    for number, stage in enumerate(study.stages):
        network = expand(stage.blueprint)
        whole = add_appliances(stage.blueprint, network)
        found = growth.wiring_at(number, stage.blueprint, network)
        assert _places(found).items() <= places.items()
        assert len(_places(found)) == whole.devices
        assert _cables(found) == [row for row in cables if row["stage"] <= number]
        assert found.network.links == len(_cables(found)) == whole.links
    assert _cables(study.wiring) == [row for row in cables if row["stage"] == 0]


def test_the_links_of_a_stage_are_those_of_its_network(study: fabric.Study) -> None:
    """The rows taken from the last stage have the devices and the ports of the stage laid out for itself."""
    growth = study.grown_floor
    assert growth is not None
    whole = growth.wiring.network
    names = whole.names()
    for number, stage in enumerate(study.stages):
        network = add_appliances(stage.blueprint, expand(stage.blueprint))
        rows, own = np.flatnonzero(growth.wiring.stage <= number), network.names()
        for end in ("lower", "upper"):
            there = [names[device] for device in getattr(whole, end)[rows].tolist()]
            assert there == [own[device] for device in getattr(network, end).tolist()]
            assert np.array_equal(getattr(whole, f"{end}_port")[rows], getattr(network, f"{end}_port"))


def test_each_stage_is_listed_with_what_it_touches(study: fabric.Study) -> None:
    """Counted device by device and cable by cable, from the names alone."""
    growth = study.grown_floor
    assert growth is not None
    wirings = [
        growth.wiring_at(number, stage.blueprint, expand(stage.blueprint)) for number, stage in enumerate(study.stages)
    ]
    there: dict[str, tuple[str, int, int]] = {}
    labels: set[str] = set()
    for work, wiring in zip(growth.list_work(), wirings, strict=True):
        places, cables = _places(wiring), _cables(wiring)
        new = [row for row in cables if row["label"] not in labels]
        ends = [{row["a_device"], row["b_device"]} & there.keys() for row in new]
        racks = {place[0] for place in there.values()}
        touched = {places[name][0] for name in (places.keys() - there.keys()).union(*ends)}
        assert work.gpus == study.stages[work.stage].gpus
        assert (work.racks, work.racks_touched) == (
            len({place[0] for place in places.values()} - racks),
            len(touched & racks),
        )
        assert (work.devices, work.devices_touched) == (len(places) - len(there), len(set().union(*ends)))
        assert (work.cables, work.cables_to_old) == (len(new), sum(map(bool, ends)))
        there, labels = places, {row["label"] for row in cables}


def test_the_whole_is_laid_out_as_if_it_were_built_at_once(study: fabric.Study) -> None:
    """Positions are those of the grown fabric, power and weight those of what stands today."""
    last = study.stages[-1].blueprint
    whole = lay_out(last, study.spec.site, expand(last))
    growth = study.grown_floor
    assert growth is not None
    assert growth.wiring.layout == whole
    assert (growth.rack_stage < len(study.stages)).all()
    today = study.layout
    alone = lay_out(study.blueprint, study.spec.site, study.network)
    assert today.rack_w.sum() == pytest.approx(alone.rack_w.sum())
    standing, every = (set(_list_positions(each)) for each in (today, whole))
    assert set(map(tuple, today.reserved.tolist())) == every - standing
    assert not len(alone.reserved)
    assert (today.rack_w <= whole.rack_w[np.isin(whole.rack_names(), today.rack_names())] + 1e-6).all()


def test_the_bill_of_today_has_the_cables_of_today(study: fabric.Study) -> None:
    """Fibres by length are counted over the cables of stage 0 alone."""
    if study.bill.of("rack"):
        fibres = sum(row.quantity for row in study.bill.of("fibre", "cable"))
        assert fibres == len(np.unique(study.wiring.cable))


def test_a_fabric_that_does_not_grow_has_one_stage() -> None:
    """Every cable is of stage 0, and nothing is reserved."""
    study = fabric.design(GROWS)
    assert study.grown_floor is None
    assert study.planned_wiring is study.wiring
    assert not study.wiring.stage.any()
