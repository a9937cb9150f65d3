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

from fabric.catalog import MOST_CHANNELS, MOST_QPS, PROTOCOLS, LibrarySettings
from fabric.errors import InputError, Mistake, unreadable
from fabric.request.plain_text import refuse_dash
from fabric.studies.log_rows import UNITS_US, LogPoint, is_row, read_row

__all__ = ["LogPoint", "LogRun", "read_log"]

MAX_BYTES = 2**28
"""The largest log that is read, in bytes: that of 10,000 ranks with NCCL_DEBUG=INFO."""
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
AUTOMATIC = ("ring", "tree", "nvls", "nvls-tree")
"""Those among which the library chooses; a `^` before NCCL_ALGO leaves out what follows."""
WITHOUT_NVLS = ("ring", "tree")

_PREFIX = re.compile(r"^(?:\x1b\[[0-9;]*m|\[\d+,\d+\]<std(?:out|err)>:\s?|\[[^\]\s]*\d\]:?\s(?=\s*[#\d])|\s*\d+:\s)+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_START = re.compile(r"nThread\s+\d+\s+nGpus\s+\d+")
_PROGRAM = re.compile(r"\b([a-z_]+)_perf\b")
_RANK = re.compile(r"Rank\s+(\d+)\s.*?Pid\s+\d+\s+on\s+(\S+)\s+device\s+\d+\s+\[[^\]]*\]\s+(\S.*?)\s*$")
_ALGORITHM = re.compile(r"NCCL_ALGO(?: set by environment to |=)\"?([\w,^]+)")
_SETTINGS = {
    "channels": re.compile(r"NCCL_MIN_NCHANNELS(?: set by environment to |=)\"?(\d+)"),
    "qps": re.compile(r"NCCL_IB_QPS_PER_CONNECTION(?: set by environment to |=)\"?(\d+)"),
    "protocol": re.compile(r"NCCL_PROTO(?: set by environment to |=)\"?([\w,^]+)", re.IGNORECASE),
}
_NO_NVLS = re.compile(r"NCCL_NVLS_ENABLE(?: set by environment to |=)\"?0\b")
_NICS = re.compile(r"NET/(?:IB|OFI|\w+)\s*:\s*Using\s+(\[0\].*)")
_VERSION = re.compile(r"\b([NR]CCL) version\s*:?\s*([0-9][\w.+-]*)")


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
    left_out: tuple[str, ...] = ()
    """The rows without a time out of place, with file and line, in words: they count for nothing."""

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
    left_out: list[str] = field(default_factory=list)
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
    found = list(_read_drafts(lines, name))
    drafts = [draft for draft in found if draft.points]
    if not drafts:
        first = next((row for draft in found for row in draft.left_out), None)
        raise InputError([Mistake(name, f"no table of times; {WHAT}" if first is None else f"no time: {first}")])
    return tuple(_finish(draft, collective) for draft in drafts)


def _read_text(path: str | os.PathLike[str], name: str) -> str:
    refuse_dash(name)
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from None
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
    elif is_row(line):
        found = read_row(draft.file, number, line, draft.columns, draft.unit_us)
        if isinstance(found, LogPoint):
            draft.points.append(found)
        elif found:
            draft.left_out.append(f"{draft.file}:{number}: {found}")
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
    if words := _ALGORITHM.search(line):
        named = dict.fromkeys(ALGORITHMS.get(word.lower(), "") for word in words[1].removeprefix("^").split(","))
        of = [name for name in AUTOMATIC if name not in named] if words[1].startswith("^") else named
        draft.algorithms = tuple(name for name in of if name)
    elif _NO_NVLS.search(line) and not draft.algorithms:
        draft.algorithms = WITHOUT_NVLS
    draft.settings |= {name: found[1].lower() for name, regex in _SETTINGS.items() if (found := regex.search(line))}
    if nics := _NICS.search(line):
        draft.nics = nics[1].count("[") - nics[1].count("[RO]") - nics[1].count("[SHARP]")
    if (version := _VERSION.search(line)) and not draft.version:
        draft.version = f"{version[1]} {version[2]}"


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
        draft.algorithms, _settings(draft), draft.nics, draft.version, tuple(draft.left_out),
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
    # As in the library, 0 is no setting, and more than the most are that many.
    channels, qps = (
        min(int(found[name]), most) or None if name in found else None
        for name, most in (("channels", MOST_CHANNELS), ("qps", MOST_QPS))
    )
    protocol = found.get("protocol")
    return LibrarySettings(channels, qps, protocol if protocol in PROTOCOLS else None)


def _guess(run: LogRun) -> str:
    """Return all-reduce where bus over algorithm bandwidth is 2(n-1)/n, which no other collective has; else nothing."""
    factors = [point.factor for point in run.points if point.factor]
    wanted = 2 * (run.gpus - 1) / run.gpus
    return "all-reduce" if factors and run.gpus > 2 and abs(factors[-1] / wanted - 1) < 0.01 else ""
