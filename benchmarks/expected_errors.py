"""Compute the errors to expect of systems that the model was not fitted to: writes expected_errors.yaml.

Each cluster in turn is left out of the fit and predicted by the constants fitted to all others, which takes minutes;
left_out_errors.csv has what comes out. The errors are pooled by kind of run: for every kind and size class the
variance between clusters, which with few clusters leans on that of other kinds, gives the band in which nine of ten
points of the next one lie. With --check every cluster is left out of the bands as well, and the share of its points
inside the band of the others is printed beside the band's width.
"""

from __future__ import annotations

import csv
import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path

from benchmarks.accuracy import LARGE, MIDDLE, SMALL, Point, asymptotes, fit, measured, outliers, summary, without_grace
from fabric.catalog import Collectives, collectives, constant_at, expected_errors, with_constants
from fabric.flow.expected_error import layout_of
from fabric.request.yaml_writer import yaml_text

FILE = Path(__file__).parents[1] / "fabric" / "catalog" / "data" / "expected_errors.yaml"
UPPER = 2**26
ROWS = Path(__file__).with_name("left_out_errors.csv")
COLUMNS = ("system", "collective", "bytes", "time_us", "algorithm", "log_error")
CLASSES = (LARGE, UPPER, MIDDLE, 1)
"""The smallest sizes of the size classes in bytes."""
SIZES = {LARGE: "from 1 GiB", UPPER: "from 64 MiB", MIDDLE: "from 1 MiB", 1: "below"}
PRIOR_SYSTEMS = 3
"""How many systems of its own outweigh what all kinds together say of a kind's variance."""
MOVED = 0.002
"""A constant is measured where a tenth more or less of it moves the time of some point by at least this share."""
CLUSTERS = (
    "Dell XE9680 H100",
    "HF smol playbook AWS P5",
    "H100 4-NIC RoCE",
    "H100 RoCE",
    "H800",
    "CoreWeave HGX H100",
    "H100 SXM",
)
"""The clusters of which there are several sweeps, by what their names have in common."""
VENDORS = {"nvidia": ("ampere", "hopper", "blackwell"), "amd": ("cdna3",)}

Kind = tuple[str, str, str]
"""Vendor, collective and layout."""


@dataclass(frozen=True)
class LeftOut:
    """A point predicted by constants that its own cluster had no part in."""

    point: Point
    """The point."""
    algorithm: str
    """The algorithm by which the model explains it."""
    log_error: float
    """The logarithm of measured over predicted time."""

    @property
    def cluster(self) -> str:
        return cluster_of(self.point)

    @property
    def kind(self) -> Kind:
        run = self.point.run
        vendor = next(vendor for vendor, names in VENDORS.items() if run.server.generation in names)
        return vendor, run.collective, layout_of(run.domains, run.server.gpus)


def cluster_of(point: Point) -> str:
    """Return the cluster of a point: sweeps of one machine at several sizes are left out together."""
    return next((name for name in CLUSTERS if point.system.startswith(name)), point.system)


@cache
def left_out() -> tuple[LeftOut, ...]:
    """Return every point, and every asymptote, predicted by constants fitted without its cluster."""
    points, found = measured(), list[LeftOut]()
    every = (*points, *asymptotes())
    for cluster in dict.fromkeys(map(cluster_of, every)):
        constants = _fit_without(cluster if cluster in map(cluster_of, points) else "")
        for point in every:
            if cluster_of(point) == cluster:
                estimate = without_grace(point).estimate(constants)
                found.append(LeftOut(point, estimate.algorithm, math.log(point.time_us / estimate.time_s / 1e6)))
    return tuple(found)


@cache
def _fit_without(cluster: str) -> Collectives:
    """Return the constants fitted to the sweeps of all clusters but this one; of a cluster without sweeps to all."""
    return fit(point for point in measured() if cluster_of(point) != cluster)[0]


def class_of(size_bytes: int) -> int:
    """Return the smallest size of a size's class."""
    return next(least for least in CLASSES if size_bytes >= least)


