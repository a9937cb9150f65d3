"""Where a sweep is computed, and what stops it: the same bytes, nothing lost, repeated or left behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fabric.sweeps.chunks
import fabric.sweeps.engines
from fabric.errors import FabricError, InputError
from fabric.sweeps import MEASURES, Measure, MeasureColumn, make_plan, read_sweep, run_plan
from fabric.sweeps.engines import AHEAD, choose_engine
from fabric.topology.families import FAMILIES, Family
from tests.marks import slow
from tests.sweeps.small_chunks import SMALL_S
from tests.sweeps.sweep_runs import chunk_times, contents, dask_cluster, new_runs, read_small, start_worker

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of the sweep, computed in one process."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fabric.sweeps.chunks, "TARGET_S", SMALL_S)
        plan = read_small(folder)
    assert len(plan.chunks) == 8
    run_plan(plan, out=folder / "out", jobs=1)
    return contents(folder / "out")


def test_processes_change_no_byte(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Two worker processes write the files that one process writes, to the last chunk, and end with the run."""
    runs = new_runs(tmp_path)
    assert runs.finish("--jobs", "2") == "32 points, 16 designs, about 1 s of work on one core, in 8 chunks\n"
    assert contents(tmp_path / "out") == whole
    assert not runs.wait_until_gone()


def test_a_measure_of_a_notebook_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A measure that was added in this process, with a function that no module has, is computed in worker processes."""
    factor, column = 3, MeasureColumn("own", "whole", "three times the switches")
    MEASURES.add(
        Measure("own", "a function of this test", (column,), lambda study, _: [factor * study.blueprint.switches])
    )
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", SMALL_S)
    try:
        base = {"server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}
        table = fabric.sweep(base, grid={"gpus": [64, 128, 256, 512]}, measures=["switches", "own"], jobs=2)
    finally:
        MEASURES.remove("own")
    assert table["own"] == [3 * switches for switches in table["switches_total"]]


def test_a_family_of_a_notebook_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that only this process has, layered or direct, is designed in workers; another definition is not it."""
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", SMALL_S)
    torus = FAMILIES["torus"]
    own = replace(torus, name="own-torus", forms=tuple(replace(form, family="own-torus") for form in torus.forms))
    halls = Family.of("own-halls", "", "server(hall, block, slot) - leaf(hall, block) - agg(hall, agg)", reference="")
    grid = {"family": [own, halls], "gpus": [64, 128, 192]}
    try:
        tables = [fabric.sweep({"server": "hgx-h100"}, grid=grid, measures=["cost"], jobs=jobs) for jobs in (1, 2)]
        plans = []
        for switch in ("agg", "middle"):
            text = f"server(hall, block, slot) - leaf(hall, block) - {switch}(hall, {switch})"
            FAMILIES.name_value(Family.of("own-halls", "", text, reference=""))
            plans.append(make_plan(read_sweep({"base": {"server": "hgx-h100"}, "grid": {"family": ["own-halls"]}})))
    finally:
        for name in ("own-torus", "own-halls"):
            FAMILIES.remove(name)
    assert tables[0]["family"] == ["own-torus"] * 3 + ["own-halls"] * 3
    assert tables[0].statuses == {"optimal": 6}
    assert tables[1].columns == tables[0].columns
    assert len({plan.chunks[0].key for plan in plans}) == 2


