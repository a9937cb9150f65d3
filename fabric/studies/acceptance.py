"""Hold a measured run against what a design leads to expect, and name what the shape of the difference suggests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.blueprint import Blueprint
from fabric.errors import InputError, Mistake
from fabric.flow import Estimate, FabricSummary, summarize
from fabric.flow.estimate import with_expected_error
from fabric.flow.expected_error import MEASURED_LIMITS
from fabric.studies.measured_runs import MeasuredRun, find_servers, run_of
from fabric.studies.nccl_logs import LogRun

__all__ = ["Acceptance", "ComparedPoint", "accept", "compare"]

Column = npt.NDArray[np.float64]

USUAL_TOLERANCE = 0.25
"""The share that times may be longer where the error to expect is not known."""
ALLOWED = 0.1
"""The share of points that may be slower than that: nine of ten are expected inside."""
LEAST_SHARE = 0.06
"""The least share of a time that a cause must explain at some size to be named: twice the noise of nccl-tests."""
SCATTER = 0.08
"""The scatter of times about a smooth curve, as a share, from which it is more than that noise."""


@dataclass(frozen=True)
class ComparedPoint:
    """One measured size beside the estimate."""

    size_bytes: int
    """The message size."""
    measured_us: float
    """The measured time in microseconds."""
    estimate: Estimate
    """What the design leads to expect."""
    tolerance: float
    """The share that the time may be longer: the error to expect, what was asked for, or a usual one."""

    @property
    def ratio(self) -> float:
        """Measured over expected time."""
        return self.measured_us / (self.estimate.time_s * 1e6)

    @property
    def slower(self) -> bool:
        """Whether it took longer than expected."""
        return self.ratio > 1 + self.tolerance

    @property
    def faster(self) -> bool:
        """Whether it took less time than expected."""
        return self.ratio < 1 / (1 + self.tolerance)


@dataclass(frozen=True)
class Acceptance:
    """A measured run beside what a design leads to expect."""

    run: MeasuredRun
    """The run."""
    points: tuple[ComparedPoint, ...]
    """Its points by size."""
    suggestions: tuple[str, ...]
    """What the shape of the difference suggests, the most likely first; empty where the run is as expected."""
    hidden: str = ""
    """What the tolerance of an accepted run would hide, in words; empty where it would hide no missing rail."""
    within: float | None = None
    """The share that was asked for as the tolerance; None for the error to expect."""

    @property
    def accepted(self) -> bool:
        """Whether no more than one point in ten is slower than expected."""
        return sum(point.slower for point in self.points) <= ALLOWED * len(self.points)


def accept(blueprint: Blueprint, log: LogRun, routing: str = "adaptive", within: float | None = None) -> Acceptance:
    """Compare a run of a log with the estimates of a design under a routing.

    `within` is the share that times may be longer; by default the error to expect of each. Raises InputError where the
    run does not fit on the design's GPUs, or no closed form can estimate it.
    """
    run = run_of(log, blueprint.server)
    if mismatch := _find_mismatch(blueprint, log, run):
        raise InputError([Mistake(run.name, mismatch)])
    summary = summarize(blueprint).first(run.gpus)
    summary = replace(summary, library=run.settings.over(summary.library))
    points = compare(summary, run, routing, within)
    found = Acceptance(run, points, (), within=within)
    if found.accepted:
        return replace(found, hidden=_find_hidden(summary, points))
    return replace(found, suggestions=tuple(_suggest(summary, log, points)))


def _find_mismatch(blueprint: Blueprint, log: LogRun, run: MeasuredRun) -> str | None:
    """Return why a log is of another cluster than the design, or of a part that the design's estimate is not of."""
    server, generations = blueprint.server, {each.generation for each in find_servers(log)}
    if server.generation and generations and server.generation not in generations:
        return f"ran on {log.gpu:.60}, and the design has {server.name}; name the request of this cluster"
    if run.gpus > blueprint.gpus:
        return f"{run.gpus:,} GPUs ran, and the design has {blueprint.gpus:,}; name the request of this cluster"
    if log.servers > 1 and run.server.gpus < server.gpus:
        text = f"{run.server.gpus} of the {server.gpus} GPUs of a server ran, on {log.servers} servers"
        return f"{text}: an estimate is of whole servers; run all of their GPUs"
    return None