def bands(rows: Sequence[LeftOut]) -> dict[Kind, dict[int, float]]:
    """Return the share e of every kind and size class, nine of ten points being within 1/(1+e) and 1+e."""
    found: dict[Kind, dict[int, float]] = {}
    odd = outliers(measured())
    for least in CLASSES:
        plain = (row for row in rows if class_of(row.point.size_bytes) == least and row.point not in odd)
        squares = _mean_squares(plain)
        for kind, by_cluster in squares.items():
            others = _list_others(squares, kind)
            prior = PRIOR_SYSTEMS if others else 0
            degrees = prior + len(by_cluster)
            variance = (prior * statistics.fmean(others or [0.0]) + sum(by_cluster.values())) / degrees
            found.setdefault(kind, {})[least] = math.expm1(_student(degrees) * math.sqrt(variance))
    return found


def _list_others(squares: Mapping[Kind, Mapping[str, float]], kind: Kind) -> list[float]:
    """Return the mean squares of the clusters of other kinds: of the same vendor, or of all where it has few."""
    others = [(each, value) for each, by in squares.items() if each != kind for value in by.values()]
    own = [value for each, value in others if each[0] == kind[0]]
    return own if len(own) >= PRIOR_SYSTEMS else [value for _, value in others]


def _mean_squares(rows: Iterable[LeftOut]) -> dict[Kind, dict[str, float]]:
    """Return the mean square of the log errors of each cluster, by kind."""
    found: dict[Kind, dict[str, list[float]]] = {}
    for row in rows:
        found.setdefault(row.kind, {}).setdefault(row.cluster, []).append(row.log_error**2)
    return {kind: {name: statistics.fmean(each) for name, each in by.items()} for kind, by in found.items()}


def _student(degrees: int) -> float:
    """Return the 95th percentile of Student's t (Abramowitz and Stegun 26.7.5), within 1 % from three degrees."""
    z = statistics.NormalDist().inv_cdf(0.95)
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return sum(term / degrees**power for power, term in enumerate(terms))


def unmeasured() -> dict[str, list[str]]:
    """Return the constants of each generation on which no measured point depends."""
    found = {}
    for names in VENDORS.values():
        for name in names:
            if name not in collectives().generations:
                continue
            points = [point for point in measured() if point.run.server.generation == name]
            usual = [point.predicted_us(collectives()) for point in points]
            paths = _scalar_paths(collectives().generations[name])
            found[name] = [path for path in paths if not _moves(f"generations.{name}.{path}", points, usual)]
    return {name: paths for name, paths in found.items() if paths}


def _scalar_paths(generation: object) -> Iterator[str]:
    """Yield the paths of a generation's latencies, shares and bandwidths; its counts are facts of the library."""
    for field_ in fields(generation):  # type: ignore[arg-type]
        if "channels" not in field_.name:
            yield from _paths(field_.name, getattr(generation, field_.name))


