"""Sweep 10,000 different designs in one process and in two: the speed-up, equal bytes, and what Dask adds to a chunk.

`python benchmarks/sweeps.py 500` takes fewer designs. No result is there before a run: each is a process of its own
that writes to an empty folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

DESIGNS = 10_000
BAR = 1.8
"""The least speed-up of two processes over one, whole commands, on two cores with nothing else to do."""

DASK_BAR_S = 0.05
"""The most that Dask adds to a chunk, in seconds."""
DASK_CHUNKS = 100

SWEEP = """\
base: {{name: bench, server: hgx-h100, family: fat-tree}}
grid:
  gpus: {gpus}
  switches: [sn5600, qm9700]
  oversubscription: [1, 2]
measures: [fabric, cost, switches, hops, bisection, allreduce]
"""


def time_sweep(folder: Path, jobs: int) -> tuple[float, bytes, int]:
    """Return the seconds of a whole command, its table and the number of its chunks."""
    out = folder / f"jobs-{jobs}"
    start = time.perf_counter()
    command = [sys.executable, "-m", "fabric", "sweep", str(folder / "sweep.yaml"), "-o", str(out), "--jobs", str(jobs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - start
    return took, (out / "sweep.parquet").read_bytes(), len(list(out.glob("chunks/*")))


def time_dask() -> float:
    """Return what one chunk takes on a Dask worker beyond what it takes in this process, in seconds."""
    from distributed import LocalCluster

    import fabric.sweeps.chunks
    from fabric.sweeps import make_plan, read_sweep, run_plan

    fabric.sweeps.chunks.TARGET_S = 0.001
    gpus = {"gpus": [8 * number for number in range(1, DASK_CHUNKS + 1)]}
    base = {"server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}
    plan = make_plan(read_sweep({"base": base, "grid": gpus, "measures": ["hops"]}))
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster:
        address = cluster.scheduler_address
        run_plan(plan, scheduler=address)  # the worker imports what it needs
        start = time.perf_counter()
        here = run_plan(plan, jobs=1)
        middle = time.perf_counter()
        there = run_plan(plan, scheduler=address)
        end = time.perf_counter()
    assert here == there
    return ((end - middle) - (middle - start)) / len(plan.chunks)


def main() -> None:
    """Print the times, and exit with 1 where a bar is missed or the tables differ."""
    designs = int(sys.argv[1]) if len(sys.argv) > 1 else DESIGNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gpus = [8 * number for number in range(1, designs // 4 + 1)]
        (folder / "sweep.yaml").write_text(SWEEP.format(gpus=gpus))
        one, table, chunks = time_sweep(folder, 1)
        print(f"{designs:,} designs in {chunks} chunks, one process: {one:.1f} s", flush=True)
        two, other, _ = time_sweep(folder, 2)
        print(f"two processes: {two:.1f} s, {one / two:.2f} times as fast (bar {BAR})", flush=True)
    added = time_dask()
    print(f"Dask adds {1000 * added:.1f} ms to a chunk (bar {1000 * DASK_BAR_S:.0f} ms)")
    if table != other:
        sys.exit("the tables differ")
    if one / two < BAR or added > DASK_BAR_S:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
