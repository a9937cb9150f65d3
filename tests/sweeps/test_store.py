"""The folder of a sweep: it holds one sweep, whose chunks are there whole, or are computed again."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import fabric
import fabric.resources
import fabric.sweeps.chunks
import fabric.sweeps.compute
from fabric.errors import FabricError, InputError, TooLarge
from fabric.request.yaml_writer import yaml_text
from fabric.sweeps import Measure, MeasureColumn, Plan, Setting, make_plan, read_sweep, run_plan
from fabric.sweeps.compute import compute_chunk
from fabric.sweeps.store import FolderStore
from fabric.sweeps.tool import identify_tool
from tests.request_fixtures import Run
from tests.sweeps.small_chunks import SMALL_S
from tests.sweeps.sweep_runs import SWEEP, chunk_times, contents, read_small

BASE = {"server": "hgx-h100", "family": "fat-tree", "switches": "sn5600", "gpus": 64}
DOWN = {"base": BASE, "measures": ["failures"], "failures": {"draws": 2, "counts": {"link": 1}}}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Return the sweep in eight chunks."""
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", SMALL_S)
    return read_small(tmp_path)


def test_a_damaged_chunk_is_computed_again(plan: Plan, tmp_path: Path) -> None:
    """A chunk with a changed byte, a short one and one that is missing are computed again, and no other is."""
    out = tmp_path / "out"
    run_plan(plan, out=out, jobs=1)
    whole, before = contents(out), chunk_times(out)
    flipped, short, gone, *others = sorted(out.glob("chunks/*"))
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    short.write_bytes(short.read_bytes()[:-1])
    gone.unlink()
    said: list[str] = []
    run_plan(plan, out=out, jobs=1, progress=said.append)
    assert said[0] == "computing 3 chunks; 5 are there already"
    assert [text.partition(" %")[0] for text in said[1:]] == [
        "6 of 8 chunks, 75",
        "7 of 8 chunks, 88",
        "8 of 8 chunks, 100",
    ]
    assert "about" in said[1]
    assert "left" in said[1]
    assert contents(out) == whole
    after = chunk_times(out)
    assert {path.name: after[path.name] for path in others} == {path.name: before[path.name] for path in others}


