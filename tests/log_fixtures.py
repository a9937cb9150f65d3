"""Logs of nccl-tests whose truth is known: published sweeps with a fault, by arithmetic and without the flow model."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Truth", "write_log"]

PUBLISHED = Path(__file__).parents[1] / "benchmarks" / "measured_collectives.csv"
COMMAND = "/opt/nccl-tests/build/all_reduce_perf -b 64K -e 8G -f 2 -g 1"
HEADER = """\
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)"""
ODD = {"Dell XE9680 H100 x4": (2**21, 2**22, 2**23)}
"""The sizes of a sweep that took far longer than those around them."""
GPUS = {"H100": "NVIDIA H100 80GB HBM3", "MI300X": "AMD Instinct MI300X", "GB200": "NVIDIA GB200"}


@dataclass(frozen=True)
class Truth:
    """A published sweep of an all-reduce, what was wrong with the cluster, and the noise of the clock."""

    system: str = "Dell XE9680 H100 x4"
    """The system of the published sweep."""
    bandwidth: float = 1.0
    """The share of the bandwidth between servers that a fault leaves: 7/8 where one of eight rails is missing."""
    latency_us: float = 0.0
    """What a fault adds to every call."""
    slow: tuple[int, int, float] = (0, 0, 1.0)
    """The least and the largest size in bytes of times that are longer, and by what factor: a protocol that is off."""
    scatter: float = 0.0
    """The spread of bandwidths from size to size, as a share: collisions that each call meets anew."""
    noise: float = 0.03
    """The standard deviation of a time, as a share."""

    def rows(self) -> list[dict[str, str]]:
        """Return the published rows of 64 KiB and more, by size, without those where the sweep has a fault."""
        with PUBLISHED.open(newline="", encoding="utf-8") as file:
            found = [row for row in csv.DictReader(file) if row["system"] == self.system and int(row["bytes"]) >= 2**16]
        odd = ODD.get(self.system, ())
        return sorted((row for row in found if int(row["bytes"]) not in odd), key=lambda row: int(row["bytes"]))

    def times_us(self, draw: random.Random) -> dict[int, float]:
        """Return a time by size: the published one, what the fault adds to it, and noise."""
        rows = self.rows()
        plateau = max(float(row["algbw_GBps"]) for row in rows)
        found = {}
        for row in rows:
            size = int(row["bytes"])
            left = self.bandwidth * (1 - abs(draw.gauss(0, self.scatter)))
            time = size / 1e3 / float(row["algbw_GBps"]) + size / 1e3 / plateau * (1 / left - 1) + self.latency_us
            factor = self.slow[2] if self.slow[0] <= size <= self.slow[1] else 1.0
            found[size] = time * factor * (1 + draw.gauss(0, self.noise))
        return found


def write_log(path: Path, truth: Truth, *, seed: int = 0, info: str = "") -> Path:
    """Write what all_reduce_perf prints of a truth, with the lines of `info` where NCCL_DEBUG would put its own."""
    draw, first = random.Random(seed), truth.rows()[0]
    ranks, nodes, gpu = int(first["gpus"]), int(first["nodes"]), GPUS[first["gpu"]]
    each = ranks // nodes
    lines = [
        COMMAND,
        "# nThread 1 nGpus 1 minBytes 65536 maxBytes 8589934592 step: 2(factor) iters: 20",
        "# Using devices",
    ]
    for rank in range(ranks):
        device = rank % each
        lines.append(
            f"#  Rank {rank:2d} Group  0 Pid {6899 + rank:6d} on node-{rank // each:03d} device {device:2d}"
            f" [0000:{device:02x}:00] {gpu}"
        )
    lines += [*info.splitlines(), *HEADER.splitlines()]
    for size, time in truth.times_us(draw).items():
        algbw = size / 1e3 / time
        side = f" {time:8.2f} {algbw:7.2f} {algbw * 2 * (ranks - 1) / ranks:7.2f} {0:6d}"
        lines.append(f"{size:12d} {size // 4:13d} {'float':>9s} {'sum':>7s} {-1:7d}{side}{side}")
    path.write_text(
        "\n".join([*lines, "# Out of bounds values : 0 OK", "# Avg bus bandwidth    : 100", ""]), encoding="utf-8"
    )
    return path
