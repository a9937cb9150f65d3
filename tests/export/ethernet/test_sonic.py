"""The tables of SONiC, read by the grammar of its YANG models, and compared with the plan."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.catalog import LANES
from fabric.errors import InputError
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.sonic import SONIC, write_sonic
from tests.export.ethernet.fabrics import DRAWN, draw_request
from tests.export.ethernet.sonic_tables import read_tables


def list_switches(plan: EthernetPlan) -> list[dict[str, Any]]:
    """Return the tables of every switch, each in the folder of its name."""
    files = {name: "".join(text) for name, text in write_sonic(plan)}
    assert list(files) == [f"{name}/config_db.json" for name in plan.switch_names]
    return [read_tables(text) for text in files.values()]


@pytest.mark.parametrize("seed", DRAWN)
def test_tables_are_by_the_grammar_and_the_plan(seed: int) -> None:
    """On drawn designs: planes, partial units, split ports, unlike servers, one to three tiers, direct networks."""
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), "sonic", seed)).plan)
    for row, tables in enumerate(list_switches(plan)):
        own = slice(plan.ports.start[row], plan.ports.start[row + 1])
        ports = tables["PORT"]
        assert len(ports) == own.stop - own.start
        assert set(tables["PORT_QOS_MAP"]) == set(tables["CABLE_LENGTH"]["AZURE"]) == set(ports)
        assert {key.split("|")[0] for key in tables["QUEUE"]} == set(ports)
        assert len(tables.get("BGP_NEIGHBOR", {})) == plan.between[row]
        addressed = {key.split("|")[0] for key in tables["INTERFACE"] if "|" in key}
        assert len(addressed) == plan.ports.to_host[own].sum()
        assert all(f"default|{name}" in tables["BGP_NEIGHBOR"] for name in set(ports) - addressed)
        speeds = Counter(int(each["speed"]) for each in ports.values())
        assert speeds == Counter((1000 * plan.gbps[own]).tolist())
        check_lanes(tables)


def check_lanes(tables: dict[str, Any]) -> None:
    """Fail unless each split port has lanes for all its parts, on which no other port stands."""
    lanes = LANES["osfp"]
    taken: set[int] = set()
    for name, port in tables["PORT"].items():
        first = int(name.removeprefix("Ethernet"))
        parent = f"Ethernet{first // lanes * lanes}"
        mode = tables.get("BREAKOUT_CFG", {}).get(parent)
        parts, rate = (int(each) for each in mode["brkout_mode"].removesuffix("G").split("x")) if mode else (1, 0)
        assert not rate or rate * 1000 == int(port["speed"])
        mine = set(range(first, first + lanes // parts))
        assert first % (lanes // parts) == 0
        assert not mine & taken
        taken |= mine


def test_lengths_are_those_of_sonics_own_table_on_other_switches() -> None:
    """NVIDIA's switches count with any length; others have rows for 5, 40 and 300 metres, and longer ones stay."""
    for switches, listed in (("sn5600", False), ("tomahawk5-64x800g", True)):
        study = fabric.design("colossus-100k", gpus=512, switches=switches)
        plan = EthernetPlan(study.plan)
        sold = {int(np.ceil(each)) for each in study.wiring.length_m.tolist()}
        every = list_switches(plan)
        found = {each for tables in every for each in tables["CABLE_LENGTH"]["AZURE"].values()}
        assert found <= ({"5m", "40m", "300m"} if listed else {f"{each}m" for each in sold})
        models = {tables["DEVICE_METADATA"]["localhost"]["buffer_model"] for tables in every}
        assert models == {"traditional" if listed else "dynamic"}


def test_tables_of_adaptive_routing_are_those_of_switches_that_have_it() -> None:
    """On every port to a switch, and on none to a host."""
    plan = EthernetPlan(fabric.design("superpod-b300-1su").plan)
    for row, tables in enumerate(list_switches(plan)):
        assert len(tables["ARS_INTERFACE"]) == plan.between[row]
        assert {f"default|{name}" for name in tables["ARS_INTERFACE"]} == set(tables["BGP_NEIGHBOR"])
    request = draw_request(Random(0), "sonic", 0)
    request["switches"]["adaptive_routing"] = None
    assert not any("ARS_INTERFACE" in tables for tables in list_switches(EthernetPlan(fabric.design(request).plan)))


def test_infiniband_is_refused() -> None:
    """An InfiniBand switch has no configuration of its own."""
    with pytest.raises(InputError, match="qm9700 is an InfiniBand switch"):
        SONIC.fits(fabric.design("superpod-h100-1su").plan)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("PORT", "Ethernet0", "mtu"), "9217"),
        (("BGP_NEIGHBOR", "default|Ethernet1"), {"peer_group_name": "fabric"}),
        (("BGP_NEIGHBOR", "default|Ethernet0"), {"peer_group_name": "others"}),
        (("QUEUE", "Ethernet0|9"), {"scheduler": "roce"}),
        (("PORTS",), {}),
        (("WRED_PROFILE", "rate-400g", "ecn"), "on"),
    ],
)
def test_the_grammar_notices_what_is_wrong(path: tuple[str, ...], value: Any) -> None:
    """Values out of range, ports, groups and tables that don't exist."""
    plan = EthernetPlan(fabric.design("superpod-b300-1su").plan)
    tables = json.loads("".join(next(iter(write_sonic(plan)))[1]))
    here = tables
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    with pytest.raises(AssertionError):
        read_tables(json.dumps(tables))
