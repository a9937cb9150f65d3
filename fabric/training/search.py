"""The best way to divide a model over the GPUs of a fabric, by timing the most promising until no other can be faster.

Layouts are timed in the order of their bounds (`StepBound`). Once the next bound is no lower than the best time, all
that are left are slower, so the best is proven. Of one shape with fewer and fewer data-parallel ranks, each stands for
those with fewer until its own bound is reached, so that most are never looked at. Tensor-parallel ranks stay in one
server, as in every published run, unless their number is given: across servers nothing measured tells their overlap.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, product
from typing import Any

from fabric.blueprint import Blueprint
from fabric.catalog import Model, training_efficiency
from fabric.errors import InputError
from fabric.presented import Tabular
from fabric.request.parallel import Parallel
from fabric.training.check import find_mistakes, most_micro_batches
from fabric.training.fit import count_least_gpus, describe_least_gpus
from fabric.training.memory import memory_of
from fabric.training.model_run import PRECISION, SOFTWARE, ModelRun
from fabric.training.prepared_step import accelerator_of, prepare_step
from fabric.training.stages import split_layers
from fabric.training.step_bound import StepBound

__all__ = ["Search", "SearchResult", "list_shapes"]

MOST_TIMED = 150
"""The most layouts that are timed; where these do not prove the best, the answer has the bound of the others."""

MICRO_BATCHES = (1, 2, 4, 8, 16)
"""The sequences of a micro-batch that are tried."""

LEAST_TOKENS = 1024
"""The fewest tokens of a sequence that a context-parallel rank is tried with."""


@dataclass(frozen=True, repr=False)
class SearchResult(Tabular):
    """The best layout of a model, and what was looked at to prove it."""

    best: Parallel
    """The layout whose step is shortest."""
    step_s: float
    """Its step."""
    layouts: int
    """The layouts of the model over at most as many GPUs, each with as little recomputation as fits."""
    timed: int
    """Those that were timed."""
    too_large: int
    """Those that were reached and do not fit into memory even if every layer is recomputed."""
    bound_s: float | None
    """A time that none of those that were not timed can beat, where it is lower than the best; None: that is proven."""
    others: tuple[tuple[Parallel, float], ...]
    """The next best of those that were timed, each with its step."""

    def __repr__(self) -> str:
        proven = "" if self.bound_s is None else f", not proven below {self.bound_s:.4g} s"
        return f"<SearchResult: {self.step_s:.4g} s, best of {self.layouts:,} layouts{proven}>"

    @property
    def ranked(self) -> tuple[tuple[Parallel, float], ...]:
        """The best layout and the next best, each with its step, the shortest first."""
        return ((self.best, self.step_s), *self.others)


@dataclass(frozen=True)
class Search:
    """What is searched for: a model on a fabric, and what of its layout is given."""

    blueprint: Blueprint
    """The fabric."""
    model: Model
    """The model, whose `sequence` the run has."""
    batch: int
    """The sequences of a step, over all GPUs."""
    gpus: int
    """The most GPUs that it may take."""
    precision: str = PRECISION
    """The precision of the layers' matrix products."""
    software: str = SOFTWARE
    """The name of the training framework."""
    routing: str = "adaptive"
    """The name of the routing."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """The fields of Parallel that are given; the others are searched for."""

    def run(self, progress: Callable[[str], None] | None = None) -> SearchResult:
        """Return the best layout; raises InputError where none is valid, or none fits into memory."""
        say, queue = progress or (lambda text: None), _Queue(self)
        if not queue.layouts:
            raise InputError(self._explain_none())
        timed, too_large = list[tuple[float, int, Parallel]](), 0
        left_s = None
        while (found := queue.pop(min(timed)[0] if timed else None)) is not None:
            bound_s, parallel, closest = found
            if len(timed) == MOST_TIMED:
                left_s = bound_s
                break
            fitting = parallel if closest else self.least_recomputing(parallel)
            if fitting is None:
                too_large += 1
            elif not closest:
                queue.push(fitting, bound_s, ideal=fitting == parallel)
            else:
                timed.append((self.time_s(parallel), len(timed), parallel))
                say(f"timed {len(timed)} of {queue.layouts:,} layouts; the best takes {min(timed)[0]:.3g} s")
        if not timed:
            least = count_least_gpus(self.model, self.software, accelerator_of(self.blueprint))
            why = describe_least_gpus(least) if least >= self.gpus else "give fewer degrees, or take more GPUs"
            raise InputError(f"{self.model.name}: none of {queue.layouts:,} layouts fits into memory; {why}")
        best, *others = sorted(timed)
        rest = tuple((each[2], each[0]) for each in others[:4])
        return SearchResult(best[2], best[0], queue.layouts, len(timed), too_large, left_s, rest)

    @cached_property
    def bounds(self) -> StepBound:
        """The bounds of layouts."""
        return StepBound(self.blueprint, self.model, self.batch, self.precision, self.software)

    def time_s(self, parallel: Parallel) -> float:
        """Return the step of a layout."""
        return prepare_step(self.blueprint, self.run_of(parallel), routing=self.routing).step_s()

    def run_of(self, parallel: Parallel) -> ModelRun:
        """Return the run of a layout."""
        return ModelRun(self.model, parallel, self.batch, self.precision, self.software)

    def least_recomputing(self, parallel: Parallel) -> Parallel | None:
        """Return a layout with as little recomputation as fits, from its own on: less is never slower."""
        kinds = _recomputes(self.software, self.fixed)
        for recompute in kinds[kinds.index(parallel.recompute) :]:
            asked = replace(parallel, recompute=recompute)
            if not memory_of(self.run_of(asked), accelerator_of(self.blueprint)).missing_gib:
                return asked
        return None

    def _explain_none(self) -> str:
        given = ",".join(f"{key}={value}" for key, value in self.fixed.items())
        return (
            f"{self.model.name}: no layout over at most {self.gpus:,} GPUs has a batch of {self.batch:,} sequences"
            f"{f' with {given}' if given else ''}; take another batch, or give fewer degrees"
        )


@dataclass(frozen=True)
class _Rest:
    """Layouts that differ in their data-parallel degree alone, the largest first."""

    shape: Parallel
    degrees: tuple[int, ...]


@dataclass(frozen=True)
class _Bounded:
    """A layout, and how closely its bound was looked at."""

    parallel: Parallel
    ideal: bool = False


class _Queue:
    """The layouts of a search by their bounds, which come closer to a step each time they are reached."""

    def __init__(self, search: Search) -> None:
        self.bounds, self.layouts, self._number = search.bounds, 0, count()
        self._heap: list[tuple[float, int, _Rest | _Bounded]] = []
        for shape, degrees in list_shapes(search):
            self.layouts += len(degrees)
            self._push_rest(_Rest(shape, degrees))

    def push(self, parallel: Parallel, at_least_s: float, *, ideal: bool = False) -> None:
        """Add a layout; `at_least_s` is a bound that is known of it."""
        bound_s = max(at_least_s, self.bounds.bound_s(parallel, ideal=ideal))
        heapq.heappush(self._heap, (bound_s, next(self._number), _Bounded(parallel, ideal)))

    def pop(self, best_s: float | None) -> tuple[float, Parallel, bool] | None:
        """Return the lowest bound, its layout, and whether it is its closest one.

        None where no layout that is left can be faster than `best_s`, the best time so far.
        """
        while self._heap and (best_s is None or self._heap[0][0] < best_s):
            bound_s, _, found = heapq.heappop(self._heap)
            if isinstance(found, _Bounded):
                return bound_s, found.parallel, found.ideal
            self.push(replace(found.shape, dp=found.degrees[0]), bound_s)
            self._push_rest(_Rest(found.shape, found.degrees[1:]))
        return None

    def _push_rest(self, rest: _Rest) -> None:
        if rest.degrees:
            bound_s = self.bounds.spread_s(replace(rest.shape, dp=rest.degrees[0]))
            heapq.heappush(self._heap, (bound_s, next(self._number), rest))


def list_shapes(search: Search) -> Iterator[tuple[Parallel, tuple[int, ...]]]:
    """Yield layouts without their data-parallel degree, with all that they may have, the largest first."""
    model, batch, fixed = search.model, search.batch, search.fixed
    tensor = _choices(fixed, "tp", _divisors(model.heads, search.blueprint.server.gpus))
    context = _choices(fixed, "cp", [2**power for power in range(20) if _divides_context(model, 2**power)])
    for tp, cp in product(tensor, context):
        for pp, vp in _list_stages(model, fixed, search.gpus // (tp * cp)):
            for micro_batch in _choices(fixed, "micro_batch", MICRO_BATCHES):
                if batch % micro_batch == 0:
                    most = min(search.gpus // (tp * cp * pp), batch // micro_batch)
                    degrees = _choices(fixed, "dp", _divisors(batch // micro_batch, most)[::-1])
                    shape = Parallel(tp=tp, cp=cp, pp=pp, vp=vp, micro_batch=micro_batch)
                    yield from _complete(search, shape, degrees)


def _divides_context(model: Model, cp: int) -> bool:
    return cp == 1 or (model.sequence % (2 * cp) == 0 and model.sequence // cp >= LEAST_TOKENS)


def _list_stages(model: Model, fixed: Mapping[str, Any], most: int) -> Iterator[tuple[int, int]]:
    """Yield the stages of a pipeline and the virtual stages of each that divide the layers."""
    for pp in _choices(fixed, "pp", range(1, min(model.layers + 2, most) + 1)):
        for vp in _choices(fixed, "vp", range(1, model.layers // pp + 1 if pp > 1 else 2)):
            if split_layers(model, pp * vp) is not None:
                yield pp, vp


def _complete(search: Search, shape: Parallel, degrees: Iterable[int]) -> Iterator[tuple[Parallel, tuple[int, ...]]]:
    """Yield the valid layouts of a shape, with every sharding and degree of experts, whose parts share a server."""
    model, fixed = search.model, search.fixed
    given = {
        "schedule": "interleaved" if shape.vp > 1 else "1f1b",
        "recompute": _recomputes(search.software, fixed)[0],
        **fixed,
    }
    shardings = _choices(fixed, "sharding", ("zero1",) if shape.pp > 1 else ("zero1", "zero3"))
    experts = _choices(fixed, "ep", _divisors(model.experts, model.experts) if model.experts else (1,))
    divided = _choices(fixed, "etp", _divisors(shape.tp, model.expert_ffn) if model.experts else (1,))
    for ep, etp, sharding in product(experts, divided, shardings):
        found = replace(shape, **{**given, "ep": ep, "etp": etp, "sharding": sharding, "dp": 1})
        own = tuple(dp for dp in degrees if _divides_ranks(found, dp, search.batch))
        if own and not any(find_mistakes(search.run_of(replace(found, dp=own[0])), search.gpus)):
            yield found, own


def _divides_ranks(parallel: Parallel, dp: int, batch: int) -> bool:
    """Return whether experts divide over a stage's ranks, and the schedule can have as many micro-batches."""
    if parallel.tp * parallel.cp * dp % (parallel.ep * parallel.etp):
        return False
    count = batch // (dp * parallel.micro_batch)
    if parallel.schedule == "dualpipe":
        return count % 2 == 0 and count >= 2 * parallel.pp
    if count > most_micro_batches(parallel):
        return False
    return parallel.schedule != "interleaved" or count % parallel.pp == 0


def _choices(fixed: Mapping[str, Any], key: str, choices: Iterable[Any]) -> Iterable[Any]:
    return (fixed[key],) if key in fixed else choices


def _recomputes(software: str, fixed: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what software may recompute, the least first: attention's scores only where that saves anything."""
    if "recompute" in fixed:
        return (fixed["recompute"],)
    if fixed.get("offload"):
        return ("none",)
    framework = training_efficiency().software[software]
    some = ("selective",) if framework.attention is None or framework.recomputes_products else ()
    return ("none", *some, "modules", "full")


def _divisors(number: int, most: int) -> list[int]:
    return [each for each in range(1, min(number, most) + 1) if number % each == 0]