def compare(
    summary: FabricSummary, run: MeasuredRun, routing: str = "adaptive", within: float | None = None
) -> tuple[ComparedPoint, ...]:
    """Return the points of a run beside the estimates on a fabric."""
    return tuple(_compare(summary, run, routing, within))


def _compare(summary: FabricSummary, run: MeasuredRun, routing: str, within: float | None) -> Iterator[ComparedPoint]:
    for size, time_us in zip(run.sizes, run.times_us, strict=True):
        expected = with_expected_error(summary, run.estimate(summary, size, routing))
        error = USUAL_TOLERANCE if expected.expected_error is None else expected.expected_error
        yield ComparedPoint(size, time_us, expected, error if within is None else within)


@dataclass(frozen=True)
class Shape:
    """How much longer a run took than expected, split into what each kind of fault adds to a time."""

    latency_us: float
    """What every call took longer, in microseconds."""
    bandwidth: float
    """The bandwidth reached with long messages, over that expected."""
    latency_share: float
    """The largest share of an expected time that the added latency is."""
    bandwidth_share: float
    """The largest share of an expected time that the lost bandwidth adds."""
    bump: tuple[int, int, float] | None
    """The sizes between which times are longer than both explain, and by what factor at most; None for nowhere."""
    scatter: float
    """The scatter about what both explain, as a share."""


def find_shape(sizes: Sequence[int], measured_us: Column, expected_us: Column) -> Shape:
    """Split what times were longer than expected into a latency, a loss of bandwidth, and the rest.

    The two are fitted to relative errors, neither below zero; a bump is three sizes or more in a row
    that are longer than both explain.
    """
    size, excess = np.array(sizes, float), measured_us - expected_us
    columns = np.stack([np.ones(len(size)), size], axis=1) / expected_us[:, None]
    latency, per_byte = _fit_robustly(columns, excess / expected_us)
    explained = expected_us + latency + per_byte * size
    left = measured_us / explained - 1
    bump = _find_bump(sizes, left)
    smooth = np.ones(len(size), bool) if bump is None else (size < bump[0]) | (size > bump[1])
    steps = np.diff(left[smooth]) if smooth.sum() > 2 else np.zeros(1)
    longest = expected_us[-1]
    return Shape(
        float(latency),
        float(longest / (longest + per_byte * size[-1])),
        float((latency / expected_us).max()),
        float((per_byte * size / expected_us).max()),
        bump,
        float(np.median(np.abs(steps)) / 0.6745 / 2**0.5),
    )


def _fit_robustly(columns: Column, wanted: Column) -> tuple[float, float]:
    """Return the two coefficients, none below 0, of the least squares in which a few points far off count for little.

    A protocol that is off at some sizes would else be taken for a latency (Huber's weights, found again ten times).
    """
    weights, found = np.ones(len(wanted)), (0.0, 0.0)
    for _ in range(10):
        root = np.sqrt(weights)
        found = _fit_from_zero(columns * root[:, None], wanted * root)
        left = np.abs(wanted - columns @ np.array(found))
        limit = max(LEAST_SHARE / 2, float(np.median(left)))
        weights = np.minimum(1.0, (limit / np.maximum(left, 1e-12)) ** 2)
    return found


def _fit_from_zero(columns: Column, wanted: Column) -> tuple[float, float]:
    """Return the two coefficients, none below 0, that leave the least squares."""
    best, least = (0.0, 0.0), float(wanted @ wanted)
    for used in ([0, 1], [0], [1]):
        found = np.linalg.lstsq(columns[:, used], wanted, rcond=None)[0]
        if (found >= 0).all():
            left = wanted - columns[:, used] @ found
            if (now := float(left @ left)) < least:
                both = np.zeros(2)
                both[used] = found
                best, least = (float(both[0]), float(both[1])), now
    return best


def _find_bump(sizes: Sequence[int], left: Column) -> tuple[int, int, float] | None:
    """Return the longest row of three sizes or more, between others, whose times are much longer than explained."""
    above, best = left > 2 * LEAST_SHARE, (0, 0)
    start = 0
    for index, is_above in enumerate([*above, False]):
        if not is_above:
            best = max(best, (index - start, -start))
            start = index + 1
    count, first = best[0], -best[1]
    if count < 3 or first == 0 or first + count == len(sizes):
        return None
    return sizes[first], sizes[first + count - 1], float(1 + left[first : first + count].max())


