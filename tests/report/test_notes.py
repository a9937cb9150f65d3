"""The notes on a design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fabric
from fabric.export.simgrid import to_simgrid
from fabric.report.describe import describe, describe_json
from fabric.report.notes import list_notes
from tests.request_fixtures import Run

GAUDI: dict[str, Any] = {"gpus": 512, "server": "gaudi3", "rails": 3, "family": "rail-only", "switches": "sn5600"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            {},
            "leaf-spine links are at their limit: limits.parallel_links = 16 native ports per pair, 64 links of 200G.",
        ),
        ({"limits": {"parallel_links": 17}}, None),
        (
            {"gpus": 1024, "server": "hgx-h100", "rails": 8, "switches": "qm9700", "limits": {"parallel_links": 2}},
            "The leaf-spine links are at their limit: limits.parallel_links = 2 per pair.",
        ),
        (  # A third link of a pair would need half of a cable between twin-port cages.
            {
                "gpus": 1024,
                "server": "hgx-h100",
                "rails": 8,
                "switches": "qm9700",
                "limits": {"parallel_links": 3},
                "family": "rail-optimized",
                "media": {"leaf-spine": "dac"},
                "lengths_m": {"leaf-spine": 2},
            },
            "The leaf-spine links are at their limit: limits.parallel_links = 3 per pair.",
        ),
    ],
)
def test_a_pair_at_its_limit_is_told_in_native_ports(words: dict[str, Any], text: str | None) -> None:
    """Where links are split, the note has the ports, which are limited, and the links."""
    notes = [note for note in list_notes(fabric.design({**GAUDI, **words})) if "parallel_links" in note]
    assert [text in note for note in notes if text] == ([True] if text else [])
    assert bool(notes) == bool(text)


def test_a_bundle_without_links_is_at_no_limit() -> None:
    """A HyperX axis of one switch has no links, so it has no parallel ones either."""
    words = {"gpus": 64, "server": {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 100}, "family": "hyperx"}
    words |= {"switches": {"name": "r", "ports": 32, "rate_gbps": 100, "price_usd": 1}, "link_price_usd": 1}
    study = fabric.design(words | {"pinned": {"x": 1, "y": 1}})
    assert [describe_json(study)["copies"][name] for name in ("leaf-x", "leaf-y")] == [0, 0]
    assert not [note for note in list_notes(study) if "parallel_links" in note]


@pytest.mark.parametrize(("gpus", "said"), [(8, True), (1, False)])
def test_times_without_a_known_nvlink_are_told(gpus: int, said: bool, run: Run, tmp_path: Path) -> None:
    """An estimate leaves out an NVLink of unknown bandwidth, and says so; a server of one GPU has none."""
    box = {"name": "box", "gpus": gpus, "nics": gpus, "nic_gbps": 400}
    words = {"name": "x", "gpus": 64, "family": "fat-tree", "switches": "qm9700", "server": box}
    text, file = "The NVLink bandwidth of box is not known", tmp_path / "x.json"
    file.write_text(json.dumps(words))
    assert any(text in note for note in list_notes(fabric.design(words))) is said
    for command in ("allreduce", "scale"):
        code, printed, _ = run(command, file)
        assert code == 0
        assert (text in " ".join(printed.split())) is said
    known = fabric.design({**words, "server": {**box, "nvlink_GBps": 450}})
    assert not [note for note in list_notes(known) if "NVLink bandwidth" in note]


def test_a_platform_without_a_known_nvlink_says_so() -> None:
    """The file for SimGrid tells in a comment that NVLink limits nothing where its bandwidth is not known."""
    words = {"name": "x", "gpus": 16, "family": "fat-tree", "switches": "qm9700"}
    unknown = fabric.design(words, server={"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400})
    assert "<!-- The NVLink bandwidth" in to_simgrid(unknown.blueprint)
    assert "<!--" not in to_simgrid(fabric.design(words, server="dgx-h100").blueprint)


def test_whole_modules_that_exceed_a_limit_are_told() -> None:
    """Of 31 links up a leaf's last module is half used: the limits that the shares keep to, the bill does not."""
    asked = {"gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 248}
    asked |= {"switches": "qm9700", "prices_usd": {"osfp-2xsr4": 900, "mpo12-mmf": 40}}
    asked |= {"years": 5, "electricity_usd_per_kwh": 0.1}
    free = fabric.design(asked)
    cost, rounding = free.bill.cost_usd() or 0, free.bill.rounding_usd or 0
    assert cost == free.proof.objective + rounding
    assert rounding == 4 * 900
    limited = fabric.design(asked, limits={"cost_usd": cost - rounding, "total_cost_usd": 941_000, "power_w": 16_530})
    notes = [note for note in list_notes(limited) if note.startswith("With whole modules")]
    assert [note.partition(", above ")[2].partition(":")[0] for note in notes] == [
        "limits.cost_usd, $868,200", "limits.total_cost_usd, $941,000", "limits.power_w, 16.53 kW",
    ]  # fmt: skip
    assert "the maximum power is 16.58 kW" in notes[-1]
    assert (free.bill.electricity_usd or 0) == pytest.approx((free.bill.power_w or 0) / 1000 * 0.1 * 5 * 8766)
    assert not [note for note in list_notes(free) if note.startswith("With whole modules")]


def test_what_may_not_fit_or_reach_is_told() -> None:
    """The cage of an HGX box is the vendor's, and copper is short: the notes name the parts, not just the rate."""
    words = {"gpus": 256, "family": "rail-optimized", "switches": "qm9700", "media": "dac", "tiers": 2}
    notes = list(list_notes(fabric.design(words, server="hgx-h100", lengths_m={"leaf-spine": 2})))
    for text in (
        "dac-split-2x400g and dac-osfp-2x400g have no price, so switches, then links, were minimised instead of cost.",
        "The power is unknown: no figure for dac-split-2x400g.",
        "The form factor of the cages of hgx-h100 is not known, so dac-split-2x400g may not fit.",
    ):
        assert text in notes
    reach = "(dac-split-2x400g), which reaches 3 m at most; with `lengths_m` only parts that reach are taken."
    assert f"The server-leaf links are passive copper cable {reach}" in notes
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "cage": "osfp"}
    told = list(list_notes(fabric.design(words, server=box, lengths_m=2)))
    assert not [note for note in told if "form factor" in note or "copper" in note]


