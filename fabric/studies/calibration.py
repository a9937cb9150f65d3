"""Calibrate the time model to a cluster: fit the constants that its own runs of nccl-tests settle, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.catalog import Collectives, Server, collectives, constant_at, with_constants
from fabric.errors import InputError
from fabric.studies.constant_fit import NOISE, FittedConstant, Residuals, fit_settled
from fabric.studies.measured_runs import MeasuredRun

__all__ = ["TUNABLES", "Calibration", "Tunable", "calibrate"]

Column = npt.NDArray[np.float64]

SETTLED = 0.15
"""The standard deviation of a constant's logarithm up to which runs settle it."""
MOVED = 0.02
"""The change of some time, as a share, below which a tenth more of a constant does not count as having any effect."""
CLASSES = (2**30, 2**20, 1)
"""The smallest sizes of the size classes of errors, in bytes."""
NINE_OF_TEN, OUTLIER = 1.645, 0.5
"""The standard deviations within which nine of ten are, and the log error that counts for larger ones."""
LEAST_POINTS = 5
"""The fewest points that are fitted."""


@dataclass(frozen=True)
class Tunable:
    """A constant that a cluster may have of its own."""

    name: str
    """Its name, with {generation} for that of the GPUs and {layout} for 0, 1 or 2: one, two or more servers."""
    meaning: str
    """What it is, in a few words."""


TUNABLES = (
    Tunable("network_scale", "bandwidth between servers, over the model's"),
    Tunable("generations.{generation}.launch_us", "latency of a call, us"),
    Tunable("generations.{generation}.network_us", "latency of a network step beyond its protocol's, us"),
    Tunable("generations.{generation}.ring.simple.{layout}", "ring: share of NVLink's line rate"),
    Tunable("generations.{generation}.nvls.{layout}", "reduction in NVLink switches: share of line rate"),
    Tunable("generations.{generation}.channel_GBps", "what one channel carries between servers, GB/s"),
    Tunable("nvls.received", "reduction in NVLink switches: share of line rate received"),
    Tunable("nvls.base_us", "latency of a reduction in NVLink switches, us"),
    Tunable("delay", "filling of pipelines by small messages"),
    Tunable("protocols.ll.ring.nvlink_us", "NVLink step of a ring with LL, us"),
    Tunable("protocols.ll.tree.nvlink_us", "NVLink step of a tree with LL, us"),
    Tunable("protocols.ll128.ring.nvlink_us", "NVLink step of a ring with LL128, us"),
    Tunable("protocols.ll128.tree.nvlink_us", "NVLink step of a tree with LL128, us"),
)
"""The constants that a calibration may fit, those that clusters differ in most first."""


@dataclass(frozen=True)
class Calibration:
    """What runs on a cluster say of the model's constants."""

    server: Server
    """The server of the runs."""
    runs: tuple[MeasuredRun, ...]
    """The runs."""
    constants: Collectives
    """The constants with those that were fitted."""
    fitted: tuple[FittedConstant, ...]
    """The constants that the runs settle, with what the fit found."""
    open: tuple[str, ...]
    """The names of constants that these runs depend on and do not settle: they keep their values."""
    errors_before: tuple[tuple[float, ...], ...]
    """For each run and size, predicted over measured time minus 1, by the constants of the catalogue."""
    errors_after: tuple[tuple[float, ...], ...]
    """The same by those of the calibration."""

    def errors(self) -> dict[int, float]:
        """Return the share e by the smallest size of a class, such that nine of ten times lie from 1/(1+e) to 1+e.

        The next run of the cluster differs by what the fit leaves and by the noise of another run. A fit of as many
        constants leaves less at its own points than at the next: by the degrees of freedom that they take.
        """
        sizes = np.concatenate([run.sizes for run in self.runs])
        left = np.abs(np.log1p(np.concatenate(self.errors_after)))
        freedom = max(1, len(left) - len(self.fitted)) / len(left)
        found = {}
        for least, most in zip(CLASSES, (np.inf, *CLASSES), strict=False):
            inside = left[(sizes >= least) & (sizes < most)]
            if len(inside):
                spread = np.sqrt(np.mean(np.minimum(inside, OUTLIER) ** 2) / freedom + NOISE**2)
                found[least] = float(np.expm1(NINE_OF_TEN * spread))
        return found


def calibrate(runs: Sequence[MeasuredRun], start: Collectives | None = None) -> Calibration:
    """Fit the constants that `runs` settle, beginning at `start`, by default the catalogue's.

    Constants that move none of the times stay out; of the others those are fitted that the runs settle (`fit_settled`).
    Raises InputError for runs of unlike GPUs or of too few points.
    """
    server = runs[0].server
    if other := next((run for run in runs if run.server.generation != server.generation), None):
        raise InputError(f"{other.name}: GPUs of another generation than {runs[0].name}; calibrate each by itself")
    times = np.concatenate([run.times_us for run in runs])
    if len(times) < LEAST_POINTS:
        raise InputError(f"{runs[0].name}: too few points, {len(times)}; give sweeps of {LEAST_POINTS} or more")
    start = (start or collectives()).with_generation(server.generation)

    def residuals(constants: Collectives) -> Column:
        each = [estimate.time_s for run in runs for estimate in run.estimates(constants)]
        return np.asarray(np.log(np.array(each) * 1e6 / times))

    names = [name for name in _names(runs, start) if _moves(name, start, residuals)]
    constants, fitted, unsettled = fit_settled(start, names, residuals, SETTLED)
    before, after = (_split(np.expm1(residuals(each)), runs) for each in (start, constants))
    return Calibration(server, tuple(runs), constants, fitted, unsettled, before, after)


def _names(runs: Iterable[MeasuredRun], constants: Collectives) -> list[str]:
    """Return the names of the tunable constants of these runs that have a value."""
    found = dict[str, None]()
    for tunable in TUNABLES:
        for run in runs:
            layout = min(run.domains, 3) - 1
            name = tunable.name.format(generation=run.server.generation, layout=layout)
            try:
                constant_at(constants, name)
            except KeyError:
                continue
            found[name] = None
    return list(found)


def _moves(name: str, constants: Collectives, residuals: Residuals) -> bool:
    """Return whether a tenth more or less of a constant moves a time."""
    usual, value = residuals(constants), constant_at(constants, name)
    moved = (value * 1.1, value / 1.1) if value else (10.0,)
    changed = (residuals(with_constants(constants, {name: each})) for each in moved)
    return any(float(np.abs(each - usual).max()) > MOVED for each in changed)


def _split(errors: Column, runs: Sequence[MeasuredRun]) -> tuple[tuple[float, ...], ...]:
    """Return the errors of all points by run."""
    ends = np.cumsum([len(run.sizes) for run in runs])[:-1]
    return tuple(tuple(map(float, part)) for part in np.split(errors, ends))