def _suggest(summary: FabricSummary, log: LogRun, points: Sequence[ComparedPoint]) -> Iterator[str]:
    """Yield what the shape of the difference suggests, the largest part first."""
    measured = np.array([point.measured_us for point in points])
    shape = find_shape([point.size_bytes for point in points], measured, measured / [point.ratio for point in points])
    nics = _host_nics(summary)
    if log.nics is not None and log.nics < nics:
        yield f"the library used {log.nics} of {nics} NICs of a host, says NCCL_DEBUG: check NCCL_IB_HCA"
    parts = [
        (shape.bandwidth_share, list(_bandwidth_causes(summary, shape, points))),
        (shape.latency_share, [_latency_cause(shape, points)]),
        (shape.bump[2] - 1 if shape.bump else 0.0, [_protocol_cause(shape.bump)] if shape.bump else []),
    ]
    for share, causes in sorted(parts, key=lambda part: -part[0]):
        if share > LEAST_SHARE:
            yield from causes


def _host_nics(summary: FabricSummary) -> int:
    """Return the NICs of a host as logs have it: of a server, or of one tray of a rack, each with all rails."""
    return max(1, summary.server.nics // summary.server.trays)


def _find_hidden(summary: FabricSummary, points: Sequence[ComparedPoint]) -> str:
    """Return which fault the tolerance for the longest message would hide, in words; empty for none.

    The time of a run alone says nothing of it: healthy clusters differ from the model by as much.
    """
    last, nics = points[-1], _host_nics(summary)
    if summary.servers == 1 or nics == 1 or last.estimate.limited_by not in MEASURED_LIMITS[2:]:
        return ""
    longer = nics / (nics - 1)
    if longer > 1 + last.tolerance:
        return ""
    return (
        f"The tolerance would hide one missing rail of {nics}, with which long messages take {longer:.2f} times as"
        " long; the calibration of a healthy run is sharper (--calibration)"
    )


def _bandwidth_causes(summary: FabricSummary, shape: Shape, points: Sequence[ComparedPoint]) -> Iterator[str]:
    """Yield what may have left this share of the bandwidth, the likeliest first."""
    left, nics = shape.bandwidth, _host_nics(summary)
    if points[-1].estimate.limited_by not in (*MEASURED_LIMITS[2:], "collisions") or summary.servers == 1:
        yield f"{units.percent(left, '.0f')} of the bandwidth inside servers: check NVLink and clocks of the GPUs"
        return
    crossing = bool(summary.peers) and summary.servers > summary.peers[0]
    got = f"{units.percent(left, '.0f')} of the bandwidth"
    if shape.scatter > SCATTER and crossing:
        scatter = units.percent(shape.scatter, ".0f")
        yield f"collisions of hashed paths: {got}, and {scatter} more or less from size to size"
    for missing in range(1, nics // 2):
        if abs(left - (nics - missing) / nics) < 0.4 / nics:
            yield f"{missing} of {nics} rails missing: {got}; check NICs and cables of every server"
    if abs(left - 0.5) < 0.08:
        yield f"half of the {nics} rails: {got}; check that NCCL uses every NIC (NCCL_IB_HCA)"
        if crossing:
            yield "2:1 oversubscription of the leaves: runs under one leaf would then be as expected"
    yield f"one slow NIC, for which all wait: {got}; run halves of the servers by themselves to find it"


def _latency_cause(shape: Shape, points: Sequence[ComparedPoint]) -> str:
    more, smallest = units.time(shape.latency_us * 1e-6), units.time(points[0].estimate.time_s)
    return (
        f"a latency floor: every call takes {more} more, a small one {smallest} by the model;"
        " check GPUDirect RDMA, the CPU's power states and PCIe ACS"
    )


def _protocol_cause(bump: tuple[int, int, float]) -> str:
    first, last, factor = bump
    return (
        f"a protocol or an algorithm: {units.size(first)} to {units.size(last)} take up to {factor:.1f} times as long,"
        " and shorter and longer messages do not; check NCCL_PROTO, NCCL_ALGO and the tuner"
    )
