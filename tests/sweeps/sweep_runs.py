"""One sweep with its table, and runs of it as processes that tests stop at will."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from fabric.sweeps import Plan, make_plan, read_sweep

ROOT = Path(__file__).parents[2]
SWEEP = """\
base: {name: mine, server: hgx-h100, family: fat-tree, switches: sn5600}
grid: {gpus: [64, 128, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960, 1024]}
measures: [fabric, cost, hops, allreduce]
allreduce: {size: [1MiB, 1GiB]}
"""
FILES = ("sweep.parquet", "sweep.csv", "request.yaml")


def read_small(folder: Path) -> Plan:
    """Return the plan of the sweep, whose file is written to a folder."""
    (folder / "sweep.yaml").write_text(SWEEP)
    return make_plan(read_sweep(folder / "sweep.yaml"))


def contents(out: Path) -> dict[str, bytes]:
    """Return the files that a run has written, by name, and those of chunks."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def chunk_times(out: Path) -> dict[str, int]:
    """Return when each finished chunk was written, in nanoseconds."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("chunks/[0-9a-f]*.parquet")}


Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Runs:
    """Runs of the sweep in a folder, each with all its processes marked."""

    folder: Path
    mark: str

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a run with small chunks into `out`."""
        command = [sys.executable, "-m", "tests.sweeps.small_chunks", "sweep", str(self.folder / "sweep.yaml")]
        return subprocess.Popen(
            [*command, "-o", str(self.folder / "out"), *words],
            cwd=ROOT,
            env={**os.environ, "FABRIC_TEST": self.mark},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *words: str) -> str:
        """Run to the end and return what it writes to stderr; it must succeed."""
        run = self.start(*words)
        stderr = run.communicate(timeout=240)[1]
        assert run.returncode == 0, stderr
        return stderr

    def processes(self, name: str = "") -> list[int]:
        """Return the numbers of the marked processes that live, of those whose command has `name`."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"FABRIC_TEST={self.mark}".encode() in (path / "environ").read_bytes()
                if marked and name.encode() in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
            except OSError:  # it has just ended
                continue
        return found

    def wait_until_gone(self) -> list[int]:
        """Return the processes that still live some seconds after a run has ended."""
        deadline = time.monotonic() + 20
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[Process], Process]]:
    """Run a Dask scheduler and workers as processes; yield its address, the workers and it. `start_worker` adds one."""
    file = folder / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    processes = [_start("dask_scheduler", *words)]
    try:
        running = [start_worker(folder) for _ in range(workers)]
        processes += running
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().rstrip().endswith("}")) and time.monotonic() < deadline:
            time.sleep(0.05)
        address = next(word for word in file.read_text().split('"') if word.startswith("tcp://"))
        yield address, running, processes[0]
    finally:
        for process in {*processes, *running}:
            process.kill()
            process.wait()


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    """Start a worker of the scheduler in a folder."""
    words = ["--scheduler-file", str(folder / "scheduler.json"), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    return _start("dask_worker", *words, "--local-directory", str(folder))


def _start(module: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def new_runs(folder: Path) -> Runs:
    """Return runs in a folder, with a mark of their own."""
    (folder / "sweep.yaml").write_text(SWEEP)
    return Runs(folder, uuid4().hex)
