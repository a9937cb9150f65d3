"""Run a sweep: validate, cut, compute what is not there yet, and merge."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from fabric.atomic_write import write_atomically
from fabric.errors import InputError, TooLarge
from fabric.signal_guard import SignalGuard
from fabric.sweeps.chunks import Chunk, Plan, make_plan
from fabric.sweeps.columns import is_final
from fabric.sweeps.engines import Task, choose_engine
from fabric.sweeps.spec import Sweep
from fabric.sweeps.store import ChunkStore, FolderStore, MemoryStore
from fabric.sweeps.sweep_file import is_sweep_file, read_sweep
from fabric.sweeps.table import SweepTable, merge_chunks
from fabric.topology.families import with_family_names
from fabric.units import count, count_noun, percent

__all__ = ["describe_plan", "run_plan", "sweep"]

MOST_CORE_HOURS = 24.0
"""The estimated work up to which a sweep runs without being asked for more."""


def sweep(
    base: str | os.PathLike[str] | Mapping[str, Any] | Sweep | None = None,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    rows: Iterable[Mapping[str, Any]] | None = None,
    measures: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    pareto: Iterable[str] | Mapping[str, Any] | None = None,
    **run: Any,
) -> SweepTable:
    """Design every point of a sweep, and return the table of what is measured.

    `base` is the request that all designs share (a shipped design's name, a file, or a mapping), or a whole sweep: its
    file, or what `fabric.sweeps.read_sweep` returned. `grid` gives the values of each key, of which every combination
    is a point; with `rows`, each row is combined with all of them. A family may be a value, as in `fabric.design`.
    `measures` are names (`fabric list measures`), and `settings` has the settings of each measure, a list for several:
    `{"allreduce": {"size": ["1MiB", "1GiB"]}}`.
    `pareto` names the columns of a front, `["cost_usd", "max:bisection_gbps"]`, or has them as `columns`, and in `by`
    those whose values have a front each.

    The keywords of `run_plan` say how it runs: `out`, `jobs`, `scheduler`, `most_core_hours`, `progress`. Raises
    InputError for what no request can have, and TooLarge as `make_plan` and `run_plan` do; a point that is infeasible
    or whose keys contradict each other is a row like the others.
    """
    listed = None if rows is None else [with_family_names(row) for row in rows]
    varied = with_family_names(None if grid is None else {key: _plain(values) for key, values in grid.items()})
    given = {"grid": varied, "list": listed, "measures": measures, "pareto": pareto, **(settings or {})}
    parts = {key: _plain(value) for key, value in given.items() if value is not None}
    if isinstance(base, Sweep) or is_sweep_file(base):
        if parts:
            raise InputError(f"{', '.join(parts)}: the sweep is already read; give the base alone, or a whole sweep")
        asked = base if isinstance(base, Sweep) else read_sweep(base)  # type: ignore[arg-type]
    else:
        source = os.fspath(base) if isinstance(base, os.PathLike) else with_family_names(base)
        asked = read_sweep({**({} if source is None else {"base": source}), **parts})
    progress = run.get("progress") or (lambda text: None)
    return run_plan(make_plan(asked, progress), **run)


def _plain(value: Any) -> Any:
    """Return a value in which every iterable that is not text or a mapping is a list, such as a range or an array."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return value
    return [_plain(each) for each in value]


def describe_plan(plan: Plan) -> str:
    """Return what a sweep is, in a line: its points, designs, work and chunks."""
    return (
        f"{count_noun(plan.points, 'point')}, {count_noun(plan.designs, 'design')}, {_write_time(plan.work_s)} of work"
        f" on one core, in {count_noun(len(plan.chunks), 'chunk')}"
    )


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return the same as plain data, the work in seconds of one core."""
    return {
        "points": plan.points, "designs": plan.designs, "work_s": round(plan.work_s, 1), "chunks": len(plan.chunks),
    }  # fmt: skip


def run_plan(
    plan: Plan,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    most_core_hours: float = MOST_CORE_HOURS,
    progress: Callable[[str], None] | None = None,
) -> SweepTable:
    """Compute the chunks of a plan that `out` does not hold yet, and return and write the merged table.

    `out` then holds `sweep.parquet`, `sweep.csv`, `request.yaml` (the sweep as read) and a file for every chunk; None
    keeps nothing. `jobs` are the processes, by default one for each core; `scheduler` is the address of a Dask
    scheduler instead. The table is the same for any of them. `progress` is called with a few words on each step.

    Raises TooLarge where the work is over `most_core_hours`, InputError where `out` holds another sweep, and
    FabricError where it can't be written or workers are lost; the chunks that are done are kept.
    """
    hours: object = most_core_hours
    if not isinstance(hours, int | float) or not hours > 0:
        raise InputError(f"most_core_hours {hours!r:.40}: not a number above 0")
    if plan.work_s > 3600 * most_core_hours:
        raise TooLarge(
            f"a sweep of {describe_plan(plan)}: more than {most_core_hours:g} core hours; split it, or allow more"
            f" with --core-hours {math.ceil(plan.work_s / 3600)} (most_core_hours in Python)"
        )
    request = plan.sweep.plain()
    folder = None if out is None else FolderStore(out, request)
    store: ChunkStore = MemoryStore() if folder is None else folder
    with nullcontext() if folder is None else folder.open():
        held = ((chunk.key, store.load(chunk.key)) for chunk in plan.chunks)
        done = {key: data for key, data in held if data is not None and is_final(data)}
        engine_of = choose_engine(jobs, scheduler, len(plan.chunks) - len(done), progress or (lambda text: None))
        left = [chunk for chunk in plan.chunks if chunk.key not in done]
        tasks = [Task(chunk.key, chunk.content, plan.sweep.measures, plan.records) for chunk in left]
        say = _Progress(plan, left, progress or (lambda text: None))
        with SignalGuard(lambda: None) as guard:
            results = engine_of(tasks) if tasks else iter(())
            try:
                while True:
                    with guard.admit():
                        found = next(results, None)
                    if found is None:
                        break
                    store.save(*found)  # a signal waits until the file is in place
                    done[found[0]] = found[1]
                    say.finish(found[0])
            finally:
                if hasattr(results, "close"):
                    results.close()
        table = merge_chunks([done[chunk.key] for chunk in plan.chunks], request)
        if plan.sweep.front is not None:
            table = table.with_front(plan.sweep.front)
        if folder is not None:
            write_atomically(folder.folder, table.make_files)
    return table


class _Progress:
    """Says how far a run is, by the estimated work that is done, and how long it still takes."""

    def __init__(self, plan: Plan, left: Sequence[Chunk], say: Callable[[str], None]) -> None:
        self._works = {chunk.key: chunk.work_s for chunk in left}
        self._total, self._chunks = plan.work_s, len(plan.chunks)
        self._left, self._todo = sum(self._works.values()), sum(self._works.values())
        self._waiting = len(left)
        self._begin, self._say = time.monotonic(), say
        kept = self._chunks - self._waiting
        say(f"computing {count_noun(self._waiting, 'chunk')}" + (f"; {count(kept)} are there already" if kept else ""))

    def finish(self, key: str) -> None:
        """Count a chunk as done."""
        self._left -= self._works[key]
        self._waiting -= 1
        share = 1 - self._left / self._total
        elapsed = time.monotonic() - self._begin
        rest = elapsed * self._left / max(self._todo - self._left, 1e-9)
        done = self._chunks - self._waiting
        left = f"{_write_time(rest)} left" if self._waiting else "merging them"
        self._say(f"{done:,} of {self._chunks:,} chunks, {percent(share, '.0f')}, {left}")


def _write_time(seconds: float) -> str:
    """Return a duration as a person says it: `about 40 s`, `about 12 min`, `about 3.5 h`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
