"""The memory and time that this process may take, and the refusal of work that would take more, before it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from fabric import units
from fabric.errors import InputError, NotEnoughMemory, TooLarge

__all__ = [
    "MOST_MINUTES",
    "Work",
    "allow_minutes",
    "find_excess",
    "memory_available",
    "minutes_allowed",
    "refuse_excess",
]

MOST_MINUTES = 3.0
"""The minutes that work may take by its estimate, where the environment does not say otherwise."""

VARIABLE = "FABRIC_MINUTES"
"""The variable of the environment that allows work to take more minutes, or fewer."""

_ALLOWED: ContextVar[float | None] = ContextVar("minutes allowed", default=None)

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows the limits of control groups, those of containers among them."""

_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""The files of a group's limit and use, and in `memory.stat` the part of the use that is given back on demand.

The first row is of version 2 of control groups, the second of version 1.
"""


@dataclass(frozen=True)
class Work:
    """What a step takes, estimated from its size before it starts.

    The factors are measured on one core (see `benchmarks/resources.py`): estimates are right within a factor of three.
    """

    memory_bytes: float = 0.0
    """The most memory in bytes that it holds at a time, beyond what the process holds already."""
    seconds: float = 0.0
    """The seconds of one core."""

    def then(self, other: Work) -> Work:
        """Return what this and then the other takes, when memory is freed in between."""
        return Work(max(self.memory_bytes, other.memory_bytes), self.seconds + other.seconds)

    def times(self, repeats: float) -> Work:
        """Return what as many repeats take, one after another."""
        return Work(self.memory_bytes, self.seconds * repeats)


def refuse_excess(subject: str, work: Work, remedy: str) -> None:
    """Raise an error where `work` takes more memory or time than this process may; `remedy` says what to do instead.

    `subject` is what needs it, in the plural: "big: 80,000,000 flows". Raises NotEnoughMemory for memory, which depends
    on the machine and the moment, and TooLarge for time, which depends on `minutes_allowed` alone.
    """
    if excess := find_excess(work):
        raise type(excess)(f"{subject} {excess}; {remedy}")


def find_excess(work: Work) -> TooLarge | None:
    """Return the error, in words, where `work` needs more than this process may take; else None."""
    available = memory_available()
    if work.memory_bytes > available:
        return NotEnoughMemory(
            f"need about {_round_size(work.memory_bytes)} of memory, and {_round_size(available)} are available to this"
            " process"
        )
    minutes, most = work.seconds / 60, minutes_allowed()
    if minutes > most:
        return TooLarge(
            f"need about {minutes:,.0f} minutes, more than the {most:g} of a run"
            f" ({VARIABLE}={_round_up(minutes)} allows them)"
        )
    return None


@contextmanager
def allow_minutes(minutes: float) -> Iterator[None]:
    """Let work take this many minutes within the block, whatever the environment says."""
    token = _ALLOWED.set(minutes)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def minutes_allowed() -> float:
    """Return the minutes that work may take; raises InputError where the environment's are not a positive number."""
    if (allowed := _ALLOWED.get()) is not None:
        return allowed
    text = os.environ.get(VARIABLE)
    if text is None:
        return MOST_MINUTES
    with suppress(ValueError):
        if (minutes := float(text)) > 0:
            return minutes
    raise InputError(f"{VARIABLE}={text!r:.40}: not a positive number of minutes; write for example {VARIABLE}=60")


def _round_up(minutes: float) -> int:
    """Return whole minutes of two digits, above the estimate."""
    step: int = 10 ** max(0, len(str(int(minutes))) - 2)
    return int(minutes // step + 1) * step


def _round_size(bytes_: float) -> str:
    """Return a size to one decimal place of GiB, or in whole MiB or KiB."""
    unit = 2**20 if bytes_ >= 2**20 else 2**10
    return f"{bytes_ / 2**30:,.1f} GiB" if bytes_ >= 2**30 else units.size(int(bytes_) // unit * unit)


def memory_available() -> int:
    """Return the bytes of memory that this process may still take.

    That is the least of what is free on the machine, of what its control groups (those of a container, say) leave, and
    of what `ulimit -v` and `-d` leave. Where the system does not say, it is the machine's memory.
    """
    return max(0, min((_free_memory(), *_left_by_groups(), *_left_by_limits())))


def _free_memory() -> int:
    """Return the memory that the machine can give without swapping."""
    if found := _find_number(Path("/proc/meminfo"), "MemAvailable:"):
        return found * 1024
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return sys.maxsize


def _left_by_groups() -> Iterator[int]:
    """Yield what each control group of this process leaves, from its own to the outermost."""
    for folder in _group_folders():
        for limit, used, reclaimed in _FILES:
            most, taken = _read_number(folder / limit), _read_number(folder / used)
            if most is not None and taken is not None:
                yield most - taken + (_find_number(folder / "memory.stat", reclaimed) or 0)


def _group_folders() -> Iterator[Path]:
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2) if line.count(":") > 1 else ("", "-", "")
        if controllers in ("", "memory"):
            root = CGROUPS / controllers
            inner = root / path.lstrip("/")
            yield from (each for each in (inner, *inner.parents) if each == root or root in each.parents)


def _left_by_limits() -> Iterator[int]:
    """Yield what the process's own limits leave of its address space and of its data."""
    try:
        import resource
    except ImportError:  # there are no such limits on Windows
        return
    pages = _read(Path("/proc/self/statm")).split()
    for limit, column in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            yield most - (int(pages[column]) * resource.getpagesize() if pages else 0)


def _read(file: Path) -> str:
    """Return the text of a file of the system, empty where there is none."""
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _read_number(file: Path) -> int | None:
    """Return the number in a file; None where it holds none, as for no limit."""
    text = _read(file).strip()
    return int(text) if text.isdigit() else None


def _find_number(file: Path, key: str) -> int | None:
    """Return the number after a key in a file of keys and numbers."""
    for line in _read(file).splitlines():
        name, _, rest = line.partition(" ")
        if name == key:
            return int(rest.split()[0])
    return None
