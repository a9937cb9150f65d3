"""What is too large is refused with its estimate before it starts, under every limit of the process."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from fabric import resources
from fabric.errors import InputError, TooLarge
from fabric.resources import Work, memory_available, refuse_excess

ROOT = Path(__file__).parents[1]
GIB = 2**30


def test_work_adds_time_and_takes_the_most_memory() -> None:
    """Steps follow one another, and what one holds is freed before the next."""
    assert Work(5, 2).then(Work(3, 4)).times(3) == Work(5, 18)


def test_memory_is_the_least_of_all_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free memory, the groups of both versions up to the root, with what is reclaimed, and `ulimit` are all counted."""
    root = tmp_path / "groups"
    files = {
        "inner/job/memory.max": "max",
        "inner/memory.max": str(8 * GIB),
        "inner/memory.current": str(7 * GIB),
        "inner/memory.stat": f"anon 5\ninactive_file {2 * GIB}\n",
        "memory/deep/memory.limit_in_bytes": str(6 * GIB),
        "memory/deep/memory.usage_in_bytes": str(4 * GIB),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    of_process = {
        "/proc/self/cgroup": "4:memory:/deep/gone\n0::/inner/job\n",
        "/proc/meminfo": "MemAvailable: 16777216",
    }
    read = resources._read
    monkeypatch.setattr(resources, "CGROUPS", root)
    monkeypatch.setattr(resources, "_read", lambda file: of_process.get(str(file)) or read(file))
    assert sorted(resources._left_by_groups()) == [2 * GIB, 3 * GIB]
    assert memory_available() == 2 * GIB
    for name in ("inner", "memory/deep"):
        (root / name / ("memory.max" if name == "inner" else "memory.limit_in_bytes")).write_text("max")
    assert memory_available() == 16 * GIB


def test_what_exceeds_memory_or_time_is_refused_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is needed, what there is and what to do; the environment may allow more minutes."""
    monkeypatch.setattr(resources, "memory_available", lambda: GIB)
    refuse_excess("fabric: links", Work(GIB, 180), "nothing to do")
    with pytest.raises(TooLarge, match=r"^fabric: links need about 1\.5 GiB of memory, and 1\.0 GiB are available to"):
        refuse_excess("fabric: links", Work(1.5 * GIB), "take fewer")
    with pytest.raises(
        TooLarge, match=r"need about 10 minutes, more than the 3 of a run \(FABRIC_MINUTES=11 allows them\); take"
    ):
        refuse_excess("fabric: links", Work(0, 600), "take fewer")
    monkeypatch.setenv("FABRIC_MINUTES", "11")
    refuse_excess("fabric: links", Work(0, 600), "take fewer")
    for wrong in ("0", "-1", "soon", "nan", ""):
        monkeypatch.setenv("FABRIC_MINUTES", wrong)
        with pytest.raises(InputError, match=r"FABRIC_MINUTES='.*': not a positive number of minutes"):
            refuse_excess("fabric: links", Work(), "")


def run(*words: str, most_bytes: int) -> subprocess.CompletedProcess[str]:
    """Run the command in a process whose address space is bounded."""
    return subprocess.run(
        [sys.executable, "-m", "fabric", *words], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes)),
    )  # fmt: skip


HUGE = "name: huge\ngpus: 3000000\nserver: hgx-h100\nfamily: fat-tree\nswitches: sn5600\n"


@pytest.mark.parametrize(
    "words",
    [
        ("allreduce", "--engine", "flows", "--routing", "ecmp", "--size", "1GiB"),
        ("allreduce", "--engine", "flows", "--routing", "ecmp", "--size", "1GiB", "--fail", "leaf:1"),
        ("allreduce", "--engine", "flows", "--collective", "all-to-all", "--size", "1GiB"),
        ("allreduce", "--collective", "permutation", "--qps", "64", "--routing", "ecmp"),
        ("export", "--level", "device", "-o", "huge.graphml"),
    ],
)
def test_a_command_under_a_limit_is_refused_before_it_starts(words: tuple[str, ...], tmp_path: Path) -> None:
    """Under `ulimit -v` the estimate is compared with what that leaves: one message, exit code 2, no file."""
    (tmp_path / "huge.yaml").write_text(HUGE)
    place = [str(tmp_path / word) if word == "huge.graphml" else word for word in words[1:]]
    done = run(words[0], str(tmp_path / "huge.yaml"), *place, most_bytes=5 * GIB // 4)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "need about" in done.stderr
    assert "available to this process" in done.stderr or "minutes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "huge.graphml").exists()


def test_a_sweep_ends_where_memory_leaves_no_room_for_threads(tmp_path: Path) -> None:
    """Under `ulimit -v` with little left, pyarrow can't start threads: the table is read without, or refused."""
    (tmp_path / "sweep.yaml").write_text("base: {gpus: 64, server: hgx-h100, switches: sn5600}\nmeasures: [cost]\n")
    for most in (600, 700):
        words = ("sweep", str(tmp_path / "sweep.yaml"), "-o", str(tmp_path / str(most)), "-j", "1")
        done = run(*words, most_bytes=most * 1000 * 1024)
        assert done.returncode == 0 or "not enough memory" in done.stderr, done.stderr
