"""How a collective fares as the machine grows: the same request designed at every size, and where its curve bends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.errors import Infeasible, InputError, is_whole
from fabric.flow import Estimate
from fabric.studies.study import Study, design, read

__all__ = ["Bend", "Curve", "Scaling", "scale"]

FLAT = "ring"
BEST = "best"
"""The word for whatever algorithm is fastest at each size."""


DOUBLINGS = tuple(2**power for power in range(10, 21))
"""From 1,024 GPUs to 1,048,576."""


@dataclass(frozen=True)
class Curve:
    """The estimates of one algorithm (or of the best) under one routing, one for each size that can be built."""

    algorithm: str
    routing: str
    estimates: tuple[Estimate, ...]

    @property
    def bends(self) -> tuple[Bend, ...]:
        """Where the curve falls to half of the bandwidth that it had at its best, and where its limit changes."""
        return tuple(_bends(self.estimates))


@dataclass(frozen=True)
class Bend:
    """A size at which a curve changes: `what` is `half` (of its best busbw) or `limit` (something else takes over)."""

    gpus: int
    what: str
    busbw_GBps: float
    limited_by: str


@dataclass(frozen=True)
class Scaling:
    """A request at growing numbers of GPUs: its designs, the curves over them, and the sizes that no design meets."""

    name: str
    size_bytes: int
    studies: tuple[Study, ...]
    curves: tuple[Curve, ...]
    infeasible: Mapping[int, str]


def scale(
    source: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    gpus: Sequence[int] = DOUBLINGS,
    *,
    size_bytes: int = 2**30,
    routings: Sequence[str] = ("ecmp", "adaptive"),
    algorithms: Sequence[str] = (FLAT, BEST),
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Scaling:
    """Design `source` at every number of `gpus`, and estimate an all-reduce of `size_bytes` on each design.

    Tiers and planes that the request pins are kept, so a size may have no design; it is named with the reason. Raises
    InputError as `design` does, and for unknown routings and algorithms; Infeasible when no size has a design.
    """
    if isinstance(gpus, int) or not gpus or not all(is_whole(each, 1) for each in gpus) or len(set(gpus)) != len(gpus):
        raise InputError("gpus: give a sequence of one whole number or more, each once")
    for what, words in (("routings", routings), ("algorithms", algorithms)):
        if isinstance(words, str) or not words:
            raise InputError(f"{what} {words!r:.40}: give a sequence of one word or more")
    read(source, **{**request, "gpus": max(gpus)})
    studies, infeasible = list[Study](), dict[int, str]()
    for count in sorted(gpus):
        (progress or (lambda text: None))(f"designing for {count:,} GPUs")
        try:
            studies.append(design(source, **{**request, "gpus": count}))
        except Infeasible as error:
            infeasible[count] = str(error)
    if not studies:
        raise Infeasible(infeasible[min(infeasible)])
    curves = tuple(_curve(studies, size_bytes, name, routing) for name in algorithms for routing in routings)
    return Scaling(studies[0].spec.name, size_bytes, tuple(studies), curves, infeasible)


def _curve(studies: Sequence[Study], size_bytes: int, algorithm: str, routing: str) -> Curve:
    name = None if algorithm == BEST else algorithm
    estimates = (study.allreduce(size_bytes, routing, name) for study in studies)
    return Curve(algorithm, routing, tuple(estimates))


def _bends(estimates: Sequence[Estimate]) -> Iterator[Bend]:
    best = halved = 0.0
    limit = estimates[0].limited_by
    for now in estimates:
        if now.limited_by != limit:
            limit = now.limited_by
            yield Bend(now.gpus, "limit", now.busbw_GBps, limit)
        best = max(best, now.busbw_GBps)
        if not halved and now.busbw_GBps < best / 2:
            halved = best
            yield Bend(now.gpus, "half", now.busbw_GBps, limit)
