"""Compare the time of training steps with published runs: prints the tables of docs/training-accuracy.md.

Every run's error is shown with the constants shipped, and left out: by constants fitted without its series, and without
its row, both by the runs' derivatives. With --refit the fits without a series are made anew and their runs timed again;
with --fit constants are fitted to all runs first, and what is left out is written to training_left_out.csv.

The fit is a maximum a posteriori estimate: each constant has a prior from a source that is no training run, or a wide
one, so constants that few runs depend on stay near it. The degrees of freedom are the trace of the hat matrix, which
counts a constant as 1 where runs alone determine it and as 0 where its prior does.
"""

from __future__ import annotations

import csv
import math
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training_rows import Run, fabric_of, published
from fabric.catalog import TrainingEfficiency, training_efficiency
from fabric.flow import Routing
from fabric.frozen import FrozenMapping
from fabric.training.message_views import MessageView
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import prepare_step

Vector = NDArray[np.float64]

LEFT_OUT = Path(__file__).with_name("training_left_out.csv")
PRIORS = {
    "ampere bf16": (0.80, 0.10), "hopper bf16": (0.70, 0.10), "hopper fp8": (0.62, 0.15),
    "blackwell ultra bf16": (0.75, 0.10), "blackwell ultra fp8": (0.70, 0.15), "blackwell ultra nvfp4": (0.48, 0.20),
    "blackwell ultra over blackwell": (1.15, 0.08), "megatron-lm": (1.0, 0.08), "deepspeed": (0.95, 0.08),
    "eager": (0.95, 0.08), "eager-full": (0.95, 0.08), "compiled": (0.95, 0.08), "passes": (1.0, 0.2),
    "passes, eager": (1.5, 0.2), "inner": (350.0, 0.3), "routing": (1.5, 0.5), "biased_routing": (4.0, 0.7),
    "dispatch_us": (700.0, 0.7), "occupied": (0.12, 0.4), "spread": (0.015, 0.4),
}  # fmt: skip
"""Each fitted constant, with its prior: the median, and the standard deviation of its logarithm."""
SERIES_ERROR = 0.06
"""The standard deviation of what the logarithms of a series' errors have in common."""
ROW_ERROR = 0.015
"""The standard deviation of the rest, which the growth within a series shows."""
TAIL = 3.0
"""The standard deviations from which on an error counts less, as in a distribution with long tails."""
STEP = 0.03
REFITS = 3
"""The steps of a fit without some runs, by which it has settled."""
GENERATIONS = {"a100": "ampere", "h": "hopper", "b": "blackwell ultra", "gb": "blackwell ultra"}
"""The generation as PRIORS has it, by how the name of an accelerator begins."""
PLAIN = ("b200", "gb200")
"""The accelerators that are slower than their Ultra generation by one ratio."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Constants fitted to runs, and what follows from the runs' derivatives there."""

    values: Vector
    """The logarithms of the constants, as PRIORS has them."""
    errors: Vector
    """The logarithm of each run's predicted time over the published one."""
    slopes: Vector
    """The derivative of these by the constants, shape (runs, constants)."""
    series: tuple[str, ...]
    """The series of each run."""

    @property
    def freedom(self) -> float:
        """The degrees of freedom that the runs determine."""
        data = self.slopes.T @ precision_of(self.errors, self.series) @ self.slopes
        return float(np.trace(np.linalg.solve(data + np.diag(1 / _deviations() ** 2), data)))

    def without(self, left: NDArray[np.bool_]) -> Vector:
        """Return the errors of the runs `left` out, by constants fitted to the others.

        Errors are linear in the logarithms of the constants, near enough for the little by which these move.
        """
        kept = tuple(name for name, out in zip(self.series, left, strict=True) if not out)
        move = _solve(self.errors[~left], self.slopes[~left], kept, self.values)
        return self.errors[left] + self.slopes[left] @ move


def _deviations() -> Vector:
    return np.array([deviation for _, deviation in PRIORS.values()])


def _medians() -> Vector:
    return np.log([median for median, _ in PRIORS.values()])


