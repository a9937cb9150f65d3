"""The headroom of a paused port and the marks of congestion, against what SONiC and published settings have."""

from __future__ import annotations

import csv
import math
from collections import Counter
from random import Random

import numpy as np
import pytest

import fabric
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.lossless import FRAME_BYTES, QUANTA, headroom_bytes, mark_bytes
from fabric.export.ethernet.lossless_table import write_lossless
from tests.export.ethernet.fabrics import DRAWN, draw_request


def sonic_xoff(mbps: int, metres: int, quanta: int) -> float:
    """Return SONiC's threshold for a port: its formula, without what a chip adds and without waste in cells.

    `xoff = lossless_mtu + propagation_delay * cell_occupancy` with `propagation_delay = port_mtu + bytes_on_cable +
    peer_response_time` (sonic-swss, cfgmgr/buffer_headroom_mellanox.lua), where bytes_on_cable counts 1,024 for 1,000.
    """
    on_cable = 2 * metres * mbps * 1e6 / 198e6 / 8
    return 9216 + 9216 + on_cable + quanta * 512 / 8


@pytest.mark.parametrize(("gbps", "metres"), [(100, 5), (200, 40), (400, 300), (800, 2), (800, 500), (25, 10)])
def test_headroom_is_that_of_sonic_and_a_pause_frame(gbps: int, metres: int) -> None:
    """Two makers of the same sum: frames, cable and answer; ours counts the pause frame too."""
    found = headroom_bytes(np.array([gbps]), np.array([float(metres)]))[0]
    assert found == math.ceil(sonic_xoff(gbps * 1000, metres, QUANTA[gbps]) + 84)


def test_headroom_counts_every_bit_that_arrives() -> None:
    """A sender simulated bit by bit at 400G over 100 m: what arrives after the threshold is at most the headroom."""
    rate, metres = 400e9, 100.0
    frame, pause = FRAME_BYTES * 8 / rate, 84 * 8 / rate
    flight, answer = metres / 198e6, QUANTA[400] * 512 / rate
    # The receiver crosses its threshold just as it has begun a frame; the sender has just begun one when it must stop.
    heard = frame + pause + flight
    last_bit_leaves = heard + answer + frame
    arrived = (last_bit_leaves + flight) * rate / 8
    found = headroom_bytes(np.array([400]), np.array([metres]))[0]
    assert arrived <= found <= arrived + 1


def test_an_unknown_rate_has_no_headroom() -> None:
    """The delay of 1.6 Tb/s is not known, and neither is the headroom."""
    assert np.isnan(headroom_bytes(np.array([1600, 400]), np.array([5.0, 5.0]))).tolist() == [True, False]


@pytest.mark.parametrize("seed", DRAWN)
def test_the_table_counts_every_port_once(seed: int) -> None:
    """Ports, lengths and rates are those of the plan, and the headroom of a switch is the sum over its ports."""
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), "cumulus", seed)).plan)
    rows = list(csv.DictReader("".join(write_lossless(plan)).splitlines()))
    total = dict.fromkeys(plan.switch_names, 0)
    for row, name in enumerate(plan.switch_names):
        own = slice(plan.ports.start[row], plan.ports.start[row + 1])
        expected = Counter(zip(plan.gbps[own].tolist(), plan.metres[own].tolist(), strict=True))
        mine = [each for each in rows if each["device"] == name]
        assert {(int(each["gbps"]), int(each["metres"])): int(each["ports"]) for each in mine} == expected
        for each in mine:
            metres, mbps = int(each["metres"]), 1000 * int(each["gbps"])
            need = math.ceil(sonic_xoff(mbps, metres, QUANTA[mbps // 1000]) + 84)
            assert int(each["headroom_bytes"]) == need
            total[name] += need * int(each["ports"])
        assert {int(each["device_headroom_bytes"]) for each in mine} == {total[name]}


def test_an_unknown_headroom_is_empty() -> None:
    """At 1.6 Tb/s neither the headroom of a port nor that of its switch is known."""
    server = {"name": "srv", "gpus": 4, "nics": 4, "nic_gbps": 1600}
    plan = fabric.design(gpus=64, server=server, switches="7060xe7-64ps", family="fat-tree").plan
    rows = list(csv.DictReader("".join(write_lossless(EthernetPlan(plan))).splitlines()))
    assert {(row["gbps"], row["headroom_bytes"], row["device_headroom_bytes"]) for row in rows} == {("1600", "", "")}


def test_marks_are_those_of_the_published_runs() -> None:
    """KMIN_MAP and KMAX_MAP of HPCC's published configuration: 400 and 1,600 KB at 100G, four times as much at 400G."""
    assert mark_bytes(25) == (100_000, 400_000)
    assert mark_bytes(100) == (400_000, 1_600_000)
    assert mark_bytes(400) == (1_600_000, 6_400_000)
