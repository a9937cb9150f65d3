"""A calibration as its file, a summary and curves, and a measured run beside what was expected as both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fabric import units
from fabric.atomic_write import write_atomically
from fabric.catalog import expected_errors
from fabric.draw import draw_allreduce, save
from fabric.errors import InputError
from fabric.flow import COLLECTIVES
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent
from fabric.request.yaml_writer import yaml_text
from fabric.studies.acceptance import USUAL_TOLERANCE, Acceptance, ComparedPoint
from fabric.studies.calibration import TUNABLES, Calibration
from fabric.studies.constant_fit import FittedConstant
from fabric.studies.measured_runs import MeasuredRun

__all__ = [
    "acceptance_object", "calibration_object", "summarize_acceptance", "summarize_calibration", "write_calibration",
]  # fmt: skip

SUFFIXES = (".yaml", ".yml")

SHOWN = 5
"""The rows left out of a comparison that have a line each; JSON has all."""


def calibration_object(found: Calibration) -> dict[str, Any]:
    """Return a calibration as its file has it (docs/calibration.md)."""
    return {
        "format": "fabric.calibration/1",
        "server": found.server.name,
        "generation": found.server.generation,
        "constants": [_constant_object(one) for one in found.fitted],
        "errors": [{"from_bytes": least, "error": _round(error)} for least, error in found.errors().items()],
        "runs": [_run_object(run) for run in found.runs],
    }


def _constant_object(one: FittedConstant) -> dict[str, Any]:
    values = {"value": one.value, "catalogue": one.before, "spread": one.spread}
    return {"name": one.name, **{key: _round(value) for key, value in values.items()}}


def _run_object(run: MeasuredRun) -> dict[str, Any]:
    return {
        "collective": run.collective,
        "gpus": run.gpus,
        "servers": run.domains,
        "points": len(run.sizes),
        "log": run.name,
    }


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def check_calibration_name(file: str | os.PathLike[str]) -> None:
    """Raise InputError unless a file's name is that of YAML."""
    if Path(file).suffix.lower() not in SUFFIXES:
        raise InputError(f"{file}: a calibration is YAML; write for example calibration.yaml")


def write_calibration(found: Calibration, file: str | os.PathLike[str]) -> list[Path]:
    """Write a calibration to `file`, and its curves beside it as SVG.

    Raises InputError unless the file is .yaml, and for a calibration without a constant.
    """
    check_calibration_name(file)
    if not found.fitted:
        raise InputError(
            f"{found.runs[0].name}: the runs settle no constant of {found.server.name}, so that {file} was not written;"
            " run sweeps from 64 KiB to 8 GiB, on one server and on several"
        )
    path = Path(file)
    picture = f"{path.stem}.svg"

    def make(temporary: Path) -> list[str]:
        (temporary / path.name).write_text(yaml_text(calibration_object(found)), encoding="utf-8", newline="\n")
        save(draw_allreduce(f"{found.server.name}: measured and calibrated", _curves(found), None), temporary / picture)
        return [path.name, picture]

    return write_atomically(path.parent, make)


def _curves(found: Calibration) -> dict[str, list[tuple[int, float]]]:
    """Return busbw in GB/s over the sizes as measured and as modelled, for each run."""
    curves = {}
    for run, errors in zip(found.runs, found.errors_after, strict=True):
        name = _name_run(run)
        speeds = [_busbw(run, size, time) for size, time in zip(run.sizes, run.times_us, strict=True)]
        curves[f"{name}, measured"] = [*zip(run.sizes, speeds, strict=True)]
        curves[f"{name}, model"] = [
            (size, speed / (1 + error)) for size, speed, error in zip(run.sizes, speeds, errors, strict=True)
        ]
    return curves


def _name_run(run: MeasuredRun) -> str:
    return f"{run.collective} on {units.count(run.gpus)} GPUs"


def _busbw(run: MeasuredRun, size: int, time_us: float) -> float:
    return size / 1e3 / time_us * COLLECTIVES[run.collective].bus_factor(run.gpus)


def summarize_calibration(found: Calibration) -> Summary:
    """Return what `fabric calibrate` prints."""
    points = sum(len(run.sizes) for run in found.runs)
    text = f"{found.server.name}: {units.count_noun(len(found.fitted), 'constant')} fitted to {points} points"
    text += f" of {units.count_noun(len(found.runs), 'run')}."
    constants = [
        (_meaning(found, one.name), f"{one.before:.4g}", f"{one.value:.4g}", _write_spread(one.before, one.spread))
        for one in found.fitted
    ]
    tables = [Table("Constants that these runs settle", ("constant", "catalogue", "here", "spread"), constants)]
    tables += [_tabulate_run(found, index) for index in range(len(found.runs))]
    return Summary(text, tables, [*_list_calibration_lines(found)])


def _write_spread(before: float, spread: float) -> str:
    return format_percent(spread, ".0f") if before else f"{10 * spread:.1f} us"


