"""What lossless Ethernet needs: room for what arrives after a pause is asked for, and when to mark congestion.

RoCE has a traffic class of its own, which priority flow control pauses and ECN marks before that; its congestion
notifications (CNP) have another, which is served first. Classes, DSCP values and shares are what NVIDIA's switches have
by default (docs.nvidia.com, Cumulus Linux, RDMA over Converged Ethernet).

How much buffer a switch has, and what its own circuits add, is not in the catalogue: the operating system of the switch
knows it, and is given the length of each cable. So thresholds that depend on the buffer are not derived here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "CNP_CLASS",
    "CNP_DSCP",
    "FRAME_BYTES",
    "MARK_PERCENT",
    "ROCE_CLASS",
    "ROCE_DSCP",
    "ROCE_SHARE",
    "headroom_bytes",
    "mark_bytes",
]

ROCE_CLASS, ROCE_DSCP, ROCE_SHARE = 3, 26, 50
"""The traffic class and priority of RoCE, its DSCP, and its share of what notifications leave, in percent."""

CNP_CLASS, CNP_DSCP = 6, 48
"""The traffic class and priority of congestion notifications, and their DSCP; it is served first."""

FRAME_BYTES = 9216
"""The largest frame."""

PAUSE_FRAME_BYTES = 64 + 20
"""A pause frame with preamble and the gap between frames (IEEE 802.3)."""

METRES_PER_SECOND = 198e6
"""The speed of light in fibre; signals in copper are no slower. SONiC counts with it too (`buffer_headroom_*.lua`)."""

QUANTA = {10: 67, 25: 80, 40: 118, 50: 147, 100: 394, 200: 453, 400: 905, 800: 905}
"""The quanta of 512 bits within which a port heeds a pause, by its rate in Gb/s (IEEE 802.3, 31B.3.7).

As listed in SONiC's `cfgmgr/buffer_headroom_mellanox.lua`, which has that of 400G for 800G."""

LEAST_MARK_BYTES, MOST_MARK_BYTES = 4_000, 16_000
"""The queue at which marking begins, and at which it reaches `MARK_PERCENT`, for each Gb/s of a port's rate.

100 KB and 400 KB at 25 Gb/s, in proportion to the rate: what DCQCN runs with in HPCC (SIGCOMM 2019, section 5.1)."""

MARK_PERCENT = 20
"""The share of packets marked at the upper threshold, in percent (the published configuration of the same paper)."""


def headroom_bytes(gbps: npt.NDArray[np.integer], metres: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the bytes that still arrive at a port after it has to ask for a pause; nan at rates without a known delay.

    The least headroom of one lossless priority (IEEE 802.1Q, annex N, once 802.1Qbb, annex O): a frame that the port
    has begun to send before the pause frame, the pause frame, what is on the cable in both directions, what the other
    end sends until it heeds the pause, and the frame that it has begun. A switch's own circuits add to it.
    """
    quanta = np.full(gbps.shape, np.nan)
    for rate, number in QUANTA.items():
        quanta[gbps == rate] = number
    on_cable = 2 * metres / METRES_PER_SECOND * gbps * 1e9 / 8
    return np.asarray(np.ceil(2 * FRAME_BYTES + PAUSE_FRAME_BYTES + on_cable + quanta * 64))


def mark_bytes(gbps: int) -> tuple[int, int]:
    """Return the queue in bytes at which ECN begins to mark packets of a port, and that at which it marks most."""
    return LEAST_MARK_BYTES * gbps, MOST_MARK_BYTES * gbps
