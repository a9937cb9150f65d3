"""Compare the time model with measured collectives, system by system: prints the table of docs/accuracy.md, plots each.

With --fit it fits the constants that catalog/data/collectives.yaml calls fitted again, and prints them;
benchmarks/expected_errors.py says how well systems are predicted that had no part in the fit.
"""

from __future__ import annotations

import csv
import math
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fabric.catalog import (
    Collectives,
    Generation,
    LibrarySettings,
    Server,
    collectives,
    library_tunings,
    servers,
    with_constants,
)
from fabric.flow import ALGORITHMS, COLLECTIVES, Estimate
from fabric.studies.constant_fit import FittedConstant, fit_constants
from fabric.studies.measured_runs import MeasuredRun

AUTOMATIC = tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.automatic)
FILE = Path(__file__).with_name("measured_collectives.csv")
PLOTS = Path("build/accuracy")
KINDS = {"all_reduce": "all-reduce", "all_gather": "all-gather", "alltoall": "all-to-all", "sendrecv": "send-recv"}
OUTSIDE = {
    "CoreWeave A100 (LAS1) with SHARP": "reduces in its switches over NICs that it does not name",
    "H100 2 nodes, NCCL-limited RoCE": "a defect of that NCCL, as its issue says",
    "OpenAI/Microsoft MRC cluster B": "the NVLink domains are not given",
}
"""Systems that are in the data and not in the statistics, and why."""
VERSIONS = {
    "H100 RoCE 4 nodes": "2.19.3", "H100 RoCE, NVLS on": "2.19.3", "H100 RoCE, NVLS off": "2.19.3",
    "H100 4-node IB cluster (gj-aion)": "2.26.2",
}  # fmt: skip
"""Versions of NCCL that the data leave out: issue 1221 states its own, and the other's is of the month of its issue."""
LARGE, MIDDLE, SMALL = 2**30, 2**20, 2**16
OUTLIER = 0.3


@dataclass(frozen=True)
class Point:
    """One measured size of one system: what ran, on what, and the microseconds it took."""

    system: str
    run: MeasuredRun

    @property
    def size_bytes(self) -> int:
        return self.run.sizes[0]

    @property
    def time_us(self) -> float:
        return self.run.times_us[0]

    @property
    def gpus(self) -> int:
        return self.run.gpus

    @property
    def collective(self) -> str:
        return self.run.collective

    def estimate(self, constants: Collectives) -> Estimate:
        """Return the model's answer."""
        return self.run.estimates(constants)[0]

    def predicted_us(self, constants: Collectives) -> float:
        """Return the model's time."""
        return self.estimate(constants).time_s * 1e6


@cache
def measured() -> tuple[Point, ...]:
    """Return the points whose size is stated and whose system the model can describe."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["size_stated"] == "yes" and row["system"] not in OUTSIDE]
    return tuple(map(_point, rows))


@cache
def asymptotes() -> tuple[Point, ...]:
    """Return the points of whose size the source says only that it is large: what a bandwidth ends at."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["size_stated"] != "yes" and row["system"] not in OUTSIDE]
    return tuple(_point(row) for row in rows if row["gpus"] and row["domains"] and row["algbw_GBps"])


def _point(row: Mapping[str, str]) -> Point:
    gpus, domains = int(row["gpus"]), int(row["domains"])
    like = "aws-p5" if row["transport"] == "EFA" else "gb200-nvl72" if row["gpu"].startswith("GB") else "hgx-h100"
    server = Server(
        row["system"], gpus // domains, int(row["nics_per_domain"] or gpus), int(row["nic_gbps"] or 400),
        float(row["nvlink_GBps"]), generation=row["generation"], nic_us=servers()[like].nic_us,
    )  # fmt: skip
    size = int(row["bytes"])
    time_us = size / 1e3 / float(row["algbw_GBps"])
    name = f"{row['system']}, {row['algorithm']}" if "vs GPU count" in row["system"] else row["system"]
    name = f"{name}, {gpus} GPUs" if row["system"] == "CoreWeave HGX H100" or "vs GPU count" in name else name
    reduce = "SHARP enabled" in row["network"]
    names = (*AUTOMATIC, "sharp") if reduce else _allowed(row["algorithm"])
    run = MeasuredRun(
        name, server, gpus, KINDS[row["collective"]], (size,), (time_us,), names,
        LibrarySettings(version=_version(row)), switches_reduce=reduce,
    )  # fmt: skip
    return Point(name, run)


