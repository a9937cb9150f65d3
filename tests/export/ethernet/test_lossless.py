"""The headroom of a paused port and the marks of congestion, against what SONiC and published settings have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabric.export.ethernet.lossless import FRAME_BYTES, QUANTA, headroom_bytes, mark_bytes


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


def test_marks_are_those_of_the_published_runs() -> None:
    """KMIN_MAP and KMAX_MAP of HPCC's published configuration: 400 and 1,600 KB at 100G, four times as much at 400G."""
    assert mark_bytes(25) == (100_000, 400_000)
    assert mark_bytes(100) == (400_000, 1_600_000)
    assert mark_bytes(400) == (1_600_000, 6_400_000)