@pytest.mark.parametrize("stops", [2, *slow(12)])
def test_a_run_that_is_stopped_continues(stops: int, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Whatever the signal and the moment, finished chunks are kept and not computed again, and no process stays."""
    runs, moments, kept = new_runs(tmp_path), random.Random(stops), dict[str, int]()
    for stop in range(stops):
        if len(kept) == len([name for name in whole if name.startswith("chunks")]):
            shutil.rmtree(tmp_path / "out")
            kept = {}
        run, number = runs.start("--jobs", "2"), SIGNALS[stop % len(SIGNALS)]
        _wait_for_chunk(tmp_path / "out", len(kept), run)
        time.sleep(0.3 * moments.random())
        run.send_signal(number)
        stderr = run.communicate(timeout=60)[1]
        assert run.returncode in (0, -number, 128 + number), stderr
        assert "Traceback" not in stderr
        assert "Warning" not in stderr
        assert not runs.wait_until_gone()
        now = chunk_times(tmp_path / "out")
        assert {name: now[name] for name in kept} == kept
        kept = now
    runs.finish("--jobs", "2")
    now = chunk_times(tmp_path / "out")
    assert {name: now[name] for name in kept} == kept
    assert contents(tmp_path / "out") == whole


def _wait_for_chunk(out: Path, beyond: int, run: subprocess.Popen[str]) -> bool:
    """Wait until a run has finished more chunks than `beyond`, and say whether it still runs."""
    while run.poll() is None and len(chunk_times(out)) <= beyond:
        time.sleep(0.02)
    return run.poll() is None


@pytest.mark.slow
def test_a_worker_process_that_is_killed_ends_the_run_in_words(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """The likely cause and the remedy are said, and the same command continues."""
    runs = new_runs(tmp_path)
    run = runs.start("--jobs", "2")
    _wait_for_chunk(tmp_path / "out", 0, run)
    for number in runs.processes("popen_loky"):
        os.kill(number, signal.SIGKILL)
    stderr = run.communicate(timeout=60)[1]
    if run.returncode:  # the run may just have ended
        assert run.returncode == 2
        assert "a worker process was ended from outside, most likely for lack of memory; use fewer jobs" in stderr
        assert "Traceback" not in stderr
    runs.finish("--jobs", "2")
    assert contents(tmp_path / "out") == whole
    assert not runs.wait_until_gone()


@pytest.mark.parametrize("kills", [2, *slow(10)])
def test_dask_workers_may_be_killed(kills: int, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """A scheduler and two workers, of which one is killed and another started at random moments: the same bytes."""
    runs, moments, killed = new_runs(tmp_path), random.Random(kills), 0
    with dask_cluster(tmp_path, 2) as (address, workers, _):
        while killed < kills:
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            run = runs.start("--scheduler", address)
            while killed < kills and _wait_for_chunk(tmp_path / "out", len(chunk_times(tmp_path / "out")), run):
                time.sleep(0.3 * moments.random())
                victim = moments.choice([worker for worker in workers if worker.poll() is None])
                victim.kill()
                victim.wait()
                workers.append(start_worker(tmp_path))
                killed += 1
            stderr = run.communicate(timeout=240)[1]
            assert run.returncode == 0, stderr
            assert contents(tmp_path / "out") == whole


def test_workers_that_come_later_get_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch system starts one worker before the others: the number of tasks in hand follows the number of workers."""
    workers, most = [1], [0]

    class Client:
        """A cluster that computes what is read, and counts what was submitted and is not read yet."""

        loop, left = None, 0

        def nthreads(self) -> dict[int, int]:
            return dict.fromkeys(range(workers[0]), 1)

        def submit(self, call: Callable[..., Any], *given: Any, **_: Any) -> Future[Any]:
            self.left += 1
            most.append(self.left)
            future = Future[Any]()
            future.set_result(call(*given))
            future.release = lambda: None  # type: ignore[attr-defined]
            return future

        def close(self, timeout: float) -> None:
            assert timeout

    class Completed(deque[Any]):
        """What `as_completed` returns: the futures in turn, with those that are added meanwhile."""

        def __iter__(self) -> Iterator[Any]:
            while self:
                client.left -= 1
                workers[0] = 2
                yield self.popleft()

        add = deque.append

    client = Client()
    library = SimpleNamespace(
        as_completed=lambda futures, loop: Completed(futures), KilledWorker=KeyError, CancelledError=KeyError
    )
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", 1e-6)
    monkeypatch.setattr(fabric.sweeps.engines, "_import_distributed", lambda: library)
    monkeypatch.setattr(fabric.sweeps.engines, "_connect", lambda *_: client)
    plan = read_small(tmp_path)
    assert len(plan.chunks) == 32
    assert run_plan(plan, scheduler="tcp://10.0.0.1:8786").statuses == {"optimal": 32}
    assert most[: 1 + AHEAD] == [0, 1, 2, 3, 4]
    assert max(most) == 2 * AHEAD


def test_a_scheduler_that_ends_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message says that the scheduler is lost, without Dask's own log, and the chunks that are done stay."""
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", SMALL_S)
    monkeypatch.setattr(fabric.sweeps.engines, "CONNECT_S", 2)
    plan = read_small(tmp_path)
    with dask_cluster(tmp_path, 1) as (address, _, scheduler):

        def end_scheduler(text: str) -> None:
            if text.startswith("1 of 8 chunks"):
                scheduler.kill()

        with pytest.raises(FabricError) as caught:
            run_plan(plan, out=tmp_path / "out", scheduler=address, progress=end_scheduler)
    assert str(caught.value).startswith(f"{address}: the scheduler is lost; the chunks that are done are kept")
    assert capfd.readouterr().err == ""
    assert chunk_times(tmp_path / "out")


def test_a_dask_cluster_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, a scheduler or its address, the message says what is missing."""
    plan = read_small(tmp_path)
    monkeypatch.setattr(fabric.sweeps.engines, "CONNECT_S", 0.3)
    with pytest.raises(FabricError, match="no Dask scheduler answers there"):
        run_plan(plan, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(InputError, match="is not an address; write for example tcp://"):
        run_plan(plan, scheduler="localhost")
    with pytest.raises(InputError, match="exclude each other"):
        run_plan(plan, jobs=2, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(FabricError, match="no certificates are configured"):
        run_plan(plan, scheduler="tls://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(FabricError, match=r"pip install 'fabric-designer\[dask\]'"):
        run_plan(plan, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("jobs", [0, -1, True, 1.5])
def test_jobs_are_a_whole_number(jobs: object) -> None:
    """A number of processes that can't be is refused."""
    with pytest.raises(InputError, match="give a whole number of processes"):
        choose_engine(jobs, None, 3, print)  # type: ignore[arg-type]
