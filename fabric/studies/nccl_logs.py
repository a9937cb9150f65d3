"""Read what nccl-tests and rccl-tests print: the runs of a log, each with its machine and its table of times.

A log may hold several runs, lines of NCCL_DEBUG among those of the table, and the prefixes that mpirun, srun and
kubectl put before each line. The columns are found by the table's own header, with and without `root`.
"""

from __future__ import annotations

import codecs
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fabric.catalog import PROTOCOLS, LibrarySettings
from fabric.errors import InputError, Mistake

__all__ = ["LogPoint", "LogRun", "read_log"]

MAX_BYTES = 2**28
"""The largest log that is read, in bytes: that of 10,000 ranks with NCCL_DEBUG=INFO."""
MAX_SIZE, MAX_US = 2**60, 3.6e9
"""The largest message in bytes and the longest time in microseconds that a row may have."""
WHAT = "expected the output of nccl-tests or rccl-tests, such as that of all_reduce_perf"

COLLECTIVES = {
    "all_reduce": "all-reduce", "all_gather": "all-gather", "reduce_scatter": "reduce-scatter",
    "alltoall": "all-to-all", "broadcast": "broadcast", "sendrecv": "send-recv",
}  # fmt: skip
"""The collectives of the model by the names of their programs; `reduce` and others have no model."""
ALGORITHMS = {
    "ring": "ring", "tree": "tree", "nvls": "nvls", "nvlstree": "nvls-tree", "collnetdirect": "sharp",
    "collnetchain": "sharp",
}  # fmt: skip
"""The algorithms of the model by the words of NCCL_ALGO."""
WITHOUT_NVLS = ("ring", "tree")
UNITS_US = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
OLD = ("size", "count", "type", "redop", "time", "algbw", "busbw", "error", "time", "algbw", "busbw", "error")
NEW = (*OLD[:4], "root", *OLD[4:])
"""The columns where a log has lost its header: before and since nccl-tests 2.13."""

