"""Candidates solved two at a time, each within what those before it leave open, with the same answers every time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fabric.optimizer.build_model import build_within
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.solve import INFEASIBLE, SOLVE_BUDGET, Solution, minimise

__all__ = ["Solved", "on_one_core", "solve_in_order"]

AHEAD = 2
"""The candidates that are begun before the first of them is yielded: what each is bounded by depends on it."""

_ONE_CORE = ContextVar("one core", default=False)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Solve without threads within the block, where other processes use the other cores; the answers are the same."""
    token = _ONE_CORE.set(True)
    try:
        yield
    finally:
        _ONE_CORE.reset(token)


class _SameThread(Executor):
    """Runs each call at once, in the thread that submits it."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        """Run a call, and return its result or its exception as a future that is done."""
        future = Future[Any]()
        try:
            future.set_result(call(*args, **keywords))
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for, as in a pool of threads
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Solved:
    """A candidate with the best of its fabrics within a bound."""

    candidate: Candidate
    """The candidate."""
    solution: Solution
    """What solving it gave."""


def solve_in_order(
    group: Iterable[Candidate],
    objectives: Sequence[LinearObjective],
    most: Callable[[int], int],
    best: int | None = None,
    budget: float = SOLVE_BUDGET,
    progress: Callable[[Candidate], None] = lambda candidate: None,
) -> Iterator[Solved]:
    """Yield each candidate solved, the fewest sizes first, since these are solved soonest and bound the others.

    `most` returns what the first objective may be at most, given the best so far. That is `best`, or the best of those
    yielded before the candidate was begun, so that the answers do not depend on which solve ends first. `budget` is
    that of each solve (see `minimise`).
    """
    left = iter(sorted(group, key=lambda candidate: len(candidate.topology.size_names)))
    waiting = deque[Future[Solved]]()
    with _SameThread() if _ONE_CORE.get() else ThreadPoolExecutor(AHEAD) as pool:
        while True:
            for candidate in islice(left, AHEAD - len(waiting)):
                progress(candidate)
                within = None if best is None else most(best)
                waiting.append(pool.submit(_solve, candidate, objectives, within, budget))
            if not waiting:
                return
            item = waiting.popleft().result()
            if item.solution.values:
                best = min(item.solution.values[0], item.solution.values[0] if best is None else best)
            yield item


def _solve(candidate: Candidate, objectives: Sequence[LinearObjective], most: int | None, budget: float) -> Solved:
    model = build_within(candidate, objectives[0], most)
    expressions = [model.total(each) for each in objectives] if model else []
    return Solved(candidate, minimise(model, expressions, budget) if model else INFEASIBLE)