def test_a_finished_sweep_computes_nothing(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run again, the table comes from the chunks alone."""
    table = run_plan(plan, out=tmp_path / "out", jobs=1)
    monkeypatch.setattr("fabric.sweeps.engines.compute_chunk", None)
    assert run_plan(plan, out=tmp_path / "out", jobs=1) == table


def test_the_folder_of_another_sweep_is_refused(tmp_path: Path, run: Run) -> None:
    """What differs is named, and nothing is changed."""
    out = tmp_path / "out"
    file = tmp_path / "sweep.yaml"
    file.write_text(SWEEP.replace("192, 256", "192"))
    run_plan(make_plan(read_sweep(file)), out=out, jobs=1)
    before = contents(out)
    file.write_text(SWEEP.replace("cost, ", ""))
    code, _, err = run("sweep", file, "-o", out)
    assert (code, contents(out)) == (2, before)
    assert "holds another sweep, of which grid, measures differ; write to another folder, or remove" in err
    (out / "request.yaml").unlink()
    code, _, err = run("sweep", file, "-o", out)
    assert code == 2
    assert "holds a sweep without its request.yaml; write to another folder" in err


def test_a_folder_takes_one_run_at_a_time(plan: Plan, tmp_path: Path) -> None:
    """While one run writes, another is refused; afterwards it may continue."""
    held = FolderStore(tmp_path / "out", plan.sweep.plain()).open()
    with held, pytest.raises(InputError, match="another run writes there"):
        run_plan(plan, out=tmp_path / "out", jobs=1)
    run_plan(plan, out=tmp_path / "out", jobs=1)


def test_another_sweep_that_was_just_begun_is_refused(plan: Plan, tmp_path: Path) -> None:
    """Of two sweeps that find the folder empty, the second to lock it leaves the first one's results alone."""
    first, second = FolderStore(tmp_path / "out", plan.sweep.plain()), FolderStore(tmp_path / "out", {"base": "b"})
    lock = second._lock

    @contextmanager
    def lock_late() -> Iterator[None]:
        with first.open():
            pass
        with lock():
            yield

    second._lock = lock_late  # type: ignore[method-assign]
    with pytest.raises(InputError, match="holds another sweep"), second.open():
        pass
    assert (tmp_path / "out" / "request.yaml").read_text() == yaml_text(plan.sweep.plain())


@pytest.mark.parametrize("parent", ["src", "topologies"])
def test_the_tool_is_known_by_its_source(parent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of any source file is another tool, wherever the package is; one of a shipped design is not."""
    root = tmp_path / parent / "fabric"
    (root / "topologies").mkdir(parents=True)
    monkeypatch.setattr(fabric, "__file__", str(root / "__init__.py"))
    found = []
    for name in ("__init__.py", "units.py", "topologies/mine.yaml"):
        (root / name).write_text("name: new")
        found.append(identify_tool.__wrapped__())
    assert len(set(found)) == 2
    assert found[1] == found[2]


def test_a_file_in_place_of_the_folder_is_named(plan: Plan, tmp_path: Path) -> None:
    """The message has the remedy, and says nothing of chunks, of which there are none."""
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(FabricError, match=r"taken' is no folder; choose another folder, or move that file away$"):
        run_plan(plan, out=taken / "out", jobs=1)
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("writes", [0, 1, 4, 9])
def test_a_full_disk_keeps_what_is_done(
    writes: int, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what the system refused, no file is half-written, and the same command continues."""
    left, write = [writes], Path.write_bytes

    def write_until_full(path: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_until_full)
        with pytest.raises(FabricError, match="can't write there: No space left on device"):
            run_plan(plan, out=out, jobs=1)
    whole = {name: data for name, data in contents(out).items() if not name.startswith("chunks")}
    assert set(whole) <= {"request.yaml"}
    kept = chunk_times(out)
    assert len(kept) == max(0, min(8, writes - 1))
    run_plan(plan, out=out, jobs=1)
    assert {name: time for name, time in chunk_times(out).items() if name in kept} == kept
    run_plan(plan, out=tmp_path / "fresh", jobs=1)
    assert contents(out) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("folder", ["/proc/fabric-sweep", "sweep.yaml/out", "sweep.yaml"])
def test_a_folder_that_can_not_be_written_is_refused(folder: str, tmp_path: Path, run: Run) -> None:
    """A read-only place, or a file where the folder would be, is refused before anything is computed."""
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    code, _, err = run("sweep", tmp_path / "sweep.yaml", "-o", tmp_path / folder)
    assert code == 2
    assert "can't write there" in err or "is an input" in err or "is a file" in err


def test_another_version_of_the_tool_computes_anew(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of another version are left alone, and a worker of another version is refused."""
    run_plan(plan, out=tmp_path / "out", jobs=1)
    before = chunk_times(tmp_path / "out")
    monkeypatch.setattr(fabric.sweeps.chunks, "identify_tool", lambda: "another")
    newer = make_plan(plan.sweep)
    assert not {chunk.key for chunk in newer.chunks} & {chunk.key for chunk in plan.chunks}
    with pytest.raises(FabricError, match="a worker has another version of fabric"):
        run_plan(newer, out=tmp_path / "out", jobs=1)
    monkeypatch.setattr(fabric.sweeps.compute, "identify_tool", lambda: "another")
    run_plan(newer, out=tmp_path / "out", jobs=1)
    assert before.items() < chunk_times(tmp_path / "out").items()


def test_more_minutes_compute_what_was_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The minutes of the command count, not those of a worker, and with more of them the refused rows are computed."""
    sweep = read_sweep(DOWN)
    monkeypatch.setenv("FABRIC_MINUTES", "1e-9")
    plan = make_plan(sweep)
    monkeypatch.delenv("FABRIC_MINUTES")
    table = run_plan(plan, out=tmp_path / "out", jobs=1)
    assert table["failures_kept_mean"] == [None]
    assert "FABRIC_MINUTES=1 allows them" in table["message"][0]
    assert run_plan(make_plan(sweep), out=tmp_path / "out", jobs=1)["failures_kept_mean"][0] > 0


def test_what_lacked_memory_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal for lack of memory is of one machine at one time: the next run tries again, and keeps the answer."""
    plan = make_plan(read_sweep(DOWN))
    with monkeypatch.context() as patch:
        patch.setattr(fabric.resources, "memory_available", lambda: 1000)
        table = run_plan(plan, out=tmp_path / "out", jobs=1)
    assert table["failures_kept_mean"] == [None]
    assert "available to this process" in table["message"][0]
    assert run_plan(plan, out=tmp_path / "out", jobs=1)["failures_kept_mean"][0] > 0
    kept = chunk_times(tmp_path / "out")
    assert len(kept) == 1
    run_plan(plan, out=tmp_path / "out", jobs=1)
    assert chunk_times(tmp_path / "out") == kept


def test_equal_designs_are_sized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that differ only in settings share one design, wherever their rows are."""
    sized: list[Any] = []
    design = fabric.sweeps.compute.design
    monkeypatch.setattr(fabric.sweeps.compute, "design", lambda spec: sized.append(spec) or design(spec))
    listed = [{"gpus": 64, "allreduce.size": 2**20}, {"gpus": 128}, {"gpus": 64, "allreduce.size": 2**30}]
    base = {"server": "hgx-h100", "family": "fat-tree", "switches": "sn5600"}
    table = fabric.sweep(base, rows=listed, measures=["allreduce"], jobs=1)
    assert [spec.gpus for spec in sized] == [64, 128]
    assert table["gpus"] == [64, 128, 64]
    assert table["allreduce_size_bytes"] == [2**20, 2**30, 2**30]


def test_the_cut_is_by_work_alone(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every point is in one chunk, chunks are full but for the last, and a long design is cut by its points."""
    assert sorted(point for chunk in plan.chunks for point in chunk.points) == list(range(plan.points))
    assert all(chunk.work_s >= SMALL_S for chunk in plan.chunks[:-1])
    again = make_plan(plan.sweep)
    assert [chunk.key for chunk in again.chunks] == [chunk.key for chunk in plan.chunks]
    column = MeasureColumn("slow_s", "number", "nothing")
    seed = Setting("seed", MeasureColumn("slow_seed", "whole", "the seed"), 0)
    slow = Measure("slow", "takes a second", (column,), lambda study, _: [1.0], (seed,), lambda spec, _: 1.0)
    fabric.sweeps.MEASURES.add(slow)
    monkeypatch.setattr(fabric.sweeps.chunks, "TARGET_S", 5.0)
    try:
        sweep = read_sweep({**plan.sweep.plain(), "grid": {"gpus": [64, 72]}, "measures": ["slow"], "allreduce": None,
                            "slow": {"seed": list(range(30))}})  # fmt: skip
        cut = make_plan(sweep)
        assert (cut.points, cut.designs) == (60, 2)
        assert all(5 <= chunk.work_s < 15 for chunk in cut.chunks[:-1])
        assert {json.loads(chunk.content)["designs"][0]["request"]["gpus"] for chunk in cut.chunks} == {64, 72}
        with pytest.raises(TooLarge, match="a sweep of 60 points, 2 designs, about 60 s of work"):
            run_plan(cut, most_core_hours=0.01)
    finally:
        fabric.sweeps.MEASURES.remove("slow")


def test_a_chunk_is_computed_from_its_content_alone(plan: Plan) -> None:
    """Its Parquet file is the same every time, and names its key."""
    chunk = plan.chunks[3]
    data = compute_chunk(chunk.key, chunk.content, plan.sweep.measures)
    assert data == compute_chunk(chunk.key, chunk.content, plan.sweep.measures)
    assert chunk.key.encode() in data
