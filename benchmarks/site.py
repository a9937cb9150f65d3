"""Lay out and wire 100,000 and a million GPUs, and write their cables: seconds and memory beside the bars.

Bars: 100,000 GPUs laid out and wired in 10 s; a million GPUs' cables as Parquet in 30 s and 2 GB, as CSV within
the same memory. Each runs in a process of its own, so that peak memory is each one's. Run on an idle machine.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fabric
from fabric.report.site_files import write_cables

RUNS = (("colossus-100k", "wire", 10, None), ("colossus-1m", "parquet", 30, 2000), ("colossus-1m", "csv", None, 2000))
"""The design, what is done with it, and the bars in seconds and in MB."""


def measure(name: str, what: str) -> None:
    """Print the seconds of one run, from the expanded network on, its peak memory in MB, and the links."""
    study = fabric.design(name)
    start = time.perf_counter()
    links = study.wiring.network.links
    wired = time.perf_counter()
    if what != "wire":
        with tempfile.TemporaryDirectory() as folder:
            write_cables(study, Path(folder) / f"cables.{what}")
    seconds = time.perf_counter() - (start if what == "wire" else wired)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, links, wired - start)


def main() -> None:
    """Run each in a process of its own and print a line with its share of the bars."""
    for name, what, bar, most in RUNS:
        words = [sys.executable, __file__, name, what]
        output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        seconds, memory, links, wired = map(float, output.split())
        line = f"{name:13} {what:8} {links:>10,.0f} links {seconds:6.1f} s {memory:6,.0f} MB"
        shares = [f"{value / limit:.0%} of the {limit} {unit}" for value, limit, unit in
                  ((seconds, bar, "s"), (memory, most, "MB")) if limit]  # fmt: skip
        print(f"{line}; laid out and wired in {wired:.1f} s; {', '.join(shares)}")


if __name__ == "__main__":
    measure(*sys.argv[1:]) if sys.argv[1:] else main()
