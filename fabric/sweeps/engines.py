"""Where chunks are computed: in this process, in processes on this machine's cores, or on a Dask cluster.

An engine takes tasks and yields each one's key and result in whatever order they end. It keeps nothing: what is to be
computed again after a run was stopped is known from the files of the chunks alone.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pickle import PicklingError
from typing import Any

from fabric.errors import FabricError, InputError
from fabric.sweeps.added_records import AddedRecord, add_records
from fabric.sweeps.compute import compute_chunk
from fabric.sweeps.measure import Measure

__all__ = ["Engine", "Task", "choose_engine", "count_cores"]


@dataclass(frozen=True)
class Task:
    """One chunk to compute."""

    key: str
    """The key of the chunk."""
    content: str
    """Its content."""
    measures: tuple[Measure, ...]
    """The measures of its columns: one that was added in a notebook travels with the task."""
    records: tuple[AddedRecord, ...] = ()
    """What else was added there, such as a family: it travels, too."""

    def compute(self) -> tuple[str, bytes]:
        """Return the key and the result; raises FabricError as `compute_chunk` and `add_records` do."""
        add_records(self.records)
        return self.key, compute_chunk(self.key, self.content, self.measures)


Engine = Callable[[Sequence[Task]], Iterator[tuple[str, bytes]]]
"""Computes tasks, and yields the key and the Parquet file of each as it ends."""


def choose_engine(jobs: int | None, scheduler: str | None, tasks: int, say: Callable[[str], None]) -> Engine:
    """Return the engine that is asked for: a Dask scheduler's address, or a number of processes (None: all cores).

    One process, or one task, is computed in this process. `say` is called when there are no workers
    yet. Raises InputError for a number or an address that is not one.
    """
    if scheduler is not None:
        if jobs is not None:
            raise InputError("jobs and scheduler exclude each other: the scheduler knows how many workers there are")
        if "://" not in str(scheduler):
            raise InputError(f"scheduler '{scheduler!s:.80}' is not an address; write for example tcp://10.0.0.1:8786")
        return lambda todo: _run_on_dask(todo, scheduler, say)
    cores = count_cores() if jobs is None else jobs
    if isinstance(cores, bool) or not isinstance(cores, int) or cores < 1:
        raise InputError(f"jobs {cores!r}: give a whole number of processes, 1 or more")
    wanted = min(cores, tasks)
    return _run_here if wanted <= 1 else lambda todo: _run_on_cores(todo, wanted)


def count_cores() -> int:
    """Return the cores that this process may use; the limits of a container count."""
    from joblib import cpu_count

    return int(cpu_count())


def _run_here(tasks: Sequence[Task]) -> Iterator[tuple[str, bytes]]:
    for task in tasks:
        yield task.compute()


def _run_on_cores(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[str, bytes]]:
    """Compute tasks in worker processes of joblib, with one thread each for linear algebra.

    More threads than cores would slow each other down, and their sums differ in the last digits.
    """
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

    calls = (delayed(_work)(os.getpid(), task) for task in tasks)
    with _quiet_tracker(), parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        pool = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs", max_nbytes=None)
        try:
            yield from pool(calls)
        except TerminatedWorkerError:
            raise FabricError(
                "a worker process was ended from outside, most likely for lack of memory; use fewer jobs. The chunks"
                " that are done are kept, and the same command continues from them"
            ) from None
        except (BrokenProcessPool, PicklingError) as error:
            raise FabricError(
                f"a measure, or what else was added in this process, can't be sent to workers; use jobs=1 ({error})"
            ) from None


@contextmanager
def _quiet_tracker() -> Iterator[None]:
    """Keep joblib's resource tracker from warning of what a run that a signal ended has left; it removes it anyway."""
    before, name = os.environ.get("PYTHONWARNINGS"), "PYTHONWARNINGS"
    os.environ[name] = ",".join(filter(None, [before, "ignore:resource_tracker"]))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


_watched: list[int] = []


def _work(parent: int, task: Task) -> tuple[str, bytes]:
    """Compute a task in a worker process, which ends when `parent`, the process that started it, is gone."""
    if not _watched:
        _watched.append(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent's end is our signal
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    return task.compute()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


AHEAD = 4
"""The tasks that each thread of a Dask cluster has, those that wait for it with the one that it computes."""


CONNECT_S = 10.0
"""How long a scheduler has to answer, in seconds."""


def _run_on_dask(tasks: Sequence[Task], scheduler: str, say: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
    """Compute tasks on the workers of a Dask scheduler, which gives those of a worker that is lost to another."""
    distributed = _import_distributed()
    client = _connect(distributed, scheduler)
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it would add tracebacks to the message that the scheduler is lost
    try:
        waiting = iter(tasks)
        if not client.nthreads():
            say(f"waiting for workers: start some with `dask worker {scheduler} --nthreads 1`")
            client.wait_for_workers(1)
        futures = [_submit(client, task) for task in islice(waiting, _count_ahead(client))]
        running, submitted = distributed.as_completed(futures, loop=client.loop), len(futures)
        for future in running:
            try:
                result = future.result()
            except distributed.KilledWorker as error:
                raise FabricError(f"several workers were lost on the same chunk, {_KEPT}: {error}") from None
            future.release()
            submitted -= 1
            for task in islice(waiting, max(0, _count_ahead(client) - submitted)):  # more where workers have come
                running.add(_submit(client, task))
                submitted += 1
            yield result
    except (ImportError, RuntimeError) as error:
        words = " ".join(str(error).split())
        raise FabricError(
            f"{scheduler}: the scheduler or a worker can't run this version of fabric, its libraries or its packages;"
            f" install the same on every machine ({words:.200})"
        ) from None
    except (OSError, distributed.CancelledError):
        raise FabricError(f"{scheduler}: the scheduler is lost; {_KEPT}") from None
    finally:
        client.close(timeout=5)
        logger.setLevel(level)


_KEPT = "the chunks that are done are kept, and the same command continues from them"


def _import_distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise FabricError(
            "--scheduler needs Dask distributed, which is not installed: `pip install 'fabric-designer[dask]'`"
        ) from None
    return distributed


def _connect(distributed: Any, scheduler: str) -> Any:
    if scheduler.startswith("tls:") and distributed.Security().get_connection_args("client")["ssl_context"] is None:
        raise FabricError(f"{scheduler}: no certificates are configured for Dask; docs/sweeps.md shows how")
    try:
        return distributed.Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise FabricError(f"{scheduler}: no Dask scheduler answers there: {error}") from None


def _count_ahead(client: Any) -> int:
    """Return how many tasks the workers that there are now have, in hand and waiting for them."""
    return AHEAD * max(1, int(sum(client.nthreads().values())))


def _submit(client: Any, task: Task) -> Any:
    return client.submit(Task.compute, task, key=f"fabric-{task.key}", pure=False)