def precision_of(errors: Vector, series: Sequence[str]) -> Vector:
    """Return the inverse of the covariance of the runs' errors, shape (runs, runs).

    Errors of one series have a part in common, since the same software ran on the same machine. A series far from the
    others counts less.
    """
    names = np.array(series)
    found = np.zeros((len(errors), len(errors)))
    for name in dict.fromkeys(series):
        own = np.flatnonzero(names == name)
        covariance = SERIES_ERROR**2 + ROW_ERROR**2 * np.eye(len(own))
        tail = math.sqrt(1 + (errors[own].mean() / SERIES_ERROR / TAIL) ** 2)
        found[np.ix_(own, own)] = np.linalg.inv(covariance) / tail
    return found


def _solve(errors: Vector, slopes: Vector, series: Sequence[str], values: Vector) -> Vector:
    """Return by how much to move the constants for the least squares of errors and of distances from the priors."""
    prior, data = 1 / _deviations() ** 2, slopes.T @ precision_of(errors, series)
    right = -data @ errors - prior * (values - _medians())
    return np.asarray(np.linalg.solve(data @ slopes + np.diag(prior), right), dtype=np.float64)


def constants_of(values: Vector) -> TrainingEfficiency:
    """Return the constants with the fitted ones as given, by their logarithms."""
    found, given = training_efficiency(), dict(zip(PRIORS, map(math.exp, values), strict=True))
    classes = {
        name: replace(
            kind, share=given.get(name, 1.0), passes=given["passes, eager" if name.startswith("eager") else "passes"]
        )
        for name, kind in found.kernel_classes.items()
    }
    return replace(
        found,
        matmul={name: FrozenMapping(_shares(name, row, given)) for name, row in found.matmul.items()},
        kernel_classes=classes,
        inner=given["inner"],
        routing=given["routing"],
        biased_routing=given["biased_routing"],
        dispatch_us=given["dispatch_us"],
        occupied=given["occupied"],
        spread=given["spread"],
    )


