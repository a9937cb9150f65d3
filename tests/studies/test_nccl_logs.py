"""Logs of nccl-tests and rccl-tests as programs, MPI and NCCL_DEBUG leave them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fabric.errors import InputError
from fabric.studies.measured_runs import run_of, server_of
from fabric.studies.nccl_logs import read_log
from tests.log_fixtures import HEADER, PUBLISHED, Truth, write_log

RANKS = "\n".join(
    f"#  Rank {rank:2d} Group  0 Pid {100 + rank} on host{rank // 8} device  {rank % 8} [0x1b] NVIDIA H100 80GB HBM3"
    for rank in range(16)
)
START = "# nThread 1 nGpus 1 minBytes 8 maxBytes 8589934592 step: 2(factor) warmup iters: 5 iters: 20"
ROW = "  1048576  262144  float  sum  -1  203.2  5.16  9.68  0  207.2  5.06  9.49  0"


def _write(path: Path, *lines: str) -> Path:
    file = path / "run.log"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_log_has_its_machine_and_its_times(tmp_path: Path) -> None:
    """The collective, the hosts, the GPUs and each time out of place are those printed."""
    found = read_log(_write(tmp_path, "$ all_reduce_perf -b 8", START, RANKS, HEADER, ROW))
    assert [(run.collective, run.gpus, run.servers, run.gpus_per_server) for run in found] == [("all-reduce", 16, 2, 8)]
    assert [(point.size_bytes, point.time_us, point.line) for point in found[0].points] == [(1048576, 203.2, 22)]


def test_the_published_log_of_mi300x_is_that_of_the_data(tmp_path: Path) -> None:
    """A log of rccl-tests with the published times gives the bandwidths of the table."""
    with PUBLISHED.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["system"].startswith("MI300X")]
    run = read_log(write_log(tmp_path / "mi300x.log", Truth("MI300X x2 nodes (AAC10)", noise=0.0)))[0]
    assert server_of(run).name == "mi300x"
    for row, point in zip(rows, run.points, strict=True):
        assert point.size_bytes / point.time_us / 1e3 == pytest.approx(float(row["algbw_GBps"]), rel=1e-3)


@pytest.mark.parametrize("prefix", ["[1,0]<stdout>:", "0: ", "\x1b[32m", "[1,13]<stdout>: "])
def test_prefixes_of_launchers_do_not_matter(tmp_path: Path, prefix: str) -> None:
    """A log of mpirun --tag-output or srun -l says the same as the plain one."""
    lines = [START, *RANKS.splitlines(), *HEADER.splitlines(), ROW]
    plain = read_log(_write(tmp_path, "all_reduce_perf", *lines))
    tagged = read_log(_write(tmp_path, "all_reduce_perf", *(prefix + line for line in lines)))
    assert plain[0].points == tagged[0].points
    assert plain[0].hosts == tagged[0].hosts


def test_lines_of_nccl_debug_may_stand_anywhere(tmp_path: Path) -> None:
    """They add what was set and the NICs in use, and a row that one cuts in half keeps its first half."""
    info = "host0:12:13 [0] NCCL INFO "
    cut = f"  2097152  524288  float  sum  -1  303.2  6.92  12.97  0{info}Channel 00"
    lines = [
        f"{info}NCCL_ALGO set by environment to Ring,Tree", f"{info}NCCL_PROTO set by environment to Simple",
        f"{info}NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB [2]mlx5_2:1/IB [RO]; OOB eth0:10.0.0.1<0>",
        "NCCL version 2.21.5+cuda12.4", f"{info}NCCL_MIN_NCHANNELS set by environment to 32", HEADER, ROW, f"{info}x",
        cut,
    ]  # fmt: skip
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, *lines))[0]
    assert run.algorithms == ("ring", "tree")
    assert (run.settings.protocol, run.settings.channels) == ("simple", 32)
    assert (run.nics, run.version) == (3, "NCCL 2.21.5+cuda12.4")
    assert [point.time_us for point in run.points] == [203.2, 303.2]


def test_the_heading_of_rccl_tests_is_read(tmp_path: Path) -> None:
    """Its ranks have no group, and its version stands on a line of its own."""
    ranks = "\n".join(
        f"#   Rank {rank:2d} Pid 38446{rank:02d} on     gpu-53 device  {rank} [0000:05:00.0] AMD Instinct MI300X"
        for rank in range(8)
    )
    head = [
        "rccl-tests: Version develop:448c4c7",
        "# Using devices",
        ranks,
        "RCCL version : 2.22.3-HEAD:7d8d67c",
        "HIP version  : 6.4",
    ]
    run = read_log(_write(tmp_path, "all_reduce_perf", START, *head, HEADER, ROW))[0]
    assert (run.gpus, run.servers, run.gpu, run.version) == (8, 1, "AMD Instinct MI300X", "RCCL 2.22.3-HEAD")
    assert server_of(run).name == "mi300x"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_matter(tmp_path: Path, encoding: str) -> None:
    """Windows writes one, and PowerShell redirects in UTF-16."""
    path = _write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, ROW)
    plain = read_log(path)
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert read_log(path) == plain


def test_a_time_that_is_cut_off_does_not_count(tmp_path: Path) -> None:
    """Of a file that ends inside a row, the last number may have lost digits."""
    cut = ROW.replace("1048576", "2097152").split("3.2  5.16")[0]
    found = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, ROW, cut))[0]
    assert [point.size_bytes for point in found.points] == [1048576]


@pytest.mark.parametrize("time", ["-5.0", "nan", "N/A", "0.00", "inf"])
def test_a_row_without_a_time_out_of_place_is_left_out(tmp_path: Path, time: str) -> None:
    """The time in place is another measurement: the row counts for nothing, and a message has its line and the word."""
    bad = ROW.replace("1048576", "2097152").replace("203.2", time)
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, ROW, bad))[0]
    assert [point.size_bytes for point in run.points] == [1048576]
    (said,) = run.left_out
    assert said.endswith(f"run.log:23: 2 MiB has no time out of place ('{time}')")
    assert run_of(run, server_of(run)).left_out == run.left_out
    with pytest.raises(InputError, match=r"no time: .*run\.log:22: 2 MiB has no time out of place"):
        read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, bad))


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("NCCL version 2.27.3+cuda12.9", "2.27"), ("NCCL version 2.31.1", "2.30"), ("NCCL version 2.18.5", "2.27"),
        ("NCCL version 2.28.9", "2.28"), ("nothing", None),
    ],
)  # fmt: skip
def test_the_version_of_a_log_chooses(tmp_path: Path, line: str, version: str | None) -> None:
    """The table is the newest up to the version that ran, or else the oldest; RCCL has its own."""
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, line, HEADER, ROW))[0]
    assert run_of(run, server_of(run)).settings.version == version
    amd = read_log(
        _write(tmp_path, "all_reduce_perf", START, RANKS.replace("NVIDIA H100", "AMD MI300X"), line, HEADER, ROW)
    )
    assert run_of(amd[0], server_of(amd[0])).settings.version == ("2.26" if version else None)


@pytest.mark.parametrize(
    ("word", "protocol", "algorithms", "channels"),
    [
        ("NCCL_PROTO set by environment to LL,Simple", None, (), None),
        ("NCCL_PROTO set by environment to LL128", "ll128", (), None),
        ("NCCL_PROTO set by environment to ^LL128", None, (), None),
        ("NCCL_ALGO set by environment to ^NVLS,NVLSTree", None, ("ring", "tree"), None),
        ("NCCL_ALGO set by environment to Ring", None, ("ring",), None),
        ("NCCL_MIN_NCHANNELS set by environment to 128", None, (), 64),
        ("NCCL_MIN_NCHANNELS set by environment to 0", None, (), None),
    ],
)
def test_settings_are_heeded_as_the_library_does(
    tmp_path: Path, word: str, protocol: str | None, algorithms: tuple[str, ...], channels: int | None
) -> None:
    """Several protocols leave it the choice, a `^` leaves out, and more channels than there can be are the most."""
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, f"h:1:2 [0] NCCL INFO {word}", HEADER, ROW))[0]
    assert (run.settings.protocol, run.algorithms, run.settings.channels) == (protocol, algorithms, channels)


def test_standard_input_is_no_log() -> None:
    """A dash is refused with what to do instead."""
    with pytest.raises(InputError, match=r"-: standard input is not read; name a file"):
        read_log("-")


def test_a_file_may_hold_several_runs(tmp_path: Path) -> None:
    """Each run has its own program, and its own table."""
    gather = ROW.replace("sum", "none")
    lines = ["all_reduce_perf", START, RANKS, HEADER, ROW, "all_gather_perf -b 8", START, RANKS, HEADER, gather]
    assert [run.collective for run in read_log(_write(tmp_path, *lines))] == ["all-reduce", "all-gather"]


def test_old_columns_and_units_are_read(tmp_path: Path) -> None:
    """Logs before 2.13 have no root, and others print milliseconds or a unit beside the number."""
    old = "  1048576  262144  float  sum  203.2  5.16  9.68  0e+00  207.2  5.06  9.49  0e+00"
    assert read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, old))[0].points[0].time_us == 203.2
    ms = HEADER.replace("(us)", "(ms)")
    assert read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, ms, ROW))[0].points[0].time_us == 203200.0
    unit = ROW.replace("203.2", "0.2032ms")
    assert read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, unit))[0].points[
        0
    ].time_us == pytest.approx(203.2)


def test_an_all_reduce_is_known_by_its_bus_bandwidth(tmp_path: Path) -> None:
    """Bus over algorithm bandwidth is 2(n-1)/n in an all-reduce alone; of others the log must say."""
    assert read_log(_write(tmp_path, START, RANKS, HEADER, ROW))[0].collective == "all-reduce"
    other = ROW.replace("9.68", "4.84").replace("9.49", "4.74")
    assert read_log(_write(tmp_path, START, RANKS, HEADER, other), "all-gather")[0].collective == "all-gather"
    with pytest.raises(InputError, match=r"run\.log:1: .*--collective"):
        read_log(_write(tmp_path, START, RANKS, HEADER, other))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("nothing here",), "no table of times"),
        (("all_reduce_perf", START, HEADER, ROW), "no lines such as"),
        (("reduce_perf", START, RANKS, HEADER, ROW), "reduce_perf has no model"),
        (("all_reduce_perf", START, RANKS, HEADER, ROW.replace("203.2", "1e400")), r"run\.log:22: .* correct the row"),
        (
            ("all_reduce_perf", START, RANKS, HEADER, ROW.replace("1048576", "9" * 30)),
            r"run\.log:22: .* correct the row",
        ),
        (("all_reduce_perf", START, RANKS, HEADER, ROW.replace("1048576", "9" * 6000)), "no table of times"),
        (("all_reduce_perf", START, RANKS.replace("Rank  7", "Rnk  7"), HEADER, ROW), "no line for rank 7 of 16"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    """The message names the file, and what is missing."""
    with pytest.raises(InputError, match=words):
        read_log(_write(tmp_path, *lines))


def test_a_server_of_other_gpus_than_the_logs_is_refused(tmp_path: Path) -> None:
    """--server names the server of GPUs that are not known, or another one with the same."""
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, ROW))[0]
    assert server_of(run, "dgx-h100").name == "dgx-h100"
    with pytest.raises(InputError, match=r"run\.log:1: ran on NVIDIA H100 80GB HBM3, which a mi300x does not have"):
        server_of(run, "mi300x")


def test_wrong_values_and_unknown_gpus_are_refused(tmp_path: Path) -> None:
    """Corrupt data is not timed, and GPUs of no known server ask for its name."""
    wrong = ROW.replace("9.68  0", "9.68  7")
    run = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS, HEADER, wrong))[0]
    with pytest.raises(InputError, match=r"run\.log:22: 7 wrong values"):
        run_of(run, server_of(run))
    other = read_log(_write(tmp_path, "all_reduce_perf", START, RANKS.replace("H100", "X1"), HEADER, ROW))[0]
    with pytest.raises(InputError, match="--server"):
        server_of(other)
    assert server_of(other, "hgx-b200").name == "hgx-b200"