def test_a_bill_says_of_which_parts_the_power_is_not_known(run: Run) -> None:
    """A maximum that is not known is no maximum, and a sum without a figure names the part."""
    words = ["bill", "superpod-h100-1su"]
    _, printed, _ = run(*words)
    known = (
        "16.64 kW typical, maximum 16.64 kW, at the typical power of qm9700, optical-400g, whose maximum is not known."
    )
    assert known in " ".join(printed.split())
    _, printed, _ = run(*words, "--switches", "qm9790")
    assert "Power without servers: unknown; no figure for qm9790." in printed


def test_times_of_too_many_unlike_servers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where flows of all NICs would take minutes, the design has no times, and a note says so."""
    storage = {"name": "storage", "gpus": 0, "nics": 2, "nic_gbps": 400}
    servers = [{"server": "hgx-h100", "count": 8}, {"server": storage, "count": 2}]
    study = fabric.design(servers=servers, switches="sn5600", family="fat-tree")
    assert describe(study).allreduce
    monkeypatch.setattr("fabric.report.unlike_servers.MOST_NICS", 67)
    design = describe(study)
    assert (study.blueprint.nics, design.allreduce) == (68, ())
    assert any("here one for each of 68 NICs" in note for note in design.notes)


@pytest.mark.parametrize(("servers", "said"), [(40, True), (52, False)])
def test_one_switch_is_suggested_by_the_ports_that_servers_may_use(servers: int, said: bool) -> None:
    """48 x 100G and 8 x 400G have ports for 48 NICs: no server uses an uplink."""
    leaf = {"name": "tor", "ports": 48, "rate_gbps": 100, "uplinks": 8, "uplink_gbps": 400, "price_usd": 9}
    words = {"gpus": servers, "server": {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 100}, "unit_gpus": 26}
    spine = {"name": "agg", "ports": 32, "rate_gbps": 400, "price_usd": 9}
    study = fabric.design(words, family="fat-tree", tiers=2, link_price_usd=1, switches={"leaf": leaf, "spine": spine})
    assert any("per plane has ports for all" in note for note in list_notes(study)) == said


@pytest.mark.parametrize(("count", "said"), [(4, True), (16, False)])
def test_one_switch_is_suggested_where_it_holds_the_nics_of_all_unlike_servers(count: int, said: bool) -> None:
    """Eight servers of one NIC and sixteen of eight have 136 NICs, more than the 64 ports of a QM9700."""
    facts = [{"name": name, "gpus": nics, "nics": nics, "nic_gbps": 400} for name, nics in (("small", 1), ("large", 8))]
    servers = [{"server": facts[0], "count": 8}, {"server": facts[1], "count": count}]
    study = fabric.design(servers=servers, family="fat-tree", tiers=2, switches="qm9700")
    told = [note for note in list_notes(study) if "per plane has ports for all" in note]
    assert [f"all {study.blueprint.nics:,} NICs" in note for note in told] == [True] * said