def _shares(accelerator: str, row: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    generation, over = (
        _generation_of(accelerator),
        given["blackwell ultra over blackwell"] if accelerator in PLAIN else 1.0,
    )
    alike = {"fp16": "bf16", "mxfp8": "fp8"}
    return {name: given[f"{generation} {alike.get(name, name)}"] / over for name in row}


def _generation_of(accelerator: str) -> str:
    return next(name for prefix, name in GENERATIONS.items() if accelerator.startswith(prefix))


def shipped() -> Vector:
    """Return the logarithms of the constants shipped, as PRIORS has them."""
    found = training_efficiency()
    matmul, classes = found.matmul, found.kernel_classes
    ultra = {f"blackwell ultra {name}": matmul["b300"][name] for name in ("bf16", "fp8", "nvfp4")}
    given = {
        "ampere bf16": matmul["a100-80"]["bf16"], "hopper bf16": matmul["h100"]["bf16"],
        "hopper fp8": matmul["h100"]["fp8"], **ultra,
        "blackwell ultra over blackwell": matmul["b300"]["fp8"] / matmul["b200"]["fp8"],
        "passes": classes["fused"].passes, "passes, eager": classes["eager"].passes,
        **{name: kind.share for name, kind in classes.items()},
    }  # fmt: skip
    return np.log([given[name] if name in given else getattr(found, name) for name in PRIORS])


@cache
def _network(run: Run) -> tuple[NetworkTime, MessageView]:
    routing = run.routing if run.qps is None else Routing(run.routing, qps=run.qps, pxn=True)
    network = NetworkTime.of(fabric_of(run).blueprint, run.parallel, routing)
    return network, MessageView(network)


def step_s(run: Run, constants: TrainingEfficiency) -> float:
    """Return the seconds of a run's step."""
    network, view = _network(run)
    prepared = prepare_step(fabric_of(run).blueprint, run.model_run, network=network, constants=constants)
    return prepared.step.run(view).step_s


def errors_of(runs: Sequence[Run], values: Vector) -> Vector:
    """Return the logarithm of each run's predicted time over the published one."""
    constants = constants_of(values)
    return np.array([math.log(step_s(run, constants) / run.step_s) for run in runs])


def differentiate(runs: Sequence[Run], values: Vector, errors: Vector) -> Vector:
    """Return the derivatives of errors by the constants' logarithms, shape (runs, constants)."""
    slopes = np.zeros((len(runs), len(values)))
    for column, name in enumerate(PRIORS):
        own = [row for row, run in enumerate(runs) if depends(run, name)]
        moved = errors_of([runs[row] for row in own], values + STEP * (np.arange(len(values)) == column))
        slopes[own, column] = (moved - errors[own]) / STEP
    return slopes


def depends(run: Run, name: str) -> bool:
    """Return whether a run's time depends on a constant."""
    framework = training_efficiency().software[run.software]
    kind, model = framework.kernel_class(run.parallel.recompute), run.model
    if name in training_efficiency().kernel_classes:
        return name == kind
    generation = _generation_of(run.accelerator)
    if name.startswith(tuple(GENERATIONS.values())):
        precision = name.removeprefix(f"{generation} ")
        narrow = {"fp16": "bf16", "mxfp8": "fp8"}.get(run.precision, run.precision)
        return precision in ("bf16", narrow) or (name.endswith("over blackwell") and run.accelerator in PLAIN)
    return {
        "passes": not kind.startswith("eager"), "passes, eager": kind.startswith("eager"),
        "routing": bool(model.experts), "biased_routing": model.expert_bias,
        "dispatch_us": bool(model.experts) and framework.waits_for_counts,
    }.get(name, True)  # fmt: skip


def linearize(runs: Sequence[Run], values: Vector) -> Fit:
    """Return the errors at some constants, with their derivatives."""
    errors = errors_of(runs, values)
    return Fit(values, errors, differentiate(runs, values, errors), tuple(run.series_name for run in runs))


def fit(runs: Sequence[Run], rounds: int = 2) -> Fit:
    """Return the constants fitted to runs, by Gauss and Newton from those shipped on."""
    values = shipped()
    for _ in range(rounds):
        found = linearize(runs, values)
        values = values + np.clip(_solve(found.errors, found.slopes, found.series, values), -0.5, 0.5)
    return linearize(runs, values)


def leave_out(found: Fit, runs: Sequence[Run], of: Callable[[Run], str]) -> Vector:
    """Return the error of each run by constants fitted to all but those that are `of` the same as it."""
    names = np.array([of(run) for run in runs])
    errors = np.empty(len(runs))
    for name in dict.fromkeys(names):
        errors[names == name] = found.without(names == name)
    return errors


def refit(found: Fit, runs: Sequence[Run], of: Callable[[Run], str]) -> Vector:
    """Return the same as `leave_out`, with every run timed as the constants move; derivatives stay those of `found`."""
    names = np.array([of(run) for run in runs])
    errors = np.empty(len(runs))
    for name in dict.fromkeys(names):
        left, values, own = names == name, found.values, found.errors[names != name]
        kept = [run for run in runs if of(run) != name]
        series = tuple(run.series_name for run in kept)
        for _ in range(REFITS):
            values = values + _solve(own, found.slopes[~left], series, values)
            own = errors_of(kept, values)
        errors[left] = errors_of([run for run in runs if of(run) == name], values)
    return errors


def growth_of(runs: Sequence[Run], errors: Vector) -> Iterator[tuple[str, int, int, float, float]]:
    """Yield each weak-scaling series: its name, its smallest and largest run, and their growth, published and not."""
    lines: dict[tuple[str, str, float], list[int]] = {}
    for index, run in enumerate(runs):
        lines.setdefault((run.series, run.model.name, run.batch / run.gpus), []).append(index)
    for (series, *_), each in lines.items():
        first, last = (choose(each, key=lambda index: runs[index].gpus) for choose in (min, max))
        if runs[last].gpus > runs[first].gpus and runs[first].precision == runs[last].precision:
            grown = runs[last].step_s / runs[first].step_s
            yield (
                series,
                runs[first].gpus,
                runs[last].gpus,
                grown - 1,
                grown * math.exp(errors[last] - errors[first]) - 1,
            )


def percent(error: float) -> str:
    """Return the error of a time of whose ratio this is the logarithm."""
    return f"{math.expm1(error):+.1%}"


def rows_of(runs: Sequence[Run], *errors: Vector) -> Iterator[str]:
    """Yield the table of runs."""
    yield "| row | series | GPUs | GPU | precision | published s | error | series left out | row left out |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for run, *each in zip(runs, *errors, strict=True):
        shown = " | ".join(map(percent, each))
        facts = f"{run.row} | {run.series} | {run.gpus:,} | {run.accelerator} | {run.precision} | {run.step_s:.4g}"
        yield f"| {facts} | {shown} |"


def summarize(name: str, errors: Iterable[float]) -> str:
    """Return the median and the largest of errors, and how many are beyond 8 and 20 %."""
    sizes = [abs(math.expm1(error)) for error in errors]
    beyond = ", ".join(f"{sum(size > bar for size in sizes)} over {bar:.0%}" for bar in (0.08, 0.20))
    return f"{name}: median {statistics.median(sizes):.1%}, worst {max(sizes):.1%}, {beyond} of {len(sizes)}"


def expected_errors(runs: Sequence[Run], errors: Vector) -> dict[str, float]:
    """Return the share e such that nine of ten errors are from 1/(1+e) to 1+e, of dense models and with experts.

    A series of n rows counts as one.
    """
    sizes = Counter(run.series_name for run in runs)
    found = {}
    for name, experts in (("dense", False), ("experts", True)):
        own = [row for row, run in enumerate(runs) if bool(run.model.experts) == experts]
        weights = [1 / sizes[runs[row].series_name] for row in own]
        found[name] = math.expm1(np.quantile(np.abs(errors[own]), 0.9, weights=weights, method="inverted_cdf"))
    return found


def write_left_out(runs: Sequence[Run], errors: Vector) -> None:
    """Write the errors of runs whose series was left out."""
    with LEFT_OUT.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("row", "series", "experts", "log_error"))
        lines.writerows(
            (run.row, run.series, int(bool(run.model.experts)), f"{error:.4f}")
            for run, error in zip(runs, errors, strict=True)
        )