_PREFIX = re.compile(r"^(?:\x1b\[[0-9;]*m|\[\d+,\d+\]<std(?:out|err)>:\s?|\[[^\]\s]*\d\]:?\s(?=\s*[#\d])|\s*\d+:\s)+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_START = re.compile(r"nThread\s+\d+\s+nGpus\s+\d+")
_PROGRAM = re.compile(r"\b([a-z_]+)_perf\b")
_RANK = re.compile(r"Rank\s+(\d+)\s.*?Pid\s+\d+\s+on\s+(\S+)\s+device\s+\d+\s+\[[^\]]*\]\s+(\S.*?)\s*$")
_ALGORITHM = re.compile(r"NCCL_ALGO(?: set by environment to |=)\"?([\w,^]+)")
_SETTINGS = {
    "channels": re.compile(r"NCCL_MIN_NCHANNELS(?: set by environment to |=)\"?(\d+)"),
    "qps": re.compile(r"NCCL_IB_QPS_PER_CONNECTION(?: set by environment to |=)\"?(\d+)"),
    "protocol": re.compile(r"NCCL_PROTO(?: set by environment to |=)\"?(\w+)", re.IGNORECASE),
}
_NO_NVLS = re.compile(r"NCCL_NVLS_ENABLE(?: set by environment to |=)\"?0\b")
_NICS = re.compile(r"NET/(?:IB|OFI|\w+)\s*:\s*Using\s+(\[0\].*)")
_VERSION = re.compile(r"\b([NR]CCL) version\s*:?\s*([0-9][\w.+-]*)")
_ROW = re.compile(r"^\s*\d{1,30}\s+\d+\s+[a-z]\w*\s+\w+\s")
_NUMBER = re.compile(r"^([0-9.]+(?:e[+-]?[0-9]+)?)(ns|us|ms|s)?$", re.IGNORECASE)


@dataclass(frozen=True)
class LogPoint:
    """One row of a table."""

    line: int
    """Its line in the file, counted from 1."""
    size_bytes: int
    """The message size."""
    time_us: float
    """The time out of place, or in place where there is no other, in microseconds."""
    factor: float | None
    """Bus over algorithm bandwidth; None where they are too small to divide."""
    wrong: int
    """The elements with a wrong value."""


@dataclass(frozen=True)
class LogRun:
    """One run of a program of nccl-tests."""

    file: str
    """The file's name."""
    line: int
    """The line at which it begins, counted from 1."""
    collective: str
    """The name of the collective; empty where the log does not say."""
    hosts: tuple[str, ...]
    """The host of each rank, in order of ranks."""
    gpu: str
    """The product name of the GPUs."""
    points: tuple[LogPoint, ...]
    """The rows, ascending by size."""
    algorithms: tuple[str, ...] = ()
    """The algorithms that NCCL_ALGO allowed, by their names in the model; none where the library chose."""
    settings: LibrarySettings = field(default_factory=LibrarySettings)
    """The channels, queue pairs and protocol that were set."""
    nics: int | None = None
    """The NICs of a host that NCCL says it uses; None where NCCL_DEBUG did not show them."""
    version: str = ""
    """The library and its version; empty where the log does not say."""

    @property
    def place(self) -> str:
        """Where it is: file and line."""
        return f"{self.file}:{self.line}"

    @property
    def gpus(self) -> int:
        """The GPUs that took part: its ranks."""
        return len(self.hosts)

    @property
    def servers(self) -> int:
        """The hosts."""
        return len(set(self.hosts))

    @property
    def gpus_per_server(self) -> int:
        """The most GPUs of a host."""
        return max(Counter(self.hosts).values())


@dataclass
class _Draft:
    """A run while its lines are read."""

    file: str
    line: int
    program: str = ""
    hosts: dict[int, str] = field(default_factory=dict)
    gpu: str = ""
    columns: tuple[str, ...] = ()
    unit_us: tuple[float, ...] = ()
    points: list[LogPoint] = field(default_factory=list)
    algorithms: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    nics: int | None = None
    version: str = ""


def read_log(path: str | os.PathLike[str], collective: str | None = None) -> tuple[LogRun, ...]:
    """Return the runs of a log that have a table; `collective` names that of runs whose program the log does not name.

    Raises InputError, with file and line, for a file that is not readable or has no table, for a run of a collective
    that the model does not have or that is not clear, and for one without the lines that list its ranks.
    """
    name = os.fsdecode(path)
    lines = _read_text(path, name).splitlines()
    drafts = [draft for draft in _read_drafts(lines, name) if draft.points]
    if not drafts:
        raise InputError([Mistake(name, f"no table of times; {WHAT}")])
    return tuple(_finish(draft, collective) for draft in drafts)


def _read_text(path: str | os.PathLike[str], name: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError([Mistake(name, f"not readable: {reason}")]) from None
    if len(data) > MAX_BYTES:
        raise InputError([Mistake(name, f"has over {MAX_BYTES:,} bytes; give the output of one job")])
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell redirects
    return data.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def _read_drafts(lines: Sequence[str], file: str) -> Iterator[_Draft]:
    """Yield the runs of a log; what precedes the first belongs to it, as the command line does."""
    draft = _Draft(file, 1, _program(Path(file).name))
    for number, raw in enumerate(lines, 1):
        line = _PREFIX.sub("", _COLOUR.sub("", raw))
        next_program = draft.points and _program(line) and "concluded" not in line
        if next_program or (_START.search(line) and (draft.points or draft.hosts)):
            yield draft
            draft = _Draft(file, number, draft.program)
        _read_line(draft, number, line)
    yield draft


def _program(text: str) -> str:
    found = _PROGRAM.search(text)
    return found[1] if found else ""


def _read_line(draft: _Draft, number: int, line: str) -> None:
    """Add what a line says to a run."""
    if rank := _RANK.search(line):
        draft.hosts[int(rank[1])], draft.gpu = rank[2], draft.gpu or rank[3]
    elif _ROW.match(line):
        if point := _read_row(draft, number, line):
            draft.points.append(point)
    elif line.lstrip("# ").startswith("size") and "busbw" in line:
        draft.columns = tuple(line.replace("#", " ").split())
    elif "(GB/s)" in line and not draft.unit_us:
        units = [word.strip("()") for word in line.split() if word.startswith("(")]
        draft.unit_us = tuple(UNITS_US[word] for word in units if word in UNITS_US)
    else:
        _read_setting(draft, line)


def _read_setting(draft: _Draft, line: str) -> None:
    """Add what a line of NCCL_DEBUG, a command line or a heading says of a run."""
    if program := _program(line):
        draft.program = program
    if (words := _ALGORITHM.search(line)) and "^" not in words[1]:
        names = (ALGORITHMS.get(word.lower()) for word in words[1].split(","))
        draft.algorithms = tuple(dict.fromkeys(name for name in names if name))
    elif _NO_NVLS.search(line) and not draft.algorithms:
        draft.algorithms = WITHOUT_NVLS
    draft.settings |= {name: found[1].lower() for name, regex in _SETTINGS.items() if (found := regex.search(line))}
    if nics := _NICS.search(line):
        draft.nics = nics[1].count("[") - nics[1].count("[RO]") - nics[1].count("[SHARP]")
    if (version := _VERSION.search(line)) and not draft.version:
        draft.version = f"{version[1]} {version[2]}"


def _read_row(draft: _Draft, number: int, line: str) -> LogPoint | None:
    """Return the point of a row; None where another line has cut it before its first time, or nothing was sent."""
    words = line.split()
    columns = draft.columns or (NEW if len(words) >= len(NEW) else OLD)
    pairs = list(zip(columns, words, strict=False))
    sides = _split_sides(pairs, draft.unit_us)
    times = [time for time, _ in sides if time]
    size = int(words[0])
    if not times or not size:
        return None
    if size > MAX_SIZE or max(times) > MAX_US:
        text = f"{size:,} bytes in {times[0]:g} us: over {MAX_SIZE:,} bytes or an hour is no time of a collective"
        raise InputError([Mistake(f"{draft.file}:{number}", f"{text}; correct the row")])
    wrong = sum(_parse_wrong(dict(side)) for _, side in sides)
    return LogPoint(number, size, times[0], _factor(sides), wrong)


def _split_sides(
    pairs: list[tuple[str, str]], units: tuple[float, ...]
) -> list[tuple[float | None, list[tuple[str, str]]]]:
    """Return the time in us and the columns of each side of a row, out of place and in place."""
    starts = [index for index, (column, _) in enumerate(pairs) if column == "time"]
    ends = [*starts[1:], len(pairs)]
    found = []
    for side, (start, end) in enumerate(zip(starts, ends, strict=False)):
        unit = units[side] if side < len(units) else 1.0
        is_whole = end - start > 1  # of a file that is cut, the last number may have lost digits
        found.append((_parse_time(pairs[start][1], unit) if is_whole else None, pairs[start:end]))
    return found


def _parse_time(word: str, unit: float) -> float | None:
    """Return a time in us, in its own unit where it has one; None for what is no number, such as N/A."""
    match = _NUMBER.match(word)
    try:
        return float(match[1]) * (UNITS_US[match[2].lower()] if match[2] else unit) if match else None
    except ValueError:
        return None


def _factor(sides: Sequence[tuple[float | None, list[tuple[str, str]]]]) -> float | None:
    for _, side in sides:
        values = {column: _parse_time(word, 1.0) for column, word in side}
        algbw, busbw = values.get("algbw"), values.get("busbw")
        if algbw and busbw and min(algbw, busbw) >= 1:
            return busbw / algbw
    return None


def _parse_wrong(side: dict[str, str]) -> int:
    """Return the wrong elements of a side; old versions print the largest error instead, and some nothing."""
    word = side.get("wrong", "0")
    return int(word[:18]) if word.isdecimal() else 0


def _finish(draft: _Draft, collective: str | None) -> LogRun:
    """Return a run whose lines have all been read; raises InputError as `read_log` says."""
    file, place = draft.file, f"{draft.file}:{draft.line}"
    if not draft.hosts:
        text = "no lines such as `#  Rank  0 Group  0 Pid 6899 on host device  0 [0x1b] NVIDIA H100`; keep the heading"
        raise InputError([Mistake(place, text)])
    if draft.program and draft.program not in COLLECTIVES:
        known = ", ".join(f"{name}_perf" for name in COLLECTIVES)
        raise InputError([Mistake(place, f"{draft.program}_perf has no model; those with one: {known}")])
    if lost := set(range(max(draft.hosts) + 1)) - set(draft.hosts):
        raise InputError(
            [Mistake(place, f"no line for rank {min(lost):,} of {max(draft.hosts) + 1:,}; keep the heading")]
        )
    hosts = tuple(draft.hosts[rank] for rank in sorted(draft.hosts))
    points = tuple(sorted(draft.points, key=lambda point: point.size_bytes))
    run = LogRun(
        file, draft.line, COLLECTIVES.get(draft.program, collective or ""), hosts, draft.gpu, points,
        draft.algorithms, _settings(draft), draft.nics, draft.version,
    )  # fmt: skip
    if not run.collective:
        run = replace(run, collective=_guess(run))
    if not run.collective:
        text = "the log does not name its program, such as all_reduce_perf; say which with --collective"
        raise InputError([Mistake(place, text)])
    return run


def _settings(draft: _Draft) -> LibrarySettings:
    """Return what was set of the library; several protocols leave it the choice."""
    found = draft.settings
    channels, qps = (int(found[name]) if name in found else None for name in ("channels", "qps"))
    protocol = found.get("protocol")
    return LibrarySettings(channels, qps, protocol if protocol in PROTOCOLS else None)


def _guess(run: LogRun) -> str:
    """Return all-reduce where bus over algorithm bandwidth is 2(n-1)/n, which no other collective has; else nothing."""
    factors = [point.factor for point in run.points if point.factor]
    wanted = 2 * (run.gpus - 1) / run.gpus
    return "all-reduce" if factors and run.gpus > 2 and abs(factors[-1] / wanted - 1) < 0.01 else ""
