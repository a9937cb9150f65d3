"""Lay out every family at 100,000 GPUs, link by link, against numpy merely filling the same bytes.

Bars: a second for a million links, and for Slim Fly and Jellyfish, whose graphs are built first, 10 seconds in all.
Each is measured three times in a process of its own, and the slowest counts, which finds nothing built before.
"""

from __future__ import annotations

import subprocess
import sys
import time

import fabric
from fabric.topology.families import BUILTIN

GPUS = 100_000
BUILT = ("slim-fly", "jellyfish")
LOOSER = {"bcube": 2, "torus": 64, "mesh": 64}
"""The oversubscription without which a family has no fabric of this size on these switches."""


def measure(name: str) -> None:
    """Print a family's links, the seconds its expansion takes, and those of numpy's fill."""
    import numpy as np

    switch = {"name": "512 x 200G", "ports": 512, "rate_gbps": 200} if name == "bcube" else "sn5600"
    blueprint = fabric.design(
        name=name, gpus=GPUS, server="hgx-h100", family=name, switches=switch, planes="any",
        oversubscription=LOOSER.get(name, 1),
    ).blueprint  # fmt: skip
    dtypes = (np.int32, np.int32, np.uint16, np.uint16, np.uint8)
    times, fills = [], []
    for _ in range(3):
        start = time.perf_counter()
        fabric.expand(blueprint)
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
        [np.full(blueprint.links_total, 7, dtype) for dtype in dtypes]
        fills.append(time.perf_counter() - start)
    print(blueprint.switches, blueprint.links_total, max(times), max(fills))


def main() -> None:
    """Run each family in a process of its own and print how it keeps to its bar."""
    missed = []
    for name in (item.name for item in BUILTIN):
        output = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout
        switches, links, seconds, fill = (float(word) for word in output.split())
        bar = 10.0 if name in BUILT else links / 1e6
        print(
            f"{name:15} {switches:7,.0f} switches {links:9,.0f} links: {seconds / fill:5.0f} x numpy's fill,"
            f" {seconds / bar:4.0%} of {bar:.2f} s"
        )
        missed += [name] if seconds > bar else []
    if missed:
        sys.exit(f"a bar is missed: {', '.join(missed)}")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