def main() -> None:
    """Print the errors, and with --fit the constants fitted again."""
    runs = published()
    found = fit(runs) if "--fit" in sys.argv else linearize(runs, shipped())
    linear, row = (leave_out(found, runs, of) for of in (lambda run: run.series_name, lambda run: run.row))
    again = bool({"--fit", "--refit"} & {*sys.argv})
    series = refit(found, runs, lambda run: run.series_name) if again else linear
    print(*rows_of(runs, found.errors, series, row), sep="\n", end="\n\n")
    for name, errors in (("fitted", found.errors), ("series left out", series), ("row left out", row)):
        print(summarize(name, errors))
    if again:
        print(f"series left out, farthest from linear: {np.abs(np.expm1(series) - np.expm1(linear)).max():.1%}")
    print("\n| weak scaling | GPUs | published growth | predicted | points apart |\n|---|---|---|---|---|")
    for name, first, last, measured, predicted in growth_of(runs, found.errors):
        apart = 100 * (predicted - measured)
        print(f"| {name} | {first:,} to {last:,} | {measured:+.1%} | {predicted:+.1%} | {apart:+.1f} |")
    print(f"\n{len(PRIORS)} constants, {found.freedom:.1f} degrees of freedom, {len(runs)} runs in", end=" ")
    print(f"{len({run.series_name for run in runs})} series")
    for name, value in zip(PRIORS, np.exp(found.values), strict=True):
        print(f"  {name} {value:.4g} (prior {PRIORS[name][0]:g}, {PRIORS[name][1]:.0%})")
    print("expected errors", {name: round(error, 3) for name, error in expected_errors(runs, series).items()})
    if "--fit" in sys.argv:
        write_left_out(runs, series)


if __name__ == "__main__":
    main()
