"""Scaling of an all-reduce: the same request designed at every cluster size, and where its curves bend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from fabric import units
from fabric.errors import Infeasible, InputError
from fabric.flow import ROUTINGS, Estimate, usual_routings
from fabric.flow.checked_arrays import read_numbers, refuse_duplicates
from fabric.frozen import freeze
from fabric.presented import Plotted, Tabular
from fabric.request.request_keys import DesignKeys, list_request_keys
from fabric.request.resolve import read_document
from fabric.studies.study import Source, Study, design, read
from fabric.topology.families import with_family_names

__all__ = ["Bend", "Curve", "Scaling", "scale"]

FLAT = "ring"
BEST = "best"
"""The name for the fastest algorithm at each size."""


DOUBLINGS = tuple(2**power for power in range(10, 21))
"""From 1,024 GPUs to 1,048,576."""


@dataclass(frozen=True)
class Curve:
    """The estimates of one algorithm under one routing."""

    algorithm: str
    """The algorithm, or `best` for what the library chooses at each size."""
    routing: str
    """The routing."""
    estimates: tuple[Estimate, ...]
    """The estimates, one for each size that can be built."""

    @property
    def bends(self) -> tuple[Bend, ...]:
        """Where the curve drops below half of its peak, and where its limit changes."""
        return tuple(_find_bends(self.estimates))


@dataclass(frozen=True)
class Bend:
    """A size at which a curve changes."""

    gpus: int
    """The size, in GPUs."""
    what: str
    """`half` (below half of its peak) or `limit` (another limit takes over)."""
    busbw_GBps: float
    """The bus bandwidth there, in GB/s."""
    limited_by: str
    """What limits it there."""


@dataclass(frozen=True, repr=False)
class Scaling(Plotted, Tabular):
    """A request at growing numbers of GPUs."""

    name: str
    """Its name."""
    size_bytes: int
    """The message size, in bytes."""
    studies: tuple[Study, ...]
    """The designs, the smallest first."""
    curves: tuple[Curve, ...]
    """The curves over them."""
    infeasible: Mapping[int, str]
    """The sizes without a design, with the reasons."""

    def __post_init__(self) -> None:
        freeze(self)

    def __repr__(self) -> str:
        sizes = ", ".join(units.count(study.blueprint.gpus) for study in self.studies)
        return f"<Scaling {self.name}: {sizes} GPUs>"


@list_request_keys
def scale(
    source: Source | None = None,
    gpus: Iterable[int] = DOUBLINGS,
    *,
    size_bytes: int = 2**30,
    routings: Sequence[str] | None = None,
    algorithms: Sequence[str] = (FLAT, BEST),
    progress: Callable[[str], None] | None = None,
    **request: Unpack[DesignKeys],
) -> Scaling:
    """Design `source` at every number of `gpus`, and estimate an all-reduce of `size_bytes` on each design.

    `routings` are by default those of the designs' link layers that have a closed form: ECMP and adaptive, on
    InfiniBand adaptive alone. Tiers and planes that the request fixes are kept, so a size may have no design;
    `infeasible` has the reason. Raises InputError as `design` does, and for unknown routings and algorithms; Infeasible
    when no size has a design.
    """
    sizes = _read_sizes(gpus)
    for what, names in (("routings", routings), ("algorithms", algorithms)):
        if isinstance(names, str) or (names is not None and not names):
            raise InputError(f"{what} {names!r:.40}: give a sequence of one name or more")
    source, request = with_family_names(source), with_family_names(request)
    asked = read_document(source).override(request)
    if asked.values.get("servers"):
        remedy = "of unlike servers each kind has its own number, so there are no other sizes; scale one `server`"
        raise InputError([asked.mistake(("servers",), remedy)])
    read(source, gpus=sizes[-1], **request)
    studies, infeasible = list[Study](), dict[int, str]()
    for count in sizes:
        (progress or (lambda text: None))(f"designing for {count:,} GPUs")
        try:
            studies.append(design(source, gpus=count, **request))
        except Infeasible as error:
            infeasible[count] = str(error)
    if not studies:
        raise Infeasible(infeasible[min(infeasible)])
    names = _list_usual(studies) if routings is None else routings
    curves = tuple(_estimate_curve(studies, size_bytes, name, routing) for name in algorithms for routing in names)
    return Scaling(studies[0].spec.name, size_bytes, tuple(studies), curves, infeasible)


def _list_usual(studies: Sequence[Study]) -> list[str]:
    """Return the routings of any design's link layer that have a closed form, hashed ones first."""
    usual = {name for study in studies for name in usual_routings(study.blueprint)}
    found = [policy for name, policy in ROUTINGS.items() if name in usual and policy.closed_form]
    return [policy.name for policy in sorted(found, key=lambda policy: policy.sprays)]


def _read_sizes(gpus: Iterable[int]) -> list[int]:
    """Return the numbers of GPUs in ascending order; raises InputError, with the first that is not one."""
    given = list(gpus) if isinstance(gpus, Iterable) and not isinstance(gpus, str | Mapping) else []
    if not given:
        raise InputError(f"gpus {gpus!r:.40}: give a sequence of one whole number or more, each once")
    sizes = read_numbers(given, "gpus", least=1)
    refuse_duplicates(sizes, "gpus", "size")
    return sorted(sizes.tolist())


def _estimate_curve(studies: Sequence[Study], size_bytes: int, algorithm: str, routing: str) -> Curve:
    name = None if algorithm == BEST else algorithm
    estimates = (study.allreduce(size_bytes, routing, name) for study in studies)
    return Curve(algorithm, routing, tuple(estimates))


def _find_bends(estimates: Sequence[Estimate]) -> Iterator[Bend]:
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
