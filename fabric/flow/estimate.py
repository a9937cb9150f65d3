"""The time of a collective on a fabric, by the algorithm and protocol that the library chooses, and what limits it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from fabric.blueprint import Blueprint
from fabric.errors import InputError, is_whole
from fabric.flow.algorithm_times import Choice, choose_pair, fastest_pair, list_times, slowest, timed_algorithms
from fabric.flow.algorithms import ALGORITHMS, Algorithm, Traffic, algorithm_of, algorithms_of
from fabric.flow.closed_form import ClosedForm
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.expected_error import expected_error
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.machine import Machine
from fabric.flow.machines import machine_of
from fabric.flow.placements import NO_GPUS
from fabric.flow.router import summarize
from fabric.flow.routings import ROUTINGS
from fabric.flow.time_models import Parts
from fabric.presented import Presented

__all__ = [
    "Estimate",
    "allreduce",
    "candidates",
    "doubt",
    "estimate",
    "estimate_at_shares",
    "estimate_in_closed_form",
    "estimate_without_error",
    "explain_none",
    "usable",
    "with_expected_error",
]

LARGEST = 2**60
"""The largest size of a collective in bytes, an exbibyte."""

RING = Traffic(ring=True)


@dataclass(frozen=True)
class Estimate(Presented):
    """The time of one collective."""

    collective: str
    """The name of the collective."""
    size_bytes: int
    """Its size."""
    gpus: int
    """The GPUs that take part."""
    algorithm: str
    """The name of the algorithm."""
    protocol: str
    """The name of NCCL's protocol."""
    time_s: float
    """The time in seconds."""
    algbw_GBps: float
    """The algorithm bandwidth in GB/s as nccl-tests defines it: size over time."""
    busbw_GBps: float
    """The bus bandwidth in GB/s as nccl-tests defines it."""
    limited_by: str
    """What takes the most time: latency, NVLink, channels, NIC, collisions, oversubscription, detours or failures."""
    expected_error: float | None = None
    """The share e such that nine of ten measured times are from 1/(1+e) to 1+e times this; None: not known."""
    not_measured: tuple[str, ...] = field(default=(), repr=False)
    """What was not measured, in words, where the error is not known (docs/accuracy.md)."""
    unmeasured_constants: tuple[str, ...] = field(default=(), repr=False)
    """The names of the constants on which it depends and no measured run does."""
    routing: str = ""
    """The name of the routing."""
    placement: str = ""
    """The name of the placement."""
    chosen: Choice | None = field(default=None, repr=False)
    """What the library chooses by its own cost model, of what it was held to; None where its choice is not known."""
    fastest: Choice | None = field(default=None, repr=False)
    """What takes the least time by this model: faster than the choice, or the same."""


def estimate(
    blueprint: Blueprint | FabricSummary,
    collective: str,
    size_bytes: int,
    routing: str = "adaptive",
    algorithm: str | None = None,
    placement: str = "random",
) -> Estimate:
    """Estimate a collective of `size_bytes` over every GPU of a blueprint, or of its summary, in closed form.

    The algorithm is the given one, by default what the library chooses by its own cost model, or the fastest where its
    choice is not known. Only rings make use of a
    placement in order. Raises InputError for unknown names, for a routing, a placement or an algorithm without a closed
    form, for an algorithm that does not implement the collective or can't run here, for a size that is not
    positive, and for unlike servers, which have no closed form.
    """
    if not blueprint.gpus:
        raise InputError(NO_GPUS)
    summary = blueprint if isinstance(blueprint, FabricSummary) else summarize(blueprint)
    return with_expected_error(
        summary, estimate_without_error(summary, collective, size_bytes, routing, algorithm, placement)
    )


def estimate_without_error(
    summary: FabricSummary,
    collective: str,
    size_bytes: int,
    routing: str = "adaptive",
    algorithm: str | None = None,
    placement: str = "random",
) -> Estimate:
    """Estimate as `estimate` does, without the error to expect, which takes as long to find as the rest."""
    return estimate_in_closed_form(ClosedForm.of(summary, collective, routing, placement), size_bytes, algorithm)


def estimate_in_closed_form(
    form: ClosedForm, size_bytes: int, algorithm: str | None = None, among: Sequence[str] = ()
) -> Estimate:
    """Estimate a collective in closed form, without the error to expect; raises InputError as `estimate` does.

    The library is held to the algorithms named in `among`; none, or none that can run, leaves it the choice.
    """
    summary, transport = form.summary, form.policy.transport_share()

    # The share left to an algorithm is the costly part, and each of the protocols asks for it.
    @cache
    def machines_of(algorithm: Algorithm) -> tuple[Machine, ...]:
        left = form.left(algorithm)
        in_order = form.placement.in_order and algorithm.traffic.ring
        return (machine_of(summary, (transport * left.network, left.limit), algorithm.traffic, in_order),)

    algorithms = candidates(summary, form.collective, algorithm, among)
    found = _estimate_on(summary, form.collective.name, size_bytes, algorithms, algorithm, machines_of)
    return replace(found, routing=form.policy.name, placement=form.placement.name)