def _paths(path: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        inner = [*value.items()]
    elif is_dataclass(value):
        inner = [(each.name, getattr(value, each.name)) for each in fields(value)]
    elif isinstance(value, tuple):
        inner = [(getattr(each, "name", place), each) for place, each in enumerate(value)]
    else:
        if isinstance(value, int | float):
            yield path
        return
    for key, each in inner:
        yield from _paths(f"{path}.{key}", each)


def _moves(name: str, points: Sequence[Point], usual: Sequence[float]) -> bool:
    value = constant_at(collectives(), name)
    for moved in (value * 1.1, value / 1.1) if value else (1.0,):
        constants = with_constants(collectives(), {name: moved})
        for point, time_us in zip(points, usual, strict=True):
            if abs(point.predicted_us(constants) / time_us - 1) > MOVED:
                return True
    return False


def table(rows: Sequence[LeftOut]) -> dict[str, object]:
    """Return the contents of expected_errors.yaml."""
    kinds = []
    for kind, errors in bands(rows).items():
        own = [row for row in rows if row.kind == kind]
        kinds.append(
            dict(zip(("vendor", "collective", "layout"), kind, strict=True))
            | {
                "systems": len({row.cluster for row in own}),
                "points": len(own),
                "servers": max(row.point.run.domains for row in own),
                "gpus": max(row.point.gpus for row in own),
                "algorithms": sorted({row.algorithm for row in own}),
                "errors": {least: round(error, 3) for least, error in errors.items()},
            }
        )
    return {"kinds": kinds, "unmeasured": unmeasured()}


def kinds_table() -> Iterator[str]:
    """Yield the rows of the table of kinds in docs/accuracy.md."""
    for kind in expected_errors().kinds:
        errors = (kind.errors.get(least) for least in CLASSES)
        shown = " | ".join("-" if each is None or each > expected_errors().widest else f"{each:.0%}" for each in errors)
        yield f"| {kind.vendor} | {kind.collective} | {kind.layout} | {kind.systems} | {kind.gpus} | {shown} |"


def clusters_table(rows: Sequence[LeftOut]) -> Iterator[str]:
    """Yield the rows of the table of clusters in docs/accuracy.md, each as predicted by constants of all others."""
    odd = outliers(measured())
    for cluster in dict.fromkeys(row.cluster for row in rows):
        errors = {row.point: math.expm1(-row.log_error) for row in rows if row.cluster == cluster}
        total = summary(errors)
        medians = [
            f"{total[key]:.1%}" if any(least <= point.size_bytes < most for point in errors) else "-"
            for key, least, most in (("large", LARGE, math.inf), ("middle", MIDDLE, LARGE))
        ]
        plain = [abs(error) for point, error in errors.items() if point.size_bytes > SMALL and point not in odd]
        yield f"| {cluster} | {len(errors)} | {' | '.join(medians)} | {max(plain):.0%} |"


def check(rows: Sequence[LeftOut]) -> Iterator[str]:
    """Yield the lines of a table: how many points of a cluster are inside the bands of the other clusters."""
    found = list(pair_with_bands(rows))
    for least in CLASSES:
        own = [(row, band) for row, band in found if class_of(row.point.size_bytes) == least]
        known = [(row, band) for row, band in own if band is not None and band <= expected_errors().widest]
        inside = [abs(row.log_error) <= math.log1p(band) for row, band in known]
        clusters = len({row.cluster for row, _ in own})
        widths = statistics.median(band for _, band in known) if known else math.nan
        share = statistics.fmean(inside) if inside else math.nan
        shown = f"{share:.0%} | {widths:.0%}" if known else "- | -"
        yield f"| {SIZES[least]} | {clusters} | {len(own)} | {len(known)} | {shown} |"


def pair_with_bands(rows: Sequence[LeftOut]) -> Iterator[tuple[LeftOut, float | None]]:
    """Yield every point above 64 KiB with the band that the other clusters give it; None where they give none."""
    for cluster in dict.fromkeys(row.cluster for row in rows):
        others = bands([row for row in rows if row.cluster != cluster])
        for row in rows:
            if row.cluster == cluster and row.point.size_bytes > SMALL:
                yield row, others.get(row.kind, {}).get(class_of(row.point.size_bytes))


def write_rows(rows: Sequence[LeftOut]) -> None:
    """Write the points as they were predicted, so that tables follow from them without another fit."""
    with ROWS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            point = row.point
            words = (point.system, point.collective, point.size_bytes, f"{point.time_us:.6g}")
            writer.writerow((*words, row.algorithm, f"{row.log_error:.4f}"))


def read_rows() -> tuple[LeftOut, ...]:
    """Return the points as `write_rows` wrote them."""
    points = {_key(point): point for point in (*measured(), *asymptotes())}
    with ROWS.open(newline="", encoding="utf-8") as file:
        return tuple(
            LeftOut(points[tuple(row[name] for name in COLUMNS[:4])], row["algorithm"], float(row["log_error"]))
            for row in csv.DictReader(file)
        )


def _key(point: Point) -> tuple[str, ...]:
    return point.system, point.collective, str(point.size_bytes), f"{point.time_us:.6g}"


def main() -> None:
    """Leave out and write all, or with --check print what the points that were written say."""
    if "--check" in sys.argv:
        rows = read_rows()
        print("\n".join([*clusters_table(rows), "", *check(rows)]))
        return
    write_rows(left_out())
    head = FILE.read_text(encoding="utf-8").split("kinds:", 1)[0]
    FILE.write_text(head + yaml_text(table(read_rows())), encoding="utf-8")
    print(f"wrote {ROWS.name} and {FILE.name}")


if __name__ == "__main__":
    main()
