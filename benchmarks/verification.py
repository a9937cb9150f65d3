"""Verify 100,000 GPUs whose LLDP neighbours have 500 swapped pairs of cables: seconds and memory beside the bars.

Bars: 30 s and 4 GB for `fabric verify` as a whole, the ranking by all-reduce included, and every pair found with two
moves each. Run on an idle machine.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import fabric
from fabric.export.ethernet.lldp import write_neighbours

DESIGN, FAULTS = "colossus-100k", 500
BAR_S, BAR_GB = 30, 4


def write_swapped(file: Path) -> None:
    """Write what the devices of the design would report with pairs of cables swapped at one end."""
    rows = list(csv.reader("".join(write_neighbours(fabric.design(DESIGN).plan)).splitlines()))
    head, body = rows[0], rows[1:]
    place = {(row[0], row[1]): number for number, row in enumerate(body)}
    taken: set[int] = set()
    random = Random(1)
    while len(taken) < 4 * FAULTS:
        one, other = random.sample(range(len(body)), 2)
        far = [place[body[each][2], body[each][3]] for each in (one, other)]
        if len({one, other, *far} - taken) < 4:
            continue
        taken |= {one, other, *far}
        for near, end in ((one, far[1]), (other, far[0])):
            body[near][2:] = body[end][:2]
        for end, near in ((far[0], other), (far[1], one)):
            body[end][2:] = body[near][:2]
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *body])


def main() -> None:
    """Print the time and memory of one run with its shares of the bars, and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lldp.csv"
        write_swapped(file)
        words = [sys.executable, "-m", "fabric", "verify", DESIGN, str(file), "--json", "-q"]
        start = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"{DESIGN}: {found['cables']['planned']:,} cables, {len(found['faults'])} faults, {found['moves']:,} moves")
    print(f"{seconds:.1f} s, {seconds / BAR_S:.0%} of {BAR_S} s; {memory:.2f} GB, {memory / BAR_GB:.0%} of {BAR_GB} GB")
    if (len(found["faults"]), found["moves"]) != (FAULTS, 2 * FAULTS):
        sys.exit("not every pair was found, or more than was done")
    if seconds > BAR_S or memory > BAR_GB:
        sys.exit("a limit is missed")


if __name__ == "__main__":
    main()
