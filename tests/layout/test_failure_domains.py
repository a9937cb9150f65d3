"""Failure domains against the devices and links that they take down, one by one, and against the flow model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.flow import Workload, estimate_workload
from fabric.flow.masked_estimates import MaskedEstimates
from fabric.layout.failure_domains import list_domain_kinds
from fabric.layout.routes import cross_trays_m
from fabric.report.domain_losses import summarize_losses
from fabric.studies.failure_domains import list_domain_losses

REQUESTS: list[dict[str, Any]] = [
    {"gpus": 1000, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700"},
    {"gpus": 512, "server": "dgx-h100", "family": "fat-tree", "switches": "qm8700", "tiers": 3, "link_gbps": 200},
    {"gpus": 512, "server": "dgx-h100", "family": "dragonfly", "switches": "sn5600"},
    {
        "family": "rail-optimized",
        "switches": "sn5600",
        "servers": [{"server": "hgx-h100", "count": 62}, {"server": "hgx-a100", "count": 16}],
    },
]


def lay(request: dict[str, Any], feeds: str = "row", **site: Any) -> fabric.Study:
    """Return the design of a request on a site of two halls."""
    halls = [{"name": "A", "rows": 3, "racks_per_row": 14}, {"name": "B", "rows": 4, "racks_per_row": 10}]
    return fabric.design(request, site={"feeds": feeds, "halls": halls, **site})


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("feeds", ["row", "rack"])
def test_a_domain_takes_down_what_it_serves(request_: dict[str, Any], feeds: str) -> None:
    """Links and GPUs of every feed, row and tray, counted one by one."""
    study = lay(request_, feeds)
    layout, network = study.layout, study.network
    names, spots = layout.rack_names(), layout.spots
    feed = layout.row % 2 if feeds == "row" else layout.position % 2
    gpus = [
        server.gpus
        for role, server in study.blueprint.servers_by_role.items()
        for _ in range(network.group(role).count)
    ]
    for kind in list_domain_kinds(layout, network):
        for number, name in enumerate(kind.names):
            down = []
            for low, high in zip(network.lower.tolist(), network.upper.tolist(), strict=True):
                one, other = (int(layout.device_rack[end]) for end in (low, high))
                if kind.kind == "power feed":
                    down.append("AB"[feed[one]] == name or "AB"[feed[other]] == name)
                elif kind.kind == "cross tray":
                    down.append(names[one][:3] != names[other][:3] and _crosses(layout, spots, one, other) == name)
                else:
                    touches = name in (names[one][:3], names[other][:3])
                    down.append(touches and (kind.kind == "row" or one != other))
            assert kind.links_down(number).tolist() == down
            assert kind.count_links()[number] == sum(down)
            left = np.bincount(network.lower[~np.array(down)], minlength=network.devices)[: network.server_count]
            assert kind.count_gpus(study.blueprint, network)[number] == np.array(gpus)[left == 0].sum()


def _crosses(layout: Any, spots: Any, one: int, other: int) -> str:
    """Return the first of the cross trays by which the way between two racks is shortest."""
    found = []
    for rack in (one, other):
        hall = layout.halls[layout.hall[rack]]
        for at in cross_trays_m(layout.site, hall):
            way = abs(spots.x_m[one] - at) + abs(spots.x_m[other] - at)
            found.append((round(float(way), 6), f"{hall.name} at {at - hall.x_m:g} m"))
    least = min(way for way, _ in found)
    names = [name for way, name in found if way == least]
    return names[0] if len(set(names)) == 1 else _first_by_tray(layout, spots, one, other, least)


def _first_by_tray(layout: Any, spots: Any, one: int, other: int, least: float) -> str:
    """Return the first shortest one in the order in which they are tried: those of the lower end's hall first."""
    for rack in (one, other):
        hall = layout.halls[layout.hall[rack]]
        for at in cross_trays_m(layout.site, hall):
            if round(float(abs(spots.x_m[one] - at) + abs(spots.x_m[other] - at)), 6) == least:
                return f"{hall.name} at {at - hall.x_m:g} m"
    raise AssertionError


