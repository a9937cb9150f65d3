"""Sentences on the collective library that estimates assume, what it chooses, and what would be faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from fabric import units
from fabric.blueprint import Blueprint
from fabric.catalog import LibrarySettings
from fabric.flow import ROUTINGS, Answer, Estimate, LibraryUse, summarize
from fabric.flow.machines import library_use
from fabric.report.text import join_words

__all__ = ["list_library_lines", "note_calibration", "note_library"]

NAMES = {"nccl": "NCCL", "rccl": "RCCL"}
"""The names of libraries for people."""

MUCH = 1.02
"""The time of a choice over the least from which the faster algorithm is worth a word."""

MOST = 4
"""The most faster algorithms that are listed."""

TUNED = 32
"""The channels that operators set where the default limits, twice those of eight NICs."""


def list_library_lines(answers: Iterable[Answer], settings: LibrarySettings, algorithm: str | None) -> Iterator[str]:
    """Yield what the answers assume of the library with these settings, and where it does not choose the fastest.

    `algorithm` is the one asked for, None where it is left to the library.
    """
    answers = list(answers)
    used = answers[0].library
    if used is None:
        return
    yield _assumption(used, settings, chooses=algorithm is None and any(each.estimate.chosen for each in answers))
    if algorithm is None:
        yield from _faster(used, answers)
    if any(answer.estimate.limited_by == "channels" for answer in answers):
        yield (
            f"Limited by channels: {used.channels} carry no more;"
            f" set more to see what the NICs carry: --nccl channels={max(TUNED, 2 * used.channels)}."
        )


def note_library(blueprint: Blueprint) -> Iterator[str]:
    """Say which library and settings the times of a design assume."""
    text = _assumption(library_use(summarize(blueprint)), blueprint.library, chooses=True)
    yield f"Times assume{text.removeprefix('Assumes')}"
    yield from note_calibration(blueprint)


def note_calibration(blueprint: Blueprint) -> Iterator[str]:
    """Say that the times stand on constants of a cluster's own runs, where they do."""
    if (own := blueprint.constants.own_runs) is None:
        return
    text = f"Calibrated: {units.count_noun(own.constants, 'constant')} of the model by runs"
    if blueprint.server.generation == own.generation:
        yield f"{text} of this cluster."
    else:
        yield f"{text} on other GPUs ({own.generation}): constants of these GPUs are the catalogue's."


def _assumption(used: LibraryUse, settings: LibrarySettings, *, chooses: bool) -> str:
    """Return the sentence on the library and its settings, and whether it chooses the algorithm."""
    given = [f"{name} {value}" for name, value in vars(settings).items() if value is not None and name != "version"]
    how = f"with {', '.join(given)} as set" if given else "with its own defaults"
    means = f"{units.count_noun(used.channels, 'channel')}, {units.count_noun(used.qps, 'queue pair')} per connection"
    name = f"{NAMES[used.name]} {used.version}" if used.version else "NCCL"
    text = f"Assumes {name} {how} ({means})"
    if used.stands_in:
        return (
            f"{text}: nothing was measured on these GPUs, so constants of {used.stands_in.capitalize()} stand in;"
            " what their own library chooses is not known, and the fastest algorithm is given."
        )
    if used.version is None or not chooses:
        return f"{text}."
    chosen = [name for name in ("algorithm", "protocol") if getattr(settings, name) is None]
    return f"{text}, which chooses {join_words(chosen)} by its own cost model." if chosen else f"{text}."


def _faster(used: LibraryUse, answers: list[Answer]) -> Iterator[str]:
    """Yield the sentence on algorithms that are faster than the choice, if any."""
    slow = [
        each
        for each in (answer.estimate for answer in answers)
        if each.chosen and each.fastest and each.chosen.time_s > MUCH * each.fastest.time_s
    ]
    texts = dict.fromkeys((each.size_bytes, _compare_choice(each)) for each in slow)
    often = Counter(size for size, _ in texts)  # the routings of a size are named where they differ
    found = dict.fromkeys(
        _compare_choice(each, ROUTINGS[each.routing].label if often[each.size_bytes] > 1 else "") for each in slow
    )
    if found:
        more = f"; {len(found) - MOST} more in --json" if len(found) > MOST else ""
        yield f"Faster than {NAMES[used.name]}'s choice by this model: {', '.join(list(found)[:MOST])}{more}."


def _compare_choice(found: Estimate, routing: str = "") -> str:
    """Return what is faster than the choice, in words; `routing` is named where there is one."""
    assert found.chosen is not None
    assert found.fastest is not None
    under = f" with {routing} routing" if routing else ""
    return (
        f"{units.size(found.size_bytes)}{under} by {found.fastest.algorithm}/{found.fastest.protocol}"
        f" ({units.time(found.fastest.time_s)}, not {units.time(found.chosen.time_s)}"
        f" by {found.chosen.algorithm}/{found.chosen.protocol})"
    )
