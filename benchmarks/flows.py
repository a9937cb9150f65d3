"""Route and solve the explicit ECMP flows of a ring over every GPU, four queue pairs a flow: time, memory, growth.

The bars: 100,000 GPUs in 10 s; 1,000,000 in 120 s and 8 GB; both grow about linearly with the GPUs.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import time

DESIGNS = {"colossus-100k": (10, 8), "colossus-200k": (24, 8), "colossus-1m": (120, 8)}
"""Seconds and GB that each may take."""


def measure(name: str, placement: str) -> None:
    """Print the GPUs, the seconds, the bytes beyond those of the start, and the mean and least share of line rate."""
    import fabric
    from fabric.flow import Routing, phases, place, shares

    blueprint = fabric.design(name).blueprint
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    ring = phases(blueprint.server, place(blueprint, placement, seed=1), "all-reduce", "ring")
    found = shares(blueprint, ring, Routing("ecmp", qps=4, seed=1))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(blueprint.gpus, seconds, peak * 1024, (peak - before) * 1024, found.mean, found.min)


def main() -> None:
    """Measure each design in a process of its own and print it against its bars."""
    missed = False
    for placement in ("contiguous", "random"):
        rows = []
        for name, (most_s, most_gb) in DESIGNS.items():
            command = [sys.executable, __file__, name, placement]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            gpus, seconds, peak, more, mean, least = (float(word) for word in output.split())
            rows.append((gpus, seconds, more))
            missed |= seconds > most_s or peak > most_gb * 1e9
            print(
                f"{name:14} {placement:10} {seconds / most_s:6.1%} of {most_s} s, {peak / most_gb / 1e9:6.1%} of"
                f" {most_gb} GB; share of line rate {mean:.3f} on average, {least:.3f} at least"
            )
        (few, *small), (many, *large) = rows[0], rows[-1]
        powers = [math.log(after / before) / math.log(many / few) for before, after in zip(small, large, strict=True)]
        missed |= max(powers) > 1.25
        print(f"{placement}: time grows with the GPUs to the power {powers[0]:.2f}, memory {powers[1]:.2f} (bar: 1.25)")
    if missed:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    measure(*sys.argv[1:]) if len(sys.argv) > 1 else main()