@pytest.mark.parametrize("request_", REQUESTS[:2])
def test_losses_are_those_of_the_flow_model(request_: dict[str, Any]) -> None:
    """GPUs cut off are those without which the flow model runs; racks on both feeds lose nothing with one."""
    study = lay(request_, "both")
    losses = list_domain_losses(study)
    estimates = MaskedEstimates.of(study.blueprint, Workload(), 2**30)
    kinds = {kind.kind: kind for kind in list_domain_kinds(study.layout, study.network)}
    assert {loss.kind for loss in losses} == set(kinds)
    for loss in losses:
        kind = kinds[loss.kind]
        kept = estimates.keep(~kind.links_down(kind.names.index(loss.name)))
        assert loss.share == kept.share
        assert loss.gpus == kept.gpus_lost
        if loss.kind == "power feed":
            assert (loss.gpus, loss.links, loss.share) == (0, 0, 1.0)


def test_a_rack_of_spines_is_lost_as_its_spines_by_name_are() -> None:
    """Without a rack in a row of spines the flow model keeps what it keeps without these switches by name."""
    places = {"spine": "hall B row 1 racks 1-9"}
    rack = {"server": {"units": 42}, "network": {"units": 8}}
    study = lay(REQUESTS[0], places=places, rack=rack)
    spines = study.network.group("spine")
    racks = study.layout.device_rack[spines.first :][: spines.count]
    assert set(study.layout.row[racks].tolist()) == {0}
    kind = next(each for each in list_domain_kinds(study.layout, study.network) if each.kind == "row")
    down = kind.links_down(kind.names.index("B01"))
    first = np.unique(racks)[:1]
    some = np.isin(study.network.upper, spines.first + np.flatnonzero(np.isin(racks, first)))
    names = tuple(study.network.name(int(row)) for row in spines.first + np.flatnonzero(np.isin(racks, first)))
    assert (some <= down).all()
    by_mask = MaskedEstimates.of(study.blueprint, Workload(), 2**30)
    healthy = estimate_workload(study.blueprint, Workload(engine="flows"), [2**30])
    left = estimate_workload(study.blueprint, Workload(failures=names), [2**30])
    share = healthy[0][0].estimate.time_s / left[0][0].estimate.time_s
    assert by_mask.keep(~some).share == pytest.approx(share)
    assert share < 1


def test_the_command_lists_losses(tmp_path: Any) -> None:
    """The table has every kind, and JSON the same numbers."""
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps(REQUESTS[0] | {"site": {"feeds": "row"}}))
    shown = CliRunner().invoke(cli, ["layout", str(file), "--lost"])
    assert shown.exit_code == 0, shown.output
    for kind in ("power feed (of 2)", "row (of ", "tray of a row (of ", "cross tray (of "):
        assert kind in shown.output
    assert "over the GPUs left, by explicit flows." in " ".join(shown.output.split())
    found = json.loads(CliRunner().invoke(cli, ["layout", str(file), "--lost", "--json"]).stdout)["lost"]
    assert found == [
        {"kind": loss.kind, "name": loss.name, "of_kind": loss.of_kind, "gpus": loss.gpus, "links": loss.links,
         "allreduce_share": loss.share, "engine": "explicit flows"}
        for loss in list_domain_losses(fabric.design(file))
    ]  # fmt: skip


def test_what_is_too_large_is_said_and_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where flows would take too long the GPUs and links are still counted, and no share is given."""
    monkeypatch.setenv("FABRIC_MINUTES", "0.0001")
    study = lay(REQUESTS[0])
    losses = list_domain_losses(study)
    assert {(loss.share, loss.engine) for loss in losses} == {(None, "")}
    assert any(loss.gpus for loss in losses)
    told = " ".join(summarize_losses(study, losses).lines)
    assert "The all-reduce is not estimated." in told
    assert "FABRIC_MINUTES=" in told
    assert "; take fewer GPUs." in told
    monkeypatch.delenv("FABRIC_MINUTES")
    monkeypatch.setattr("fabric.studies.failure_domains.MOST_GPUS", 999)
    losses = list_domain_losses(study)
    assert {loss.share for loss in losses} == {None}
    assert "it is estimated up to 999 GPUs." in " ".join(summarize_losses(study, losses).lines)
