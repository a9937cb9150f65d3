"""Point-to-point traffic on a design under several routings: a pattern, or what a file says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, nearest
from fabric.flow import Routing, Sends, SendsAnswer, draw_failures, draw_sends, solve_sends
from fabric.flow.engines import CLOSED, ENGINES, LP
from fabric.flow.failure_words import Failed
from fabric.request.traffic_file import read_traffic
from fabric.studies.study import Study

__all__ = ["DRAWS", "AskedTraffic", "TrafficRun", "run_traffic"]

DRAWS = 8
"""The draws of a pattern and of hashes where no number is asked for."""


@dataclass(frozen=True)
class AskedTraffic:
    """Traffic, and how it is placed, routed and disturbed; raises InputError for the closed form, which it has not."""

    pattern: str = "permutation"
    """The name of a pattern, one of PATTERNS; not used where a file says what is sent."""
    file: str | None = None
    """The CSV file that says what is sent; None for the pattern."""
    sizes: tuple[int, ...] = (2**30,)
    """The bytes that each GPU sends in the pattern, as many as are to be compared."""
    gpus: int | None = None
    """The number of GPUs of the pattern; None for all of the design's."""
    placement: str = "random"
    """How these are placed, one of PLACEMENTS."""
    routings: tuple[Routing, ...] = (Routing(),)
    """How flows take paths."""
    seed: int = 0
    """The seed of the first draw, of traffic, hashes and failures."""
    draws: int = DRAWS
    """The number of draws."""
    failures: tuple[str, ...] = ()
    """What has failed, in words of `fabric.flow.fail`."""
    engine: str | None = None
    """The name of an engine: `flows`, or `lp`, which bounds all routings too; None for flows."""

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        if self.engine is not None and self.engine not in ENGINES:
            raise InputError(f"unknown engine '{self.engine!s:.40}'{nearest(str(self.engine), ENGINES)}")
        if self.engine == CLOSED.name:
            raise InputError(f"engine closed: there is no closed form for {self.name}; use engine flows")

    @property
    def name(self) -> str:
        """What it is: the name of the pattern, or of the file."""
        return f"a {self.pattern}" if self.file is None else f"traffic of {self.file}"

    @property
    def seeds(self) -> range:
        """The seeds of the draws."""
        return range(self.seed, self.seed + self.draws)


@dataclass(frozen=True)
class TrafficRun:
    """Traffic under several routings."""

    asked: AskedTraffic
    """What was asked for."""
    total_bytes: int
    """The bytes of all sends of a file; of a pattern the number of its sends."""
    answers: tuple[SendsAnswer, ...]
    """What flows get under each routing."""
    failed: tuple[Failed, ...] = ()
    """What fails under the first seed."""

    def times(self, answer: SendsAnswer) -> list[tuple[int, float, float]]:
        """Return each size in bytes with the seconds until the last flow ends: the mean over draws, and the longest.

        A file has one size, that of all of its sends.
        """
        each = [draw.time_s for draw in answer.draws]
        mean, longest = sum(each) / len(each), max(each)
        if self.asked.file is not None:
            return [(self.total_bytes, mean, longest)]
        return [(size, size * mean, size * longest) for size in self.asked.sizes]


def run_traffic(study: Study, asked: AskedTraffic, progress: Callable[[str], None] | None = None) -> TrafficRun:
    """Return what the flows of traffic get on a design, and report `progress` in words.

    Raises InputError for a file that is not readable, with every mistake, and as `solve_sends` does.
    """
    plan = study.blueprint
    draw = _drawing(plan, asked)
    answers = []
    for routing in asked.routings:
        if progress:
            progress(f"{routing.policy.label} routing, {len(asked.seeds)} draws")
        # The same traffic sprayed over all paths depends on no seed but that of failures.
        fixed = asked.file is not None and routing.policy.sprays and not asked.failures
        seeds = asked.seeds[:1] if fixed else asked.seeds
        program = asked.engine is not None and ENGINES[asked.engine] is LP
        answers.append(solve_sends(plan, draw, routing, seeds, asked.failures, program=program))
    total = _total(draw(asked.seed).size_bytes)
    return TrafficRun(asked, total, tuple(answers), draw_failures(plan, asked.failures, asked.seed))


def _total(numbers: npt.NDArray[np.int64]) -> int:
    """Return the sum of whole numbers, which may be beyond 64 bits."""
    high, low = np.divmod(numbers, 1 << 32)
    return (int(high.sum()) << 32) + int(low.sum())


def _drawing(plan: Blueprint, asked: AskedTraffic) -> Callable[[int], Sends]:
    """Return what returns the sends of a seed."""
    if asked.file is None:
        return partial(draw_sends, plan, asked.pattern, asked.placement, asked.gpus)
    source, target, size = np.array(read_traffic(asked.file, plan.gpus), np.int64).T
    fixed = Sends(source, target, size)
    return lambda _: fixed