def estimate_at_shares(
    summary: FabricSummary,
    collective: str,
    size_bytes: int,
    algorithms: Sequence[Algorithm],
    in_order: bool,
    shares_of: Callable[[Algorithm], Sequence[tuple[float, str]]],
) -> Estimate:
    """Estimate a collective as `estimate` does where the share of line rate left to the slowest NIC is known.

    `shares_of` returns those of an algorithm for each kind of server (`FabricSummary.each_kind`) with what limits it.
    Latency is that of a placement `in_order`, or else of a random one.
    """

    def machines_of(algorithm: Algorithm) -> Sequence[Machine]:
        traffic = algorithm.traffic
        return [
            machine_of(each, share, traffic, in_order and traffic.ring)
            for each, share in zip(summary.each_kind, shares_of(algorithm), strict=True)
        ]

    name = algorithms[0].name if len(algorithms) == 1 else None
    return _estimate_on(summary, collective, size_bytes, algorithms, name, machines_of)


def _estimate_on(
    summary: FabricSummary,
    name: str,
    size_bytes: int,
    algorithms: Sequence[Algorithm],
    asked: str | None,
    machines_of: Callable[[Algorithm], Sequence[Machine]],
) -> Estimate:
    """Estimate by what the library chooses of the algorithms on the machines that `machines_of` returns for each."""
    if not is_whole(size_bytes, 1) or size_bytes > LARGEST:
        raise InputError(f"size_bytes {size_bytes!r:.40}: not a whole number of bytes from 1 to 2**60")
    size_bytes = int(size_bytes)  # of numpy's integers, products would overflow
    collective = COLLECTIVES.get_record(name)
    times = list_times(machines_of, collective, size_bytes, algorithms, summary.library)
    if not times:
        raise InputError(explain_none(summary, name, asked))
    fastest = fastest_pair(times)
    chosen = choose_pair(summary, collective, size_bytes, times)
    pair = chosen or fastest
    parts = times[pair]
    seconds = _seconds(parts)
    algbw = size_bytes / seconds / 1e9
    busbw = algbw * collective.bus_factor(summary.gpus)
    return Estimate(
        name, size_bytes, summary.gpus, *pair, seconds, algbw, busbw, parts.limit,
        chosen=chosen and Choice(*chosen, _seconds(times[chosen])),
        fastest=Choice(*fastest, _seconds(times[fastest])),
    )  # fmt: skip


def _seconds(parts: Parts) -> float:
    return max(parts.total, 1e-9)


def candidates(
    summary: FabricSummary, collective: Collective, name: str | None, among: Sequence[str] = ()
) -> list[Algorithm]:
    """Return the algorithm of this name, or by default those that the library chooses from.

    Those are the ones named in `among` or else the one of its settings where they can run, and else all. Raises
    InputError for an algorithm without a time.
    """
    asked = among or ((summary.library.algorithm,) if summary.library.algorithm else ())
    if name is None and asked:
        able = usable(summary, collective.name)
        if held := [each for each in map(ALGORITHMS.get_record, asked) if each.name in able]:
            return held
    return timed_algorithms(collective, name)


def explain_none(summary: FabricSummary, collective: str, name: str | None) -> str:
    """Return why an algorithm, or any, can't run a collective on this fabric."""
    servers = "one server" if summary.servers == 1 else f"{summary.servers:,} servers"
    where = f"{collective} on {summary.gpus:,} GPUs in {servers}"
    names = ", ".join(usable(summary, collective)) or "none"
    if name is None:
        return f"no algorithm is chosen automatically for {where}; usable by name: {names}"
    needs = algorithm_of(collective, name).needs
    return f"algorithm '{name}' can't run {where}{f': it needs {needs}' if needs else ''}; usable here: {names}"


def allreduce(
    blueprint: Blueprint | FabricSummary, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None
) -> Estimate:
    """Estimate an all-reduce of `size_bytes` over every GPU (see `estimate`)."""
    return estimate(blueprint, "all-reduce", size_bytes, routing, algorithm)


def usable(summary: FabricSummary, collective: str) -> tuple[str, ...]:
    """Return the algorithms with a closed form that can run a collective on such a fabric."""
    record = COLLECTIVES.get_record(collective)
    machines = [machine_of(each, (1.0, "NIC"), RING, in_order=False) for each in summary.each_kind]
    return tuple(
        algorithm.name
        for algorithm in algorithms_of(record)
        if algorithm.time
        if any(slowest(algorithm.time, machines, record, protocol, 1.0) for protocol in machines[0].protocols)
    )


def with_expected_error(summary: FabricSummary, found: Estimate) -> Estimate:
    """Return an estimate whose routing is known with the error to expect of it, or what was not measured."""
    error = expected_error(summary, found, ROUTINGS[found.routing])
    return replace(
        found,
        expected_error=error.share,
        not_measured=error.not_measured,
        unmeasured_constants=error.unmeasured_constants,
    )


def doubt(found: Estimate, factor: float) -> Estimate:
    """Return an estimate by a closed form that is only near the flows of a large direct network, and that says so."""
    what = f"flows on so large a direct network (of smaller ones its closed form is within a factor of {factor})"
    return replace(found, expected_error=None, not_measured=(what,))
