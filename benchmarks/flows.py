"""Route and solve explicit ECMP flows over every GPU, four queue pairs a flow: time, memory and growth.

The bars: a ring over 1,000,000 GPUs in 10 s and 2 GB, about linear in the GPUs; a tree over 100,000 in 3 s; the whole
command that has both in 5 s; and the closed form of 1,000,000 GPUs in 50 ms. Time is that of the processor, so that
others who use the machine do not count.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import time

PLACEMENTS = ("contiguous", "random")
RINGS = {"colossus-100k": (1.0, 2), "colossus-200k": (2.0, 2), "colossus-1m": (10.0, 2)}
"""Seconds and GB that the ring over each design may take."""

TREES = {"colossus-100k": (3.0, 2)}
"""The same of a double binary tree."""

COMMAND = ("allreduce", "colossus-100k", "--engine", "flows", "--qps", "4")
COMMAND_S = 5.0
CLOSED_S = 0.05


def measure(name: str, algorithm: str, placement: str) -> None:
    """Print the GPUs, the seconds, the bytes of the process and those beyond its start, and the shares of line rate."""
    import fabric
    from fabric.flow import Routing, phases, place, shares

    blueprint = fabric.design(name).blueprint
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    flows = phases(blueprint.server, place(blueprint, placement, seed=1), "all-reduce", algorithm)
    found = shares(blueprint, flows, Routing("ecmp", qps=4, seed=1))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(blueprint.gpus, seconds, peak * 1024, (peak - before) * 1024, found.mean, found.min)


def measure_closed_form(name: str) -> None:
    """Print the seconds that a design's all-reduce of 16 GiB takes in closed form, the first of the process."""
    import fabric
    from fabric.flow import Workload, estimate_workload

    blueprint = fabric.design(name).blueprint
    start = time.process_time()
    estimate_workload(blueprint, Workload(), [2**34])
    print(time.process_time() - start)


def run_measure(*words: str) -> list[float]:
    """Run a measurement in a process of its own and return the numbers that it prints."""
    command = [sys.executable, __file__, *words]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in output.split()]


def compare(
    algorithm: str, placement: str, name: str, most_s: float, most_gb: float
) -> tuple[float, float, float, bool]:
    """Print flows against their bars; return the GPUs, the seconds, the bytes, and whether they keep to the bars."""
    gpus, seconds, peak, more, mean, least = run_measure(name, algorithm, placement)
    print(
        f"{algorithm} over {name}, {placement}: {seconds / most_s:4.0%} of {most_s:g} s, {peak / most_gb / 1e9:4.0%} of"
        f" {most_gb} GB; share of line rate {mean:.3f} on average, {least:.3f} at least"
    )
    return gpus, seconds, more, seconds <= most_s and peak <= most_gb * 1e9


def compare_command() -> bool:
    """Print the time of the whole command against its bar, and say whether it keeps to that."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "fabric", *COMMAND, "--quiet"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"fabric {' '.join(COMMAND)}: {seconds / COMMAND_S:4.0%} of {COMMAND_S:g} s")
    return seconds <= COMMAND_S


def main() -> None:
    """Measure each case in a process of its own and print it against its bars."""
    kept = [compare_command()]
    (seconds,) = run_measure("colossus-1m")
    print(f"closed form of colossus-1m: {seconds / CLOSED_S:4.0%} of {CLOSED_S * 1000:g} ms")
    kept.append(seconds <= CLOSED_S)
    for placement in PLACEMENTS:
        kept += [compare("tree", placement, name, *bars)[-1] for name, bars in TREES.items()]
        rows = [compare("ring", placement, name, *bars) for name, bars in RINGS.items()]
        (few, *small, _), (many, *large, _) = rows[0], rows[-1]
        powers = [math.log(after / before) / math.log(many / few) for before, after in zip(small, large, strict=True)]
        kept += [*(row[-1] for row in rows), max(powers) <= 1.25]
        print(f"{placement}: time grows with the GPUs to the power {powers[0]:.2f}, memory {powers[1]:.2f} (bar: 1.25)")
    if not all(kept):
        sys.exit("a bar is missed")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [name]:
            measure_closed_form(name)
        case [name, algorithm, placement]:
            measure(name, algorithm, placement)
