"""The tables of SONiC, read by the grammar of its YANG models, and compared with the plan."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.catalog import LANES, PortPart, lane_count, sonic_ports, switches
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
        assert set(tables["PFC_WD"]) == {*ports, "GLOBAL"}
        times = {int(row["detection_time"]) for name, row in tables["PFC_WD"].items() if name != "GLOBAL"}
        assert times == {200 * -(-len(ports) // 32)}
        assert min(times) >= int(tables["PFC_WD"]["GLOBAL"]["POLL_INTERVAL"])
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


@pytest.mark.parametrize(
    ("switches", "rate", "rows", "split"),
    [
        (
            "sn5600",
            400,
            {
                "Ethernet4": ("4,5,6,7", "etp1b", "1", "rs"),
                "Ethernet76": ("76,77,78,79", "etp10b", "10", "rs"),
                "Ethernet508": ("508,509,510,511", "etp64b", "64", "rs"),
            },
            "2x400G[200G,100G,50G,40G,25G,10G]",
        ),
        (
            "as9736-64d",
            400,
            {
                "Ethernet0": ("129,130,131,132,133,134,135,136", "Eth1(Port1)", "1", "rs"),
                "Ethernet248": ("377,378,379,380,381,382,383,384", "Eth32(Port32)", "32", "rs"),
            },
            None,
        ),
        ("as9736-64d", 200, {"Ethernet84": ("253,254,255,256", "Eth11/2(Port11)", "11", "rs")}, "2x200G"),
        ("sn3700", 100, {"Ethernet126": ("126,127", "etp32b", "32", "rs")}, "2x100G"),
        ("sn3700", 200, {"Ethernet64": ("64,65,66,67", "etp17", "17", "rs")}, None),
    ],
)
def test_ports_are_those_of_sonics_own_files(
    switches: str, rate: int, rows: dict[str, tuple[str, ...]], split: str | None
) -> None:
    """Rows of port_config.ini and platform.json of sonic-net/sonic-buildimage, and how the latter says split."""
    server = {"name": "node", "gpus": 8, "nics": 8, "nic_gbps": rate}
    plan = EthernetPlan(
        fabric.design(
            name="ports", gpus=256, server=server, switches=switches, family="fat-tree", link_price_usd=1
        ).plan
    )
    leaf = list_switches(plan)[0]
    assert {name: tuple(leaf["PORT"][name][key] for key in ("lanes", "alias", "index", "fec")) for name in rows} == rows
    lanes = [lane for port in leaf["PORT"].values() for lane in port["lanes"].split(",")]
    assert len(set(lanes)) == len(lanes)
    assert {mode["brkout_mode"] for mode in leaf.get("BREAKOUT_CFG", {}).values()} == ({split} if split else set())


def test_lanes_are_left_out_where_they_are_not_known() -> None:
    """Of a switch that the catalogue has no table of, only FEC is known, and that not at 25 Gb/s on a lane."""
    for rate, fec in ((400, "rs"), (100, None)):
        request = {"name": "own", "gpus": 64, "server": "hgx-h100", "family": "fat-tree", "link_price_usd": 1}
        box = {"name": "box", "ports": 32, "rate_gbps": rate, "cage": "qsfp112" if fec else "qsfp28", "price_usd": 1}
        plan = EthernetPlan(fabric.design(request, switches=box, link_gbps=rate).plan)
        for tables in list_switches(plan):
            assert all(not {"lanes", "alias", "index"} & port.keys() for port in tables["PORT"].values())
            assert {port.get("fec") for port in tables["PORT"].values()} == {fec}


def test_every_lane_of_a_chip_is_at_one_port() -> None:
    """Tables of first lanes have one for each port, none of them twice or within the lanes of another."""
    for name, known in sonic_ports().items():
        model = switches()[name]
        each = lane_count(model)
        found = [lane for port in range(model.ports) for lane in known.lanes(PortPart(port, 0, 1), each)]
        assert len(set(found)) == model.ports * each
        assert not known.first_lanes or len(known.first_lanes) == model.ports
        assert known.source


def test_lengths_are_those_of_sonics_own_table_on_other_switches() -> None:
    """NVIDIA's switches count with any length; others have rows for 5, 40 and 300 metres, and longer ones stay."""
    for model, listed in (("sn5600", False), ("tomahawk5-64x800g", True)):
        study = fabric.design("colossus-100k", gpus=512, switches=model)
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