def _version(row: Mapping[str, str]) -> str | None:
    """Return the version of NCCL that chose: the newest with a table up to the one measured, else the oldest."""
    stated = VERSIONS.get(row["system"]) or row["algorithm"]
    found = re.search(r"(?<!R)(?:NCCL )?([0-9]+)\.([0-9]+)\.[0-9]+", stated)
    if found is None or row["generation"] not in collectives().generations or "RCCL" in stated:
        return None
    known = [tuning.version for tuning in library_tunings() if tuning.library == "nccl"]
    numbers = (int(found[1]), int(found[2]))
    return next((each for each in known if tuple(map(int, each.split("."))) <= numbers), known[-1])


def _allowed(text: str) -> tuple[str, ...]:
    """Return the algorithms that a measurement may have used, by what it says of them."""
    for word, names in (
        ("NVLS_ENABLE=0", ("ring", "tree")),
        ("NVLSTree", ()),
        ("NVLS,", ("nvls",)),
        ("Ring", ("ring",)),
        ("Tree", ("tree",)),
    ):
        if text.startswith(word) or (word in ("NVLS_ENABLE=0", "NVLSTree") and word in text):
            return names
    return ("nvls",) if text == "NVLS" else ()


def systems(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Return the points of each system, by size."""
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.system, []).append(point)
    return {name: sorted(each, key=lambda point: point.size_bytes) for name, each in found.items()}


def outliers(points: Iterable[Point]) -> set[Point]:
    """Return the points that took longer than a larger message, or over 30 % longer than a line in logarithms says.

    The line is that between both neighbours of a point in its sweep.
    """
    found = set()
    for sweep in systems(points).values():
        sizes = len({point.size_bytes for point in sweep}) == len(sweep)
        found |= {
            p for p in sweep if sizes and any(q.time_us < p.time_us for q in sweep if q.size_bytes > p.size_bytes)
        }
        for before, point, after in zip(sweep, sweep[1:], sweep[2:], strict=False):
            if sizes:
                logs = [math.log(each.size_bytes) for each in (before, point, after)]
                part = (logs[1] - logs[0]) / (logs[2] - logs[0])
                between = before.time_us ** (1 - part) * after.time_us**part
                if point.time_us > (1 + OUTLIER) * between:
                    found.add(point)
    return found


def errors(points: Iterable[Point], constants: Collectives) -> dict[Point, float]:
    """Return the relative error of the predicted time of each point."""
    return {point: point.predicted_us(constants) / point.time_us - 1 for point in points}


def summary(found: Mapping[Point, float]) -> dict[str, float]:
    """Return the medians of the absolute errors from 1 GiB and from 1 MiB, and the worst above 64 KiB."""
    odd = outliers(found)
    large = [abs(error) for point, error in found.items() if point.size_bytes >= LARGE]
    middle = [abs(error) for point, error in found.items() if MIDDLE <= point.size_bytes < LARGE]
    above = [abs(error) for point, error in found.items() if point.size_bytes > SMALL]
    plain = [abs(error) for point, error in found.items() if point.size_bytes > SMALL and point not in odd]
    return {
        "large": statistics.median(large) if large else 0.0,
        "middle": statistics.median(middle) if middle else 0.0,
        "worst": max(above),
        "worst_but_outliers": max(plain),
    }


def table(found: Mapping[Point, float]) -> Iterator[str]:
    """Yield the lines of docs/accuracy.md's table."""
    yield "| system | GPUs | points | median from 1 GiB | median 1 MiB to 1 GiB | worst above 64 KiB | at |"
    yield "|---|---|---|---|---|---|---|"
    odd = outliers(found)
    for name, points in systems(found).items():
        parts = [[p for p in points if p.size_bytes >= LARGE], [p for p in points if MIDDLE <= p.size_bytes < LARGE]]
        medians = [f"{statistics.median(abs(found[p]) for p in part):.1%}" if part else "-" for part in parts]
        worst = max((p for p in points if p.size_bytes > SMALL), key=lambda p: abs(found[p]))
        mark = " (outlier)" if worst in odd else ""
        size = f"{worst.size_bytes / 2**20:g} MiB{mark}"
        yield f"| {name} | {points[0].gpus} | {len(points)} | {' | '.join(medians)} | {found[worst]:+.0%} | {size} |"
    total = summary(found)
    worst_text = f"{total['worst_but_outliers']:.0%} ({total['worst']:.0%} with outliers)"
    yield f"| **all** | | {len(found)} | {total['large']:.1%} | {total['middle']:.1%} | {worst_text} | |"


FITTED = {
    "generations.ampere.launch_us": 5.0, "generations.cdna3.launch_us": 5.0, "generations.hopper.network_us": 1.0,
    "generations.blackwell.network_us": 10.0, "generations.hopper.nvls.1": 0.547, "generations.blackwell.nvls.1": 0.455,
    "generations.hopper.channel_GBps": 20.0, "nvls.received": 0.7, "nvls.base_us": 25.0, "nvls.head_us": 1.0,
    "delay": 1.0, "protocols.ll128.tree.nvlink_us": 1.25, "protocols.ll.tree.nvlink_us": 0.6,
    "protocols.ll.ring.nvlink_us": 0.6,
}  # fmt: skip
"""The constants that are fitted, and where the search begins: NCCL's own where it has one, never an earlier fit.

A network step of Blackwell is fitted with what Grace hosts add to it, since nothing else was measured.
"""


def fit(points: Iterable[Point]) -> tuple[Collectives, tuple[FittedConstant, ...]]:
    """Return constants fitted to the points above 64 KiB, outliers left out, with what was found of each constant."""
    odd = outliers(points := tuple(points))
    used = [without_grace(point) for point in points if point.size_bytes >= SMALL and point not in odd]
    groups: dict[str, list[Point]] = {}
    for point in used:
        groups.setdefault(point.run.server.generation, []).append(point)

    @cache
    def log_errors(generation: str, own: Generation, common: Collectives) -> npt.NDArray[np.float64]:
        """Return those of one generation's points, which depend on its own constants and on the common ones alone."""
        constants = replace(common, generations={**collectives().generations, generation: own})
        return np.log([point.predicted_us(constants) / point.time_us for point in groups[generation]])

    def residuals(constants: Collectives) -> npt.NDArray[np.float64]:
        common = replace(constants, generations={})
        return np.concatenate([log_errors(name, constants.generations[name], common) for name in groups])

    return fit_constants(with_constants(collectives(), FITTED), tuple(FITTED), residuals)


def without_grace(point: Point) -> Point:
    """Return a point on a Grace host with what its NICs add to a network step left to the fit."""
    run = point.run
    if run.server.generation != "blackwell" or not run.server.nic_us:
        return point
    return replace(point, run=replace(run, server=replace(run.server, nic_us=None)))


def plot(found: Mapping[Point, float]) -> None:
    """Draw measured and predicted busbw of every sweep."""
    from fabric.draw import draw_allreduce, save

    PLOTS.mkdir(parents=True, exist_ok=True)
    for name, points in systems(found).items():
        if len(points) < 4:
            continue
        factor = COLLECTIVES[points[0].collective].bus_factor(points[0].gpus)
        speeds = [(p.size_bytes, p.size_bytes / 1e3 / p.time_us * factor) for p in points]
        modelled = [(p.size_bytes, speed / (1 + found[p])) for p, (_, speed) in zip(points, speeds, strict=True)]
        path = PLOTS / f"{''.join(c if c.isalnum() else '-' for c in name.lower())}.svg"
        save(draw_allreduce(name, {"measured": speeds, "modelled": modelled}, None), path)
        print(f"wrote {path}", file=sys.stderr)


def main() -> None:
    """Print the table and plot, or fit."""
    if "--fit" in sys.argv:
        fitted, found = fit(measured())
        print(
            *(f"{one.name}: {one.before:.4g} -> {one.value:.4g} (spread {one.spread:.0%})" for one in found), sep="\n"
        )
        print(summary(errors(map(without_grace, measured()), fitted)))
        return
    found = errors(measured(), collectives())
    print("\n".join(table(found)))
    plot(found)


if __name__ == "__main__":
    main()