def _meaning(found: Calibration, name: str) -> str:
    """Return what a constant is, in a few words, and its name."""
    for tunable in TUNABLES:
        for layout in range(3):
            if tunable.name.format(generation=found.server.generation, layout=layout) == name:
                return f"{tunable.meaning} ({name})"
    return name


def _tabulate_run(found: Calibration, index: int) -> Table:
    run, before, after = found.runs[index], found.errors_before[index], found.errors_after[index]
    rows = [
        (
            units.size(size),
            units.time(time * 1e-6),
            f"{_busbw(run, size, time):,.1f}",
            format_percent(old, "+.0f"),
            format_percent(new, "+.0f"),
        )
        for size, time, old, new in zip(run.sizes, run.times_us, before, after, strict=True)
    ]
    heads = ("size", "measured", "busbw GB/s", "catalogue's error", "error here")
    return Table(f"{_name_run(run)}, {units.count_noun(run.domains, 'server')} ({run.name})", heads, rows)


def _list_calibration_lines(found: Calibration) -> Iterator[str]:
    yield "Errors are of the model's time: predicted over measured, less 1."
    if found.open:
        names = ", ".join(found.open)
        yield f"These runs depend on {names} too, and do not settle them: the catalogue's values stay."
    if not found.fitted:
        yield (
            "Nothing is settled: run sweeps from 64 KiB to 8 GiB, on one server and on several. Where these are such"
            " sweeps, no constants bring the model near enough to their times."
        )
    errors = (f"{format_percent(error, '.0f')} from {units.size(least)}" for least, error in found.errors().items())
    yield from _list_left_out(found.runs)
    yield f"Nine of ten times of the next run are expected within {', '.join(errors)}."
    if max(found.errors().values()) > (widest := expected_errors().widest):
        yield f"Estimates state no error where that is over {format_percent(widest, '.0f')}."


def acceptance_object(found: Acceptance) -> dict[str, Any]:
    """Return a comparison as one of the runs of `fabric accept --json` (docs/calibration.md)."""
    run = found.run
    return {
        "log": run.name,
        "collective": run.collective,
        "gpus": run.gpus,
        "servers": run.domains,
        "accepted": found.accepted,
        "points": [
            {
                "size_bytes": point.size_bytes, "measured_us": point.measured_us,
                "expected_us": _round(point.estimate.time_s * 1e6), "ratio": _round(point.ratio),
                "tolerance": point.tolerance, "expected_error": point.estimate.expected_error, "slower": point.slower,
                "algorithm": point.estimate.algorithm, "limited_by": point.estimate.limited_by,
            }
            for point in found.points
        ],
        "suggestions": list(found.suggestions),
        "hidden": found.hidden,
        "left_out": list(run.left_out),
    }  # fmt: skip


def _list_left_out(runs: Iterable[MeasuredRun]) -> Iterator[str]:
    """Yield the rows of logs that count for nothing, the first of them one by one."""
    rows = [row for run in runs for row in run.left_out]
    yield from (f"Left out: {row}." for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        yield f"Left out: {units.count(len(rows) - SHOWN)} more rows without a time out of place."


def _list_missing(found: Acceptance) -> Iterator[str]:
    """Yield what was not measured where a usual tolerance stands in for the error to expect, in one line."""
    points = [point.estimate for point in found.points if point.estimate.expected_error is None]
    if not points or found.within is not None:
        return
    which = "" if len(points) == len(found.points) else f" for {len(points)} of {len(found.points)} sizes"
    missing = "; ".join(dict.fromkeys(what for estimate in points for what in estimate.not_measured))
    yield (
        f"No expected error{which}, as this was not measured: {missing}. A usual tolerance of"
        f" {format_percent(USUAL_TOLERANCE, '.0f')} stands in; --within sets one."
    )


def _judge(point: ComparedPoint) -> str:
    return "slower" if point.slower else "faster" if point.faster else ""


def summarize_acceptance(name: str, found: Acceptance) -> Summary:
    """Return what `fabric accept` prints of a run on the fabric of this name."""
    run, slower = found.run, sum(point.slower for point in found.points)
    verdict = "as expected" if found.accepted else "slower than expected"
    text = f"{name}: {_name_run(run)} ({run.name}) is {verdict}; {slower} of {len(found.points)} points are slower."
    rows = [
        (
            units.size(point.size_bytes), units.time(point.measured_us * 1e-6), units.time(point.estimate.time_s),
            f"{point.ratio:.2f}", f"{1 + point.tolerance:.2f}", _judge(point),
            point.estimate.limited_by,
        )
        for point in found.points
    ]  # fmt: skip
    heads = ("size", "measured", "expected", "ratio", "up to", "", "limited by")
    lines = [f"Suggests {suggestion}." for suggestion in found.suggestions]
    lines += [f"{found.hidden}."] * bool(found.hidden) + [*_list_left_out([run])] + [*_list_missing(found)]
    return Summary(text, [Table("", heads, rows)], lines)
